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
// its place that lies. Everything that a verdict rests on passes through it: the outcomes of
// the calls under test, the places seen before and after them, and what /proc tells. The
// set-up does not: what it builds and labels ([World.Mark]) is real.
type Kernel interface {
	// Begin returns the kernel that the spec with that ID is to observe, which may be
	// this one: a kernel that lies needs to know what it has said in the same spec.
	Begin(spec string) Kernel
	// Call makes one system call under test and returns its errno, 0 for success.
	Call(c Syscall, real func() unix.Errno) unix.Errno
	// See returns the place just seen under a name: "17/root" or "17/cwd" for a task's,
	// else the path.
	See(name string, real Place) Place
	// Read returns the content just read from a file below /proc, such as "17/mountinfo".
	Read(name, real string) string
	// Tell returns what the kernel just told in another way than by an errno, a place or a
	// file: the events of a poll, the type of a filesystem. name says what was asked.
	Tell(name, real string) string
}

// Witness is a [Kernel] that wants to know which of the calls under test a behaviour is about.
type Witness interface {
	// Observed is told what was observed, after the call.
	Observed(c Call)
}

// Syscall says which system call is made under test.
type Syscall struct {
	// Name is the system call's, such as "pivot_root".
	Name string
	// By is the name of the child process that makes it, "" for the spec's own thread.
	By string
	// Task is the ID of the process that makes it, 0 for the thread that calls [Kernel.Call].
	Task int
	// Args are the arguments of a pivot_root, new_root first; none where a program makes it.
	Args []Arg
}

// Honest is the kernel that is running, as it is.
type Honest struct{}

// Begin implements [Kernel].
func (h Honest) Begin(string) Kernel { return h }

// Call implements [Kernel].
func (Honest) Call(_ Syscall, real func() unix.Errno) unix.Errno { return real() }

// See implements [Kernel].
func (Honest) See(_ string, real Place) Place { return real }

// Read implements [Kernel].
func (Honest) Read(_, real string) string { return real }

// Tell implements [Kernel].
func (Honest) Tell(_, real string) string { return real }
