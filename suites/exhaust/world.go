package exhaust

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/model"
	"pivotspec/suites/sandbox"
)

// Try builds the world, makes the call and returns what it did. An error means that the world
// could not be built or looked at, and so that nothing was seen.
func (l *Lab) Try(w *model.World) (model.Outcome, error) {
	if err := l.Build(w.Mounts); err != nil {
		l.mounts = nil
		return model.Outcome{}, fmt.Errorf("set-up: %w", err)
	}
	if err := l.enter(w); err != nil {
		l.mounts = nil
		return model.Outcome{}, fmt.Errorf("set-up: %w", err)
	}
	real, told, err := l.call(w)
	if err != nil {
		l.mounts = nil
		return model.Outcome{}, err
	}
	out, moved, err := l.look(w, real, told)
	if err != nil {
		l.mounts = nil
		return model.Outcome{}, fmt.Errorf("look at what happened: %w", err)
	}
	if real == 0 || moved {
		l.restore(w, real == 0)
	}
	return out, nil
}

// enter makes everybody stand where the world has them, and makes sure of it.
func (l *Lab) enter(w *model.World) error {
	if err := l.stand(w.Root, w.Cwd); err != nil {
		return err
	}
	for i, t := range w.Tasks {
		if err := l.placeTask(i, t); err != nil {
			return err
		}
	}
	check := func(who string, dir int, path string, want model.Pos) error {
		st, err := statx(dir, path, 0)
		if err != nil {
			return fmt.Errorf("look at %s: %w", who, err)
		}
		l.kernel.See(who, place(st)) // so that one that lies knows what to lie with
		if at := l.at(place(st)); at != want {
			return fmt.Errorf("%s is at %v, and has to be at %v", who, at, want)
		}
		return nil
	}
	if err := check(callerRoot, unix.AT_FDCWD, "/", w.Root); err != nil {
		return err
	}
	if err := check(callerCwd, unix.AT_FDCWD, ".", w.Cwd); err != nil {
		return err
	}
	for i, t := range w.Tasks {
		if err := check(taskNames[i].root, l.tasks[i].proc, sandbox.Root, t.Root); err != nil {
			return err
		}
		if err := check(taskNames[i].cwd, l.tasks[i].proc, sandbox.Cwd, t.Cwd); err != nil {
			return err
		}
	}
	return nil
}

// Names under which [sandbox.Kernel] is shown the caller's places; a bystander's are "N/root" and
// "N/cwd", and what is on top where mount N is attached is "mount N".
const (
	callerRoot = "caller/root"
	callerCwd  = "caller/cwd"
)

var taskNames = [model.MaxTasks]struct{ root, cwd string }{
	{"1/root", "1/cwd"}, {"2/root", "2/cwd"}, {"3/root", "3/cwd"}, {"4/root", "4/cwd"},
}

// at returns the place of the world that p is.
func (l *Lab) at(p sandbox.Place) model.Pos {
	for i := range l.mounts {
		if l.ids[i] != p.Mount {
			continue
		}
		for _, d := range dirs {
			if l.seen[i][d] == p {
				return model.Pos{Mount: int8(i), Dir: d}
			}
		}
	}
	return elsewhere
}

// call makes the call: what the kernel answered, and what the kernel under test is said to have
// answered, which differ only in tests.
func (l *Lab) call(w *model.World) (real, told unix.Errno, err error) {
	newRoot, keepNew := l.argument(w, w.New)
	putOld, keepOld := l.argument(w, w.Old)
	if w.Incapable {
		if err := l.capable(&l.less); err != nil {
			return 0, 0, fmt.Errorf("set-up: drop CAP_SYS_ADMIN: %w", err)
		}
	}
	told = l.kernel.Call(sandbox.Syscall{Name: "pivot_root"}, func() unix.Errno {
		_, _, real = unix.RawSyscall(unix.SYS_PIVOT_ROOT, newRoot, putOld, 0)
		runtime.KeepAlive(keepNew)
		runtime.KeepAlive(keepOld)
		return real
	})
	if real == 0 {
		l.caller.ok = false
	}
	if w.Incapable {
		err = l.capable(&l.caps)
	}
	return real, told, err
}

func (l *Lab) capable(caps *[2]unix.CapUserData) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	return unix.Capset(&header, &caps[0])
}

// argument returns what to pass to the kernel, and what to keep alive meanwhile.
func (l *Lab) argument(w *model.World, a model.Arg) (uintptr, []byte) {
	path := a.Path
	switch a.Kind {
	case model.BadAddress:
		// The last page of the address space: never user memory on any Linux.
		return ^uintptr(4095), nil
	case model.Descriptor:
		path = link(l.fd(a.At))
		if !w.HasProc(w.Root) {
			path = strings.TrimPrefix(path, "/")
		}
	}
	b := append([]byte(path), 0)
	return uintptr(unsafe.Pointer(unsafe.SliceData(b))), b
}

// look finds out where everything is after the call. moved says that something is not where it
// was.
func (l *Lab) look(w *model.World, real, told unix.Errno) (out model.Outcome, moved bool, err error) {
	out.Errno = model.Errno(sandbox.ErrnoName(told))
	see := func(who string, dir int, path string) model.Pos {
		st, e := statx(dir, path, 0)
		if e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", who, e))
			return elsewhere
		}
		return l.at(l.kernel.See(who, place(st)))
	}
	out.Root, out.Cwd = see(callerRoot, unix.AT_FDCWD, "/"), see(callerCwd, unix.AT_FDCWD, ".")
	for i, t := range w.Tasks {
		proc := l.tasks[i].proc
		out.Tasks = append(out.Tasks, model.Task{
			Root: see(taskNames[i].root, proc, sandbox.Root), Cwd: see(taskNames[i].cwd, proc, sandbox.Cwd), Other: t.Other,
		})
	}
	moved = out.Root != w.Root || out.Cwd != w.Cwd || !slices.Equal(out.Tasks, w.Tasks)
	before := l.era.Mounts(w)
	out.Mounts = slices.Clone(before)
	if err != nil {
		return out, true, err
	}
	tree, covered := l.changed(), -1
	for i, m := range w.Mounts {
		if covered >= 0 || real == 0 || m.State != model.Attached || i == 0 || m.On.Dir == w.Mounts[m.On.Mount].Root {
			continue
		}
		parent := model.Pos{Mount: m.On.Mount, Dir: m.On.Dir.Parent()}
		top := see("mount "+strconv.Itoa(i), l.fd(parent), name(m.On.Dir))
		if top != model.Topmost(w.Mounts, m.On) {
			tree, covered = true, i
		}
	}
	if err != nil || !tree && real != 0 && told != 0 {
		return out, moved || tree, err
	}
	if err = l.tree(w, real == 0 && w.Root.Mount == 0, &out); err != nil {
		return out, true, err
	}
	if covered >= 0 && out.Mounts[covered] == before[covered] {
		// The mount table says otherwise; then they differ, and that is no agreement.
		out.Mounts[covered].On = elsewhere
	}
	if w.Mounts[0].Locked {
		for i := range w.Mounts {
			if !showsLock(out.Mounts, i) {
				continue
			}
			if out.Mounts[i].Locked, err = l.locked(out.Mounts, i, l.kernel); err != nil {
				return out, true, err
			}
		}
	}
	for i := range out.Mounts {
		moved = moved || out.Mounts[i] != before[i]
	}
	return out, moved, nil
}

// tree reads where each mount is attached. fresh says that the view from the initramfs no longer
// shows all, and that from the caller's root does.
func (l *Lab) tree(w *model.World, fresh bool, out *model.Outcome) error {
	fd := l.info
	if fresh {
		var err error
		if fd, err = unix.Openat(l.proc, "thread-self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("open mountinfo: %w", err)
		}
		defer unix.Close(fd)
	}
	text, err := l.read(fd)
	if err != nil {
		return err
	}
	list, err := parseMountinfo([]byte(l.kernel.Read("mountinfo", string(text))))
	if err != nil {
		return err
	}
	for i, m := range w.Mounts {
		if m.State != model.Attached {
			continue
		}
		at := slices.IndexFunc(list, func(o listed) bool { return o.id == l.ids[i] })
		out.Mounts[i].On = elsewhere
		if at >= 0 {
			out.Mounts[i].On = l.hangs(list, &list[at])
		}
	}
	return nil
}

// restore undoes a pivot by another one, and makes sure that everything is where it was. If it
// is not, the mounts are built anew for the next world.
func (l *Lab) restore(w *model.World, pivoted bool) {
	mounts := l.mounts
	l.mounts, l.caller.ok = nil, false
	for i := range l.stands {
		l.stands[i].ok = false
	}
	if !pivoted {
		return
	}
	// The new root is where the caller's root is now; its old place is free.
	st, err := statx(unix.AT_FDCWD, "/", 0)
	if err != nil {
		return
	}
	i := slices.Index(l.ids, st.Mnt_id)
	if i <= 0 || i >= len(mounts) {
		return
	}
	// By descriptors, through the /proc of the new root or of the old one.
	at, from := "/", model.Pos{Mount: int8(i), Dir: mounts[i].Root}
	if !w.HasProc(from) {
		at, from = "", w.Root
	}
	if !w.HasProc(from) || unix.Fchdir(l.fd(from)) != nil {
		return
	}
	oldRoot, back := link(l.fd(w.Root))[1:], link(l.fd(mounts[i].On))[1:]
	if unix.PivotRoot(at+oldRoot, at+back) != nil {
		return
	}
	if unix.Fchdir(l.fd(model.Pos{})) != nil || unix.Chroot(".") != nil {
		return
	}
	if !l.restored(mounts) {
		return
	}
	l.changed()
	l.mounts = mounts
}

// restored reports whether every mount is where it was: on top, where it is attached, as the
// mounts say. Where one covers the root of another that does not tell, and mountinfo has to.
func (l *Lab) restored(mounts []model.Mount) bool {
	for i, m := range mounts {
		if i == 0 || m.State != model.Attached {
			continue
		}
		if m.On.Dir == mounts[m.On.Mount].Root {
			text, err := l.read(l.info)
			return err == nil && bytes.Equal(text, l.listed)
		}
		st, err := statx(l.fd(model.Pos{Mount: m.On.Mount, Dir: m.On.Dir.Parent()}), name(m.On.Dir), 0)
		top := model.Topmost(mounts, m.On)
		if err != nil || place(st) != l.seen[top.Mount][top.Dir] {
			return false
		}
	}
	return true
}
