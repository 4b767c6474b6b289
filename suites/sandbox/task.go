package sandbox

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Bystander is another thread of the spec's process, in the world's namespace and with a root
// and cwd of its own, which does what it is told. It costs less than a child process.
type Bystander struct {
	// TID is the thread's ID, for [World.Where].
	TID   int
	world *World
	name  string
	do    chan func() error
	done  chan error
}

// Bystander starts a thread that stands where the spec's own thread does, until the spec ends.
func (w *World) Bystander(name string) *Bystander {
	ns := w.Namespace()
	root, cwd := w.Open("/"), w.Open(".")
	b := &Bystander{world: w, name: name, do: make(chan func() error), done: make(chan error)}
	steps := []struct {
		name string
		do   func() error
	}{
		{"unshare(CLONE_FS)", func() error { return unix.Unshare(unix.CLONE_FS) }},
		{"setns", func() error { return unix.Setns(ns, unix.CLONE_NEWNS) }},
		{"cd (descriptor of the root)", func() error { return unix.Fchdir(root) }},
		{"chroot .", func() error { return unix.Chroot(".") }},
		{"cd (descriptor of the cwd)", func() error { return unix.Fchdir(cwd) }},
	}
	var last string // of the steps that were taken
	// All in one go: under emulation, a change of thread costs more than they do.
	go func() {
		runtime.LockOSThread()
		b.TID = unix.Gettid()
		var err error
		for _, s := range steps {
			last = s.name
			if err = s.do(); err != nil {
				break
			}
		}
		b.done <- err
		for f := range b.do {
			b.done <- f()
		}
	}()
	err := <-b.done
	w.Defer(func() {
		if !w.park {
			close(b.do)
		}
	})
	w.note(name + ": a thread with its own root and cwd")
	w.quiet(name+": "+last, err)
	return b
}

func (b *Bystander) run(do func() error) error {
	b.do <- do
	return <-b.done
}

// Step has the thread take a step of the set-up. do may call functions of package unix only.
func (b *Bystander) Step(step string, do func() error) {
	b.world.must(b.name+": "+step, b.run(do))
}

// Chdir sets the thread's cwd.
func (b *Bystander) Chdir(path string) {
	b.Step("cd "+path, func() error { return unix.Chdir(path) })
}

// Chroot sets the thread's root and leaves its cwd.
func (b *Bystander) Chroot(path string) {
	b.Step("chroot "+path, func() error { return unix.Chroot(path) })
}

// Fchdir sets the thread's cwd to an open directory.
func (b *Bystander) Fchdir(fd int, name string) {
	b.Step("cd (descriptor of "+name+")", func() error { return unix.Fchdir(fd) })
}

// OwnNamespace gives the thread a copy of its mount namespace. Its root and cwd are at the
// copies of their mounts then.
func (b *Bystander) OwnNamespace() {
	b.Step("unshare(CLONE_NEWNS)", func() error { return unix.Unshare(unix.CLONE_NEWNS) })
}

// TryEnter has the thread make a setns(2) under test into a mount namespace.
func (b *Bystander) TryEnter(ns int) Call {
	return b.world.callBy("setns", b.name, b.name+": setns(the namespace)", func() error {
		return b.run(func() error { return unix.Setns(ns, unix.CLONE_NEWNS) })
	})
}

// TryRmdir has the thread make a rmdir(2) under test.
func (b *Bystander) TryRmdir(path string) Call {
	return b.world.callBy("rmdir", b.name, fmt.Sprintf("%s: rmdir(%q)", b.name, path), func() error {
		return b.run(func() error { return unix.Rmdir(path) })
	})
}

// Zombie ends the child, which stands at the end of its script, and leaves it unwaited for.
func (p *Process) Zombie() {
	p.release()
	err := unix.EINTR
	for err == unix.EINTR {
		_, _, e := unix.Syscall6(unix.SYS_WAITID, unix.P_PID, uintptr(p.PID), 0, unix.WEXITED|unix.WNOWAIT, 0, 0)
		err = e
	}
	if err != 0 {
		p.world.Broken("set-up: waitid: %s", ErrnoName(err))
	}
	p.world.note(p.name + ": exits, and nobody waits for it")
}

// Stop stops the child with SIGSTOP and waits until it is stopped.
func (p *Process) Stop() {
	p.world.must("kill -STOP "+p.name, unix.Kill(p.PID, unix.SIGSTOP))
	p.wait(unix.WUNTRACED, unix.WaitStatus.Stopped)
}

// StopAtExit ends the child, which stands at the end of its script, under a tracer that keeps
// it where it begins to exit (PTRACE_EVENT_EXIT, see ptrace(2)).
func (p *Process) StopAtExit() {
	w := p.world
	_, _, e := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(p.PID), 0,
		unix.PTRACE_O_TRACEEXIT|unix.PTRACE_O_EXITKILL, 0, 0)
	if e != 0 {
		w.Broken("set-up: trace %s: %s", p.name, ErrnoName(e))
	}
	p.release()
	p.wait(unix.WALL, func(s unix.WaitStatus) bool { return s.TrapCause() == unix.PTRACE_EVENT_EXIT })
	w.note(p.name + ": exits, and a tracer stops it there")
	w.Defer(func() {
		if !w.park {
			_ = unix.PtraceDetach(p.PID) // SIGKILL does not wake it
		}
	})
}

func (p *Process) wait(flags int, want func(unix.WaitStatus) bool) {
	var s unix.WaitStatus
	_, err := unix.Wait4(p.PID, &s, flags, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(p.PID, &s, flags, nil)
	}
	p.world.quiet("wait for "+p.name, err)
	if !want(s) {
		p.world.Broken("set-up: %s has the wait status %#x", p.name, uint32(s))
	}
}

// Dump makes the child, whose script ends with [Script.DieOfAbort], dump core into a pipe that
// nobody reads, and returns while it does.
func (p *Process) Dump() {
	w := p.world
	const file = "sys/kernel/core_pattern"
	w.ChangesMachine("kernel.core_pattern")
	fd, err := unix.Openat(w.proc, file, unix.O_PATH|unix.O_CLOEXEC, 0)
	w.lacksProc(file, err)
	w.quiet("open /proc/"+file, err)
	unix.Close(fd)
	before := w.readProc(file)
	// %P is the ID of the process that dumps, a copy of this one; see core(5).
	w.writeProc(file, "|/proc/%P/exe "+helperArg+" "+coreHolder)
	w.Defer(func() { w.writeProc(file, strings.TrimSuffix(before, "\n")) })
	w.must("kill -ABRT "+p.name, unix.Kill(p.PID, unix.SIGABRT))
	w.await(p.name+" dumps core", func() bool {
		status := p.status()
		// One that still runs has not come to wait for its reader: to look for that would be in vain.
		return dumping(status) && !strings.Contains(status, "\nState:\tR")
	})
	// The kernel reads the pattern some time after it says that the task dumps core, byte by
	// byte: changed too early, it is read half old, half new.
	w.await("the core of "+p.name+" has its reader", p.coreHeld)
}

// coreHeld reports whether the program runs that takes the child's core.
func (p *Process) coreHeld() bool {
	args := fmt.Sprintf("/proc/%d/exe\x00%s\x00%s\x00", p.PID, helperArg, coreHolder)
	for _, name := range p.world.ListProc(".") {
		if _, err := strconv.Atoi(name); err != nil {
			continue
		}
		// A task may end meanwhile.
		if got, err := readAt(p.world.proc, name+"/cmdline"); err == nil && got == args {
			return true
		}
	}
	return false
}

// RequireDumping ends the spec as broken unless the child still dumps core.
func (p *Process) RequireDumping() {
	if !dumping(p.status()) {
		p.world.Broken("set-up: %s no longer dumps core", p.name)
	}
}

func (p *Process) status() string { return p.world.readProc(fmt.Sprintf("%d/status", p.PID)) }

// dumping says of what proc_pid_status(5) shows, since Linux 4.15, whether the task dumps core.
func dumping(status string) bool { return strings.Contains(status, "\nCoreDumping:\t1\n") }

// Leaderless lets the child, whose script ends with [Script.BecomeLeaderless], become a process
// whose first thread is dead, and returns the IDs of the threads that live.
func (p *Process) Leaderless() (threads []int) {
	w := p.world
	p.release()
	if shared != 0 { // one of the suite's signals, which are all blocked there, for the first thread alone
		w.quiet("wake "+p.name+"'s first thread", unix.Tgkill(p.PID, p.PID, unix.SIGUSR1))
	}
	w.await(p.name+"'s first thread is dead", func() bool {
		for i, e := range p.script.errs[:p.script.n] {
			if e > 0 {
				w.Broken("set-up: %s: %s: %s", p.name, p.script.names[i], ErrnoName(unix.Errno(e)))
			}
		}
		_, state, _ := strings.Cut(w.readProc(fmt.Sprintf("%d/stat", p.PID)), ") ")
		return strings.HasPrefix(state, "Z")
	})
	w.note(p.name + ": its first thread exits")
	names, err := w.listProc(fmt.Sprintf("%d/task", p.PID))
	w.lacksProc("(a process whose first thread is dead)/task", err)
	w.quiet("list /proc/PID/task", err)
	for _, name := range names {
		if id, err := strconv.Atoi(name); err == nil && id != p.PID {
			threads = append(threads, id)
		}
	}
	if len(threads) == 0 {
		w.Broken("set-up: %s has no thread that lives", p.name)
	}
	return threads
}

// await waits for what nobody announces.
func (w *World) await(what string, so func() bool) {
	for start := time.Now(); !so(); {
		if time.Since(start) > patience {
			w.Broken("set-up: %s: not within %v", what, patience)
		}
		runtime.Gosched()
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}

func (w *World) writeProc(name, text string) {
	fd, err := unix.Openat(w.proc, name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	w.quiet("open /proc/"+name, err)
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	w.quiet("write /proc/"+name, err)
}

// Children returns the IDs of a task's children, as /proc/TASK/task/TASK/children lists them.
func (w *World) Children(task int) []int {
	var ids []int
	for _, f := range strings.Fields(w.readProc(fmt.Sprintf("%d/task/%d/children", task, task))) {
		if id, err := strconv.Atoi(f); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// WhereIfAlive is [World.Where] for a task that may end at any time, as a kernel's worker may.
func (w *World) WhereIfAlive(task int, link string) (label string, alive bool) {
	p, err := w.where(task, link)
	if err != nil {
		return "", false
	}
	return w.label(p), true
}

// IsKernelThread reports whether a task is a thread of the kernel's that has the kernel's root and
// cwd. kdevtmpfs has its own, on the filesystem that it serves.
func (w *World) IsKernelThread(task int) bool {
	fd, err := unix.Openat(w.proc, fmt.Sprintf("%d/stat", task), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	b := make([]byte, 1024)
	n, err := unix.Read(fd, b)
	if err != nil {
		return false
	}
	// proc_pid_stat(5): the flags are the seventh field behind the name.
	front, back, _ := strings.Cut(string(b[:n]), ") ")
	f := strings.Fields(back)
	if len(f) < 7 || strings.HasSuffix(front, "(kdevtmpfs") {
		return false
	}
	flags, err := strconv.ParseUint(f[6], 10, 64)
	const kthread = 0x00200000 // PF_KTHREAD
	return err == nil && flags&kthread != 0
}
