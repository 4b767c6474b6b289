package main

import (
	"fmt"
	"io"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// compareWith is the baseline that a view holds its cells against, if any.
type compareWith struct {
	// dir is its folder, as the user names it; "" for none.
	dir string
	// cells are those that read found there.
	cells []*cell.Cell
	// planned says that the judged cells are all that their run planned, see [baseline.Match].
	planned bool
}

// read reads the baseline before anything runs or is printed: the report may be what replaces it.
func (b *compareWith) read() error {
	if b.dir == "" {
		return nil
	}
	var err error
	if b.cells, err = baseline.Load(b.dir); err == nil {
		err = ofSuite(b.cells)
	}
	if err != nil {
		return failed(fmt.Errorf("the baseline cannot be compared with: %w; give a folder that --update-baseline wrote", err))
	}
	return nil
}

// apply holds a judgement against the baseline.
func (b *compareWith) apply(j *verdict.Judgement) {
	if b.dir != "" {
		baseline.Apply(j, b.cells, b.planned)
	}
}

// tell says on the standard error what of the comparison nobody has read yet: which part of the baseline it was about and,
// unless the report was printed for people, how much differs. discarded says that no report was printed.
func (b *compareWith) tell(stderr io.Writer, j *verdict.Judgement, format string, discarded bool) {
	if j.Baseline == nil {
		return
	}
	if left := j.Baseline.Left; left > 0 {
		fmt.Fprintf(stderr, "compared with the baseline: what was run; %d of its %d cells are not part of this run\n", left, j.Baseline.Cells)
	}
	if n := j.Baseline.Unasked; n > 0 {
		fmt.Fprintf(stderr, "%d recorded observations (cells: %d) are left out: not both runs asked for them\n", n, j.Baseline.UnaskedCells)
	}
	n, _ := j.Differing()
	if n == 0 || format == "term" && !discarded {
		return // on a terminal the matrix and its last line have just said it
	}
	what, where := fmt.Sprintf("%d differences", n), "which the report has"
	if n == 1 {
		what = "1 difference"
	}
	if discarded {
		where = fmt.Sprintf("which `pivotspec report DIR --baseline %s` shows of the records in DIR", b.dir)
	}
	complain(stderr, fmt.Errorf("not as in the baseline: %s, %s", what, where))
}
