package report

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// lineUp makes lines of what is said of kernels: "5.10=a 6.1=b", with "?" for a cell of
// which nothing is, and "!" for one that showed nothing at all.
func lineUp(t *testing.T, said map[cell.Line]string) (*lines, func(int) string) {
	t.Helper()
	j := &verdict.Judgement{}
	what := map[*verdict.CellResult]string{}
	for l, list := range said {
		for _, f := range strings.Fields(list) {
			series, text, _ := strings.Cut(f, "=")
			s, err := knowledge.ParseSeries(series)
			if err != nil {
				t.Fatal(err)
			}
			c := &verdict.CellResult{Series: s, Status: cell.Complete, Cell: &cell.Cell{
				Name: series + "-" + l.String(), Series: series, Arch: l.Arch, ABI: l.ABI, Flavour: l.Flavour, Scenario: l.Scenario, Backend: l.Backend,
			}}
			c.Results = []*verdict.Result{{Behaviour: "a/b", Verdict: verdict.Silent}}
			if text == "!" {
				c.Status, c.Results[0].Verdict = cell.Broken, verdict.Missing
			}
			what[c] = strings.Trim(text, "?!")
			j.Cells = append(j.Cells, c)
		}
	}
	sortCells(j.Cells)
	return linesOf(j), func(i int) string { return what[j.Cells[i]] }
}

func sortCells(cells []*verdict.CellResult) {
	for i := range cells {
		for k := i; k > 0 && cell.Compare(cells[k].Cell, cells[k-1].Cell) < 0; k-- {
			cells[k], cells[k-1] = cells[k-1], cells[k]
		}
	}
}

// TestSpans: what is said of kernels holds for the lines that it names, and for no others.
func TestSpans(t *testing.T) {
	const old = "5.10=a 6.1=a 6.12=a 7.0=b 7.2=b"
	amd64, arm64, armhf, s390x := cell.Line{Arch: "amd64"}, cell.Line{Arch: "arm64"}, cell.Line{Arch: "armhf"}, cell.Line{Arch: "s390x"}
	i386, disk := cell.Line{Arch: "amd64", ABI: "i386"}, cell.Line{Arch: "amd64", Scenario: "disk"}
	for _, tt := range []struct {
		name   string
		lines  map[cell.Line]string
		want   string
		ranges string // of b
	}{
		{"one line", map[cell.Line]string{amd64: old}, "5.10–6.12 a; b since 7.0", "7.0, 7.2"},
		{"one line that does one thing", map[cell.Line]string{amd64: "5.10=a 6.1=a"}, "a on 5.10–6.1", ""},
		{"one kernel", map[cell.Line]string{amd64: "5.10=b"}, "b on 5.10", "5.10"},
		{"a cell that says nothing is in no range", map[cell.Line]string{amd64: "5.10=a 6.1=? 6.12=a 7.0=b"}, "5.10, 6.12 a; b since 7.0", "7.0"},
		{"nor is it in the last one", map[cell.Line]string{amd64: "5.10=a 6.1=b 6.12=? 7.0=b"}, "5.10 a; 6.1, 7.0 b", "6.1, 7.0"},
		{"few kernels join many", map[cell.Line]string{amd64: old, arm64: "6.12=a 7.2=b"}, "5.10–6.12 a; b since 7.0, on all architectures", "7.0, 7.2"},
		{"on one side of the boundary only", map[cell.Line]string{amd64: old, arm64: "6.12=a"}, "5.10–6.12 a; b since 7.0, on all architectures seen", "7.0, 7.2"},
		{"a kernel that the others lack", map[cell.Line]string{amd64: old, arm64: "6.12=a 6.19=a"}, "5.10–6.19 a; b since 7.0, on all architectures seen", "7.0, 7.2"},
		{"or on the other side", map[cell.Line]string{amd64: old, arm64: "6.19=b 7.2=b"}, "5.10–6.12 a; b since 6.19, on all architectures seen", "6.19–7.2"},
		{"a contradiction over a gap", map[cell.Line]string{amd64: old, arm64: old, s390x: "6.1=b 7.2=a"},
			"5.10–6.12 a; b since 7.0; but s390x: 6.1 b; 7.2 a (changed between 6.1 and 7.2)", "7.0, 7.2 (not s390x); 6.1 (s390x)"},
		{"no boundary where there is one", map[cell.Line]string{amd64: old, arm64: old, s390x: "6.1=a 7.2=a"},
			"5.10–6.12 a; b since 7.0; but s390x: a on 6.1, 7.2", "7.0, 7.2 (not s390x)"},
		{"a boundary elsewhere", map[cell.Line]string{amd64: old, arm64: old, s390x: "6.1=a 6.12=b 7.0=b 7.2=b"},
			"5.10–6.12 a; b since 7.0; but s390x: 6.1 a; b since 6.12", "7.0, 7.2 (not s390x); 6.12–7.2 (s390x)"},
		{"two that agree against one with more kernels", map[cell.Line]string{amd64: old, armhf: "5.10=b 6.1=b", s390x: "6.1=b 7.2=b"},
			"b on 5.10–6.1, 7.2; but amd64: 5.10–6.12 a; b since 7.0", "5.10, 6.1, 7.2 (not amd64); 7.0, 7.2 (amd64)"},
		{"no rule", map[cell.Line]string{amd64: old, s390x: "6.12=b 7.2=b"}, "amd64: 5.10–6.12 a; b since 7.0; s390x: b on 6.12, 7.2", "7.0, 7.2 (amd64); 6.12, 7.2 (s390x)"},
		{"a line that says nothing", map[cell.Line]string{amd64: old, arm64: old, armhf: "6.1=? 7.2=?"}, "5.10–6.12 a; b since 7.0; not seen on armhf", "7.0, 7.2 (amd64, arm64)"},
		{"a line that is lost", map[cell.Line]string{amd64: old, arm64: old, armhf: "6.1=! 7.2=!"}, "5.10–6.12 a; b since 7.0, on all architectures seen", "7.0, 7.2"},
		{"another ABI of the one architecture", map[cell.Line]string{amd64: old, i386: "6.1=a 7.2=b"}, "5.10–6.12 a; b since 7.0", "7.0, 7.2"},
		{"which does otherwise", map[cell.Line]string{amd64: old, i386: "6.1=b", disk: old}, "5.10–6.12 a; b since 7.0; but amd64/i386: b on 6.1", "7.0, 7.2 (not amd64/i386); 6.1 (amd64/i386)"},
		{"other backends are not kernels of the range", map[cell.Line]string{amd64: old, {Arch: "amd64", Backend: "gvisor"}: "4.19=b"}, "5.10–6.12 a; b since 7.0", "7.0, 7.2; gvisor amd64"},
		{"unless there is nothing else", map[cell.Line]string{{Arch: "amd64", Backend: "gvisor"}: "4.19=b"}, "b on 4.19", "4.19"},
		{"nothing", nil, "", ""},
	} {
		l, what := lineUp(t, tt.lines)
		if got := l.spans(l.main, what); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		is := func(i int) bool { return what(i) == "b" }
		if got := l.ranges(l.main, is, func(i int) bool { return what(i) != "" }); got != tt.ranges {
			t.Errorf("%s: ranges: got %q, want %q", tt.name, got, tt.ranges)
		}
	}
}

// TestGroupsAreTrue: whatever kernels do, each line is in one group, which says of its kernels just what is
// to be said of them, and whose boundaries are those of the line in it that has the most kernels.
func TestGroupsAreTrue(t *testing.T) {
	series := []string{"5.10", "6.1", "6.12", "6.19", "7.0", "7.2"}
	archs := []string{"amd64", "arm64", "armhf", "i386", "s390x"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		said := map[cell.Line]string{}
		for _, a := range archs {
			list := ""
			for _, s := range series {
				if n := random.IntN(5); n < 4 {
					list += " " + s + "=" + []string{"a", "a", "b", "?"}[n]
				}
			}
			if list != "" {
				said[cell.Line{Arch: a}] = list
			}
		}
		l, what := lineUp(t, said)
		groups, silent := l.group(l.main, what)
		grouped := map[string]int{}
		for _, m := range silent {
			grouped[m.Arch]++
		}
		for _, g := range groups {
			cells, richest := 0, 0
			for _, m := range g.lines {
				grouped[m.Arch]++
				texts := 0
				for _, i := range m.cells {
					if what(i) != "" {
						texts++
						if !slices.ContainsFunc(g.points, func(p point) bool {
							return p.text == what(i) && p.label == l.columns[i] && slices.Contains(p.columns, i)
						}) {
							t.Fatalf("%v: %s of %s is not said by its group", said, l.columns[i], m)
						}
					}
				}
				cells += texts
				if texts > richest {
					richest = texts
				}
			}
			for _, p := range g.points {
				cells -= len(p.columns)
			}
			if cells != 0 {
				t.Fatalf("%v: a group says something of cells that are not its own", said)
			}
			if !slices.ContainsFunc(g.lines, func(m *line) bool {
				var own []point
				for _, i := range m.cells {
					if what(i) != "" {
						own = append(own, point{text: what(i)})
					}
				}
				return len(own) == richest && len(spells(own)) == len(spells(g.points))
			}) {
				t.Fatalf("%v: a group has a boundary that no line of it shows: %s", said, l.said(g))
			}
		}
		for _, m := range l.main {
			if grouped[m.Arch] != 1 {
				t.Fatalf("%v: %s is in %d groups", said, m, grouped[m.Arch])
			}
		}
	}
}
