// Package faults is the list of what can be wrong with a call of pivot_root(2), and what
// follows from that list: which two faults can be true of one call at once. Package pairs
// makes those calls; reports work out from the winners in which order a kernel checks.
//
// It is pure data: guests and hosts import it. What errno a fault has, and which of two wins,
// is not said here; that is knowledge (orders.yaml), and differs between kernels.
package faults

import (
	"fmt"
	"slices"
)

// Behaviour is the ID of the behaviour as which the pairs are observed.
const Behaviour = "order/pairs"

// Features that a kernel, or the way in which it was booted, may lack; see [Fault.Needs].
const (
	UserNamespaces = "user namespaces"
	Landlock       = "Landlock"
	ParentlessRoot = "a root mount without a parent"
)

// Field is one property of a call and the world that it is made in. A fault sets some; what no
// fault sets is as a call that succeeds needs it.
type Field int

// The fields. An argument's is a path that cannot be looked up; where it is set, no place is
// reached of which a field with the same beginning could say something.
const (
	Caller Field = iota
	Security

	NewPath
	NewMount
	NewShape
	NewLink
	NewParent
	NewLock
	NewWhere

	OldPath
	OldMount
	OldLink
	OldShared
	OldWhere

	RootShape
	RootParent
	RootSpace
	fields // how many there are
)

// String returns what the field is a property of, for readers.
func (f Field) String() string {
	return [fields]string{
		Caller:     "the caller's capability",
		Security:   "the caller's restriction",
		NewPath:    "new_root",
		NewMount:   "new_root's mount",
		NewShape:   "new_root's mount point",
		NewLink:    "new_root's link",
		NewParent:  "the parent of new_root's mount",
		NewLock:    "the lock of new_root's mount",
		NewWhere:   "new_root's position",
		OldPath:    "put_old",
		OldMount:   "put_old's mount",
		OldLink:    "put_old's link",
		OldShared:  "the propagation of put_old's mount",
		OldWhere:   "put_old's position",
		RootShape:  "the mount point of the caller's root",
		RootParent: "the parent of the root mount",
		RootSpace:  "the namespace of the caller's root",
	}[f]
}

// Values are the fields that are set, "" for those that are not.
type Values [fields]string

// about says whether the fault is one of the place that an argument leads to.
func (f *Fault) about(arg Field) bool {
	last := NewWhere
	if arg == OldPath {
		last = OldWhere
	}
	for i := arg + 1; i <= last; i++ {
		if f.Sets[i] != "" {
			return true
		}
	}
	return arg == NewPath && f.Sets[OldWhere] != ""
}

// Values of fields, as package pairs builds them; the values of NewPath and OldPath are names
// of paths, see [Fault.Path].
const (
	NoCapability = "without CAP_SYS_ADMIN"
	ChildUser    = "root of a child user namespace"
	Restricted   = "by Landlock"
	OnRoot       = "the root mount"
	Foreign      = "in another mount namespace"
	Detached     = "detached"
	Unmounted    = "lazily unmounted"
	Directory    = "an ordinary directory"
	Removed      = "removed"
	Shared       = "shared"
	Locked       = "locked"
	Outside      = "not below the caller's root"
	Aside        = "not below new_root"
	None         = "none"
)

// Fault is one thing that can be wrong with a call.
type Fault struct {
	// ID is permanent and unique.
	ID string
	// Title is for readers.
	Title string
	// Class is the name that faults share which a reader takes for one check. Reports use it
	// where the faults of a class stand together.
	Class string
	// Needs is the feature without which there is no such fault, "" if none.
	Needs string
	// Sets is what the fault makes of the world.
	Sets Values
}

// Table returns the faults, roughly in the order in which kernels check.
func Table() []Fault {
	list := []Fault{
		fault("no-cap", "no CAP_SYS_ADMIN", "capability", "", set(Caller, NoCapability)),
		fault("child-user", "root of a child user namespace", "capability", UserNamespaces, set(Caller, ChildUser)),
	}
	for _, arg := range []struct {
		id, name string
		field    Field
	}{{"new", "new_root", NewPath}, {"old", "put_old", OldPath}} {
		for _, p := range paths() {
			list = append(list, fault(arg.id+"-"+p.id, arg.name+" "+p.title, arg.name+" look-up", "", set(arg.field, p.id)))
		}
	}
	return append(list,
		fault("landlock", "a Landlock domain", "Landlock", Landlock, set(Security, Restricted)),
		fault("old-removed", "put_old is removed", "put_old removed", "", set(OldLink, Removed)),
		fault("old-unmounted", "put_old is lazily unmounted", "put_old unmounted", "", set(OldMount, Unmounted)),
		fault("old-detached", "put_old is on a detached mount", "put_old detached", "", set(OldMount, Detached)),
		fault("old-foreign", "put_old is in another mount namespace", "put_old foreign", "", set(OldMount, Foreign)),
		fault("old-shared", "put_old's mount is shared", "shared", "", set(OldShared, Shared)),
		fault("new-parent-shared", "the parent mount of new_root is shared", "shared", "", set(NewParent, Shared)),
		fault("root-parent-shared", "the parent mount of the root is shared", "shared", "", set(RootParent, Shared)),
		fault("new-foreign", "new_root is in another mount namespace", "foreign", "", set(NewMount, Foreign)),
		fault("root-foreign", "the root is in another mount namespace", "foreign", "", set(RootSpace, Foreign)),
		fault("new-detached", "new_root is a detached mount", "new_root detached", "", set(NewMount, Detached)),
		fault("new-locked", "new_root's mount is locked", "locked", UserNamespaces, set(NewLock, Locked)),
		fault("new-removed", "new_root is removed", "new_root removed", "", set(NewLink, Removed).and(NewShape, Directory)),
		fault("new-on-root", "new_root is on the root mount", "root mount", "", set(NewMount, OnRoot)),
		fault("old-on-root", "put_old is on the root mount", "root mount", "", set(OldMount, OnRoot)),
		fault("root-not-mount", "the root is not a mount point", "mount points", "", set(RootShape, Directory)),
		fault("root-no-parent", "the root mount has no parent", "mount points", ParentlessRoot, set(RootParent, None)),
		fault("new-not-mount", "new_root is not a mount point", "mount points", "", set(NewShape, Directory)),
		fault("old-not-below", "put_old is not below new_root", "positions", "", set(OldWhere, Aside)),
		fault("new-outside", "new_root is not below the root", "positions", "", set(NewWhere, Outside)),
	)
}

func fault(id, title, class, needs string, sets Values) Fault {
	return Fault{ID: id, Title: title, Class: class, Needs: needs, Sets: sets}
}

// path is a way in which an argument cannot be looked up.
type path struct{ id, title string }

// The paths that cannot be looked up, by the values of NewPath and OldPath.
const (
	BadAddress = "bad-address"
	Missing    = "missing"
	Empty      = "empty"
	Dangling   = "dangling"
	LongName   = "long-name"
	LongPath   = "long-path"
	Loop       = "loop"
	File       = "file"
	FileMount  = "file-mount"
	BelowFile  = "below-file"
	Closed     = "closed"
)

func paths() []path {
	return []path{
		{BadAddress, "points to no memory of the caller's"},
		{Missing, "does not exist"},
		{Empty, "is an empty string"},
		{Dangling, "is a dangling symbolic link"},
		{LongName, "has a component of 256 bytes"},
		{LongPath, "has 4096 bytes"},
		{Loop, "is a symbolic link to itself"},
		{File, "is a regular file"},
		{FileMount, "is the mount point of a file"},
		{BelowFile, "has a file as prefix"},
		{Closed, "is behind a directory that the caller may not search"},
	}
}

// set makes the values of a fault.
func set(f Field, value string) Values {
	var v Values
	v[f] = value
	return v
}

// and is set for a fault with one more value.
func (v Values) and(f Field, value string) Values {
	v[f] = value
	return v
}

// Pair is two faults of the table.
type Pair struct {
	// A stands before B in the table.
	A, B *Fault
	// Excluded says that the two cannot be true at once; see [Pair.Reason].
	Excluded bool
}

// Pairs returns every two of some faults, in their order, which is that of the table.
func Pairs(list []Fault) []Pair {
	declared := declared()
	first := map[string]bool{} // of two that are declared; few are, and to look for all takes its time
	for ids := range declared {
		first[ids[0]] = true
	}
	out := make([]Pair, 0, len(list)*(len(list)-1)/2)
	for i := range list {
		for k := i + 1; k < len(list); k++ {
			a, b := &list[i], &list[k]
			clash, field := exclude(a, b)
			excluded := clash || field >= 0 || first[a.ID] && declared[[2]string{a.ID, b.ID}] != ""
			out = append(out, Pair{A: a, B: b, Excluded: excluded})
		}
	}
	return out
}

// Reason says why the two cannot be true at once, "" if they can.
func (p Pair) Reason() string {
	unreachable, f := exclude(p.A, p.B)
	switch {
	case unreachable:
		return fmt.Sprintf("%s cannot be looked up, so it has no place that could be at fault", f)
	case f == NewPath || f == OldPath:
		return fmt.Sprintf("one look-up of %s has one fault", f)
	case f >= 0:
		return fmt.Sprintf("%s is either %s or %s", f, p.A.Sets[f], p.B.Sets[f])
	}
	return declared()[[2]string{p.A.ID, p.B.ID}]
}

// AtOnce returns as many faults as can be true at once, the earlier first, of those that need
// no feature.
func AtOnce(list []Fault) []*Fault {
	var out []*Fault
	declared := declared()
	for i := range list {
		f := &list[i]
		if f.Needs == "" && !slices.ContainsFunc(out, func(o *Fault) bool {
			unreachable, field := exclude(o, f)
			return unreachable || field >= 0 || declared[[2]string{o.ID, f.ID}] != ""
		}) {
			out = append(out, f)
		}
	}
	return out
}

// declared are the pairs that the fields allow and the world does not. A reason is for readers.
func declared() map[[2]string]string {
	const (
		noParent = "a detached mount has no parent"
		whole    = "whatever is on the root mount is below a root that is a mount point"
	)
	return map[[2]string]string{
		{"new-on-root", "new-outside"}:        whole,
		{"new-parent-shared", "new-detached"}: noParent,
		{"new-detached", "new-locked"}:        "a detached copy of a mount is not locked",
		{"old-unmounted", "old-shared"}:       "the umount makes the mount private",
		{"new-on-root", "root-no-parent"}:     "up to 6.16 the mount of the initramfs is locked, which would be a third fault",
	}
}

// exclude says what excludes one fault where the other is: an argument, if one is that it cannot be
// looked up and the other is one of its place; or a field of which they say different things.
// It returns -1 if there is no such field.
func exclude(a, b *Fault) (unreachable bool, f Field) {
	for _, arg := range []Field{NewPath, OldPath} {
		if a.Sets[arg] != "" && b.about(arg) || b.Sets[arg] != "" && a.about(arg) {
			return true, arg
		}
	}
	for f := range fields {
		if v, w := a.Sets[f], b.Sets[f]; v != "" && w != "" && v != w {
			return false, f
		}
	}
	return false, -1
}
