package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// What every Linux kernel has and other implementations of its system calls may lack. A probe finds
// that out and ends the spec as unsupported; the knowledge says for which implementation that is
// expected, and of Linux it never is.

// lacksProc ends the spec as unsupported if err says that there is no such file below /proc.
func (w *World) lacksProc(name string, err error) {
	if errors.Is(err, unix.ENOENT) {
		w.Unsupported("/proc/%s: %s", name, ErrnoName(err))
	}
}

// lacksUnbindable ends the spec as unsupported if err says that a mount cannot be made unbindable
// that can be made private. That path is no mount point has the same errno.
func (w *World) lacksUnbindable(path string, err error) {
	if errors.Is(err, unix.EINVAL) && unix.Mount("", path, "", unix.MS_PRIVATE, "") == nil {
		w.Unsupported("unbindable mounts: %s", ErrnoName(err))
	}
}

// RequireWayToCover ends the spec as unsupported unless "/.." leads to the top of what is mounted on
// the root, where something has just been mounted: the only way to it that a root has. "/" itself
// leads below it.
func (w *World) RequireWayToCover() {
	root, err := statx(unix.AT_FDCWD, "/")
	w.quiet("look at /", err)
	top, err := statx(unix.AT_FDCWD, "/..")
	w.quiet("look at /..", err)
	if root == top {
		w.Unsupported("a way to what is mounted on the root: /.. leads to the root itself")
	}
}

// requireEmptied ends the spec as unsupported if the root is still the directory that it was before
// the world went into an empty mount namespace: unshare(2) then took no notice of the flag that
// makes it empty, as of others that it does not know.
func (w *World) requireEmptied(before Place) {
	now, err := statx(unix.AT_FDCWD, "/")
	w.quiet("look at the root", err)
	if now.Mount = before.Mount; now == before {
		w.Unsupported("empty mount namespaces: unshare(2) copied this one")
	}
}

// setEffective does what [World.setfs] does where there is no setfsuid(2): it sets the thread's
// effective user and group IDs, which the filesystem IDs follow, and puts back the capabilities
// that go with the change, less those that override permission bits.
func (w *World) setEffective(id int) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	w.quiet("capget", unix.Capget(&header, &caps[0]))
	const same = ^uintptr(0)
	set := func(call uintptr) {
		if _, _, e := unix.RawSyscall(call, same, uintptr(id), same); e != 0 {
			w.Broken("set-up: set the effective IDs to %d: %s", id, ErrnoName(e))
		}
	}
	// Not those of package syscall, which would set them of every thread. The group first, for which
	// a user who is not root has no privilege, and last on the way back, for the same reason.
	calls := []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID}
	if id == 0 {
		calls[0], calls[1] = calls[1], calls[0]
	}
	for _, c := range calls {
		set(c)
	}
	w.quiet("capset", unix.Capset(&header, &caps[0]))
	uid, _, _ := unix.RawSyscall(unix.SYS_GETEUID, 0, 0, 0)
	gid, _, _ := unix.RawSyscall(unix.SYS_GETEGID, 0, 0, 0)
	if int(uid) != id || int(gid) != id {
		w.Broken("set-up: the effective IDs are %d and %d, wanted %d", uid, gid, id)
	}
	w.note(fmt.Sprintf("setegid(%d), seteuid(%d)", id, id))
}
