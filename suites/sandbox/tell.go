package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Nothing is what a kernel tells that reports no event.
const Nothing = "nothing"

// TableWatch watches the mount table of a mount namespace by poll(2).
type TableWatch struct {
	world *World
	name  string
	fd    int
}

// WatchTable watches the table of the namespace that a task is in now.
func (w *World) WatchTable(task int) *TableWatch {
	name := fmt.Sprintf("%d/mountinfo", task)
	fd, err := unix.Openat(w.proc, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	w.must("open /proc/TASK/mountinfo for poll", err)
	w.Defer(func() { unix.Close(fd) })
	return &TableWatch{world: w, name: "poll " + name, fd: fd}
}

// Events returns what has been reported since the table was opened or last asked after:
// "POLLERR|POLLPRI" for a change, see proc_pid_mounts(5), or [Nothing].
func (t *TableWatch) Events() string {
	fds := []unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLPRI}}
	_, err := unix.Poll(fds, 0)
	t.world.quiet("poll", err)
	var names []string
	for _, e := range []struct {
		bit  int16
		name string
	}{{unix.POLLERR, "POLLERR"}, {unix.POLLPRI, "POLLPRI"}, {unix.POLLHUP, "POLLHUP"}, {unix.POLLNVAL, "POLLNVAL"}} {
		if fds[0].Revents&e.bit != 0 {
			names = append(names, e.name)
		}
	}
	text := Nothing
	if len(names) > 0 {
		text = strings.Join(names, "|")
	}
	return t.world.kernel.Tell(t.name, text)
}

// Of fanotify(7), where package unix does not know them yet; since Linux 6.15.
const (
	fanReportMnt   = 0x4000
	fanMarkMntNS   = 0x110
	fanMntAttach   = 0x1000000
	fanMntDetach   = 0x2000000
	fanInfoTypeMnt = 7
	// statxMntIDUnique asks for the mount ID that is never used again, since Linux 6.8.
	statxMntIDUnique = 0x4000
)

// MountWatch watches the world's mount namespace by fanotify(7).
type MountWatch struct {
	world *World
	fd    int
	names map[uint64]string // by unique mount ID
}

// WatchMounts watches the namespace that the spec is in for mounts that are attached and
// detached. names gives each mount that may be met a name, by a path on it. Without
// FAN_MARK_MNTNS the behaviour is unsupported.
func (w *World) WatchMounts(names map[string]string) *MountWatch {
	m := &MountWatch{world: w, names: map[uint64]string{}}
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|fanReportMnt, 0)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		w.Unsupported("FAN_MARK_MNTNS: fanotify_init(FAN_REPORT_MNT): %s", ErrnoName(err))
	}
	w.must("fanotify_init(FAN_REPORT_MNT)", err)
	m.fd = fd
	w.Defer(func() {
		// The last close waits until no processor looks at the marks any more, for milliseconds.
		if !w.park {
			unix.Close(fd)
		}
	})
	w.must("fanotify_mark(FAN_MARK_MNTNS, FAN_MNT_ATTACH|FAN_MNT_DETACH)", unix.FanotifyMark(fd,
		unix.FAN_MARK_ADD|fanMarkMntNS, fanMntAttach|fanMntDetach, w.proc, fmt.Sprintf("%d/ns/mnt", w.tid)))
	for path, name := range names {
		var st unix.Statx_t
		w.quiet("statx "+path, unix.Statx(unix.AT_FDCWD, path, 0, statxMntIDUnique, &st))
		if st.Mask&statxMntIDUnique == 0 {
			w.Broken("set-up: statx %s gives no unique mount ID", path)
		}
		m.names[st.Mnt_id] = name
	}
	return m
}

// Events returns the events since the last time, sorted, such as "attach new_root, detach
// new_root"; an event that is both is "move". Or it is [Nothing].
func (m *MountWatch) Events() string {
	w := m.world
	var events []string
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(m.fd, buf)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		w.quiet("read fanotify events", err)
		for b := buf[:n]; len(b) > 0; {
			e, size, err := parseMountEvent(b)
			w.quiet("read a fanotify event", err)
			name, ok := m.names[e.mount]
			if !ok {
				name = "another mount"
			}
			events = append(events, e.what+" "+name)
			b = b[size:]
		}
	}
	slices.Sort(events)
	text := Nothing
	if len(events) > 0 {
		text = strings.Join(events, ", ")
	}
	return w.kernel.Tell("fanotify", text)
}

// mountEvent is one event about a mount.
type mountEvent struct {
	what  string
	mount uint64
}

// errMountEvent is an event that is not of the form that include/uapi/linux/fanotify.h gives.
var errMountEvent = errors.New("not an event about a mount")

// parseMountEvent reads the first event of b and says how long it is.
func parseMountEvent(b []byte) (e mountEvent, size int, err error) {
	// struct fanotify_event_metadata, then struct fanotify_event_info_mnt.
	const meta, info = 24, 16
	if len(b) < meta {
		return e, 0, errMountEvent
	}
	size = int(binary.NativeEndian.Uint32(b))
	if size < meta+info || size > len(b) || int(binary.NativeEndian.Uint16(b[6:])) != meta || b[meta] != fanInfoTypeMnt {
		return e, 0, errMountEvent
	}
	switch mask := binary.NativeEndian.Uint64(b[8:]); mask {
	case fanMntAttach:
		e.what = "attach"
	case fanMntDetach:
		e.what = "detach"
	case fanMntAttach | fanMntDetach:
		e.what = "move"
	default:
		return e, 0, errMountEvent
	}
	e.mount = binary.NativeEndian.Uint64(b[meta+8:])
	return e, size, nil
}

// nullfsMagic is NULL_FS_MAGIC, since Linux 7.0.
const nullfsMagic = 0x4e554c4c

// FilesystemOf returns the type of the filesystem at a path below a task's root or cwd:
// "tmpfs", "ramfs", "nullfs", or another's magic number in hexadecimal digits; and the errno's symbol if
// the path leads nowhere.
func (w *World) FilesystemOf(task int, link, path string) string {
	name := fmt.Sprintf("%d/%s/%s", task, link, path)
	fd, err := unix.Openat(w.proc, name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return ErrnoName(err)
	}
	defer unix.Close(fd)
	var st unix.Statfs_t
	w.quiet("statfs /proc/"+name, unix.Fstatfs(fd, &st))
	// The field's width depends on the architecture, the magic has 32 bits.
	magic := uint32(st.Type)
	text := fmt.Sprintf("%#x", magic)
	switch magic {
	case unix.TMPFS_MAGIC:
		text = "tmpfs"
	case unix.RAMFS_MAGIC:
		text = "ramfs"
	case nullfsMagic:
		text = "nullfs"
	}
	return w.kernel.Tell("statfs "+name, text)
}

// LabelOf is [World.Label] for a path below a task's root or cwd.
func (w *World) LabelOf(task int, link, path string) string {
	p, err := statx(w.proc, fmt.Sprintf("%d/%s/%s", task, link, path))
	if err != nil {
		return ErrnoName(err)
	}
	return w.label(w.kernel.See(path, p))
}

// MarkOf is [World.Mark] for a path below a task's root or cwd.
func (w *World) MarkOf(label string, task int, link, path string) {
	p, err := statx(w.proc, fmt.Sprintf("%d/%s/%s", task, link, path))
	w.quiet("look at "+label, err)
	w.MarkPlace(label, p)
}

// TryUserNamespace makes a clone(2) with CLONE_NEWUSER under test. The check is the one that
// unshare(CLONE_NEWUSER) makes, but that call is refused to a process with threads.
func (w *World) TryUserNamespace() Call {
	return w.call("clone", "clone(CLONE_NEWUSER)", func() error {
		s := &Script{errs: []int32{stepAhead}}
		// For ever: to end a child costs as much as to make it.
		s.add("wait", unix.SYS_PPOLL)
		pid, errno := fork(unix.CLONE_NEWUSER|shared, &s.steps[0], s.n, &s.errs[0])
		if errno != 0 {
			return errno
		}
		w.Defer(func() {
			w.end(pid)
			runtime.KeepAlive(s) // until here the child may take its step, for it shares the memory
		})
		return nil
	})
}

// TryLook makes a statx(2) of a path under test.
func (w *World) TryLook(path string) Call {
	return w.call("statx", fmt.Sprintf("statx(%q)", path), func() error {
		_, err := statx(unix.AT_FDCWD, path)
		return err
	})
}
