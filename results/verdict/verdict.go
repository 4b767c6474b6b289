// Package verdict compares what kernels did with what is known and claimed about them.
// It is pure: cells and knowledge in, a judgement out.
package verdict

import (
	"maps"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
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
	// Issues are the known issues that the judgement was held against, in their file's order; see package known.
	Issues []*Issue
	// Baseline is what holding it against a baseline came to; nil if it was held against none.
	Baseline *Baseline
}

// Issue is a known failure of some kernels, by the words of a list of them, and what a judgement says of it.
type Issue struct {
	// ID names it in its file.
	ID string
	// Link is where it is followed up.
	Link string
	// Why says in one line what it is about.
	Why string
	// Signature is the text form of that of the failure; see package signature.
	Signature string
	// Kernels are those for which it is listed, for a reader: "6.1 to 6.12 on arm64".
	Kernels string
	// Happened are the names of the cells in which it did, and Gone of those in which it could have and did not.
	Happened, Gone []string
	// Stale says in one line that the list is wrong about it now, and what to do; "" if it is not.
	Stale string
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
	// ID. There are none if the cell is unavailable, and none of what the guest was not asked for.
	Results []*Result
	// Unasked are the behaviours of the cell's scenario that its guest was not asked for, in the order of the base: nothing
	// is known of them, and nothing wrong with that.
	Unasked []string
	// Warnings are what the kernel logged while the suite ran.
	Warnings []Warning
	// Issue is why the status is not complete, if that is a known issue; else nil.
	Issue *Issue
	// Baseline is what of the cell as a whole is not as in the baseline, and of behaviours of which there is no result.
	Baseline []*Difference
}

// Differs returns the entry of the implementation's own ledger that a result goes by, or nil: what an
// implementation does otherwise than the Linux that it is compared with.
func (c *CellResult) Differs(r *Result) *knowledge.Entry {
	if c.Implementation == nil || r == nil || r.Entry == nil || r.Entry != c.Implementation.Own(r.Behaviour) {
		return nil
	}
	return r.Entry
}

// unwatched is what guests note, among other words, that did not read the kernel's messages.
const unwatched = "kernel warnings were not watched"

// Watched says whether the kernel's messages reached the harness. On a machine of somebody else's they are not looked at.
func (c *CellResult) Watched() bool {
	return !c.Cell.Borrowed() && !slices.ContainsFunc(c.Cell.Records, func(r *record.Record) bool {
		return r.Type == record.TypeNote && strings.Contains(r.Why, unwatched)
	})
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
	// Issue is the known issue that a verdict of Unexpected, Broken or Missing is, or nil.
	Issue *Issue
	// Baseline says what of it is not as in the baseline, whatever the verdict; nil if nothing is.
	Baseline *Difference
}

// Got says in one line what was observed: the outcome, and the facts that are not only for people to read and, of the
// order of the checks, that are few. It is "" if nothing was. The words are the guest's.
func (r *Result) Got(base *knowledge.Base) string {
	b, known := base.Behaviour(r.Behaviour)
	s := r.Outcome
	for _, f := range slices.Sorted(maps.Keys(r.Facts)) {
		if !known || !b.IsInfo(f) && (r.Behaviour != faults.Behaviour || knowledge.Universal(f)) {
			s += " " + f + "=" + r.Facts[f]
		}
	}
	return s
}

// Warning is a kernel message of a cell.
type Warning struct {
	Level int
	Text  string
	// Known is why the message is harmless, from the list of known ones; nil if it is not there.
	Known *knowledge.KnownWarning
	// Issue is the known issue that the message is, or is part of; else nil.
	Issue *Issue
}

// Unknown says whether the message fails the cell: it is neither known to be harmless nor a known issue.
func (w *Warning) Unknown() bool { return w.Known == nil && w.Issue == nil }

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

// Observed says whether anything was observed: an outcome, as expected or not.
func (j *Judgement) Observed() bool {
	for _, c := range j.Cells {
		for _, r := range c.Results {
			switch r.Verdict {
			case Conforms, Deviation, Silent, Unexpected:
				return true
			}
		}
	}
	return false
}

// Exit returns the exit status that the judgement calls for. To have judged nothing is no
// success either, nor is to have observed nothing. What is a known issue is not unexpected, but what was not observed was not,
// known issue or not; and a list of known issues that is wrong would hide the next failure, so that is unexpected. So is
// what is not as in the baseline, unless it is a known issue.
func (j *Judgement) Exit() int {
	exit := ExitOK
	if !j.Observed() {
		exit = ExitBroken
	}
	for _, i := range j.Issues {
		if i.Stale != "" {
			return ExitUnexpected
		}
	}
	if n, _ := j.Differing(); n > 0 {
		return ExitUnexpected
	}
	for _, c := range j.Cells {
		for i := range c.Warnings {
			if c.Warnings[i].Unknown() {
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
				if r.Issue == nil {
					return ExitUnexpected
				}
			default:
				exit = ExitBroken
			}
		}
	}
	return exit
}
