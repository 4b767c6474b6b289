package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenTask returns a descriptor (O_PATH) of a directory that is reached through another task's
// folder in /proc, whatever the current root is: link "root/new" is /new as the task sees it,
// "" the folder itself. name is for the reader, who is better off without a process ID.
func (w *World) OpenTask(task int, link, name string) int {
	path := strconv.Itoa(task)
	if link != "" {
		path += "/" + link
	}
	fd, err := unix.Openat(w.proc, path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	w.must(fmt.Sprintf("open /proc/(%s)/%s", name, link), err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}

// InProc runs step with the procfs as working directory, where [DescriptorPath] leads
// somewhere under every root, and comes back to "/".
func (w *World) InProc(step func()) { w.At(w.proc, "/proc", step) }

// DescriptorPath returns the magic link of an open descriptor, relative to a procfs; see
// [World.InProc].
func DescriptorPath(fd int) string { return "self/fd/" + strconv.Itoa(fd) }

// Chown gives a file, or the symbolic link itself, to a user.
func (w *World) Chown(path string, uid int) {
	w.RequireUser(uid)
	w.must(fmt.Sprintf("chown --no-dereference %d %s", uid, path), unix.Lchown(path, uid, uid))
}

// FollowSymlinks sets whether symbolic links on the mount at path are followed (mount option
// nosymfollow, since Linux 5.10), and ends the spec as unsupported where the option is unknown.
func (w *World) FollowSymlinks(path string, follow bool) {
	flags, name := uintptr(unix.MS_REMOUNT|unix.MS_BIND), "symfollow"
	if !follow {
		flags, name = flags|unix.MS_NOSYMFOLLOW, "nosymfollow"
	}
	w.must(fmt.Sprintf("mount -o remount,bind,%s %s", name, path), unix.Mount("", path, "", flags, ""))
	var st unix.Statfs_t
	w.quiet("statfs "+path, unix.Statfs(path, &st))
	// ST_NOSYMFOLLOW of include/linux/statfs.h. A kernel that knows no such option ignores it.
	const stNoSymFollow = 0x2000
	if !follow && st.Flags&stNoSymFollow == 0 {
		w.Unsupported("mount option nosymfollow: statfs(2) does not show it")
	}
}

// ProtectSymlinks makes sure that fs.protected_symlinks is on until the spec ends; see
// proc_sys_fs(5).
func (w *World) ProtectSymlinks() { w.sysctl("protected_symlinks", "1") }

// LimitMounts sets fs.mount-max, until the spec ends, so low that the world's namespace can have
// no more mounts than it has, and checks that none can be made on the directory at path.
func (w *World) LimitMounts(path string) {
	// Every namespace has a root, so that 1 is reached wherever anything else is mounted.
	w.sysctl("mount-max", "1")
	if err := mountTmpfs(path); !errors.Is(err, unix.ENOSPC) {
		w.Broken("set-up: mount on %s with fs.mount-max=1: %s, wanted ENOSPC", path, ErrnoName(err))
	}
}

// sysctl sets a number below /proc/sys/fs, and sets it back when the spec ends.
func (w *World) sysctl(name, value string) {
	path := "sys/fs/" + name
	mode := unix.O_RDWR
	if w.borrowed { // where it may only be as it has to be already
		mode = unix.O_RDONLY
	}
	fd, err := unix.Openat(w.proc, path, mode|unix.O_CLOEXEC, 0)
	w.lacksProc(path, err)
	w.quiet("open /proc/"+path, err)
	w.Defer(func() { unix.Close(fd) })
	before := make([]byte, 32)
	n, err := unix.Pread(fd, before, 0)
	w.quiet("read /proc/"+path, err)
	if before = before[:n]; strings.TrimSpace(string(before)) != value {
		w.ChangesMachine("fs." + name)
		w.Defer(func() { _, _ = unix.Pwrite(fd, before, 0) })
		_, err = unix.Pwrite(fd, []byte(value+"\n"), 0)
		w.quiet("write /proc/"+path, err)
	}
	w.note("sysctl fs." + name + "=" + value)
}

// statCwd sees the working directory even where it may not be searched, which a look-up of "."
// needs.
func statCwd() (Place, error) { return statxAt(unix.AT_FDCWD, "", unix.AT_EMPTY_PATH) }

// OpenNamespace returns a descriptor of a task's mount namespace, for [Script.EnterNamespace].
func (w *World) OpenNamespace(task int, name string) int {
	w.note(fmt.Sprintf("open /proc/(%s)/ns/mnt", name))
	return w.procFile(strconv.Itoa(task) + "/ns/mnt")
}

// EnterNamespace is the step that joins the mount namespace of a descriptor of the parent's, and
// with it that namespace's root.
func (s *Script) EnterNamespace(fd int, name string) {
	s.add("setns(mount namespace of "+name+")", unix.SYS_SETNS, uintptr(fd), unix.CLONE_NEWNS)
}
