package sandbox

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// Follow takes a step that follows the call under test and takes for granted that it did what
// it said, as a tool does that pivots and goes on. A step that fails ends the spec with the
// observation as far as it came: the facts that are then missing make it unexpected, where a
// failed set-up would make it broken and hide that the call was the cause.
func (w *World) Follow(step string, do func() error) {
	if w.outcome == "" {
		w.Broken("the spec follows up on %q before it has observed anything", step)
	}
	err := do()
	if err == nil {
		w.note(step)
		return
	}
	w.note(step + " = " + ErrnoName(err))
	panic(stop{status: record.Observed})
}

// FollowTo is [World.Follow] for a change of the working directory.
func (w *World) FollowTo(path string) {
	w.Follow("cd "+path, func() error { return unix.Chdir(path) })
}

// FollowToOpen is [World.Follow] for a change of the working directory to an open directory.
func (w *World) FollowToOpen(fd int, name string) {
	w.Follow("cd (descriptor of "+name+")", func() error { return unix.Fchdir(fd) })
}

// FollowSlave is [World.Follow] for the change of a mount and of all below it to slaves, with
// which container runtimes keep the umount that comes next to themselves.
func (w *World) FollowSlave(path string) {
	w.Follow("mount --make-rslave "+path, func() error {
		return unix.Mount("", path, "", unix.MS_SLAVE|unix.MS_REC, "")
	})
}
