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
	go func() {
		// Never unlocked: the runtime ends the thread, and with it the namespace.
		runtime.LockOSThread()
		Room()
		for job(s) {
			job = <-s.work
		}
		if e.Park {
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
	if w.home == nil || w.privileges {
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
	if mounts, err := readAt(e.Proc, fmt.Sprintf("%d/mountinfo", tid)); err == nil {
		h.private = allPrivate(mounts)
	}
	return h
}

// allPrivate says whether the text of a mountinfo has no mount with an optional field, which says how it
// propagates; see proc_pid_mountinfo(5).
func allPrivate(mountinfo string) bool {
	for line := range strings.Lines(mountinfo) {
		if f := strings.Fields(line); len(f) < 7 || f[6] != "-" {
			return false
		}
	}
	return true
}
