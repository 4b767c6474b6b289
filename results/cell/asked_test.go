package cell_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/suites/record"
)

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"", "a/a", true}, {"a/a", "", false}, {"a/a", "a/a", true},
		{"a/a a/b", "a/b", true}, {"a/b", "a/a a/b", false}, {"a/a", "a/b", false},
	} {
		a, b := &cell.Cell{Asked: strings.Fields(tt.a)}, &cell.Cell{Asked: strings.Fields(tt.b)}
		if got := a.Covers(b); got != tt.want {
			t.Errorf("%q covers %q: %v", tt.a, tt.b, got)
		}
		plans := cell.PlanOf([]*cell.Cell{a, b})
		if got := plans[0].Covers(plans[1]); got != tt.want {
			t.Errorf("planned: %q covers %q: %v", tt.a, tt.b, got)
		}
		if a.IsPart() != (tt.a != "") || !a.SameAsked(a) || a.SameAsked(b) != (tt.a == tt.b) {
			t.Errorf("%q: a part %v, the same as %q %v", tt.a, a.IsPart(), tt.b, a.SameAsked(b))
		}
	}
}

// TestAskedRoundTrip: what was asked is kept, in order, and nothing is said of it where all was.
func TestAskedRoundTrip(t *testing.T) {
	c := fixture.Part(fixture.Cell("7.0", "amd64"), "rootfs/pid1-pivot", "eperm/no-cap-sys-admin")
	var out bytes.Buffer
	if err := cell.Encode(&out, c); err != nil || !strings.Contains(out.String(), `"asked":["eperm/no-cap-sys-admin","rootfs/pid1-pivot"]`) {
		t.Fatalf("%s, %v", out.String(), err)
	}
	text := strings.Replace(out.String(), `["eperm/no-cap-sys-admin","rootfs/pid1-pivot"]`, `["rootfs/pid1-pivot","eperm/no-cap-sys-admin","rootfs/pid1-pivot"]`, 1)
	if got, err := cell.Decode(strings.NewReader(text)); err != nil || !slices.Equal(got.Asked, c.Asked) {
		t.Errorf("got %v, %v, want %v", got, err, c.Asked)
	}
	dir := t.TempDir()
	if err := cell.WritePlan(dir, &cell.Plan{Cells: cell.PlanOf([]*cell.Cell{c})}); err != nil {
		t.Fatal(err)
	}
	lost, err := cell.ReadDir(dir)
	if err != nil || len(lost) != 1 || lost[0].Status != cell.Broken || !slices.Equal(lost[0].Asked, c.Asked) {
		t.Errorf("a part that was lost is %+v, %v", lost, err)
	}
	out.Reset()
	if err := cell.Encode(&out, fixture.Cell("7.0", "amd64")); err != nil || strings.Contains(out.String(), "asked") {
		t.Errorf("a whole cell: %s, %v", out.String(), err)
	}
}

func TestStrayed(t *testing.T) {
	const a, b, c = "rootfs/pid1-pivot", "eperm/no-cap-sys-admin", "ebusy/put-old-stacked"
	whole := fixture.Cell("7.0", "amd64")
	edit := func(change func(*cell.Cell)) *cell.Cell {
		out := fixture.Part(whole, a, b)
		change(out)
		return out
	}
	for _, tt := range []struct {
		name string
		cell *cell.Cell
		says string // "" for nothing
	}{
		{"a whole cell", whole, ""},
		{"as asked", edit(func(*cell.Cell) {}), ""},
		{"no plan yet", edit(func(x *cell.Cell) { x.Records = nil }), ""},
		{"planned and not reported", edit(func(x *cell.Cell) {
			fixture.Remove(x, func(r *record.Record) bool { return r.ID == a })
		}), ""},
		{"a guest that does not know", edit(func(x *cell.Cell) { x.Records = whole.Records }), "asked for 2 behaviours and planned or reported ebusy/new-root-is-root-mount, ebusy/put-old-stacked and 9 more, which it was not asked for"},
		{"one is not planned", edit(func(x *cell.Cell) { x.Records[0].Plan = []string{a} }), "planned without " + b},
		{"another one", edit(func(x *cell.Cell) { x.Records[0].Plan = []string{a, c} }), "planned without " + b + ", and planned or reported " + c},
		{"one more is reported", edit(func(x *cell.Cell) { fixture.Replace(x, fixture.Observed(c, "OK")) }), "planned or reported " + c},
		{"nothing is planned", edit(func(x *cell.Cell) { x.Records[0].Plan = nil }), "planned without " + b + ", " + a},
	} {
		got := tt.cell.Strayed()
		if (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) || strings.Contains(got, "\n") {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.says)
		}
	}
}
