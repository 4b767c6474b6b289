package contain

import (
	"os"

	"golang.org/x/sys/unix"

	"pivotspec/suites/newfs"
)

// initialPID is the inode number of the initial PID namespace of every machine
// (PROC_PID_INIT_INO of include/uapi/linux/nsfs.h or, before that, of include/linux/proc_ns.h).
const initialPID = 0xEFFFFFFC

// OwnMachine reports whether the caller is PID 1 of a machine, and not only of a container. It
// needs no /proc, which nobody has mounted yet on such a machine, and leaves none behind.
func OwnMachine() bool {
	if os.Getpid() != 1 {
		return false
	}
	proc, err := newfs.Detached("proc")
	if err != nil {
		return false // whose machine it is may do that
	}
	defer unix.Close(proc)
	var st unix.Stat_t
	return unix.Fstatat(proc, "self/ns/pid", &st, 0) == nil && st.Ino == initialPID
}
