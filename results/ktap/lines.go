package ktap

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Lines writes the lines of KTAP, for the records of a guest as they come (see [Writer]) as for a run of many. Its
// depth is 0 for the outer tests and 1 for those within one.
type Lines struct {
	out io.Writer
	err error
}

// NewLines returns what writes to out.
func NewLines(out io.Writer) *Lines { return &Lines{out: out} }

// Err returns the first error of the output.
func (l *Lines) Err() error { return l.err }

// Outcome is how a test ended: whether it is ok, and its directive.
type Outcome string

// The outcomes that are written. KTAP has further directives.
const (
	Pass Outcome = "ok"
	Fail Outcome = "not ok"
	// Skip is a pass of which nothing was seen: the kernel lacks a stated feature.
	Skip Outcome = "ok SKIP"
	// Expected is a failure that is a known issue. The kernel's own tests write it as ok (ksft_test_result_xfail in
	// tools/testing/selftests/kselftest.h), and a reader that does not know the directive goes by that
	// word, by which the tests around it do not fail either.
	Expected Outcome = "ok XFAIL"
	// Error is a failure to see anything.
	Error Outcome = "not ok ERROR"
)

// passed returns the outcome of a test with subtests.
func passed(ok bool) Outcome {
	if ok {
		return Pass
	}
	return Fail
}

// OK says whether the outcome counts as a pass.
func (o Outcome) OK() bool { return !strings.HasPrefix(string(o), string(Fail)) }

func indent(depth int) string { return strings.Repeat("  ", depth) }

// Begin writes the version and the plan of n tests.
func (l *Lines) Begin(depth, n int) {
	l.print("%s%s\n%[1]s1..%[3]d\n", indent(depth), Version, n)
}

// Test writes the result of test n. data is what is to be said of it behind its directive.
func (l *Lines) Test(depth, n int, name string, o Outcome, data string) {
	word, directive := string(Pass), strings.TrimSpace(strings.TrimPrefix(string(o), string(Pass)))
	if !o.OK() {
		word, directive = string(Fail), strings.TrimSpace(strings.TrimPrefix(string(o), string(Fail)))
	}
	line := fmt.Sprintf("%s%s %d %s", indent(depth), word, n, text(name))
	if directive != "" {
		line += " # " + directive
		if data != "" {
			line += " " + text(data)
		}
	}
	l.print("%s\n", line)
}

// Comment writes a diagnostic line.
func (l *Lines) Comment(depth int, s string) {
	// "# Subtest: " begins a test for some readers.
	l.print("%s# %s\n", indent(depth), strings.Replace(text(s), "Subtest:", "Subtest -", 1))
}

// Result writes the test of a behaviour, with notes in front of it if it is not ok, and says whether it is. What is not as in
// a baseline is not. edition is the ID of that by which it was judged.
func (l *Lines) Result(depth, n int, base *knowledge.Base, edition string, r *verdict.Result, notes ...string) bool {
	about := func(format string, args ...any) {
		l.Comment(depth, r.Behaviour+": "+fmt.Sprintf(format, args...))
	}
	why := strings.Join(r.Wrong, "; ")
	o, data := Pass, ""
	switch r.Verdict {
	case verdict.Conforms, verdict.Silent:
	case verdict.Deviation:
		about("known deviation from page %s: %s%s", edition, r.Outcome, reasonOf(r.Entry))
	case verdict.Unsupported:
		o, data = Skip, cmp.Or(why, "no reason given")
	case verdict.Unexpected:
		o = Fail
		if r.Issue != nil {
			o, data = Expected, known(r.Issue)
		}
		for _, line := range r.Wrong {
			about("unexpected: %s", line)
		}
		if r.Expected != "" {
			about("expected %s", r.Expected)
		}
		if got := r.Got(base); got != "" {
			about("observed %s", got)
		}
	default:
		o, data = Error, fmt.Sprintf("%s: %s", r.Verdict, cmp.Or(why, "no reason given"))
		if r.Issue != nil {
			about("%s", known(r.Issue))
		}
	}
	o, data = l.differs(depth, r.Behaviour+": ", r.Baseline, o, data)
	if !o.OK() || o == Expected {
		for _, note := range notes {
			about("%s", note)
		}
	}
	l.Test(depth, n, r.Behaviour, o, data)
	return o.OK()
}

// GuestTest writes the test of the guest as a whole and says whether it is ok. broken is why it did not report to its end, ""
// if it did, and d what of the cell is not as in a baseline, nil if nothing is.
func (l *Lines) GuestTest(depth, n int, broken string, warnings []verdict.Warning, d *verdict.Difference, notes ...string) bool {
	o, data := Pass, ""
	for i := range warnings {
		w := &warnings[i]
		switch {
		case w.Unknown():
			l.Comment(depth, "the kernel warns: "+w.Text)
			o = Fail
		case w.Issue != nil:
			l.Comment(depth, "the kernel warns, "+known(w.Issue)+": "+w.Text)
			if o == Pass {
				o, data = Expected, known(w.Issue)
			}
		}
	}
	o, data = l.differs(depth, "", d, o, data)
	for _, note := range notes {
		l.Comment(depth, note)
	}
	if broken != "" {
		o, data = Error, broken
	}
	l.Test(depth, n, Guest, o, data)
	return o.OK()
}

// known names a known issue.
func known(i *verdict.Issue) string {
	return fmt.Sprintf("known issue %s (%s): %s", i.ID, i.Link, i.Why)
}

func reasonOf(e *knowledge.Entry) string {
	if e == nil {
		return ""
	}
	return " " + e.Range() + ": " + e.Reason
}

// text makes s fit for a line: printable, without what begins a directive, and without what ends the results of a
// kernel's boot for tools/testing/kunit of the kernel.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '#':
			return '%'
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	s = strings.NewReplacer(
		"List of all partitions:", "List of all partitions -",
		"Kernel panic - not syncing: VFS:", "Kernel panic - not syncing - VFS:",
		"reboot: System halted", "reboot - System halted",
	).Replace(s)
	return cmp.Or(s, "no reason given")
}

// print writes; the first error is kept.
func (l *Lines) print(format string, args ...any) {
	if _, err := io.WriteString(l.out, fmt.Sprintf(format, args...)); err != nil && l.err == nil {
		l.err = err
	}
}
