// Package newfs makes filesystems that are mounted nowhere. The sandbox makes its own, step by step: there each is
// part of a spec's set-up.
package newfs

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Detached returns a descriptor of the root of a new filesystem of that kind, such as "proc", on a mount that is in no
// namespace (fsopen(2), fsmount(2), since Linux 5.2). It goes when the descriptor is closed. Errors are those of
// the calls, with the name of the one that failed.
func Detached(kind string) (int, error) {
	fs, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("fsopen: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, fmt.Errorf("fsconfig: %w", err)
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("fsmount: %w", err)
	}
	return fd, nil
}
