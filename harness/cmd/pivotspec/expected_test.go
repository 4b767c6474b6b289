package main

import (
	"testing"
	"time"

	"pivotspec/harness/matrix"
	"pivotspec/results/cell"
)

func TestExpected(t *testing.T) {
	before := []*cell.Cell{
		{Name: "6.1-amd64", Arch: "amd64", Status: cell.Complete, WallMillis: 1000},
		{Name: "7.0-amd64", Arch: "amd64", Status: cell.Complete, WallMillis: 2000},
		{Name: "7.1-amd64", Arch: "amd64", Status: cell.Broken, WallMillis: 90000},
		{Name: "7.0-amd64", Arch: "amd64", Status: cell.Complete, WallMillis: 3000}, // later
	}
	got := expected([]matrix.Job{
		{Name: "6.1-amd64", Arch: "amd64"}, {Name: "7.0-amd64", Arch: "amd64"}, {Name: "7.1-amd64", Arch: "amd64"},
		{Name: "7.0-amd64-disk", Arch: "amd64", Scenario: "disk"}, {Name: "7.0-s390x", Arch: "s390x"},
	}, before)
	for i, want := range []time.Duration{1, 3, 3, 0, 0} {
		if got[i].Wall != want*time.Second {
			t.Errorf("%+v, want %ds", got[i], want)
		}
	}
	if got[0].Like != got[1].Like || got[0].Like == got[3].Like || got[3].Like == got[4].Like {
		t.Errorf("%+v", got)
	}
}
