package sandbox

import (
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// seat is an OS thread on which worlds are made, one after the other if they are parked: under
// emulation, a new thread for each costs more than to take one back, and a pivot_root looks at each
// thread that there is.
type seat struct {
	work chan func(*seat) (again bool)
	// worlds were made here and are parked: what their children's steps point to has to stay.
	worlds []*World
}

// home is where worlds begin, for threads that are to come back to it.
type home struct {
	namespace int
	root      Place
	// private says that all mounts there are private, and so all in a copy of the namespace.
	private bool
	// task is what a thread there is allowed and who it is.
	task traits
}

// traits are what a thread has of its own beside its namespaces, root and working directory, as far as it can be
// asked for it: it must be the same when the next world begins. What cannot be asked for is a Landlock
// domain; worlds put none but other threads and children into one.
type traits struct {
	caps       [2]unix.CapUserData
	uids, gids [3]int
	// fsuid and fsgid are -1 where they cannot be asked for, and then not be set either.
	fsuid, fsgid int
	umask        int
	// answers are those of prctl(2).
	answers [4]uintptr
}

// traitsOf returns those of the calling thread, whose fs must be its own.
func traitsOf() (t traits, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &t.caps[0]); err != nil {
		return t, err
	}
	t.uids[0], t.uids[1], t.uids[2] = unix.Getresuid()
	t.gids[0], t.gids[1], t.gids[2] = unix.Getresgid()
	// Nobody has the ID -1, so both only answer.
	if t.fsuid, err = unix.SetfsuidRetUid(-1); err != nil {
		t.fsuid = -1
	}
	if t.fsgid, err = unix.SetfsgidRetGid(-1); err != nil {
		t.fsgid = -1
	}
	t.umask = unix.Umask(0)
	unix.Umask(t.umask)
	for i, option := range [...]uintptr{unix.PR_GET_KEEPCAPS, unix.PR_GET_SECUREBITS, unix.PR_GET_NO_NEW_PRIVS, unix.PR_GET_SECCOMP} {
		t.answers[i], _, _ = unix.RawSyscall6(unix.SYS_PRCTL, option, 0, 0, 0, 0, 0)
	}
	return t, nil
}

// do runs a job on a thread that no other has meanwhile. A job that returns true has put the thread,
// as it was before, where the next finds it; otherwise it is kept with Park, and ends without.
func (e *Env) do(job func(*seat) (again bool)) {
	select {
	case s := <-e.free:
		s.work <- job
		return
	default:
	}
	s := &seat{work: make(chan func(*seat) bool)}
	park := e.Park // as it is now: when the world has ended, it may be set for the next
	go func() {
		// Never unlocked: the runtime ends the thread, and with it the namespace.
		runtime.LockOSThread()
		Room()
		for job(s) {
			job = <-s.work
		}
		if park {
			<-make(chan struct{})
			runtime.KeepAlive(s)
		}
	}()
}

// settle parks the world that was made on a seat, and says whether the thread has left it and is at
// home again, without a trace of what the world did to it.
func (e *Env) settle(s *seat, w *World) (again bool) {
	if !e.Park {
		return false
	}
	s.worlds = append(s.worlds, w)
	if w.home == nil {
		return false
	}
	// Open for ever, it keeps the namespace: to take it down costs as much as the spec itself.
	if _, err := unix.Openat(w.proc, fmt.Sprintf("%d/ns/mnt", w.tid), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return false
	}
	// That takes root and cwd to the namespace's root. It is refused to a thread whose root a child shares.
	if unix.Setns(w.home.namespace, unix.CLONE_NEWNS) != nil {
		return false
	}
	if now, err := statx(unix.AT_FDCWD, "/"); err != nil || now != w.home.root {
		return false
	}
	if now, err := traitsOf(); err != nil || now != w.home.task {
		return false
	}
	select {
	case e.free <- s:
		return true
	default:
		return false
	}
}

// homeOf returns the home of the calling thread, nil if it is not one that setns(2) leads to.
func (e *Env) homeOf(tid int) *home {
	root, err := statx(unix.AT_FDCWD, "/")
	cwd, err2 := statCwd()
	if err != nil || err2 != nil || root != cwd {
		return nil
	}
	ns, err := unix.Openat(e.Proc, fmt.Sprintf("%d/ns/mnt", tid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	h := &home{namespace: ns, root: root}
	if unix.Unshare(unix.CLONE_FS) != nil {
		return nil
	}
	if h.task, err = traitsOf(); err != nil {
		return nil
	}
	if mounts, err := readAt(e.Proc, fmt.Sprintf("%d/mountinfo", tid)); err == nil {
		h.private = allPrivate(mounts)
	}
	return h
}

// allPrivate says whether the text of a mountinfo has no mount with an optional field, which says how it
// propagates; see proc_pid_mountinfo(5). It has to show the mount at "/": to who is in a chroot that is no mount
// point it does not, and nothing is known of that one.
func allPrivate(mountinfo string) bool {
	root := false
	for line := range strings.Lines(mountinfo) {
		f := strings.Fields(line)
		if len(f) < 7 || f[6] != "-" {
			return false
		}
		root = root || f[4] == "/"
	}
	return root
}
