package enumerate

import (
	"iter"
	"slices"

	"pivotspec/suites/model"
)

// Smaller returns the worlds that are w with one thing less: a bystander, a mount, a propagation
// that is not private, a caller or an argument that is less plain than it could be.
func Smaller(w *model.World) iter.Seq[model.World] {
	return func(yield func(model.World) bool) {
		try := func(change func(*model.World)) bool {
			c := *w
			c.Mounts, c.Tasks = slices.Clone(w.Mounts), slices.Clone(w.Tasks)
			change(&c)
			if c.Check() != nil || c.String() == w.String() {
				return true
			}
			return yield(c)
		}
		for i := range w.Tasks {
			if !try(func(c *model.World) { c.Tasks = slices.Delete(c.Tasks, i, i+1) }) {
				return
			}
		}
		for i := len(w.Mounts) - 1; i > 0; i-- {
			if !used(w, int8(i)) && !try(func(c *model.World) { remove(c, int8(i)) }) {
				return
			}
		}
		changes := []func(*model.World){
			func(c *model.World) { c.Incapable = false },
			func(c *model.World) {
				for i := range c.Mounts {
					c.Mounts[i].Locked = false
				}
			},
			func(c *model.World) { c.Cwd = c.Root },
		}
		for i := range w.Mounts {
			changes = append(changes,
				func(c *model.World) { c.Mounts[i].Propagation = model.Private },
				func(c *model.World) { c.Mounts[i].Locked = i == 0 && c.Mounts[0].Locked },
				func(c *model.World) { // instead of a bind mount, a tmpfs
					if i > 0 && c.Mounts[i].State == model.Attached {
						c.Mounts[i].FS, c.Mounts[i].Root = int8(i), model.Top
					}
				},
			)
		}
		for i := range w.Tasks {
			changes = append(changes,
				func(c *model.World) { c.Tasks[i].Other = false },
				func(c *model.World) { c.Tasks[i].Root = model.Pos{} },
				func(c *model.World) { c.Tasks[i].Cwd = model.Pos{} },
			)
		}
		places := w.Places()
		for _, a := range arguments(w, places) {
			if less(a.arg, w.New) {
				changes = append(changes, func(c *model.World) { c.New = a.arg })
			}
			if less(a.arg, w.Old) {
				changes = append(changes, func(c *model.World) { c.Old = a.arg })
			}
		}
		if w.Root != (model.Pos{}) {
			changes = append(changes, func(c *model.World) { c.Root = usual(c) }, func(c *model.World) { c.Root, c.Cwd = usual(c), usual(c) })
		}
		for _, c := range changes {
			if !try(c) {
				return
			}
		}
	}
}

// less orders arguments: a short path before a long one, any before a descriptor.
func less(a, b model.Arg) bool {
	if a.Kind != b.Kind {
		return a.Kind < b.Kind
	}
	return a.Kind == model.Path && (len(a.Path) < len(b.Path) || len(a.Path) == len(b.Path) && a.Path < b.Path)
}

// used reports whether something in w refers to mount i.
func used(w *model.World, i int8) bool {
	at := []model.Pos{w.Root, w.Cwd}
	for _, t := range w.Tasks {
		at = append(at, t.Root, t.Cwd)
	}
	for _, a := range []model.Arg{w.New, w.Old} {
		if a.Kind == model.Descriptor {
			at = append(at, a.At)
		}
	}
	for j, m := range w.Mounts {
		at = append(at, m.On)
		if j != int(i) {
			at = append(at, model.Pos{Mount: m.FS})
		}
	}
	return slices.ContainsFunc(at, func(p model.Pos) bool { return p.Mount == i })
}

// remove takes mount i, which is not used, out of w.
func remove(w *model.World, i int8) {
	w.Mounts = slices.Delete(w.Mounts, int(i), int(i)+1)
	fix := func(p *model.Pos) {
		if p.Mount > i {
			p.Mount--
		}
	}
	for j := range w.Mounts {
		m := &w.Mounts[j]
		fix(&m.On)
		if m.FS > i {
			m.FS--
		}
	}
	for _, p := range []*model.Pos{&w.Root, &w.Cwd, &w.New.At, &w.Old.At} {
		fix(p)
	}
	for j := range w.Tasks {
		fix(&w.Tasks[j].Root)
		fix(&w.Tasks[j].Cwd)
	}
	alone := len(w.Mounts) > 0 && !slices.ContainsFunc(w.Mounts[1:], func(m model.Mount) bool { return m.Locked })
	if alone {
		w.Mounts[0].Locked = false
	}
}
