// Package merge makes one run of the shards of it, whose folders hold what several machines recorded.
// What it makes is what one machine would have made of the whole run. A shard that is not there, or did
// not end, leaves its cells broken in it, and nothing that does not belong together is put together.
package merge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pivotspec/results/cell"
)

// Run is what shards make together.
type Run struct {
	// Plan is that of the whole run.
	Plan *cell.Plan
	// Notes are lines that the user has to see: shards that are missing, or there twice.
	Notes []string

	files map[string][]byte // by name of the cell: the content of its file
}

// Error says why shards do not make a run.
type Error struct{ What, Do string }

func (e *Error) Error() string { return e.What + "; " + e.Do }

func wrong(do, format string, args ...any) error {
	return &Error{fmt.Sprintf(format, args...), do}
}

// part is one shard as it was found.
type part struct {
	dir   string
	plan  *cell.Plan
	files map[string][]byte     // by name of the cell
	cells map[string]*cell.Cell // those of files that can be read
}

// Read finds the shards in dirs, each the folder of one or one that has them below it, and puts them
// together. What lies below the folder skip, which may be "", is left out: it is where the result
// goes. The error is an *[Error] if the shards are not those of one run.
func Read(dirs []string, skip string) (*Run, error) {
	var parts []*part
	seen := map[string]bool{}
	for _, d := range dirs {
		found, err := find(d, skip)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			real, err := filepath.EvalSymlinks(f)
			if err != nil {
				return nil, err
			}
			if seen[real] {
				continue // the same folder, by another name
			}
			seen[real] = true
			p, err := read(f)
			if err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
	}
	slices.SortStableFunc(parts, func(a, b *part) int { return a.plan.Shard.Index - b.plan.Shard.Index })
	for _, p := range parts[1:] {
		if err := belong(parts[0], p); err != nil {
			return nil, err
		}
	}
	run := &Run{files: map[string][]byte{}}
	parts, err := run.once(parts)
	if err == nil {
		err = oneGuest(parts)
	}
	if err == nil {
		err = run.join(parts)
	}
	if err != nil {
		return nil, err
	}
	run.Notes = append(run.Notes, kernels(parts)...)
	return run, nil
}

// find returns the folders with a plan at and below dir. CI systems put each artifact into a folder.
func find(dir, skip string) ([]string, error) {
	var found []string
	// The folder that is named may be a link; of those below it none is followed.
	top := dir
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		top = real
	}
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		if skip != "" && same(path, skip) && path != top {
			return fs.SkipDir
		}
		planned, err := cell.Planned(path)
		if err != nil {
			return err
		}
		if planned {
			found = append(found, path)
			return fs.SkipDir
		}
		if stray, err := cell.Flat(path); err != nil || stray {
			return errors.Join(err, wrong("give the folders as `pivotspec run --shard` left them", "%s has records, but no %s that says of which run they are", path, cell.PlanFile))
		}
		return nil
	})
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return nil, wrong("give the folder of a shard, or one with such folders in it", "%s cannot be read: %v", p.Path, p.Err)
	}
	if err == nil && len(found) == 0 {
		err = wrong("give the folder that `pivotspec run --shard` filled, or one with such folders in it", "there is no shard in %s", dir)
	}
	return found, err
}

func same(a, b string) bool {
	sa, err := os.Stat(a)
	sb, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(sa, sb)
}

// read reads the folder of a shard.
func read(dir string) (*part, error) {
	plan, err := cell.ReadPlan(dir)
	if err != nil {
		return nil, err
	}
	if plan.Shard == nil {
		return nil, wrong("leave it out, or run with --shard", "%s is a whole run, and no shard of one", dir)
	}
	p := &part{dir, plan, map[string][]byte{}, map[string]*cell.Cell{}}
	planned := map[string]string{} // names of cells by those of their files
	for _, c := range plan.Cells {
		planned[cell.FileName(c.Name)] = c.Name
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != cell.Extension || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		name, ok := planned[e.Name()]
		if !ok {
			return nil, wrong("take it out, and give each run a folder of its own", "%s is no cell of shard %v, whose folder it is in", filepath.Join(dir, e.Name()), plan.Shard)
		}
		if st, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && !st.Mode().IsRegular() {
			return nil, wrong("take it out", "%s is no regular file", filepath.Join(dir, e.Name()))
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		p.files[name] = b
		c, err := cell.Decode(bytes.NewReader(b))
		if s := (*cell.SchemaError)(nil); errors.As(err, &s) {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, e.Name()), err)
		}
		if err != nil {
			continue // it is merged as it is, and a broken cell to whoever reads it
		}
		if c.Name != name {
			return nil, wrong("take it out", "%s holds the cell %s", filepath.Join(dir, e.Name()), c.Name)
		}
		if i := slices.IndexFunc(plan.Cells, func(x cell.PlannedCell) bool { return x.Name == name }); strings.Join(c.Asked, ",") != plan.Cells[i].Asked {
			return nil, wrong("take it out", "%s was not asked for the behaviours that the plan of shard %v has for it", filepath.Join(dir, e.Name()), plan.Shard)
		}
		p.cells[name] = c
	}
	return p, nil
}

// belong says why two shards are not of one run.
func belong(a, b *part) error {
	x, y := a.plan, b.plan
	const do = "merge shards of one run"
	switch {
	case x.Shard.Of != y.Shard.Of:
		return wrong(do, "%s is shard %v, and %s shard %v: their numbers differ", a.dir, x.Shard, b.dir, y.Shard)
	case x.Shard.Digest != y.Shard.Digest:
		return wrong(do+", each started with the same kernels and options", "%s and %s are shards of two runs, of %s: %s",
			a.dir, b.dir, sizes(x.Shard.Whole, y.Shard.Whole), unlike(x.Shard.Whole, y.Shard.Whole))
	case x.Tool != "" && y.Tool != "" && x.Tool != y.Tool:
		return wrong("run all shards with one pivotspec", "%s was recorded by pivotspec %.12s, and %s by %.12s", a.dir, x.Tool, b.dir, y.Tool)
	}
	return nil
}

func sizes(a, b []cell.PlannedCell) string {
	if len(a) == len(b) {
		return fmt.Sprintf("%d cells each", len(a))
	}
	return fmt.Sprintf("%d and %d cells", len(a), len(b))
}

// unlike names the first cell of two plans that is not the same in both.
func unlike(a, b []cell.PlannedCell) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return "only the second has " + b[i].Name
		case i >= len(b):
			return "only the first has " + a[i].Name
		case a[i].Name != b[i].Name:
			return fmt.Sprintf("the one has %s where the other has %s", a[i].Name, b[i].Name)
		case a[i].Asked != b[i].Asked:
			return fmt.Sprintf("%s was not asked for the same behaviours in both", a[i].Name)
		case a[i] != b[i]:
			return fmt.Sprintf("%s is not the same kernel in both", a[i].Name)
		}
	}
	return "they differ"
}

// once leaves one of each shard. The same shard twice is no harm if both say the same.
func (r *Run) once(parts []*part) ([]*part, error) {
	var out []*part
	for _, p := range parts {
		if len(out) == 0 || out[len(out)-1].plan.Shard.Index != p.plan.Shard.Index {
			out = append(out, p)
			continue
		}
		first := out[len(out)-1]
		if diff, err := differ(first, p); err != nil {
			return nil, err
		} else if diff != "" {
			return nil, wrong("leave out the one that is not to count", "shard %v is there twice, in %s and %s, and they differ: %s", p.plan.Shard, first.dir, p.dir, diff)
		}
		r.Notes = append(r.Notes, fmt.Sprintf("shard %v is there twice, in %s and %s, with the same results: the first counts", p.plan.Shard, first.dir, p.dir))
	}
	return out, nil
}

// differ says in what two runs of one shard differ, "" if only in the time they took.
func differ(a, b *part) (string, error) {
	if !slices.Equal(a.plan.Cells, b.plan.Cells) {
		return "their cells are not the same", nil
	}
	for _, c := range a.plan.Cells {
		x, y := a.cells[c.Name], b.cells[c.Name]
		switch {
		case bytes.Equal(a.files[c.Name], b.files[c.Name]):
			continue // both may have none
		case x == nil || y == nil:
			return c.Name + " is whole in one of them only", nil
		}
		s, err := timeless(x)
		if err != nil {
			return "", err
		}
		t, err := timeless(y)
		if err != nil {
			return "", err
		}
		if !bytes.Equal(s, t) {
			return c.Name, nil
		}
	}
	return "", nil
}

// timeless returns a cell without what is measured of time, which its console has on every line.
func timeless(c *cell.Cell) ([]byte, error) {
	d := *c
	d.WallMillis, d.Console, d.Records = 0, "", slices.Clone(c.Records)
	for i, r := range d.Records {
		s := *r
		s.Micros = 0
		d.Records[i] = &s
	}
	var b bytes.Buffer
	err := cell.Encode(&b, &d)
	return b.Bytes(), err
}

// oneGuest says that programs of one ABI were not asked the same.
func oneGuest(parts []*part) error {
	type first struct{ guest, dir string }
	of := map[string]first{}
	for _, p := range parts {
		for _, name := range slices.Sorted(maps.Keys(p.cells)) {
			c := p.cells[name]
			if c.Guest == "" {
				continue
			}
			abi := c.ABI
			if abi == "" {
				abi = c.Arch
			}
			f, ok := of[abi]
			if !ok {
				of[abi] = first{c.Guest, p.dir}
			} else if f.guest != c.Guest {
				return wrong("run all shards with one pivotspec and one Go, or give all one --guest",
					"the guests for %s are not the same: %.12s in %s, %.12s in %s", abi, f.guest, f.dir, c.Guest, p.dir)
			}
		}
	}
	return nil
}

// join fills the run from one part of each shard that is there.
func (r *Run) join(parts []*part) error {
	whole := parts[0].plan.Shard
	r.Plan = &cell.Plan{Tool: parts[0].plan.Tool, Wish: parts[0].plan.Wish, Cells: slices.Clone(whole.Whole)}
	owner := map[string]*part{}
	there := map[int]bool{}
	for _, p := range parts {
		there[p.plan.Shard.Index] = true
		for _, c := range p.plan.Cells {
			if o := owner[c.Name]; o != nil {
				return wrong("run all shards with one pivotspec", "the cell %s is in two shards, %s and %s", c.Name, o.dir, p.dir)
			}
			owner[c.Name] = p
		}
		maps.Copy(r.files, p.files)
		// What is not the same everywhere is of one machine: an unsharded run would have its own.
		if p.plan.Tool != r.Plan.Tool {
			r.Plan.Tool = ""
		}
		if !equal(p.plan.Wish, r.Plan.Wish) {
			r.Plan.Wish = cell.Wish{}
		}
	}
	var missing []string
	for i := 1; i <= whole.Of; i++ {
		if !there[i] {
			missing = append(missing, fmt.Sprintf("%d/%d", i, whole.Of))
		}
	}
	for i := range r.Plan.Cells {
		c := &r.Plan.Cells[i]
		switch p := owner[c.Name]; {
		case p == nil && len(missing) == 0:
			return wrong("run all shards with one pivotspec", "the cell %s is in none of the shards, which are all there", c.Name)
		case p == nil:
			c.Lost = "planned, and its shard is not among those that were merged: " + strings.Join(missing, ", ") + " missing"
		case p.files[c.Name] == nil:
			c.Lost = fmt.Sprintf("planned, and nothing was recorded: shard %v ended before it", p.plan.Shard)
		}
	}
	switch len(missing) {
	case 0:
	case 1:
		r.Notes = append(r.Notes, "shard "+missing[0]+" is missing: its cells are broken")
	default:
		r.Notes = append(r.Notes, "shards "+strings.Join(missing, ", ")+" are missing: their cells are broken")
	}
	return nil
}

func equal(a, b cell.Wish) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

// kernels names those that have the same name and are not the same: an archive can get a new one while
// shards fetch theirs.
func kernels(parts []*part) []string {
	versions := map[string]map[string]bool{}
	for _, p := range parts {
		for _, c := range p.cells {
			if c.Kernel.Package == "" {
				continue
			}
			k := c.Series + "/" + c.Arch
			if c.Flavour != "" {
				k += " " + c.Flavour
			}
			if versions[k] == nil {
				versions[k] = map[string]bool{}
			}
			versions[k][c.Kernel.PackageVersion] = true
		}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(versions)) {
		if v := slices.Sorted(maps.Keys(versions[k])); len(v) > 1 {
			out = append(out, fmt.Sprintf("%s is not the same kernel in all shards: %s", k, strings.Join(v, ", ")))
		}
	}
	return out
}

// Write stores the run in dir, in which there may be nothing but a former merge of the same run. The
// error is a [*cell.WriteError] or an *[Error].
func (r *Run) Write(dir string) error {
	if err := r.free(dir); err != nil {
		return err
	}
	// The plan first: a merge that is cut short then shows as one that lacks cells.
	for _, c := range r.Plan.Cells {
		if err := os.Remove(filepath.Join(dir, cell.FileName(c.Name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &cell.WriteError{Cell: c.Name, Dir: dir, Err: err}
		}
	}
	if err := cell.WritePlan(dir, r.Plan); err != nil {
		return err
	}
	for _, c := range r.Plan.Cells {
		if b := r.files[c.Name]; b != nil {
			if err := cell.WriteEncoded(dir, c.Name, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// free says that there is something of another run in dir.
func (r *Run) free(dir string) error {
	do := "name a new folder with --out"
	old, err := cell.ReadPlan(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		stray, err := cell.Flat(dir)
		if err == nil && stray {
			err = wrong(do, "%s has records already", dir)
		}
		return err
	case err != nil:
		return err
	case old.Shard != nil:
		return wrong(do, "%s is the folder of shard %v", dir, old.Shard)
	}
	bare := func(cells []cell.PlannedCell) []cell.PlannedCell {
		out := slices.Clone(cells)
		for i := range out {
			out[i].Lost = ""
		}
		return out
	}
	if !slices.Equal(bare(old.Cells), bare(r.Plan.Cells)) {
		return wrong(do, "%s has the records of another run", dir)
	}
	ours := map[string]bool{}
	for _, c := range r.Plan.Cells {
		ours[cell.FileName(c.Name)] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return &cell.WriteError{Dir: dir, Err: err}
	}
	for _, e := range entries {
		if n := e.Name(); filepath.Ext(n) == cell.Extension && !strings.HasPrefix(n, ".") && !ours[n] {
			return wrong(do, "%s has %s, which is no cell of the run", dir, n)
		}
	}
	return nil
}
