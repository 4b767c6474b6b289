package verdict_test

import (
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/record"
)

// TestStands: a claim is true where all that it demands was observed and is so, and nowhere else.
func TestStands(t *testing.T) {
	const id = "description/moves" // it demands two behaviours
	for _, tt := range []struct {
		name   string
		series string
		claim  string
		change func(*cell.Cell)
		want   verdict.Truth
	}{
		{"true", "7.0", id, nil, verdict.True},
		{"false by a fact", "7.3", id, nil, verdict.False},
		{"false by an outcome", "7.0", "errors/einval-rootfs", nil, verdict.False},
		{"of another edition", "7.0", "errors/ebusy-mounted", nil, verdict.False},
		{"untestable", "7.0", "notes/quick-insanity", nil, verdict.Untestable},
		{"broken", "7.0", id, func(c *cell.Cell) { fixture.Replace(c, rec("moves/other-process", record.Broken, "x")) }, verdict.Undecided},
		{"missing", "7.0", id, func(c *cell.Cell) {
			fixture.Remove(c, func(r *record.Record) bool { return r.ID == "moves/other-process" })
		}, verdict.Undecided},
		{"unsupported", "7.0", id, func(c *cell.Cell) { fixture.Replace(c, rec("moves/other-process", record.Unsupported, "x")) }, verdict.Undecided},
		{"unexpected", "7.0", "errors/einval-below", func(c *cell.Cell) {
			fixture.Replace(c, fixture.Observed("einval/put-old-not-below-new-root", "EINVAL", "control", "EPERM"))
		}, verdict.Undecided},
		{"unexpected, and as it demands", "7.0", "errors/einval-rootfs", func(c *cell.Cell) {
			fixture.Replace(c, fixture.Observed("rootfs/pid1-pivot", "EINVAL"))
		}, verdict.Undecided},
		{"reported twice differently", "7.0", id, func(c *cell.Cell) {
			c.Records = append(c.Records, fixture.Observed("moves/other-process", "EINVAL"))
		}, verdict.Undecided},
		{"false, the rest missing", "7.3", id, func(c *cell.Cell) {
			fixture.Remove(c, func(r *record.Record) bool { return r.ID == "moves/other-process" })
		}, verdict.False},
		{"nothing observed", "7.0", id, func(c *cell.Cell) { c.Status, c.Records = cell.Unavailable, nil }, verdict.Undecided},
		{"another kernel", "7.0", id, func(c *cell.Cell) { c.Records[1].Kernel.Release = "7.1.0" }, verdict.Undecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := fixture.Cell(tt.series, "amd64")
			if tt.change != nil {
				tt.change(c)
			}
			j := judge(t, "", c)
			claim, ok := j.Base.Claim(tt.claim)
			if !ok {
				t.Fatal("no such claim")
			}
			got := j.Cells[0].Stands(claim)
			if got.Truth != tt.want {
				t.Errorf("got %+v, want %s", got, tt.want)
			}
			if (len(got.Unmet) > 0) != (tt.want == verdict.False) || tt.want == verdict.Undecided && len(got.Unknown) == 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}
