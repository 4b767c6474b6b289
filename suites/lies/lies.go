// Package lies holds kernels that answer wrongly, to test the suite with: a suite is worth
// what it catches.
//
// A lie stands where the seam of package sandbox is, between a spec and what it observes. The
// world beneath it is real, so that a lie may go as far as it likes and nothing breaks but
// the observation. Each says of every behaviour, from what an honest kernel shows of it,
// whether it must be caught there; the rest must look as if nothing had been said.
package lies

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/faults"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// File is the path in the lying guest's image of the text that says which lies it tells; see
// [Parse].
const File = "/lies"

// Lie is one way to answer wrongly.
type Lie struct {
	// Name is unique.
	Name string
	// Says tells a reader what is wrong with the answer.
	Says string
	// Touches reports whether the lie shows in a behaviour that an honest kernel shows as
	// r, so that the behaviour has to come out as unexpected.
	Touches func(r *record.Record) bool

	call func(t *teller, c sandbox.Syscall, real func() unix.Errno) unix.Errno
	see  func(t *teller, s sight) sandbox.Place
	read func(t *teller, name, real string) string
	tell func(real string) string
}

// Find returns the lie of that name.
func Find(name string) (Lie, bool) {
	for _, l := range append(Table(), Accidents()...) {
		if l.Name == name {
			return l, true
		}
	}
	return Lie{}, false
}

// Format writes down which lie is told in which spec, for [Parse]: one line each, the spec's ID
// and the lie's name.
func Format(told map[string]string) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(told)) {
		fmt.Fprintf(&b, "%s %s\n", id, told[id])
	}
	return b.String()
}

// Parse returns the kernel that tells the lies written down in text, and is honest elsewhere.
func Parse(text string) (sandbox.Kernel, error) {
	k := liar{told: map[string]Lie{}}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 2 {
			return nil, fmt.Errorf("%q does not name a spec and a lie", line)
		}
		l, ok := Find(f[1])
		if !ok {
			return nil, fmt.Errorf("there is no lie %q", f[1])
		}
		k.told[f[0]] = l
	}
	return k, nil
}

// liar is a kernel between two specs. It has no memory; the tellers have.
type liar struct {
	sandbox.Honest
	told map[string]Lie // by spec
}

// Begin implements [sandbox.Kernel].
func (k liar) Begin(spec string) sandbox.Kernel {
	l, ok := k.told[spec]
	if !ok {
		return sandbox.Honest{}
	}
	return &teller{lie: l, before: map[string]sandbox.Place{}, texts: map[string]string{}, calls: map[string]int{}, looks: map[string]int{}}
}

// teller tells a lie in one spec.
type teller struct {
	lie Lie
	// calls counts the system calls under test by name, the one in progress included.
	calls map[string]int
	// pivoted is set once a pivot_root under test was answered with success.
	pivoted bool
	// failed is set once one was answered with an errno.
	failed bool
	// told is for a lie that is told in some calls only: set by the last if it was.
	told bool
	// looks counts the sights by name since the last pivot_root under test.
	looks map[string]int
	// before holds the places that were last seen under each name before pivoted was set.
	before map[string]sandbox.Place
	// texts holds the files that were read before the first pivot or umount under test.
	texts map[string]string
	// caller is the task whose root and cwd were seen last before the last pivot_root: the
	// one that makes it. target is where new_root led, if it led anywhere.
	caller string
	target sandbox.Place
	// lastTask and lastPath are the last task and place of a path seen.
	lastTask string
	lastPath sandbox.Place
}

// sight is what was seen under a name.
type sight struct {
	name string
	// task and link are "17" and "root" or "cwd" for a task's; "" for a path.
	task, link string
	real       sandbox.Place
}

func sighted(name string, real sandbox.Place) sight {
	s := sight{name: name, real: real}
	task, link, _ := strings.Cut(name, "/")
	if _, err := strconv.Atoi(task); err == nil && (link == sandbox.Root || link == sandbox.Cwd) {
		s.task, s.link = task, link
	}
	return s
}

// Begin implements [sandbox.Kernel].
func (t *teller) Begin(string) sandbox.Kernel { return t }

// Call implements [sandbox.Kernel].
func (t *teller) Call(c sandbox.Syscall, real func() unix.Errno) unix.Errno {
	t.calls[c.Name]++
	pivot := c.Name == pivotRoot
	if pivot {
		t.caller, t.target = t.lastTask, t.lastPath
	}
	var e unix.Errno
	if t.lie.call != nil {
		e = t.lie.call(t, c, real)
	} else {
		e = real()
	}
	if pivot {
		t.pivoted = t.pivoted || e == 0
		t.failed = t.failed || e != 0
		t.lastPath = sandbox.Place{}
		clear(t.looks)
	}
	return e
}

// See implements [sandbox.Kernel].
func (t *teller) See(name string, real sandbox.Place) sandbox.Place {
	s := sighted(name, real)
	switch {
	case s.task != "":
		t.lastTask = s.task
	default:
		t.lastPath = real
	}
	t.looks[name]++
	if !t.pivoted {
		t.before[name] = real
	}
	if t.lie.see == nil {
		return real
	}
	return t.lie.see(t, s)
}

// Read implements [sandbox.Kernel].
func (t *teller) Read(name, real string) string {
	if !t.pivoted && t.calls[umount] == 0 {
		t.texts[name] = real
	}
	if t.lie.read == nil {
		return real
	}
	return t.lie.read(t, name, real)
}

// Tell implements [sandbox.Kernel].
func (t *teller) Tell(_, real string) string {
	if t.lie.tell == nil {
		return real
	}
	return t.lie.tell(real)
}

// was returns where a task's link was before the pivot. A cwd that nobody looked at then is
// taken to have been at the task's root, and a task that nobody looked at where the caller was.
func (t *teller) was(s sight) sandbox.Place {
	for _, name := range []string{s.name, s.task + "/" + sandbox.Root, t.caller + "/" + s.link} {
		if p, ok := t.before[name]; ok {
			return p
		}
	}
	return s.real
}

// nowhere is a place that no task has been seen at.
func nowhere() sandbox.Place { return sandbox.Place{Mount: 1 << 40, Inode: 1 << 40} }

// Names of the system calls under test.
const (
	pivotRoot = "pivot_root"
	umount    = "umount2"
	mount     = "mount"
	rmdir     = "rmdir"
	rename    = "rename"
	chroot    = "chroot"
)

// Table returns the lies, each of which has to be caught.
func Table() []Lie {
	return slices.Concat(afterwards(), []Lie{
		// --- wrong outcomes of pivot_root ---
		{
			Name: "other-errno", Says: "answers with another errno than is due",
			Touches: func(r *record.Record) bool {
				return failed(r) || slices.ContainsFunc(outcomesOfCalls(r), func(o string) bool { return o != record.OK })
			},
			call: func(_ *teller, _ sandbox.Syscall, real func() unix.Errno) unix.Errno { return confuse(real()) },
		},
		{
			Name: "one-wrong-winner", Says: "answers the 300th call of a spec with another errno than is due",
			Touches: func(r *record.Record) bool { return r.ID == faults.Behaviour },
			call: only(pivotRoot, func(t *teller, real func() unix.Errno) unix.Errno {
				if t.calls[pivotRoot] != 300 {
					return real()
				}
				return confuse(real())
			}),
		},
		{
			Name: "success-without-pivot", Says: "answers success and does nothing",
			Touches: pivots,
			call:    only(pivotRoot, func(*teller, func() unix.Errno) unix.Errno { return 0 }),
		},
		{
			Name: "pretended-pivot", Says: "answers success, does nothing, and shows the caller's root and cwd as moved",
			Touches: func(r *record.Record) bool { return pivots(r) && (failed(r) || !onlyCallerTells(r)) },
			call:    only(pivotRoot, func(*teller, func() unix.Errno) unix.Errno { return 0 }),
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && t.isCaller(s) && t.target != (sandbox.Place{}) {
					return t.moved(s)
				}
				return s.real
			},
		},
		{
			Name: "refusal", Says: "answers EINVAL and does nothing",
			Touches: func(r *record.Record) bool {
				return pivots(r) && r.Outcome != "EINVAL" || controlled(r) && pivots(r)
			},
			call: only(pivotRoot, func(*teller, func() unix.Errno) unix.Errno { return unix.EINVAL }),
		},
		{
			Name: "errno-although-pivoted", Says: "pivots and answers EINVAL",
			Touches: func(r *record.Record) bool { return pivots(r) && (!failed(r) || controlled(r)) },
			call: only(pivotRoot, func(_ *teller, real func() unix.Errno) unix.Errno {
				if e := real(); e != 0 {
					return e
				}
				return unix.EINVAL
			}),
		},
		{
			Name: "success-not-zero", Says: "pivots and answers with a number that is neither 0 nor an errno",
			Touches: func(r *record.Record) bool { return pivots(r) && (!failed(r) || controlled(r)) },
			call: only(pivotRoot, func(_ *teller, real func() unix.Errno) unix.Errno {
				if e := real(); e != 0 {
					return e
				}
				return sandbox.NotZero
			}),
		},
		{
			Name: "pivot-where-error-is-due", Says: "answers success where the call failed, and shows the caller's root and cwd as moved",
			Touches: func(r *record.Record) bool { return pivots(r) && failed(r) },
			call: only(pivotRoot, func(t *teller, real func() unix.Errno) unix.Errno {
				t.told = real() != 0
				return 0
			}),
			see: func(t *teller, s sight) sandbox.Place {
				if t.told && t.isCaller(s) {
					return t.moved(s)
				}
				return s.real
			},
		},
		{
			Name: "error-but-root-moved", Says: "answers the errno that is due, and shows the caller's root as moved",
			Touches: func(r *record.Record) bool { return pivots(r) && failed(r) },
			see: func(t *teller, s sight) sandbox.Place {
				if t.failed && t.isCaller(s) && s.link == sandbox.Root {
					return t.moved(s)
				}
				return s.real
			},
		},
		{
			Name: "error-but-cwd-moved", Says: "answers the errno that is due, and shows the caller's cwd as moved",
			Touches: func(r *record.Record) bool { return pivots(r) && failed(r) },
			see: func(t *teller, s sight) sandbox.Place {
				if t.failed && t.isCaller(s) && s.link == sandbox.Cwd {
					return nowhere()
				}
				return s.real
			},
		},

		// --- the positive control, or else the second pivot of a behaviour ---
		{
			Name: "second-pivot-fails", Says: "answers a second pivot_root with EINVAL and does nothing",
			// Where the second is due to fail so, it is no lie.
			Touches: func(r *record.Record) bool { return secondPivot(r) && r.Facts["private"] != "EINVAL" },
			call:    second(func() unix.Errno { return unix.EINVAL }),
		},
		{
			Name: "second-pivot-does-nothing", Says: "answers a second pivot_root with success and does nothing",
			Touches: secondPivot,
			call:    second(func() unix.Errno { return 0 }),
		},

		// --- the pivot of a child process ---
		{
			Name: "child-pivot-does-nothing", Says: "answers a child's pivot_root with success and does nothing",
			Touches: byChild,
			call: func(_ *teller, c sandbox.Syscall, real func() unix.Errno) unix.Errno {
				if c.Name == pivotRoot && c.By != "" {
					return 0
				}
				return real()
			},
		},
		{
			Name: "child-other-errno", Says: "answers a child's pivot_root with another errno, and with one where it succeeded",
			Touches: byChild,
			call: func(_ *teller, c sandbox.Syscall, real func() unix.Errno) unix.Errno {
				e := real()
				if c.Name != pivotRoot || c.By == "" {
					return e
				}
				if e == 0 {
					return unix.EPERM
				}
				return confuse(e)
			},
		},

		// --- whose root and cwd move ---
		{
			Name: "root-not-moved", Says: "pivots and shows every task's root where it was",
			Touches: func(r *record.Record) bool { return pivots(r) && (!failed(r) || controlled(r)) },
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Root {
					return t.was(s)
				}
				return s.real
			},
		},
		{
			Name: "cwd-not-moved", Says: "pivots and shows every task's cwd where it was",
			Touches: func(r *record.Record) bool {
				return pivots(r) && (!failed(r) || controlled(r)) && !cwdStays(r) || bystanderCwdMoves(r)
			},
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Cwd {
					return t.was(s)
				}
				return s.real
			},
		},
		{
			Name: "bystander-root-not-moved", Says: "pivots and shows the root of every task but the caller where it was",
			Touches: func(r *record.Record) bool {
				return !alreadyThere(r) && hasFact(r, func(f, v string) bool {
					return (f == "task-root" || f == "roots" || f == "kthread-root") && v == "new_root"
				}) || enters(r) && r.Facts["task-root"] != "old_root"
			},
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Root && s.task != t.caller {
					return t.was(s)
				}
				return s.real
			},
		},
		{
			Name: "bystander-cwd-not-moved", Says: "pivots and shows the cwd of every task but the caller where it was",
			Touches: bystanderCwdMoves,
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Cwd && s.task != t.caller {
					return t.was(s)
				}
				return s.real
			},
		},
		{
			Name: "kernel-thread-not-moved", Says: "pivots and shows root and cwd of a kernel thread where the caller's were",
			Touches: func(r *record.Record) bool {
				return hasFact(r, func(f, _ string) bool { return f == "kthread-root" })
			},
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.task == kthreadd {
					return t.before[t.caller+"/"+s.link]
				}
				return s.real
			},
		},
		{
			Name: "bystanders-root-moved-too", Says: "pivots and shows the root of every other task at new_root",
			Touches: func(r *record.Record) bool {
				return hasFact(r, func(f, v string) bool { return (f == "task-root" || f == "kthread-root") && v != "new_root" })
			},
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Root && s.task != t.caller {
					return t.target
				}
				return s.real
			},
		},
		{
			Name: "bystanders-cwd-moved-too", Says: "pivots and shows the cwd of every other task at new_root",
			Touches: func(r *record.Record) bool {
				return hasFact(r, func(f, v string) bool { return (f == "task-cwd" || f == "kthread-cwd") && v != "new_root" })
			},
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Cwd && s.task != t.caller {
					return t.target
				}
				return s.real
			},
		},
		{
			Name: "bystanders-root-lost", Says: "pivots and shows the root of a task that was at new_root where nobody is",
			Touches: alreadyThere,
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Root && s.task != t.caller && t.before[s.name] == t.target {
					return nowhere()
				}
				return s.real
			},
		},
		{
			Name: "bystanders-cwd-lost", Says: "pivots and shows the cwd of a task that was at new_root where nobody is",
			Touches: alreadyThere,
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Cwd && s.task != t.caller && t.before[s.name] == t.target {
					return nowhere()
				}
				return s.real
			},
		},
		{
			Name: "callers-cwd-moved-too", Says: "pivots and shows the caller's cwd at new_root, wherever it was",
			Touches: func(r *record.Record) bool { return cwdElsewhere(r.ID) },
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.link == sandbox.Cwd && s.task == t.caller {
					return t.target
				}
				return s.real
			},
		},

		{
			Name: "kernel-thread-apart", Says: "shows root and cwd of a kernel thread where nobody else is, before the pivot as after it",
			Touches: func(r *record.Record) bool { return r.Facts["before"] == "old_root" },
			see: func(_ *teller, s sight) sandbox.Place {
				if s.task == kthreadd {
					return nowhere()
				}
				return s.real
			},
		},
		{
			Name: "kernel-thread-along", Says: "shows root and cwd of a kernel thread where PID 1's root is, before the pivot as after it",
			Touches: func(r *record.Record) bool { return r.Facts["before"] != "" && r.Facts["before"] != "old_root" },
			see: func(_ *teller, s sight) sandbox.Place {
				if s.task == kthreadd {
					return here()
				}
				return s.real
			},
		},
		{
			Name: "root-lost-later", Says: "pivots, and from the second look on shows the caller's root elsewhere",
			Touches: func(r *record.Record) bool {
				return !failed(r) && hasFact(r, func(f, _ string) bool {
					return f == "root" || f == "root-after-umount" || f == "roots" || f == "back"
				})
			},
			see: func(t *teller, s sight) sandbox.Place {
				if s.link == sandbox.Root && t.later(s) {
					return nowhere()
				}
				return s.real
			},
		},
		{
			Name: "cwd-lost-later", Says: "pivots, and from the second look on shows the caller's cwd elsewhere",
			Touches: func(r *record.Record) bool {
				return !failed(r) && hasFact(r, func(f, _ string) bool { return f == "cwd" || f == "cwds" || f == "back" })
			},
			see: func(t *teller, s sight) sandbox.Place {
				if s.link == sandbox.Cwd && t.later(s) {
					return nowhere()
				}
				return s.real
			},
		},

		// --- what is mounted where ---
		{
			Name: "nothing-at-put-old", Says: "pivots and shows new_root itself wherever the old root should be seen",
			Touches: func(r *record.Record) bool {
				return pivots(r) && hasFact(r, func(f, v string) bool {
					return isPathFact(f) && v != "new_root" && v != "ENOENT" || f == "back"
				})
			},
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.task == "" {
					return t.target
				}
				return s.real
			},
		},
		{
			Name: "old-root-everywhere", Says: "pivots and shows the old root under every path",
			Touches: func(r *record.Record) bool {
				return pivots(r) && hasFact(r, func(f, v string) bool {
					return isPathFact(f) && v != "old_root" && v != "ENOENT"
				})
			},
			see: func(t *teller, s sight) sandbox.Place {
				if t.pivoted && s.task == "" {
					return t.before[t.caller+"/"+sandbox.Root]
				}
				return s.real
			},
		},
		{
			Name: "mounts-replaced", Says: "pivots and shows the mounts with other IDs",
			Touches: func(r *record.Record) bool {
				return hasFact(r, func(f, v string) bool {
					return f == "mount-ids" || f == "other-namespace" || f == "in-mount-table" && v == "still there"
				})
			},
			read: func(t *teller, _, real string) string {
				if t.pivoted || t.calls[umount] > 0 {
					return renumber(real)
				}
				return real
			},
		},
		{
			Name: "mount-table-frozen", Says: "pivots and shows the mount table as it was",
			Touches: func(r *record.Record) bool {
				return hasFact(r, func(f, v string) bool { return f == "mount-ids" || f == "in-mount-table" && v == "gone" })
			},
			read: func(t *teller, name, real string) string {
				if t.pivoted || t.calls[umount] > 0 {
					return t.texts[name]
				}
				return real
			},
		},
		{
			Name: "pivot-propagates", Says: "pivots and shows a new mount to every task",
			Touches: func(r *record.Record) bool {
				return wholeTable(r) || hasFact(r, func(f, _ string) bool { return f == "other-namespace" })
			},
			read: func(t *teller, _, real string) string {
				if t.pivoted {
					return real + "999 1 0:99 / /propagated rw - tmpfs tmpfs rw\n"
				}
				return real
			},
		},

		{
			Name: "initramfs-on-nothing", Says: "shows the mount of the initramfs as its own parent",
			Touches: func(r *record.Record) bool { return r.Facts["root-no-parent"] == faults.Absent },
			read: func(_ *teller, _, real string) string {
				var out strings.Builder
				for line := range strings.Lines(real) {
					if f := strings.SplitN(line, " ", 3); len(f) == 3 && strings.Contains(line, " - rootfs ") {
						line = f[0] + " " + f[0] + " " + f[2]
					}
					out.WriteString(line)
				}
				return out.String()
			},
		},
		{
			Name: "initramfs-on-something", Says: "shows the mount of the initramfs as mounted on another",
			Touches: func(r *record.Record) bool {
				return r.ID == faults.Behaviour && r.Facts["root-no-parent"] != faults.Absent
			},
			read: func(_ *teller, _, real string) string {
				var out strings.Builder
				for line := range strings.Lines(real) {
					if f := strings.SplitN(line, " ", 3); len(f) == 3 && strings.Contains(line, " - rootfs ") {
						line = f[0] + " 9" + f[1] + " " + f[2]
					}
					out.WriteString(line)
				}
				return out.String()
			},
		},

		// --- the other system calls that a behaviour is made of ---
		{
			Name: "umount-fails", Says: "answers umount2 with EPERM and does nothing",
			Touches: calls(umount),
			call:    only(umount, func(*teller, func() unix.Errno) unix.Errno { return unix.EPERM }),
		},
		{
			Name: "umount-does-nothing", Says: "answers umount2 with success and does nothing",
			Touches: calls(umount),
			call:    only(umount, func(*teller, func() unix.Errno) unix.Errno { return 0 }),
		},
		{
			Name: "umount-fails-when-done", Says: "unmounts and answers EBUSY",
			Touches: calls(umount),
			call: only(umount, func(_ *teller, real func() unix.Errno) unix.Errno {
				_ = real()
				return unix.EBUSY
			}),
		},
		{
			Name: "move-does-nothing", Says: "answers the move of a mount with success and does nothing",
			Touches: calls(mount),
			call:    only(mount, func(*teller, func() unix.Errno) unix.Errno { return 0 }),
		},
		{
			Name: "move-fails", Says: "answers the move of a mount with EINVAL and does nothing",
			Touches: calls(mount),
			call:    only(mount, func(*teller, func() unix.Errno) unix.Errno { return unix.EINVAL }),
		},
		{
			Name: "chroot-does-nothing", Says: "answers chroot with success and does nothing",
			Touches: calls(chroot),
			call:    only(chroot, func(*teller, func() unix.Errno) unix.Errno { return 0 }),
		},
		{
			Name: "chroot-fails-when-done", Says: "enters the new root and answers EPERM",
			Touches: calls(chroot),
			call: only(chroot, func(_ *teller, real func() unix.Errno) unix.Errno {
				_ = real()
				return unix.EPERM
			}),
		},
		{
			Name: "put-old-gone", Says: "answers rmdir and rename with success and does nothing",
			Touches: either(calls(rmdir), calls(rename)),
			call: func(_ *teller, c sandbox.Syscall, real func() unix.Errno) unix.Errno {
				if c.Name == rmdir || c.Name == rename {
					return 0
				}
				return real()
			},
		},
		{
			Name: "put-old-kept", Says: "answers rmdir and rename with EPERM",
			Touches: either(calls(rmdir), calls(rename)),
			call: func(_ *teller, c sandbox.Syscall, real func() unix.Errno) unix.Errno {
				e := real()
				if c.Name == rmdir || c.Name == rename {
					return unix.EPERM
				}
				return e
			},
		},
	})
}

// Accidents returns what is worse than a lie: a suite that meets with one does not get to the
// end of a spec.
func Accidents() []Lie {
	return []Lie{
		{
			Name: "die", Says: "kills the process that calls",
			call: func(*teller, sandbox.Syscall, func() unix.Errno) unix.Errno {
				_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
				// PID 1 cannot be killed so; this is its end, and with it the kernel's.
				os.Exit(9)
				return 0
			},
		},
		{
			Name: "hang", Says: "never answers",
			call: func(*teller, sandbox.Syscall, func() unix.Errno) unix.Errno {
				// Not select{}: the runtime may see that nothing can ever happen again.
				for {
					time.Sleep(time.Hour)
				}
			},
		},
		{
			Name: "panic", Says: "makes the spec itself panic",
			call: func(*teller, sandbox.Syscall, func() unix.Errno) unix.Errno { panic("a spec that is wrong") },
		},
	}
}

// kthreadd is the kernel thread that behaviours look at.
const kthreadd = "2"

// only tells a lie about one system call.
func only(name string, lie func(t *teller, real func() unix.Errno) unix.Errno) func(*teller, sandbox.Syscall, func() unix.Errno) unix.Errno {
	return func(t *teller, c sandbox.Syscall, real func() unix.Errno) unix.Errno {
		if c.Name != name {
			return real()
		}
		return lie(t, real)
	}
}

// second tells a lie about the second pivot_root of a spec.
func second(lie func() unix.Errno) func(*teller, sandbox.Syscall, func() unix.Errno) unix.Errno {
	return only(pivotRoot, func(t *teller, real func() unix.Errno) unix.Errno {
		if t.calls[pivotRoot] != 2 {
			return real()
		}
		return lie()
	})
}

// confuse returns an errno that could be taken for e; success stays success.
func confuse(e unix.Errno) unix.Errno {
	switch e {
	case 0:
		return 0
	case unix.EINVAL:
		return unix.EBUSY
	case unix.EBUSY, unix.EFAULT:
		return unix.EINVAL
	case unix.EPERM:
		return unix.EACCES
	case unix.EACCES:
		return unix.EPERM
	case unix.ENOTDIR, unix.ELOOP, unix.ENAMETOOLONG:
		return unix.ENOENT
	}
	return unix.ENOTDIR
}

// isCaller reports whether s is a link of the task that made the last pivot_root.
func (t *teller) isCaller(s sight) bool { return s.task != "" && s.task == t.caller }

// moved is where a pivot to the last target takes the caller's link.
func (t *teller) moved(s sight) sandbox.Place {
	root := t.before[t.caller+"/"+sandbox.Root]
	if s.link == sandbox.Cwd && t.was(s) != root {
		return s.real
	}
	if t.target == (sandbox.Place{}) || t.target == root {
		return nowhere()
	}
	return t.target
}

// later reports whether s is the caller's and seen again since its pivot, whose effect the
// first look shows; or since a call of another kind, whose effect is not looked at.
func (t *teller) later(s sight) bool {
	return t.pivoted && t.isCaller(s) && t.looks[s.name] > 1 || s.task != "" && t.calls[mount] > 0
}

// here is where the calling thread's root is.
func here() sandbox.Place {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, "/", 0, unix.STATX_INO|unix.STATX_MNT_ID, &st); err != nil {
		return nowhere()
	}
	return sandbox.Place{Mount: st.Mnt_id, Major: st.Dev_major, Minor: st.Dev_minor, Inode: st.Ino}
}

// renumber gives every mount of a mountinfo other IDs.
func renumber(mountinfo string) string {
	var out strings.Builder
	for line := range strings.Lines(mountinfo) {
		f := strings.SplitN(line, " ", 3)
		if len(f) == 3 {
			out.WriteString("7" + f[0] + " 7" + f[1] + " " + f[2])
		}
	}
	return out.String()
}
