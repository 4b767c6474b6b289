package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"pivotspec/harness/accel"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/results/cell"
	"pivotspec/suites/record"
)

// intent is the plan of the run, as its folder keeps it.
func (r *runner) intent(plan *lab.Plan, jobs []matrix.Job) *cell.Plan {
	var cells []*cell.Cell
	for i := range jobs {
		cells = append(cells, jobs[i].Cell())
	}
	p := &cell.Plan{Cells: cell.PlanOf(cells), Tool: revision(), Wish: asked(r.wish, plan.Paths())}
	if r.shard.Of == 0 {
		return p
	}
	whole := p.Cells
	p.Shard = &cell.Shard{Index: r.shard.Index, Of: r.shard.Of, Digest: cell.Digest(whole), Whole: whole}
	p.Cells = nil
	for _, i := range r.shard.Deal(whole) {
		p.Cells = append(p.Cells, whole[i])
	}
	return p
}

// asked is a wish as a plan keeps it. A path is of use only where it does not depend on the working
// directory.
func asked(w lab.Wish, paths []string) cell.Wish {
	out := cell.Wish{Archs: w.Archs, Scenarios: w.Scenarios, Behaviours: w.Behaviours, Accel: w.Accel, Guest: absolute(w.Guest), Evidence: w.Evidence}
	for _, k := range w.Kernels {
		if slices.Contains(paths, k) {
			k = absolute(k)
		}
		out.Kernels = append(out.Kernels, k)
	}
	return out
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); path != "" && err == nil {
		return abs
	}
	return path
}

// revision says of which source this program was built: a commit, with a plus sign if it was changed;
// "" if the program does not know.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	rev := set["vcs.revision"]
	if rev != "" && set["vcs.modified"] == "true" {
		rev += "+"
	}
	return rev
}

// former returns the plan of the run that --resume goes on with, nil if there is none to go on with,
// and makes its wish that of this run if the user gave none.
func (r *runner) former(dir string) (*cell.Plan, error) {
	if !r.resume {
		return nil, nil
	}
	p, err := cell.ReadPlan(dir)
	if errors.Is(err, fs.ErrNotExist) {
		files, err := filepath.Glob(filepath.Join(dir, "*"+cell.Extension))
		if err == nil && len(files) > 0 {
			return nil, usage(fmt.Errorf("--resume: %s has records, but no %s that says of which run: leave --resume out, or name another folder", dir, cell.PlanFile))
		}
		// The first try of a job that is tried again until it succeeds.
		fmt.Fprintf(r.stderr, "nothing was begun in %s: every cell runs\n", dir)
		return nil, nil
	}
	if err != nil {
		return nil, failed(err)
	}
	if len(r.wish.Kernels)+len(r.wish.Archs)+len(r.wish.Scenarios)+len(r.wish.Behaviours) == 0 {
		w := p.Wish
		r.wish.Kernels, r.wish.Archs, r.wish.Scenarios, r.wish.Behaviours = w.Kernels, w.Archs, w.Scenarios, w.Behaviours
		if r.wish.Guest == "" {
			r.wish.Guest = w.Guest
		}
		if r.wish.Accel == accel.Auto {
			r.wish.Accel = w.Accel
		}
		r.wish.Evidence = r.wish.Evidence || w.Evidence
	}
	return p, nil
}

// continues says what of an earlier run would be lost if the new one took its place. A new run may have
// more cells.
func continues(old, now *cell.Plan) error {
	switch {
	case (old.Shard == nil) != (now.Shard == nil), old.Shard != nil && old.Shard.String() != now.Shard.String():
		return fmt.Errorf("was %s, and this is %s", part(old), part(now))
	case old.Shard != nil && old.Shard.Digest != now.Shard.Digest:
		return fmt.Errorf("was %s of other cells: %s there, %s here", part(old), count(old.Shard.Whole), count(now.Shard.Whole))
	}
	var gone []string
	for _, c := range old.Cells {
		i := slices.IndexFunc(now.Cells, func(n cell.PlannedCell) bool { return n.Name == c.Name })
		if i < 0 {
			gone = append(gone, c.Name)
		} else if !now.Cells[i].Covers(c) {
			return fmt.Errorf("asked %s for behaviours that this does not ask for", c.Name)
		}
	}
	if len(gone) > 0 {
		return fmt.Errorf("has %s, which would not be run now", strings.Join(gone, ", "))
	}
	return nil
}

// partial says that a folder has the records of a part of a run only, "" if it has not: what is not in it
// may be as unexpected as anything.
func partial(dir string) string {
	p, err := cell.ReadPlan(dir)
	if err != nil || p.Shard == nil {
		return ""
	}
	return fmt.Sprintf("this is shard %v: %d of %s; pivotspec merge puts the shards together", p.Shard, len(p.Cells), count(p.Shard.Whole))
}

func part(p *cell.Plan) string {
	if p.Shard == nil {
		return "no shard"
	}
	return "shard " + p.Shard.String()
}

func count(cells []cell.PlannedCell) string {
	if len(cells) == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", len(cells))
}

// unchanged returns the recorded cells in dir that can stand for jobs, by name, and why others cannot:
// a reason for each.
func unchanged(dir string, jobs []matrix.Job) (kept map[string]*cell.Cell, again []string) {
	kept = map[string]*cell.Cell{}
	for i := range jobs {
		c, err := cell.Read(filepath.Join(dir, cell.FileName(jobs[i].Name)))
		why := ""
		switch {
		case errors.Is(err, os.ErrNotExist):
			why = "it did not end"
		case err != nil:
			why = "its records cannot be read"
		case !slices.ContainsFunc(c.Records, func(r *record.Record) bool { return r.Type == record.TypeEnd }):
			why = "its records stop before the end" // whatever it says of itself
		default:
			why = jobs[i].Change(c)
		}
		if why == "" {
			kept[c.Name] = c
		} else {
			again = append(again, why)
		}
	}
	return kept, again
}

// resumed says in one line what of a run is kept, and why the rest is run.
func resumed(total, kept int, again []string) string {
	s := fmt.Sprintf("resumed: %d of %d cells kept", kept, total)
	n := map[string]int{}
	for _, why := range again {
		n[why]++
	}
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%d: %s", n[why], why))
	}
	if len(parts) > 0 {
		s += ", the others run (" + strings.Join(parts, "; ") + ")"
	}
	return s
}

// names is the set of the keys.
func names(cells map[string]*cell.Cell) map[string]bool {
	out := map[string]bool{}
	for n := range cells {
		out[n] = true
	}
	return out
}
