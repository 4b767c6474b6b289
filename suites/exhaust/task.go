package exhaust

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/abi"
)

// task is a child process that makes the system calls it is given and nothing else: a bystander.
// It shares the descriptors of its parent, and has a root, a cwd and namespaces of its own.
type task struct {
	pid       int
	proc      int // its directory in /proc
	page      *page
	cmd, done [2]int
}

// maxSteps bounds how many calls a task makes at one command.
const maxSteps = 6

// page is memory that a task shares with its parent.
type page struct {
	n     uintptr
	steps [maxSteps]step
	errs  [maxSteps]uintptr
	dot   [2]byte // "."
	byte  [8]byte
}

type step struct{ nr, a, b, c uintptr }

// newTask starts a task at the caller's root and cwd.
func newTask() (*task, error) {
	mem, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(page{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	t := &task{page: (*page)(unsafe.Pointer(unsafe.SliceData(mem)))}
	t.page.dot[0] = '.'
	for _, p := range []*[2]int{&t.cmd, &t.done} {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			return nil, fmt.Errorf("pipe: %w", err)
		}
		*p = fds
	}
	pid, errno := fork(t.page, uintptr(t.cmd[0]), uintptr(t.done[1]))
	if errno != 0 {
		return nil, fmt.Errorf("fork: %w", errno)
	}
	t.pid, t.proc = pid, -1
	return t, nil
}

// do makes the task make system calls, and returns when it has: the first error, if any.
func (t *task) do(steps ...step) error {
	t.page.n = uintptr(copy(t.page.steps[:], steps))
	b := uintptr(unsafe.Pointer(&t.page.byte))
	if _, _, e := unix.RawSyscall(unix.SYS_WRITE, uintptr(t.cmd[1]), b, 1); e != 0 {
		return fmt.Errorf("tell a task: %w", e)
	}
	for {
		_, _, e := unix.RawSyscall(unix.SYS_READ, uintptr(t.done[0]), b, 1)
		if e == 0 {
			break
		}
		if e != unix.EINTR {
			return fmt.Errorf("hear from a task: %w", e)
		}
	}
	for i, e := range t.page.errs[:len(steps)] {
		if e != 0 {
			return fmt.Errorf("step %d of a task: %w", i, unix.Errno(e))
		}
	}
	return nil
}

// stand makes the task's root and cwd those of two descriptors, after it entered the mount
// namespace of a third unless that is negative.
func (t *task) stand(ns, root, cwd int) error {
	var s [4]step
	n := 0
	if ns >= 0 {
		s[n] = step{unix.SYS_SETNS, uintptr(ns), unix.CLONE_NEWNS, 0}
		n++
	}
	s[n] = step{nr: unix.SYS_FCHDIR, a: uintptr(root)}
	s[n+1] = step{nr: unix.SYS_CHROOT, a: uintptr(unsafe.Pointer(&t.page.dot))}
	s[n+2] = step{nr: unix.SYS_FCHDIR, a: uintptr(cwd)}
	return t.do(s[:n+3]...)
}

// end ends the task.
func (t *task) end() {
	_ = unix.Kill(t.pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(t.pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	for _, fd := range []int{t.cmd[0], t.cmd[1], t.done[0], t.done[1], t.proc} {
		_ = unix.Close(fd)
	}
	const size = unsafe.Sizeof(page{})
	_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(t.page)), size))
}

// fork is clone(2) with CLONE_FILES alone. The child is a copy of one thread of a Go program: it
// must not allocate, grow its stack or take a signal, and serve keeps to that.
//
//go:norace
func fork(p *page, cmd, done uintptr) (pid int, errno unix.Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, old := abi.AllSignals(), abi.Sigset{}
	mask := func(set, old *abi.Sigset) {
		unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
			uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), abi.SigsetSize, 0, 0)
	}
	first, second := abi.Clone(uintptr(unix.SIGCHLD) | unix.CLONE_FILES)
	mask(&all, &old)
	r, _, e := syscall.RawSyscall6(unix.SYS_CLONE, first, second, 0, 0, 0, 0)
	if r == 0 && e == 0 {
		serve(p, cmd, done)
	}
	mask(&old, nil)
	return int(r), e
}

// serve is the life of a task: a byte, the calls, a byte.
//
//go:nosplit
//go:norace
func serve(p *page, cmd, done uintptr) {
	b := uintptr(unsafe.Pointer(&p.byte)) + 4
	for {
		if n, _, e := syscall.RawSyscall6(unix.SYS_READ, cmd, b, 1, 0, 0, 0); n != 1 && e != unix.EINTR {
			break
		}
		for i := uintptr(0); i < p.n && i < maxSteps; i++ {
			s := (*step)(unsafe.Add(unsafe.Pointer(&p.steps), i*unsafe.Sizeof(step{})))
			_, _, e := syscall.RawSyscall6(s.nr, s.a, s.b, s.c, 0, 0, 0)
			*(*uintptr)(unsafe.Add(unsafe.Pointer(&p.errs), i*unsafe.Sizeof(uintptr(0)))) = uintptr(e)
		}
		syscall.RawSyscall6(unix.SYS_WRITE, done, b, 1, 0, 0, 0)
	}
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
	}
}
