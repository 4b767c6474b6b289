// Package verdict compares what kernels did with what is known and claimed about them.
// It is pure: cells and knowledge in, a judgement out.
package verdict

import (
	"pivotspec/results/cell"
	"pivotspec/suites/knowledge"
)

// Verdict is what is to be said of one behaviour in one cell.
type Verdict string

const (
	// Conforms: as expected, and as the edition says.
	Conforms Verdict = "conforms"
	// Deviation: as expected, and not as the edition says.
	Deviation Verdict = "deviation"
	// Silent: as expected, and the edition says nothing about it.
	Silent Verdict = "silent"
	// Unexpected: not what the ledger or, without an entry there, the current edition says.
	Unexpected Verdict = "unexpected"
	// Unsupported: the kernel lacks a feature that the behaviour is known to need.
	Unsupported Verdict = "unsupported"
	// Broken: the set-up failed, so that nothing was observed.
	Broken Verdict = "broken"
	// Missing: the behaviour was planned, or is known, and nothing was reported of it.
	Missing Verdict = "missing"
)

// All lists the verdicts in the order in which reports count them.
func All() []Verdict {
	return []Verdict{Conforms, Deviation, Silent, Unsupported, Unexpected, Broken, Missing}
}

// Judgement is the verdict on every behaviour in every cell.
type Judgement struct {
	Base    *knowledge.Base
	Edition *knowledge.Edition
	// Cells in the order of [cell.Compare].
	Cells []*CellResult
}

// CellResult is the judgement on one cell.
type CellResult struct {
	Cell *cell.Cell
	// Series is the kernel's, zero if it is not known or the kernel is not Linux.
	Series knowledge.Series
	// Implementation is what the kernel is if it is not Linux, else nil.
	Implementation *knowledge.Implementation
	// Status is the cell's own, or broken if its records show that it is not complete.
	Status cell.Status
	// Reason is one line that explains a status other than complete.
	Reason string
	// Results by behaviour in the order of the base, then those of unknown behaviours by
	// ID. There are none if the cell is unavailable.
	Results []*Result
	// Warnings are what the kernel logged while the suite ran.
	Warnings []Warning
}

// Differs returns the entry of the implementation's own ledger that a result goes by, or nil: what an
// implementation does otherwise than the Linux that it is compared with.
func (c *CellResult) Differs(r *Result) *knowledge.Entry {
	if c.Implementation == nil || r == nil || r.Entry == nil || r.Entry != c.Implementation.Own(r.Behaviour) {
		return nil
	}
	return r.Entry
}

// Result returns the result of a behaviour, or nil.
func (c *CellResult) Result(behaviour string) *Result {
	for _, r := range c.Results {
		if r.Behaviour == behaviour {
			return r
		}
	}
	return nil
}

// Result is the verdict on one behaviour in one cell.
type Result struct {
	Behaviour string
	Verdict   Verdict
	// Outcome and Facts are what was observed; empty if nothing was.
	Outcome string
	Facts   map[string]string
	// Wrong says in one line each what is not as expected (Unexpected), or why nothing
	// was observed (Unsupported, Broken, Missing).
	Wrong []string
	// OddOutcome says that the outcome itself is not as expected (Unexpected), and OddFacts names the facts
	// that are not, sorted; those that were expected and not reported are among them.
	OddOutcome bool
	OddFacts   []string
	// Expected says in one line what was expected and by whom; empty if nothing was.
	Expected string
	// Violated are the claims of the judged edition that the observation goes against.
	Violated []knowledge.Demanded
	// Entry is the ledger's entry for this kernel, or nil.
	Entry *knowledge.Entry
}

// Warning is a kernel message of a cell.
type Warning struct {
	Level int
	Text  string
	// Known is why the message is harmless, from the list of known ones; nil if it is not there.
	Known *knowledge.KnownWarning
}

// Exit statuses of the commands that judge.
const (
	ExitOK         = 0 // nothing unexpected
	ExitUnexpected = 1 // something unexpected
	ExitBroken     = 3 // a cell or an observation broken or missing
)

// Counts returns how many results have each verdict.
func (j *Judgement) Counts() map[Verdict]int {
	n := make(map[Verdict]int)
	for _, c := range j.Cells {
		for _, r := range c.Results {
			n[r.Verdict]++
		}
	}
	return n
}

// Exit returns the exit status that the judgement calls for. To have judged nothing is no
// success either.
func (j *Judgement) Exit() int {
	exit := ExitOK
	if len(j.Cells) == 0 {
		exit = ExitBroken
	}
	for _, c := range j.Cells {
		for _, w := range c.Warnings {
			if w.Known == nil {
				return ExitUnexpected
			}
		}
		if c.Status != cell.Complete {
			exit = ExitBroken
		}
		for _, r := range c.Results {
			switch r.Verdict {
			case Conforms, Deviation, Silent, Unsupported:
			case Unexpected:
				return ExitUnexpected
			default:
				exit = ExitBroken
			}
		}
	}
	return exit
}
