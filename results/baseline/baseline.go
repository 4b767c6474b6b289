// Package baseline keeps the records of real runs as files that are committed, and says in
// what a later run differs from them. The files beside this one, a folder for each
// architecture, are those of the default matrix.
//
// A baseline is a folder of cell files from which everything is removed that differs from
// run to run without meaning: times, accelerators, consoles, informational facts, the
// order in which behaviours were reported. So a rerun changes a file only if a kernel
// package, or what a kernel does, has changed.
//
// There are many cells, and what no verdict needs is left out where it is said elsewhere: a plan that was carried
// out names the behaviours that are reported anyway, and the steps of a behaviour are kept in the cells
// of one line, and in another's only where they are not those of the same series there.
package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// Strip returns a copy of c without what is volatile.
func Strip(base *knowledge.Base, c *cell.Cell) *cell.Cell {
	out := *c
	out.Accel, out.Console, out.WallMillis, out.Records = "", "", 0, nil
	out.Guest, out.Inputs = "", ""
	reported := map[string]bool{}
	for _, r := range c.Records {
		if r.Type == record.TypeObservation {
			reported[r.ID] = true
		}
	}
	for _, r := range c.Records {
		s := *r
		switch r.Type {
		case record.TypeNote, record.TypeEvidence:
			continue // what the init has to say is about one run, and no verdict rests on evidence
		case record.TypePlan:
			s.Plan = slices.Sorted(slices.Values(r.Plan))
			if !slices.ContainsFunc(s.Plan, func(id string) bool { return !reported[id] }) {
				s.Plan = nil
			}
		case record.TypeKernel:
			if r.Kernel != nil {
				k := *r.Kernel
				k.Cmdline = "" // it differs with the accelerator
				s.Kernel = &k
			}
		case record.TypeEnd:
			s.Why = ""
		case record.TypeObservation:
			s.Micros = 0
			if b, ok := base.Behaviour(r.ID); ok {
				s.Facts = maps.Clone(r.Facts)
				maps.DeleteFunc(s.Facts, func(f, _ string) bool { return b.IsInfo(f) })
			}
		}
		out.Records = append(out.Records, &s)
	}
	slices.SortStableFunc(out.Records, func(a, b *record.Record) int {
		return cmp.Or(cmp.Compare(rank(a.Type), rank(b.Type)), cmp.Compare(a.ID, b.ID))
	})
	return &out
}

// rank orders the kinds of record in a baseline; the observations are sorted by ID.
func rank(t record.Type) int {
	order := []record.Type{record.TypePlan, record.TypeKernel, record.TypeObservation, record.TypeWarning}
	if i := slices.Index(order, t); i >= 0 {
		return i
	}
	if t == record.TypeEnd {
		return len(order) + 1
	}
	return len(order)
}

// Write stores the cells as a baseline in dir: in a folder for each architecture, or if dir has cells of
// its own beside those. It refuses cells that are not complete, or were not asked for all, before it writes any.
func Write(dir string, base *knowledge.Base, cells []*cell.Cell) error {
	for _, c := range cells {
		if c.Status != cell.Complete {
			return fmt.Errorf("baseline: cell %s is %s (%s): only complete cells make a baseline", c.Name, c.Status, c.Reason)
		}
		if c.IsPart() {
			return fmt.Errorf("baseline: cell %s was asked for some behaviours only (%d): a baseline is of all; run it without --behaviour", c.Name, len(c.Asked))
		}
	}
	flat, err := cell.Flat(dir)
	if err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	spoken, err := speakers(dir, cells)
	if err != nil {
		return err
	}
	for _, c := range cells {
		stripped := Strip(base, c)
		if !speaks(c) {
			dropSteps(stripped, spoken[c.Series])
		}
		to := dir
		if !flat {
			to = filepath.Join(dir, c.Arch)
		}
		if _, err := cell.Write(to, stripped); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
	}
	return nil
}

// speaks says whether a cell is of the line whose cells keep all steps.
func speaks(c *cell.Cell) bool { return c.Line() == cell.Line{Arch: "amd64"} }

// speakers returns by series the cells that keep all steps, those given or else those in dir.
func speakers(dir string, cells []*cell.Cell) (map[string]*cell.Cell, error) {
	out := map[string]*cell.Cell{}
	if slices.ContainsFunc(cells, func(c *cell.Cell) bool { return !speaks(c) }) {
		there, err := cell.ReadTree(dir)
		if s := (*cell.SchemaError)(nil); errors.As(err, &s) {
			return nil, fmt.Errorf("baseline: %w", err)
		}
		cells = append(there, cells...) // those given come last and count; where nothing can be read, nothing is dropped
	}
	for _, c := range cells {
		if speaks(c) && c.Status == cell.Complete {
			out[c.Series] = c
		}
	}
	return out, nil
}

// dropSteps takes the steps from c that it shares with as, if there is such a cell.
func dropSteps(c, as *cell.Cell) {
	if as == nil {
		return
	}
	steps := map[string][]string{}
	for _, r := range as.Records {
		if r.Type == record.TypeObservation {
			steps[r.ID] = r.Steps
		}
	}
	for _, r := range c.Records { // which are copies
		if there, ok := steps[r.ID]; ok && r.Type == record.TypeObservation && slices.Equal(r.Steps, there) {
			r.Steps = nil
		}
	}
}

// Load reads the baseline in dir, and in the folders of architectures there. Unlike [cell.ReadTree] it
// fails for any file that cannot be read.
func Load(dir string) ([]*cell.Cell, error) {
	cells, err := cell.ReadTree(dir)
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	var errs []error
	for _, c := range cells {
		if c.Status != cell.Complete {
			errs = append(errs, fmt.Errorf("baseline: cell %s is %s: %s", c.Name, c.Status, c.Reason))
		}
	}
	return cells, errors.Join(errs...)
}

// Difference is one behaviour of one cell that differs from the baseline, or the whole
// cell if Behaviour is empty.
type Difference struct {
	Cell      string
	Behaviour string
	Kind      verdict.DifferenceKind
	// Old and New say what was recorded, such as "EINVAL effect=none"; "" for nothing.
	Old, New string
}

// String returns the difference as one line.
func (d Difference) String() string {
	s := d.Cell
	if d.Behaviour != "" {
		s += " " + d.Behaviour
	}
	switch d.Kind {
	case verdict.Changed:
		return fmt.Sprintf("%s: was %s, is %s", s, d.Old, d.New)
	case verdict.Added:
		return strings.TrimSuffix(fmt.Sprintf("%s: new: %s", s, d.New), ": ")
	}
	return strings.TrimSuffix(fmt.Sprintf("%s: gone: %s", s, d.Old), ": ")
}

// Match returns what of a baseline the given cells can be compared with, and how many recorded cells
// that leaves out. Cells that have the name of a recorded one are a run like the recorded, and all
// of their lines counts: a cell that they lack is gone. If planned is set, cells has every cell that its
// run planned, and what the run did not plan is left out. Other cells, such as a kernel given as a
// file, are compared with the recorded cell of their series and line alone, which is
// returned under their name.
func Match(baseline, cells []*cell.Cell, planned bool) (match []*cell.Cell, left int) {
	recorded, named := byName(baseline), byName(cells)
	run := map[cell.Line]bool{} // lines that were run like the recorded
	for _, c := range cells {
		if recorded[c.Name] != nil {
			run[c.Line()] = true
		}
	}
	used := map[*cell.Cell]bool{}
	var out []*cell.Cell
	for _, b := range baseline {
		if named[b.Name] != nil || run[b.Line()] && !planned {
			out, used[b] = append(out, b), true
		}
	}
	for _, c := range cells {
		if recorded[c.Name] != nil {
			continue
		}
		i := slices.IndexFunc(baseline, func(b *cell.Cell) bool { return b.Series == c.Series && b.Line() == c.Line() })
		if i < 0 {
			continue // Compare calls it new
		}
		used[baseline[i]] = true
		same := *baseline[i]
		same.Name = c.Name
		out = append(out, &same)
	}
	return out, len(baseline) - len(used)
}

func byName(cells []*cell.Cell) map[string]*cell.Cell {
	out := map[string]*cell.Cell{}
	for _, c := range cells {
		out[c.Name] = c
	}
	return out
}

// Unasked returns how many observations Compare leaves out, and of how many cells, because their guests, or those of the
// baseline, were not asked for them.
func Unasked(baseline, cells []*cell.Cell) (observations, of int) {
	is := byName(cells)
	for _, was := range baseline {
		now, n := is[was.Name], 0
		if now == nil {
			continue
		}
		for _, pair := range [][2]*cell.Cell{{was, now}, {now, was}} {
			for _, r := range pair[0].Records {
				if r.Type == record.TypeObservation && !pair[1].Asks(r.ID) {
					n++
				}
			}
		}
		if observations += n; n > 0 {
			of++
		}
	}
	return observations, of
}

// Compare says in what cells differ from a baseline, ordered by cell and behaviour. Only
// observations count, without their informational facts, and of those only what both guests were asked for: see
// [Unasked]. Cells are matched by name.
func Compare(base *knowledge.Base, baseline, cells []*cell.Cell) []Difference {
	var out []Difference
	for _, pair := range pairs(baseline, cells, func(c *cell.Cell) string { return c.Name }) {
		switch {
		case pair.old == nil:
			out = append(out, Difference{Cell: pair.key, Kind: verdict.Added, New: string(pair.new.Status)})
		case pair.new == nil:
			out = append(out, Difference{Cell: pair.key, Kind: verdict.Removed, Old: string(pair.old.Status)})
		default:
			out = append(out, compare(base, pair.key, pair.old, pair.new)...)
		}
	}
	return out
}

func compare(base *knowledge.Base, name string, was, is *cell.Cell) []Difference {
	var out []Difference
	gone := 0
	before, now := observations(base, was, is), observations(base, is, was)
	for _, p := range pairs(before, now, func(r *record.Record) string { return r.ID }) {
		switch {
		case p.old == nil:
			out = append(out, Difference{name, p.key, verdict.Added, "", seen(p.new)})
		case p.new == nil && is.Status != cell.Complete:
			gone++ // what a broken cell did not get to is said once, of the cell
		case p.new == nil:
			out = append(out, Difference{name, p.key, verdict.Removed, seen(p.old), ""})
		case p.old.Status == record.Unsupported && p.new.Status == record.Unsupported:
			// Why is for people: of the same kernel from elsewhere it has other words.
		case seen(p.old) != seen(p.new):
			was, is := seen(p.old), seen(p.new)
			// In full it is ten thousand bytes.
			if a, b := faults.Differ(p.old.Facts, p.new.Facts); p.key == faults.Behaviour && a != "" {
				was, is = a, b
			}
			out = append(out, Difference{name, p.key, verdict.Changed, was, is})
		}
	}
	if was.Status != is.Status {
		now := strings.TrimRight(string(is.Status)+" "+is.Reason, " ")
		if gone > 0 {
			now += fmt.Sprintf("; not observed this time: %d of %d behaviours", gone, len(before))
		}
		out = slices.Insert(out, 0, Difference{name, "", verdict.Changed, string(was.Status), now})
	}
	return out
}

// observations returns those of a cell that another was asked for, too.
func observations(base *knowledge.Base, c, other *cell.Cell) []*record.Record {
	var out []*record.Record
	for _, r := range Strip(base, c).Records {
		if r.Type == record.TypeObservation && other.Asks(r.ID) {
			out = append(out, r)
		}
	}
	return out
}

// seen says what a record holds, in full.
func seen(r *record.Record) string {
	if r.Status != record.Observed {
		return strings.TrimRight(fmt.Sprintf("%s %s", r.Status, r.Why), " ")
	}
	s := r.Outcome
	for _, f := range slices.Sorted(maps.Keys(r.Facts)) {
		s += " " + f + "=" + r.Facts[f]
	}
	return s
}

type pair[T any] struct {
	key      string
	old, new *T
}

// pairs matches two lists by key, in the order of the new list with what is gone at its
// end. If a key occurs twice in a list its last item counts.
func pairs[T any](before, after []*T, key func(*T) string) []pair[T] {
	var out []pair[T]
	at := map[string]int{}
	place := func(k string) *pair[T] {
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, pair[T]{key: k})
		}
		return &out[i]
	}
	for _, v := range after {
		place(key(v)).new = v
	}
	for _, v := range before {
		place(key(v)).old = v
	}
	return out
}
