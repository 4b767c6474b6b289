// Package diagnose says what pivot_root(2) would answer a caller, and why, without making the call:
// it reads how the caller stands - its root, its capabilities, the mounts of its namespace, where both
// paths lead - and names every cause of failure in the order in which the running kernel asks.
//
// [Reader.Read] reads, and changes nothing: neither mounts nor what the calling thread is. What no
// file shows, whether a mount is locked or a Landlock domain is in force, it learns from calls that can
// only fail, and whose errno depends on that; each is explained where it is made. [Facts.Causes] is a
// pure function of what was read.
package diagnose

import (
	"slices"
)

// Truth is what is known of a yes-or-no question.
type Truth int8

// Truths.
const (
	Unknown Truth = iota
	No
	Yes
)

// truth is what is known of a question that was answered.
func truth(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// String returns "yes", "no" or "unknown".
func (t Truth) String() string { return [...]string{"unknown", "no", "yes"}[t] }

// MarshalText is [Truth.String].
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Facts are all that the answer depends on, as far as it could be read.
type Facts struct {
	// Release is the kernel's.
	Release string `json:"release"`
	// LookupsFirst says that the kernel asks for the capability only after both look-ups.
	LookupsFirst Truth `json:"lookups_first"`
	// Filtered is the errno with which a call is refused whose arguments are no addresses, if that
	// is none that the kernel's own pivot_root has for it; "" if it is not.
	Filtered string `json:"filtered,omitempty"`

	Caller Caller `json:"caller"`
	New    Arg    `json:"new_root"`
	Old    Arg    `json:"put_old"`
	// Root is the caller's root directory.
	Root Spot `json:"root"`
	// Below says whether put_old is new_root or below it, and NewBelow whether new_root is the
	// caller's root or below it.
	Below    Truth `json:"put_old_below_new_root"`
	NewBelow Truth `json:"new_root_below_root"`
	// Unread says what could not be read, and why, for people.
	Unread []string `json:"unread,omitempty"`
}

// Caller is what is known of the caller's privileges.
type Caller struct {
	// Effective says whether CAP_SYS_ADMIN is in its effective set, Permitted in its permitted one.
	Effective Truth `json:"cap_sys_admin_effective"`
	Permitted Truth `json:"cap_sys_admin_permitted"`
	// Owner says whether its user namespace is the one that owns its mount namespace, or an ancestor.
	Owner Truth `json:"owns_mount_namespace"`
	// Capable says whether the kernel takes it to have CAP_SYS_ADMIN in the user namespace that
	// owns its mount namespace.
	Capable Truth `json:"capable"`
	// Restricted says whether a security module refuses it every change of mounts, as Landlock does.
	Restricted Truth `json:"restricted"`
	// Profile is its label under AppArmor or SELinux, "" if there is none.
	Profile string `json:"profile,omitempty"`
}

// Arg is an argument, or where it cannot be looked up, why.
type Arg struct {
	// Path is the argument.
	Path string `json:"path"`
	// Errno is that of the look-up, "" if it succeeded.
	Errno string `json:"errno,omitempty"`
	// Problem is the kind of mistake that Errno stands for: the last part of a cause's ID.
	Problem string `json:"problem,omitempty"`
	// At is the part of the path with which the look-up fails.
	At string `json:"at,omitempty"`
	Spot
}

// Spot is a directory on a mount.
type Spot struct {
	// Is is its name from the caller's root, as the kernel has it; "" if none was found.
	Is string `json:"is,omitempty"`
	// Hidden says that this name leads to another place, because something is mounted there.
	Hidden bool `json:"hidden,omitempty"`
	// MountRoot says whether it is the root of its mount: a mount point.
	MountRoot Truth `json:"mount_point"`
	// Removed says whether the directory was removed.
	Removed Truth `json:"removed"`
	Mount   Mount `json:"mount"`
}

// Mount is what is known of a mount.
type Mount struct {
	// ID is that of mountinfo, 0 if it is not known.
	ID uint64 `json:"id"`
	// Point is where it is mounted, Seen from where; Type and Source are those of its filesystem.
	Point  string `json:"point,omitempty"`
	Seen   Seen   `json:"seen,omitempty"`
	Type   string `json:"type,omitempty"`
	Source string `json:"source,omitempty"`
	// Own says whether it is in the caller's mount namespace.
	Own Truth `json:"in_own_namespace"`
	// Elsewhere says in which other mount namespace it was found, "" if in none.
	Elsewhere string `json:"in_other_namespace,omitempty"`
	// Gone says, of put_old's mount that is not in the namespace, whether the kernel takes it for
	// one that is mounted nowhere.
	Gone   Truth `json:"unmounted"`
	Shared Truth `json:"shared"`
	Locked Truth `json:"locked"`
	// HasParent says whether it is mounted on another mount, and the rest what is known of that.
	HasParent    Truth  `json:"has_parent"`
	Parent       uint64 `json:"parent,omitempty"`
	ParentPoint  string `json:"parent_point,omitempty"`
	ParentSeen   Seen   `json:"parent_seen,omitempty"`
	ParentShared Truth  `json:"parent_shared"`
}

// Seen says from where a mount point's name is one.
type Seen string

// Places from which mount points are seen; a name that is good from neither names nothing.
const (
	// Inside: from the caller's root.
	Inside Seen = "root"
	// Outside: from the root of the mount namespace.
	Outside Seen = "namespace"
)

// Lookup errors that are problems of their own, beside those of package faults.
const (
	problemNoFollow    = "nosymfollow"
	problemProtected   = "protected-link"
	problemFailfs      = "failfs"
	problemUntraceable = "untraceable"
	problemOther       = "look-up"
)

// Cause is one thing that makes the call fail.
type Cause struct {
	// ID is that of package faults where it has the fault, else one of this package's; see Known.
	ID string `json:"id"`
	// Or are the IDs of causes that it may be as well: which, cannot be told.
	Or []string `json:"or,omitempty"`
	// Errno is what it alone would give.
	Errno string `json:"errno"`
	// Certain says that it was found; otherwise whether it is so could not be found out.
	Certain bool `json:"certain"`
	// Says tells what is so, in one sentence with names.
	Says string `json:"says"`
	// Because is why it could not be found out.
	Because string `json:"because,omitempty"`
	// Mends are ways to make it vanish; see [Diagnosis.Mend].
	Mends []Mend `json:"mends,omitempty"`
}

// Named reports whether the cause is, or may be, the one with that ID.
func (c *Cause) Named(id string) bool { return c.ID == id || slices.Contains(c.Or, id) }

// Diagnosis is what the call would do.
type Diagnosis struct {
	// Errno is the errno that the call would fail with, "" if it would succeed.
	Errno string `json:"errno"`
	// Sure says that nothing that is not known could change that.
	Sure bool `json:"sure"`
	// Causes are in the order in which the kernel asks, those that were found. Those that
	// could not be ruled out are in Doubts.
	Causes []Cause `json:"causes"`
	Doubts []Cause `json:"doubts,omitempty"`
	Facts  *Facts  `json:"facts"`
}

// OK is what [Diagnosis.Outcome] says of a call that would succeed.
const OK = "OK"

// Outcome is the errno, or "OK".
func (d *Diagnosis) Outcome() string {
	if d.Errno == "" {
		return OK
	}
	return d.Errno
}

// Diagnose draws the conclusion from the facts.
func Diagnose(f *Facts) *Diagnosis {
	d := &Diagnosis{Facts: f, Sure: true, Causes: []Cause{}}
	for _, c := range f.Causes() {
		switch {
		case c.Certain && d.Errno == "":
			d.Errno = c.Errno
			// What may come before it and has the same errno changes nothing.
			d.Sure = !slices.ContainsFunc(d.Doubts, func(x Cause) bool { return x.Errno != c.Errno })
			fallthrough
		case c.Certain:
			d.Causes = append(d.Causes, c)
		default:
			d.Doubts = append(d.Doubts, c)
		}
	}
	if d.Errno == "" {
		d.Sure = len(d.Doubts) == 0
	}
	return d
}
