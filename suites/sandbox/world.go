// Package sandbox gives each behaviour a world of its own to be observed in: a locked OS
// thread with its own mount namespace, root and working directory, and a small vocabulary
// that builds mount trees, makes the call under test and says what became of whom.
//
// The thread is never unlocked, so it dies with its goroutine and takes the namespace and
// every mount in it along; a world that is parked keeps them and hands the thread on, see [Env].
// Each step of the set-up is checked: one that fails ends the behaviour as broken, which is
// neither a pass nor a deviation.
package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// World is the surroundings of one observation. Its methods stop the spec when a step
// fails; they must be called on the goroutine that runs the spec.
type World struct {
	id     string
	kernel Kernel
	proc   int // O_PATH descriptor of a procfs, valid under every root
	base   string
	tid    int
	park   bool
	home   *home // where the thread was before, if it is to come back
	// See Env.
	borrowed, limited bool

	steps   []string
	outcome string
	facts   map[string]string
	marks   []mark
	cleanup []func()
	exhibit *exhibit
}

type mark struct {
	label string
	place Place
}

// Env is what a run of specs shares: the kernel under test and the two places that it needs.
type Env struct {
	// Kernel is the kernel under test.
	Kernel Kernel
	// Proc is a descriptor of a mounted procfs of the initial PID namespace.
	Proc int
	// Base is an existing empty directory on which worlds mount their filesystems.
	Base string
	// Park keeps the namespaces and children of worlds that are done with, until the process
	// ends. In a guest that is about to be switched off, taking them down would cost as much as
	// the specs themselves. The thread goes back to where it was and serves the next world, if it
	// can be as it was before.
	Park bool
	// Borrowed says that the machine is not ours: a step that would change it as a whole, or
	// that needs its initial namespaces, ends the spec as unsupported.
	Borrowed bool
	// Limited says that root here is no root of the machine. A step of the set-up that is
	// refused for lack of privilege then ends the spec as unsupported.
	Limited bool
	// Evidence collects the mount tables around calls; nil collects none.
	Evidence *Evidence

	// Of worlds that are parked: where they begin, and a thread that is there again.
	start sync.Once
	home  *home
	free  chan *seat
}

// ErrNoProc is wrapped by the error of [Open] on a machine without a usable /proc.
var ErrNoProc = errors.New("/proc is needed to see other tasks' roots and working directories")

// Open prepares an Env. Base must exist; it is used by every world and never written to.
func Open(k Kernel, base string) (*Env, error) {
	proc, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /proc: %w: %w", err, ErrNoProc)
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(proc, &st); err != nil || int64(st.Type) != unix.PROC_SUPER_MAGIC {
		unix.Close(proc)
		return nil, fmt.Errorf("/proc is not a procfs: %w", ErrNoProc)
	}
	return &Env{Kernel: k, Proc: proc, Base: base, free: make(chan *seat, 1)}, nil
}

// stop is what a failed step panics with; run recovers it.
type stop struct {
	status record.Status
	why    string
	beyond record.Beyond
}

// Run observes the behaviour with that ID in a new private world and returns its record. It
// returns when the spec has ended.
func (e *Env) Run(id string, body func(*World)) *record.Record {
	done := make(chan *record.Record)
	e.do(func(s *seat) (again bool) {
		w := e.world(id)
		if e.Park {
			e.start.Do(func() { e.home = e.homeOf(w.tid) })
			w.home = e.home
		}
		r := w.run(func(w *World) {
			w.quiet("unshare(CLONE_FS|CLONE_NEWNS)", unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS))
			// A machine other than our guest may have shared mounts, and nothing that
			// a world does may reach it.
			if w.home == nil || !w.home.private {
				w.quiet("mount --make-rprivate /", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
			}
			body(w)
		})
		again = e.settle(s, w)
		done <- r
		return again
	})
	return <-done
}

// RunInitial observes the behaviour with that ID in the calling process's own namespace, root and
// working directory. It is for PID 1 of a guest, whose initial namespace is ours to change;
// the body must leave behind what later specs need.
func (e *Env) RunInitial(id string, body func(*World)) *record.Record {
	w := e.world(id)
	// Every thread of the process shares one root and cwd; the first never goes away.
	w.tid = os.Getpid()
	return w.run(body)
}

func (e *Env) world(id string) *World {
	w := &World{
		id: id, kernel: e.Kernel.Begin(id), proc: e.Proc, base: e.Base, tid: unix.Gettid(),
		facts: map[string]string{}, park: e.Park, borrowed: e.Borrowed, limited: e.Limited,
	}
	if e.Evidence != nil {
		w.exhibit = &exhibit{of: e.Evidence}
	}
	return w
}

func (w *World) run(body func(*World)) (r *record.Record) {
	start := time.Now()
	r = &record.Record{Type: record.TypeObservation, ID: w.id}
	defer func() {
		if p := recover(); p != nil {
			s, ok := p.(stop)
			if !ok {
				s = stop{status: record.Broken, why: fmt.Sprintf("panic in the spec: %v\n%s", p, debug.Stack())}
			}
			r.Status, r.Why, r.Beyond = s.status, s.why, s.beyond
			r.Outcome, r.Facts = "", nil
			if s.status == record.Observed {
				r.Outcome, r.Facts = w.outcome, w.facts
			}
		}
		for i := len(w.cleanup) - 1; i >= 0; i-- {
			w.cleanup[i]()
		}
		r.Steps = w.steps
		r.Micros = time.Since(start).Microseconds()
	}()
	body(w)
	if w.outcome == "" {
		w.Broken("the spec ended without an observation")
	}
	r.Status, r.Outcome, r.Facts = record.Observed, w.outcome, w.facts
	return r
}

// Broken ends the spec: its set-up failed, and nothing was observed.
func (w *World) Broken(format string, args ...any) {
	panic(stop{status: record.Broken, why: fmt.Sprintf(format, args...)})
}

// Unsupported ends the spec: a probe found that the kernel lacks the named feature.
func (w *World) Unsupported(format string, args ...any) {
	panic(stop{status: record.Unsupported, why: fmt.Sprintf(format, args...)})
}

func (w *World) note(step string) { w.steps = append(w.steps, step) }

// must notes a step of the set-up and ends the spec as broken if it failed.
func (w *World) must(step string, err error) {
	w.note(step)
	w.quiet(step, err)
}

// quiet is must for a step that every world takes and no reader needs to see.
func (w *World) quiet(step string, err error) {
	if err != nil {
		w.refused(step, err)
		w.Broken("set-up: %s: %s", step, ErrnoName(err))
	}
}

// ErrnoName returns the symbol of an errno, such as "EINVAL", "OK" for nil, words for [NotZero], and
// the error's own text where it is no errno.
func ErrnoName(err error) string {
	if err == nil {
		return record.OK
	}
	errno, plain := err.(unix.Errno) // nearly always, and errors.As takes its time
	if !plain && !errors.As(err, &errno) {
		return err.Error()
	}
	if errno == 0 {
		return record.OK
	}
	if errno == NotZero {
		return "OK, but not 0"
	}
	if errno == unix.EOPNOTSUPP {
		return "EOPNOTSUPP" // not by its other name, which the kernel does not use
	}
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return "errno " + strconv.Itoa(int(errno))
}

// Fact adds a named fact to the observation. A fact is set once.
func (w *World) Fact(name, value string) {
	if old, set := w.facts[name]; set {
		w.Broken("the spec sets the fact %q twice: %q and %q", name, old, value)
	}
	w.facts[name] = value
}

// Defer registers what undoes a step; it runs when the spec ends, however it ends.
func (w *World) Defer(f func()) { w.cleanup = append(w.cleanup, f) }

// Place returns where a path leads, following symlinks and mounts as pivot_root does.
func (w *World) Place(path string) (Place, error) {
	p, err := statx(unix.AT_FDCWD, path)
	if err != nil {
		return Place{}, err
	}
	return w.kernel.See(path, p), nil
}

// Links of a task that pivot_root may move.
const (
	Root = "root"
	Cwd  = "cwd"
)

// Base is a directory in the world's first root on which a filesystem may be mounted;
// [World.Jail] uses it too.
func (w *World) Base() string { return w.base }

// Self is the ID of the thread that runs the spec, for [World.Where].
func (w *World) Self() int { return w.tid }

func (w *World) where(task int, link string) (Place, error) {
	name := strconv.Itoa(task) + "/" + link
	var p Place
	var err error
	if task == w.tid {
		// The same without /proc, whose look-ups cost most of a spec's time.
		if link == Cwd {
			p, err = statCwd()
		} else {
			p, err = statx(unix.AT_FDCWD, "/")
		}
	} else {
		p, err = statx(w.proc, name)
	}
	if errors.Is(err, unix.EOPNOTSUPP) {
		p, err = failfsPlace(), nil
	}
	if err != nil {
		return Place{}, fmt.Errorf("/proc/%s: %w", name, err)
	}
	return w.kernel.See(name, p), nil
}

// Where returns the label of the place to which a task's root or cwd points: that of
// [World.Mark], or "elsewhere". It reads /proc/TASK/LINK.
func (w *World) Where(task int, link string) string {
	p, err := w.where(task, link)
	if err != nil {
		w.Broken("look at a task: %v", err)
	}
	return w.label(p)
}

func (w *World) label(p Place) string {
	for _, m := range w.marks {
		if m.place == p {
			return m.label
		}
	}
	return "elsewhere"
}

// Label returns the label of the place to which path leads, "elsewhere" if it has none,
// and the errno's symbol if it leads nowhere.
func (w *World) Label(path string) string {
	p, err := w.Place(path)
	if err != nil {
		return ErrnoName(err)
	}
	return w.label(p)
}

// LabelAt is Label for a path relative to an open directory.
func (w *World) LabelAt(dir int, path string) string {
	p, err := statx(dir, path)
	if err != nil {
		return ErrnoName(err)
	}
	return w.label(w.kernel.See(path, p))
}

// Mark gives the place to which path leads now a label. Labels tell places apart in facts,
// where mount IDs and inode numbers would differ from boot to boot.
func (w *World) Mark(label, path string) {
	p, err := statx(unix.AT_FDCWD, path)
	if err != nil {
		w.Broken("set-up: mark %s at %s: %s", label, path, ErrnoName(err))
	}
	w.MarkPlace(label, p)
}

// MarkPlace is [World.Mark] for a place that was seen otherwise.
func (w *World) MarkPlace(label string, p Place) {
	for _, m := range w.marks {
		if m.place == p && m.label != label {
			w.Broken("set-up: %s and %s are the same place", m.label, label)
		}
	}
	w.marks = append(w.marks, mark{label, p})
}

// MarkTask is [World.Mark] for the place where a task's root or cwd is now.
func (w *World) MarkTask(label string, task int, link string) {
	p, err := w.where(task, link)
	w.quiet("look at a task", err)
	w.MarkPlace(label, p)
}

// Expect ends the spec as broken unless a task's link stands at the labelled place: a
// migration proves nothing if the task never stood where the spec thinks.
func (w *World) Expect(task int, link, label string) {
	// Through where, so that a lying kernel has its "before" to lie with.
	if got := w.Where(task, link); got != label {
		w.Broken("set-up: task's %s is at %s, wanted %s", link, got, label)
	}
}

func statx(dir int, path string) (Place, error) { return statxAt(dir, path, 0) }

func statxAt(dir int, path string, flags int) (Place, error) {
	var st unix.Statx_t
	const want = unix.STATX_INO | unix.STATX_MNT_ID
	if err := unix.Statx(dir, path, unix.AT_NO_AUTOMOUNT|flags, want, &st); err != nil {
		return Place{}, err
	}
	if st.Mask&unix.STATX_MNT_ID == 0 {
		return Place{}, fmt.Errorf("statx %s gives no mount ID, which Linux has since 5.8: %w", path, unix.ENOSYS)
	}
	return Place{Mount: st.Mnt_id, Major: st.Dev_major, Minor: st.Dev_minor, Inode: st.Ino}, nil
}

// ReadProc returns the content of a file below /proc, such as "17/mountinfo", whatever the
// current root is.
func (w *World) ReadProc(name string) string { return w.kernel.Read(name, w.readProc(name)) }

// readProc is ReadProc for the set-up, which no kernel under test lies about.
func (w *World) readProc(name string) string {
	text, err := readAt(w.proc, name)
	w.quiet("read /proc/"+name, err)
	return text
}

// readAt returns the content of a file below an open directory.
func readAt(dir int, name string) (string, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

// ListProc returns the names in a folder below /proc.
func (w *World) ListProc(name string) []string {
	names, err := w.listProc(name)
	w.quiet("list /proc/"+name, err)
	return names
}

func (w *World) listProc(name string) ([]string, error) {
	fd, err := unix.Openat(w.proc, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	return f.Readdirnames(0)
}
