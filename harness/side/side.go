// Package side turns what a user names as one side of a comparison into cells: a kernel that is to be booted, the
// records of an earlier run, or a recorded run that is built into this program.
package side

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/worlds"
)

// Baseline begins the name of a recorded run: "baseline:6.19".
const Baseline = "baseline:"

// Side is one side of a comparison.
type Side struct {
	// Ref is what the user named.
	Ref string
	// Cells are what there is of it, once it was booted.
	Cells []*cell.Cell
	// Plan is how to boot it, nil if there is nothing to boot, and Wish what it was made of.
	Plan *lab.Plan
	Wish lab.Wish
	// Missing are the names of cells that were asked for and never recorded, beside some that were.
	Missing []string
	// Folder says that Cells are whatever a folder holds, and not what somebody asked for by name.
	Folder bool
}

// Open finds out what ref names, and boots nothing yet: a folder of records, or of folders of them; a file of one
// cell; with [Baseline] in front what was recorded of a kernel of the catalogue; else a kernel, of which several
// packages may be named with commas between them. wish has the rest of what the user
// asks for; its architectures and scenarios also choose among records. The error says what is wrong with ref.
func Open(ctx context.Context, l *lab.Lab, ref string, wish lab.Wish) (*Side, error) {
	s := &Side{Ref: ref}
	var err error
	name, recorded := strings.CutPrefix(ref, Baseline)
	switch {
	case ref == "" || recorded && name == "":
		return nil, errors.New("it is empty: give a kernel, a folder of records, or " + Baseline + "KERNEL")
	case recorded:
		s.Cells, s.Missing, err = recordedOf(ctx, l, name, wish)
	case isRecords(ref):
		s.Folder = true
		s.Cells, err = read(ref, wish)
	default:
		wish.Kernels = kernels(ref)
		s.Wish = wish
		s.Plan, err = l.Resolve(wish)
	}
	return s, err
}

// isRecords says whether ref is the path of a cell file, or of a folder with some in it or directly below it.
func isRecords(ref string) bool {
	st, err := os.Stat(ref)
	if err != nil {
		return false
	}
	if !st.IsDir() {
		return filepath.Ext(ref) == cell.Extension
	}
	if flat, err := cell.Flat(ref); err != nil || flat {
		return flat
	}
	below, err := os.ReadDir(ref)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(below, func(e os.DirEntry) bool {
		flat, err := cell.Flat(filepath.Join(ref, e.Name()))
		return err == nil && flat
	})
}

// read reads records, of which --arch and --scenario choose.
func read(path string, wish lab.Wish) ([]*cell.Cell, error) {
	var cells []*cell.Cell
	var err error
	if st, serr := os.Stat(path); serr == nil && !st.IsDir() {
		var c *cell.Cell
		c, err = cell.Read(path)
		cells = []*cell.Cell{c}
	} else {
		cells, err = cell.ReadTree(path)
	}
	if err != nil {
		return nil, err
	}
	if runs, err := worlds.Split(cells); err != nil {
		return nil, err
	} else if runs != nil {
		return nil, errors.New("they are records of a run of --exhaustive, not of the suite")
	}
	n := len(cells)
	cells = slices.DeleteFunc(cells, func(c *cell.Cell) bool {
		return !among(wish.Archs, archOf(c), c.Arch) || !among(wish.Scenarios, c.ScenarioName())
	})
	if len(cells) == 0 {
		return nil, fmt.Errorf("none of its %d cells is of the architecture and scenario that are asked for", n)
	}
	return cells, nil
}

// archOf returns ARCH, or ARCH/ABI for programs of another ABI.
func archOf(c *cell.Cell) string {
	if abi := c.Line().ABI; abi != "" {
		return c.Arch + "/" + abi
	}
	return c.Arch
}

// among says whether a user's list has one of the names, or asks for all, or for nothing in particular.
func among(list []string, names ...string) bool {
	return len(list) == 0 || slices.Contains(list, lab.AllArchs) ||
		slices.ContainsFunc(names, func(n string) bool { return slices.Contains(list, n) })
}

// recordedOf returns the recorded runs of those cells that booting the kernel of that name would make, and the names
// of those that were never recorded.
func recordedOf(ctx context.Context, l *lab.Lab, name string, wish lab.Wish) (out []*cell.Cell, missing []string, err error) {
	wish.Kernels = []string{name}
	plan, err := l.Resolve(wish)
	if err != nil {
		return nil, nil, err
	}
	if len(plan.Paths())+len(plan.Backends()) > 0 {
		return nil, nil, fmt.Errorf("%s is no kernel of the catalogue, and only of those runs are recorded; give a folder of records", name)
	}
	all, err := baseline.Recorded()
	if err != nil {
		return nil, nil, err
	}
	for _, j := range plan.Identify(ctx) {
		i := slices.IndexFunc(all, func(c *cell.Cell) bool { return c.Series == j.Series && c.Line() == j.Cell().Line() })
		if i < 0 {
			missing = append(missing, j.Name)
			continue
		}
		out = append(out, all[i])
	}
	if len(out) == 0 {
		return nil, nil, fmt.Errorf("there is no recorded run of %s; leave out %q to boot it", strings.Join(missing, ", "), Baseline)
	}
	return out, missing, nil
}

// kernels returns the kernel, or the packages of one, that ref names.
func kernels(ref string) []string {
	if _, err := os.Lstat(ref); err == nil || !strings.Contains(ref, ",") {
		return []string{ref}
	}
	return strings.Split(ref, ",")
}

// Narrow leaves of a folder of many runs what can be compared with the other side, if that was named: its
// scenarios, and if there are several kernels left those that are on the other side, too. It returns how many cells
// that leaves out.
func (s *Side) Narrow(other *Side) (left int) {
	if !s.Folder || other.Folder {
		return 0
	}
	n := len(s.Cells)
	s.Cells = slices.DeleteFunc(s.Cells, func(c *cell.Cell) bool {
		return !slices.ContainsFunc(other.Cells, func(o *cell.Cell) bool { return o.Scenario == c.Scenario })
	})
	if several(s.Cells) {
		s.Cells, _ = change.Like(s.Cells, other.Cells)
	}
	return n - len(s.Cells)
}

// several says whether cells are of more than one kernel.
func several(cells []*cell.Cell) bool {
	return slices.ContainsFunc(cells, func(c *cell.Cell) bool {
		f := cells[0]
		return c.Series != f.Series || c.Arch != f.Arch || c.Flavour != f.Flavour || c.Kernel.Version != f.Kernel.Version
	})
}

// Distinct renames the jobs of one side whose names the other has, too: both are booted together.
func Distinct(before, after []matrix.Job) {
	taken := map[string]bool{}
	for i := range before {
		taken[before[i].Name] = true
	}
	for i := range after {
		name := after[i].Name
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", after[i].Name, n)
		}
		taken[name] = true
		after[i].Name = name
	}
}
