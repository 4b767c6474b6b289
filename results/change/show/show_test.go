package show_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/change/show"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// compare compares cells by the knowledge of the fixture.
func compare(t *testing.T, before, after []*cell.Cell) *change.Comparison {
	t.Helper()
	base := fixture.Base(t)
	was, err := verdict.Judge(base, before, "")
	if err != nil {
		t.Fatal(err)
	}
	is, err := verdict.Judge(base, after, "")
	if err != nil {
		t.Fatal(err)
	}
	return change.Compare(was, is)
}

func TestGolden(t *testing.T) {
	one := func(series string) []*cell.Cell { return []*cell.Cell{fixture.Cell(series, "amd64")} }
	two := func(series string) []*cell.Cell {
		return []*cell.Cell{fixture.Cell(series, "amd64"), fixture.Cell(series, "arm64")}
	}
	mixed := two("7.0")
	fixture.Replace(mixed[1], fixture.Observed("ebusy/put-old-stacked", "EBUSY"))
	for _, tt := range []struct {
		file, format string
		old, new     []*cell.Cell
		o            report.Options
	}{
		{"upgrade.txt", "term", one("6.19"), one("7.0"), report.Options{}},
		{"upgrade-80.txt", "term", one("6.19"), one("7.0"), report.Options{Width: 80}},
		{"upgrade-colour.txt", "term", one("6.19"), one("7.0"), report.Options{Colour: true}},
		{"upgrade.md", "markdown", one("6.19"), one("7.0"), report.Options{}},
		{"upgrade.json", "json", one("6.19"), one("7.0"), report.Options{}},
		{"downgrade.txt", "term", one("7.3"), one("5.10"), report.Options{}},
		{"two-architectures.txt", "term", two("6.19"), mixed, report.Options{}},
		{"bad.txt", "term", fixture.Good(), fixture.Bad(), report.Options{Width: 100}},
		{"bad.md", "markdown", fixture.Good(), fixture.Bad(), report.Options{}},
		{"bad.json", "json", fixture.Good(), fixture.Bad(), report.Options{}},
		{"same.txt", "term", one("7.0"), one("7.0"), report.Options{}},
		{"only.txt", "term", two("7.0")[:1], fixture.Good()[6:9], report.Options{}},
		{"none.txt", "term", nil, nil, report.Options{}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			var b, again bytes.Buffer
			if err := show.Render(tt.format, &b, compare(t, tt.old, tt.new), tt.o); err != nil {
				t.Fatal(err)
			}
			if err := show.Render(tt.format, &again, compare(t, tt.old, tt.new), tt.o); err != nil {
				t.Fatal(err)
			}
			if b.String() != again.String() {
				t.Error("it is another one each time")
			}
			if strings.Contains(b.String(), "\x1b[31m") && !tt.o.Colour {
				t.Error("what a kernel wrote reaches the terminal as it is")
			}
			for _, l := range strings.Split(b.String(), "\n") {
				if l != strings.TrimRight(l, " ") {
					t.Errorf("trailing blanks: %q", l)
				}
			}
			golden := filepath.Join("testdata", tt.file)
			if *update {
				if err := errors.Join(os.MkdirAll("testdata", 0o777), os.WriteFile(golden, b.Bytes(), 0o666)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("not as in %s (-update writes it anew):\n%s", golden, b.String())
			}
		})
	}
}

// TestJSON: the document has the exit status, and every change that there is.
func TestJSON(t *testing.T) {
	c := compare(t, fixture.Good(), fixture.Bad())
	var b bytes.Buffer
	if err := show.JSON(&b, c, report.Options{}); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Exit, Stops int
		Counts      map[string]int
		Pairs       []struct {
			Changes []struct{ Stops bool }
			Gaps    []struct{ Open bool }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	changes, stops, counted := 0, 0, 0
	for _, p := range d.Pairs {
		for _, x := range p.Changes {
			changes++
			if x.Stops {
				stops++
			}
		}
	}
	for _, n := range d.Counts {
		counted += n
	}
	if d.Exit != c.Exit() || d.Exit != 1 || d.Stops != stops || counted != changes || len(d.Pairs) != len(c.Pairs) {
		t.Errorf("exit %d, %d stop, %d counted: %d and %d are there, in %d pairs", d.Exit, d.Stops, counted, stops, changes, len(d.Pairs))
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := show.Render("html", &bytes.Buffer{}, compare(t, nil, nil), report.Options{}); err == nil || !strings.Contains(err.Error(), "term, markdown, json") {
		t.Errorf("got %v", err)
	}
}
