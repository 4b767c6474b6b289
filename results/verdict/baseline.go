package verdict

import (
	"fmt"
	"strings"

	"pivotspec/suites/record"
)

// Baseline is what holding a judgement against a baseline came to; see package baseline. The differences themselves
// are with the results and the cells that they are of, and [Judgement.Differences] returns them all.
type Baseline struct {
	// Cells is how many cells the baseline has, and Left how many of them are not part of the run.
	Cells, Left int
	// Unasked is how many observations are left out because not both runs asked for them, and UnaskedCells of how many cells.
	Unasked, UnaskedCells int
	// Gone are the cells that the run lacks.
	Gone []*Difference
}

// DifferenceKind says how something differs from a baseline.
type DifferenceKind string

// The kinds of difference.
const (
	Changed DifferenceKind = "changed" // observed both times, with different results
	Added   DifferenceKind = "added"   // observed now only
	Removed DifferenceKind = "removed" // observed then only
)

// Difference is one behaviour of one cell that is not as in the baseline, or what is so of the whole cell.
type Difference struct {
	// Cell is that in which it differs. One that is gone is the baseline's, and not among those of the judgement.
	Cell *CellResult
	// Behaviour is its ID, and "" if it is about the cell as a whole.
	Behaviour string
	Kind      DifferenceKind
	// Was and Is say in one line what was recorded and what is, such as "EINVAL effect=none"; "" for nothing. The words
	// are the guest's.
	Was, Is string
	// Old and New are the records of both without the facts that are not compared; nil for nothing, and of a cell.
	Old, New *record.Record
	// Issue is the known issue that it is, or nil.
	Issue *Issue
}

// Words says in one line how it differs: "was OK, is EINVAL".
func (d *Difference) Words() string {
	switch d.Kind {
	case Changed:
		return fmt.Sprintf("was %s, is %s", d.Was, d.Is)
	case Added:
		return strings.TrimSuffix("new: "+d.Is, ": ")
	}
	return strings.TrimSuffix("gone: "+d.Was, ": ")
}

// Line says the same to a reader who does not know yet what it is about.
func (d *Difference) Line() string { return "not as in the baseline: " + d.Words() }

// Whole returns what of the cell as a whole is not as in the baseline, or nil.
func (c *CellResult) Whole() *Difference {
	for _, d := range c.Baseline {
		if d.Behaviour == "" {
			return d
		}
	}
	return nil
}

// Lost returns the differences of behaviours of which the cell has no result: the baseline has them, and
// neither the guest nor what is known now does.
func (c *CellResult) Lost() []*Difference {
	var out []*Difference
	for _, d := range c.Baseline {
		if d.Behaviour != "" {
			out = append(out, d)
		}
	}
	return out
}

// Differences returns all that is not as in the baseline of a cell: what is of the cell first, then its behaviours in
// the order of the results, then those without a result.
func (c *CellResult) Differences() []*Difference {
	var out []*Difference
	if d := c.Whole(); d != nil {
		out = append(out, d)
	}
	for _, r := range c.Results {
		if r.Baseline != nil {
			out = append(out, r.Baseline)
		}
	}
	return append(out, c.Lost()...)
}

// Differences returns all that is not as in the baseline that the judgement was held against, cell by cell, with
// the cells that are gone last.
func (j *Judgement) Differences() []*Difference {
	if j.Baseline == nil {
		return nil
	}
	var out []*Difference
	for _, c := range j.Cells {
		out = append(out, c.Differences()...)
	}
	return append(out, j.Baseline.Gone...)
}

// Differing counts them: those that are known issues, and all others, which are unexpected.
func (j *Judgement) Differing() (unexpected, listed int) {
	for _, d := range j.Differences() {
		if d.Issue == nil {
			unexpected++
		} else {
			listed++
		}
	}
	return unexpected, listed
}
