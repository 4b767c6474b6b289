package report_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/known"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/record"
)

// held judges cells and holds them against a baseline, and that against a list of known issues, "" for none.
func held(t testing.TB, recorded, cells []*cell.Cell, list string) *verdict.Judgement {
	t.Helper()
	j := judged(t, fixture.Base(t), cells, "")
	baseline.Apply(j, recorded, false)
	if list != "" {
		l, err := known.Parse("list", []byte(list), j.Base)
		if err != nil {
			t.Fatal(err)
		}
		l.Apply(j)
	}
	return j
}

// listed is a list of known issues of series from 7.0 to 7.2 that now and then do not happen.
func listed(signatures ...string) string {
	var b strings.Builder
	for i, s := range signatures {
		fmt.Fprintf(&b, "- {id: issue-%d, link: \"https://example.org/%[1]d\", why: why-%[1]d, from: \"7.0\", to: \"7.2\", intermittent: true, signature: '%[2]s'}\n", i, s)
	}
	return b.String()
}

// compared are judgements that were held against a baseline, by name: each kind of difference, each as a known issue,
// and all at once.
func compared(t testing.TB) map[string]*verdict.Judgement {
	out := map[string]*verdict.Judgement{}
	var all []string
	for _, d := range fixture.Differing() {
		out["baseline: "+d.Name] = held(t, d.Baseline, d.Cells, "")
		if n := len(d.Signatures); n > 0 {
			out["baseline: "+d.Name+", known"] = held(t, d.Baseline, d.Cells, listed(d.Signatures[n-1]))
			if n > 1 {
				out["baseline: "+d.Name+", all of it known"] = held(t, d.Baseline, d.Cells, listed(d.Signatures...))
				out["baseline: "+d.Name+", the other known"] = held(t, d.Baseline, d.Cells, listed(d.Signatures[:n-1]...))
			}
		}
		all = append(all, d.Signatures...)
	}
	recorded, cells := fixture.DifferingAtOnce()
	out["baseline"] = held(t, recorded, cells, "")
	out["baseline, known"] = held(t, recorded, cells, listed(unique(all)...))
	out["baseline: trouble"] = held(t, fixture.Good(), trouble(), issues)
	many := fixture.BaseOfDisks(t)
	j := judged(t, many, manyBad(many), "")
	baseline.Apply(j, fixture.Many(many, fixture.Good()), false)
	out["baseline: many"] = j
	return out
}

func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s], out = true, append(out, s)
		}
	}
	return out
}

func TestGoldenBaseline(t *testing.T) {
	all := compared(t)
	for name, j := range map[string]*verdict.Judgement{"baseline": all["baseline"], "baseline-known": all["baseline, known"]} {
		for format, extension := range map[string]string{
			"term": ".txt", "markdown": ".md", "json": ".json", "ktap": ".ktap", "junit": ".xml", "jsonl": ".jsonl", "github": ".github",
		} {
			// The fixture's behaviours may have the names of real ones, whose lines move.
			out := regexp.MustCompile(`,line=[0-9]+,`).ReplaceAllString(render(t, format, j), ",line=N,")
			golden(t, name+extension, []byte(out))
		}
	}
	var out strings.Builder
	if err := report.Term(&out, all["baseline"], report.Options{Width: 80, ASCII: true}); err != nil {
		t.Fatal(err)
	}
	golden(t, "baseline-80-ascii.txt", []byte(out.String()))
}

// TestEveryFormatFails: there is no format in which nothing fails where the exit status is 1, nor one in which something
// does where it is 0. What TestFormatsAgree reads strictly is not read again.
func TestEveryFormatFails(t *testing.T) {
	for name, j := range cases(t) {
		exit := j.Exit()
		for _, format := range report.Names() {
			if readers()[format] != nil {
				continue
			}
			read := failing[format]
			if read == nil {
				t.Fatalf("nobody looks whether something fails in the format %s", format)
			}
			out := render(t, format, j)
			switch fails, err := read(out); {
			case err != nil:
				t.Errorf("%s: %s: %v", name, format, err)
			case fails != (exit == verdict.ExitUnexpected):
				t.Errorf("%s: the exit status is %d, and in %s something fails: %v\n%.6000s", name, exit, format, fails, out)
			}
		}
	}
}

// failing says of the formats that are no formats of tests whether something in them is unexpected.
var failing = map[string]func(string) (bool, error){
	"term":        bySections("\n", "UNEXPECTED", "NOT AS IN THE BASELINE"),
	"claims":      bySections("\n", "UNEXPECTED", "NOT AS IN THE BASELINE"),
	"markdown":    bySections("\n## ", "Unexpected", "Not as in the baseline"),
	"findings":    bySections("\n## ", "Unexpected", "Not as in the baseline"),
	"html":        bySections("<h3>", "Unexpected</h3>", "Not as in the baseline</h3>"),
	"json":        byDocument,
	"claims-json": byDocument,
}

// bySections reads a document that has sections of what fails.
func bySections(before string, titles ...string) func(string) (bool, error) {
	return func(out string) (bool, error) {
		for _, title := range titles {
			if i := strings.Index(out, before+title); i >= 0 && (before == "<h3>" || strings.HasPrefix(out[i+len(before)+len(title):], "\n")) {
				return true, nil
			}
		}
		return false, nil
	}
}

// byDocument reads a document by its lists, which have to agree with the exit status that it names.
func byDocument(out string) (bool, error) {
	type problem struct {
		Signature string
		Issue     string `json:"known_issue"`
	}
	var doc struct {
		Exit       int
		Unexpected []problem
		Baseline   struct {
			Cells       *int
			Differences []problem
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		return false, err
	}
	fails := false
	for _, p := range append(doc.Unexpected, doc.Baseline.Differences...) {
		fails = fails || p.Issue == ""
	}
	for _, p := range doc.Baseline.Differences {
		if p.Signature == "" || doc.Baseline.Cells == nil {
			return false, fmt.Errorf("a difference without its signature, or of a baseline without cells")
		}
	}
	if fails != (doc.Exit == verdict.ExitUnexpected) {
		return false, fmt.Errorf("the exit status is %d, and its lists have something unexpected: %v", doc.Exit, fails)
	}
	return fails, nil
}

// TestDifferencesAreTold: every format says of each kind of difference what was and what is, and of a known issue which.
func TestDifferencesAreTold(t *testing.T) {
	for _, d := range fixture.Differing() {
		if d.Subject == "" {
			continue
		}
		for _, format := range report.Names() {
			for _, tolerant := range []bool{false, true} {
				list := ""
				want := []string{d.Subject}
				for _, s := range []string{d.Was, d.Is} {
					if s != "" {
						want = append(want, s)
					}
				}
				if tolerant {
					list = listed(d.Signatures[len(d.Signatures)-1])
					want = append(want, "issue-0", "https://example.org/0")
				}
				out := render(t, format, held(t, d.Baseline, d.Cells, list))
				out = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", "&lt;", "<", "&gt;", ">", "%25", "%").Replace(out)
				for _, w := range want {
					if !strings.Contains(strings.ReplaceAll(out, `\_`, "_"), w) {
						t.Errorf("%s, known: %v: %s does not have %q\n%.3000s", d.Name, tolerant, format, w, out)
					}
				}
			}
		}
	}
}

// TestOneFailingCase: a behaviour that is unexpected and not as in the baseline is one case that fails, with both texts.
func TestOneFailingCase(t *testing.T) {
	j := compared(t)["baseline: unexpected, too"]
	for format, of := range map[string]struct{ fails, differs string }{
		"ktap":   {"\n  not ok ", "  # rootfs/pid1-pivot: not as in the baseline: was OK effect=pivoted, is EINVAL effect=none\n"},
		"junit":  {"<failure ", "\nnot as in the baseline: was OK effect=pivoted, is EINVAL effect=none\nsignature: baseline rootfs/pid1-pivot OK"},
		"github": {"::error ", "%0Anot as in the baseline: was OK effect=pivoted, is EINVAL effect=none%0Asignature: baseline rootfs/pid1-pivot OK"},
	} {
		out := render(t, format, j)
		if n := strings.Count(out, of.fails); n != 1 {
			t.Errorf("%s: %d cases fail, want one\n%s", format, n, out)
		}
		for _, want := range []string{of.differs, "outcome is EINVAL, not OK", "signature: unexpected rootfs/pid1-pivot EINVAL"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing\n%s", format, want, out)
			}
		}
	}
}

// TestAsInTheBaseline: where nothing differs, the line that sums up says so, and how much was compared.
func TestAsInTheBaseline(t *testing.T) {
	good := fixture.Good()[7:8]
	for planned, want := range map[bool]string{true: ", nothing unexpected, as in the baseline (1 of its 11 cells)", false: ", 10 NOT AS IN THE BASELINE"} {
		j := judged(t, fixture.Base(t), good, "")
		baseline.Apply(j, fixture.Good(), planned)
		if got := report.Find(j).Summary; !strings.HasSuffix(got, want) {
			t.Errorf("%q does not end with %q", got, want)
		}
	}
	j := held(t, good, good, "")
	if got := report.Find(j).Summary; !strings.HasSuffix(got, ", nothing unexpected, as in the baseline") {
		t.Errorf("%q", got)
	}
	for _, format := range report.Names() {
		if out := render(t, format, j); strings.Contains(out, "Δ</b>") {
			t.Errorf("%s marks something", format)
		}
	}
}

// FuzzBaseline: whatever a guest says, or said when the baseline was recorded, every format stays one, and they agree with the
// exit status.
func FuzzBaseline(f *testing.F) {
	f.Add("x", "einval/x", "ok", "7.0-amd64")
	f.Add("##[error]", "# SKIP", "a=b", "not ok 1")
	f.Add("a -> b\n::error::x", "->", "->", "1..2\nok 1 a ]]>\x00\xff")
	f.Fuzz(func(t *testing.T, why, id, outcome, name string) {
		is, was := fixture.Cell("7.0", "amd64"), fixture.Cell("7.0", "amd64")
		is.Name, was.Name, was.Kernel.Version = name, name, why
		fixture.Replace(is, fixture.Observed(id, outcome, outcome, why))
		fixture.Replace(is, &record.Record{Type: record.TypeObservation, ID: "eperm/landlock", Status: record.Unsupported, Why: why})
		fixture.Replace(is, &record.Record{Type: record.TypeObservation, ID: "ebusy/put-old-stacked", Status: record.Broken, Why: why})
		fixture.Replace(was, fixture.Observed("einval/once-there", outcome, id, why))
		fixture.Replace(was, fixture.Observed(id+"-"+why, outcome, outcome, why))
		gone := fixture.Cell("7.1", "amd64")
		gone.Name, gone.Flavour = why+"-"+name, id
		j := held(t, []*cell.Cell{was, gone}, []*cell.Cell{is}, "")
		for format, read := range readers() {
			passed, _, err := read(render(t, format, j))
			if err != nil || passed {
				t.Fatalf("%s: %v, passed: %v\n%s", format, err, passed, render(t, format, j))
			}
		}
	})
}
