package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Descriptor opens a directory or file as [World.Open] does, relative to an open directory, and
// notes no step.
func (w *World) Descriptor(dir int, path string) int {
	fd, err := unix.Openat(dir, path, unix.O_PATH|unix.O_CLOEXEC, 0)
	w.quiet("open "+path, err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}

// Namespace returns a descriptor of the mount namespace that the spec's thread is in. As long as it
// is open, the namespace lives.
func (w *World) Namespace() int { return w.procFile(fmt.Sprintf("%d/ns/mnt", w.tid)) }

// Namespace returns a descriptor of the mount namespace that the process is in.
func (p *Process) Namespace() int { return p.world.procFile(fmt.Sprintf("%d/ns/mnt", p.PID)) }

func (w *World) procFile(name string) int {
	fd, err := unix.Openat(w.proc, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	w.quiet("open /proc/"+name, err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}

// Unshare gives the spec's thread another new mount namespace. Root and cwd are where they were,
// on the copies of their mounts.
func (w *World) Unshare() { w.must("unshare(CLONE_NEWNS)", unix.Unshare(unix.CLONE_NEWNS)) }

// Cwd returns a descriptor of the process's working directory.
func (p *Process) Cwd() int { return p.world.OpenOf(p.PID, Cwd) }

// Setns takes the spec's thread to a mount namespace. Root and cwd are then its root.
func (w *World) Setns(namespace int, name string) {
	w.must("setns("+name+")", unix.Setns(namespace, unix.CLONE_NEWNS))
}

// Clone returns a descriptor of a detached copy of the mount at an open directory.
func (w *World) Clone(dir int) int {
	fd, err := unix.OpenTree(dir, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	w.must("open_tree(OPEN_TREE_CLONE)", err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}
