package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// beyond ends the spec as unsupported because of the surroundings, and not of the kernel.
func (w *World) beyond(what record.Beyond, format string, args ...any) {
	panic(stop{record.Unsupported, fmt.Sprintf(format, args...), what})
}

// OwnMachine is the step before one that needs a machine of the suite's own, because it changes
// the machine as a whole or looks at what is the machine's alone. On a borrowed machine it ends
// the spec as unsupported; see [Env]. what says what would be done, for a reader.
func (w *World) OwnMachine(what string) {
	if w.borrowed {
		w.beyond(record.BeyondMachine, "needs a machine of its own: %s", what)
	}
}

// ChangesMachine is [World.OwnMachine] before a step that the whole machine would notice.
func (w *World) ChangesMachine(what string) {
	if w.borrowed {
		w.beyond(record.BeyondMachine, "would change the machine: %s", what)
	}
}

// refused ends the spec as unsupported if a step of the set-up failed for lack of a privilege
// that root here does not have.
func (w *World) refused(step string, err error) {
	if w.limited && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)) {
		w.beyond(record.BeyondPrivilege, "needs root: %s: %s", step, ErrnoName(err))
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
	w.beyond(record.BeyondPrivilege, "needs root: the user namespace has no user %d", uid)
}
