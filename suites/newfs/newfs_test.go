package newfs

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDetached(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	fd, err := Detached("proc")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		t.Errorf("got a filesystem of type %#x, %v; want procfs", fs.Type, err)
	}
	if _, err := Detached("nosuchfs"); !errors.Is(err, unix.ENODEV) {
		t.Errorf("a kind that there is not: got %v, want ENODEV", err)
	}
}
