package verdict

import (
	"os"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/suites/record"
)

// TestWatched: a cell whose kernel's messages nobody read is known as such.
func TestWatched(t *testing.T) {
	note := func(why string) []*record.Record { return []*record.Record{{Type: record.TypeNote, Why: why}} }
	for _, tt := range []struct {
		cell cell.Cell
		want bool
	}{
		{cell.Cell{}, true},
		{cell.Cell{Records: note("the suite's process was started again")}, true},
		{cell.Cell{Records: note("cannot open /dev/kmsg: " + unwatched)}, false},
		{cell.Cell{Backend: cell.HostBackend}, false},
	} {
		if got := (&CellResult{Cell: &tt.cell}).Watched(); got != tt.want {
			t.Errorf("%+v: %v", tt.cell, got)
		}
	}
	// The guest's words are its own: it imports nothing from here.
	b, err := os.ReadFile("../../suites/runner/init.go")
	if err != nil || !strings.Contains(string(b), unwatched+`"`) {
		t.Errorf("guests do not say %q: %v", unwatched, err)
	}
}
