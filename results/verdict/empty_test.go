package verdict_test

import (
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/record"
)

// unsupported makes every observation of a cell unsupported.
func unsupported(c *cell.Cell, beyond record.Beyond) *cell.Cell {
	for i, r := range c.Records {
		if r.Type == record.TypeObservation {
			c.Records[i] = &record.Record{Type: r.Type, ID: r.ID, Status: record.Unsupported, Beyond: beyond, Why: "no luck"}
		}
	}
	return c
}

// TestNothingObserved: a cell, and a run, that saw nothing at all is no success, although nothing is wrong with any
// of its behaviours; one that saw a single one is.
func TestNothingObserved(t *testing.T) {
	host := func() *cell.Cell {
		c := fixture.Cell("7.0", "amd64")
		c.Backend = cell.HostBackend
		return unsupported(c, record.BeyondMachine)
	}
	j := judge(t, "", host())
	if got := j.Cells[0]; got.Status != cell.Broken || j.Exit() != verdict.ExitBroken || j.Observed() ||
		!strings.Contains(got.Reason, "nothing was observed: each of its 13 behaviours is unsupported (no luck)") {
		t.Errorf("got %s, %q, exit status %d", got.Status, got.Reason, j.Exit())
	}
	some := host()
	fixture.Replace(some, fixture.Observed("rootfs/pid1-pivot", "OK"))
	if j := judge(t, "", some); j.Cells[0].Status != cell.Complete || j.Exit() != verdict.ExitOK {
		t.Errorf("with one observation: got %s, %q, exit status %d", j.Cells[0].Status, j.Cells[0].Reason, j.Exit())
	}
	// Another way to boot may be about one behaviour, and a kernel may lack what that needs: no failure beside others.
	base := fixture.BaseOfDisks(t)
	for i := range base.Behaviours {
		base.Behaviours[i].Needs = "a disk"
	}
	disk := unsupported(fixture.Find(fixture.Many(base, fixture.Good()), "7.0-amd64-disk"), "")
	for exit, cells := range map[int][]*cell.Cell{
		verdict.ExitBroken: {disk}, verdict.ExitOK: {disk, fixture.Cell("7.0", "amd64")},
	} {
		j, err := verdict.Judge(base, cells, "")
		if err != nil {
			t.Fatal(err)
		}
		if c := j.Cells[len(j.Cells)-1]; c.Cell != disk || c.Status != cell.Complete || j.Exit() != exit {
			t.Errorf("got %s of %s (%s), exit status %d, want %d", c.Status, c.Cell.Name, c.Reason, j.Exit(), exit)
		}
	}
}
