package verdict

import (
	"slices"

	"pivotspec/suites/knowledge"
)

// Truth is whether a claim is true of a kernel.
type Truth string

const (
	// True: everything that the claim demands was observed, as expected, and meets it.
	True Truth = "true"
	// False: something that the claim demands was observed, as expected, and is otherwise.
	False Truth = "false"
	// Undecided: nothing observed goes against it, but not all that it demands was observed.
	Undecided Truth = "undecided"
	// Untestable: it demands nothing that could be observed.
	Untestable Truth = "untestable"
)

// Standing is what the observations of one cell say about a claim.
type Standing struct {
	Truth Truth
	// Unmet are the demands that the observations go against.
	Unmet []*knowledge.Demand
	// Unknown are the demands that nothing decides: the behaviour is missing, broken, unsupported or
	// was not asked for, or what was observed of it is unexpected, and so not to be relied on.
	Unknown []*knowledge.Demand
}

// Stands says whether a claim, of whichever edition, is true of the cell's kernel. It is never
// called true where an observation that it needs is missing, broken, unsupported, not asked for or unexpected.
// What it demands of behaviours of other scenarios than the cell's counts in their cells.
func (c *CellResult) Stands(claim *knowledge.Claim) Standing {
	if len(claim.Demands) == 0 {
		return Standing{Truth: Untestable}
	}
	s := Standing{Truth: True}
	decided := false
	for i := range claim.Demands {
		d := &claim.Demands[i]
		r := c.Result(d.Behaviour)
		if r == nil && len(c.Results) > 0 && !slices.Contains(c.Unasked, d.Behaviour) {
			continue // there is a result of each behaviour of the scenario that was asked for
		}
		decided = true
		switch {
		case !r.sound():
			s.Unknown = append(s.Unknown, d)
		case !d.Met(r.Outcome, r.Facts):
			s.Unmet = append(s.Unmet, d)
		}
	}
	switch {
	case len(s.Unmet) > 0:
		s.Truth = False
	case len(s.Unknown) > 0 || !decided:
		s.Truth = Undecided
	}
	return s
}

// sound reports whether something was observed, and as the ledger or the current edition
// expects it.
func (r *Result) sound() bool {
	return r != nil && (r.Verdict == Conforms || r.Verdict == Deviation || r.Verdict == Silent)
}
