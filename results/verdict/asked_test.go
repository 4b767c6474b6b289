package verdict_test

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/record"
)

// TestPart: of a part only what was asked for is judged, and the rest is no evidence of anything.
func TestPart(t *testing.T) {
	base := fixture.Base(t)
	whole := fixture.Cell("7.0", "amd64")
	all, err := verdict.Judge(base, []*cell.Cell{whole}, "")
	if err != nil {
		t.Fatal(err)
	}
	part, err := verdict.Judge(base, []*cell.Cell{fixture.Part(whole, "rootfs/pid1-pivot", "einval/put-old-mount-shared")}, "")
	if err != nil {
		t.Fatal(err)
	}
	c, w := part.Cells[0], all.Cells[0]
	if c.Status != cell.Complete || part.Exit() != all.Exit() || len(c.Results) != 2 || len(c.Results)+len(c.Unasked) != len(w.Results) || len(w.Unasked) > 0 {
		t.Fatalf("%s (%s), exit %d, %d results and %d unasked; the whole has %d and exit %d",
			c.Status, c.Reason, part.Exit(), len(c.Results), len(c.Unasked), len(w.Results), all.Exit())
	}
	for _, r := range c.Results {
		if is := w.Result(r.Behaviour); r.Verdict != is.Verdict || r.Outcome != is.Outcome {
			t.Errorf("%s is %s %s; in the whole it is %s %s", r.Behaviour, r.Verdict, r.Outcome, is.Verdict, is.Outcome)
		}
	}
	undecided := 0
	for i := range base.Claims {
		claim := &base.Claims[i]
		is, was := c.Stands(claim), w.Stands(claim)
		asked := func(id string) bool { return c.Cell.Asks(id) }
		complete := true
		for _, d := range claim.Demands {
			complete = complete && asked(d.Behaviour)
		}
		switch {
		case complete && is.Truth != was.Truth:
			t.Errorf("%s is %s; in the whole it is %s", claim.ID, is.Truth, was.Truth)
		case !complete && is.Truth == verdict.True:
			t.Errorf("%s is called true, and not all that it demands was asked for", claim.ID)
		case !complete && is.Truth == verdict.Undecided:
			undecided++
		}
	}
	if undecided == 0 {
		t.Error("no claim is undecided")
	}
}

// TestPartStrays: a guest that reports otherwise than asked makes a broken cell, and what is unknown stays unexpected.
func TestPartStrays(t *testing.T) {
	base := fixture.Base(t)
	whole := fixture.Cell("7.0", "amd64")
	stray := fixture.Part(whole, "rootfs/pid1-pivot")
	stray.Records = whole.Records
	future := fixture.Part(whole, "rootfs/pid1-pivot")
	fixture.Replace(future, fixture.Observed("einval/from-the-future", "EINVAL"))
	lost := fixture.Part(whole, "rootfs/pid1-pivot", "ebusy/put-old-stacked")
	fixture.Remove(lost, func(r *record.Record) bool { return r.ID == "ebusy/put-old-stacked" })
	lacking := fixture.Part(fixture.Cell("5.10", "amd64"), "eperm/landlock")
	for _, tt := range []struct {
		name   string
		cell   *cell.Cell
		status cell.Status
		reason string
		exit   int
	}{
		{"all of it", stray, cell.Broken, "its guest was asked for 1 behaviour and planned or reported", verdict.ExitBroken},
		{"something unknown", future, cell.Broken, "einval/from-the-future, which it was not asked for", verdict.ExitUnexpected},
		{"planned and missing", lost, cell.Complete, "", verdict.ExitBroken},
		// It is not the run that is worth nothing; but nothing was observed.
		{"unsupported", lacking, cell.Complete, "", verdict.ExitBroken},
	} {
		j, err := verdict.Judge(base, []*cell.Cell{tt.cell}, "")
		if err != nil {
			t.Fatal(err)
		}
		c := j.Cells[0]
		if c.Status != tt.status || !strings.Contains(c.Reason, tt.reason) || j.Exit() != tt.exit {
			t.Errorf("%s: %s (%s), exit %d, want %s (%s), exit %d", tt.name, c.Status, c.Reason, j.Exit(), tt.status, tt.reason, tt.exit)
		}
		if slices.ContainsFunc(c.Results, func(r *verdict.Result) bool {
			_, known := base.Behaviour(r.Behaviour)
			return known && !tt.cell.Asks(r.Behaviour)
		}) {
			t.Errorf("%s: something is judged that was not asked for", tt.name)
		}
	}
}
