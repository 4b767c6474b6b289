package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// needed ends the spec as unsupported if err says that the kernel has no such system call, and
// as broken if it says anything else.
func (w *World) needed(step string, err error) {
	if errors.Is(err, unix.ENOSYS) {
		w.Unsupported("%s: %s", step, ErrnoName(err))
	}
	w.must(step, err)
}

// OpenTree returns a descriptor of a detached copy of the mount at path and of all below it
// (open_tree(2) with OPEN_TREE_CLONE): mounts that are in no namespace, until [World.Attach].
func (w *World) OpenTree(path string) int {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	w.needed(fmt.Sprintf("open_tree(%q, OPEN_TREE_CLONE|AT_RECURSIVE)", path), err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}

// DetachedTmpfs returns a descriptor of a new tmpfs with mode 0755 that is mounted nowhere
// (fsopen(2), fsmount(2)), until [World.Attach].
func (w *World) DetachedTmpfs() int {
	conf, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	w.needed(`fsopen("tmpfs")`, err)
	defer unix.Close(conf)
	w.quiet("fsconfig mode=755", unix.FsconfigSetString(conf, "mode", "755"))
	w.quiet("fsconfig create", unix.FsconfigCreate(conf))
	fd, err := unix.Fsmount(conf, unix.FSMOUNT_CLOEXEC, 0)
	w.must("fsmount", err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}

// Attach mounts what a descriptor of [World.OpenTree] or [World.DetachedTmpfs] holds on path.
func (w *World) Attach(fd int, path string) {
	w.must(fmt.Sprintf("move_mount(descriptor, %q)", path),
		unix.MoveMount(fd, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH))
}

// emptyNamespace is UNSHARE_EMPTY_MNTNS of include/uapi/linux/sched.h, of Linux 7.1.
const emptyNamespace = 0x00100000

// EmptyNamespace moves the world to a new mount namespace with nothing in it but the immutable
// nullfs that is its root; root and cwd are there then. Where the kernel makes no such
// namespaces the spec ends as unsupported.
func (w *World) EmptyNamespace() {
	const step = "unshare(CLONE_NEWNS|UNSHARE_EMPTY_MNTNS)"
	err := unix.Unshare(unix.CLONE_NEWNS | emptyNamespace)
	if errors.Is(err, unix.EINVAL) {
		// What unshare(2) answers to a flag that it does not know.
		w.Unsupported("%s: %s", step, ErrnoName(err))
	}
	w.must(step, err)
}
