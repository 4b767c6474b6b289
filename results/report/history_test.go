package report_test

import (
	"slices"
	"testing"

	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// TestHistory: a claim holds only where everything that it demands was seen.
func TestHistory(t *testing.T) {
	claim := &knowledge.Claim{ID: "c", Demands: []knowledge.Demand{
		{Behaviour: "a/one", Outcome: knowledge.Set{"OK"}, Facts: map[string]knowledge.Set{"cwd": {"new_root"}}},
		{Behaviour: "a/two", Outcome: knowledge.Set{"EINVAL", "ENOENT"}},
	}}
	one := func(cwd string) *verdict.Result {
		return &verdict.Result{Behaviour: "a/one", Verdict: verdict.Conforms, Outcome: "OK", Facts: map[string]string{"cwd": cwd}}
	}
	two := func(v verdict.Verdict, outcome string) *verdict.Result {
		return &verdict.Result{Behaviour: "a/two", Verdict: v, Outcome: outcome}
	}
	tests := []struct {
		name    string
		results []*verdict.Result
		want    report.Standing
	}{
		{"both as demanded", []*verdict.Result{one("new_root"), two(verdict.Conforms, "ENOENT")}, report.Holds},
		{"another outcome", []*verdict.Result{one("new_root"), two(verdict.Deviation, "OK")}, report.Fails},
		{"another fact", []*verdict.Result{one("old_root"), two(verdict.Conforms, "EINVAL")}, report.Fails},
		{"one missing", []*verdict.Result{one("new_root"), two(verdict.Missing, "")}, report.Undecided},
		{"one broken", []*verdict.Result{one("new_root"), two(verdict.Broken, "EINVAL")}, report.Undecided},
		{"one unsupported", []*verdict.Result{one("new_root"), two(verdict.Unsupported, "")}, report.Undecided},
		{"one unheard of", []*verdict.Result{one("new_root")}, report.Undecided},
		{"the first fails, the second is missing", []*verdict.Result{one("old_root")}, report.Fails},
		{"nothing at all", nil, report.Undecided},
	}
	j, want := &verdict.Judgement{}, []report.Standing(nil)
	for _, tt := range tests {
		j.Cells, want = append(j.Cells, &verdict.CellResult{Results: tt.results}), append(want, tt.want)
	}
	for i, got := range report.History(j, claim) {
		if got != want[i] {
			t.Errorf("%s: %s, want %s", tests[i].name, got, want[i])
		}
	}
	untestable := &knowledge.Claim{ID: "u", Untestable: "of libc"}
	if got := report.History(j, untestable); slices.ContainsFunc(got, func(s report.Standing) bool { return s != report.Undecided }) {
		t.Errorf("an untestable claim: %v, want undecided everywhere", got)
	}
}
