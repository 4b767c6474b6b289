package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pivotspec/kernels/cause"
	"pivotspec/results/cell"
	"pivotspec/results/known"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// view is how a user wants to see the judgement on cells.
type view struct {
	format, edition string
	outputs         []string
	issues          string
	baseline        compareWith

	// What check made of the two: files that reports go to beside the standard output, and the known issues.
	files []report.Output
	// against are the cells of another run that pages compare with; nil for none.
	against []*cell.Cell
	known   *known.List
	stderr  func() io.Writer
}

func (v *view) flags(cmd *cobra.Command) {
	v.stderr = cmd.ErrOrStderr
	cmd.Flags().StringVar(&v.format, "format", "term", "`FORMAT` of the report: "+strings.Join(report.Names(), ", "))
	cmd.Flags().StringArrayVar(&v.outputs, "output", nil, "`FORMAT=FILE` of a report beside the one that is printed; may be given again; what is there is removed at once")
	cmd.Flags().StringVar(&v.issues, "known-issues", "", "`FILE` that lists failures that somebody follows up, by their signatures, and are no news")
	cmd.Flags().StringVar(&v.baseline.dir, "baseline", "", "`DIR` of records to compare with, or of folders of them; any difference is unexpected, and told in every report")
	cmd.Flags().StringVar(&v.edition, "edition", "", "`EDITION` of the manual page to judge (default: the newest)")
}

// check refuses what there is not, before there is anything to show, and returns what the
// cells will be judged by.
func (v *view) check() (*knowledge.Base, error) {
	if !slices.Contains(report.Names(), v.format) {
		return nil, usage(fmt.Errorf("--format %s: there is no such format; there are %s", v.format, strings.Join(report.Names(), ", ")))
	}
	base, err := v.base()
	if err != nil {
		return nil, err
	}
	if cur := base.Current().ID; v.format == report.OfCurrent && v.edition != "" && v.edition != cur {
		return nil, usage(fmt.Errorf("--format %s --edition %s: there are findings on the current edition only; leave --edition out, or give %s", v.format, v.edition, cur))
	}
	if v.files, err = report.ParseOutputs(v.outputs); err != nil {
		return nil, usage(fmt.Errorf("--output %w", err))
	}
	for _, o := range v.files {
		if cur := base.Current().ID; o.Format == report.OfCurrent && v.edition != "" && v.edition != cur {
			return nil, usage(fmt.Errorf("--output %s=%s --edition %s: there are findings on the current edition only; leave one out", o.Format, o.Path, v.edition))
		}
		if err := o.Check(); err != nil {
			return nil, failed(err)
		}
	}
	if v.issues != "" {
		if v.known, err = known.Load(v.issues, base); err != nil {
			return nil, usage(fmt.Errorf("--known-issues: %w", err))
		}
	}
	for _, o := range v.files {
		if err := o.Clear(); err != nil {
			return nil, failed(err)
		}
	}
	return base, nil
}

// base refuses an edition that there is not, and returns what is known.
func (v *view) base() (*knowledge.Base, error) {
	base, err := knowledge.Load()
	if err != nil {
		return nil, failed(err)
	}
	if _, ok := base.Edition(v.edition); v.edition != "" && !ok {
		var ids []string
		for _, e := range base.Editions {
			ids = append(ids, e.ID)
		}
		return nil, usage(fmt.Errorf("--edition %s: there is no such edition; there are %s", v.edition, strings.Join(ids, ", ")))
	}
	return base, nil
}

// page says whether a page is asked for.
func (v *view) page() bool {
	return v.format == report.Page || slices.ContainsFunc(v.files, func(o report.Output) bool { return o.Format == report.Page })
}

// show prints the report on cells, writes those that go to files, and returns the exit status that the
// judgement calls for.
func (v *view) show(w io.Writer, base *knowledge.Base, cells []*cell.Cell) (int, error) {
	j, err := verdict.Judge(base, cells, v.edition)
	if err != nil {
		return 0, failed(err)
	}
	v.baseline.apply(j)
	if v.known != nil {
		v.known.Apply(j)
	}
	var against *verdict.Judgement
	if v.against != nil {
		if against, err = verdict.Judge(base, v.against, v.edition); err != nil {
			return 0, failed(err)
		}
	}
	// The files first: whoever reads the standard output may leave early.
	var unwritten error
	for _, o := range v.files {
		if err := o.Write(j, report.Options{Edition: v.edition, Against: against}); err != nil && unwritten == nil {
			unwritten = &exitError{worse(j.Exit(), exitHarness), err}
		}
	}
	var opts report.Options
	if f, ok := w.(*os.File); ok {
		opts = report.TermOptions(f, os.Getenv)
	}
	opts.Edition, opts.Against = v.edition, against
	if err := report.Render(v.format, w, j, opts); err != nil {
		return 0, unprinted(err)
	}
	v.baseline.tell(v.stderr(), j, v.format, w == io.Discard)
	return j.Exit(), unwritten
}

// unprinted is the failure to print to the standard output.
func unprinted(err error) error {
	return failed(fmt.Errorf("the standard output takes no more: %w; what it shows is not whole", cause.Of(err)))
}

// worse returns the exit status for two that are due: something unexpected wins over
// anything that could not be done.
func worse(a, b int) int {
	if a == verdict.ExitUnexpected || b == verdict.ExitUnexpected {
		return verdict.ExitUnexpected
	}
	return max(a, b)
}
