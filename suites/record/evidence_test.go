package record_test

import (
	"reflect"
	"testing"

	"pivotspec/suites/record"
)

// TestTables: what indices a damaged record has does not matter.
func TestTables(t *testing.T) {
	e := &record.Evidence{Mounts: []string{"a", "b"}}
	before, after := e.Tables(record.EvidenceOfCall{Before: []int{1, 0}, After: []int{-1, 2, 1}})
	if !reflect.DeepEqual(before, []string{"b", "a"}) || !reflect.DeepEqual(after, []string{"", "", "b"}) {
		t.Errorf("got %q and %q", before, after)
	}
}
