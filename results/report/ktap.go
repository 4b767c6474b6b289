package report

import (
	"fmt"
	"io"

	"pivotspec/results/ktap"
	"pivotspec/results/verdict"
)

// KTAP writes the Kernel Test Anything Protocol that the kernel's own tests speak: one test a cell, with one subtest a
// behaviour and a last one, [ktap.Guest], for the guest as a whole, which fails if the kernel warned of something or the
// cell is not complete. A known failure that was observed is an expected one (XFAIL). A known issue that is out of date
// fails a last test, "known-issues", whose subtests are the issues. Comments before a test give the reasons, and the
// last line of all sums up.
//
// What is not as in a baseline fails the test of the behaviour, or of the guest if it is about the cell as a whole. What
// the baseline alone has is a test, too: a behaviour a subtest of its cell, and cells those of a test "baseline" behind the others.
func KTAP(w io.Writer, j *verdict.Judgement, _ Options) error {
	l, f := ktap.NewLines(w), failuresOf(j)
	n, why := len(j.Cells), nothing(j)
	if why != "" {
		n++
	}
	gone := f.gone(j)
	if len(gone) > 0 {
		n++
	}
	if len(j.Issues) > 0 {
		n++
	}
	l.Begin(0, n)
	l.Comment(0, fmt.Sprintf("pivot_root(2), page %s", j.Edition.ID))
	for i, c := range j.Cells {
		ktapCell(l, i+1, j, c, f)
	}
	if why != "" {
		l.Test(0, len(j.Cells)+1, "observed", ktap.Error, why)
	}
	if len(gone) > 0 {
		at := len(j.Cells) + 1
		if why != "" {
			at++
		}
		ktapGone(l, at, gone, f)
	}
	if len(j.Issues) > 0 {
		ktapIssues(l, n, j)
	}
	l.Comment(0, Find(j).Summary)
	return l.Err()
}

func ktapCell(l *ktap.Lines, n int, j *verdict.Judgement, c *verdict.CellResult, f *failures) {
	name := oneLine(c.Cell.Name)
	l.Comment(0, name+": "+about(c))
	if s := part(c); s != "" {
		l.Comment(0, name+": "+s)
	}
	lost := c.Lost()
	tests := len(c.Results) + len(lost) + 1
	l.Begin(1, tests)
	ok, skipped := true, len(c.Results) > 0
	for k, r := range c.Results {
		var notes []string
		for _, s := range f.of(r) {
			notes = append(notes, "signature: "+s)
		}
		ok = l.Result(1, k+1, j.Base, j.Edition.ID, r, notes...) && ok
		skipped = skipped && r.Verdict == verdict.Unsupported
	}
	for k, d := range lost {
		ok = l.Difference(1, len(c.Results)+k+1, d.Behaviour, d, "signature: "+f.differences[d]) && ok
		skipped = false
	}
	var notes []string
	for _, t := range f.traces[c] {
		notes = append(notes, "signature: "+t.Signature.String())
	}
	for _, s := range f.ofCell(c) {
		notes = append(notes, "signature: "+s)
	}
	if c.Issue != nil {
		notes = append(notes, issueWords(c.Issue))
	}
	lines := console(c)
	if len(lines) > 0 {
		notes = append(notes, "the end of the console:")
	}
	for _, line := range lines {
		notes = append(notes, "| "+line)
	}
	ok = l.GuestTest(1, tests, reason(c), c.Warnings, c.Whole(), notes...) && ok
	switch {
	case !ok:
		l.Test(0, n, name, ktap.Fail, "")
	case skipped:
		// No behaviour was seen, so it must not read as a pass.
		l.Test(0, n, name, ktap.Skip, "all of it")
	default:
		l.Test(0, n, name, ktap.Pass, "")
	}
}

// ktapIssues writes the test of the known issues: each is ok unless the list is out of date about it.
func ktapIssues(l *ktap.Lines, n int, j *verdict.Judgement) {
	l.Begin(1, len(j.Issues))
	all := ktap.Pass
	for k, i := range j.Issues {
		l.Comment(1, i.ID+": "+i.Why+", "+i.Link)
		l.Comment(1, i.ID+": "+became(i))
		outcome := ktap.Pass
		if i.Stale != "" {
			outcome, all = ktap.Fail, ktap.Fail
		}
		l.Test(1, k+1, i.ID, outcome, "")
	}
	l.Test(0, n, "known-issues", all, "")
}

// ktapGone writes the test of the cells that only the baseline has.
func ktapGone(l *ktap.Lines, n int, gone []*verdict.Difference, f *failures) {
	l.Begin(1, len(gone))
	all := ktap.Pass
	for k, d := range gone {
		if !l.Difference(1, k+1, oneLine(d.Cell.Cell.Name), d, "signature: "+f.differences[d]) {
			all = ktap.Fail
		}
	}
	l.Test(0, n, baselineTest, all, "")
}
