package lies

import (
	"slices"
	"strings"

	"pivotspec/suites/faults"
	"pivotspec/suites/record"
)

// What follows says of a behaviour, as an honest kernel shows it, what a lie needs to show in
// it. IDs are named where the observation does not tell.

// failed reports whether the call under test failed.
func failed(r *record.Record) bool { return r.Status == record.Observed && r.Outcome != record.OK }

// pivots reports whether the call under test is pivot_root.
func pivots(r *record.Record) bool { return r.Facts["effect"] != "" }

// controlled reports whether there is a positive control.
func controlled(r *record.Record) bool { return r.Facts["control"] != "" }

// hasFact reports whether one of the facts is so.
func hasFact(r *record.Record, so func(fact, value string) bool) bool {
	for f, v := range r.Facts {
		if so(f, v) {
			return true
		}
	}
	return false
}

// outcomesOfCalls returns the outcomes of the calls that follow the one under test.
func outcomesOfCalls(r *record.Record) []string {
	var out []string
	for f, v := range r.Facts {
		if isAnyOf(f, "umount", "lazy-umount", "open", rmdir, rename, chroot, setns, userNamespace, "back", "private") {
			out = append(out, v)
		}
	}
	return out
}

// calls returns whether a behaviour is made of a system call, other than pivot_root.
func calls(name string) func(*record.Record) bool {
	return func(r *record.Record) bool {
		switch name {
		case umount:
			return hasFact(r, func(f, _ string) bool { return isAnyOf(f, "umount") }) || r.ID == "rootfs/umount-slash"
		case mount:
			return strings.HasSuffix(r.ID, "move-onto-slash-and-chroot") || r.ID == "boot/switch-root"
		}
		return r.Facts[name] != ""
	}
}

func either(a, b func(*record.Record) bool) func(*record.Record) bool {
	return func(r *record.Record) bool { return a(r) || b(r) }
}

// secondPivot reports whether a behaviour is made of two pivot_roots.
func secondPivot(r *record.Record) bool {
	return pivots(r) && (controlled(r) || r.Facts["back"] != "")
}

// byChild reports whether it is a child process that pivots.
func byChild(r *record.Record) bool {
	return r.ID == faults.Behaviour || slices.ContainsFunc(r.Steps, func(step string) bool { return strings.Contains(step, ": "+pivotRoot+"(") })
}

// isPathFact reports whether a fact says where a path leads.
func isPathFact(fact string) bool {
	for _, p := range []string{"at-", "dotdot", "on-top-of-"} {
		if strings.HasPrefix(fact, p) {
			return true
		}
	}
	return false
}

// alreadyThere reports whether another task is at new_root before the pivot as after it.
func alreadyThere(r *record.Record) bool {
	return r.ID == "migrate/thread-with-own-fs-chrooted-to-new-root"
}

// bystanderCwdMoves reports whether another task's cwd moves.
func bystanderCwdMoves(r *record.Record) bool {
	return !alreadyThere(r) && hasFact(r, func(f, v string) bool {
		return (f == "task-cwd" || f == "cwds" || f == "kthread-cwd") && v == "new_root"
	}) || enters(r) && r.Facts["task-cwd"] != "old_root"
}

// cwdElsewhere reports whether the caller's cwd is at neither the old root nor new_root when
// it pivots.
func cwdElsewhere(id string) bool {
	return errorCwdElsewhere(id) || formCwdElsewhere(id) || slices.Contains([]string{
		"einval/new-root-outside-the-callers-root",
		"enoent/put-old-unlinked",
		"migrate/caller-cwd-below-old-root",
		"migrate/caller-cwd-in-new-root",
		"migrate/caller-cwd-on-third-mount",
		"order/new-root-unlinked-or-on-root-mount",
		"order/new-root-unlinked-or-shared",
		"order/put-old-unlinked-or-shared",
	}, id)
}

// cwdStays reports whether the caller's cwd stays when it pivots.
func cwdStays(r *record.Record) bool {
	if strings.HasPrefix(r.ID, "rootfs/") {
		// Their controls pivot from "/".
		return (strings.HasSuffix(r.ID, "dot-dot") || strings.HasSuffix(r.ID, "relative-put-old")) && !failed(r)
	}
	return cwdElsewhere(r.ID) || errorCwdStays(r.ID) || formCwdStays(r) || slices.Contains([]string{
		"eacces/new-root-prefix-not-searchable",
		"enoent/new-root-unlinked",
		"forms/dot-dot",
		"forms/dot-dot-then-fchdir-to-old-root",
		"forms/relative-paths",
		"migrate/caller-cwd-at-new-root",
	}, r.ID)
}

// onlyCallerTells reports whether the caller's root and cwd are all that tells whether a pivot
// took place. If those are shown as moved, they have moved, as far as anyone can see: the rest
// looks the same either way.
func onlyCallerTells(r *record.Record) bool {
	switch r.ID {
	case "forms/dot-dot", "rootfs/dot-dot", "rootfs/pid1-dot-dot":
		// ".." of new_root is the old root before a pivot as after it, and umount2(".") takes
		// away what the cwd is on or what is on it; the cwd stays either way.
		return true
	}
	return !hasFact(r, func(f, v string) bool {
		switch f {
		case "effect", "root", "cwd", "other-namespace", "before":
			return false
		case "task-root", "task-cwd", "kthread-root", "kthread-cwd":
			return v == "new_root" && !alreadyThere(r) // else it stays where it is either way
		}
		return true
	})
}
