package vm

import (
	"slices"
	"testing"

	"pivotspec/suites/record"
)

// TestWithFindings: what the console showed joins the records, unless the guest told it too.
func TestWithFindings(t *testing.T) {
	rep := &Report{
		Records: []*record.Record{
			{Type: record.TypePlan}, {Type: record.TypeWarning, Why: "told by the guest"}, {Type: record.TypeEnd},
		},
		Findings: []Finding{{Kind: "warning", Text: "told by the guest"}, {Kind: "warning", Text: "seen on the console"}},
	}
	var got []string
	for _, r := range withFindings(rep) {
		got = append(got, string(r.Type)+" "+r.Why)
	}
	want := []string{"plan ", "warning told by the guest", "end ", "warning warning on the console: seen on the console"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(rep.Records) != 3 {
		t.Errorf("the report was changed: %+v", rep.Records)
	}
}
