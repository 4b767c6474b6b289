// Package contain keeps the suite apart from the machine on which it runs, where that is not a
// machine of its own: in private namespaces, with a root of its own.
//
// Whoever starts the suite gives it the namespaces ([Attributes]); the suite, as the first process
// in them, cuts itself off with [Enter] before it does anything else.
package contain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Arg is the argument that makes a guest program the first process of such namespaces. Its
// standard input is a pipe that the starter never writes to: when it closes, the starter is gone.
const Arg = "contained"

// ExitRefused is the exit status of a guest program that could not be kept apart from the machine,
// and so has observed nothing. The last line of its standard error says why.
const ExitRefused = 4

// Attributes returns how a guest program is started in namespaces of its own: mounts, processes,
// System V IPC and, if user is set, users, in which the caller's user is root. The program is
// killed when the thread that started it ends, and stays out of the terminal's way.
func Attributes(user bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	if user {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return a
}

// Privileged reports whether the caller may make namespaces without a user namespace: whether it
// has CAP_SYS_ADMIN.
func Privileged() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// Limited reports whether the caller is root in a user namespace only: root then lacks privileges
// over the machine. Without user namespaces there is no such thing.
func Limited() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	const all = "4294967295" // of the 32-bit numbers that user IDs are, all but the invalid one
	f := strings.Fields(string(b))
	return len(f) != 3 || f[0] != "0" || f[1] != "0" || f[2] != all
}

// ErrNotRooted says that the root is a directory that is no mount point. What it lies on can then
// neither be made private, nor left by pivot_root.
var ErrNotRooted = errors.New("it is a directory that is no mount point, as in a chroot")

// Rooted reports whether the caller's root is a mount point: whether it stands in the list of its
// mounts. Where there is no such list nothing is known against it.
func Rooted() bool {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == "/" {
			return true
		}
	}
	return false
}

// Error says which step of cutting the suite off failed. Nothing was observed then.
type Error struct {
	Step string
	Err  error
}

func (e *Error) Error() string { return e.Step + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// null is what the suite needs of the machine's devices.
const null = "/dev/null"

// Enter gives the process, the first in mount and PID namespaces of its own, a new tmpfs as root,
// with an empty directory at base, a new procfs and /dev/null, and takes away everything else of
// the machine. Before it mounts anything it makes certain that no mount is shared with the
// machine. Its error is an [*Error].
func Enter(base string) error {
	if os.Getpid() != 1 {
		return &Error{"look at the own process ID", errors.New("not the first process of a PID namespace")}
	}
	if !Rooted() {
		return &Error{"look at the root", ErrNotRooted}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return &Error{"mount --make-rprivate /", err}
	}
	if err := private(); err != nil {
		return &Error{"make sure that no mount is shared", err}
	}
	// Nobody else sees what is mounted in this namespace, so any directory will do; this one
	// there is everywhere.
	const place = "/proc"
	inside := func(path string) string { return filepath.Join(place, path) }
	for _, s := range []struct {
		what string
		do   func() error
	}{
		{"mount a tmpfs", func() error { return unix.Mount("pivotspec", place, "tmpfs", 0, "mode=755") }},
		{"make " + base, func() error { return os.MkdirAll(inside(base), 0o755) }},
		{"make /dev", func() error { return os.Mkdir(inside("/dev"), 0o755) }},
		{"make " + null, func() error { return os.WriteFile(inside(null), nil, 0o666) }},
		{"bind " + null, func() error { return unix.Mount(null, inside(null), "", unix.MS_BIND, "") }},
		{"make /proc", func() error { return os.Mkdir(inside("/proc"), 0o555) }},
		{"mount a new procfs", func() error { return unix.Mount("proc", inside("/proc"), "proc", 0, "") }},
		{"cd to the new root", func() error { return unix.Chdir(place) }},
		{"enter the new root", enter},
		{"cd /", func() error { return unix.Chdir("/") }},
	} {
		if err := s.do(); err != nil {
			return &Error{s.what, err}
		}
	}
	return nil
}

// enter makes the mount at the working directory the root. On kernels that do not pivot from the
// initramfs, and where that is the root, it does what the manual page recommends there.
func enter() error {
	err := unix.PivotRoot(".", ".")
	if err == nil {
		// The old root lies on top of the new one.
		return unix.Unmount(".", unix.MNT_DETACH)
	}
	if !errors.Is(err, unix.EINVAL) {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	return unix.Chroot(".")
}

// private says whether a mount of the namespace still has to do with any other.
func private() error {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		// proc_pid_mountinfo(5): the optional fields stand between the sixth and a dash.
		for i := 6; i < len(f) && f[i] != "-"; i++ {
			if strings.HasPrefix(f[i], "shared:") || strings.HasPrefix(f[i], "master:") {
				return fmt.Errorf("the mount at %s is %s", f[4], f[i])
			}
		}
	}
	return nil
}
