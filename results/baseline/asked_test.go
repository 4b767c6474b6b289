package baseline_test

import (
	"strings"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
)

// TestPart: of a part only what was asked for is compared, on either side.
func TestPart(t *testing.T) {
	const id, other = "einval/put-old-mount-shared", "rootfs/pid1-pivot"
	base := fixture.Base(t)
	whole := fixture.Cell("7.0", "amd64")
	n := len(whole.Records) - 3 // without plan, kernel and end
	odd := fixture.Cell("7.0", "amd64")
	fixture.Replace(odd, fixture.Observed(id, "OK"))
	for _, tt := range []struct {
		name    string
		was, is *cell.Cell
		unasked int
		want    string
	}{
		{"as recorded", whole, fixture.Part(whole, id), n - 1, ""},
		{"otherwise where it was asked", whole, fixture.Part(odd, id, other), n - 2, "7.0-amd64 " + id + ": was EINVAL effect=none, is OK effect=pivoted"},
		{"otherwise where it was not", whole, fixture.Part(odd, other), n - 1, ""},
		{"recorded in part", fixture.Part(whole, other), whole, n - 1, ""},
		{"two parts with something in common", fixture.Part(whole, id, other), fixture.Part(odd, other, "ebusy/put-old-stacked"), 2, ""},
		{"the same part", fixture.Part(whole, id), fixture.Part(odd, id), 0, "7.0-amd64 " + id + ": was EINVAL effect=none, is OK effect=pivoted"},
		{"both whole", whole, whole, 0, ""},
	} {
		was, is := []*cell.Cell{tt.was}, []*cell.Cell{tt.is}
		var got []string
		for _, d := range baseline.Compare(base, was, is) {
			got = append(got, d.String())
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if unasked, of := baseline.Unasked(was, is); unasked != tt.unasked || (of == 1) != (tt.unasked > 0) {
			t.Errorf("%s: %d observations of %d cells are left out, want %d", tt.name, unasked, of, tt.unasked)
		}
	}
	dir := t.TempDir()
	err := baseline.Write(dir, base, []*cell.Cell{fixture.Cell("7.1", "amd64"), fixture.Part(whole, id)})
	if err == nil || !strings.Contains(err.Error(), "cell 7.0-amd64 was asked for some behaviours only (1)") {
		t.Errorf("a part as a baseline: %v", err)
	}
	if _, err := baseline.Load(dir); err == nil {
		t.Error("something was written")
	}
}
