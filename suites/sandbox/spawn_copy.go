//go:build !amd64 && !arm64

package sandbox

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// shared is 0: a child that goes on with its parent's stack pointer, in Go, must not share it.
const shared = 0

// spawn is clone(2) with its first two arguments, for a child that makes the system calls of n steps and ends
// its process after the last. r is what the call gave the parent: the child's ID, or an errno as a
// negative number.
//
// The child is a copy of one thread of a Go program: no scheduler, no collector, possibly locks held
// for ever. It must not allocate, grow its stack or take a signal; run keeps to that.
//
//go:norace
func spawn(first, second uintptr, steps *rawStep, n int, errs *int32) (r uintptr) {
	pid, _, e := syscall.RawSyscall6(unix.SYS_CLONE, first, second, 0, 0, 0, 0)
	if e != 0 {
		return -uintptr(e)
	}
	if pid == 0 {
		run(steps, n, errs)
	}
	return pid
}

// run makes the system calls of a script one by one, noting each errno, and ends the process
// after the last. A call that fails ends nothing: the parent reads what happened.
//
//go:nosplit
//go:norace
func run(steps *rawStep, n int, errs *int32) {
	for i := uintptr(0); i < uintptr(n); i++ {
		st := (*rawStep)(unsafe.Add(unsafe.Pointer(steps), i*unsafe.Sizeof(*steps)))
		out := (*int32)(unsafe.Add(unsafe.Pointer(errs), i*unsafe.Sizeof(*errs)))
		if *out == stepSkipped {
			*out = 0
			continue
		}
		_, _, e := syscall.RawSyscall6(st.nr, st.args[0], st.args[1], st.args[2], st.args[3], st.args[4], st.args[5])
		*out = int32(e)
	}
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
	}
}
