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
func KTAP(w io.Writer, j *verdict.Judgement, _ Options) error {
	l, f := ktap.NewLines(w), failuresOf(j)
	n, why := len(j.Cells), nothing(j)
	if why != "" {
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
	l.Begin(1, len(c.Results)+1)
	ok, skipped := true, len(c.Results) > 0
	for k, r := range c.Results {
		var notes []string
		if s := f.results[r]; s != "" {
			notes = append(notes, "signature: "+s)
		}
		ok = l.Result(1, k+1, j.Base, j.Edition.ID, r, notes...) && ok
		skipped = skipped && r.Verdict == verdict.Unsupported
	}
	var notes []string
	for _, t := range f.traces[c] {
		notes = append(notes, "signature: "+t.Signature.String())
	}
	if s := f.cells[c]; s != "" {
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
	ok = l.GuestTest(1, len(c.Results)+1, reason(c), c.Warnings, notes...) && ok
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
