package baseline_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// TestCommitted judges the records that are committed: they hold nothing unexpected.
func TestCommitted(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	j, err := verdict.Judge(base, committed(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range j.Cells {
		if c.Status != cell.Complete {
			t.Errorf("%s is %s: %s", c.Cell.Name, c.Status, c.Reason)
		}
		for _, r := range c.Results {
			if r.Verdict == verdict.Unexpected || r.Verdict == verdict.Broken || r.Verdict == verdict.Missing {
				t.Errorf("%s: %s is %s: %s", c.Cell.Name, r.Behaviour, r.Verdict, strings.Join(r.Wrong, "; "))
			}
		}
	}
	if exit := j.Exit(); exit != 0 && !t.Failed() {
		t.Errorf("exit status %d", exit)
	}
}

// rerun changes what differs from run to run.
func rerun(c *cell.Cell) *cell.Cell {
	c.Accel, c.WallMillis, c.Console = "kvm", 9999, "noise"
	slices.Reverse(c.Records[2 : len(c.Records)-1])
	slices.Reverse(c.Records[0].Plan)
	c.Records[1].Kernel.Cmdline = "console=hvc0"
	c.Records[len(c.Records)-1].Why = "after 7 s"
	for _, r := range c.Records {
		r.Micros *= 3
		if _, ok := r.Facts["mount-id"]; ok {
			r.Facts["mount-id"] = "4711"
		}
	}
	c.Records = slices.Insert(c.Records, 2, &record.Record{Type: record.TypeNote, Why: "the suite ran on CPU 1"})
	c.Records = slices.Insert(c.Records, len(c.Records)-1, &record.Record{Type: record.TypeEvidence, Evidence: &record.Evidence{
		Mounts: []string{"2 1 / / rw - tmpfs tmpfs"}, Calls: []record.EvidenceOfCall{{ID: "a/b", Before: []int{0}, After: []int{0}}},
	}})
	return c
}

func TestRerunDoesNotChurn(t *testing.T) {
	base, dir := fixture.Base(t), t.TempDir()
	read := func(cells ...*cell.Cell) map[string][]byte {
		if err := baseline.Write(dir, base, cells); err != nil {
			t.Fatal(err)
		}
		out := map[string][]byte{}
		files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out[f] = b
		}
		return out
	}
	first := read(fixture.Good()...)
	var again []*cell.Cell
	for _, c := range fixture.Good() {
		again = append(again, rerun(c))
	}
	second := read(again...)
	if len(first) != 11 || len(second) != 11 {
		t.Fatalf("%d and %d files, want 11", len(first), len(second))
	}
	for name, b := range first {
		if !bytes.Equal(b, second[name]) {
			t.Errorf("%s churns:\n%s\n%s", name, b, second[name])
		}
	}
	loaded, err := baseline.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := baseline.Compare(base, loaded, again); len(d) > 0 {
		t.Errorf("a rerun differs: %v", d)
	}
	// A baseline is as good as the records it was made of.
	j, err := verdict.Judge(base, loaded, "")
	if err != nil || j.Exit() != 0 {
		t.Errorf("judged: exit status %d, %v", j.Exit(), err)
	}
}

func TestStripLeavesItsArgument(t *testing.T) {
	c := fixture.Cell("7.0", "amd64")
	baseline.Strip(fixture.Base(t), c)
	var got, want bytes.Buffer
	cell.Encode(&got, c)
	cell.Encode(&want, fixture.Cell("7.0", "amd64"))
	if got.String() != want.String() {
		t.Error("Strip changes its argument")
	}
}

func TestWriteRefusesIncomplete(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := baseline.Write(dir, fixture.Base(t), fixture.Bad()); err == nil || !strings.Contains(err.Error(), "7.2-amd64 is broken") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it wrote something")
	}
}

func TestMatch(t *testing.T) {
	base, was := fixture.Base(t), fixture.Good()
	file := fixture.Cell("7.0", "amd64")
	file.Name = "7.0.99-local-amd64"
	unknown := fixture.Cell("7.0", "amd64")
	unknown.Name, unknown.Series = "7.9.1-amd64", "7.9"
	lost := fixture.Cell("7.0", "amd64")
	lost.Status, lost.Reason, lost.Records = cell.Broken, "lost", nil
	for name, tc := range map[string]struct {
		cells   []*cell.Cell
		planned bool
		want    []string
		left    int
	}{
		"a kernel given as a file":   {[]*cell.Cell{file}, false, nil, len(was) - 1},
		"a run like the recorded":    {was, true, nil, 0},
		"a run that lost a cell":     {was[1:], false, []string{was[0].Name + ": gone: complete"}, 0},
		"a run of one cell":          {was[1:2], true, nil, len(was) - 1},
		"one that lost it":           {[]*cell.Cell{lost}, true, []string{lost.Name + ": was complete, is broken lost; not observed this time: 13 of 13 behaviours"}, len(was) - 1},
		"both a name and a file":     {[]*cell.Cell{was[0], file}, true, nil, len(was) - 2},
		"a series never seen before": {[]*cell.Cell{unknown}, true, []string{"7.9.1-amd64: new: complete"}, len(was)},
		"nothing":                    {nil, false, nil, len(was)},
	} {
		var got []string
		match, left := baseline.Match(was, tc.cells, tc.planned)
		for _, d := range baseline.Compare(base, match, tc.cells) {
			if d.Behaviour == "" {
				got = append(got, d.String())
			}
		}
		if !slices.Equal(got, tc.want) || left != tc.left {
			t.Errorf("%s: got %v and %d left out, want %v and %d", name, got, left, tc.want, tc.left)
		}
	}
	// A difference is found under the name of the new cell.
	for _, r := range file.Records {
		if r.ID == "rootfs/pid1-pivot" {
			r.Outcome = "EIO"
		}
	}
	match, _ := baseline.Match(was, []*cell.Cell{file}, false)
	d := baseline.Compare(base, match, []*cell.Cell{file})
	if len(d) != 1 || d[0].Cell != file.Name {
		t.Errorf("a file that differs: got %v", d)
	}
}

func TestCompare(t *testing.T) {
	base := fixture.Base(t)
	var got []string
	was, is := fixture.Good(), fixture.Bad()
	is[0].Name, is[0].Kernel.Version = "5.10-other", "5.10.300"
	for _, d := range baseline.Compare(base, was, is) {
		if !strings.HasPrefix(d.Cell, "7.2") && !strings.HasPrefix(d.Cell, "7.3") || d.Behaviour == "" {
			got = append(got, d.String())
		}
	}
	want := []string{
		"5.10-other: new: complete",
		"6.1-amd64 einval/put-old-mount-shared: was EINVAL effect=none, is OK effect=pivoted",
		"6.12-amd64 einval/put-old-mount-shared: was EINVAL effect=none, is OK effect=pivoted",
		"6.16-amd64 einval/put-old-not-below-new-root: was EINVAL after-control=pivoted control=OK effect=none, is EINVAL control=EPERM effect=none",
		"6.17-amd64 moves/other-process: was OK cwd=moved effect=pivoted root=moved, is OK cwd=stayed effect=pivoted root=moved",
		"6.18-amd64 eperm/no-cap-sys-admin: was EPERM control=OK effect=none, is broken mount tmpfs: EPERM",
		"6.19-amd64 moves/kernel-thread: gone: OK effect=pivoted root=moved",
		"7.0-amd64 rootfs/pid1-pivot: was OK effect=pivoted, is EINVAL effect=none",
		"7.1-amd64 einval/from-the-future: new: EINVAL effect=none",
		"7.2-amd64: was complete, is broken kernel panic: attempted to kill init; not observed this time: 9 of 13 behaviours",
		"7.3-amd64: was complete, is unavailable no network: cannot fetch linux-binary 7.3; not observed this time: 13 of 13 behaviours",
		"5.10-amd64: gone: complete",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// matrix returns some eighty cells with the records of the committed ones, of which some have other steps.
func matrix(t *testing.T) (*knowledge.Base, []*cell.Cell) {
	t.Helper()
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := baseline.Load("amd64")
	if err != nil {
		t.Fatal(err)
	}
	plain := slices.DeleteFunc(recorded, func(c *cell.Cell) bool { return c.Line() != cell.Line{Arch: "amd64"} })
	cells := fixture.Many(base, plain)
	for _, r := range fixture.Find(cells, "6.12-s390x").Records {
		if r.ID == "ebusy/new-root-is-slash" {
			r.Steps = append(slices.Clone(r.Steps), "one more")
		}
	}
	return base, cells
}

// TestManyCells: a baseline of many cells is small, and loses neither verdicts nor the steps of what is otherwise.
func TestManyCells(t *testing.T) {
	base, cells := matrix(t)
	dir := t.TempDir()
	if err := baseline.Write(dir, base, cells); err != nil {
		t.Fatal(err)
	}
	loaded, err := baseline.Load(dir)
	if err != nil || len(loaded) != len(cells) {
		t.Fatalf("%d cells, %v, want %d", len(loaded), err, len(cells))
	}
	if d := baseline.Compare(base, loaded, cells); len(d) > 0 {
		t.Errorf("they differ from what was written: %v", d[0])
	}
	was, err1 := verdict.Judge(base, cells, "")
	is, err2 := verdict.Judge(base, loaded, "")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for i, c := range is.Cells {
		if c.Cell.Name != was.Cells[i].Cell.Name || c.Status != was.Cells[i].Status {
			t.Fatalf("%s %s, want %s %s", c.Cell.Name, c.Status, was.Cells[i].Cell.Name, was.Cells[i].Status)
		}
		for k, r := range c.Results {
			if w := was.Cells[i].Results[k]; r.Behaviour != w.Behaviour || r.Verdict != w.Verdict || !slices.Equal(r.Wrong, w.Wrong) {
				t.Errorf("%s %s: %s %q, was %s %q", c.Cell.Name, r.Behaviour, r.Verdict, r.Wrong, w.Verdict, w.Wrong)
			}
		}
	}
	steps := map[string]int{}
	for _, c := range loaded {
		for _, r := range c.Records {
			if len(r.Steps) > 0 {
				steps[c.Name]++
			}
		}
	}
	if steps["6.12-amd64"] < 100 || steps["6.12-arm64"] != 0 || steps["6.12-s390x"] != 1 {
		t.Errorf("steps are kept of %d, %d and %d behaviours, want all, none and the one that differs",
			steps["6.12-amd64"], steps["6.12-arm64"], steps["6.12-s390x"])
	}
	// A part of it recorded anew changes nothing.
	part := slices.DeleteFunc(slices.Clone(cells), func(c *cell.Cell) bool { return c.Arch != "s390x" && c.Arch != "arm64" })
	before := contents(t, dir)
	if err := baseline.Write(dir, base, part); err != nil {
		t.Fatal(err)
	}
	if after := contents(t, dir); !maps.Equal(before, after) {
		t.Error("the same cells written again give other files")
	}
	size := 0
	for _, s := range before {
		size += len(s)
	}
	t.Logf("%d cells, %d KB", len(before), size>>10)
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"+cell.Extension))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = string(b)
	}
	return out
}

// TestFlatStaysFlat: a folder that has cells of its own gets no folders.
func TestFlatStaysFlat(t *testing.T) {
	base, dir := fixture.Base(t), t.TempDir()
	if _, err := cell.Write(dir, fixture.Cell("7.0", "amd64")); err != nil {
		t.Fatal(err)
	}
	if err := baseline.Write(dir, base, []*cell.Cell{fixture.Cell("7.1", "amd64")}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "7.1-amd64.jsonl")); err != nil {
		t.Error(err)
	}
}

// TestMatchOfManyLines: a run without a plan is a run like the recorded as far as its lines go.
func TestMatchOfManyLines(t *testing.T) {
	base := fixture.Base(t)
	was := fixture.Many(base, fixture.Good())
	arm := func(c *cell.Cell) bool { return c.Line() == cell.Line{Arch: "arm64"} }
	part := slices.DeleteFunc(slices.Clone(was), func(c *cell.Cell) bool { return !arm(c) || c.Series == "7.0" })
	match, left := baseline.Match(was, part, false)
	var got []string
	for _, d := range baseline.Compare(base, match, part) {
		got = append(got, d.String())
	}
	if !slices.Equal(got, []string{"7.0-arm64: gone: complete"}) || left != len(was)-len(part)-1 {
		t.Errorf("got %v and %d left out", got, left)
	}
	// A kernel given as a file is compared with that of its own line.
	file := *fixture.Find(was, "6.12-arm64-16k")
	file.Name = "6.12.99-local-arm64"
	match, _ = baseline.Match(was, []*cell.Cell{&file}, true)
	if len(match) != 1 || match[0].Flavour != "arm64-16k" {
		t.Errorf("a file is compared with %v", match)
	}
}

// TestRecorded checks that what is built in is what lies in the folder.
func TestRecorded(t *testing.T) {
	want, err := baseline.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	cells, err := baseline.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	if d := baseline.Compare(fixture.Base(t), want, cells); len(d) > 0 {
		t.Errorf("they differ: %v", d)
	}
}
