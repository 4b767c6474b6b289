package report_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func judge(t *testing.T, cells []*cell.Cell, edition string) *verdict.Judgement {
	t.Helper()
	base := fixture.Base(t)
	if slices.ContainsFunc(cells, func(c *cell.Cell) bool { return c.Scenario != "" }) {
		base = fixture.BaseOfDisks(t)
	}
	j, err := verdict.Judge(base, cells, edition)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func arches() []*cell.Cell {
	cells := fixture.Good()
	for _, s := range []string{"6.12", "7.2"} {
		cells = append(cells, fixture.Cell(s, "arm64"))
	}
	return cells
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cells   []*cell.Cell
		edition string
		format  string
		o       report.Options
	}{
		{"good.txt", fixture.Good(), "", "term", report.Options{}},
		{"good-120.txt", fixture.Good(), "", "term", report.Options{Width: 120}},
		{"good-80.txt", fixture.Good(), "", "term", report.Options{Width: 80}},
		{"good-120-colour.txt", fixture.Good(), "", "term", report.Options{Width: 120, Colour: true}},
		{"good-old-page.txt", fixture.Good(), "4.10", "term", report.Options{Width: 120}},
		{"bad-120.txt", fixture.Bad(), "", "term", report.Options{Width: 120}},
		{"bad-80.txt", fixture.Bad(), "", "term", report.Options{Width: 80}},
		{"bad-80-ascii.txt", fixture.Bad(), "", "term", report.Options{Width: 80, ASCII: true}},
		{"one.txt", fixture.Good()[7:8], "", "term", report.Options{Width: 80}},
		{"none.txt", nil, "", "term", report.Options{Width: 80}},
		{"arches-160.txt", arches(), "", "term", report.Options{Width: 160}},
		{"many.txt", many(fixture.BaseOfDisks(t)), "", "term", report.Options{}},
		{"many-100.txt", many(fixture.BaseOfDisks(t)), "", "term", report.Options{Width: 100}},
		{"many-bad-120.txt", manyBad(fixture.BaseOfDisks(t)), "", "term", report.Options{Width: 120}},
		{"many-bad-80-ascii.txt", manyBad(fixture.BaseOfDisks(t)), "", "term", report.Options{Width: 80, ASCII: true}},
		{"many-bad.md", manyBad(fixture.BaseOfDisks(t)), "", "markdown", report.Options{}},
		{"claims-many-bad.txt", manyBad(fixture.BaseOfDisks(t)), "", "claims", report.Options{Width: 100}},
		{"good.md", fixture.Good(), "", "markdown", report.Options{}},
		{"bad.md", fixture.Bad(), "", "markdown", report.Options{}},
		{"bad.json", fixture.Bad(), "", "json", report.Options{}},
		{"claims-good.txt", fixture.Good(), "", "claims", report.Options{Width: 100}},
		{"claims-bad.txt", fixture.Bad(), "", "claims", report.Options{}},
		{"claims-bad-80-ascii.txt", fixture.Bad(), "", "claims", report.Options{Width: 80, ASCII: true}},
		{"claims-old-page.txt", fixture.Good(), "4.10", "claims", report.Options{Width: 100, Edition: "4.10"}},
		{"claims-arches.txt", arches(), "", "claims", report.Options{Width: 120}},
		{"claims-one.txt", fixture.Good()[7:8], "", "claims", report.Options{Width: 80}},
		{"claims-none.txt", nil, "", "claims", report.Options{Width: 80}},
		{"claims-bad.json", fixture.Bad(), "", "claims-json", report.Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Render(tt.format, &out, judge(t, tt.cells, tt.edition), tt.o); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, out.Bytes())
			if tt.format != "term" && tt.format != "claims" {
				return
			}
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if w := text.StringWidthWithoutEscSequences(line); tt.o.Width > 0 && w > tt.o.Width {
					t.Errorf("%d columns wide, want at most %d: %s", w, tt.o.Width, line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("blanks at the end: %q", line)
				}
				for _, r := range line {
					if tt.o.ASCII && r > 0x7e {
						t.Errorf("%q is not ASCII: %s", r, line)
					}
					if r < ' ' && !tt.o.Colour {
						t.Errorf("control character %q: %q", r, line)
					}
				}
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: make the golden files with go test -update", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs: look at it with go test -update and git diff. Got:\n%s", path, got)
	}
}

// TestColourOnlyAdds makes sure that colour carries nothing that the text does not.
func TestColourOnlyAdds(t *testing.T) {
	var plain, colour bytes.Buffer
	j := judge(t, fixture.Bad(), "")
	if err := report.Term(&plain, j, report.Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if err := report.Term(&colour, j, report.Options{Width: 100, Colour: true}); err != nil {
		t.Fatal(err)
	}
	if got := text.StripEscape(colour.String()); got != plain.String() {
		t.Errorf("without its colours the report is\n%s\nwant\n%s", got, plain.String())
	}
}

// TestNothingLost makes sure that every finding appears in every format.
func TestNothingLost(t *testing.T) {
	for _, format := range report.Names() {
		var out bytes.Buffer
		if err := report.Render(format, &out, judge(t, fixture.Bad(), ""), report.Options{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"einval/put-old-mount-shared", "einval/put-old-not-below-new-root", "control is EPERM", "cwd is stayed",
			"mount tmpfs: EPERM", "planned and not reported", "stopped deviating", "einval/from-the-future",
			"fs/namespace.c:1", "7.2-amd64", "attempted to kill init", "7.3-amd64", "no network",
		} {
			if !strings.Contains(strings.ReplaceAll(out.String(), `\_`, "_"), want) {
				t.Errorf("%s: %q is lost", format, want)
			}
		}
	}
}

// TestNothingLostOfMany makes sure that no trouble of one cell among many is lost.
func TestNothingLostOfMany(t *testing.T) {
	for _, format := range report.Names() {
		var out bytes.Buffer
		if err := report.Render(format, &out, judge(t, manyBad(fixture.BaseOfDisks(t)), ""), report.Options{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"6.12-ppc64el", "no sign of life for 60 s", "5.10-i386", "6.1-i386", "package list is not to be had", "7.3-s390x-disk", "unexpected end of JSON",
			"ebusy/put-old-stacked", "7.2 (riscv64)", "7.2 (loong64)", "mount tmpfs: EPERM", "6.12 (amd64 disk)", "planned and not reported", "host amd64",
		} {
			if byCell[format] {
				// They name no ranges of kernels.
				want = cmp.Or(map[string]string{"7.2 (riscv64)": "7.2-riscv64", "7.2 (loong64)": "7.2-loong64", "6.12 (amd64 disk)": "6.12-amd64-disk", "host amd64": "host-amd64"}[want], want)
			}
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is lost", format, want)
			}
		}
	}
}

// byCell are the formats that tell of each cell by itself.
var byCell = map[string]bool{"ktap": true, "junit": true, "jsonl": true, "github": true}

func TestJSONIsStable(t *testing.T) {
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		if err := report.JSON(out, judge(t, fixture.Bad(), ""), report.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two documents of the same judgement differ")
	}
	var d struct{ Schema, Exit int }
	if err := json.Unmarshal(a.Bytes(), &d); err != nil || d.Schema != 1 || d.Exit != 1 {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestUnknownFormat(t *testing.T) {
	err := report.Render("tap", nil, nil, report.Options{})
	if err == nil || !strings.Contains(err.Error(), "term, markdown, json") {
		t.Errorf("got %v, want the names of the formats", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	for _, format := range report.Names() {
		if err := report.Render(format, full{}, judge(t, fixture.Good(), ""), report.Options{}); err == nil {
			t.Errorf("%s: the error of the writer is lost", format)
		}
	}
}

func TestTermOptions(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, tt := range []struct {
		env  map[string]string
		want report.Options
	}{
		{map[string]string{}, report.Options{ASCII: true}},
		{map[string]string{"LANG": "C.UTF-8"}, report.Options{}},
		{map[string]string{"LANG": "en_GB.utf8"}, report.Options{}},
		{map[string]string{"LANG": "C.UTF-8", "LC_ALL": "C"}, report.Options{ASCII: true}},
	} {
		if got := report.TermOptions(f, func(k string) string { return tt.env[k] }); got != tt.want {
			t.Errorf("%v: got %+v, want %+v", tt.env, got, tt.want)
		}
	}
}
