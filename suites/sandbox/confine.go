package sandbox

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/abi"
)

// RequireLocked is the step that makes sure that the mount at path is locked: the child, who may
// unmount what is its own, is refused.
func (s *Script) RequireLocked(path string) {
	s.refused[s.n] = unix.EINVAL
	s.add("umount --lazy "+path, unix.SYS_UMOUNT2, s.str(path), unix.MNT_DETACH)
}

// wanted says to a reader which errno a step has to have; nothing if it has to succeed.
func wanted(errno unix.Errno) string {
	if errno == 0 {
		return ""
	}
	return ", wanted " + ErrnoName(errno)
}

// refusal says to a reader with which errno a step failed that had to.
func refusal(errno unix.Errno) string {
	if errno == 0 {
		return ""
	}
	return " = " + ErrnoName(errno)
}

// ChrootHere is the step that makes the child's working directory its root.
func (s *Script) ChrootHere() { s.Chroot(".") }

// Landlock returns a step for a script that puts the child under a Landlock ruleset which
// handles nothing but the execution of files, and so would not matter to mounts if Landlock did
// not refuse every change of them. Where there is no Landlock, built in and enabled, the spec
// ends as unsupported.
func (w *World) Landlock() func(*Script) {
	const executeFiles = 1 << 0 // LANDLOCK_ACCESS_FS_EXECUTE
	attr := unix.LandlockRulesetAttr{Handled_access_fs: executeFiles}
	// The first field alone is the structure of the first version of Landlock.
	fd, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if e == unix.ENOSYS || e == unix.EOPNOTSUPP {
		w.Unsupported("landlock_create_ruleset: %s", ErrnoName(e))
	}
	if e != 0 {
		w.Broken("set-up: landlock_create_ruleset: %s", ErrnoName(e))
	}
	w.Defer(func() { unix.Close(int(fd)) })
	return func(s *Script) {
		s.add("landlock_restrict_self(no execution)", unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0)
	}
}

// failfsRoot is FD_FAILFS_ROOT of include/uapi/linux/fcntl.h: no descriptor, but the name of a
// filesystem in which every look-up fails.
const failfsRoot = -10004

// Failfs makes sure that there is fchroot(2) and the filesystem that fails every look-up, for
// [Script.FailfsRoot] and [Script.FailfsCwd]. Without them the spec ends as unsupported.
func (w *World) Failfs() {
	var e unix.Errno
	// Not in the world itself, which looks at its own root by look-ups.
	if _, _, e = unix.RawSyscall(abi.SysFchroot, ^uintptr(0), 0, 0); errors.Is(e, unix.ENOSYS) {
		w.Unsupported("fchroot: %s", ErrnoName(e))
	}
	if e != unix.EBADF {
		w.Broken("set-up: fchroot(-1): %s, wanted EBADF", ErrnoName(e))
	}
}

// FailfsRoot is the step that makes the failing filesystem the child's root; its working
// directory stays.
func (s *Script) FailfsRoot() {
	s.add("fchroot(FD_FAILFS_ROOT)", abi.SysFchroot, failfsDescriptor(), 0)
}

// FailfsCwd is the step that makes the failing filesystem the child's working directory.
func (s *Script) FailfsCwd() {
	s.add("fchdir(FD_FAILFS_ROOT)", unix.SYS_FCHDIR, failfsDescriptor())
}

func failfsDescriptor() uintptr {
	fd := failfsRoot
	return uintptr(fd)
}

// failfsPlace stands for the failing filesystem, which does not even let itself be looked at: it
// is what a task's link leads to that exists and answers EOPNOTSUPP. No other mount has that ID.
func failfsPlace() Place { return Place{Mount: ^uint64(0)} }

// RequireUserNamespaces ends the spec as unsupported on a kernel without user namespaces.
func (w *World) RequireUserNamespaces() {
	if _, err := unixStat(w.proc, "self/ns/user"); err != nil {
		w.Unsupported("user namespaces (CONFIG_USER_NS): /proc/self/ns/user: %s", ErrnoName(err))
	}
}
