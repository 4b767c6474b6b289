package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/suites/model"
)

// IDs of causes that package faults does not have.
const (
	// Filtered: a filter of system calls answers instead of the kernel.
	Filtered = "filtered"
	// NewNoParent: new_root's mount is mounted on nothing.
	NewNoParent = "new-no-parent"
	// AppArmor: the caller's profile may not allow it, which is never known.
	AppArmor = "apparmor"
)

// check is one thing that the kernel asks, and what it is called when it is not as it has to be.
type check struct {
	id    string
	errno string
	// wrong says whether it is so, and says and because tell a reader.
	wrong func(f *Facts) Truth
	says  func(f *Facts) string
	// or are causes that cannot be told from this one where it is found.
	or func(f *Facts) []string
}

// Causes returns everything that makes the call fail, in the order in which the kernel asks, and what
// may do so because it could not be found out.
func (f *Facts) Causes() []Cause {
	var out []Cause
	for _, c := range f.checks() {
		t := c.wrong(f)
		if t == No {
			continue
		}
		x := Cause{ID: c.id, Errno: c.errno, Certain: t == Yes, Says: c.says(f)}
		switch c.id {
		case Filtered:
			x.Errno = f.Filtered
		case "new":
			x.ID, x.Errno = "new-"+f.New.Problem, f.New.Errno
		case "old":
			x.ID, x.Errno = "old-"+f.Old.Problem, f.Old.Errno
		}
		if c.or != nil {
			x.Or = c.or(f)
		}
		if t == Unknown {
			x.Because = "this could not be found out"
		}
		out = append(out, x)
	}
	return out
}

// checks are in the order of the running kernel.
func (f *Facts) checks() []check {
	list := []check{filtered()}
	lookups := []check{lookup("new", func(f *Facts) *Arg { return &f.New }), lookup("old", func(f *Facts) *Arg { return &f.Old })}
	first := f.LookupsFirst
	if first == Unknown { // the kernel could not be asked, and most are as released
		first = truth(f.since(7, 0))
	}
	if first == Yes {
		list = append(append(list, lookups...), capability()...)
	} else {
		list = append(append(list, capability()...), lookups...)
	}
	return append(list, f.behind()...)
}

// since reports whether the kernel is of that series or a later one, by its release.
func (f *Facts) since(major, minor int) bool {
	s, err := model.SeriesOf(f.Release)
	return err == nil && !s.Less(model.Series{major, minor})
}

func filtered() check {
	return check{Filtered, "EPERM",
		func(f *Facts) Truth { return truth(f.Filtered != "") },
		func(f *Facts) string {
			return fmt.Sprintf("something answers %s in the kernel's place, whatever the arguments: a filter of system calls (seccomp), or a kernel without pivot_root", f.Filtered)
		}, nil}
}

func capability() []check {
	child := func(f *Facts) bool { return f.Caller.Effective == Yes && f.Caller.Owner == No }
	return []check{
		{"no-cap", "EPERM",
			func(f *Facts) Truth {
				if child(f) {
					return No
				}
				return not(f.Caller.Capable)
			},
			func(f *Facts) string {
				if f.Caller.Permitted == Yes && f.Caller.Effective == No {
					return "the caller has CAP_SYS_ADMIN in its permitted set, but not in its effective set"
				}
				return "the caller does not have CAP_SYS_ADMIN"
			}, nil},
		{"child-user", "EPERM",
			func(f *Facts) Truth { return truth(child(f) && f.Caller.Capable != Yes) },
			func(*Facts) string {
				return "the caller has CAP_SYS_ADMIN in its own user namespace only, and its mount namespace belongs to another"
			}, nil},
	}
}

// lookup is the look-up of an argument.
func lookup(arg string, of func(*Facts) *Arg) check {
	name := map[string]string{"new": "new_root", "old": "put_old"}[arg]
	return check{arg, "",
		func(f *Facts) Truth { return truth(of(f).Errno != "") },
		func(f *Facts) string { return name + " " + of(f).problem() }, nil}
}

// problem says what is wrong with an argument that cannot be looked up.
func (a *Arg) problem() string {
	text, ok := map[string]string{
		"bad-address":      "is no address of the caller's",
		"missing":          "does not exist: there is no %s",
		"empty":            "is an empty string",
		"dangling":         "leads nowhere: %s is a symbolic link whose target does not exist",
		"long-name":        "has a name in it that is longer than 255 bytes",
		"long-path":        "is longer than 4095 bytes",
		"loop":             "has too many symbolic links in it, or one that leads to itself: %s",
		"file":             "is no directory",
		"file-mount":       "is no directory: it is a file on which a file is mounted",
		"below-file":       "cannot be looked up: %s is no directory",
		"closed":           "cannot be looked up: the caller may not search %s",
		problemNoFollow:    "cannot be looked up: %s is a symbolic link on a mount with the option nosymfollow",
		problemProtected:   "cannot be looked up: %s is another user's symbolic link in a sticky directory, and fs.protected_symlinks is on",
		problemUntraceable: "cannot be looked up: %s leads to where another process stands, which the caller may not trace",
		problemFailfs:      "cannot be looked up: the caller's root or working directory is the filesystem in which every look-up fails",
	}[a.Problem]
	if !ok {
		text = "cannot be looked up: " + a.Errno
	}
	if !slices.Contains([]byte(text), '%') {
		return text
	}
	return fmt.Sprintf(text, quoted(a.At))
}

func quoted(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

func not(t Truth) Truth {
	switch t {
	case Yes:
		return No
	case No:
		return Yes
	}
	return Unknown
}

// onRoot says whether a mount is the root mount.
func (f *Facts) onRoot(m *Mount) Truth {
	switch {
	case f.Root.Mount.Own == No && f.Root.Mount.ID == 0:
		return No // it cannot even be looked at
	case m.ID == 0 || f.Root.Mount.ID == 0:
		return Unknown // the kernel tells no mount IDs, as Linux does since 5.8
	}
	return truth(m.ID == f.Root.Mount.ID)
}

// looked guards what follows the look-ups: of an argument that leads nowhere there is nothing to say.
func looked(list []check, arg func(*Facts) *Arg) []check {
	for i := range list {
		ask := list[i].wrong
		list[i].wrong = func(f *Facts) Truth {
			if arg(f).Errno != "" {
				return No
			}
			return ask(f)
		}
	}
	return list
}

func (f *Facts) behind() []check {
	newArg, oldArg := func(f *Facts) *Arg { return &f.New }, func(f *Facts) *Arg { return &f.Old }
	list := []check{{"landlock", "EPERM",
		func(f *Facts) Truth {
			if f.Caller.Capable != Yes && f.Caller.Restricted != Yes {
				return No
			}
			return f.Caller.Restricted
		},
		func(*Facts) string {
			return "a security module refuses the caller every change of mounts, as Landlock does to whoever is in a domain of it"
		}, nil}}
	list = append(list, check{AppArmor, "EACCES",
		func(f *Facts) Truth {
			if f.Caller.confined() {
				return Unknown
			}
			return No
		},
		func(f *Facts) string {
			return fmt.Sprintf("the caller's AppArmor profile, %s, does not allow it", f.Caller.Profile)
		}, nil})
	list = append(list, looked([]check{
		{"old-removed", "ENOENT", func(f *Facts) Truth { return f.Old.Removed },
			func(f *Facts) string { return "the directory put_old has been removed" }, nil},
		{"old-unmounted", "ENOENT", func(f *Facts) Truth { return truth(f.Old.Mount.Gone == Yes) },
			func(f *Facts) string {
				return "the mount that put_old is on has been unmounted, or is mounted nowhere"
			}, nil},
	}, oldArg)...)
	shared := append(looked([]check{
		{"old-shared", "EINVAL", func(f *Facts) Truth { return f.Old.Mount.Shared },
			func(f *Facts) string {
				return fmt.Sprintf("the mount that put_old is on (%s) is shared", f.Old.Mount.words())
			}, nil},
	}, oldArg), looked([]check{
		{"new-parent-shared", "EINVAL", func(f *Facts) Truth { return f.New.Mount.ParentShared },
			func(f *Facts) string {
				if f.New.Mount.HasParent == No {
					return fmt.Sprintf("new_root's mount (%s) is shared and has no parent, which counts as its own parent being shared", f.New.Mount.words())
				}
				return fmt.Sprintf("the mount that new_root's mount is mounted on (%s) is shared", f.New.Mount.parentWords())
			}, nil},
	}, newArg)...)
	shared = append(shared, check{"root-parent-shared", "EINVAL",
		func(f *Facts) Truth { return f.Root.Mount.ParentShared },
		func(f *Facts) string {
			if f.Root.Mount.HasParent == No {
				return "the mount of the caller's root is shared and has no parent, which counts as its own parent being shared"
			}
			return fmt.Sprintf("the mount that the caller's root is mounted on (%s) is shared", f.Root.Mount.parentWords())
		}, nil})
	foreign := append([]check{{"root-foreign", "EINVAL",
		func(f *Facts) Truth { return not(f.Root.Mount.Own) },
		func(f *Facts) string {
			return "the caller's root is not in its mount namespace: " + f.Root.Mount.where()
		}, nil}},
		looked([]check{{"new-foreign", "EINVAL",
			func(f *Facts) Truth {
				if f.New.Mount.Own == No && f.New.Mount.Elsewhere == "" {
					return No
				}
				return not(f.New.Mount.Own)
			},
			func(f *Facts) string {
				return "new_root is not in the caller's mount namespace: " + f.New.Mount.where()
			}, nil},
			{"new-detached", "EINVAL",
				func(f *Facts) Truth { return truth(f.New.Mount.Own == No && f.New.Mount.Elsewhere == "") },
				func(f *Facts) string {
					return "new_root is not in the caller's mount namespace: " + f.New.Mount.where()
				}, nil},
		}, newArg)...)
	// The order changed in 7.2; both give EINVAL, so that no errno tells and only the release does.
	if f.since(7, 2) {
		list = append(append(list, foreign...), shared...)
	} else {
		list = append(append(list, shared...), foreign...)
	}
	list = append(list, looked([]check{
		{"new-locked", "EINVAL",
			func(f *Facts) Truth {
				if f.New.Mount.Own == No {
					return No // a copy that is mounted nowhere is not locked; else it does not matter
				}
				return f.New.Mount.Locked
			},
			func(f *Facts) string {
				return fmt.Sprintf("new_root's mount (%s) is locked in place: the mount namespace was made by a user namespace and inherited it", f.New.Mount.words())
			}, nil},
		{"new-removed", "ENOENT", func(f *Facts) Truth { return f.New.Removed },
			func(*Facts) string { return "the directory new_root has been removed" }, nil},
		{"new-on-root", "EBUSY", func(f *Facts) Truth { return f.onRoot(&f.New.Mount) },
			func(f *Facts) string {
				return fmt.Sprintf("new_root is on the mount of the caller's root (%s)", f.Root.Mount.words())
			}, nil},
	}, newArg)...)
	list = append(list, looked([]check{
		{"old-on-root", "EBUSY", func(f *Facts) Truth { return f.onRoot(&f.Old.Mount) },
			func(f *Facts) string {
				return fmt.Sprintf("put_old is on the mount of the caller's root (%s)", f.Root.Mount.words())
			}, nil},
	}, oldArg)...)
	list = append(list,
		check{"root-not-mount", "EINVAL", func(f *Facts) Truth {
			if f.Root.Mount.Own == No && f.Root.MountRoot == Unknown {
				return No
			}
			return not(f.Root.MountRoot)
		},
			func(*Facts) string {
				return "the caller's root is no mount point, but a directory on a mount, by an earlier chroot"
			}, nil},
		check{"root-no-parent", "EINVAL", func(f *Facts) Truth {
			if f.Root.Mount.Own == No {
				return No
			}
			return not(f.Root.Mount.HasParent)
		},
			func(*Facts) string {
				return "the mount of the caller's root is mounted on nothing: it is the root of the mount namespace itself, as the initramfs is up to Linux 6.19"
			}, nil})
	list = append(list, looked([]check{
		{"new-not-mount", "EINVAL", func(f *Facts) Truth { return not(f.New.MountRoot) },
			func(f *Facts) string { return "new_root is no mount point, but a directory on " + f.New.Mount.words() }, nil},
		{NewNoParent, "EINVAL", func(f *Facts) Truth {
			if f.New.Mount.Own == No || f.New.Mount.ID == f.Root.Mount.ID {
				return No
			}
			return not(f.New.Mount.HasParent)
		},
			func(*Facts) string { return "new_root is the root of the mount namespace, which is mounted on nothing" }, nil},
	}, newArg)...)
	return append(list, looked(looked([]check{
		{"old-foreign", "EINVAL",
			func(f *Facts) Truth { return truth(f.Old.Mount.Own == No && f.Old.Mount.Elsewhere != "") },
			func(f *Facts) string {
				return "put_old is not in the caller's mount namespace: " + f.Old.Mount.where()
			}, nil},
		{"old-detached", "EINVAL",
			func(f *Facts) Truth {
				return truth(f.Old.Mount.Own == No && f.Old.Mount.Elsewhere == "" && f.Old.Mount.Gone != Yes)
			},
			func(f *Facts) string {
				return "put_old is not in the caller's mount namespace: " + f.Old.Mount.where()
			},
			// Up to 6.11, without backports, the kernel takes the two for the same.
			func(f *Facts) []string {
				if f.Old.Mount.Gone == No {
					return nil
				}
				return []string{"old-unmounted"}
			}},
		{"old-not-below", "EINVAL",
			func(f *Facts) Truth {
				if f.Old.Mount.Own == No && f.New.Mount.Own == Yes {
					return No // said already, and better
				}
				return not(f.Below)
			},
			func(f *Facts) string { return "put_old is not below new_root" }, nil},
		{"new-outside", "EINVAL",
			func(f *Facts) Truth {
				if f.New.Mount.Own == No || f.Root.Mount.Own == No {
					return No
				}
				return not(f.NewBelow)
			},
			func(*Facts) string { return "new_root is not below the caller's root" }, nil},
	}, newArg), oldArg)...)
}

// confined reports whether the label is that of an AppArmor profile that is enforced: those are
// followed by their mode, and the labels of SELinux, which does not look at pivot_root, by nothing.
func (c *Caller) confined() bool {
	for _, mode := range []string{" (enforce)", " (kill)", " (prompt)"} {
		if strings.HasSuffix(c.Profile, mode) {
			return true
		}
	}
	return false
}

// words name a mount.
func (m *Mount) words() string {
	kind := m.Type
	if kind == "" {
		kind = "mount"
	}
	if m.Point == "" || m.Own == Yes && m.Seen == "" {
		return fmt.Sprintf("%s, mount %d", kind, m.ID)
	}
	return fmt.Sprintf("%s on %s", kind, m.Point)
}

func (m *Mount) parentWords() string {
	switch {
	case m.ParentPoint == "":
		return fmt.Sprintf("mount %d", m.Parent)
	case m.ParentSeen == "":
		return fmt.Sprintf("mount %d, which is hidden by what is mounted on it", m.Parent)
	}
	return m.ParentPoint
}

// where says where a mount is that is not in the caller's namespace.
func (m *Mount) where() string {
	if m.Elsewhere != "" {
		return "it is in " + m.Elsewhere
	}
	return "it is mounted nowhere that can be seen (an open_tree(2) or fsmount(2) that was not moved, an unmounted one, or one of a mount namespace without processes)"
}
