package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Filesystem mounts a filesystem of a kind that needs no device and no options, such as "proc".
func (w *World) Filesystem(kind, path string) {
	err := unix.Mount(kind, path, kind, 0, "")
	if errors.Is(err, unix.ENODEV) {
		w.Unsupported("filesystems of type %s: %s", kind, ErrnoName(err))
	}
	w.must(fmt.Sprintf("mount -t %s %s %s", kind, kind, path), err)
}

// MountFlags sets flags (unix.MS_*) of the mount at path, and of no other mount of the same
// filesystem. name is for the reader.
func (w *World) MountFlags(path string, flags uintptr, name string) {
	w.must(fmt.Sprintf("mount -o remount,bind,%s %s", name, path),
		unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|flags, ""))
}

// ReadOnlyFilesystem makes the filesystem at path read-only, whatever is mounted of it.
func (w *World) ReadOnlyFilesystem(path string) {
	w.must("mount -o remount,ro "+path, unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
}

// PropagationBelow sets the propagation type of the mount at path and of every mount below it.
func (w *World) PropagationBelow(path, kind string) {
	flags := map[string]uintptr{
		Shared: unix.MS_SHARED, Private: unix.MS_PRIVATE, Slave: unix.MS_SLAVE, Unbindable: unix.MS_UNBINDABLE,
	}
	w.must(fmt.Sprintf("mount --make-r%s %s", kind, path), unix.Mount("", path, "", flags[kind]|unix.MS_REC, ""))
}

// SlaveAndShared makes the private mount at path a slave of a mount of ours and shares it again,
// so that it receives mounts and passes them on. master is an existing directory; it becomes
// the mount point of a bind of path. To take the sharing away, make it a [Slave] again.
func (w *World) SlaveAndShared(path, master string) {
	w.Propagation(path, Shared)
	w.Bind(path, master)
	w.Propagation(path, Slave)
	w.Propagation(path, Shared)
}
