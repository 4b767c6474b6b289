package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// Effects of a call on the root of the task that made it.
const (
	// Pivoted: the caller's root is where new_root led before the call.
	Pivoted = "pivoted"
	// None: the caller's root and cwd are what they were.
	None = "none"
)

// Call is what one system call under test did.
type Call struct {
	// Outcome is "OK" or the errno's symbol.
	Outcome string
	// Effect is Pivoted, None, or words for anything else; "" where the call is not
	// pivot_root.
	Effect string
}

// Observe makes c the behaviour's outcome, with its effect as the fact "effect".
func (w *World) Observe(c Call) {
	if w.outcome != "" {
		w.Broken("the spec observes twice")
	}
	w.outcome = c.Outcome
	if c.Effect != "" {
		w.Fact("effect", c.Effect)
	}
}

// Control makes c the positive control, the fact "control": the same call in the same
// world with the one fault mended. It is "OK" only if the call succeeded and pivoted.
func (w *World) Control(c Call) {
	v := c.Outcome
	if v == record.OK && c.Effect != Pivoted {
		v = "OK, but " + c.Effect
	}
	w.Fact("control", v)
}

// Arg is an argument of a system call: a path, or an address that is not the caller's.
type Arg struct {
	path string
	bad  bool
}

// Path is an ordinary argument.
func Path(p string) Arg { return Arg{path: p} }

// BadAddress is an argument that points where nothing is mapped.
func BadAddress() Arg { return Arg{bad: true} }

func (a Arg) String() string {
	if a.bad {
		return "(bad address)"
	}
	if len(a.path) > 64 {
		return fmt.Sprintf("%q... (%d bytes)", a.path[:16], len(a.path))
	}
	return fmt.Sprintf("%q", a.path)
}

// pointer returns what to pass to the kernel, and what to keep alive meanwhile.
func (a Arg) pointer() (uintptr, []byte) {
	if a.bad {
		// The last page of the address space: never user memory on any Linux.
		return ^uintptr(4095), nil
	}
	b := append([]byte(a.path), 0)
	return uintptr(unsafe.Pointer(unsafe.SliceData(b))), b
}

// PivotRoot makes the call with two paths.
func (w *World) PivotRoot(newRoot, putOld string) Call {
	return w.PivotRootArgs(Path(newRoot), Path(putOld))
}

// PivotRootArgs makes the call and looks what it did to the caller.
func (w *World) PivotRootArgs(newRoot, putOld Arg) Call {
	watch := w.watch(w.tid, newRoot)
	errno := w.kernel.Call(func() unix.Errno {
		p, keepP := newRoot.pointer()
		q, keepQ := putOld.pointer()
		_, _, e := unix.RawSyscall(unix.SYS_PIVOT_ROOT, p, q, 0)
		runtime.KeepAlive(keepP)
		runtime.KeepAlive(keepQ)
		return e
	})
	c := Call{Outcome: ErrnoName(errno), Effect: watch()}
	w.note(fmt.Sprintf("pivot_root(%v, %v) = %s", newRoot, putOld, c.Outcome))
	return c
}

// watch remembers where a task stands and where newRoot leads; the function that it returns
// says what has become of the task since.
func (w *World) watch(task int, newRoot Arg) (effect func() string) {
	root, err := w.where(task, Root)
	w.quiet("look at the caller's root", err)
	cwd, err := w.where(task, Cwd)
	w.quiet("look at the caller's cwd", err)
	target, targetErr := Place{}, error(unix.EFAULT)
	if !newRoot.bad {
		target, targetErr = statx(unix.AT_FDCWD, newRoot.path)
	}
	return func() string {
		newRoot, err := w.where(task, Root)
		w.quiet("look at the caller's root", err)
		newCwd, err := w.where(task, Cwd)
		w.quiet("look at the caller's cwd", err)
		switch {
		case newRoot == root && newCwd == cwd:
			return None
		case targetErr == nil && newRoot == target:
			return Pivoted
		case newRoot == root:
			return "cwd moved to " + w.label(newCwd)
		default:
			return "root moved to " + w.label(newRoot)
		}
	}
}

// Umount makes a umount2(2) under test.
func (w *World) Umount(path string, flags int) Call {
	lazy := ""
	if flags&unix.MNT_DETACH != 0 {
		lazy = ", MNT_DETACH"
	}
	return w.call(fmt.Sprintf("umount2(%q%s)", path, lazy), func() error { return unix.Unmount(path, flags) })
}

// MoveOnto makes a mount(2) with MS_MOVE under test.
func (w *World) MoveOnto(from, to string) Call {
	return w.call(fmt.Sprintf("mount(%q, %q, MS_MOVE)", from, to), func() error {
		return unix.Mount(from, to, "", unix.MS_MOVE, "")
	})
}

// call makes a system call under test that is not pivot_root.
func (w *World) call(name string, real func() error) Call {
	errno := w.kernel.Call(func() unix.Errno {
		var e unix.Errno
		if err := real(); err != nil && !errors.As(err, &e) {
			w.Broken("%s: %v", name, err)
		}
		return e
	})
	c := Call{Outcome: ErrnoName(errno)}
	w.note(fmt.Sprintf("%s = %s", name, c.Outcome))
	return c
}
