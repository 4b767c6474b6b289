package diagnose

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/newfs"
)

// ErrNoProc is wrapped by the error of [Open] where no procfs is to be had.
var ErrNoProc = errors.New("no procfs at /proc, and none could be had otherwise")

// Reader reads what calls of pivot_root depend on.
type Reader struct {
	proc  int // O_PATH descriptor of a procfs
	own   bool
	scout *scout
	// lookupsFirst is what the kernel asks for first, and filtered whether something answers in its
	// place, once they are known: neither changes.
	asked        bool
	lookupsFirst Truth
	filtered     string
}

// Open prepares a reader. The procfs is that of /proc; where none is mounted there, one is opened that
// is mounted nowhere, for which CAP_SYS_ADMIN is needed.
func Open() (*Reader, error) {
	fd, err := unix.Open("/proc", openDir, 0)
	if err == nil {
		var st unix.Statfs_t
		if err = unix.Fstatfs(fd, &st); err == nil && int64(st.Type) != unix.PROC_SUPER_MAGIC {
			err = errors.New("/proc is no procfs")
		}
		if err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		var err2 error
		if fd, err2 = newfs.Detached("proc"); err2 != nil {
			return nil, fmt.Errorf("%w: %w; %w", ErrNoProc, err, err2)
		}
	}
	r, err := On(fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	r.own = true
	return r, nil
}

// On is [Open] with a descriptor of a procfs, which stays the caller's.
func On(proc int) (*Reader, error) {
	s, err := newScout(proc)
	if err != nil {
		return nil, err
	}
	return &Reader{proc: proc, scout: s}, nil
}

// Proc returns a descriptor of the procfs that the reader uses.
func (r *Reader) Proc() int { return r.proc }

// Close ends the reader.
func (r *Reader) Close() {
	r.scout.close()
	if r.own {
		unix.Close(r.proc)
	}
}

// Call is a call that is to be diagnosed.
type Call struct {
	// Task is the ID of the task that would make it, 0 for the calling thread, which then has to
	// be locked to its goroutine.
	Task int
	// New and Old are new_root and put_old. One that is Bad is no address of the caller's.
	New, Old Path
}

// Path is an argument of a call.
type Path struct {
	Text string
	Bad  bool
}

// ErrNoTask is wrapped by the error of [Reader.Read] for a task that is not there.
var ErrNoTask = errors.New("there is no such task")

// Read reads all that the answer to a call depends on. It returns an error if it can find out nothing
// at all; what else cannot be found out is said in the facts.
func (r *Reader) Read(c Call) (*Facts, error) {
	l := &reading{Reader: r, call: c, f: &Facts{}, mounts: map[uint64]listed{}}
	defer l.close()
	return l.f, l.read()
}

// reading is one reading.
type reading struct {
	*Reader
	call Call
	f    *Facts
	// task is a descriptor of the caller's folder in procfs, ns one of its mount namespace.
	task, ns int
	// newFd, oldFd and rootFd are descriptors of the three places, -1 where there is none.
	newFd, oldFd, rootFd int
	// mounts are those of the caller's namespace that were seen from anywhere.
	mounts map[uint64]listed
	// entered says that the scout is in the caller's mount namespace.
	entered bool
	// noRoot and noCwd are why the caller's root or working directory cannot be looked at.
	noRoot, noCwd error
	fds           []int
}

func (l *reading) hold(fd int, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	l.fds = append(l.fds, fd)
	return fd, nil
}

func (l *reading) close() {
	for _, fd := range l.fds {
		unix.Close(fd)
	}
}

// unread notes what could not be read.
func (l *reading) unread(what string, err error) {
	text := what + ": " + err.Error()
	if !slices.Contains(l.f.Unread, text) {
		l.f.Unread = append(l.f.Unread, text)
	}
}

func (l *reading) read() error {
	var u unix.Utsname
	_ = unix.Uname(&u)
	l.f.Release = unix.ByteSliceToString(u.Release[:])
	folder := "thread-self"
	if l.call.Task != 0 {
		folder = strconv.Itoa(l.call.Task)
	}
	var err error
	if l.task, err = l.hold(unix.Openat(l.proc, folder, openDir, 0)); err != nil {
		return fmt.Errorf("/proc/%s: %w: %w", folder, err, ErrNoTask)
	}
	if l.ns, err = l.hold(unix.Openat(l.task, "ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)); err != nil {
		l.unread("the caller's mount namespace", err)
	}
	l.privileges()
	if !l.asked {
		l.scout.do(l.era)
		l.asked = true
	}
	l.f.LookupsFirst, l.f.Filtered = l.lookupsFirst, l.Reader.filtered
	if l.call.Task == 0 {
		l.places()
		l.probe()
	} else {
		l.scout.do(func() { l.asTask(l.places) })
		for _, err := range []error{l.noRoot, l.noCwd} {
			if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
				l.scout.do(l.scout.rest)
				return fmt.Errorf("stand where task %d stands: %w", l.call.Task, err)
			}
		}
	}
	if list, err := l.ownMounts(); err != nil {
		l.unread("the caller's mounts", err)
	} else {
		l.merge(list, Inside)
	}
	l.scout.do(func() {
		l.survey()
		l.scout.rest()
	})
	return nil
}

func (l *reading) ownMounts() ([]listed, error) {
	text, err := readAt(l.task, "mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountinfo(text)
}

// merge adds mounts of the namespace, as they were seen from somewhere. Where they are mounted stays
// as it was first seen.
func (l *reading) merge(list []listed, seen Seen) {
	covered := map[uint64]bool{}
	at := map[uint64]string{}
	for _, m := range list {
		at[m.id] = m.point
	}
	for _, m := range list {
		// What is mounted on a mount's root hides it: the name leads there.
		if p, ok := at[m.parent]; ok && m.parent != m.id && p == m.point {
			covered[m.parent] = true
		}
	}
	for _, m := range list {
		if _, ok := l.mounts[m.id]; ok {
			continue
		}
		if m.seen = seen; covered[m.id] {
			m.seen = ""
		}
		l.mounts[m.id] = m
	}
}

// privileges reads the caller's capabilities, and whose its mount namespace is.
func (l *reading) privileges() {
	c := &l.f.Caller
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3, Pid: int32(l.call.Task)}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		l.unread("the caller's capabilities", fmt.Errorf("capget: %w", err))
	} else {
		c.Effective = truth(sets[0].Effective>>unix.CAP_SYS_ADMIN&1 == 1)
		c.Permitted = truth(sets[0].Permitted>>unix.CAP_SYS_ADMIN&1 == 1)
	}
	if label, err := readAt(l.task, "attr/current"); err == nil {
		c.Profile = strings.TrimRight(string(label), "\x00\n")
	}
	c.Owner = l.owner()
	// The version of Landlock: none where it is not built in, or not enabled.
	_, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e == unix.ENOSYS || e == unix.EOPNOTSUPP {
		c.Restricted = No
	}
	switch {
	case c.Effective == No || c.Owner == No:
		c.Capable = No
	case c.Effective == Yes && c.Owner == Yes:
		c.Capable = Yes
	}
}

// owner says whether the caller's user namespace owns its mount namespace, itself or as an ancestor
// of the owner.
func (l *reading) owner() Truth {
	if l.ns < 0 {
		return Unknown
	}
	var user unix.Stat_t
	if err := unix.Fstatat(l.task, "ns/user", &user, 0); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return Yes // a kernel without user namespaces
		}
		l.unread("the caller's user namespace", err)
		return Unknown
	}
	for fd, request := l.ns, uint(unix.NS_GET_USERNS); ; request = unix.NS_GET_PARENT {
		next, err := unix.IoctlRetInt(fd, request)
		if errors.Is(err, unix.EPERM) {
			// Beyond the reader's own user namespace: an ancestor's of the caller's.
			return No
		}
		if err != nil {
			l.unread("the owner of the caller's mount namespace", err)
			return Unknown
		}
		if fd, err = l.hold(next, nil); err != nil {
			return Unknown
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return Unknown
		}
		if st.Ino == user.Ino {
			return Yes
		}
	}
}

// noAddress is no address of any program's: the last page of the address space.
const noAddress = ^uintptr(4095)

// era asks pivot_root itself, with two addresses that are none, so that it cannot succeed: once as
// the reader is, to see whether a filter of system calls answers in the kernel's place, and once
// without CAP_SYS_ADMIN, to see whether the kernel asks for that first.
func (l *reading) era() {
	ask := func() unix.Errno {
		_, _, e := unix.RawSyscall(unix.SYS_PIVOT_ROOT, noAddress, noAddress, 0)
		return e
	}
	first := ask()
	switch first {
	case unix.EFAULT:
	case unix.EPERM:
		if l.hasFilter() == No {
			// So it is the capability, and that is asked for first.
			l.lookupsFirst = No
		} else if l.f.Caller.Effective == Yes && l.f.Caller.Owner == Yes {
			l.Reader.filtered = "EPERM"
		}
		return
	default:
		l.Reader.filtered = errnoName(first)
		return
	}
	var e unix.Errno
	if err := without([]int{unix.CAP_SYS_ADMIN}, func() { e = ask() }); err != nil {
		l.unread("the order of the checks", err)
		return
	}
	l.lookupsFirst = truth(e == unix.EFAULT)
}

// hasFilter says whether a filter of system calls is in force for the reader, see seccomp(2).
func (l *reading) hasFilter() Truth {
	text, err := readAt(l.proc, "thread-self/status")
	if err != nil {
		return Unknown
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "Seccomp:"); ok {
			return truth(strings.TrimSpace(v) != "0")
		}
	}
	return No
}

// without runs f while the thread's effective capabilities lack some.
func without(caps []int, f func()) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var full [2]unix.CapUserData
	if err := unix.Capget(&header, &full[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	less := full
	for _, c := range caps {
		less[c/32].Effective &^= 1 << (c % 32)
	}
	if err := unix.Capset(&header, &less[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	f()
	if err := unix.Capset(&header, &full[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}

// probe asks, as the calling thread, what no file tells of it.
func (l *reading) probe() {
	c := &l.f.Caller
	// fsmount(2) asks for the very capability first, and then for a descriptor that is none.
	_, _, e := unix.RawSyscall(unix.SYS_FSMOUNT, ^uintptr(0), 0, 0)
	switch e {
	case unix.EPERM:
		c.Capable = No
	case unix.EBADF:
		c.Capable = Yes
	}
	if c.Capable != Yes {
		return
	}
	// mount(2) asks the security modules first, and then refuses two types of propagation at once
	// with EINVAL. Landlock refuses every change of mounts alike, this one and pivot_root.
	err := unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_PRIVATE, "")
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EACCES) {
		err = unix.Mount("", ".", "", unix.MS_SHARED|unix.MS_PRIVATE, "")
	}
	switch {
	case errors.Is(err, unix.EINVAL):
		c.Restricted = No
	case errors.Is(err, unix.EPERM):
		c.Restricted = Yes
	default:
		l.unread("whether a security module refuses changes of mounts", fmt.Errorf("mount: %w", err))
	}
}

// asTask runs f while the scout stands where the task does, with what the task may do.
func (l *reading) asTask(f func()) {
	if l.ns >= 0 {
		if err := l.scout.enter(l.ns); err != nil {
			l.unread("the caller's mount namespace", fmt.Errorf("setns: %w", err))
		}
	}
	var fd int
	if fd, l.noRoot = l.hold(unix.Openat(l.task, "root", openDir, 0)); l.noRoot == nil {
		l.noRoot = l.scout.stand(fd)
	}
	if fd, l.noCwd = l.hold(unix.Openat(l.task, "cwd", openDir, 0)); l.noCwd == nil {
		l.noCwd = unix.Fchdir(fd)
	}
	var overrides []int
	if l.f.Caller.Effective == No || l.otherUser() {
		overrides = []int{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH}
	}
	if err := without(overrides, f); err != nil {
		l.unread("the look-ups as the task makes them", err)
	}
}

// otherUser reports whether the task is in another user namespace than the reader.
func (l *reading) otherUser() bool {
	var a, b unix.Stat_t
	return unix.Fstatat(l.task, "ns/user", &a, 0) == nil && unix.Fstatat(l.proc, "thread-self/ns/user", &b, 0) == nil && a.Ino != b.Ino
}

// places looks the two arguments up, and the root, as the thread that calls it.
func (l *reading) places() {
	l.newFd = l.argument(l.call.New, &l.f.New)
	l.oldFd = l.argument(l.call.Old, &l.f.Old)
	err := l.noRoot
	if l.rootFd = -1; err == nil {
		l.rootFd, err = l.hold(unix.Open("/", openDir, 0))
	}
	if err != nil {
		if errors.Is(err, unix.EOPNOTSUPP) { // fchroot(FD_FAILFS_ROOT), since Linux 7.3
			l.f.Root.Mount.Own = No
			l.f.Root.Mount.Elsewhere = "the filesystem in which every look-up fails"
		} else {
			l.unread("the caller's root", err)
		}
		return
	}
	l.spot(l.rootFd, &l.f.Root)
}

// argument looks an argument up as pivot_root does: with the flags of a directory, following links.
func (l *reading) argument(p Path, a *Arg) int {
	a.Path = p.Text
	if p.Bad {
		a.Errno, a.Problem = "EFAULT", "bad-address"
		return -1
	}
	// fchroot(2) and fchdir(2) of FD_FAILFS_ROOT, since Linux 7.3: such a place cannot be shared.
	nowhere := l.noCwd
	if strings.HasPrefix(p.Text, "/") {
		nowhere = l.noRoot
	}
	if nowhere != nil && p.Text != "" {
		a.fail(nowhere)
		return -1
	}
	fd, err := l.hold(unix.Open(p.Text, openDir, 0))
	if err != nil {
		a.fail(err)
		return -1
	}
	l.spot(fd, &a.Spot)
	return fd
}

// spot reads what a directory says of itself.
func (l *reading) spot(fd int, s *Spot) {
	st, err := look(fd, "")
	if err != nil {
		l.unread("a directory", fmt.Errorf("statx: %w", err))
		return
	}
	s.Is = name(l.proc, fd)
	if there, err := look(unix.AT_FDCWD, s.Is); s.Is != "" && (err != nil || there.Mnt_id != st.Mnt_id || there.Ino != st.Ino) {
		s.Hidden = true
	}
	s.MountRoot = isMountRoot(&st)
	s.Removed = removed(l.proc, fd, &st)
	if st.Mask&unix.STATX_MNT_ID != 0 {
		s.Mount.ID = st.Mnt_id
	}
}

// survey finds the mounts of the three places, from the caller's mount namespace.
func (l *reading) survey() {
	s := l.scout
	l.entered = true
	if l.ns >= 0 {
		if err := s.enter(l.ns); err != nil {
			l.entered = l.sameNamespace()
			if !l.entered {
				l.unread("the mounts of the caller's namespace", fmt.Errorf("setns: %w", err))
			}
		} else if list, err := s.mounts(); err == nil {
			l.merge(list, Outside)
		}
	}
	spots := []struct {
		fd   int
		spot *Spot
		arg  bool
	}{{l.newFd, &l.f.New.Spot, false}, {l.oldFd, &l.f.Old.Spot, true}, {l.rootFd, &l.f.Root, false}}
	for _, p := range spots {
		if p.fd >= 0 && p.spot.Mount.ID != 0 {
			l.place(p.fd, p.spot)
		}
	}
	if l.newFd >= 0 && l.oldFd >= 0 {
		l.f.Below = l.below()
	}
	if l.newFd >= 0 && l.rootFd >= 0 {
		l.f.NewBelow = l.reaches(l.rootFd, l.newFd, "new_root")
	}
	if l.newFd >= 0 {
		l.lock()
	}
	if l.oldFd >= 0 && l.f.Old.Mount.Own == No && l.f.Old.Removed == No && l.f.Old.Mount.Elsewhere == "" {
		var err error
		m := &l.f.Old.Mount
		if m.Gone, err = s.gone(l.oldFd); err == nil && m.Gone == No {
			var tells bool
			if tells, err = s.tellsGone(); !tells {
				m.Gone = Unknown
			}
		}
		if err != nil {
			l.unread("whether put_old's mount is mounted nowhere", err)
		}
	}
}

func (l *reading) sameNamespace() bool {
	var a, b unix.Stat_t
	return unix.Fstat(l.ns, &a) == nil && unix.Fstatat(l.proc, "thread-self/ns/mnt", &b, 0) == nil && a.Ino == b.Ino
}

func (l *reading) reaches(from, to int, what string) Truth {
	t, err := l.scout.reaches(from, to)
	switch {
	case err == nil:
		return t
	case errors.Is(err, unix.ENOENT): // removed, which comes before all positions
		return Unknown
	case errors.Is(err, unix.EPERM) && l.call.Task == 0:
		// Without CAP_SYS_CHROOT no thread goes there. The names tell as much, as long as nobody
		// mounted anything over them; and who lacks that capability lacks the other as well.
		above, below := name(l.proc, from), name(l.proc, to)
		if above == "" || below == "" {
			return Unknown
		}
		return truth(below == above || strings.HasPrefix(below, strings.TrimSuffix(above, "/")+"/"))
	}
	l.unread("the position of "+what, err)
	return Unknown
}

// below says whether put_old is new_root or below it. What counts is the topmost mount on put_old.
func (l *reading) below() Truth {
	t := l.reaches(l.newFd, l.oldFd, "put_old")
	if t == No && l.f.New.MountRoot == Yes && slices.Contains(l.covers(l.oldFd, 0), l.f.New.Mount.ID) {
		return Yes
	}
	return t
}

// covers returns the IDs of the mounts that are stacked on a directory, which is on the mount with
// that ID (0: find it out), the topmost last.
func (l *reading) covers(fd int, on uint64) []uint64 {
	if on == 0 {
		st, err := look(fd, "")
		if err != nil {
			return nil
		}
		on = st.Mnt_id
	}
	if l.bare(on) {
		return nil
	}
	list, err := l.from(fd)
	if err != nil {
		return nil
	}
	l.merge(list, "")
	var out []uint64
	for {
		i := slices.IndexFunc(list, func(m listed) bool { return m.point == "/" && m.parent == on && m.id != on })
		if i < 0 || slices.Contains(out, list[i].id) {
			return out
		}
		on = list[i].id
		out = append(out, on)
	}
}

// bare reports whether a mount was seen, and none that is mounted on it: from wherever it is seen,
// those are.
func (l *reading) bare(id uint64) bool {
	if _, ok := l.mounts[id]; !ok || !l.entered {
		return false
	}
	for _, m := range l.mounts {
		if m.parent == id && m.id != id {
			return false
		}
	}
	return true
}

// place finds out about the mount of a directory. That of put_old is the topmost on it, for that is
// the one on which the old root would be mounted.
func (l *reading) place(fd int, s *Spot) {
	if s == &l.f.Old.Spot {
		if stack := l.covers(fd, s.Mount.ID); len(stack) > 0 {
			s.Mount.ID = stack[len(stack)-1]
			s.MountRoot, s.Removed = Yes, truth(l.mounts[s.Mount.ID].removed)
		}
	}
	m := &s.Mount
	top := -1
	have, ok := l.mounts[m.ID]
	if !ok {
		var err error
		if top, err = l.hold(l.scout.top(fd)); err != nil {
			l.unread(fmt.Sprintf("the mount of %s", s.Is), err)
		} else if list, err := l.from(top); err != nil {
			l.unread(fmt.Sprintf("the mount of %s", s.Is), err)
		} else if l.entered {
			l.merge(list, "")
			if have, ok = l.mounts[m.ID]; !ok {
				m.Own = No
			}
		}
	}
	if m.Own == No {
		l.elsewhere(m)
		return
	}
	if !ok {
		if have, ok = l.byID(fd); !ok {
			return
		}
	}
	m.Own = Yes
	m.fill(have)
	if have.parent == have.id {
		// The kernel takes such a mount for its own parent.
		m.HasParent, m.Parent, m.ParentShared = No, 0, m.Shared
		return
	}
	m.HasParent, m.Parent = Yes, have.parent
	if _, ok := l.mounts[m.Parent]; !ok {
		l.parentByID(fd, m.Parent)
	}
	if _, ok := l.mounts[m.Parent]; !ok {
		if m.ParentShared = l.parentShared(fd, m.ID); m.ParentShared == No {
			return
		}
		l.climb(fd, m.Parent)
	}
	if p, ok := l.mounts[m.Parent]; ok {
		m.ParentPoint, m.ParentSeen, m.ParentShared = p.point, p.seen, truth(p.shared)
	}
}

// parentShared finds out whether the mount is shared that a directory's mount, which has that ID, is
// mounted on, where neither mountinfo nor statmount(2) shows it: by what it takes to move that away.
func (l *reading) parentShared(fd int, id uint64) Truth {
	top, err := l.hold(l.scout.top(fd))
	if err != nil {
		return Unknown
	}
	switch stays, _ := l.scout.staysPut(top); stays {
	case No:
		return No
	case Unknown:
		return Unknown
	}
	if t, _ := l.lockedMount(top, id); t == No {
		return Yes
	}
	return Unknown // the lock alone is reason enough
}

// lockedMount says whether a mount is locked, on whose root a descriptor is and which has that ID.
func (l *reading) lockedMount(top int, id uint64) (Truth, error) {
	if len(l.covers(top, id)) > 0 {
		return Unknown, nil
	}
	for _, away := range []int{l.proc, l.rootFd, l.oldFd} {
		if away < 0 {
			continue
		}
		// The kernel wants the thread's root to be on another mount.
		if st, err := look(away, ""); err == nil && st.Mnt_id != id {
			return l.scout.locked(top, away)
		}
	}
	return Unknown, nil
}

func (m *Mount) fill(l listed) {
	m.Point, m.Seen, m.Type, m.Source, m.Shared = l.point, l.seen, l.kind, l.source, truth(l.shared)
}

// from returns the mounts of the namespace that are seen from a directory.
func (l *reading) from(fd int) ([]listed, error) {
	if err := l.scout.stand(fd); err != nil {
		return nil, err
	}
	return l.scout.mounts()
}

// climb looks at the mounts from above a directory until the one with that ID is seen.
func (l *reading) climb(fd int, want uint64) {
	const levels = 16
	// The root out of the way, that ".." goes beyond it.
	if l.ns < 0 || l.scout.enter(l.ns) != nil {
		return
	}
	cur, err := l.hold(l.scout.top(fd))
	var last unix.Statx_t
	for range levels {
		if err != nil {
			return
		}
		if cur, err = l.hold(unix.Openat(cur, "..", openDir, 0)); err != nil {
			return
		}
		top, err2 := l.hold(l.scout.top(cur))
		if err2 != nil {
			return
		}
		at, err2 := look(top, "")
		if err2 != nil || at.Mnt_id == last.Mnt_id && at.Ino == last.Ino {
			return // as high as it goes
		}
		last = at
		list, err2 := l.from(top)
		if err2 != nil {
			return
		}
		l.merge(list, "")
		if _, ok := l.mounts[want]; ok || l.scout.enter(l.ns) != nil {
			return
		}
		cur = top
	}
}

// byID asks statmount(2) for the mount of a directory.
func (l *reading) byID(fd int) (listed, bool) {
	s, ok := l.statmount(fd)
	if !ok {
		return listed{}, false
	}
	l.merge([]listed{s.listed}, "")
	return s.listed, true
}

func (l *reading) statmount(fd int) (statmounted, bool) {
	var st unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID_UNIQUE, &st)
	if err != nil || st.Mask&unix.STATX_MNT_ID_UNIQUE == 0 {
		return statmounted{}, false
	}
	s, err := statmount(st.Mnt_id)
	return s, err == nil
}

// parentByID asks statmount(2) for the mount on which that of a directory is mounted.
func (l *reading) parentByID(fd int, want uint64) {
	s, ok := l.statmount(fd)
	if !ok || s.parent != want {
		return
	}
	if p, err := statmount(s.uniqueParent); err == nil {
		l.merge([]listed{p.listed}, "")
	}
}

// elsewhere looks for a mount in the mount namespaces of other processes, and in those that the
// caller holds open.
func (l *reading) elsewhere(m *Mount) {
	var own unix.Stat_t
	if l.ns < 0 || unix.Fstat(l.ns, &own) != nil {
		return
	}
	seen := map[uint64]bool{own.Ino: true}
	found := func(list []listed, where string) bool {
		i := slices.IndexFunc(list, func(x listed) bool { return x.id == m.ID })
		if i < 0 {
			return false
		}
		m.fill(list[i])
		m.Elsewhere = where
		if p := slices.IndexFunc(list, func(x listed) bool { return x.id == list[i].parent }); p >= 0 {
			m.HasParent, m.Parent = truth(p != i), list[p].id
			m.ParentPoint, m.ParentShared = list[p].point, truth(list[p].shared)
		}
		return true
	}
	for _, pid := range entries(l.proc, ".") {
		if _, err := strconv.Atoi(pid); err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Fstatat(l.proc, pid+"/ns/mnt", &st, 0) != nil || seen[st.Ino] {
			continue
		}
		text, err := readAt(l.proc, pid+"/mountinfo")
		if err != nil {
			continue
		}
		seen[st.Ino] = true
		if list, err := parseMountinfo(text); err == nil && found(list, "the mount namespace of process "+pid) {
			return
		}
		// It shows only what that process's root reaches.
		if ns, err := l.hold(unix.Openat(l.proc, pid+"/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)); err == nil {
			if list, err := l.visit(ns); err == nil && found(list, "the mount namespace of process "+pid) {
				return
			}
		}
	}
	for _, n := range entries(l.task, "fd") {
		fd := "fd/" + n
		buf := make([]byte, 64)
		k, err := unix.Readlinkat(l.task, fd, buf)
		if err != nil || !strings.HasPrefix(string(buf[:k]), "mnt:[") {
			continue
		}
		ns, err := l.hold(unix.Openat(l.task, fd, unix.O_RDONLY|unix.O_CLOEXEC, 0))
		var st unix.Stat_t
		if err != nil || unix.Fstat(ns, &st) != nil || seen[st.Ino] {
			continue
		}
		seen[st.Ino] = true
		if list, err := l.visit(ns); err == nil && found(list, "a mount namespace that the caller holds open") {
			return
		}
	}
}

// visit returns the mounts of another mount namespace, and comes back.
func (l *reading) visit(ns int) ([]listed, error) {
	if err := l.scout.enter(ns); err != nil {
		return nil, err
	}
	list, err := l.scout.mounts()
	if back := l.scout.enter(l.ns); back != nil {
		l.entered = false
		l.unread("the mounts of the caller's namespace", fmt.Errorf("setns: %w", back))
	}
	return list, err
}

// entries lists a folder.
func entries(dir int, path string) []string {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	out, _ := f.Readdirnames(0)
	slices.Sort(out)
	return out
}

// lock finds out whether new_root's mount is locked.
func (l *reading) lock() {
	m := &l.f.New.Mount
	if m.Own != Yes {
		return
	}
	fd, err := l.hold(l.scout.top(l.newFd))
	if err == nil {
		m.Locked, err = l.lockedMount(fd, m.ID)
	}
	if err == nil && m.Locked == Unknown && m.HasParent == Yes && m.ParentShared == No {
		m.Locked, err = l.scout.staysPut(fd)
	}
	if err != nil {
		l.unread("whether new_root is locked", err)
	}
}

func errnoName(e unix.Errno) string {
	if e == unix.EOPNOTSUPP {
		return "EOPNOTSUPP"
	}
	if n := unix.ErrnoName(e); n != "" {
		return n
	}
	return "errno " + strconv.Itoa(int(e))
}
