package verdict_test

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// TestScenario: a cell is judged by the behaviours of its own scenario and no other.
func TestScenario(t *testing.T) {
	const diskOnly, both = "rootfs/umount-root", "rootfs/pid1-pivot"
	base := fixture.Base(t)
	for id, in := range map[string]knowledge.Set{diskOnly: {"attic"}, both: {"plain", "attic"}} {
		b, ok := base.Behaviour(id)
		if !ok {
			t.Fatalf("the data of the tests have no %s", id)
		}
		b.Scenario = in
	}
	if got := base.Scenarios(); !slices.Contains(got, "attic") || !slices.IsSorted(got) {
		t.Errorf("the scenarios are %q", got)
	}
	plain, disk := fixture.Cell("6.12", "amd64"), fixture.Cell("6.12", "amd64")
	disk.Name, disk.Scenario = disk.Name+"-attic", "attic"
	j, err := verdict.Judge(base, []*cell.Cell{disk, plain}, "")
	if err != nil {
		t.Fatal(err)
	}
	if j.Cells[0].Cell.Scenario != "" || j.Cells[1].Cell.Scenario != "attic" {
		t.Error("the plain initramfs does not come first")
	}
	stray := "planned or reported in the scenario"
	for i, wrong := range []func(id string) bool{
		func(id string) bool { return id == diskOnly },
		func(id string) bool { return id != diskOnly && id != both },
	} {
		for _, r := range j.Cells[i].Results {
			said := strings.Contains(strings.Join(r.Wrong, " "), stray)
			if said != wrong(r.Behaviour) || said && r.Verdict != verdict.Unexpected {
				t.Errorf("%s: %s is %s: %q", j.Cells[i].Cell.Name, r.Behaviour, r.Verdict, r.Wrong)
			}
		}
	}
	// Without records of other scenarios' behaviours there is nothing to say of them, and
	// without records of its own each is missing.
	disk.Records = disk.Records[:2]
	disk.Records[0].Plan = nil
	if j, err = verdict.Judge(base, []*cell.Cell{disk}, ""); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range j.Cells[0].Results {
		got = append(got, r.Behaviour+" "+string(r.Verdict))
	}
	slices.Sort(got)
	if want := []string{both + " missing", diskOnly + " missing"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestUnknownScenario: a cell of which nothing is asked has not shown anything.
func TestUnknownScenario(t *testing.T) {
	base := fixture.Base(t)
	c := fixture.Cell("6.12", "amd64")
	c.Scenario = "nowhere"
	c.Records = slices.DeleteFunc(c.Records, func(r *record.Record) bool { return r.Type == record.TypeObservation })
	for _, r := range c.Records {
		r.Plan = nil
	}
	j, err := verdict.Judge(base, []*cell.Cell{c}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := j.Cells[0]; got.Status != cell.Broken || got.Reason != "no behaviour belongs to its scenario, nowhere" {
		t.Errorf("it is %s: %s", got.Status, got.Reason)
	}
}

// TestOtherPrograms: a cell shows nothing of an ABI whose programs did not run.
func TestOtherPrograms(t *testing.T) {
	base := fixture.Base(t)
	for _, tt := range []struct{ cell, ran, want string }{
		{"i386", "386", ""},
		{"amd64", "amd64", ""},
		{"", "amd64", ""}, // of an older program
		{"i386", "", ""},
		{"i386", "amd64", "programs of i386 were wanted and those of amd64 ran"},
		{"amd64", "386", "programs of amd64 were wanted and those of i386 ran"},
	} {
		c := fixture.Cell("6.12", "amd64")
		c.ABI = tt.cell
		for _, r := range c.Records {
			if r.Kernel != nil {
				r.Kernel.ABI = tt.ran
			}
		}
		j, err := verdict.Judge(base, []*cell.Cell{c}, "")
		if err != nil {
			t.Fatal(err)
		}
		got := j.Cells[0]
		if got.Reason != tt.want || (got.Status == cell.Broken) != (tt.want != "") {
			t.Errorf("%+v: it is %s: %s", tt, got.Status, got.Reason)
		}
		for _, r := range got.Results {
			if r.Verdict == verdict.Conforms && tt.want != "" {
				t.Errorf("%+v: %s conforms", tt, r.Behaviour)
			}
		}
	}
}

// TestClaimOfScenarios: what a claim demands of another scenario does not leave it undecided.
func TestClaimOfScenarios(t *testing.T) {
	claim := &knowledge.Claim{Demands: []knowledge.Demand{
		{Behaviour: "a/plain", Outcome: knowledge.Set{"OK"}},
		{Behaviour: "a/disk", Outcome: knowledge.Set{"OK"}},
	}}
	cell := func(results ...*verdict.Result) *verdict.CellResult { return &verdict.CellResult{Results: results} }
	ok := &verdict.Result{Behaviour: "a/disk", Verdict: verdict.Conforms, Outcome: "OK"}
	deviates := &verdict.Result{Behaviour: "a/disk", Verdict: verdict.Deviation, Outcome: "EINVAL"}
	missing := &verdict.Result{Behaviour: "a/disk", Verdict: verdict.Missing}
	other := &verdict.Result{Behaviour: "a/other", Verdict: verdict.Conforms, Outcome: "OK"}
	for _, tt := range []struct {
		cell *verdict.CellResult
		want verdict.Truth
	}{
		{cell(ok), verdict.True}, {cell(deviates), verdict.False}, {cell(missing), verdict.Undecided},
		{cell(other), verdict.Undecided}, {cell(other, ok), verdict.True}, {cell(), verdict.Undecided},
	} {
		if got := tt.cell.Stands(claim).Truth; got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.cell.Results, got, tt.want)
		}
	}
}
