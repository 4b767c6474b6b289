package cell_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
)

func TestLine(t *testing.T) {
	for _, tt := range []struct {
		cell cell.Cell
		want string
	}{
		{cell.Cell{Arch: "amd64", ABI: "amd64", Backend: "qemu"}, "amd64"},
		{cell.Cell{Arch: "amd64"}, "amd64"},
		{cell.Cell{Arch: "amd64", ABI: "i386"}, "amd64/i386"},
		{cell.Cell{Arch: "arm64", Flavour: "rt-arm64"}, "arm64 rt"},
		{cell.Cell{Arch: "arm64", Flavour: "arm64-16k"}, "arm64 16k"},
		{cell.Cell{Arch: "i386", Flavour: "686-pae"}, "i386 686-pae"},
		{cell.Cell{Arch: "amd64", ABI: "i386", Scenario: "disk"}, "amd64/i386 disk"},
		{cell.Cell{Arch: "amd64", ABI: "amd64", Backend: "gvisor"}, "gvisor amd64"},
		{cell.Cell{}, ""},
	} {
		if got := tt.cell.Line().String(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.cell, got, tt.want)
		}
	}
}

// TestCompareLines: the cells of a line stand together, Linux under QEMU and the plain initramfs first.
func TestCompareLines(t *testing.T) {
	want := []string{
		"6.12-amd64", "7.0-amd64", "6.12-rt-amd64", "6.12-amd64-i386", "6.12-arm64",
		"6.12-amd64-disk", "gvisor-amd64", "host-amd64",
	}
	of := map[string]cell.Cell{
		"6.12-amd64":      {Series: "6.12", Arch: "amd64", ABI: "amd64", Backend: "qemu"},
		"7.0-amd64":       {Series: "7.0", Arch: "amd64"},
		"6.12-rt-amd64":   {Series: "6.12", Arch: "amd64", Flavour: "rt-amd64", ABI: "amd64", Backend: "qemu"},
		"6.12-amd64-i386": {Series: "6.12", Arch: "amd64", ABI: "i386", Backend: "qemu"},
		"6.12-arm64":      {Series: "6.12", Arch: "arm64", Backend: "qemu"},
		"6.12-amd64-disk": {Series: "6.12", Arch: "amd64", Scenario: "disk"},
		"gvisor-amd64":    {Series: "4.19", Arch: "amd64", Backend: "gvisor"},
		"host-amd64":      {Series: "6.1", Arch: "amd64", Backend: "host"},
	}
	var cells []*cell.Cell
	for _, name := range want {
		c := of[name]
		c.Name = name
		cells = append(cells, &c)
	}
	slices.Reverse(cells)
	slices.SortFunc(cells, cell.Compare)
	var got []string
	for _, c := range cells {
		got = append(got, c.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestPlanKeepsLines: a cell that was lost is missed on its own line.
func TestPlanKeepsLines(t *testing.T) {
	dir, cells := t.TempDir(), fixture.Many(fixture.Base(t), fixture.Good())
	if err := cell.WritePlan(dir, &cell.Plan{Cells: cell.PlanOf(cells)}); err != nil {
		t.Fatal(err)
	}
	lost, err := cell.ReadDir(dir)
	if err != nil || len(lost) != len(cells) {
		t.Fatalf("%d cells, %v, want %d", len(lost), err, len(cells))
	}
	for _, c := range lost {
		if want := fixture.Find(cells, c.Name).Line(); c.Line() != want || c.Status != cell.Broken {
			t.Errorf("%s: got %s %v, want a broken cell of %v", c.Name, c.Status, c.Line(), want)
		}
	}
}

func TestReadTree(t *testing.T) {
	put := func(dir, series, arch string) {
		t.Helper()
		if _, err := cell.Write(dir, fixture.Cell(series, arch)); err != nil {
			t.Fatal(err)
		}
	}
	tree, flat, odd, planned, none := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "a [b] *c"), t.TempDir(), t.TempDir()
	put(filepath.Join(tree, "s390x"), "6.12", "s390x")
	put(filepath.Join(tree, "amd64"), "6.12", "amd64")
	put(filepath.Join(tree, "amd64"), "5.10", "amd64")
	put(flat, "7.0", "amd64")
	put(filepath.Join(flat, "old"), "6.1", "amd64")
	put(filepath.Join(odd, "amd64"), "7.1", "amd64")
	if err := cell.WritePlan(planned, &cell.Plan{Cells: []cell.PlannedCell{{Name: "7.2-amd64", Series: "7.2", Arch: "amd64"}}}); err != nil {
		t.Fatal(err)
	}
	put(filepath.Join(planned, "old"), "6.1", "amd64")
	for _, tt := range []struct{ dir, want, err string }{
		{tree, "5.10-amd64 6.12-amd64 6.12-s390x", ""},
		{flat, "7.0-amd64", ""},
		{odd, "7.1-amd64", ""},
		{planned, "7.2-amd64", ""}, // which it lost; what lies below is of another run
		{none, "", "no records"},
		{filepath.Join(none, "nowhere"), "", "no such file"},
	} {
		cells, err := cell.ReadTree(tt.dir)
		var got []string
		for _, c := range cells {
			got = append(got, c.Name)
		}
		if strings.Join(got, " ") != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %v, %v, want %s %s", tt.dir, got, err, tt.want, tt.err)
		}
	}
	// One file that cannot be read is a broken cell here as well.
	if err := os.WriteFile(filepath.Join(tree, "s390x", "7.2-s390x.jsonl"), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cells, err := cell.ReadTree(tree)
	if err != nil || len(cells) != 4 || !slices.ContainsFunc(cells, func(c *cell.Cell) bool { return c.Status == cell.Broken }) {
		t.Errorf("got %d cells, %v, want four of which one is broken", len(cells), err)
	}
}
