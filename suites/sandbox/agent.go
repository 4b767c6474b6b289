package sandbox

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// Agent is a child process that makes system calls when told to, many at a time: another caller
// in the same world, for which a [Process], whose calls are set before it starts, does not do.
// It lives until the spec ends. Under emulation, changing to it and back costs as much as some
// calls, so calls are put off and made together.
type Agent struct {
	world *World
	name  string
	pid   int
	steps []rawStep
	errs  []int32
	what  []string // by step: a part of the set-up, "" for others
	free  []byte   // memory for arguments that the child sees too
	from  int      // index of the first step that was not told
	next  int      // index of the next step
	tell  int      // pipe on which it is told to go on
	done  int      // pipe on which it says that it has
	one   uintptr  // address of a byte for the pipes
	root  int      // descriptor of the directory that was made its root last
}

// Room of an agent: steps that it can take, and bytes for their arguments.
const (
	agentSteps = 512
	agentBytes = 1 << 16
)

// Agent starts an agent that stands in the world's namespace, with its root and cwd and the
// descriptors that are open now. flags are CLONE_ flags besides SIGCHLD.
func (w *World) Agent(name string, flags int) *Agent {
	stepsSize := agentSteps * int(unsafe.Sizeof(rawStep{}))
	page, err := unix.Mmap(-1, 0, stepsSize+4*agentSteps+agentBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	w.quiet("mmap shared memory", err)
	base := unsafe.Pointer(unsafe.SliceData(page))
	a := &Agent{
		world: w, name: name,
		steps: unsafe.Slice((*rawStep)(base), agentSteps),
		errs:  unsafe.Slice((*int32)(unsafe.Add(base, stepsSize)), agentSteps),
		what:  make([]string, agentSteps),
		free:  page[stepsSize+4*agentSteps:],
	}
	var tell, done [2]int
	w.quiet("pipe", unix.Pipe2(tell[:], unix.O_CLOEXEC))
	w.quiet("pipe", unix.Pipe2(done[:], unix.O_CLOEXEC))
	a.tell, a.done = tell[1], done[0]
	a.one, _ = a.take(1)
	wait := rawStep{nr: unix.SYS_READ, args: [6]uintptr{uintptr(tell[0]), a.one, 1}}
	answer := rawStep{nr: unix.SYS_WRITE, args: [6]uintptr{uintptr(done[1]), a.one, 1}}
	// It waits, and behind each batch of calls it will find an answer and a wait again. The last two steps
	// hold them until then, and are never taken.
	a.steps[0], a.steps[agentSteps-2], a.steps[agentSteps-1] = wait, answer, wait
	a.from, a.next = 1, 1
	pid, errno := fork(uintptr(flags)|shared, &a.steps[0], agentSteps-2, &a.errs[0])
	unix.Close(tell[0])
	unix.Close(done[1])
	w.Defer(func() {
		if w.park {
			return
		}
		unix.Close(a.tell)
		unix.Close(a.done)
		if errno == 0 {
			w.end(pid)
		}
		unix.Munmap(page)
	})
	if errno != 0 {
		w.Broken("set-up: fork %s: %s", name, ErrnoName(errno))
	}
	a.pid = pid
	w.note(name + ": a child process")
	return a
}

// take returns n bytes of the agent's memory, and their address.
func (a *Agent) take(n int) (uintptr, []byte) {
	n = (n + 7) &^ 7
	if n > len(a.free) {
		a.world.Broken("set-up: %s has no memory left for arguments", a.name)
	}
	b := a.free[:n:n]
	a.free = a.free[n:]
	return uintptr(unsafe.Pointer(unsafe.SliceData(b))), b
}

// text puts a string into the agent's memory.
func (a *Agent) text(s string) uintptr {
	p, b := a.take(len(s) + 1)
	copy(b, s)
	b[len(s)] = 0
	return p
}

// put puts a system call off until the agent is told. what names a part of the set-up, which
// has to succeed.
func (a *Agent) put(what string, nr uintptr, args ...uintptr) {
	if a.next >= agentSteps-4 {
		a.world.Broken("set-up: %s takes more than %d steps", a.name, agentSteps-4)
	}
	a.steps[a.next] = rawStep{nr: nr}
	copy(a.steps[a.next].args[:], args)
	a.what[a.next] = what
	a.next++
}

// do has the agent make the calls that were put off, and returns the errnos of those that are no
// part of the set-up.
func (a *Agent) do() []unix.Errno {
	w := a.world
	a.steps[a.next], a.steps[a.next+1] = a.steps[agentSteps-2], a.steps[agentSteps-1]
	b := []byte{0}
	_, err := unix.Write(a.tell, b)
	w.quiet("tell "+a.name, err)
	n, err := unix.Read(a.done, b)
	for err == unix.EINTR {
		n, err = unix.Read(a.done, b)
	}
	if n != 1 {
		w.Broken("%s died (%v)", a.name, err)
	}
	var out []unix.Errno
	for i := a.from; i < a.next; i++ {
		e := unix.Errno(a.errs[i])
		switch {
		case a.what[i] == "":
			out = append(out, e)
		case e != 0:
			w.Broken("set-up: %s: %s: %s", a.name, a.what[i], ErrnoName(e))
		}
	}
	a.next += 2
	a.from = a.next
	return out
}

// Enter makes a descriptor's directory the agent's root, leaves it all capabilities but the
// given ones (unix.CAP_*), and takes it to the folder of procfs where its descriptors stand under
// their numbers: there a number is a path to the place that the descriptor holds, in whichever
// root and namespace either is.
func (a *Agent) Enter(root int, but ...int) {
	header, sets := a.world.capabilities(but)
	a.root = root
	a.put("fchdir", unix.SYS_FCHDIR, uintptr(root))
	a.put("chroot", unix.SYS_CHROOT, a.text("."))
	a.put("fchdir", unix.SYS_FCHDIR, uintptr(a.world.proc))
	a.put("chdir", unix.SYS_CHDIR, a.text("self/fd"))
	h, hb := a.take(int(unsafe.Sizeof(header)))
	d, db := a.take(int(unsafe.Sizeof(sets)))
	copy(hb, unsafe.Slice((*byte)(unsafe.Pointer(&header)), unsafe.Sizeof(header)))
	copy(db, unsafe.Slice((*byte)(unsafe.Pointer(&sets)), unsafe.Sizeof(sets)))
	a.put("capset", unix.SYS_CAPSET, h, d)
}

// Restrict puts the agent into a Landlock domain, for good; see [World.LandlockRules].
func (a *Agent) Restrict(rules int) {
	a.put("landlock_restrict_self", unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0)
}

// Outcomes has the agent make the calls, each with two arguments, after what [Agent.Enter] and
// [Agent.Restrict] put off. It returns their outcomes and what has become of the agent's root: [None],
// or where it is now.
func (a *Agent) Outcomes(calls [][2]Arg) (outcomes []string, effect string) {
	w := a.world
	keep := a.free
	for _, c := range calls {
		var p [2]uintptr
		for i, arg := range c {
			if p[i], _ = arg.pointer(); !arg.bad {
				p[i] = a.text(arg.path)
			}
		}
		a.put("", unix.SYS_PIVOT_ROOT, p[0], p[1])
	}
	for i, e := range a.do() {
		outcomes = append(outcomes, ErrnoName(w.kernel.Call(Syscall{Name: "pivot_root", By: a.name, Task: a.pid, Args: calls[i][:]}, func() unix.Errno { return e })))
	}
	a.free = keep
	return outcomes, w.still(a.pid, a.root)
}

// still says what has become of a task's root, which was made the directory of a descriptor.
func (w *World) still(task, root int) (effect string) {
	want, err := statx(root, ".")
	w.quiet("look at a root", err)
	now, err := w.where(task, Root)
	w.quiet("look at a caller's root", err)
	if now != want {
		return "root moved to " + w.label(now)
	}
	return None
}

// Hand is another thread of the spec's process that makes system calls when told to: a caller in
// the same world whose root and cwd, capabilities and restrictions are its own.
type Hand struct {
	world *World
	name  string
	tid   int
	work  chan func()
	done  chan any
}

// Hand starts a hand that stands at the root of the world's namespace.
func (w *World) Hand(name string) *Hand {
	ns := w.Namespace()
	h := &Hand{world: w, name: name, work: make(chan func()), done: make(chan any)}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for f := range h.work {
			func() {
				defer func() { h.done <- recover() }()
				f()
			}()
		}
	}()
	w.Defer(func() {
		if !w.park {
			close(h.work)
		}
	})
	h.do(func() {
		h.tid = unix.Gettid()
		w.quiet(name+": unshare(CLONE_FS)", unix.Unshare(unix.CLONE_FS))
		w.quiet(name+": setns", unix.Setns(ns, unix.CLONE_NEWNS))
	})
	w.note(name + ": a thread")
	return h
}

// do runs f on the thread, while the spec's own waits. A step of f that fails ends the spec.
func (h *Hand) do(f func()) {
	h.work <- f
	if p := <-h.done; p != nil {
		panic(p)
	}
}

// Restrict puts the thread into a Landlock domain, for good; see [World.LandlockRules].
func (h *Hand) Restrict(rules int) {
	h.do(func() {
		_, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0)
		if e != 0 {
			h.world.Broken("set-up: %s: landlock_restrict_self: %s", h.name, ErrnoName(e))
		}
	})
}

// Outcomes is [Agent.Outcomes] for the thread, after what [Agent.Enter] does.
func (h *Hand) Outcomes(root int, but []int, calls [][2]Arg) (outcomes []string, effect string) {
	w := h.world
	h.do(func() {
		w.Enter(root, but...)
		for _, c := range calls {
			outcomes = append(outcomes, w.outcomeBy(h.name, c[0], c[1]))
		}
	})
	return outcomes, w.still(h.tid, root)
}

// Enter is [Agent.Enter] for the thread that calls it.
func (w *World) Enter(root int, but ...int) {
	w.quiet("fchdir", unix.Fchdir(root))
	w.quiet("chroot", unix.Chroot("."))
	w.quiet("fchdir", unix.Fchdir(w.proc))
	w.quiet("chdir", unix.Chdir("self/fd"))
	header, sets := w.capabilities(but)
	w.quiet("capset", unix.Capset(&header, &sets[0]))
}

// Outcomes is [Agent.Outcomes] for the spec's own thread.
func (w *World) Outcomes(calls [][2]Arg) (outcomes []string, effect string) {
	moved := w.watch(w.tid, Place{}, false)
	for _, c := range calls {
		outcomes = append(outcomes, w.outcomeBy("", c[0], c[1]))
	}
	return outcomes, moved()
}

// outcomeBy makes the call and returns its outcome without a look at what it did: for calls
// that have to fail, of which many are made before anyone looks.
func (w *World) outcomeBy(name string, newRoot, putOld Arg) string {
	return ErrnoName(w.kernel.Call(Syscall{Name: "pivot_root", By: name, Args: []Arg{newRoot, putOld}}, func() unix.Errno {
		return pivotRoot(newRoot, putOld)
	}))
}

// Effective gives the thread that calls it all capabilities that it is permitted, but for the
// given ones (unix.CAP_*).
func (w *World) Effective(but ...int) {
	header, sets := w.capabilities(but)
	w.quiet("capset", unix.Capset(&header, &sets[0]))
}

func (w *World) capabilities(but []int) (unix.CapUserHeader, [2]unix.CapUserData) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	w.quiet("capget", unix.Capget(&header, &sets[0]))
	for i := range sets {
		sets[i].Effective, sets[i].Inheritable = sets[i].Permitted, 0
	}
	for _, c := range but {
		sets[c/32].Effective &^= 1 << (c % 32)
	}
	return header, sets
}

// LandlockRules returns a set of rules that forbids nothing but the making of sockets, beside what
// any Landlock domain forbids: to change the mounts. On a kernel without Landlock there is none.
func (w *World) LandlockRules() (fd int, ok bool) {
	attr := [1]uint64{unix.LANDLOCK_ACCESS_FS_MAKE_SOCK}
	r, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	switch e {
	case 0:
	case unix.ENOSYS, unix.EOPNOTSUPP:
		return -1, false
	default:
		w.Broken("set-up: landlock_create_ruleset: %s", ErrnoName(e))
	}
	w.Defer(func() { unix.Close(int(r)) })
	return int(r), true
}

// Briefly runs a part of the set-up that readers need to know in one sentence only, or not at
// all if that is "".
func (w *World) Briefly(step string, build func()) {
	n := len(w.steps)
	build()
	w.steps = w.steps[:n]
	if step != "" {
		w.note(step)
	}
}

// Stop ends the spec with what was observed so far, because the rest would be made in a
// world that is not the one for which it was written.
func (w *World) Stop() { panic(stop{status: record.Observed}) }
