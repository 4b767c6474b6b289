package vm

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// initrd returns the path of what to give to QEMU as -initrd: the initramfs itself, or, since
// QEMU takes one file, its archives and then the others one after another in a file that has
// no place on any disk, and so is gone when the harness is, however that ends. The kernel
// unpacks archives that follow one another like one. done lets go of the file.
func initrd(initramfs string, archives []string) (path string, done func(), err error) {
	if len(archives) == 0 {
		return initramfs, func() {}, nil
	}
	fd, err := unix.MemfdCreate("pivotspec-initrd", unix.MFD_CLOEXEC)
	if err != nil {
		return "", nil, fmt.Errorf("vm: make the initramfs: memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "pivotspec-initrd")
	for _, name := range append([]string{initramfs}, archives...) {
		if err := appendFile(f, name); err != nil {
			f.Close()
			return "", nil, fmt.Errorf("vm: make the initramfs: %w", err)
		}
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), func() { f.Close() }, nil
}

// appendFile appends the file called name to f, up to a multiple of the 4 bytes at which an
// archive may begin.
func appendFile(f *os.File, name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	n, err := io.Copy(f, in)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, -n&3))
	return err
}
