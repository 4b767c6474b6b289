package merge_test

import (
	"errors"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/merge"
)

// TestParts: shards that were asked for the same are merged, and no part passes for a whole.
func TestParts(t *testing.T) {
	const id, other = "rootfs/pid1-pivot", "einval/put-old-mount-shared"
	parts := func(t *testing.T, ids ...string) *run {
		r := newRun(t)
		for i := range r.cells {
			r.cells[i] = fixture.Part(r.cells[i], ids...)
		}
		return r
	}
	a := parts(t, id)
	got, err := merge.Read([]string{a.shard("one", 1, 2, []int{0, 1}, []int{0, 1}), a.shard("two", 2, 2, []int{2, 3}, []int{2})}, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := got.Write(dir); err != nil {
		t.Fatal(err)
	}
	cells, err := cell.ReadDir(dir)
	if err != nil || len(cells) != 4 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	for _, c := range cells {
		if len(c.Asked) != 1 || c.Asked[0] != id {
			t.Errorf("%s was asked for %q", c.Name, c.Asked)
		}
	}
	whole := newRun(t)
	b := parts(t, id)
	mixed := newRun(t)
	stray := mixed.shard("stray", 2, 2, []int{2, 3}, []int{2})
	if _, err := cell.Write(stray, fixture.Part(mixed.cells[3], id)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		dirs []string
		says string
	}{
		{"a whole one and a part", []string{whole.shard("one", 1, 2, []int{0, 1}, []int{0, 1}), b.shard("two", 2, 2, []int{2, 3}, []int{2, 3})},
			"6.12-amd64 was not asked for the same behaviours in both"},
		{"two parts", []string{parts(t, other).shard("one", 1, 2, []int{0, 1}, []int{0, 1}), b.shard("three", 2, 2, []int{2, 3}, []int{2, 3})},
			"6.12-amd64 was not asked for the same behaviours in both"},
		{"a part in the folder of a whole one", []string{stray}, "was not asked for the behaviours that the plan of shard 2/2 has for it"},
	} {
		_, err := merge.Read(tt.dirs, "")
		if e := (*merge.Error)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
}
