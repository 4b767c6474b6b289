package sandbox

import (
	"golang.org/x/sys/unix"
)

// Place is a directory as a task holds it: a mount and a directory in it. Two places are the
// same directory on the same mount exactly when they are equal.
type Place struct {
	Mount        uint64 // STATX_MNT_ID; reused after the mount is gone
	Major, Minor uint32 // device of the filesystem
	Inode        uint64
}

// Kernel stands between the specs and what they observe, so that a test can put a kernel in
// its place that lies. Everything that a verdict rests on passes through it: the outcome of
// the call under test and the places seen before and after it.
type Kernel interface {
	// Call makes one system call under test and returns its errno, 0 for success.
	Call(real func() unix.Errno) unix.Errno
	// See returns the place just seen under a name such as "17/cwd".
	See(name string, real Place) Place
}

// Honest is the kernel that is running, as it is.
type Honest struct{}

// Call implements [Kernel].
func (Honest) Call(real func() unix.Errno) unix.Errno { return real() }

// See implements [Kernel].
func (Honest) See(_ string, real Place) Place { return real }
