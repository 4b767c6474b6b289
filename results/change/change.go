// Package change says in what two sets of judged cells differ, and what of that matters to programs: what
// worked and fails now, what failed and works now, what works otherwise, and who is likely to notice. It is
// pure: two judgements in, a comparison out.
//
// # What stops working
//
// A change stops something that worked ([Change.Stops]) if
//
//   - a call succeeded and fails now. An error that becomes another error stops nothing, and neither does a
//     call that begins to succeed, though a program that relied on being refused would notice;
//   - the call comes out the same, and something that goes with it is otherwise: a later step of a recipe that
//     succeeded, the positive control, whose root moved, what is found at put_old. Somebody may have relied on
//     it, so this counts, and it is the exception that has to be argued: a step that begins to succeed,
//     and what suites/knowledge/notices.yaml calls free (no program can rely on the value: the root of a kernel
//     thread, a mount ID) or better (a value that takes nothing away);
//   - the kernel lacks a feature now that it had (not: what was given of it lacks the module);
//   - the kernel logs a warning now that is not known to be harmless, for there are machines set to panic then.
//
// So a process whose working directory moves no longer stops something, and a kernel thread whose
// working directory moves no longer does not.
//
// # What cannot be compared
//
// What one side did not observe is a [Gap], never nothing: broken, missing, beyond the machine that it ran on,
// without its module, unknown to the suite that ran. Only what not both sides were asked for is left out and counted, and of a
// warning there has to be a gap: what was not asked for may have been what brought it about. A gap is open if something might have stopped working there:
// unless the old side was seen to fail, or the new one to succeed, or it is the machine's nature.
package change

import (
	"slices"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Kind says in which way something changed.
type Kind string

// The kinds, the worst first.
const (
	// Fails: it succeeded and fails now.
	Fails Kind = "fails now"
	// Warns: the kernel logs a warning that it did not.
	Warns Kind = "warns now"
	// Lost: the kernel lacks the feature now.
	Lost Kind = "no longer supported"
	// Otherwise: it comes out the same, with other facts.
	Otherwise Kind = "works otherwise"
	// OtherError: it fails with another error.
	OtherError Kind = "fails otherwise"
	// Works: it failed and succeeds now.
	Works Kind = "works now"
	// Gained: the kernel has the feature now.
	Gained Kind = "supported now"
	// Quiet: the kernel no longer logs a warning that it did.
	Quiet Kind = "no longer warns"
)

// Kinds lists the kinds of change, the worst first.
func Kinds() []Kind {
	return []Kind{Fails, Warns, Lost, Otherwise, OtherError, Works, Gained, Quiet}
}

// Comparison is what two sets of cells show differently.
type Comparison struct {
	// Pairs in the order of the new cells.
	Pairs []*Pair
	// OnlyOld and OnlyNew are the cells that nothing on the other side could be compared with.
	OnlyOld, OnlyNew []*verdict.CellResult
}

// Pair is two cells and what differs between them.
type Pair struct {
	Old, New *verdict.CellResult
	// Changes in the order of the behaviours; warnings last.
	Changes []Change
	// Gaps are what could not be compared, in that order; of a cell as a whole first.
	Gaps []Gap
	// Alike is how many behaviours both observed, and the same.
	Alike int
	// Neither is how many behaviours neither side supports.
	Neither int
	// Unasked is how many behaviours are left out because not both sides were asked for them.
	Unasked int
}

// Change is one thing that is otherwise on the new side.
type Change struct {
	// Behaviour is the ID, "" of a warning.
	Behaviour string
	// Title is the behaviour's, or its ID where it is not known.
	Title string
	Kind  Kind
	// Stops says that something that worked stops working; see the package.
	Stops bool
	// Old and New are the outcomes; why it is unsupported, and the text of a warning.
	Old, New string
	// Facts are the compared facts that differ, as far as they do not follow from the outcome.
	Facts []Fact
	// Says is the change in one sentence without the title.
	Says string
	// Why is the reason that the ledger has for it, with the kernel commit if known; "" if nobody knows.
	Why string
	// Unexpected is what of the new observation the ledger and the page do not account for.
	Unexpected []string
	// Noticed is who is likely to notice, the most likely first.
	Noticed []knowledge.Noticed
}

// Grade is how likely somebody is to notice.
func (c *Change) Grade() knowledge.Grade {
	switch {
	case len(c.Noticed) > 0:
		return c.Noticed[0].Grade
	case c.Kind == Warns:
		return knowledge.Likely // who reads the kernel's log
	}
	return knowledge.Unlikely
}

// Fact is one fact that differs.
type Fact struct {
	Name string
	// Meaning is the behaviour's for it.
	Meaning string
	// Old and New are its values; "" if it was not reported.
	Old, New string
	// Stops says that something that worked stops working with it.
	Stops bool
}

// Reason says why something could not be compared.
type Reason string

// The reasons.
const (
	// CellNot: the cell as a whole is not complete.
	CellNot Reason = "the cell is not complete"
	// NotObserved: the set-up failed, or it was planned and never reported.
	NotObserved Reason = "broken or missing"
	// NoModule: what was given of the kernel lacks the module, or the image the program.
	NoModule Reason = "what was given lacks the module or program"
	// NotThere: it cannot be tried on the machine, or means nothing on the implementation.
	NotThere Reason = "cannot be tried there"
	// NotAsked: the side that it may be missed on was not asked for all that the other was.
	NotAsked Reason = "not asked for on both sides"
	// OtherSuite: the suite that ran does not know it.
	OtherSuite Reason = "the suite that ran does not know it"
)

// Gap is what could not be compared.
type Gap struct {
	// Behaviour is the ID, "" of a whole cell.
	Behaviour string
	Title     string
	Reason    Reason
	// Old and New are what there is of either side: an outcome, or why there is none.
	Old, New string
	// Open says that something that worked may have stopped working there.
	Open bool
}

// Exit returns the exit status that the comparison calls for: 1 if something that worked stops working, 3 if
// something could not be compared that may have, or nothing was compared at all.
func (c *Comparison) Exit() int {
	exit := verdict.ExitOK
	if len(c.Pairs) == 0 || len(c.OnlyOld) > 0 {
		exit = verdict.ExitBroken
	}
	for _, p := range c.Pairs {
		if p.Unasked > 0 && p.Alike+p.Neither+len(p.Changes)+len(p.Gaps) == 0 {
			exit = verdict.ExitBroken // they have nothing in common that was asked for
		}
		for i := range p.Changes {
			if p.Changes[i].Stops {
				return verdict.ExitUnexpected
			}
		}
		for i := range p.Gaps {
			if p.Gaps[i].Open {
				exit = verdict.ExitBroken
			}
		}
	}
	return exit
}

// Compare compares the cells of two judgements by the same knowledge; two kernels with one another,
// whatever they are, and of several each with its like.
func Compare(before, after *verdict.Judgement) *Comparison {
	var c Comparison
	var pairs [][2]*verdict.CellResult
	pairs, c.OnlyOld, c.OnlyNew = match(before.Cells, after.Cells)
	for _, p := range pairs {
		c.Pairs = append(c.Pairs, compare(after.Base, p[0], p[1]))
	}
	return &c
}

// compare compares two cells.
func compare(base *knowledge.Base, before, after *verdict.CellResult) *Pair {
	p := &Pair{Old: before, New: after}
	was, is := view(base, before), view(base, after)
	for _, c := range []*verdict.CellResult{before, after} {
		if c.Status != cell.Complete {
			p.Gaps = append(p.Gaps, Gap{Title: c.Cell.Name, Reason: CellNot, Old: state(before), New: state(after), Open: true})
			break
		}
	}
	for _, id := range order(base, before, after) {
		if slices.Contains(before.Unasked, id) || slices.Contains(after.Unasked, id) {
			p.Unasked++
			continue
		}
		p.behaviour(base, id, was.look(id), is.look(id))
	}
	p.warnings()
	return p
}

// state says in a few words how far a cell got.
func state(c *verdict.CellResult) string {
	if c.Status == cell.Complete {
		return string(c.Status)
	}
	return string(c.Status) + ": " + OneLine(c.Reason)
}

// order returns the behaviours of either cell in the order of the base, unknown ones last.
func order(base *knowledge.Base, cells ...*verdict.CellResult) []string {
	var out, unknown []string
	seen := map[string]bool{}
	for _, c := range cells {
		for _, r := range c.Results {
			seen[r.Behaviour] = true
		}
	}
	for i := range base.Behaviours {
		if id := base.Behaviours[i].ID; seen[id] {
			out = append(out, id)
			delete(seen, id)
		}
	}
	for id := range seen {
		unknown = append(unknown, id)
	}
	return append(out, sorted(unknown)...)
}
