package main

import (
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/results/worlds"
	"pivotspec/suites/model"
	"pivotspec/suites/record"
)

func TestShowWorlds(t *testing.T) {
	good := func() *worlds.Result {
		return &worlds.Result{
			Cell: &cell.Cell{Name: "7.0-amd64", Series: "7.0", Arch: "amd64"}, Era: model.EraOf(model.Series{7, 0}),
			Planned: 10, Agreed: 10, PerSecond: 1000,
		}
	}
	told := &record.Record{
		ID: "root=0:/ cwd=0:/ new=/ old=/", Steps: []string{"pivot_root(\"/\", \"/\")"},
		Facts: map[string]string{"model": "EBUSY", "kernel": "EINVAL"},
	}
	for _, c := range []struct {
		name   string
		change func(*worlds.Result)
		exit   int
		want   string
	}{
		{"agreement", func(*worlds.Result) {}, 0, "10 of 10 worlds compared, 10 agree, 0 disagree, 1000 a second"},
		{"disagreement", func(r *worlds.Result) { r.Agreed, r.Disagreed, r.Disagreements = 9, 1, []*record.Record{told} }, verdict.ExitUnexpected,
			"again: pivotspec run 7.0/amd64 --exhaustive --world 'root=0:/ cwd=0:/ new=/ old=/'"},
		{"what the model says", func(r *worlds.Result) { r.Disagreements = []*record.Record{told} }, verdict.ExitUnexpected, "the model says   EBUSY"},
		{"lost", func(r *worlds.Result) { r.Agreed, r.Problems = 9, []string{"1 of 10 worlds were not compared"} }, exitHarness, "! 1 of 10 worlds"},
		{"both", func(r *worlds.Result) { r.Disagreed, r.Problems = 1, []string{"and lost"} }, verdict.ExitUnexpected, "! and lost"},
		{"warning", func(r *worlds.Result) { r.Warnings = []string{"refcount"} }, verdict.ExitUnexpected, "the kernel warns: refcount"},
		{"many problems", func(r *worlds.Result) { r.Problems = make([]string, maxProblems+3) }, exitHarness, "! and 3 more"},
	} {
		var b strings.Builder
		r := good()
		c.change(r)
		if exit, err := showWorlds(&b, nil, []*worlds.Result{r, good()}); err != nil || exit != c.exit || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: exit status %d, want %d, and %q in:\n%s", c.name, exit, c.exit, c.want, b.String())
		}
	}
}
