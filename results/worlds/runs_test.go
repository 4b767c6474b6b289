package worlds_test

import (
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/worlds"
	"pivotspec/suites/enumerate"
	"pivotspec/suites/record"
)

func TestSplit(t *testing.T) {
	asked := func(name, cmdline string) *cell.Cell {
		return &cell.Cell{Name: name, Status: cell.Complete, Records: []*record.Record{
			{Type: record.TypePlan}, {Type: record.TypeKernel, Kernel: &record.Kernel{Cmdline: cmdline}},
		}}
	}
	word := func(r enumerate.Request) string {
		w, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return "console=ttyS0 " + enumerate.Variable + "=" + w + " quiet"
	}
	other := request
	other.Random = 7
	lost := &cell.Cell{Name: "lost", Status: cell.Broken}
	suite := asked("suite", "console=ttyS0")
	suite.Records = append(suite.Records, &record.Record{Type: record.TypeObservation, ID: "ebusy/x"})
	for _, c := range []struct {
		name  string
		cells []*cell.Cell
		want  string // cells of each run
		err   string
	}{
		{"suite", []*cell.Cell{suite, lost}, "", ""},
		{"nothing", nil, "", ""},
		{"one run", []*cell.Cell{asked("a", word(request)), asked("b", word(request))}, "a b;", ""},
		{"two runs", []*cell.Cell{asked("a", word(request)), asked("b", word(other)), asked("c", word(request))}, "a c;b;", ""},
		{"one lost", []*cell.Cell{lost, asked("a", word(request))}, "a lost;", ""},
		{"both kinds", []*cell.Cell{suite, asked("a", word(request))}, "", "cells of the suite (suite) and cells of --exhaustive (a)"},
		{"no request", []*cell.Cell{asked("a", enumerate.Variable+"=x")}, "", "cell a: request for worlds"},
	} {
		runs, err := worlds.Split(c.cells)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.err)
		}
		got := ""
		for _, r := range runs {
			var names []string
			for _, x := range r.Cells {
				names = append(names, x.Name)
			}
			got += strings.Join(names, " ") + ";"
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
