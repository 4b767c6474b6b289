package change_test

import (
	"slices"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/internal/fixture"
	"pivotspec/suites/record"
)

// TestPart: two runs are compared in what both asked for; a warning that what was not asked for may have brought about is
// neither new nor gone.
func TestPart(t *testing.T) {
	const id, other = "einval/put-old-mount-shared", "rootfs/pid1-pivot"
	base := fixture.Base(t)
	warns := func(c *cell.Cell) *cell.Cell {
		c.Records = slices.Insert(c.Records, 2, &record.Record{Type: record.TypeWarning, Level: 4, Why: "hrtimer: interrupt took 12 ns"})
		return c
	}
	whole := func() *cell.Cell { return fixture.Cell("7.0", "amd64") }
	n := len(whole().Records) - 3
	fails := whole()
	fixture.Replace(fails, fixture.Observed(other, "EINVAL"))
	const log = "hrtimer: interrupt took 12 ns"
	for _, tt := range []struct {
		name           string
		old, new       *cell.Cell
		alike, unasked int
		want           []string
		exit           int
	}{
		{"a whole one and a part", whole(), fixture.Part(whole(), id), 1, n - 1, nil, 0},
		{"a part and a whole one", fixture.Part(whole(), id, other), whole(), 2, n - 2, nil, 0},
		{"what is not asked for has not stopped", whole(), fixture.Part(fails, id), 1, n - 1, nil, 0},
		{"nothing in common", fixture.Part(whole(), other), fixture.Part(whole(), id), 0, 2, nil, 3},
		{"a warning of the part", whole(), warns(fixture.Part(whole(), id)), 1, n - 1, []string{"! : warns now: the kernel logs a warning now: " + log + " UNEXPECTED"}, 1},
		{"a warning of the whole one", fixture.Part(whole(), id), warns(whole()), 1, n - 1, []string{"? gap : not asked for on both sides: fewer behaviours / " + log}, 3},
		{"no warning of the part", warns(whole()), fixture.Part(whole(), id), 1, n - 1, []string{"gap : not asked for on both sides: " + log + " / fewer behaviours"}, 0},
		{"no warning of the whole one", warns(fixture.Part(whole(), id)), whole(), 1, n - 1, []string{": no longer warns: the kernel no longer logs: " + log}, 0},
	} {
		c := change.Compare(judge(t, base, tt.old), judge(t, base, tt.new))
		p := c.Pairs[0]
		if got := told(c); !slices.Equal(got, tt.want) || p.Alike != tt.alike || p.Unasked != tt.unasked || c.Exit() != tt.exit {
			t.Errorf("%s: got %q, %d alike, %d left out, exit %d; want %q, %d, %d, %d", tt.name, got, p.Alike, p.Unasked, c.Exit(), tt.want, tt.alike, tt.unasked, tt.exit)
		}
	}
}
