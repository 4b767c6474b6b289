package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// OwnMachine is the step before one that needs a machine of the suite's own, because it changes
// the machine as a whole or looks at what is the machine's alone. On a borrowed machine it ends
// the spec as unsupported; see [Env]. what says what would be done, for a reader.
func (w *World) OwnMachine(what string) {
	if w.borrowed {
		panic(stop{record.Unsupported, "needs a machine of its own: " + what, record.BeyondMachine})
	}
}

// ChangesMachine is [World.OwnMachine] before a step that the whole machine would notice.
func (w *World) ChangesMachine(what string) {
	if w.borrowed {
		panic(stop{record.Unsupported, "would change the machine: " + what, record.BeyondMachine})
	}
}

// refused ends the spec as unsupported if a step of the set-up failed for lack of a privilege
// that root here does not have.
func (w *World) refused(step string, err error) {
	if w.limited && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)) {
		panic(stop{record.Unsupported, fmt.Sprintf("needs root: %s: %s", step, ErrnoName(err)), record.BeyondPrivilege})
	}
}

// RequireUser ends the spec as unsupported where root is root of a user namespace only, in which
// there is no user with that ID.
func (w *World) RequireUser(uid int) {
	if !w.limited {
		return
	}
	for line := range strings.Lines(w.readProc("self/uid_map")) {
		var first, outside, n int
		if _, err := fmt.Sscan(line, &first, &outside, &n); err == nil && first <= uid && uid-first < n {
			return
		}
	}
	panic(stop{record.Unsupported, fmt.Sprintf("needs root: the user namespace has no user %d", uid), record.BeyondPrivilege})
}
