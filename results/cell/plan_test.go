package cell_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
)

func aPlan() *cell.Plan {
	whole := cell.PlanOf(fixture.Good())
	return &cell.Plan{
		Cells: whole[1:2], Tool: "0123abc", Wish: cell.Wish{Kernels: []string{"7.0", "/k/bzImage"}, Accel: "tcg"},
		Shard: &cell.Shard{Index: 2, Of: 3, Digest: cell.Digest(whole), Whole: whole},
	}
}

func TestPlanRoundTrip(t *testing.T) {
	whole := aPlan()
	whole.Cells, whole.Shard = whole.Shard.Whole, nil
	whole.Cells[0].Lost = "shard 1/3 ended before it"
	for _, p := range []*cell.Plan{aPlan(), whole, {Cells: []cell.PlannedCell{}}} {
		dir := t.TempDir()
		if err := cell.WritePlan(dir, p); err != nil {
			t.Fatal(err)
		}
		if got, err := cell.ReadPlan(dir); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, p)
		}
	}
	if _, err := cell.ReadPlan(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v of a folder without a plan", err)
	}
}

// TestLostReason: who reads the folder learns why a cell is not there.
func TestLostReason(t *testing.T) {
	dir := t.TempDir()
	p := &cell.Plan{Cells: cell.PlanOf(fixture.Good()[:2])}
	p.Cells[1].Lost = "shard 2/2 ended before it"
	if err := cell.WritePlan(dir, p); err != nil {
		t.Fatal(err)
	}
	cells, err := cell.ReadDir(dir)
	if err != nil || len(cells) != 2 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	for i, want := range []string{"planned, and nothing was recorded: the run ended before it", "shard 2/2 ended before it"} {
		if cells[i].Reason != want || cells[i].Status != cell.Broken {
			t.Errorf("%s is %s: %q, want %q", cells[i].Name, cells[i].Status, cells[i].Reason, want)
		}
	}
}

// TestDigest: every planned cell, and their order, count.
func TestDigest(t *testing.T) {
	cells := cell.PlanOf(fixture.Good())
	seen := map[string]bool{cell.Digest(cells): true}
	for _, change := range []func([]cell.PlannedCell) []cell.PlannedCell{
		func(c []cell.PlannedCell) []cell.PlannedCell { return c[1:] },
		func(c []cell.PlannedCell) []cell.PlannedCell { c[0], c[1] = c[1], c[0]; return c },
		func(c []cell.PlannedCell) []cell.PlannedCell { c[0].SHA256 = "00"; return c },
		func(c []cell.PlannedCell) []cell.PlannedCell { c[0].Scenario = "disk"; return c },
	} {
		d := cell.Digest(change(cell.PlanOf(fixture.Good())))
		if seen[d] {
			t.Error("two plans have one digest")
		}
		seen[d] = true
	}
}

func TestHeaders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [b]")
	for _, c := range fixture.Good()[:2] {
		c.WallMillis = 1234
		if _, err := cell.Write(dir, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "rubbish.jsonl"), []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := cell.Headers(dir)
	if len(got) != 2 || got[0].WallMillis != 1234 || got[0].Records != nil {
		t.Errorf("%+v", got)
	}
	if got := cell.Headers(filepath.Join(dir, "nowhere")); got != nil {
		t.Errorf("%+v of nowhere", got)
	}
}

// FuzzReadPlan: whatever a folder holds, what is taken for a plan is one that holds together.
func FuzzReadPlan(f *testing.F) {
	dir := f.TempDir()
	if err := cell.WritePlan(dir, aPlan()); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, cell.PlanFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"schema":1,"type":"run","cells":[{"name":"7.0-amd64","series":"7.0","arch":"amd64"}]}`))
	f.Add([]byte(`{"shard":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, cell.PlanFile), b, 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := cell.ReadPlan(dir)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, c := range p.Cells {
			if c.Name == "" || names[c.Name] {
				t.Errorf("cell %q", c.Name)
			}
			names[c.Name] = true
		}
		if s := p.Shard; s != nil && (s.Index < 1 || s.Index > s.Of || len(p.Cells) > len(s.Whole)) {
			t.Errorf("shard %v", s)
		}
	})
}
