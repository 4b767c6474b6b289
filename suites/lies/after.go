package lies

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// More names of system calls under test, and the fact that is the outcome of a clone.
const (
	setns         = "setns"
	clone         = "clone"
	statx         = "statx"
	userNamespace = "new-user-namespace"
)

// afterwards returns lies about what the system shows once a pivot is done.
func afterwards() []Lie {
	return []Lie{
		{
			Name: "told-otherwise", Says: "reports another event, filesystem or use of memory than there is",
			Touches: func(r *record.Record) bool {
				return hasFact(r, func(f, _ string) bool { return isAnyOf(f, "poll", "events", "filesystem", "memory") })
			},
			tell: func(real string) string { return "other than " + real },
		},
		{
			Name: "other-mount-ids", Says: "shows every mount with another ID, before a call as after it",
			Touches: func(r *record.Record) bool { return r.Facts["root-id"] != "" },
			read:    func(_ *teller, _, real string) string { return renumber(real) },
		},
		{
			Name: "look-fails", Says: "answers statx with EACCES",
			Touches: func(r *record.Record) bool {
				return r.Facts["root-id"] != "" || strings.HasPrefix(r.ID, "boot/root-is-")
			},
			call: only(statx, func(*teller, func() unix.Errno) unix.Errno { return unix.EACCES }),
		},
		{
			Name: "setns-does-nothing", Says: "answers setns with success and does nothing",
			Touches: enters,
			call:    only(setns, func(*teller, func() unix.Errno) unix.Errno { return 0 }),
		},
		{
			Name: "setns-fails-when-done", Says: "enters the namespace and answers EPERM",
			Touches: enters,
			call: only(setns, func(_ *teller, real func() unix.Errno) unix.Errno {
				_ = real()
				return unix.EPERM
			}),
		},
		{
			Name: "visitor-lands-elsewhere", Says: "shows the root of a task that has entered the namespace where nobody is",
			Touches: enters,
			see: func(t *teller, s sight) sandbox.Place {
				if t.calls[setns] > 0 && s.link == sandbox.Root {
					return nowhere()
				}
				return s.real
			},
		},
		{
			Name: "user-namespace-refused", Says: "answers clone(CLONE_NEWUSER) with EPERM and makes none",
			Touches: func(r *record.Record) bool { return makesUserNamespace(r, record.OK) || clones(r) },
			call:    only(clone, func(*teller, func() unix.Errno) unix.Errno { return unix.EPERM }),
		},
		{
			Name: "user-namespace-granted", Says: "answers clone(CLONE_NEWUSER) with success and makes none",
			Touches: func(r *record.Record) bool { return makesUserNamespace(r, "EPERM") || clones(r) && failed(r) },
			call:    only(clone, func(*teller, func() unix.Errno) unix.Errno { return 0 }),
		},
	}
}

// isAnyOf reports whether a fact has one of the names, or one followed by a condition.
func isAnyOf(fact string, names ...string) bool {
	for _, n := range names {
		if fact == n || strings.HasPrefix(fact, n+"-") {
			return true
		}
	}
	return false
}

// enters reports whether a task enters the namespace.
func enters(r *record.Record) bool { return r.Facts[setns] != "" }

// makesUserNamespace reports whether a user namespace is asked for, after a pivot, with that
// outcome.
func makesUserNamespace(r *record.Record, outcome string) bool {
	return hasFact(r, func(f, v string) bool { return isAnyOf(f, userNamespace) && v == outcome })
}

// clones reports whether the call under test is clone(CLONE_NEWUSER).
func clones(r *record.Record) bool {
	return !pivots(r) && slices.ContainsFunc(r.Steps, func(s string) bool { return strings.HasPrefix(s, clone+"(") })
}
