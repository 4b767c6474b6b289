package main

import (
	"bytes"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/explain"
	"pivotspec/results/verdict"
)

// TestTell: what the report does not show is told once, in a line that can be explained.
func TestTell(t *testing.T) {
	gone := func(issue *verdict.Issue) *verdict.Difference {
		return &verdict.Difference{Cell: &verdict.CellResult{Cell: &cell.Cell{Name: "7.0-amd64"}}, Kind: verdict.Removed, Issue: issue}
	}
	two, listed := []*verdict.Difference{gone(nil), gone(nil)}, []*verdict.Difference{gone(&verdict.Issue{ID: "x"})}
	const left = "compared with the baseline: what was run; 3 of its 4 cells are not part of this run\n"
	for _, tt := range []struct {
		baseline  *verdict.Baseline
		format    string
		discarded bool
		want      string
	}{
		{nil, "ktap", false, ""},
		{&verdict.Baseline{Cells: 4}, "ktap", false, ""},
		{&verdict.Baseline{Cells: 4, Left: 3}, "term", false, left},
		{&verdict.Baseline{Cells: 4, Gone: two}, "term", false, ""},
		{&verdict.Baseline{Cells: 4, Left: 3, Gone: two}, "ktap", false, left + "pivotspec: not as in the baseline: 2 differences, which the report has\n"},
		{&verdict.Baseline{Cells: 4, Gone: two[:1]}, "json", false, "pivotspec: not as in the baseline: 1 difference, which the report has\n"},
		{&verdict.Baseline{Cells: 4, Gone: two}, "term", true, "pivotspec: not as in the baseline: 2 differences, which `pivotspec report DIR --baseline base` shows of the records in DIR\n"},
		{&verdict.Baseline{Cells: 4, Gone: listed}, "ktap", false, ""},
	} {
		var b bytes.Buffer
		(&compareWith{dir: "base"}).tell(&b, &verdict.Judgement{Baseline: tt.baseline}, tt.format, tt.discarded)
		if b.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.format, b.String(), tt.want)
		}
		for line := range bytes.Lines(b.Bytes()) {
			if len(explain.Kinds(string(line))) == 0 {
				t.Errorf("nothing explains %q", line)
			}
		}
	}
}
