// Package model is pivot_root(2) written as a pure function: [PivotRoot] takes a [World] and
// says what becomes of it on a kernel of a given [Era]. It makes no system call and is meant to
// be read as the specification of the call; suites/exhaust builds the same worlds on a real
// kernel and compares.
//
// It was written from fs/namespace.c and fs/namei.c, and corrected where a booted kernel
// disagreed.
package model

// Dir is a directory of a filesystem. Every filesystem of a world has the same few.
type Dir uint8

// The directories of a filesystem. X was removed: no path leads there, but a task may stand in
// it, a descriptor may hold it, and a bind mount of it may exist.
const (
	Top Dir = iota // "/"
	A              // "/a"
	AB             // "/a/b"
	C              // "/c"
	X              // "/x", removed
	numDirs
)

var dirNames = [numDirs]string{"/", "/a", "/a/b", "/c", "/x"}

// Dirs returns all directories, in order.
func Dirs() []Dir { return []Dir{Top, A, AB, C, X} }

// String returns the path of d in its filesystem.
func (d Dir) String() string { return dirNames[d] }

// Parent returns the directory that holds d; Top is its own. Removal does not change it.
func (d Dir) Parent() Dir {
	if d == AB {
		return A
	}
	return Top
}

// Below reports whether d is other or below it.
func (d Dir) Below(other Dir) bool {
	return d == other || other == Top || d == AB && other == A
}

// child returns the directory that name leads to in d. A removed one has no name any more.
func (d Dir) child(name string) (Dir, bool) {
	switch {
	case d == Top && name == "a":
		return A, true
	case d == Top && name == "c":
		return C, true
	case d == A && name == "b":
		return AB, true
	}
	return 0, false
}

// File is the name of a regular file at the top of every filesystem.
const File = "f"

// Pos is a place where a task can stand or a mount can be: a directory on a mount. What is
// mounted on it does not count.
type Pos struct {
	Mount int8 // index in World.Mounts, or None or Nullfs
	Dir   Dir
}

// Indices that are no mount of a world.
const (
	// None is where the root of a mount tree hangs: nowhere.
	None int8 = -1
	// Elsewhere is no place of the world; the model never says it, a kernel may.
	Elsewhere int8 = -3
	// Nullfs is the immutable root below the initramfs of newer kernels.
	Nullfs int8 = -2
)

// State says which tree a mount belongs to.
type State uint8

// States of a mount.
const (
	// Attached: in the caller's mount namespace.
	Attached State = iota
	// Foreign: the root mount of another live mount namespace, a copy of the initramfs.
	Foreign
	// Detached: unmounted lazily and still held; in no namespace.
	Detached
	// Anonymous: made by open_tree(2) with OPEN_TREE_CLONE and never attached.
	Anonymous
)

var stateNames = [...]string{"attached", "foreign", "detached", "anonymous"}

// String returns the name of s.
func (s State) String() string { return stateNames[s] }

// Propagation is the propagation type of a mount.
type Propagation uint8

// Propagation types.
const (
	Private Propagation = iota
	Shared
	Slave
	Unbindable
)

var propagationNames = [...]string{"private", "shared", "slave", "unbindable"}

// String returns the name of p.
func (p Propagation) String() string { return propagationNames[p] }

// Mount is one mount.
type Mount struct {
	// FS is the filesystem, as the index of the first mount of it.
	FS int8
	// Root is the directory of the filesystem that the mount shows as its root. It differs
	// from Top only in a bind mount.
	Root Dir
	// On is where the mount is attached; {None, Top} for the root of a tree.
	On          Pos
	State       State
	Propagation Propagation
	// Locked is MNT_LOCKED: the mount was inherited from a more privileged mount namespace.
	Locked bool
}

// Task is a bystander: a task beside the caller, with a root and a cwd of its own.
type Task struct {
	Root, Cwd Pos
	// Other says that the task's mount namespace is another than the caller's.
	Other bool
}

// ArgKind says how an argument of the call is given.
type ArgKind uint8

// Kinds of argument.
const (
	// Path is an ordinary path, looked up from the caller's root or cwd.
	Path ArgKind = iota
	// Descriptor is a magic link of /proc/self/fd: it leads to exactly one place, whatever is
	// mounted there and whether or not a path leads there.
	Descriptor
	// BadAddress is a pointer to nothing.
	BadAddress
)

// Arg is an argument of the call.
type Arg struct {
	Kind ArgKind
	Path string // of a Path
	At   Pos    // of a Descriptor
}

// World is everything that the outcome of the call depends on, and that it may change.
type World struct {
	// Mounts are the mounts. The first is the initramfs as the caller's namespace shows it.
	// A mount is attached only to one before it.
	Mounts []Mount
	// Root and Cwd are the caller's.
	Root, Cwd Pos
	// Incapable says that the caller's effective set lacks CAP_SYS_ADMIN.
	Incapable bool
	// New and Old are new_root and put_old.
	New, Old Arg
	// Tasks are the bystanders.
	Tasks []Task
}

// OwnUserNS reports whether the caller's mount namespace belongs to a user namespace that the
// caller made: that is how mounts come to be locked.
func (w *World) OwnUserNS() bool {
	for _, m := range w.Mounts {
		if m.Locked {
			return true
		}
	}
	return false
}

// Has reports whether p can be reached, by whatever means. What a locked mount covers cannot:
// nothing was open there when it was inherited.
func (w *World) Has(p Pos) bool {
	if p.Mount < 0 || int(p.Mount) >= len(w.Mounts) || p.Dir >= numDirs {
		return false
	}
	m := &w.Mounts[p.Mount]
	if p.Dir == X {
		// The removed directory can be opened on the mount that it was made on, and is the
		// root of a bind mount of it.
		return m.Root == X || m.FS == p.Mount
	}
	if m.Locked {
		for i := range w.Mounts {
			if o := &w.Mounts[i]; o.Locked && o.On.Mount == p.Mount && p.Dir.Below(o.On.Dir) {
				return false
			}
		}
	}
	return m.Root != X && p.Dir.Below(m.Root)
}

// Places returns every place of the world, mount by mount.
func (w *World) Places() []Pos {
	var out []Pos
	for i := range w.Mounts {
		for d := Top; d < numDirs; d++ {
			if p := (Pos{int8(i), d}); w.Has(p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// HasProc reports whether /proc is to be found in the directory p, so that a task with its root
// or cwd there can name a descriptor.
func (w *World) HasProc(p Pos) bool {
	m := w.Mounts[p.Mount]
	return p.Dir == Top && m.Root == Top && (m.State == Attached || m.State == Foreign)
}

// on returns the index of the mount that is attached at p, None if there is none.
func on(mounts []Mount, p Pos) int8 {
	for i, m := range mounts {
		if m.On == p {
			return int8(i)
		}
	}
	return None
}

// climb follows the mounts that are stacked on p up to the topmost.
func climb(mounts []Mount, p Pos) Pos {
	for {
		i := on(mounts, p)
		if i < 0 {
			return p
		}
		p = Pos{i, mounts[i].Root}
	}
}

// Topmost returns the place on top of all that is mounted on p.
func Topmost(mounts []Mount, p Pos) Pos { return climb(mounts, p) }
