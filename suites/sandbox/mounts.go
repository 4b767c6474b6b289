package sandbox

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// StepJail is the step that stands for the set-up of [World.Jail], StepEmptyJail that for
// [World.JailWithout]. They are short because each byte of the console costs a microsecond.
const (
	StepJail      = "jail with /new/old"
	StepEmptyJail = "jail"
)

// Jail gives the world the root that most specs start from, on every kernel alike: a tmpfs
// of its own, entered by chroot(2) onto its mount point (which pivot_root accepts as a root),
// with a second tmpfs on /new and the directory /new/old in it. Root and cwd are "/".
//
// Marks: "old_root" the root, "new_root" /new, "put_old" /new/old, "outside" the root that
// the thread had before.
func (w *World) Jail() {
	w.jail()
	w.note(StepJail)
	w.furnish()
}

// furnish puts a new root into a jail.
func (w *World) furnish() {
	w.quiet("mkdir /new", unix.Mkdir("/new", 0o755))
	w.quiet("mount -t tmpfs tmpfs /new", mountTmpfs("/new"))
	w.quiet("mkdir /new/old", unix.Mkdir("/new/old", 0o755))
	w.Mark("new_root", "/new")
	w.Mark("put_old", "/new/old")
}

// JailWithout is Jail without a new root: just the tmpfs and the chroot into it.
// Marks: "old_root", "outside".
func (w *World) JailWithout() {
	w.jail()
	w.note(StepEmptyJail)
}

func (w *World) jail() {
	w.Mark("outside", "/")
	w.quiet("mount -t tmpfs tmpfs "+w.base, mountTmpfs(w.base))
	w.quiet("chroot "+w.base, unix.Chroot(w.base))
	w.quiet("cd /", unix.Chdir("/"))
	w.Mark("old_root", "/")
}

func mountTmpfs(path string) error { return unix.Mount("tmpfs", path, "tmpfs", 0, "mode=755") }

// JailDirectory is a jail whose root, by an earlier chroot(2), is an ordinary directory on the
// jail's tmpfs, with a tmpfs on /new and the directory /new/old. The function that it
// returns mends just that: it binds the directory onto itself and enters the new mount.
func (w *World) JailDirectory() (mend func()) {
	w.JailWithout()
	w.Mkdir("/dir")
	w.Mkdir("/dir/new")
	w.Tmpfs("/dir/new")
	w.Mkdir("/dir/new/old")
	outer := w.Open("/")
	w.Chroot("/dir")
	return func() {
		w.Fchdir(outer, "the jail's root")
		w.Chroot(".")
		w.Rbind("/dir", "/dir")
		w.Chroot("/dir")
	}
}

// Tmpfs mounts a new tmpfs on path.
func (w *World) Tmpfs(path string) {
	w.must("mount -t tmpfs tmpfs "+path, mountTmpfs(path))
}

// Bind mounts the directory or file from also on to.
func (w *World) Bind(from, to string) {
	w.must(fmt.Sprintf("mount --bind %s %s", from, to), unix.Mount(from, to, "", unix.MS_BIND, ""))
}

// Rbind is Bind with everything mounted below from.
func (w *World) Rbind(from, to string) {
	w.must(fmt.Sprintf("mount --rbind %s %s", from, to), unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""))
}

// Move moves the mount at from to to.
func (w *World) Move(from, to string) {
	w.must(fmt.Sprintf("mount --move %s %s", from, to), unix.Mount(from, to, "", unix.MS_MOVE, ""))
}

// Detach takes the topmost mount at path away lazily, as part of a set-up.
func (w *World) Detach(path string) {
	w.must("umount --lazy "+path, unix.Unmount(path, unix.MNT_DETACH))
}

// Propagation types, by the names of mount(8).
const (
	Shared     = "shared"
	Private    = "private"
	Slave      = "slave"
	Unbindable = "unbindable"
)

// Propagation sets the propagation type of the mount at path, and of no mount below it.
func (w *World) Propagation(path, kind string) {
	flags := map[string]uintptr{
		Shared: unix.MS_SHARED, Private: unix.MS_PRIVATE, Slave: unix.MS_SLAVE, Unbindable: unix.MS_UNBINDABLE,
	}
	err := unix.Mount("", path, "", flags[kind], "")
	if kind == Unbindable {
		w.lacksUnbindable(path, err)
	}
	w.must(fmt.Sprintf("mount --make-%s %s", kind, path), err)
}

// Mkdir makes a directory with mode 0755.
func (w *World) Mkdir(path string) { w.must("mkdir "+path, unix.Mkdir(path, 0o755)) }

// Rmdir removes a directory.
func (w *World) Rmdir(path string) { w.must("rmdir "+path, unix.Rmdir(path)) }

// File makes an empty regular file.
func (w *World) File(path string) {
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o644)
	w.must("touch "+path, err)
	unix.Close(fd)
}

// Symlink makes the symbolic link path, which contains target.
func (w *World) Symlink(target, path string) {
	w.must(fmt.Sprintf("ln -s %s %s", target, path), unix.Symlink(target, path))
}

// Chmod sets a mode.
func (w *World) Chmod(path string, mode uint32) {
	w.must(fmt.Sprintf("chmod %#o %s", mode, path), unix.Chmod(path, mode))
}

// Chdir sets the working directory.
func (w *World) Chdir(path string) { w.must("cd "+path, unix.Chdir(path)) }

// Chroot sets the root, and the working directory to it.
func (w *World) Chroot(path string) {
	w.must("chroot "+path, unix.Chroot(path))
	w.must("cd /", unix.Chdir("/"))
}

// Open returns a descriptor (O_PATH) of a directory, closed when the spec ends.
func (w *World) Open(path string) int {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	w.must("open "+path, err)
	w.Defer(func() { unix.Close(fd) })
	return fd
}

// Fchdir sets the working directory to an open directory.
func (w *World) Fchdir(fd int, name string) {
	w.must("cd (descriptor of "+name+")", unix.Fchdir(fd))
}

// At runs step with the working directory at an open directory, and comes back to "/".
func (w *World) At(fd int, name string, step func()) {
	w.Fchdir(fd, name)
	step()
	w.Chdir("/")
}

// Mountinfo is one line of /proc/PID/mountinfo, as far as the specs need it; see
// proc_pid_mountinfo(5).
type Mountinfo struct {
	ID, Parent   string
	Root, Point  string
	Propagation  string // the optional fields, joined by spaces
	Type, Source string
}

// Mountinfo returns a task's mounts in the order of the file. Only what the task's root
// reaches is listed.
func (w *World) Mountinfo(task int) []Mountinfo {
	text := w.ReadProc(fmt.Sprintf("%d/mountinfo", task))
	var out []Mountinfo
	for line := range strings.Lines(text) {
		front, back, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, b := strings.Fields(front), strings.Fields(back)
		if !ok || len(f) < 6 || len(b) < 2 {
			w.Broken("/proc/%d/mountinfo: cannot read the line %q", task, line)
		}
		out = append(out, Mountinfo{
			ID: f[0], Parent: f[1], Root: f[3], Point: f[4],
			Propagation: strings.Join(f[6:], " "), Type: b[0], Source: b[1],
		})
	}
	return out
}

// MountAt returns the topmost mount of a task at a mount point, as mountinfo has it. Without
// one there it ends the spec as broken.
func (w *World) MountAt(task int, point string) Mountinfo {
	m, ok := w.FindMount(task, point)
	if !ok {
		w.Broken("task %d has no mount at %s", task, point)
	}
	return m
}

// FindMount is [World.MountAt] for a mount that a kernel may have failed to put there.
func (w *World) FindMount(task int, point string) (m Mountinfo, ok bool) {
	for _, each := range w.Mountinfo(task) {
		if each.Point == point {
			m, ok = each, true
		}
	}
	return m, ok
}

// Peer starts a process with a copy of the world's mount namespace, which makes every mount
// that is shared now one with a peer.
func (w *World) Peer() *Process {
	return w.Fork("peer", 0, func(s *Script) { s.Unshare(unix.CLONE_NEWNS, "CLONE_NEWNS") })
}

// RequirePropagation ends the spec as broken unless the mounts at the given points have an
// optional field that begins with want.
func (w *World) RequirePropagation(mounts []Mountinfo, points []string, want string) {
	for _, p := range points {
		found := false
		for _, m := range mounts {
			found = found || m.Point == p && strings.HasPrefix(m.Propagation, want)
		}
		if !found {
			w.Broken("set-up: the mount at %s is not %s", p, want)
		}
	}
}
