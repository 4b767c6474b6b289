package known_test

import (
	"testing"

	"pivotspec/results/internal/fixture"
	"pivotspec/suites/record"
)

// TestPart: what was not asked for has not stopped happening, and neither has what something else may bring about.
func TestPart(t *testing.T) {
	const id, other = "einval/put-old-mount-shared", "rootfs/pid1-pivot"
	for _, tt := range []struct {
		signature string
		asked     []string
		records   []*record.Record
		happened  int
		stale     bool
	}{
		{"unexpected " + id + " OK", []string{other}, nil, 0, false},
		{"unexpected " + id + " OK", []string{id}, nil, 0, true},
		{"unexpected " + id + " OK", []string{id, other}, []*record.Record{fixture.Observed(id, "OK")}, 1, false},
		{"missing " + id, []string{other}, nil, 0, false},
		{"missing " + id, []string{id}, nil, 0, true},
		{"broken " + id + " mount tmpfs, EPERM", []string{other}, nil, 0, false},
		{"warning hrtimer, interrupt took 12 ns", []string{other}, nil, 0, false},
		{"warning hrtimer, interrupt took 12 ns", nil, nil, 0, true},
		{"cell broken the kernel panicked", []string{id}, nil, 0, false},
		{"cell broken the kernel panicked", nil, nil, 0, true},
		{"cell unavailable no network", []string{id}, nil, 0, true},
	} {
		c := kernel("6.1", tt.records...)
		if tt.asked != nil {
			c = fixture.Part(c, tt.asked...)
		}
		i := judge(t, entry(tt.signature, `from: "6.1"`), c).Issues[0]
		if len(i.Happened) != tt.happened || (i.Stale != "") != tt.stale {
			t.Errorf("%s, asked for %q: happened on %q, stale: %q", tt.signature, tt.asked, i.Happened, i.Stale)
		}
	}
}
