package sandbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// StepTopJail is the step that stands for the set-up of [World.JailOnTop].
const StepTopJail = `jail with /new/old on top of the namespace's root`

// JailOnTop is [World.Jail] with the jail's tmpfs moved onto the namespace's own root, so that
// the jail is what the kernel takes for the root of the namespace. So it is wherever a system
// runs from a disk.
func (w *World) JailOnTop() {
	w.Mark("outside", "/")
	w.quiet("mount -t tmpfs tmpfs "+w.base, mountTmpfs(w.base))
	w.quiet("cd "+w.base, unix.Chdir(w.base))
	w.quiet("mount --move . /", unix.Mount(".", "/", "", unix.MS_MOVE, ""))
	w.quiet("chroot .", unix.Chroot("."))
	w.quiet("cd /", unix.Chdir("/"))
	w.Mark("old_root", "/")
	w.furnish()
	w.note(StepTopJail)
}

// LeaveJail takes the thread out of a jail, to the root of its namespace.
func (w *World) LeaveJail() { w.Setns(w.Namespace(), "the namespace") }

// Hold opens a directory until the function that it returns is called, or the spec ends.
func (w *World) Hold(path string) (release func()) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	w.must("open "+path, err)
	open := true
	release = func() {
		if open {
			open = false
			w.note("close")
			unix.Close(fd)
		}
	}
	w.Defer(release)
	return release
}

// OpenOf is [World.Open] for the directory at which a task's root or cwd is.
func (w *World) OpenOf(task int, link string) int {
	name := fmt.Sprintf("%d/%s", task, link)
	fd, err := unix.Openat(w.proc, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	w.quiet("open /proc/"+name, err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}
