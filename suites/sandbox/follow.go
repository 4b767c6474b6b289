package sandbox

import (
	"fmt"

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

// TryUserNamespace makes a clone(2) with CLONE_NEWUSER under test: of a child process that ends
// at once. unshare(2) asks the kernel the same, but not in a process with threads.
func (w *World) TryUserNamespace() Call {
	return w.call("clone", "clone(CLONE_NEWUSER)", func() error {
		pid, errno := fork(unix.CLONE_NEWUSER, &Script{errs: make([]int32, 1)})
		if errno != 0 {
			return errno
		}
		for {
			if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
				if err != nil {
					return fmt.Errorf("wait for the child: %v", err)
				}
				return nil
			}
		}
	})
}
