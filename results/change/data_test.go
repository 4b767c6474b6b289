package change_test

import (
	"slices"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// TestRecorded compares every two recorded cells that stand beside each other on a line. What package baseline, which
// compares records as they are, finds different has to be told, and nothing else.
func TestRecorded(t *testing.T) {
	base, err := knowledge.LoadToJudge()
	if err != nil {
		t.Fatal(err)
	}
	all, err := baseline.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	j := judge(t, base, all...)
	of := func(c *verdict.CellResult) *verdict.Judgement {
		return &verdict.Judgement{Base: base, Edition: j.Edition, Cells: []*verdict.CellResult{c}}
	}
	last := map[cell.Line]*verdict.CellResult{}
	n := 0
	for _, result := range j.Cells {
		c := result.Cell
		was := last[c.Line()]
		last[c.Line()] = result
		if was == nil {
			continue
		}
		n++
		before := was.Cell
		t.Run(before.Name+" "+c.Name, func(t *testing.T) {
			got := change.Compare(of(was), of(result))
			if len(got.Pairs) != 1 {
				t.Fatalf("%d pairs", len(got.Pairs))
			}
			p := got.Pairs[0]
			var told []string
			for _, x := range p.Changes {
				told = append(told, x.Behaviour)
				if len(x.Noticed) == 0 || x.Says == "" || x.Title == "" {
					t.Errorf("%s: nobody notices, or nothing is said: %+v", x.Behaviour, x)
				}
			}
			for _, g := range p.Gaps {
				told = append(told, g.Behaviour)
			}
			named := *before
			named.Name = c.Name
			var want []string
			for _, d := range baseline.Compare(base, []*cell.Cell{&named}, []*cell.Cell{c}) {
				want = append(want, d.Behaviour)
			}
			slices.Sort(told)
			slices.Sort(want)
			if !slices.Equal(told, want) {
				t.Errorf("told:\n%v\ndifferent:\n%v", told, want)
			}
			inScenario := 0
			for i := range base.Behaviours {
				if base.Behaviours[i].In(c.Scenario) {
					inScenario++
				}
			}
			if sum := len(told) + p.Alike + p.Neither; sum != inScenario {
				t.Errorf("%d behaviours are accounted for, of %d", sum, inScenario)
			}
		})
	}
	if n < 100 {
		t.Errorf("only %d pairs of recorded cells", n)
	}
}

// TestUpgrades: what the comparison calls an end of something that worked, and what not, on kernels that were seen.
func TestUpgrades(t *testing.T) {
	base, err := knowledge.LoadToJudge()
	if err != nil {
		t.Fatal(err)
	}
	all, err := baseline.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	find := func(name string) *cell.Cell {
		i := slices.IndexFunc(all, func(c *cell.Cell) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("no recorded %s", name)
		}
		return all[i]
	}
	for _, tt := range []struct {
		old, new string
		exit     int
		stops    []string
	}{
		{"6.19-amd64", "7.0-amd64", 0, nil},
		{"6.19-amd64-disk-pivot", "7.0-amd64-disk-pivot", 0, nil},
		{"6.19-amd64-tools", "7.0-amd64-tools", 0, nil},
		{"7.2-amd64-disk", "7.3-amd64-disk", 0, nil}, // kernel threads move no longer
		{"7.2-amd64-disk-pivot", "7.3-amd64-disk-pivot", 0, nil},
		{"7.3-amd64-disk-pivot", "7.2-amd64-disk-pivot", 1, []string{"boot/pivot-to-disk"}}, // its memory stays taken
		{"7.2-amd64", "7.3-amd64", 1, []string{"migrate/process-dumping-core", "after/locked-mount-on-a-detached-old-root"}},
		{"6.18-amd64-initrd", "6.19-amd64-initrd", 3, nil}, // without modules
	} {
		t.Run(tt.old+" "+tt.new, func(t *testing.T) {
			c := change.Compare(judge(t, base, find(tt.old)), judge(t, base, find(tt.new)))
			var stops []string
			for _, x := range c.Pairs[0].Changes {
				if x.Stops {
					stops = append(stops, x.Behaviour)
				}
			}
			if c.Exit() != tt.exit || !slices.Equal(stops, tt.stops) {
				t.Errorf("exit status %d, want %d; stops working: %v, want %v", c.Exit(), tt.exit, stops, tt.stops)
			}
		})
	}
}
