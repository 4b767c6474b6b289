package model

import "strings"

// Errno is the outcome of the call: OK or the symbol of an errno.
type Errno string

// The outcomes that the model knows.
const (
	OK      Errno = "OK"
	EPERM   Errno = "EPERM"
	ENOENT  Errno = "ENOENT"
	EBUSY   Errno = "EBUSY"
	EFAULT  Errno = "EFAULT"
	ENOTDIR Errno = "ENOTDIR"
	EINVAL  Errno = "EINVAL"
)

// Outcome is what the call does.
type Outcome struct {
	Errno Errno
	// Failed is the check that failed, "" on success.
	Failed Check
	// Mounts are the mounts after the call, in the order of the world's. Only On and Locked
	// can differ.
	Mounts []Mount
	// Root and Cwd are the caller's after the call.
	Root, Cwd Pos
	// Tasks are the bystanders after the call, in the order of the world's.
	Tasks []Task
}

// call is the state of one call between its checks.
type call struct {
	era    *Era
	world  *World
	mounts []Mount
	new    Pos // where new_root leads
	old    Pos // where put_old leads; once mountable, the topmost place there
}

// PivotRoot is the call. It does not change w.
func PivotRoot(era *Era, w *World) Outcome {
	c := call{era: era, world: w, mounts: era.Mounts(w)}
	out := Outcome{Errno: OK, Mounts: c.mounts, Root: w.Root, Cwd: w.Cwd, Tasks: w.Tasks}
	for _, name := range era.Checks {
		if errno := checks[name](&c); errno != OK {
			out.Errno, out.Failed = errno, name
			return out
		}
	}
	c.attach()
	out.Root = c.new // the caller's root is the old root
	out.Cwd = c.move(w.Cwd)
	out.Tasks = make([]Task, 0, len(w.Tasks))
	for _, t := range w.Tasks {
		out.Tasks = append(out.Tasks, Task{Root: c.move(t.Root), Cwd: c.move(t.Cwd), Other: t.Other})
	}
	return out
}

// attach is what success does to the mounts: the new root takes the old root's place, and the
// old root goes to put_old. Being locked stays with the place.
func (c *call) attach() {
	root, new := &c.mounts[c.world.Root.Mount], &c.mounts[c.new.Mount]
	if root.Locked {
		root.Locked, new.Locked = false, true
	}
	new.On, root.On = root.On, c.old
}

// move is what success does to a task's root or cwd: one that is exactly the old root becomes
// the new root, in whatever namespace the task is; every other stays.
func (c *call) move(p Pos) Pos {
	if p == c.world.Root {
		return c.new
	}
	return p
}

// parent returns the mount that m is attached to; the root of a tree is its own parent.
func (c *call) parent(m int8) int8 {
	if on := c.mounts[m].On; on.Mount != None {
		return on.Mount
	}
	return m
}

// shared reports whether m propagates what happens on it. Nullfs does not.
func (c *call) shared(m int8) bool {
	return m >= 0 && c.mounts[m].Propagation == Shared
}

func (c *call) hasParent(m int8) bool { return c.mounts[m].On.Mount != None }

// reachable reports whether p is base or below it: on its mount or on one attached below.
func (c *call) reachable(p, base Pos) bool {
	for p.Mount != base.Mount {
		p = c.mounts[p.Mount].On
		if p.Mount < 0 {
			return false
		}
	}
	return p.Dir.Below(base.Dir)
}

// resolve looks an argument up.
func (c *call) resolve(a Arg) (Pos, Errno) {
	switch a.Kind {
	case Descriptor:
		return a.At, OK
	case BadAddress:
		return Pos{}, EFAULT
	}
	return Lookup(c.world, a.Path)
}

// Lookup is the look-up of a path that has to lead to a directory, by the caller of w. It has no
// need of the era: nullfs cannot be reached by a path.
func Lookup(w *World, path string) (Pos, Errno) {
	if path == "" {
		return Pos{}, ENOENT
	}
	at := w.Cwd
	if path[0] == '/' {
		// What is mounted on the root is not followed.
		at = w.Root
	}
	for name := range strings.SplitSeq(path, "/") {
		switch name {
		case "", ".":
			// Stays: what is mounted on a cwd is not followed either.
		case "..":
			at = climb(w.Mounts, w.up(at))
		case File:
			if at.Dir == Top {
				return Pos{}, ENOTDIR
			}
			return Pos{}, ENOENT
		default:
			d, ok := at.Dir.child(name)
			if !ok {
				return Pos{}, ENOENT
			}
			at = climb(w.Mounts, Pos{at.Mount, d})
		}
	}
	return at, OK
}

// up is "..": the parent directory, past every mount that at is the root of, but never beyond
// the caller's root, nor past the top of a tree.
func (w *World) up(at Pos) Pos {
	for p := at; p != w.Root; {
		m := w.Mounts[p.Mount]
		if p.Dir != m.Root {
			return Pos{p.Mount, p.Dir.Parent()}
		}
		if m.On.Mount < 0 {
			break
		}
		p = m.On
	}
	return at
}
