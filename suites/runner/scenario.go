package runner

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A scenario may end with the initramfs unmounted. What of PID 1 is on it would keep it busy: the
// program that it runs, and the console that the kernel opened for it.

// fromMemory is the argument by which a program knows that it runs from memory.
const fromMemory = "from-memory"

// leaveInitramfs has PID 1 run its program from memory that belongs to no mount. It returns only
// if that is done already or fails.
func leaveInitramfs() error {
	const proc = "/proc"
	if slices.Contains(os.Args, fromMemory) {
		if err := unix.Unmount(proc, 0); err != nil {
			return fmt.Errorf("umount %s: %w", proc, err)
		}
		return nil
	}
	// PID 1 is called by its path.
	program, err := os.Open(os.Args[0])
	if err != nil {
		return err
	}
	defer program.Close()
	fd, err := unix.MemfdCreate("init", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("memfd_create: %w", err)
	}
	memory := os.NewFile(uintptr(fd), "init")
	defer memory.Close()
	if _, err := io.Copy(memory, program); err != nil {
		return fmt.Errorf("copy the program into memory: %w", err)
	}
	// Not execveat(2) of the descriptor alone, which would need no /proc: on 5.10 TOMOYO refuses
	// that with ENOENT, for it looks for /dev/fd.
	if err := os.MkdirAll(proc, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", proc, "proc", 0, ""); err != nil {
		return fmt.Errorf("mount %s: %w", proc, err)
	}
	err = syscall.Exec(proc+"/self/fd/"+strconv.Itoa(fd), append(os.Args, fromMemory), os.Environ())
	return fmt.Errorf("run the program from memory: %w", err)
}

// reopen has the console come from the devtmpfs, under the same descriptors as before.
func (c *console) reopen() error {
	fd, err := unix.Open("/dev/console", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/console: %w", err)
	}
	defer unix.Close(fd)
	for _, d := range []struct{ fd, flags int }{{0, 0}, {1, 0}, {2, 0}, {int(c.out.Fd()), unix.O_CLOEXEC}} {
		if err := unix.Dup3(fd, d.fd, d.flags); err != nil {
			return fmt.Errorf("the console as descriptor %d: %w", d.fd, err)
		}
	}
	return nil
}
