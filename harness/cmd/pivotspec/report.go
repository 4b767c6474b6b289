package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"pivotspec/harness/lab"
	"pivotspec/kernels/cause"
	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/report"
	"pivotspec/results/worlds"
	"pivotspec/suites/knowledge"
)

func reportCommand(o *options) *cobra.Command {
	var v view
	var update, older string
	cmd := &cobra.Command{
		Use:   "report [DIR]",
		Short: "Judge and print records again (without DIR, those of the last run)",
		Args:  atMost(1, "one folder of records"),
		RunE: func(cmd *cobra.Command, args []string) error {
			base, err := v.check()
			if err != nil {
				return err
			}
			dir, cells, err := readRecords(o, args)
			if err != nil {
				return failed(err)
			}
			if note := partial(dir); note != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), note)
			}
			switch other, err := worlds.Split(cells); {
			case err != nil:
				return failed(fmt.Errorf("no report on %s: %w", dir, err))
			case other != nil:
				for _, f := range []string{"format", "against", "edition", "output", "known-issues", "baseline", "update-baseline"} {
					if cmd.Flags().Changed(f) {
						return usage(fmt.Errorf("--%s is about runs of the suite, and %s is a run of --exhaustive: leave it out", f, dir))
					}
				}
				fmt.Fprintf(cmd.OutOrStdout(), "a run of --exhaustive, which compared worlds with the model of the call:\n")
				exit, err := showWorlds(cmd.OutOrStdout(), nil, judgeWorlds(other, base))
				if err != nil {
					return err
				}
				return ended(exit)
			}
			if err := v.baseline.read(); err != nil {
				return err
			}
			if v.baseline.dir != "" {
				if v.baseline.planned, err = cell.Planned(dir); err != nil {
					return failed(err)
				}
			}
			if older != "" {
				if !v.page() {
					return usage(fmt.Errorf("--against is for --format %s, which compares; `pivotspec diff %s %s` says what changes in words", report.Page, older, dir))
				}
				if v.against, err = cell.ReadTree(older); err == nil {
					err = ofSuite(v.against)
				}
				if err != nil {
					return failed(fmt.Errorf("there is nothing to compare with in %s: %w; give a folder that `pivotspec run --out` filled", older, err))
				}
			}
			exit, err := v.show(cmd.OutOrStdout(), base, cells)
			if err != nil {
				return err
			}
			if update != "" {
				if err := baseline.Write(update, base, started(cells, cmd.ErrOrStderr())); err != nil {
					complain(cmd.ErrOrStderr(), err)
					exit = worse(exit, exitHarness)
				}
			}
			return ended(exit)
		},
	}
	v.flags(cmd)
	cmd.Flags().StringVar(&older, "against", "", "`DIR` of the records of an older run, with which --format html compares")
	cmd.Flags().StringVar(&update, "update-baseline", "", "`DIR` to which the records are written as a baseline, in a folder for each architecture")
	return cmd
}

// started returns the cells that a baseline can be made of, and says which never started: their kernel is not to
// be had today, and what is recorded of it stays.
func started(cells []*cell.Cell, stderr io.Writer) []*cell.Cell {
	var out []*cell.Cell
	var without []string
	for _, c := range cells {
		if c.Status == cell.Unavailable {
			without = append(without, c.Name)
		} else {
			out = append(out, c)
		}
	}
	if len(without) > 0 {
		complain(stderr, fmt.Errorf("the baseline is made without %s, which did not start: what it has of them stays", strings.Join(without, ", ")))
	}
	return out
}

// judgeWorlds accounts for the worlds of a run of --exhaustive, cell by cell.
func judgeWorlds(runs []worlds.Run, base *knowledge.Base) []*worlds.Result {
	var out []*worlds.Result
	for _, r := range runs {
		out = append(out, worlds.Judge(r.Request, r.Cells, base.Warnings)...)
	}
	return out
}

// ofSuite refuses the records of a run of --exhaustive where those of the suite are wanted.
func ofSuite(cells []*cell.Cell) error {
	runs, err := worlds.Split(cells)
	if err == nil && runs != nil {
		err = errors.New("they are of a run of --exhaustive, not of the suite")
	}
	return err
}

// readRecords reads the folder that args name, or that of the last run, and returns which it is.
func readRecords(o *options, args []string) (string, []*cell.Cell, error) {
	if len(args) == 1 {
		cells, err := cell.ReadTree(args[0])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil, fmt.Errorf("no report on %s: there is no such folder; `pivotspec run --out %[1]s` makes it", args[0])
		case errors.Is(err, syscall.ENOTDIR):
			return "", nil, fmt.Errorf("no report on %s: it is not a folder; give the one that `pivotspec run --out` filled", args[0])
		}
		return args[0], cells, err
	}
	l, err := lab.Open(o.cache, "")
	if err != nil {
		return "", nil, err
	}
	cells, err := cell.ReadDir(lastRun(l.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("no report on the last run: there was none (%s); `pivotspec run` makes one, or give a folder of records", lastRun(l.Dir))
	}
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = fmt.Errorf("no report on the last run: %s cannot be read: %w; give a folder of records, or another cache with --cache", lastRun(l.Dir), cause.Of(err))
	}
	return lastRun(l.Dir), cells, err
}
