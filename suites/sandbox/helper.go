package sandbox

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// helperArg is the argument that makes this program, whatever it is otherwise, a helper of
// the role that follows. A spec needs one where a forked child cannot do: for a process with
// threads, and for what the kernel itself starts.
const helperArg = "sandbox-helper"

// Roles of a helper.
const (
	// leaderless ends its first thread and lets the Go runtime's own live.
	leaderless = "leaderless"
	// coreHolder takes a core dump and never reads it, so that the task that dumps stays
	// where it is until it is killed.
	coreHolder = "core-holder"
)

// A helper begins before anything else of the program does: its root may be empty, its time
// counts, and the main goroutine is on the process's first thread for certain only here.
func init() {
	if len(os.Args) != 3 || os.Args[1] != helperArg {
		return
	}
	switch os.Args[2] {
	case leaderless:
		runtime.LockOSThread()
		if err := unix.Chdir("/"); err != nil {
			fmt.Fprintln(os.Stderr, "pivotspec helper: cd /:", err)
			os.Exit(1)
		}
		// exit(2), and not exit_group(2): this thread alone. The runtime's monitor lives on,
		// and thinks that this thread is in a system call.
		_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
	case coreHolder:
		// Until the other end of the pipe, which the kernel holds, is closed.
		for fds := []unix.PollFd{{Fd: 0}}; fds[0].Revents == 0; {
			_, _ = unix.Poll(fds, -1)
		}
		os.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "pivotspec guest: there is no helper %q\n", os.Args[2])
	os.Exit(2)
}
