package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/known"
	"pivotspec/results/ktap/ktaptest"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// trouble is one of everything that can go wrong, in few cells.
func trouble() []*cell.Cell {
	bad := fixture.Bad()
	cells := []*cell.Cell{bad[0], bad[1], bad[4], bad[5], bad[6], bad[8], bad[9], bad[10]}
	cells[6].Console = "[    1.2] \x1b[31mred\x00\ufffe\xff ]]> & <b> # %0A ::error::x\n" +
		"::warning::no\n  ##[error]no\nKTAP version 1\n1..3\nok 1 # SKIP\n# Subtest: x\nKernel panic - not syncing: VFS: no root"
	return cells
}

// issues is a list of known issues for trouble: one that happens, one that stopped, one that now and then does not
// happen, one whose cell died, one whose behaviour was broken and one of no kernel that ran.
const issues = `
- {id: put-old-shared, link: "https://example.org/bug/1", why: put_old may be shared, signature: unexpected einval/put-old-mount-shared OK, from: "6.1", to: "6.12"}
- {id: stopped, link: "https://example.org/bug/2", why: "what stopped: 100%, really", signature: unexpected rootfs/pid1-pivot EIO, from: "6.1", to: "6.18"}
- {id: now-and-then, link: "https://example.org/bug/3", why: a clock, signature: warning hrtimer interrupt took N ns, to: "7.3", intermittent: true}
- {id: dies, link: "https://example.org/bug/4", why: PID 1 is killed, signature: cell broken kernel panic attempted to kill init, from: "7.2"}
- {id: no-tmpfs, link: "https://example.org/bug/5", why: tmpfs, signature: broken eperm/no-cap-sys-admin mount tmpfs EPERM, from: "6.18", to: "6.18"}
- {id: warns, link: "https://example.org/bug/6", why: a warning, signature: warning WARNING fs/namespace.c pivot, from: "7.1", to: "7.1"}
- {id: future, link: "https://example.org/bug/7", why: later, signature: missing rootfs/pid1-pivot, from: "9.0"}
`

// judged judges cells by the fixture's knowledge and a list of known issues, "" for none.
func judged(t testing.TB, base *knowledge.Base, cells []*cell.Cell, list string) *verdict.Judgement {
	t.Helper()
	j, err := verdict.Judge(base, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	if list != "" {
		l, err := known.Parse("list", []byte(list), base)
		if err != nil {
			t.Fatal(err)
		}
		l.Apply(j)
	}
	return j
}

func render(t testing.TB, format string, j *verdict.Judgement) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Render(format, &out, j, report.Options{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGoldenCI(t *testing.T) {
	base := fixture.Base(t)
	for name, j := range map[string]*verdict.Judgement{
		"ci":        judged(t, base, trouble(), ""),
		"ci-issues": judged(t, base, trouble(), issues),
		"ci-good":   judged(t, base, fixture.Good()[:1], ""),
		"ci-none":   judged(t, base, nil, ""),
	} {
		for format, extension := range map[string]string{"ktap": ".ktap", "junit": ".xml", "jsonl": ".jsonl", "github": ".github"} {
			// The fixture's behaviours may have the names of real ones, whose lines move.
			out := regexp.MustCompile(`,line=[0-9]+,`).ReplaceAllString(render(t, format, j), ",line=N,")
			golden(t, name+extension, []byte(out))
		}
	}
	j := judged(t, base, trouble(), issues)
	golden(t, "ci-issues.txt", []byte(render(t, "term", j)))
	golden(t, "ci-issues.md", []byte(render(t, "markdown", j)))
}

// cases are judgements with something for every rule, by name.
func cases(t testing.TB) map[string]*verdict.Judgement {
	base := fixture.Base(t)
	warned := fixture.Cell("7.0", "amd64")
	warned.Records = append(warned.Records, &record.Record{Type: record.TypeWarning, Level: 4, Why: "WARNING: x"})
	lost := fixture.Cell("7.0", "amd64")
	fixture.Remove(lost, func(r *record.Record) bool { return r.ID == "moves/kernel-thread" })
	cut := fixture.Cell("7.0", "amd64")
	cut.Records = cut.Records[:len(cut.Records)-1]
	host := fixture.Cell("7.0", "amd64")
	host.Backend = cell.HostBackend
	for i, r := range host.Records {
		if r.Type == record.TypeObservation {
			host.Records[i] = &record.Record{Type: r.Type, ID: r.ID, Status: record.Unsupported, Beyond: record.BeyondMachine, Why: "no"}
		}
	}
	const stopped = `- {id: x, link: "https://example.org", why: x, signature: missing rootfs/pid1-pivot, from: "5.0"}`
	const warns = `- {id: x, link: "https://example.org", why: x, signature: "warning WARNING: x", from: "7.0"}`
	const loses = `- {id: x, link: "https://example.org", why: x, signature: missing moves/kernel-thread, from: "7.0"}`
	odd := func() *cell.Cell {
		c := fixture.Cell("7.0", "amd64")
		fixture.Replace(c, fixture.Observed("rootfs/pid1-pivot", "EIO"))
		return c
	}
	const oddly = `- {id: x, link: "https://example.org", why: x, signature: unexpected rootfs/pid1-pivot EIO, from: "7.0"}`
	out := map[string]*verdict.Judgement{
		"good":                judged(t, base, fixture.Good(), ""),
		"bad":                 judged(t, base, fixture.Bad(), ""),
		"trouble":             judged(t, base, trouble(), ""),
		"trouble with issues": judged(t, base, trouble(), issues),
		"none":                judged(t, base, nil, ""),
		"a warning":           judged(t, base, []*cell.Cell{warned}, ""),
		"a known warning":     judged(t, base, []*cell.Cell{warned}, warns),
		"unexpected":          judged(t, base, []*cell.Cell{odd()}, ""),
		"a known failure":     judged(t, base, []*cell.Cell{odd()}, oddly),
		"missing":             judged(t, base, []*cell.Cell{lost}, ""),
		"known to be missing": judged(t, base, []*cell.Cell{lost}, loses),
		"cut short":           judged(t, base, []*cell.Cell{cut}, ""),
		"nothing observed":    judged(t, base, []*cell.Cell{host}, ""),
		"out of date":         judged(t, base, fixture.Good(), stopped),
		"never started":       judged(t, base, fixture.Bad()[10:], ""),
		"many":                judged(t, fixture.BaseOfDisks(t), manyBad(fixture.BaseOfDisks(t)), ""),
	}
	for name, j := range compared(t) {
		out[name] = j
	}
	return out
}

// TestFormatsAgree: every format fails if and only if the exit status is not 0, as an independent reader of it
// sees it, and each has the line that sums up.
func TestFormatsAgree(t *testing.T) {
	for name, j := range cases(t) {
		exit, summary := j.Exit(), report.Find(j).Summary
		for format, read := range readers() {
			out := render(t, format, j)
			passed, sum, err := read(out)
			switch {
			case err != nil:
				t.Errorf("%s: %s: %v\n%.3000s", name, format, err, out)
			case passed != (exit == 0):
				t.Errorf("%s: the exit status is %d, and %s says that all passed: %v\n%.3000s", name, exit, format, passed, out)
			case sum != summary:
				t.Errorf("%s: %s sums up as %q, want %q", name, format, sum, summary)
			}
		}
	}
}

// readers read a format strictly, say whether all passed, and return the line that sums up.
func readers() map[string]func(string) (passed bool, summary string, err error) {
	return map[string]func(string) (bool, string, error){"ktap": readKTAP, "junit": readJUnit, "jsonl": readJSONL, "github": readGitHub}
}

func readKTAP(out string) (bool, string, error) {
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	tests, err := ktaptest.Read(lines)
	ok := true
	for _, x := range tests {
		ok = ok && x.OK
		if len(x.Tests) == 0 && x.Name != "observed" {
			err = fmt.Errorf("%s has no subtests", x.Name)
		}
		for _, s := range x.Tests {
			if len(s.Tests) > 0 {
				err = fmt.Errorf("%s is nested deeper than one level", s.Name)
			}
			if s.Directive == "ERROR" && s.OK || s.Directive == "SKIP" && !s.OK {
				err = fmt.Errorf("%s is %v with %s", s.Name, s.OK, s.Directive)
			}
		}
	}
	return ok, strings.TrimPrefix(lines[len(lines)-1], "# "), err
}

func readJUnit(out string) (bool, string, error) {
	type problem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
	}
	var doc struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Errors   int    `xml:"errors,attr"`
			Skipped  int    `xml:"skipped,attr"`
			Cases    []struct {
				Name    string    `xml:"name,attr"`
				Failure []problem `xml:"failure"`
				Error   []problem `xml:"error"`
				Skipped []problem `xml:"skipped"`
			} `xml:"testcase"`
			Out string `xml:"system-out"`
		} `xml:"testsuite"`
	}
	d := xml.NewDecoder(strings.NewReader(out))
	if err := d.Decode(&doc); err != nil {
		return false, "", err
	}
	if _, err := d.Token(); err != io.EOF {
		// a newline
		if _, err := d.Token(); err != io.EOF {
			return false, "", fmt.Errorf("something is behind the document")
		}
	}
	ok := true
	for _, s := range doc.Suites {
		tests, failures, errors, skipped := 0, 0, 0, 0
		for _, c := range s.Cases {
			tests++
			failures += len(c.Failure)
			errors += len(c.Error)
			skipped += len(c.Skipped)
		}
		if tests != s.Tests || failures != s.Failures || errors != s.Errors || skipped != s.Skipped {
			return false, "", fmt.Errorf("suite %s miscounts", s.Name)
		}
		ok = ok && failures+errors == 0
	}
	return ok, strings.TrimSuffix(doc.Suites[len(doc.Suites)-1].Out, "\n"), nil
}

func readJSONL(out string) (bool, string, error) {
	var last report.JSONLine
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	cells := map[string]bool{}
	differences, fails := 0, false
	for n, line := range lines {
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		var l report.JSONLine
		if err := d.Decode(&l); err != nil {
			return false, "", fmt.Errorf("line %d: %w", n+1, err)
		}
		if l.Schema != report.SchemaJSONL || last.Type == report.LineSummary {
			return false, "", fmt.Errorf("line %d: schema %d, behind %s", n+1, l.Schema, last.Type)
		}
		bad := false
		switch l.Type {
		case report.LineCell:
			bad = l.Status == "" || l.Kernel == nil || (l.Status == cell.Complete) != (l.Signature == "")
			cells[l.Cell] = true
		case report.LineResult:
			bad = !cells[l.Cell] || l.Verdict == "" || l.Verdict == verdict.Unexpected && l.Signature == ""
		case report.LineWarning:
			bad = !cells[l.Cell] || l.Level == nil || l.Harmless == "" && l.Signature == ""
		case report.LineDifference:
			bad = !cells[l.Cell] && (l.Behaviour != "" || l.Kind != verdict.Removed) || l.Kind == "" || l.Was == "" && l.Is == "" || l.Signature == ""
			differences++
			fails = fails || l.Issue == ""
		case report.LineIssue:
			bad = l.Issue == "" || l.Link == "" || l.Signature == "" || l.Kernels == ""
		case report.LineSummary:
			bad = l.Exit == nil || l.Summary == "" || l.Edition == "" || differences > 0 && (l.Differences == nil || *l.Differences != differences) ||
				fails && *l.Exit != verdict.ExitUnexpected
		default:
			bad = true
		}
		if bad {
			return false, "", fmt.Errorf("line %d is not as its type demands: %s", n+1, line)
		}
		last = l
	}
	if last.Type != report.LineSummary {
		return false, "", fmt.Errorf("it does not end with the summary")
	}
	return *last.Exit == 0, last.Summary, nil
}

// command is a workflow command as the runner of GitHub Actions takes it from a line (ActionCommand.TryParseV2): blanks before
// it do not matter.
var command = regexp.MustCompile(`^\s*::([A-Za-z-]+)(?: ([^\n]*?))?::(.*)$`)

func readGitHub(out string) (bool, string, error) {
	n := map[string]int{}
	open := false
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for k, line := range lines {
		if strings.Contains(line, "##[") {
			return false, "", fmt.Errorf("line %d is a command of the older form: %q", k+1, line)
		}
		m := command.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if m[1] == "group" || m[1] == "endgroup" {
			if open == (m[1] == "group") {
				return false, "", fmt.Errorf("line %d: groups overlap", k+1)
			}
			open = !open
			continue
		}
		if m[1] != "error" && m[1] != "warning" && m[1] != "notice" {
			return false, "", fmt.Errorf("line %d is the command %s", k+1, m[1])
		}
		n[m[1]]++
		for _, p := range strings.Split(m[2], ",") {
			name, value, ok := strings.Cut(p, "=")
			value = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(value)
			switch {
			case !ok || value == "":
				return false, "", fmt.Errorf("line %d: property %q", k+1, p)
			case name == "title":
			case name == "line" && regexp.MustCompile(`^[1-9][0-9]*$`).MatchString(value):
			case name == "file":
				if _, err := os.Stat(filepath.Join("../..", value)); err != nil {
					return false, "", err
				}
			default:
				return false, "", fmt.Errorf("line %d: property %q", k+1, p)
			}
		}
		if strings.NewReplacer("%0D", "", "%0A", "", "%25", "").Replace(m[3]) == "" {
			return false, "", fmt.Errorf("line %d has no message", k+1)
		}
	}
	for level, n := range n {
		if n > report.MaxAnnotations {
			return false, "", fmt.Errorf("%d annotations of the level %s", n, level)
		}
	}
	if open {
		return false, "", fmt.Errorf("a group is left open")
	}
	return n["error"]+n["warning"] == 0, lines[len(lines)-1], nil
}

// TestWarningFailsTheCell: whatever else is as expected, a message of the kernel is seen in every format, and where a
// format knows cells it fails that cell.
func TestWarningFailsTheCell(t *testing.T) {
	j := cases(t)["a warning"]
	for _, format := range report.Names() {
		if out := render(t, format, j); !strings.Contains(out, "WARNING: x") {
			t.Errorf("%s does not have the message:\n%s", format, out)
		}
	}
	for format, want := range map[string]string{
		"ktap":   "\n  not ok 14 guest\nnot ok 1 7.0-amd64\n",
		"junit":  `<failure message="the kernel warns: WARNING: x" type="warning">`,
		"jsonl":  `"text":"WARNING: x","signature":"warning WARNING x"`,
		"github": "::error title=the kernel warns on 7.0-amd64::WARNING: x%0Asignature: warning WARNING x\n",
	} {
		if out := render(t, format, j); !strings.Contains(out, want) {
			t.Errorf("%s does not have %q:\n%s", format, want, out)
		}
	}
}

// TestKnownIssuesAreTold: every format names a known issue with its link, and what is out of date.
func TestKnownIssuesAreTold(t *testing.T) {
	j := judged(t, fixture.Base(t), trouble(), issues)
	for _, format := range report.Names() {
		out := strings.ReplaceAll(render(t, format, j), `\_`, "_")
		for _, want := range []string{
			"put-old-shared", "https://example.org/bug/1", "stopped", "https://example.org/bug/2", "it no longer happens on 6.1-amd64",
			"https://example.org/bug/4", "https://example.org/bug/5", "https://example.org/bug/6",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is lost", format, want)
			}
		}
	}
}

// TestAnnotationsLeftOut: of more than GitHub shows, the last annotation says what is left out.
func TestAnnotationsLeftOut(t *testing.T) {
	c := fixture.Cell("7.0", "amd64")
	for _, r := range slices.Clone(c.Records) {
		if r.Type == record.TypeObservation {
			fixture.Replace(c, fixture.Observed(r.ID, "EIO"))
		}
	}
	out := render(t, "github", judged(t, fixture.Base(t), []*cell.Cell{c}, ""))
	if n := strings.Count(out, "\n::error "); n != report.MaxAnnotations-1 || !strings.HasPrefix(out, "::error ") {
		t.Errorf("%d annotations", n+1)
	}
	for _, want := range []string{"::error title=and 4 more::GitHub shows 10 annotations of a level; left out, and in the log: ", "moves/kernel-thread: unexpected on 7.0-amd64"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestJUnitSchema has an independent reader check the XML by a schema that is stricter than those of Ant, Surefire and Jenkins.
func TestJUnitSchema(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatalf("%v: it is in Debian's libxml2-utils, which `make setup` does not install; harness/ci/setup test does", err)
	}
	dir := t.TempDir()
	var files []string
	for name, j := range cases(t) {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".xml")
		if err := os.WriteFile(file, []byte(render(t, "junit", j)), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	out, err := exec.Command(xmllint, append([]string{"--noout", "--nonet", "--schema", "testdata/junit.xsd"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// The schema is no rubber stamp.
	good := render(t, "junit", cases(t)["trouble"])
	for _, edit := range [][2]string{{`type="missing"`, `type="passed"`}, {`tests="`, `test="`}, {"<testcase ", "<case "}, {`classname="6.1-amd64.einval"`, `classname="einval"`}} {
		file := filepath.Join(dir, "wrong.xml")
		if err := os.WriteFile(file, []byte(strings.Replace(good, edit[0], edit[1], 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if exec.Command(xmllint, "--noout", "--schema", "testdata/junit.xsd", file).Run() == nil {
			t.Errorf("the schema takes %s", edit[1])
		}
	}
}

// TestKernelsOwnParser has the kernel's own parser of KTAP read what is written, where a copy is there: PIVOTSPEC_KUNIT
// names its folder, tools/testing/kunit of a kernel's source. It goes by the innermost tests alone.
func TestKernelsOwnParser(t *testing.T) {
	dir := os.Getenv("PIVOTSPEC_KUNIT")
	if dir == "" {
		t.Skip("PIVOTSPEC_KUNIT does not name tools/testing/kunit of a kernel's source")
	}
	const program = `import sys, io, contextlib
sys.path.insert(0, sys.argv[1])
sys.stdout, out = io.StringIO(), sys.stdout
import kunit_parser
test = kunit_parser.parse_run_tests(open(sys.argv[2], errors="surrogateescape"))
print(test.status.name, test.counts.errors, file=out)`
	for name, j := range cases(t) {
		file := filepath.Join(t.TempDir(), "x.ktap")
		if err := os.WriteFile(file, []byte(render(t, "ktap", j)), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("python3", "-c", program, dir, file).CombinedOutput()
		want := "FAILURE 0\n"
		if j.Exit() == 0 {
			want = "SUCCESS 0\n"
		}
		if err != nil || string(out) != want {
			t.Errorf("%s: got %s, %v, want %s", name, out, err, want)
		}
	}
}

// FuzzCI: whatever a guest, its kernel and its console say, every format stays one, and they agree with the exit status.
func FuzzCI(f *testing.F) {
	base := fixture.Base(f)
	f.Add([]byte("x"), "1..2\nok 1 a\n  KTAP version 1", "::error::x", "ok", "7.0-amd64")
	f.Add([]byte("]]>\x00\xff\ufffe"), "##[error]", "# SKIP", "a=b", "not ok 1")
	f.Add([]byte("Kernel panic - not syncing: VFS: x"), "reboot: System halted", "a/b", "%0A", "::x::")
	f.Fuzz(func(t *testing.T, console []byte, why, id, outcome, name string) {
		good, bad := fixture.Cell("7.0", "amd64"), fixture.Cell("7.1", "amd64")
		fixture.Replace(good, fixture.Observed(id, outcome, outcome, why))
		fixture.Replace(good, &record.Record{Type: record.TypeObservation, ID: "eperm/landlock", Status: record.Unsupported, Why: why})
		fixture.Replace(good, &record.Record{Type: record.TypeObservation, ID: "ebusy/put-old-stacked", Status: record.Broken, Why: why})
		good.Records = append(good.Records, &record.Record{Type: record.TypeWarning, Why: why}, &record.Record{Type: record.TypeNote, Why: why})
		good.Name, good.Kernel.Version, good.Kernel.Package = name, why, id
		bad.Status, bad.Reason, bad.Console, bad.Arch, bad.Flavour = cell.Broken, why, string(console), outcome, id
		bad.Records = bad.Records[:5]
		j := judged(t, base, []*cell.Cell{good, bad}, "")
		for format, read := range readers() {
			passed, _, err := read(render(t, format, j))
			if err != nil || passed {
				t.Fatalf("%s: %v, passed: %v\n%s", format, err, passed, render(t, format, j))
			}
		}
	})
}
