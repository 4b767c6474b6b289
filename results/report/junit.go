package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// The elements of the format, in the order and with the attributes that Ant's JUnit task, Maven Surefire and
// Jenkins have in common. Nothing has a timestamp: no record says when a cell ran.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Hostname   string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        junitText       `xml:"system-out"`
		Err        junitText       `xml:"system-err"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Classname string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitProblem `xml:"failure"`
		Error     *junitProblem `xml:"error"`
		Skipped   *junitProblem `xml:"skipped"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// JUnit writes XML as JUnit's tasks do and most servers for continuous integration read: a testsuite a cell, a
// testcase a behaviour, and two for the cell as a whole: that the guest reported to its end, and that the
// kernel warned of nothing.
//
// What was observed and is not as expected is a failure; what was not observed, broken or missing, an error; what the
// kernel does not support is skipped. A class is the cell and the area, as in "7.0-amd64.einval": servers
// know a test by its class and name alone, take what is before the last dot for a package, and so keep the cells apart.
//
// A failure that is a known issue is skipped, with the type "known-issue" and its link as the message. The format has no word for an
// expected failure, a property would leave it a failure to every reader, and pytest, whose files are read the most,
// writes its own (xfail) so. An error that is a known issue stays an error and says which: nothing was observed. Each
// issue is a testcase of the last suite, too, and fails there if the list is out of date about it. That
// suite is there in any case, and its output is the line that sums up.
//
// What is not as in a baseline fails the testcase that it is of, with the type "baseline" if nothing else fails it: that of the behaviour, or
// guest/complete if it is about the cell as a whole. A behaviour or a cell that only the baseline has is a testcase that fails.
func JUnit(w io.Writer, j *verdict.Judgement, _ Options) error {
	f := failuresOf(j)
	var out junitSuites
	for _, c := range j.Cells {
		out.Suites = append(out.Suites, junitCell(j, c, f))
	}
	last := newSuite("pivotspec", "0", junitProperty{"edition", j.Edition.ID}, junitProperty{"exit", fmt.Sprint(j.Exit())})
	for _, d := range f.gone(j) {
		x := junitCase{Name: xmlName(d.Cell.Cell.Name), Classname: "pivotspec." + baselineTest, Time: "0"}
		x.junitDiffers(d, f.differences[d])
		last.add(x)
	}
	for _, i := range j.Issues {
		x := junitCase{Name: i.ID, Classname: "pivotspec.known-issues", Time: "0"}
		if i.Stale != "" {
			x.Failure = problem("stale", i.Stale, issueWords(i), "signature: "+i.Signature)
		}
		last.add(x)
	}
	if why := nothing(j); why != "" {
		last.add(junitCase{Name: "observed", Classname: "pivotspec.run", Time: "0", Error: problem("missing", why)})
	}
	last.Out = junitText{Find(j).Summary + "\n"}
	out.Suites = append(out.Suites, last)
	for i := range out.Suites {
		out.Suites[i].ID = i
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func newSuite(name, time string, properties ...junitProperty) junitSuite {
	s := junitSuite{Name: name, Package: "pivotspec", Hostname: "localhost", Time: time}
	for _, p := range properties {
		if value := strings.TrimSpace(xmlLine(p.Value)); value != "" {
			s.Properties = append(s.Properties, junitProperty{p.Name, value})
		}
	}
	return s
}

// add adds a case and counts it.
func (s *junitSuite) add(x junitCase) {
	s.Tests++
	switch {
	case x.Failure != nil:
		s.Failures++
	case x.Error != nil:
		s.Errors++
	case x.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, x)
}

func problem(kind, message string, lines ...string) *junitProblem {
	p := &junitProblem{Message: xmlLine(message), Type: kind}
	p.add(lines...)
	return p
}

func junitCell(j *verdict.Judgement, c *verdict.CellResult, f *failures) junitSuite {
	k, l, name := c.Cell.Kernel, c.Cell.Line(), xmlName(c.Cell.Name)
	version := release(c)
	if version == "" {
		version = k.Version
	}
	s := newSuite(name, seconds(c.Cell.WallMillis*1000),
		junitProperty{"kernel", version}, junitProperty{"series", c.Series.String()}, junitProperty{"architecture", l.Arch},
		junitProperty{"abi", c.Cell.ABI}, junitProperty{"flavour", l.Flavour}, junitProperty{"scenario", c.Cell.ScenarioName()},
		junitProperty{"backend", c.Cell.Backend}, junitProperty{"accelerator", c.Cell.Accel},
		junitProperty{"package", k.Package}, junitProperty{"package-version", k.PackageVersion}, junitProperty{"sha256", k.SHA256},
		junitProperty{"status", string(c.Status)}, junitProperty{"edition", j.Edition.ID}, junitProperty{"part", part(c)})
	var out, err strings.Builder
	fmt.Fprintf(&out, "%s\n", xmlLine(about(c)))
	if s := part(c); s != "" {
		fmt.Fprintf(&out, "%s\n", s)
	}
	took := micros(c)
	class := func(behaviour string) string {
		area, _, _ := strings.Cut(behaviour, "/")
		return name + "." + strings.Join(strings.Fields(xmlName(area)), "_")
	}
	for _, r := range c.Results {
		x := junitCase{Name: xmlName(r.Behaviour), Classname: class(r.Behaviour), Time: seconds(took[r.Behaviour])}
		why := strings.Join(r.Wrong, "; ")
		var detail []string
		if r.Issue != nil {
			detail = append(detail, issueWords(r.Issue))
		}
		if r.Expected != "" {
			detail = append(detail, "expected: "+r.Expected)
		}
		if got := r.Got(j.Base); got != "" {
			detail = append(detail, "observed: "+got)
		}
		if s := f.results[r]; s != "" {
			detail = append(detail, "signature: "+s)
		}
		switch r.Verdict {
		case verdict.Conforms:
		case verdict.Silent:
			fmt.Fprintf(&out, "%s: %s, of which page %s says nothing\n", xmlLine(r.Behaviour), xmlLine(r.Outcome), j.Edition.ID)
		case verdict.Deviation:
			fmt.Fprintf(&out, "%s: %s, a known deviation from page %s", xmlLine(r.Behaviour), xmlLine(r.Outcome), j.Edition.ID)
			if r.Entry != nil {
				fmt.Fprintf(&out, " %s: %s", xmlLine(r.Entry.Range()), xmlLine(r.Entry.Reason))
			}
			out.WriteString("\n")
		case verdict.Unsupported:
			x.Skipped = problem(string(r.Verdict), why)
		case verdict.Unexpected:
			if r.Issue != nil {
				x.Skipped = problem(knownIssue, issueWords(r.Issue), append([]string{"unexpected: " + why}, detail[1:]...)...)
				break
			}
			x.Failure = problem(string(r.Verdict), why, detail...)
		default:
			x.Error = problem(string(r.Verdict), why, detail...)
		}
		x.junitDiffers(r.Baseline, f.differences[r.Baseline])
		s.add(x)
	}
	for _, d := range c.Lost() {
		x := junitCase{Name: xmlName(d.Behaviour), Classname: class(d.Behaviour), Time: "0"}
		x.junitDiffers(d, f.differences[d])
		s.add(x)
	}
	done := junitCase{Name: "guest/complete", Classname: name + ".guest", Time: "0"}
	if c.Status != cell.Complete {
		var detail []string
		if c.Issue != nil {
			detail = append(detail, issueWords(c.Issue))
		}
		detail = append(detail, "signature: "+f.cells[c])
		lines := console(c)
		if len(lines) > 0 {
			detail = append(detail, "the end of the console is in the suite's system-err")
		}
		done.Error = problem(string(c.Status), c.Reason, detail...)
		for _, line := range lines {
			fmt.Fprintln(&err, xmlLine(line))
		}
	}
	done.junitDiffers(c.Whole(), f.differences[c.Whole()])
	s.add(done)
	if warned, ok := junitWarnings(name, c, f); ok {
		s.add(warned)
	}
	for i := range c.Warnings {
		w := &c.Warnings[i]
		what := "the kernel warns"
		switch {
		case w.Known != nil:
			what += ", known and harmless (" + w.Known.Reason + ")"
		case w.Issue != nil:
			what += ", " + issueWords(w.Issue)
		}
		fmt.Fprintf(&out, "%s: %s\n", xmlLine(what), xmlLine(w.Text))
	}
	s.Out, s.Err = junitText{out.String()}, junitText{err.String()}
	return s
}

// knownIssue is the type of what is skipped because it is a known issue.
const knownIssue = "known-issue"

// junitWarnings returns the case of the kernel's messages; false if they were not watched to the end, and there are none.
func junitWarnings(name string, c *verdict.CellResult, f *failures) (junitCase, bool) {
	x := junitCase{Name: "guest/kernel-messages", Classname: name + ".guest", Time: "0"}
	var unknown, known []string
	var issue *verdict.Issue
	for i := range c.Warnings {
		w := &c.Warnings[i]
		switch {
		case w.Unknown():
			unknown = append(unknown, w.Text)
		case w.Issue != nil:
			known, issue = append(known, w.Text), w.Issue
		}
	}
	var signatures []string
	for _, t := range f.traces[c] {
		signatures = append(signatures, "signature: "+t.Signature.String())
	}
	switch {
	case len(unknown) > 0:
		x.Failure = problem("warning", "the kernel warns: "+unknown[0], append(unknown, signatures...)...)
	case issue != nil:
		x.Skipped = problem(knownIssue, issueWords(issue), append(known, signatures...)...)
	case c.Status != cell.Complete || !c.Watched():
		return x, false
	}
	return x, true
}

// seconds writes microseconds as seconds.
func seconds(micros int64) string {
	if micros <= 0 {
		return "0"
	}
	return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)
}

// xmlName makes a name, which is never empty.
func xmlName(s string) string { return cmp.Or(strings.TrimSpace(xmlLine(s)), "unknown") }

// xmlLine makes one line of characters that XML 1.0 allows. The words of a kernel or a guest may hold any byte.
func xmlLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029:
			return ' '
		case r == 0xfffe, r == 0xffff:
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	return strings.TrimRight(s, " ")
}
