package diagnose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/newfs"
)

// scout is a thread whose root, working directory and mount namespace are its own, so that it can go
// where the caller must not: it looks at mounts from places from which the caller cannot see them.
type scout struct {
	proc int // descriptor of a procfs
	work chan func()
	done chan struct{}
	// home is a descriptor of the mount namespace in which it began, -1 if there is none.
	home int
}

// newScout starts a scout. Its thread ends with it.
func newScout(proc int) (*scout, error) {
	s := &scout{proc: proc, work: make(chan func()), done: make(chan struct{}), home: -1}
	go func() {
		runtime.LockOSThread() // never unlocked: what it has become is of no use to others
		for f := range s.work {
			f()
			s.done <- struct{}{}
		}
	}()
	var err error
	s.do(func() { err = unix.Unshare(unix.CLONE_FS) })
	if err != nil {
		s.close()
		return nil, fmt.Errorf("a thread with a root of its own: unshare(CLONE_FS): %w", err)
	}
	if s.home, err = unix.Openat(proc, "thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		s.home = -1
	}
	return s, nil
}

// do runs f on the thread.
func (s *scout) do(f func()) {
	s.work <- f
	<-s.done
}

func (s *scout) close() {
	close(s.work)
	if s.home >= 0 {
		unix.Close(s.home)
	}
}

// enter takes the thread to the root of the mount namespace of a descriptor. It has to be called on
// the thread, as all that follows.
func (s *scout) enter(ns int) error { return unix.Setns(ns, unix.CLONE_NEWNS) }

// rest takes the thread where it keeps nothing busy that anybody could want to unmount.
func (s *scout) rest() {
	if s.home >= 0 {
		_ = unix.Setns(s.home, unix.CLONE_NEWNS)
	}
	_ = s.stand(s.proc)
}

// stand makes the directory of a descriptor the thread's root and working directory.
func (s *scout) stand(fd int) error {
	if err := unix.Fchdir(fd); err != nil {
		return err
	}
	return unix.Chroot(".")
}

// mounts reads mountinfo, which shows what the thread's root reaches of its namespace.
func (s *scout) mounts() ([]listed, error) {
	text, err := readAt(s.proc, "thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountinfo(text)
}

// unreachable is what the kernel puts before a working directory that is not below the root.
const unreachable = "(unreachable)"

// reaches reports whether the directory of a descriptor is that of another, or below it: whether a
// path leads there, mount by mount, from one whose root is that. It is what getcwd(2) says then.
func (s *scout) reaches(from, to int) (Truth, error) {
	if err := s.stand(from); err != nil {
		return Unknown, err
	}
	if err := unix.Fchdir(to); err != nil {
		return Unknown, err
	}
	buf := make([]byte, 4096)
	// Not the library's, which makes an error of the answer.
	n, _, e := unix.Syscall(unix.SYS_GETCWD, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0)
	if e != 0 {
		return Unknown, fmt.Errorf("getcwd: %w", e)
	}
	return truth(!bytes.HasPrefix(buf[:n], []byte(unreachable))), nil
}

// magic is the path of a descriptor for a thread whose working directory is a procfs.
func magic(fd int) string { return fmt.Sprintf("thread-self/fd/%d", fd) }

// inProc makes the procfs the thread's working directory.
func (s *scout) inProc() error { return unix.Fchdir(s.proc) }

// locked reports whether the mount on whose root a descriptor is, which nothing covers, is locked in
// place (MNT_LOCKED), of which no file tells. It asks to have the mount expire (MNT_EXPIRE), which the
// kernel refuses with EINVAL because of the lock, or else with EBUSY because a mount of which a
// descriptor is open is in use: it never comes to mark it. away is a descriptor of a place on another
// mount, for the kernel refuses it with EINVAL to a caller whose root is on the mount, too.
func (s *scout) locked(fd, away int) (Truth, error) {
	if err := s.stand(away); err != nil {
		return Unknown, err
	}
	if err := s.inProc(); err != nil {
		return Unknown, err
	}
	err := unix.Unmount(magic(fd), unix.MNT_EXPIRE)
	switch {
	case errors.Is(err, unix.EBUSY):
		return No, nil
	case errors.Is(err, unix.EINVAL):
		return Yes, nil
	}
	return Unknown, fmt.Errorf("umount2(MNT_EXPIRE): %w", err)
}

// staysPut reports whether the mount on whose root a descriptor is could not be moved: because it is
// locked, or the mount that it is mounted on is shared, or there is none such. It asks to have it moved
// onto itself, which the kernel refuses with EINVAL for those reasons, or else with ELOOP.
func (s *scout) staysPut(fd int) (Truth, error) {
	err := unix.MoveMount(fd, "", fd, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	switch {
	case errors.Is(err, unix.ELOOP):
		return No, nil
	case errors.Is(err, unix.EINVAL):
		return Yes, nil
	}
	return Unknown, fmt.Errorf("move_mount: %w", err)
}

// gone reports whether the kernel takes the mount of a descriptor, which is not in the thread's
// namespace, for one that is mounted nowhere: since 6.12 that is ENOENT for put_old. It asks
// pivot_root itself, with that directory as new_root too: so the call cannot succeed, for new_root
// has to be in the namespace.
func (s *scout) gone(fd int) (Truth, error) {
	if err := s.stand(s.proc); err != nil {
		return Unknown, err
	}
	err := unix.PivotRoot(magic(fd), magic(fd))
	switch {
	case errors.Is(err, unix.ENOENT):
		return Yes, nil
	case errors.Is(err, unix.EINVAL):
		return No, nil
	}
	return Unknown, fmt.Errorf("pivot_root: %w", err)
}

// tellsGone reports whether the kernel tells a mount that is mounted nowhere from one that is in no
// namespace for other reasons, which it does since 6.12: it asks of one that it made and let go.
func (s *scout) tellsGone() (bool, error) {
	proc, err := newfs.Detached("proc")
	if err != nil {
		return false, err
	}
	held, err := unix.Openat(proc, ".", openDir, 0)
	unix.Close(proc) // the last of it but for the directory that is held
	if err != nil {
		return false, err
	}
	defer unix.Close(held)
	t, err := s.gone(held)
	return t == Yes, err
}

// name returns what the kernel calls the directory of a descriptor, from the root of the thread.
func name(proc, fd int) string {
	buf := make([]byte, 4096)
	n, err := unix.Readlinkat(proc, magic(fd), buf)
	if err != nil || n == len(buf) {
		return ""
	}
	return string(buf[:n])
}

const deletedSuffix = " (deleted)"

// removed reports whether a directory was removed, from its name for the thread that asks.
func removed(proc, fd int, st *unix.Statx_t) Truth {
	n := name(proc, fd)
	switch {
	case n == "":
		return Unknown
	case !strings.HasSuffix(n, deletedSuffix):
		return No
	case st.Nlink == 0:
		return Yes
	}
	// Some filesystems count links otherwise, and some directories are called so.
	_, err := look(unix.AT_FDCWD, n)
	return truth(errors.Is(err, unix.ENOENT))
}

// readAt reads a file below a folder.
func readAt(dir int, path string) ([]byte, error) {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/proc/%s: %w", path, err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("/proc/%s: %w", path, err)
	}
	return b, nil
}

// look is statx(2) of what a path leads to; of the directory itself if the path is "".
func look(dir int, path string) (unix.Statx_t, error) {
	var st unix.Statx_t
	flags := unix.AT_NO_AUTOMOUNT
	if path == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	err := unix.Statx(dir, path, flags, unix.STATX_TYPE|unix.STATX_INO|unix.STATX_NLINK|unix.STATX_MNT_ID, &st)
	return st, err
}

// isMountRoot says whether what was looked at is the root of its mount, known since Linux 5.8.
func isMountRoot(st *unix.Statx_t) Truth {
	if st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT == 0 {
		return Unknown
	}
	return truth(st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0)
}

const openDir = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC

// top returns a descriptor of the root of the mount on which a directory is, which is the directory
// itself or above it.
func (s *scout) top(fd int) (int, error) {
	// The thread's own root must not be between the two. Who may not change it has that of the caller.
	_ = s.stand(s.proc)
	at, err := look(fd, "")
	if err != nil {
		return -1, err
	}
	own := at.Mnt_id
	cur, err := unix.Openat(fd, "", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		if cur, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return -1, err
		}
	}
	for isMountRoot(&at) == No {
		up, err := unix.Openat(cur, "..", openDir, 0)
		unix.Close(cur)
		if err != nil {
			return -1, err
		}
		cur = up
		before := at.Ino
		if at, err = look(cur, ""); err != nil || at.Mnt_id != own || at.Ino == before {
			unix.Close(cur)
			if err == nil {
				err = errors.New("its root is covered by another mount")
			}
			return -1, err
		}
	}
	return cur, nil
}
