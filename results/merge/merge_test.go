package merge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/merge"
)

// run is a run of four cells, shared by two machines.
type run struct {
	t     *testing.T
	dir   string
	cells []*cell.Cell
}

func newRun(t *testing.T) *run {
	r := &run{t: t, dir: t.TempDir()}
	for _, c := range []struct{ series, arch string }{{"6.12", "amd64"}, {"7.0", "amd64"}, {"6.12", "arm64"}, {"7.0", "arm64"}} {
		x := fixture.Cell(c.series, c.arch)
		x.Guest = "guest of " + c.arch
		x.Kernel.Package, x.Kernel.PackageVersion = "linux", c.series
		r.cells = append(r.cells, x)
	}
	return r
}

// shard writes a shard: which cells it has, and which of these it got to.
func (r *run) shard(name string, index, of int, planned, done []int, change ...func(*cell.Plan)) string {
	r.t.Helper()
	whole := cell.PlanOf(r.cells)
	p := &cell.Plan{Tool: "rev", Shard: &cell.Shard{Index: index, Of: of, Digest: cell.Digest(whole), Whole: whole}}
	for _, i := range planned {
		p.Cells = append(p.Cells, whole[i])
	}
	for _, c := range change {
		c(p)
	}
	dir := filepath.Join(r.dir, name)
	if err := cell.WritePlan(dir, p); err != nil {
		r.t.Fatal(err)
	}
	for _, i := range done {
		if _, err := cell.Write(dir, r.cells[i]); err != nil {
			r.t.Fatal(err)
		}
	}
	return dir
}

// merged merges and reads what came of it, as "NAME STATUS REASON".
func merged(t *testing.T, dirs ...string) (cells, notes []string) {
	t.Helper()
	got, err := merge.Read(dirs, "")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if err := got.Write(out); err != nil {
		t.Fatal(err)
	}
	all, err := cell.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		cells = append(cells, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Name, c.Status, c.Reason)))
	}
	return cells, got.Notes
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhole(t *testing.T) {
	r := newRun(t)
	a := r.shard("x/a", 1, 2, []int{0, 2}, []int{0, 2})
	b := r.shard("x/y/b", 2, 2, []int{1, 3}, []int{1, 3})
	for _, dirs := range [][]string{{a, b}, {b, a}, {r.dir}, {a, r.dir, a}} {
		cells, notes := merged(t, dirs...)
		same(t, "cells", cells, "6.12-amd64 complete", "7.0-amd64 complete", "6.12-arm64 complete", "7.0-arm64 complete")
		same(t, "notes", notes)
	}
}

// TestLost: no cell is lost in silence, whatever is not there.
func TestLost(t *testing.T) {
	r := newRun(t)
	a := r.shard("a", 1, 3, []int{0, 2}, []int{0})
	b := r.shard("b", 2, 3, []int{1}, []int{1})
	cells, notes := merged(t, a, b)
	same(t, "cells", cells, "6.12-amd64 complete", "7.0-amd64 complete",
		"6.12-arm64 broken planned, and nothing was recorded: shard 1/3 ended before it",
		"7.0-arm64 broken planned, and its shard is not among those that were merged: 3/3 missing")
	same(t, "notes", notes, "shard 3/3 is missing: its cells are broken")
	cells, notes = merged(t, b)
	if len(cells) != 4 || !strings.Contains(cells[0], "1/3, 3/3 missing") {
		t.Errorf("%q", cells)
	}
	same(t, "notes", notes, "shards 1/3, 3/3 are missing: their cells are broken")
	// A record that is cut short is merged as it is, and broken.
	path := filepath.Join(b, "7.0-amd64.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if cells, _ := merged(t, a, b); !slices.ContainsFunc(cells, func(s string) bool { return strings.HasPrefix(s, "7.0-amd64 broken ") }) {
		t.Errorf("%q", cells)
	}
}

func TestTwice(t *testing.T) {
	r := newRun(t)
	a := r.shard("a", 1, 2, []int{0, 2}, []int{0, 2})
	b := r.shard("b", 2, 2, []int{1, 3}, []int{1, 3})
	// Times and what a console says differ from run to run.
	for _, c := range r.cells {
		c.WallMillis += 9
		c.Console += "[ 9.9] later"
		for _, rec := range c.Records {
			rec.Micros += 9
		}
	}
	again := r.shard("again", 2, 2, []int{1, 3}, []int{1, 3})
	cells, notes := merged(t, a, b, again)
	if len(cells) != 4 {
		t.Errorf("%q", cells)
	}
	same(t, "notes", notes, "shard 2/2 is there twice, in "+b+" and "+again+", with the same results: the first counts")
	// Neither of two that stopped at other places is better.
	half := r.shard("half", 2, 2, []int{1, 3}, []int{1})
	r.refused("they differ: 7.0-arm64 is whole in one of them only", a, b, half)
	r.cells[3].Records[1].Outcome = "another"
	r.refused("they differ: 7.0-arm64; leave out", a, b, r.shard("other", 2, 2, []int{1, 3}, []int{1, 3}))
}

// refused checks that dirs are not merged, in words that name what is wrong.
func (r *run) refused(want string, dirs ...string) {
	r.t.Helper()
	_, err := merge.Read(dirs, "")
	var e *merge.Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		r.t.Errorf("got %v, want %q", err, want)
	}
}

// TestUnlike: what is not of one run is not made one.
func TestUnlike(t *testing.T) {
	r := newRun(t)
	a := r.shard("a", 1, 2, []int{0, 2}, []int{0, 2})
	r.refused("shard 1/2, and "+filepath.Join(r.dir, "of"), a, r.shard("of", 3, 3, []int{1}, nil))
	r.refused("pivotspec rev, and", a, r.shard("tool", 2, 2, []int{1, 3}, nil, func(p *cell.Plan) { p.Tool = "other" }))
	r.refused("the cell 6.12-amd64 is in two shards", a, r.shard("both", 2, 2, []int{0, 1, 3}, nil))
	r.refused("the cell 7.0-arm64 is in none of the shards, which are all there", a, r.shard("lacks", 2, 2, []int{1}, nil))
	r.refused("whole run, and no shard", r.shard("whole", 1, 1, []int{0, 1, 2, 3}, nil, func(p *cell.Plan) { p.Shard = nil }))
	r.cells[3].Guest = "another guest"
	r.refused("the guests for arm64 are not the same", a, r.shard("guest", 2, 2, []int{1, 3}, []int{1, 3}))
	o := newRun(t)
	o.cells[1].Kernel.Package, o.cells[1].Kernel.SHA256 = "", "00ff"
	r.refused("7.0-amd64 is not the same kernel in both", a, o.shard("kernel", 2, 2, []int{1, 3}, nil))
	o = newRun(t)
	o.cells[3] = fixture.Cell("7.1", "arm64")
	r.refused("the one has 7.0-arm64 where the other has 7.1-arm64", a, o.shard("cells", 2, 2, []int{1, 3}, nil))
}

// TestArchiveMoved: a kernel of one name can become another between two shards. That is said, and no error:
// each cell says what it booted.
func TestArchiveMoved(t *testing.T) {
	r := newRun(t)
	r.cells[1].Series = "6.12" // two cells of one kernel, as of two ways to boot it
	a := r.shard("a", 1, 2, []int{0, 2}, []int{0, 2})
	b := r.shard("b", 2, 2, []int{1, 3}, []int{1, 3})
	_, notes := merged(t, a, b)
	same(t, "notes", notes, "6.12/amd64 is not the same kernel in all shards: 6.12, 7.0")
}

// TestOut: nothing that is there already is mixed in or lost.
func TestOut(t *testing.T) {
	r := newRun(t)
	a := r.shard("a", 1, 2, []int{0, 2}, []int{0, 2})
	b := r.shard("b", 2, 2, []int{1, 3}, []int{1, 3})
	out := filepath.Join(r.dir, "out")
	write := func(dirs ...string) error {
		t.Helper()
		got, err := merge.Read(dirs, out)
		if err != nil {
			t.Fatal(err)
		}
		return got.Write(out)
	}
	// First without a shard, then with it, then without it again: what was of it goes.
	for _, c := range []struct {
		dirs []string
		want int
	}{{[]string{a}, 2}, {[]string{a, b}, 4}, {[]string{r.dir}, 4}, {[]string{b}, 2}} {
		if err := write(c.dirs...); err != nil {
			t.Fatal(err)
		}
		if files, _ := filepath.Glob(filepath.Join(out, "*.jsonl")); len(files) != c.want {
			t.Errorf("%q: %d files, want %d", c.dirs, len(files), c.want)
		}
	}
	for name, want := range map[string]string{"6.1-amd64": "records of another run", "": "has records already"} {
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		if name != "" {
			if err := cell.WritePlan(out, &cell.Plan{Cells: []cell.PlannedCell{{Name: name}}}); err != nil {
				t.Fatal(err)
			}
		} else if _, err := cell.Write(out, r.cells[0]); err != nil {
			t.Fatal(err)
		}
		if err := write(a, b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestFolders: what a folder may be, and what may not lie in it.
func TestFolders(t *testing.T) {
	r := newRun(t)
	a, b := r.shard("parts/a", 1, 2, []int{0, 2}, []int{0, 2}), r.shard("parts/b", 2, 2, []int{1, 3}, []int{1, 3})
	link := filepath.Join(r.dir, "link")
	if err := os.Symlink("parts", link); err != nil {
		t.Fatal(err)
	}
	run, err := merge.Read([]string{link}, "")
	if err != nil || len(run.Notes) > 0 {
		t.Fatalf("by a link: %v, %v", err, run)
	}
	out := filepath.Join(r.dir, "out")
	if err := run.Write(out); err != nil {
		t.Fatal(err)
	}
	stray := fixture.Cell("5.10", "amd64")
	if _, err := cell.Write(out, stray); err != nil {
		t.Fatal(err)
	}
	if err := run.Write(out); err == nil || !strings.Contains(err.Error(), "which is no cell of the run") {
		t.Errorf("a cell of nobody's beside those of the run: %v", err)
	}
	path := filepath.Join(a, cell.FileName(r.cells[0].Name))
	if err := errors.Join(os.Remove(path), unix.Mkfifo(path, 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := merge.Read([]string{a, b}, ""); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("a pipe for a cell: %v", err)
	}
}

// TestPlanThatLies: the plan of a shard that was tampered with, or damaged, is refused.
func TestPlanThatLies(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"digest": func(p map[string]any) { p["shard"].(map[string]any)["digest"] = "00" },
		"index":  func(p map[string]any) { p["shard"].(map[string]any)["index"] = 3 },
		"cell":   func(p map[string]any) { p["cells"].([]any)[0].(map[string]any)["name"] = "5.10-amd64" },
		"twice":  func(p map[string]any) { p["cells"] = append(p["cells"].([]any), p["cells"].([]any)[0]) },
	} {
		r := newRun(t)
		dir := r.shard("a", 1, 2, []int{0, 2}, nil)
		path := filepath.Join(dir, cell.PlanFile)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var p map[string]any
		if err := json.Unmarshal(b, &p); err != nil {
			t.Fatal(err)
		}
		change(p)
		b, _ = json.Marshal(p)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := merge.Read([]string{dir}, ""); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
