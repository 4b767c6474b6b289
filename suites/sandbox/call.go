package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// Effects of a call on the root and cwd of the task that made it.
const (
	// Pivoted: the caller's root is where new_root led before the call, and so is its cwd
	// if that was at the old root; else the cwd is what it was.
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

// Observe makes c the behaviour's outcome, with its effect as the fact "effect". A call that
// did something else than it said ends the spec, with the observation: the rest would fail in
// a world for which it was not written, and hide that under a broken set-up.
func (w *World) Observe(c Call) {
	if w.outcome != "" {
		w.Broken("the spec observes twice")
	}
	w.outcome = c.Outcome
	if o, ok := w.kernel.(Witness); ok {
		o.Observed(c)
	}
	if c.Effect == "" {
		return
	}
	w.Fact("effect", c.Effect)
	if c.Result() != c.Outcome {
		panic(stop{status: record.Observed})
	}
}

// Result is the outcome, and where the call did something else than that says, what it did:
// "OK, but none".
func (c Call) Result() string {
	want := None
	if c.Outcome == record.OK {
		want = Pivoted
	}
	if c.Effect == "" || c.Effect == want {
		return c.Outcome
	}
	return c.Outcome + ", but " + c.Effect
}

// ObserveSuccess is Observe for a behaviour of which everything that the spec does next takes
// for granted that c succeeded: if it did not, the observation is complete without that.
func (w *World) ObserveSuccess(c Call) {
	w.Observe(c)
	if c.Outcome != record.OK {
		panic(stop{status: record.Observed})
	}
}

// ObserveRefusal is Observe for a call that is to be refused, in a world that is then mended for the
// control: if it was not refused, it has moved that world, and the observation is complete without.
func (w *World) ObserveRefusal(c Call) {
	w.Observe(c)
	if c.Outcome == record.OK {
		panic(stop{status: record.Observed})
	}
}

// Control makes c the positive control, the fact "control": the same call in the same
// world with the one fault mended. It is "OK" only if the call succeeded and, if it is a
// pivot_root, pivoted.
func (w *World) Control(c Call) { w.Fact("control", c.Result()) }

// Arg is an argument of a system call: a path, or an address that is not the caller's.
type Arg struct {
	path string
	text *byte // the path as a system call takes it, ended by a zero byte
	bad  bool
}

// Path is an ordinary argument.
func Path(p string) Arg {
	b := make([]byte, len(p)+1)
	copy(b, p)
	return Arg{path: p, text: &b[0]}
}

// BadAddress is an argument that points where nothing is mapped.
func BadAddress() Arg { return Arg{bad: true} }

// Text returns the path, and whether it is one.
func (a Arg) Text() (path string, ok bool) { return a.path, !a.bad }

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
	return uintptr(unsafe.Pointer(a.text)), unsafe.Slice(a.text, len(a.path)+1)
}

// PivotRoot makes the call with two paths.
func (w *World) PivotRoot(newRoot, putOld string) Call {
	return w.PivotRootArgs(Path(newRoot), Path(putOld))
}

// PivotRootArgs makes the call and looks what it did to the caller.
func (w *World) PivotRootArgs(newRoot, putOld Arg) Call {
	var target Place
	targetErr := error(unix.EFAULT)
	if !newRoot.bad {
		target, targetErr = w.Place(newRoot.path)
	}
	seen := w.witness(w.tid)
	watch := w.watch(w.tid, target, targetErr == nil)
	errno := w.kernel.Call(Syscall{Name: "pivot_root", Args: []Arg{newRoot, putOld}}, func() unix.Errno {
		return pivotRoot(newRoot, putOld)
	})
	c := Call{Outcome: ErrnoName(errno), Effect: watch()}
	w.note(fmt.Sprintf("pivot_root(%v, %v) = %s", newRoot, putOld, c.Outcome))
	seen()
	return c
}

// NotZero stands for a success of pivot_root that is not the 0 that it has to be. It is above all that
// a system call can give as an errno, which ends with 4095.
const NotZero unix.Errno = 1 << 16

// pivotRoot makes the call on the thread that calls it, and captures its result at once.
func pivotRoot(newRoot, putOld Arg) unix.Errno {
	p, keepP := newRoot.pointer()
	q, keepQ := putOld.pointer()
	r, _, e := unix.RawSyscall(unix.SYS_PIVOT_ROOT, p, q, 0)
	runtime.KeepAlive(keepP)
	runtime.KeepAlive(keepQ)
	return zeroOr(r, e)
}

// zeroOr is the errno of a system call whose only good result is 0.
func zeroOr(r uintptr, e unix.Errno) unix.Errno {
	if e == 0 && r != 0 {
		return NotZero
	}
	return e
}

// watch remembers where a task stands; the function that it returns says what has become of
// the task since. target is where new_root leads, if it leads anywhere.
func (w *World) watch(task int, target Place, exists bool) (effect func() string) {
	root, err := w.where(task, Root)
	w.quiet("look at the caller's root", err)
	cwd, err := w.where(task, Cwd)
	w.quiet("look at the caller's cwd", err)
	return func() string {
		newRoot, err := w.where(task, Root)
		w.quiet("look at the caller's root", err)
		newCwd, err := w.where(task, Cwd)
		w.quiet("look at the caller's cwd", err)
		wantCwd := cwd
		if cwd == root {
			wantCwd = target
		}
		switch {
		case newRoot == root && newCwd == cwd:
			return None
		case exists && newRoot == target && newCwd == wantCwd:
			return Pivoted
		case exists && newRoot == target && newCwd == cwd:
			return "pivoted, but cwd stayed at the old root"
		case exists && newRoot == target:
			return "pivoted, but cwd moved to " + w.label(newCwd)
		case newRoot == root:
			return "cwd moved to " + w.label(newCwd)
		default:
			return "root moved to " + w.label(newRoot)
		}
	}
}

// Umount makes a umount2(2) under test.
func (w *World) Umount(path string, flags int) Call {
	return w.call("umount2", umountText(path, flags), func() error { return unix.Unmount(path, flags) })
}

func umountText(path string, flags int) string {
	lazy := ""
	if flags&unix.MNT_DETACH != 0 {
		lazy = ", MNT_DETACH"
	}
	return fmt.Sprintf("umount2(%q%s)", path, lazy)
}

// MoveOnto makes a mount(2) with MS_MOVE under test.
func (w *World) MoveOnto(from, to string) Call {
	return w.call("mount", fmt.Sprintf("mount(%q, %q, MS_MOVE)", from, to), func() error {
		return unix.Mount(from, to, "", unix.MS_MOVE, "")
	})
}

// TryRmdir makes a rmdir(2) under test.
func (w *World) TryRmdir(path string) Call {
	return w.call("rmdir", fmt.Sprintf("rmdir(%q)", path), func() error { return unix.Rmdir(path) })
}

// TryRename makes a rename(2) under test.
func (w *World) TryRename(from, to string) Call {
	return w.call("rename", fmt.Sprintf("rename(%q, %q)", from, to), func() error { return unix.Rename(from, to) })
}

// TryChroot makes a chroot(2) under test. The working directory stays.
func (w *World) TryChroot(path string) Call {
	return w.call("chroot", fmt.Sprintf("chroot(%q)", path), func() error { return unix.Chroot(path) })
}

// call makes a system call under test that is not pivot_root. text is for the reader.
func (w *World) call(name, text string, real func() error) Call {
	return w.callBy(name, "", text, real)
}

// callBy is call for a call that the named task makes.
func (w *World) callBy(name, by, text string, real func() error) Call {
	seen := w.witness(w.tid)
	errno := w.kernel.Call(Syscall{Name: name, By: by}, func() unix.Errno {
		var e unix.Errno
		if err := real(); err != nil && !errors.As(err, &e) {
			w.Broken("%s: %v", text, err)
		}
		return e
	})
	c := Call{Outcome: ErrnoName(errno)}
	w.note(fmt.Sprintf("%s = %s", text, c.Outcome))
	seen()
	return c
}
