package model

import "fmt"

// Check is one of the checks that the call makes before it changes anything.
type Check string

// The checks, by what has to hold.
const (
	Capability         Check = "capability"
	NewRootLookup      Check = "new_root's look-up"
	PutOldLookup       Check = "put_old's look-up"
	PutOldMountable    Check = "put_old not removed"
	PutOldMounted      Check = "put_old's mount not unmounted"
	NotShared          Check = "no shared mount changes"
	OwnNamespace       Check = "root and new_root in the caller's namespace"
	NewRootNotLocked   Check = "new_root not locked"
	NewRootNotRemoved  Check = "new_root not removed"
	NotOnRoot          Check = "new_root and put_old not on the root mount"
	RootIsMountPoint   Check = "root is a mount point"
	RootHasParent      Check = "root has a parent"
	NewRootMountPoint  Check = "new_root is a mount point"
	NewRootHasParent   Check = "new_root has a parent"
	PutOldBelowNewRoot Check = "put_old below new_root"
	NewRootBelowRoot   Check = "new_root below root"
)

// checks says of each check what it asks and which errno the failure has.
// It is never changed.
var checks = map[Check]func(*call) Errno{
	Capability: func(c *call) Errno {
		// Who made a user namespace has every capability in it.
		return fail(c.world.Incapable && !c.world.OwnUserNS(), EPERM)
	},
	NewRootLookup: func(c *call) (e Errno) { c.new, e = c.resolve(c.world.New); return e },
	PutOldLookup:  func(c *call) (e Errno) { c.old, e = c.resolve(c.world.Old); return e },
	PutOldMountable: func(c *call) Errno {
		// The old root goes on top of whatever is mounted on put_old.
		c.old = climb(c.mounts, c.old)
		return fail(c.old.Dir == X, ENOENT)
	},
	PutOldMounted: func(c *call) Errno {
		return fail(c.mounts[c.old.Mount].State == Detached, ENOENT)
	},
	NotShared: func(c *call) Errno {
		return fail(c.shared(c.old.Mount) || c.shared(c.parent(c.new.Mount)) || c.shared(c.parent(c.world.Root.Mount)), EINVAL)
	},
	OwnNamespace: func(c *call) Errno {
		return fail(c.mounts[c.world.Root.Mount].State != Attached || c.mounts[c.new.Mount].State != Attached, EINVAL)
	},
	NewRootNotLocked:  func(c *call) Errno { return fail(c.mounts[c.new.Mount].Locked, EINVAL) },
	NewRootNotRemoved: func(c *call) Errno { return fail(c.new.Dir == X, ENOENT) },
	NotOnRoot: func(c *call) Errno {
		return fail(c.new.Mount == c.world.Root.Mount || c.old.Mount == c.world.Root.Mount, EBUSY)
	},
	RootIsMountPoint:   func(c *call) Errno { return fail(!c.isMountPoint(c.world.Root), EINVAL) },
	RootHasParent:      func(c *call) Errno { return fail(!c.hasParent(c.world.Root.Mount), EINVAL) },
	NewRootMountPoint:  func(c *call) Errno { return fail(!c.isMountPoint(c.new), EINVAL) },
	NewRootHasParent:   func(c *call) Errno { return fail(!c.hasParent(c.new.Mount), EINVAL) },
	PutOldBelowNewRoot: func(c *call) Errno { return fail(!c.reachable(c.old, c.new), EINVAL) },
	NewRootBelowRoot:   func(c *call) Errno { return fail(!c.reachable(c.new, c.world.Root), EINVAL) },
}

func fail(bad bool, e Errno) Errno {
	if bad {
		return e
	}
	return OK
}

func (c *call) isMountPoint(p Pos) bool { return p.Dir == c.mounts[p.Mount].Root }

// Series is the two leading numbers of a kernel's version.
type Series [2]int

// Less reports whether s is older than t.
func (s Series) Less(t Series) bool { return s[0] < t[0] || s[0] == t[0] && s[1] < t[1] }

// Era is a span of kernels that answer alike.
type Era struct {
	// Since is the first series of the era, of those that were seen.
	Since Series
	// Name says what is new in it.
	Name string
	// Checks are made in this order; the first that fails decides.
	Checks []Check
	// Initramfs says how the initramfs is mounted.
	Initramfs Initramfs
}

// Initramfs says how the initramfs is mounted: whether it can be pivoted, and whether it is locked.
type Initramfs uint8

// Ways in which the initramfs is mounted.
const (
	// LockedRoot: it is the root of the namespace, and locked.
	LockedRoot Initramfs = iota
	// PlainRoot: it is the root of the namespace, and never locked.
	PlainRoot
	// OnNullfs: it is mounted on an immutable root, and locked like any mount: if inherited.
	OnNullfs
)

// Mounts returns the mounts of a world as a kernel of the era has them: a world says nothing of
// how its initramfs is mounted.
func (e *Era) Mounts(w *World) []Mount {
	out := append([]Mount(nil), w.Mounts...)
	switch e.Initramfs {
	case LockedRoot:
		out[0].Locked = true
	case PlainRoot:
		out[0].Locked = false
	case OnNullfs:
		out[0].On = Pos{Nullfs, Top}
	}
	return out
}

// The order of the checks in fs/namespace.c, behind capability and look-ups.
// It is never changed.
var topology = []Check{
	NotShared, OwnNamespace, NewRootNotLocked, NewRootNotRemoved, NotOnRoot,
	RootIsMountPoint, RootHasParent, NewRootMountPoint, NewRootHasParent,
	PutOldBelowNewRoot, NewRootBelowRoot,
}

func order(first ...Check) []Check { return append(first, topology...) }

// Eras returns the eras in order of time.
func Eras() []Era {
	return []Era{
		{
			Since: Series{5, 10}, Name: "capability first",
			Checks: order(Capability, NewRootLookup, PutOldLookup, PutOldMountable),
		},
		{
			Since: Series{6, 12}, Name: "an unmounted put_old is ENOENT",
			Checks: order(Capability, NewRootLookup, PutOldLookup, PutOldMountable, PutOldMounted),
		},
		{
			Since: Series{6, 17}, Name: "the initramfs is not locked",
			Checks:    order(Capability, NewRootLookup, PutOldLookup, PutOldMountable, PutOldMounted),
			Initramfs: PlainRoot,
		},
		{
			Since: Series{7, 0}, Name: "look-ups first, initramfs on nullfs",
			Checks:    order(NewRootLookup, PutOldLookup, Capability, PutOldMountable, PutOldMounted),
			Initramfs: OnNullfs,
		},
	}
}

// EraOf returns the era of a kernel. One older than all that were seen is taken for the oldest,
// one newer for the newest: what it does otherwise is a disagreement, and to be told.
func EraOf(s Series) *Era {
	eras := Eras()
	found := &eras[0]
	for i := range eras {
		if !s.Less(eras[i].Since) {
			found = &eras[i]
		}
	}
	return found
}

// SeriesOf reads the series at the beginning of a kernel's release string.
func SeriesOf(release string) (s Series, err error) {
	if _, err := fmt.Sscanf(release, "%d.%d", &s[0], &s[1]); err != nil {
		return Series{}, fmt.Errorf("kernel release %q: want it to begin with two numbers such as 6.12: %w", release, err)
	}
	return s, nil
}
