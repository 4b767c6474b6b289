package sandbox

import (
	"fmt"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/abi"
	"pivotspec/suites/record"
)

// maxSteps bounds a script; its results lie in one page.
const maxSteps = 64

// childSlot is where the ID of a child of the child lies behind the results of the steps.
const childSlot = maxSteps

// States of a step that has not ended; from 0 on it is the errno.
const (
	stepAhead = -1
	// stepSkipped is a call that a kernel under test answered without making it: the child
	// passes it over, or it would be made late.
	stepSkipped = -2
)

// rawStep is one system call of a script, ready for a child that has no Go runtime; see [spawn].
type rawStep struct {
	nr   uintptr
	args [6]uintptr
}

// Script is the life of a child: system calls, one after the other. The child makes them without the Go
// runtime, whose threads are not its own; so everything is prepared before, and each call's errno is
// left in memory that the parent shares.
type Script struct {
	steps  [maxSteps]rawStep
	n      int
	names  [maxSteps]string
	paths  map[int][]Arg  // by step, of a pivot_root
	free   [maxSteps]bool // the outcome is an observation, not a step of the set-up
	keep   [][]byte
	words  [][]uintptr // like keep: what the child's system calls point to
	ready  [2]int
	resume [2]int
	errs   []int32 // shared page: by step, and the ID of a child of the child
	byte   []byte
	proc   int  // the world's
	alone  bool // the child needs a memory of its own

	// refused holds the errnos of those steps that have to fail.
	refused [maxSteps]unix.Errno
}

func (s *Script) add(name string, nr uintptr, args ...uintptr) {
	if s.n == maxSteps {
		panic(stop{status: record.Broken, why: fmt.Sprintf("set-up: the script has more than %d steps", maxSteps)})
	}
	s.names[s.n] = name
	s.steps[s.n].nr = nr
	copy(s.steps[s.n].args[:], args)
	s.n++
}

func (s *Script) str(v string) uintptr {
	b := append([]byte(v), 0)
	s.keep = append(s.keep, b)
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// atFdcwd is AT_FDCWD (-100) as a system call takes it.
const atFdcwd = ^uintptr(99)

// Chdir, Fchdir, Chroot, Unshare, Mount, Mkdir and PivotRoot are the steps that a child can
// take; the names are those of the system calls.

// Chdir sets the child's working directory.
func (s *Script) Chdir(path string) { s.add("cd "+path, unix.SYS_CHDIR, s.str(path)) }

// Fchdir sets the child's working directory to a descriptor of the parent's.
func (s *Script) Fchdir(fd int, name string) {
	s.add("cd (descriptor of "+name+")", unix.SYS_FCHDIR, uintptr(fd))
}

// Chroot sets the child's root and leaves its working directory.
func (s *Script) Chroot(path string) { s.add("chroot "+path, unix.SYS_CHROOT, s.str(path)) }

// Unshare leaves namespaces; flags are those of unshare(2).
func (s *Script) Unshare(flags int, name string) {
	// Who shares memory may not leave the user namespace in which it is shared.
	s.alone = s.alone || flags&unix.CLONE_NEWUSER != 0
	s.add("unshare("+name+")", unix.SYS_UNSHARE, uintptr(flags))
}

// Tmpfs mounts a tmpfs.
func (s *Script) Tmpfs(path string) {
	t := s.str("tmpfs")
	s.add("mount -t tmpfs tmpfs "+path, unix.SYS_MOUNT, t, s.str(path), t, 0, s.str("mode=755"))
}

// Mkdir makes a directory.
func (s *Script) Mkdir(path string) {
	s.add("mkdir "+path, unix.SYS_MKDIRAT, atFdcwd, s.str(path), 0o755)
}

// PivotRoot makes the call; its outcome is read with [Process.Call].
func (s *Script) PivotRoot(newRoot, putOld string) {
	s.free[s.n] = true
	s.paths[s.n] = []Arg{Path(newRoot), Path(putOld)}
	s.add(fmt.Sprintf("pivot_root(%q, %q)", newRoot, putOld), unix.SYS_PIVOT_ROOT, s.str(newRoot), s.str(putOld))
}

// Pause makes the child tell that it has come this far and wait for [Process.Resume].
func (s *Script) Pause() {
	p := uintptr(unsafe.Pointer(unsafe.SliceData(s.byte)))
	s.add("", unix.SYS_WRITE, uintptr(s.ready[1]), p, 1)
	s.add("", unix.SYS_READ, uintptr(s.resume[0]), p, 1)
}

// Process is a child of the spec that lives until the spec ends.
type Process struct {
	// PID is the child's process ID; its root and cwd are to be seen with [World.Where].
	PID    int
	world  *World
	script *Script
	name   string
	told   int // steps already noted
}

// Fork starts a child process that runs the script and, at its end, waits. flags are
// CLONE_ flags besides SIGCHLD. The child has the world's namespace, root and cwd at the
// time of the fork. Fork returns when the child has reached its first Pause or its end, and
// every step that it took until then has succeeded.
func (w *World) Fork(name string, flags int, build func(*Script)) *Process {
	s := &Script{byte: make([]byte, 1), proc: w.proc, paths: map[int][]Arg{}}
	for _, p := range []*[2]int{&s.ready, &s.resume} {
		var fds [2]int
		w.quiet("pipe", unix.Pipe2(fds[:], unix.O_CLOEXEC))
		*p = fds
	}
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	w.quiet("mmap a shared page", err)
	s.errs = unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(page))), childSlot+1)
	for i := range s.errs {
		s.errs[i] = stepAhead
	}
	build(s)
	s.Pause()
	w.note(name + ": a child process" + cloneWords(flags))
	if !s.alone {
		flags |= shared
	}
	pid, errno := fork(uintptr(flags), &s.steps[0], s.n, &s.errs[0])
	unix.Close(s.ready[1])
	unix.Close(s.resume[0])
	w.Defer(func() {
		if w.park {
			return
		}
		if errno == 0 {
			w.end(pid)
		}
		unix.Close(s.ready[0])
		unix.Close(s.resume[1])
		unix.Munmap(page)
	})
	if errno != 0 {
		w.refused("fork "+name, errno)
		w.Broken("set-up: fork %s: %s", name, ErrnoName(errno))
	}
	p := &Process{PID: pid, world: w, script: s, name: name}
	p.reach()
	return p
}

// end kills a child, unless it may stay.
func (w *World) end(pid int) {
	if w.park {
		return
	}
	_ = unix.Kill(pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// cloneWords says to a reader what a child shares or has of its own by the flags of clone(2).
func cloneWords(flags int) string {
	var words []string
	for _, f := range []struct {
		flag  int
		words string
	}{
		{unix.CLONE_FS, "that shares root and cwd"},
		{unix.CLONE_NEWUSER, "in a user namespace of its own"},
		{unix.CLONE_NEWNS, "in a mount namespace of its own"},
		{unix.CLONE_NEWPID, "in a PID namespace of its own"},
	} {
		if flags&f.flag != 0 {
			words = append(words, f.words)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, " and ")
}

// patience is how long a child may take from one pause to the next before the spec is
// broken; it takes microseconds, and emulation is perhaps a hundred times slower.
const patience = 10 * time.Second

// reach waits until the child pauses and checks what it did until then.
func (p *Process) reach() {
	w := p.world
	fds := []unix.PollFd{{Fd: int32(p.script.ready[0]), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(patience.Milliseconds()))
	for err == unix.EINTR {
		n, err = unix.Poll(fds, int(patience.Milliseconds()))
	}
	w.quiet("poll", err)
	if n == 0 {
		w.Broken("%s has not come to its next pause within %v", p.name, patience)
	}
	var b [1]byte
	if n, err := unix.Read(p.script.ready[0], b[:]); n != 1 {
		w.Broken("%s died in step %q (%v)", p.name, p.script.names[p.at()], err)
	}
	for i := p.told; i < p.at(); i++ {
		e := p.script.errs[i]
		if p.script.free[i] {
			continue
		}
		want := p.script.refused[i]
		if unix.Errno(e) != want {
			w.refused(p.name+": "+p.script.names[i], unix.Errno(e))
			w.Broken("set-up: %s: %s: %s%s", p.name, p.script.names[i], ErrnoName(unix.Errno(e)), wanted(want))
		}
		if p.script.names[i] != "" {
			w.note(p.name + ": " + p.script.names[i] + refusal(want))
		}
	}
	p.told = p.at()
}

// at returns the index of the first step that the child has not ended.
func (p *Process) at() int {
	for i, e := range p.script.errs[:p.script.n] {
		if e < 0 {
			return i
		}
	}
	return p.script.n
}

// Resume lets the child go on and waits for its next pause.
func (p *Process) Resume() {
	_, err := unix.Write(p.script.resume[1], []byte{1})
	p.world.quiet("resume "+p.name, err)
	p.reach()
}

// Call lets the child go on to its next pause, over exactly one pivot_root with the given
// new root, and returns what that call did to the child.
func (p *Process) Call(newRoot string) Call {
	w := p.world
	step := p.next()
	path := fmt.Sprintf("%d/root%s", p.PID, newRoot)
	target, err := statx(w.proc, path)
	seen := w.witness(p.PID)
	watch := w.watch(p.PID, w.kernel.See(path, target), err == nil)
	errno := p.make("pivot_root", step)
	c := Call{Outcome: ErrnoName(errno), Effect: watch()}
	w.note(fmt.Sprintf("%s: %s = %s", p.name, p.script.names[step], c.Outcome))
	seen()
	return c
}

// next returns the index of the next call whose outcome is an observation.
func (p *Process) next() int {
	step := p.at() + 1 // past the read in which the child waits
	for !p.script.free[step] || p.script.errs[step] == stepSkipped {
		step++
	}
	return step
}

// make has the child make the call of a step, unless the kernel under test answers without it.
func (p *Process) make(name string, step int) unix.Errno {
	e := &p.script.errs[step]
	errno := p.world.kernel.Call(Syscall{Name: name, By: p.name, Task: p.PID, Args: p.script.paths[step]}, func() unix.Errno {
		for *e < 0 {
			p.Resume()
		}
		return unix.Errno(*e)
	})
	if *e == stepAhead {
		*e = stepSkipped
	}
	return errno
}

// fork starts a child that runs n steps and nothing else. The caller keeps alive what they point to for as
// long as the child may go on. All signals are blocked over the clone, and stay blocked in the child.
func fork(flags uintptr, steps *rawStep, n int, errs *int32) (pid int, errno unix.Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, old := abi.AllSignals(), abi.Sigset{}
	sigmask := func(set, old *abi.Sigset) {
		unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
			uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), abi.SigsetSize, 0, 0)
	}
	first, second := abi.Clone(uintptr(unix.SIGCHLD) | flags)
	sigmask(&all, &old)
	r := int(spawn(first, second, steps, n, errs))
	sigmask(&old, nil)
	if r < 0 {
		return 0, unix.Errno(-r)
	}
	return r, 0
}

// MapRoot makes the child's user namespace map its root to the spec's, as a process with
// CAP_SETUID outside may. For a child without a user namespace of its own it does nothing.
func (p *Process) MapRoot() {
	w := p.world
	own, err := unixStat(w.proc, fmt.Sprintf("%d/ns/user", p.PID))
	w.quiet("look at the child's user namespace", err)
	mine, err := unixStat(w.proc, "self/ns/user")
	w.quiet("look at the own user namespace", err)
	if own == mine {
		return
	}
	for _, f := range []string{"uid_map", "gid_map"} {
		name := fmt.Sprintf("%d/%s", p.PID, f)
		fd, err := unix.Openat(w.proc, name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		w.quiet("open /proc/"+name, err)
		_, err = unix.Write(fd, []byte("0 0 1\n"))
		unix.Close(fd)
		w.must("echo 0 0 1 > /proc/PID/"+f, err)
	}
}

func unixStat(dir int, name string) (ino uint64, err error) {
	var st unix.Stat_t
	err = unix.Fstatat(dir, name, &st, 0)
	return st.Ino, err
}
