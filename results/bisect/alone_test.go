package bisect_test

import (
	"testing"

	"pivotspec/results/bisect"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
)

// TestAlone: where a question rests on one behaviour, a guest that was asked for it alone gives the same answer as the whole
// suite; where it rests on the cell, all are asked for.
func TestAlone(t *testing.T) {
	const id = "einval/put-old-mount-shared"
	base := fixture.Base(t)
	odd := fixture.Cell("7.0", "amd64")
	fixture.Replace(odd, fixture.Observed(id, "OK"))
	for _, tt := range []struct {
		signature string // "" for how a behaviour comes out
		alone     string
	}{
		{"", id},
		{"unexpected " + id + " OK", id},
		{"broken " + id + " mount tmpfs, EPERM", id},
		{"missing " + id, ""},
		{"warning hrtimer, interrupt took 12 ns", ""},
		{"cell broken it died", ""},
	} {
		q, err := bisect.ComesOut(base, id, "OK", "")
		if tt.signature != "" {
			q, err = bisect.Failure(base, tt.signature)
		}
		if err != nil {
			t.Fatal(err)
		}
		if q.Alone() != tt.alone {
			t.Errorf("%q: alone %q, want %q", tt.signature, q.Alone(), tt.alone)
		}
		if tt.alone == "" {
			continue
		}
		for _, whole := range []*cell.Cell{fixture.Cell("7.0", "amd64"), odd} {
			j, err := verdict.Judge(base, []*cell.Cell{whole}, "")
			if err != nil {
				t.Fatal(err)
			}
			part, err := verdict.Judge(base, []*cell.Cell{fixture.Part(whole, id)}, "")
			if err != nil {
				t.Fatal(err)
			}
			want, why := q.Answer(j.Cells[0])
			if got, because := q.Answer(part.Cells[0]); got != want || because != why {
				t.Errorf("%q: alone it is %s (%s), with the whole suite %s (%s)", tt.signature, got, because, want, why)
			}
		}
	}
}
