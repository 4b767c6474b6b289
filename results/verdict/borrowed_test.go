package verdict_test

import (
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// TestBeyond: that a machine is not the suite's own excuses what is beyond it there, and nowhere
// else.
func TestBeyond(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	const id = "rootfs/pivot" // every kernel has what it needs
	for _, tt := range []struct {
		backend string
		beyond  record.Beyond
		want    verdict.Verdict
	}{
		{"host", record.BeyondMachine, verdict.Unsupported},
		{"host", record.BeyondPrivilege, verdict.Unsupported},
		{"host", "", verdict.Unexpected},
		{"qemu", record.BeyondMachine, verdict.Unexpected},
		{"", record.BeyondMachine, verdict.Unexpected},
	} {
		c := &cell.Cell{Name: "x", Series: "7.0", Arch: "amd64", Backend: tt.backend, Status: cell.Complete, Records: []*record.Record{
			{Schema: record.Schema, Type: record.TypePlan, Plan: []string{id}},
			{Type: record.TypeKernel, Kernel: &record.Kernel{Release: "7.0.1"}},
			{Type: record.TypeObservation, ID: id, Status: record.Unsupported, Beyond: tt.beyond, Why: "no"},
			{Type: record.TypeEnd},
		}}
		j, err := verdict.Judge(base, []*cell.Cell{c}, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Cells[0].Result(id); got.Verdict != tt.want {
			t.Errorf("%s, beyond %q: %s (%v), want %s", tt.backend, tt.beyond, got.Verdict, got.Wrong, tt.want)
		}
	}
}
