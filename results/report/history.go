package report

import (
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Standing is what a cell shows of a claim.
type Standing string

const (
	// Holds: everything that the claim demands was observed.
	Holds Standing = "holds"
	// Fails: something else was observed.
	Fails Standing = "fails"
	// Undecided: nothing goes against it, and something that it demands was not observed.
	Undecided Standing = "undecided"
)

// History returns the standing of a claim in each cell of a judgement. A claim that nothing
// can test is undecided everywhere.
func History(j *verdict.Judgement, c *knowledge.Claim) []Standing {
	out := make([]Standing, len(j.Cells))
	for i, cell := range j.Cells {
		out[i] = Holds
		if len(c.Demands) == 0 {
			out[i] = Undecided
		}
		for k := range c.Demands {
			d := &c.Demands[k]
			r := cell.Result(d.Behaviour)
			switch {
			case r == nil || !r.Observed():
				if out[i] == Holds {
					out[i] = Undecided
				}
			case !r.Satisfies(d):
				out[i] = Fails
			}
		}
	}
	return out
}
