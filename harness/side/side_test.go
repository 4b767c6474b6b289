package side_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pivotspec/harness/lab"
	"pivotspec/harness/lab/labtest"
	"pivotspec/harness/matrix"
	"pivotspec/harness/side"
	"pivotspec/results/baseline"
	"pivotspec/results/cell"
)

// recorded reads the built-in cells, once.
var recorded = sync.OnceValues(baseline.Recorded)

// recordedCells returns the built-in cells of those names.
func recordedCells(t *testing.T, names ...string) []*cell.Cell {
	t.Helper()
	all, err := recorded()
	if err != nil {
		t.Fatal(err)
	}
	var out []*cell.Cell
	for _, n := range names {
		i := slices.IndexFunc(all, func(c *cell.Cell) bool { return c.Name == n })
		if i < 0 {
			t.Fatalf("no recorded %s", n)
		}
		out = append(out, all[i])
	}
	return out
}

// folder writes cells into a folder.
func folder(t *testing.T, dir string, cells []*cell.Cell) string {
	t.Helper()
	for _, c := range cells {
		if _, err := cell.Write(dir, c); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(cells []*cell.Cell) string {
	var out []string
	for _, c := range cells {
		out = append(out, c.Name)
	}
	return strings.Join(out, " ")
}

func open(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.Open(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRecords(t *testing.T) {
	dir := t.TempDir()
	some := []string{"6.19-amd64", "7.0-amd64", "7.0-amd64-disk", "7.0-amd64-i386"}
	flat := folder(t, filepath.Join(dir, "flat"), recordedCells(t, some...))
	tree := filepath.Join(dir, "tree")
	folder(t, filepath.Join(tree, "amd64"), recordedCells(t, some...))
	folder(t, filepath.Join(tree, "arm64"), recordedCells(t, "7.0-arm64"))
	for _, tt := range []struct {
		name, ref string
		wish      lab.Wish
		want      string
		folder    bool
	}{
		{"a folder", flat, lab.Wish{}, "6.19-amd64 7.0-amd64 7.0-amd64-i386 7.0-amd64-disk", true},
		{"a folder of folders", tree, lab.Wish{}, "6.19-amd64 7.0-amd64 7.0-amd64-i386 7.0-arm64 7.0-amd64-disk", true},
		{"all of it", tree, lab.Wish{Archs: []string{"all"}, Scenarios: []string{"all"}}, "6.19-amd64 7.0-amd64 7.0-amd64-i386 7.0-arm64 7.0-amd64-disk", true},
		{"one architecture", tree, lab.Wish{Archs: []string{"arm64"}}, "7.0-arm64", true},
		{"one ABI", tree, lab.Wish{Archs: []string{"amd64/i386"}}, "7.0-amd64-i386", true},
		{"one scenario", tree, lab.Wish{Scenarios: []string{"disk"}}, "7.0-amd64-disk", true},
		{"the plain one", flat, lab.Wish{Scenarios: []string{"plain"}}, "6.19-amd64 7.0-amd64 7.0-amd64-i386", true},
		{"a file", filepath.Join(flat, "7.0-amd64.jsonl"), lab.Wish{}, "7.0-amd64", true},
		{"what is built in", "baseline:7.0", lab.Wish{}, "7.0-amd64", false},
		{"of an architecture", "baseline:7.0/arm64", lab.Wish{}, "7.0-arm64", false},
		{"of an ABI", "baseline:7.0/amd64/i386", lab.Wish{}, "7.0-amd64-i386", false},
		{"of two architectures", "baseline:7.2", lab.Wish{Archs: []string{"amd64", "s390x"}}, "7.2-amd64 7.2-s390x", false},
		{"in two scenarios", "baseline:7.0", lab.Wish{Scenarios: []string{"plain", "disk"}}, "7.0-amd64 7.0-amd64-disk", false},
		{"of a flavour", "baseline:6.12-rt-amd64", lab.Wish{}, "6.12-rt-amd64", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := side.Open(t.Context(), open(t), tt.ref, tt.wish)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(s.Cells); got != tt.want || s.Folder != tt.folder || s.Plan != nil {
				t.Errorf("got %s (folder %v), want %s (folder %v)", got, s.Folder, tt.want, tt.folder)
			}
		})
	}
}

// TestMissing: what was never recorded is named, beside what was.
func TestMissing(t *testing.T) {
	s, err := side.Open(t.Context(), open(t), "baseline:7.0", lab.Wish{Archs: []string{"amd64", "riscv64"}})
	if err != nil {
		t.Fatal(err)
	}
	if names(s.Cells) != "7.0-amd64" || !slices.Equal(s.Missing, []string{"7.0-riscv64"}) {
		t.Errorf("got %s, and without %v", names(s.Cells), s.Missing)
	}
}

func TestKernels(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bzImage")
	comma := filepath.Join(dir, "a,b")
	for _, f := range []string{file, comma} {
		if err := os.WriteFile(f, labtest.Kernel("7.1.2-test"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		ref  string
		want []string // the names of its jobs
	}{
		{"7.0", []string{"7.0-amd64"}},
		{"7.0/arm64", []string{"7.0-arm64"}},
		{file, []string{"7.1.2-test-amd64"}},
		{comma, []string{"7.1.2-test-amd64"}},
		{"host", nil},
	} {
		s, err := side.Open(t.Context(), open(t), tt.ref, lab.Wish{})
		if err != nil {
			t.Errorf("%s: %v", tt.ref, err)
			continue
		}
		if s.Plan == nil || s.Cells != nil || s.Plan.Len() != 1 {
			t.Errorf("%s: is no kernel", tt.ref)
			continue
		}
		var got []string
		for _, j := range s.Plan.Identify(t.Context()) {
			got = append(got, j.Name)
		}
		if tt.want != nil && !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.ref, got, tt.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	flat := folder(t, filepath.Join(dir, "flat"), recordedCells(t, "7.0-amd64"))
	for _, tt := range []struct {
		ref  string
		wish lab.Wish
		want string
	}{
		{"", lab.Wish{}, "it is empty"},
		{"baseline:", lab.Wish{}, "it is empty"},
		{"baseline:4.4", lab.Wish{}, "4.4"},
		{"baseline:host", lab.Wish{}, "is no kernel of the catalogue"},
		{"baseline:" + flat, lab.Wish{}, "is no kernel of the catalogue"},
		{"baseline:7.0/riscv64", lab.Wish{}, "there is no recorded run of 7.0-riscv64"},
		{flat, lab.Wish{Archs: []string{"arm64"}}, "none of its 1 cells"},
		{"9.9", lab.Wish{}, "9.9"},
		{filepath.Join(dir, "nothing"), lab.Wish{}, ""}, // what is wrong with a path shows when it is looked into
	} {
		s, err := side.Open(t.Context(), open(t), tt.ref, tt.wish)
		if tt.want == "" {
			if err != nil || s.Plan == nil {
				t.Errorf("%s: got %v", tt.ref, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.ref, err, tt.want)
		}
	}
}

func TestNarrow(t *testing.T) {
	many := func() *side.Side {
		return &side.Side{Folder: true, Cells: recordedCells(t, "6.19-amd64", "7.0-amd64", "7.0-amd64-i386", "7.0-arm64", "7.0-amd64-disk")}
	}
	for _, tt := range []struct {
		name  string
		it    *side.Side
		other *side.Side
		want  string
		left  int
	}{
		{"several kernels, one on the other side", many(), &side.Side{Cells: recordedCells(t, "7.0-amd64")}, "7.0-amd64", 4},
		{"none in common", many(), &side.Side{Cells: recordedCells(t, "7.3-amd64")}, "", 5},
		{"one kernel in several scenarios", &side.Side{Folder: true, Cells: recordedCells(t, "6.19-amd64", "6.19-amd64-disk")}, &side.Side{Cells: recordedCells(t, "7.0-amd64")}, "6.19-amd64", 1},
		{"one kernel", &side.Side{Folder: true, Cells: recordedCells(t, "6.19-amd64")}, &side.Side{Cells: recordedCells(t, "7.0-amd64")}, "6.19-amd64", 0},
		{"two folders", many(), many(), "6.19-amd64 7.0-amd64 7.0-amd64-i386 7.0-arm64 7.0-amd64-disk", 0},
		{"what was named stays", &side.Side{Cells: recordedCells(t, "6.19-amd64", "7.0-amd64")}, &side.Side{Cells: recordedCells(t, "7.3-arm64")}, "6.19-amd64 7.0-amd64", 0},
	} {
		left := tt.it.Narrow(tt.other)
		if got := names(tt.it.Cells); got != tt.want || left != tt.left {
			t.Errorf("%s: got %q and %d left out, want %q and %d", tt.name, got, left, tt.want, tt.left)
		}
	}
}

func TestDistinct(t *testing.T) {
	jobs := func(names ...string) []matrix.Job {
		var out []matrix.Job
		for _, n := range names {
			out = append(out, matrix.Job{Name: n})
		}
		return out
	}
	before, after := jobs("7.0-amd64", "7.1-amd64"), jobs("7.0-amd64", "7.0-amd64-2", "7.2-amd64")
	side.Distinct(before, after)
	var got []string
	for _, j := range append(before, after...) {
		got = append(got, j.Name)
	}
	if want := "7.0-amd64 7.1-amd64 7.0-amd64-2 7.0-amd64-2-2 7.2-amd64"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
