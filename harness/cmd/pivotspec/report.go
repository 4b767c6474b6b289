package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/spf13/cobra"

	"pivotspec/harness/lab"
	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

func reportCommand(o *options) *cobra.Command {
	var v view
	var against, update string
	cmd := &cobra.Command{
		Use:   "report [DIR]",
		Short: "Judge and print records again (without DIR, those of the last run)",
		Args:  atMost(1, "one folder of records"),
		RunE: func(cmd *cobra.Command, args []string) error {
			base, err := v.check()
			if err != nil {
				return err
			}
			cells, err := readRecords(o, args)
			if err != nil {
				return failed(err)
			}
			// Read before anything is printed: the report may be what replaces it.
			var old []*cell.Cell
			if against != "" {
				if old, err = baseline.Load(against); err != nil {
					return failed(fmt.Errorf("the baseline cannot be compared with: %w; give a folder that --update-baseline wrote", err))
				}
			}
			exit, err := v.show(cmd.OutOrStdout(), base, cells)
			if err != nil {
				return err
			}
			if against != "" {
				for _, d := range baseline.Compare(base, baseline.Match(old, cells), cells) {
					complain(cmd.ErrOrStderr(), fmt.Errorf("not as in the baseline: %v", d))
					exit = worse(exit, verdict.ExitUnexpected)
				}
			}
			if update != "" {
				if err := baseline.Write(update, base, cells); err != nil {
					complain(cmd.ErrOrStderr(), err)
					exit = worse(exit, exitHarness)
				}
			}
			return ended(exit)
		},
	}
	v.flags(cmd)
	cmd.Flags().StringVar(&against, "baseline", "", "`DIR` of records to compare with; any difference is unexpected")
	cmd.Flags().StringVar(&update, "update-baseline", "", "`DIR` to which the records are written as a baseline")
	return cmd
}

// readRecords reads the folder that args name, or that of the last run.
func readRecords(o *options, args []string) ([]*cell.Cell, error) {
	if len(args) == 1 {
		cells, err := cell.ReadDir(args[0])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("no report on %s: there is no such folder; `pivotspec run --out %[1]s` makes it", args[0])
		case errors.Is(err, syscall.ENOTDIR):
			return nil, fmt.Errorf("no report on %s: it is not a folder; give the one that `pivotspec run --out` filled", args[0])
		}
		return cells, err
	}
	l, err := lab.Open(o.cache, "")
	if err != nil {
		return nil, err
	}
	cells, err := cell.ReadDir(lastRun(l.Dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no report on the last run: there was none (%s); `pivotspec run` makes one, or give a folder of records", lastRun(l.Dir))
	}
	return cells, err
}
