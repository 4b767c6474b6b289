// Package enumerate lists small worlds of package model, each once.
//
// The size of a world is the number of things in it that are not as plain as they could be: a
// mount beyond the first two, a propagation that is not private, a root that is not the top of
// the first mount, and so on. All worlds up to a size are listed, and so every combination of
// that many oddities: every pair of faults that can exist together is among them.
package enumerate

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"

	"pivotspec/suites/model"
)

// Bounds say which worlds are listed.
type Bounds struct {
	// Size is the size up to which all worlds are listed.
	Size int
	// Sample lists, of the plainest mounts, every so-manieth of the worlds that are one larger
	// than Size; 0 lists none.
	Sample int
	// Mounts is how many mounts a world may have beside the initramfs.
	Mounts int
}

// Default are the bounds of a run without flags. A prime is in step with no other choice.
func Default() Bounds { return Bounds{Size: 2, Sample: 61, Mounts: 3} }

// Stages calls yield with the mounts of every world within the bounds, and their size. Mounts
// are numbered so that their places ascend; two trees that differ only in the numbers, or in
// which of two plain directories they use, are listed once.
func Stages(b Bounds, yield func(mounts []model.Mount, size int) bool) {
	more := true
	emit := func(mounts []model.Mount, size int) {
		propagations(mounts, 0, size, b.Size, func(m []model.Mount, size int) {
			more = more && yield(m, size)
		})
	}
	for n := 0; n <= b.Mounts && more; n++ {
		trees(initramfs(), n, max(0, n-2), b.Size, emit)
	}
}

func initramfs() []model.Mount {
	return []model.Mount{{On: model.Pos{Mount: model.None}}}
}

// trees extends mounts by n more.
func trees(mounts []model.Mount, n, size, limit int, emit func([]model.Mount, int)) {
	if size > limit {
		return
	}
	if n == 0 {
		emit(mounts, size)
		if size < limit && len(mounts) > 1 {
			lock(mounts, size, emit)
		}
		return
	}
	i := int8(len(mounts))
	with := func(m model.Mount, size int) {
		trees(append(mounts[:i:i], m), n-1, size, limit, emit)
	}
	last := mounts[i-1]
	if last.State == model.Attached {
		for p := range i {
			for _, d := range []model.Dir{model.Top, model.A, model.AB, model.C} {
				at := model.Pos{Mount: p, Dir: d}
				if !free(mounts, at) || p < last.On.Mount || p == last.On.Mount && d <= last.On.Dir {
					continue
				}
				w := oddity(mounts, at)
				with(model.Mount{FS: i, On: at}, size+w)
				for fs := range i {
					for _, root := range []model.Dir{model.Top, model.A, model.X} {
						if mounts[fs].FS == fs {
							with(model.Mount{FS: fs, Root: root, On: at}, size+w+1)
						}
					}
				}
			}
		}
	}
	if n == 1 {
		none := model.Pos{Mount: model.None}
		if i <= 2 { // else it counts as the third mount
			size++
		}
		with(model.Mount{FS: 0, On: none, State: model.Foreign}, size)
		with(model.Mount{FS: i, On: none, State: model.Detached}, size)
		with(model.Mount{FS: i, On: none, State: model.Anonymous}, size)
	}
}

// free reports whether a mount may go to at: a directory that exists, with nothing on it, and
// not C where A, which is like it, is free of mounts on and below it.
func free(mounts []model.Mount, at model.Pos) bool {
	m := mounts[at.Mount]
	if m.State != model.Attached || m.Root == model.X || !at.Dir.Below(m.Root) {
		return false
	}
	like := false
	for _, o := range mounts[1:] {
		if o.On == at {
			return false
		}
		like = like || o.On.Mount == at.Mount && o.On.Dir.Below(model.A)
	}
	return at.Dir != model.C || like
}

// oddity is the size of a mount at a place beside being there.
func oddity(mounts []model.Mount, at model.Pos) int {
	if at.Dir == model.Top || at.Dir == mounts[at.Mount].Root || at.Dir == model.AB {
		return 1
	}
	return 0
}

// lock lists the ways in which some of the mounts can have been inherited.
func lock(mounts []model.Mount, size int, emit func([]model.Mount, int)) {
	for set := 0; set < 1<<(len(mounts)-1); set++ {
		out := append([]model.Mount(nil), mounts...)
		out[0].Locked = true
		for i := range out[1:] {
			out[i+1].Locked = set&(1<<i) != 0
		}
		w := model.World{Mounts: out}
		if w.Check() == nil {
			emit(out, size+1)
		}
	}
}

// propagations lists the propagation types of the mounts from index i on.
func propagations(mounts []model.Mount, i, size, limit int, emit func([]model.Mount, int)) {
	if size > limit {
		return
	}
	if i == len(mounts) {
		emit(mounts, size)
		return
	}
	propagations(mounts, i+1, size, limit, emit)
	if mounts[i].State != model.Attached {
		return
	}
	for _, p := range []model.Propagation{model.Shared, model.Slave, model.Unbindable} {
		if p == model.Slave && mounts[i].Locked {
			continue // cannot be made
		}
		out := append([]model.Mount(nil), mounts...)
		out[i].Propagation = p
		propagations(out, i+1, size+1, limit, emit)
	}
}

// sized is a choice and what it adds to a world's size.
type sized[T any] struct {
	v    T
	size int
}

// Worlds calls yield with every world of the given mounts whose callers, arguments and
// bystanders add at most limit to the size. The world is valid during the call only.
func Worlds(mounts []model.Mount, limit int, yield func(*model.World, int) bool) {
	w := model.World{Mounts: mounts}
	places := w.Places()
	for _, root := range roots(&w, places) {
		if root.size > limit {
			continue
		}
		w.Root = root.v
		for _, cwd := range cwds(&w, places) {
			size := root.size + cwd.size
			if size > limit {
				continue
			}
			w.Cwd = cwd.v
			if !calls(&w, places, size, limit, yield) {
				return
			}
		}
	}
}

// usual is where a caller's root plainly is: the top of the first mount, or of the initramfs.
func usual(w *model.World) model.Pos {
	if len(w.Mounts) > 1 && w.Mounts[1].State == model.Attached {
		return model.Pos{Mount: 1, Dir: w.Mounts[1].Root}
	}
	return model.Pos{}
}

func roots(w *model.World, places []model.Pos) []sized[model.Pos] {
	var out []sized[model.Pos]
	for _, p := range places {
		s := 1
		if p == usual(w) {
			s = 0
		}
		out = append(out, sized[model.Pos]{p, s})
	}
	return out
}

func cwds(w *model.World, places []model.Pos) []sized[model.Pos] {
	var out []sized[model.Pos]
	for _, p := range places {
		s := 1
		if p == w.Root {
			s = 0
		}
		out = append(out, sized[model.Pos]{p, s})
	}
	return out
}

// argument is one way to give an argument, and where it leads if it leads anywhere.
type argument struct {
	arg  model.Arg
	at   model.Pos
	size int
}

// arguments lists the ways to give an argument from where the caller stands: each place once by
// its shortest absolute path, "." and "..", each place that no path leads to by descriptor, and
// the ways to fail. The size of a path is 0 if plain accepts where it leads.
func arguments(w *model.World, places []model.Pos) []argument {
	var out []argument
	seen := map[model.Pos]bool{}
	path := func(p string) {
		at, e := model.Lookup(w, p)
		if e != model.OK {
			at.Mount = model.None
		}
		out = append(out, argument{model.Arg{Path: p}, at, 1})
	}
	path("/")
	seen[w.Root] = true
	// Breadth first, so that each place has its shortest path.
	for queue := []string{""}; len(queue) > 0; queue = queue[1:] {
		for _, name := range []string{"/a", "/b", "/c"} {
			p := queue[0] + name
			if at, e := model.Lookup(w, p); e == model.OK && !seen[at] {
				seen[at] = true
				out = append(out, argument{model.Arg{Path: p}, at, 0})
				queue = append(queue, p)
			}
		}
	}
	if w.Cwd != w.Root {
		path(".")
	}
	path("..")
	if w.HasProc(w.Root) || w.HasProc(w.Cwd) {
		for _, p := range places {
			if !seen[p] {
				out = append(out, argument{model.Arg{Kind: model.Descriptor, At: p}, p, 1})
			}
		}
	}
	for _, p := range []string{"", "/n", "/f"} {
		path(p)
	}
	return append(out, argument{model.Arg{Kind: model.BadAddress}, model.Pos{Mount: model.None}, 1})
}

// calls lists the capability, the arguments and the bystanders.
func calls(w *model.World, places []model.Pos, size, limit int, yield func(*model.World, int) bool) bool {
	args := arguments(w, places)
	for _, new := range args {
		// Plainly, new_root is a mount and put_old a directory on it, or below the top of any
		// mount where new_root itself is odd.
		size := size + new.size
		if new.size == 0 && new.at.Dir != w.Mounts[new.at.Mount].Root {
			size++
		}
		if size > limit {
			continue
		}
		for _, old := range args {
			size := size + old.size
			plain := old.at.Mount == new.at.Mount && old.at != new.at
			if new.size > 0 {
				plain = old.size == 0 && old.at.Dir != w.Mounts[old.at.Mount].Root
			}
			if old.size == 0 && !plain {
				size++
			}
			w.New, w.Old = new.arg, old.arg
			for _, incapable := range []bool{false, true} {
				size := size
				if incapable {
					size++
				}
				if size > limit {
					continue
				}
				w.Incapable, w.Tasks = incapable, nil
				if !yield(w, size) || !tasks(w, bystanders(w, new.at), 0, size+1, limit, yield) {
					return false
				}
			}
		}
	}
	return true
}

// maxTasks bounds the bystanders of a world that is listed.
const maxTasks = 2

// bystanders are the tasks that a world can have beside the caller: a root and a cwd that are
// the caller's or new_root, a directory on the caller's root mount, or the initramfs; in the
// caller's namespace or in another.
func bystanders(w *model.World, new model.Pos) []model.Task {
	stands := []model.Pos{w.Root}
	add := func(p model.Pos) {
		if !w.Has(p) {
			return
		}
		for _, s := range stands {
			if s == p {
				return
			}
		}
		stands = append(stands, p)
	}
	add(model.Pos{Mount: w.Root.Mount, Dir: model.A})
	add(model.Pos{})
	add(new)
	var out []model.Task
	for _, root := range stands {
		for _, cwd := range stands {
			out = append(out, model.Task{Root: root, Cwd: cwd}, model.Task{Root: root, Cwd: cwd, Other: true})
		}
	}
	return out
}

func tasks(w *model.World, choice []model.Task, from, size, limit int, yield func(*model.World, int) bool) bool {
	if size > limit || len(w.Tasks) == maxTasks {
		return true
	}
	have := w.Tasks
	for i := from; i < len(choice); i++ {
		w.Tasks = append(have[:len(have):len(have)], choice[i])
		if !yield(w, size) || !tasks(w, choice, i, size+1, limit, yield) {
			return false
		}
	}
	w.Tasks = have
	return true
}

// All calls yield with every world within the bounds, those of the same mounts together. The
// world is valid during the call only.
func All(b Bounds, yield func(*model.World) bool) {
	Stages(b, func(mounts []model.Mount, stage int) bool {
		more, limit := true, b.Size-stage
		sampled := stage == 0 && b.Sample > 0
		if sampled {
			limit++
		}
		larger := 0
		Worlds(mounts, limit, func(w *model.World, size int) bool {
			if sampled && size == limit {
				if larger++; larger%b.Sample != 0 {
					return true
				}
			}
			more = yield(w)
			return more
		})
		return more
	})
}

// Random calls yield with n worlds that chance picks, most of them beyond any bounds. The same seed
// gives the same worlds; none is given twice. The world is valid during the call only.
func Random(seed uint64, n int, yield func(*model.World) bool) {
	r := rand.New(rand.NewPCG(seed, 0x70766f74))
	seen := map[uint64]bool{}
	for len(seen) < n {
		mounts := randomMounts(r)
		// Building mounts costs most, so each is used for several worlds.
		for i := 0; i < perStage && len(seen) < n; i++ {
			w := randomWorld(r, mounts)
			d := Digest(0, &w)
			if w.Check() != nil || seen[d] {
				continue
			}
			seen[d] = true
			if !yield(&w) {
				return
			}
		}
	}
}

// perStage is how many random worlds share their mounts.
const perStage = 100

func randomMounts(r *rand.Rand) []model.Mount {
	mounts := initramfs()
	n := 2 + r.IntN(5)
	for i := int8(1); int(i) <= n; i++ {
		m := model.Mount{FS: i, On: model.Pos{Mount: int8(r.IntN(int(i))), Dir: model.Dir(r.IntN(4))}}
		if r.IntN(4) == 0 {
			m.FS, m.Root = int8(r.IntN(int(i))), model.Dir(r.IntN(5))
		}
		w := model.World{Mounts: append(mounts[:i:i], m)}
		if w.Check() != nil {
			i--
			continue
		}
		mounts = w.Mounts
	}
	switch r.IntN(6) {
	case 0, 1:
		mounts[0].Locked = true
		for i := 1; i < len(mounts); i++ {
			mounts[i].Locked = r.IntN(2) == 0
			if (&model.World{Mounts: mounts}).Check() != nil {
				mounts[i].Locked = false
			}
		}
	case 2:
		for s := model.Foreign; s <= model.Anonymous; s++ {
			m := model.Mount{FS: int8(len(mounts)), On: model.Pos{Mount: model.None}, State: s}
			if s == model.Foreign {
				m.FS = 0
			}
			mounts = append(mounts, m)
		}
	}
	for i := range mounts {
		if mounts[i].State == model.Attached && r.IntN(4) == 0 {
			mounts[i].Propagation = model.Propagation(1 + r.IntN(3))
		}
		if mounts[i].Locked && mounts[i].Propagation == model.Slave {
			mounts[i].Propagation = model.Unbindable
		}
	}
	return mounts
}

func randomWorld(r *rand.Rand, mounts []model.Mount) model.World {
	w := model.World{Mounts: mounts}
	places := w.Places()
	pick := func() model.Pos { return places[r.IntN(len(places))] }
	w.Root = pick()
	if r.IntN(3) > 0 {
		w.Root = usual(&w)
	}
	w.Cwd = w.Root
	if r.IntN(2) == 0 {
		w.Cwd = pick()
	}
	args := arguments(&w, places)
	argument := func() argument {
		a := args[r.IntN(len(args))]
		for a.at.Mount < 0 && r.IntN(8) > 0 { // one that leads nowhere hides all other faults
			a = args[r.IntN(len(args))]
		}
		return a
	}
	new, old := argument(), argument()
	w.New, w.Old, w.Incapable = new.arg, old.arg, r.IntN(10) == 0
	by := bystanders(&w, new.at)
	for range r.IntN(4) {
		w.Tasks = append(w.Tasks, by[r.IntN(len(by))])
	}
	return w
}

// Digest returns a number for the world, chained onto a former one: of two lists of worlds that
// have the same digest it can be taken that they are the same.
func Digest(former uint64, w *model.World) uint64 {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 256), former)
	pos := func(p model.Pos) { b = append(b, byte(p.Mount), byte(p.Dir)) }
	flag := func(f bool) {
		v := byte(0)
		if f {
			v = 1
		}
		b = append(b, v)
	}
	b = append(b, byte(len(w.Mounts)))
	for _, m := range w.Mounts {
		b = append(b, byte(m.FS), byte(m.Root), byte(m.State), byte(m.Propagation))
		pos(m.On)
		flag(m.Locked)
	}
	pos(w.Root)
	pos(w.Cwd)
	flag(w.Incapable)
	for _, a := range []model.Arg{w.New, w.Old} {
		b = append(b, byte(a.Kind), byte(len(a.Path)))
		b = append(b, a.Path...)
		pos(a.At)
	}
	for _, t := range w.Tasks {
		pos(t.Root)
		pos(t.Cwd)
		flag(t.Other)
	}
	h := fnv.New64a()
	_, _ = h.Write(b) // never fails
	return h.Sum64()
}
