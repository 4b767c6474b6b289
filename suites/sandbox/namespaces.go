package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Flags that golang.org/x/sys has no name for yet; see unshare(2), open_tree(2) and fsmount(2)
// of the kernel's own headers (linux/sched.h and linux/mount.h).
const (
	unshareEmptyMntns = 0x00100000 // UNSHARE_EMPTY_MNTNS, since 7.1
	openTreeNamespace = 1 << 1     // OPEN_TREE_NAMESPACE, since 7.0
	fsmountNamespace  = 1 << 1     // FSMOUNT_NAMESPACE, since 7.1
)

// probed is must for a step with a flag that older kernels do not know and refuse with EINVAL.
func (w *World) probed(step, feature string, err error) {
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		w.Unsupported("%s: %s", feature, ErrnoName(err))
	}
	w.must(step, err)
}

// EmptyNamespace moves the world into a new mount namespace with nothing in it but an immutable
// nullfs, which becomes its root and working directory.
func (w *World) EmptyNamespace() {
	before, err := statx(unix.AT_FDCWD, "/")
	w.quiet("look at the root", err)
	w.probed("unshare(UNSHARE_EMPTY_MNTNS)", "empty mount namespaces",
		unix.Unshare(unix.CLONE_NEWNS|unshareEmptyMntns))
	w.requireEmptied(before)
}

// TreeNamespace moves the world into a new mount namespace that open_tree(2) makes of a copy of
// the mount at path and all below it; that copy becomes its root and working directory.
func (w *World) TreeNamespace(path string) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, openTreeNamespace|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	w.probed(fmt.Sprintf("open_tree(%q, OPEN_TREE_NAMESPACE)", path), "mount namespaces by open_tree(2)", err)
	w.enter(fd)
}

// FilesystemNamespace moves the world into a new mount namespace that fsmount(2) makes of a new
// filesystem of that kind, whose root becomes its root and working directory.
func (w *World) FilesystemNamespace(kind string) {
	fs, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	w.must(fmt.Sprintf("fsopen(%q)", kind), err)
	defer unix.Close(fs)
	w.must("fsconfig(FSCONFIG_CMD_CREATE)", unix.FsconfigCreate(fs))
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC|fsmountNamespace, 0)
	w.probed("fsmount(FSMOUNT_NAMESPACE)", "mount namespaces by fsmount(2)", err)
	w.enter(fd)
}

func (w *World) enter(fd int) {
	defer unix.Close(fd)
	w.must("setns", unix.Setns(fd, unix.CLONE_NEWNS))
}

// EnterCover makes the topmost mount that covers the root the root, and the working directory:
// "/" itself leads below it, but "/.." to its top.
func (w *World) EnterCover() {
	w.must("cd /..", unix.Chdir("/.."))
	w.must("chroot .", unix.Chroot("."))
}

// Slaves makes the mount at path in the child's mount namespace, and every mount below it, slaves
// of their peers.
func (s *Script) Slaves(path string) {
	s.add("mount --make-rslave "+path, unix.SYS_MOUNT, 0, s.str(path), 0, unix.MS_SLAVE|unix.MS_REC, 0)
}
