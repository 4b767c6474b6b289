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

// tell says on the standard error what of the comparison the report does not: which part of the baseline it was about, and if
// shown is false, because nobody reads the report meanwhile, how much differs.
func (b *compareWith) tell(stderr io.Writer, j *verdict.Judgement, shown bool) {
	if j.Baseline == nil {
		return
	}
	if left := j.Baseline.Left; left > 0 {
		fmt.Fprintf(stderr, "compared with the baseline: what was run; %d of its %d cells are not part of this run\n", left, j.Baseline.Cells)
	}
	n := 0
	for _, d := range j.Differences() {
		if d.Issue == nil {
			n++
		}
	}
	switch {
	case shown || n == 0:
	case n == 1:
		complain(stderr, fmt.Errorf("not as in the baseline: 1 difference, which the report has"))
	default:
		complain(stderr, fmt.Errorf("not as in the baseline: %d differences, which the report has", n))
	}
}
