// Package exhaust builds the worlds of package model on a running kernel, makes the call in each,
// and compares what happened with what the model says.
//
// A call that fails changes nothing, and a pivot can be undone by another: so one set of mounts
// serves every world that differs in the rest. Whether it is still what it should be is looked at
// after every call; where it is not, the mounts are built anew.
//
// It is for a guest's init alone: it makes directories in the root, and uses /proc there.
package exhaust

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/model"
	"pivotspec/suites/newfs"
	"pivotspec/suites/sandbox"
)

// Names in the guest's root that are not the model's own.
const (
	procDir = "proc"
	aside   = "/t" // where a mount is that is about to be detached
)

// Lab is a thread in which worlds are built one after the other. Its methods must be called on
// the locked goroutine that made it.
type Lab struct {
	kernel sandbox.Kernel
	era    *model.Era
	home   int // the mount namespace that every world's is copied from
	proc   int // /proc of that namespace
	tasks  []*task
	// caps are the thread's capabilities, less without CAP_SYS_ADMIN in effect.
	caps, less [2]unix.CapUserData

	// Of the mounts that are built, or about to be:
	world  model.World   // nothing but mounts
	mounts []model.Mount // nil if none are
	ns     int           // the mount namespace
	fds    [model.MaxMounts][len(dirs)]int
	seen   [model.MaxMounts][len(dirs)]sandbox.Place // where the descriptors lead
	ids    []uint64                                  // mount IDs
	beyond uint64                                    // ID of the mount below the initramfs, 0 if there is none
	info   int                                       // mountinfo, as seen from the initramfs
	listed []byte                                    // what it says
	others []int                                     // descriptors that have to stay open
	text   []byte                                    // buffer

	// Where the tasks stand; unknown if ok is not set.
	caller standing
	stands [model.MaxTasks]standing
	inNS   [model.MaxTasks]bool // the task is in ns, not in home
	away   [model.MaxTasks]bool // the task has left home
}

// standing is where a task was last made to stand.
type standing struct {
	root, cwd model.Pos
	ok        bool
}

var dirs = [...]model.Dir{model.Top, model.A, model.AB, model.C, model.X}

// NewLab prepares the calling goroutine, which it locks to its thread for good, and the root
// of the namespace that it is in.
func NewLab(k sandbox.Kernel, era *model.Era) (*Lab, error) {
	runtime.LockOSThread()
	l := &Lab{kernel: k, era: era, ns: -1, info: -1, text: make([]byte, 0, 16<<10)}
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("unshare(CLONE_FS|CLONE_NEWNS): %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("make every mount private: %w", err)
	}
	// Every world's namespace begins as a copy of this one, so what is not needed goes.
	if err := unix.Unmount("/dev", unix.MNT_DETACH); err != nil {
		return nil, fmt.Errorf("umount /dev: %w", err)
	}
	var err error
	if l.home, err = unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open the mount namespace: %w", err)
	}
	if l.proc, err = unix.Open("/proc", unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open /proc: %w", err)
	}
	root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /: %w", err)
	}
	defer unix.Close(root)
	if err := furnish(root); err != nil {
		return nil, err
	}
	if err := unix.Mkdir(aside, 0o755); err != nil && err != unix.EEXIST {
		return nil, fmt.Errorf("mkdir %s: %w", aside, err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &l.caps[0]); err != nil {
		return nil, fmt.Errorf("capget: %w", err)
	}
	l.less = l.caps
	l.less[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
	for range model.MaxTasks {
		t, err := newTask()
		if err != nil {
			return nil, err
		}
		l.tasks = append(l.tasks, t)
		if t.proc, err = unix.Openat(l.proc, strconv.Itoa(t.pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
			return nil, fmt.Errorf("open /proc of a bystander: %w", err)
		}
	}
	return l, nil
}

// Close ends the bystanders and lets go of everything.
func (l *Lab) Close() {
	_ = l.leave() // what is left goes with the process
	for _, t := range l.tasks {
		t.end()
	}
	unix.Close(l.home)
	unix.Close(l.proc)
}

// furnish makes in the filesystem whose root is fd what every filesystem has.
func furnish(fd int) error {
	for _, d := range []string{"a", "a/b", "c", procDir} {
		if err := unix.Mkdirat(fd, d, 0o755); err != nil && err != unix.EEXIST {
			return fmt.Errorf("mkdir %s: %w", d, err)
		}
	}
	f, err := unix.Openat(fd, model.File, unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("make the file %s: %w", model.File, err)
	}
	return unix.Close(f)
}

// leave takes everybody out of the mounts that are built, and lets go of them.
func (l *Lab) leave() error {
	l.mounts = nil
	l.close(&l.info)
	var err error
	for i, t := range l.tasks {
		if l.away[i] {
			if e := t.do(step{unix.SYS_SETNS, uintptr(l.home), unix.CLONE_NEWNS, 0}); e != nil && err == nil {
				err = fmt.Errorf("bring a bystander home: %w", e)
			}
		}
	}
	l.stands, l.inNS, l.away = [model.MaxTasks]standing{}, [model.MaxTasks]bool{}, [model.MaxTasks]bool{}
	l.caller = standing{}
	if e := unix.Setns(l.home, unix.CLONE_NEWNS); e != nil {
		return fmt.Errorf("setns home: %w", e)
	}
	for i := range l.fds {
		for d := range l.fds[i] {
			l.close(&l.fds[i][d])
		}
	}
	for _, fd := range l.others {
		_ = unix.Close(fd)
	}
	l.others = l.others[:0]
	l.close(&l.ns)
	return err
}

func (l *Lab) close(fd *int) {
	if *fd > 0 {
		_ = unix.Close(*fd)
	}
	*fd = -1
}

// link is the path by which a descriptor is named where /proc is at the root.
func link(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

func (l *Lab) fd(p model.Pos) int { return l.fds[p.Mount][p.Dir] }

// Build makes the mounts, unless they are there already, and makes sure of them.
func (l *Lab) Build(mounts []model.Mount) error {
	if slices.Equal(l.mounts, mounts) {
		return nil
	}
	if !slices.EqualFunc(l.mounts, mounts, sameTree) {
		if err := l.raise(mounts); err != nil {
			l.mounts = nil
			return err
		}
	}
	old := l.mounts
	l.mounts = nil
	if err := l.propagate(old, mounts); err != nil {
		return err
	}
	if err := l.verify(mounts); err != nil {
		return err
	}
	l.mounts = slices.Clone(mounts)
	return nil
}

// sameTree reports whether two mounts differ in nothing but their propagation.
func sameTree(a, b model.Mount) bool {
	a.Propagation, b.Propagation = model.Private, model.Private
	return a == b
}

// raise makes the mounts, all of them private, in a new mount namespace.
func (l *Lab) raise(mounts []model.Mount) error {
	if err := l.leave(); err != nil {
		return err
	}
	// Until they are inherited nothing is locked, and everything can be opened.
	l.world.Mounts = slices.Clone(mounts)
	for i := range l.world.Mounts {
		l.world.Mounts[i].Locked = false
	}
	for i, m := range mounts {
		if m.State == model.Foreign {
			if err := l.foreign(i); err != nil {
				return err
			}
		}
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare(CLONE_NEWNS): %w", err)
	}
	if err := l.openRoot(); err != nil {
		return err
	}
	inherited := mounts[0].Locked
	if inherited {
		for i, m := range mounts {
			if i > 0 && m.Locked {
				if err := l.mount(i, m); err != nil {
					return err
				}
			}
		}
		if err := l.inherit(mounts); err != nil {
			return err
		}
	}
	for i, m := range mounts {
		if i == 0 || m.Locked || m.State == model.Foreign {
			continue
		}
		if err := l.mount(i, m); err != nil {
			return err
		}
	}
	if err := l.remove(mounts); err != nil {
		return err
	}
	var err error
	if l.ns, err = unix.Openat(l.proc, "thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open the mount namespace: %w", err)
	}
	if l.info, err = unix.Openat(l.proc, "thread-self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open mountinfo: %w", err)
	}
	l.mounts = slices.Clone(mounts)
	for i := range l.mounts {
		l.mounts[i].Propagation = model.Private
	}
	return nil
}

// foreign makes mount i: the root of a mount namespace of its own.
func (l *Lab) foreign(i int) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare(CLONE_NEWNS): %w", err)
	}
	ns, err := unix.Openat(l.proc, "thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the foreign mount namespace: %w", err)
	}
	l.others = append(l.others, ns)
	root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the foreign root: %w", err)
	}
	if err := l.open(i, root, model.Top, false); err != nil {
		return err
	}
	if err := unix.Setns(l.home, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("setns home: %w", err)
	}
	return nil
}

// openRoot opens the directories of mount 0.
func (l *Lab) openRoot() error {
	root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /: %w", err)
	}
	return l.open(0, root, model.Top, true)
}

// open opens the directories of mount i, whose root, the directory dir of its filesystem, is
// the descriptor fd. removed says that it has
// the directory that is going to be removed, which is made here.
func (l *Lab) open(i, fd int, dir model.Dir, removed bool) error {
	l.fds[i][dir] = fd
	if dir == model.X {
		return nil
	}
	from := 1 // of the path below dir
	if dir != model.Top {
		from += len(dir.String())
	}
	for _, d := range []model.Dir{model.A, model.AB, model.C} {
		if d == dir || !l.world.Has(model.Pos{Mount: int8(i), Dir: d}) {
			continue
		}
		var err error
		if l.fds[i][d], err = unix.Openat(fd, d.String()[from:], unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("open %v of mount %d: %w", d, i, err)
		}
	}
	if !removed {
		return nil
	}
	name := model.X.String()[1:]
	if err := unix.Mkdirat(fd, name, 0o755); err != nil && err != unix.EEXIST {
		return fmt.Errorf("mkdir %s of mount %d: %w", name, i, err)
	}
	var err error
	if l.fds[i][model.X], err = unix.Openat(fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open %s of mount %d: %w", name, i, err)
	}
	return nil
}

// remove removes what the model says is removed. Nothing could be mounted from there afterwards.
func (l *Lab) remove(mounts []model.Mount) error {
	for i, m := range mounts {
		if int(m.FS) != i {
			continue
		}
		if err := unix.Unlinkat(l.fds[i][model.Top], model.X.String()[1:], unix.AT_REMOVEDIR); err != nil {
			return fmt.Errorf("rmdir %v of mount %d: %w", model.X, i, err)
		}
	}
	return nil
}

// mount makes mount i. Everything goes through descriptors: no path leads to what is covered.
func (l *Lab) mount(i int, m model.Mount) error {
	fd, err := l.create(i, m)
	if err != nil {
		return fmt.Errorf("make mount %d: %w", i, err)
	}
	if err := l.open(i, fd, m.Root, int(m.FS) == i); err != nil {
		return err
	}
	switch m.State {
	case model.Attached:
		if err := unix.MoveMount(fd, "", l.fd(m.On), "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH); err != nil {
			return fmt.Errorf("attach mount %d: %w", i, err)
		}
		if m.Root == model.Top {
			return l.mountProc(i)
		}
	case model.Detached:
		if err := unix.MoveMount(fd, "", unix.AT_FDCWD, aside, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("attach mount %d: %w", i, err)
		}
		if err := unix.Unmount(aside, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("detach mount %d: %w", i, err)
		}
	}
	return nil
}

// create makes a mount that is attached nowhere and returns its root.
func (l *Lab) create(i int, m model.Mount) (int, error) {
	const clone = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_EMPTY_PATH
	if int(m.FS) != i {
		fd, err := unix.OpenTree(l.fd(model.Pos{Mount: m.FS, Dir: m.Root}), "", clone)
		if err != nil {
			err = fmt.Errorf("open_tree: %w", err)
		}
		return fd, err
	}
	fd, err := newfs.Detached("tmpfs")
	if err != nil {
		return -1, err
	}
	if err := furnish(fd); err != nil {
		return -1, err
	}
	if m.State != model.Anonymous {
		return fd, nil
	}
	// What the model calls anonymous is a clone.
	l.others = append(l.others, fd)
	clonefd, err := unix.OpenTree(fd, "", clone)
	if errors.Is(err, unix.EINVAL) {
		// Until 6.15 only a mount of the own namespace can be cloned.
		if err = unix.MoveMount(fd, "", unix.AT_FDCWD, aside, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return -1, fmt.Errorf("move_mount: %w", err)
		}
		if clonefd, err = unix.OpenTree(fd, "", clone); err == nil {
			err = unix.Unmount(aside, unix.MNT_DETACH)
		}
	}
	if err != nil {
		return -1, fmt.Errorf("open_tree: %w", err)
	}
	return clonefd, nil
}

// mountProc puts a procfs on /proc of mount i, so that a task with its root there can name
// descriptors. It is no mount of the world: nothing is done to it, and it goes where its parent
// goes.
func (l *Lab) mountProc(i int) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, "/"+procDir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("clone /proc: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.MoveMount(fd, "", l.fds[i][model.Top], procDir, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("attach /proc of mount %d: %w", i, err)
	}
	return nil
}

// inherit goes on in a copy of the mount namespace that belongs to a new user namespace. What is
// mounted in it is locked.
func (l *Lab) inherit(mounts []model.Mount) error {
	t, err := newTask()
	if err != nil {
		return err
	}
	defer t.end()
	if err := t.do(step{nr: unix.SYS_UNSHARE, a: unix.CLONE_NEWUSER | unix.CLONE_NEWNS}); err != nil {
		return fmt.Errorf("unshare(CLONE_NEWUSER|CLONE_NEWNS): %w", err)
	}
	ns, err := unix.Openat(l.proc, strconv.Itoa(t.pid)+"/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the inherited mount namespace: %w", err)
	}
	defer unix.Close(ns)
	if err := unix.Setns(ns, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("setns to the inherited mount namespace: %w", err)
	}
	for i := range l.fds {
		for d := range l.fds[i] {
			l.close(&l.fds[i][d])
		}
	}
	l.world.Mounts = mounts
	if err := l.openRoot(); err != nil {
		return err
	}
	for i, m := range mounts {
		if i == 0 || !m.Locked {
			continue
		}
		fd, err := unix.Openat(l.fd(model.Pos{Mount: m.On.Mount, Dir: m.On.Dir.Parent()}), name(m.On.Dir), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open the inherited mount %d: %w", i, err)
		}
		if err := l.open(i, fd, m.Root, true); err != nil {
			return err
		}
	}
	return nil
}

// name is the last component of a directory's path.
func name(d model.Dir) string { return d.String()[len(d.String())-1:] }

// propagate gives the mounts the propagation of want; have is what they have.
func (l *Lab) propagate(have, want []model.Mount) error {
	if err := l.stand(model.Pos{}, model.Pos{}); err != nil {
		return err
	}
	flags := [...]uintptr{model.Private: unix.MS_PRIVATE, model.Shared: unix.MS_SHARED, model.Slave: unix.MS_SLAVE, model.Unbindable: unix.MS_UNBINDABLE}
	for i := range want {
		h, w := have[i].Propagation, want[i].Propagation
		if h == w {
			continue
		}
		fd := l.fds[i][want[i].Root]
		set := func(p model.Propagation) error {
			if err := unix.Mount("", link(fd), "", flags[p], ""); err != nil {
				return fmt.Errorf("make mount %d %v: %w", i, p, err)
			}
			return nil
		}
		if h != model.Private {
			if err := set(model.Private); err != nil {
				return err
			}
		}
		if w == model.Slave {
			// A slave needs a master: a clone that is in no namespace.
			if err := set(model.Shared); err != nil {
				return err
			}
			master, err := unix.OpenTree(fd, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
			if err != nil {
				return fmt.Errorf("make a master for mount %d: %w", i, err)
			}
			l.others = append(l.others, master)
		}
		if w != model.Private {
			if err := set(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// verify makes sure that the mounts are those of the world, and notes how they look.
func (l *Lab) verify(mounts []model.Mount) error {
	for i, m := range mounts {
		for _, d := range dirs {
			l.seen[i][d] = sandbox.Place{}
			if l.fds[i][d] <= 0 {
				continue
			}
			st, err := statx(l.fds[i][d], "", unix.AT_EMPTY_PATH)
			if err != nil {
				return fmt.Errorf("look at %v of mount %d: %w", d, i, err)
			}
			if removed := st.Nlink == 0; removed != (d == model.X) {
				return fmt.Errorf("%v of mount %d: removed %t", d, i, removed)
			}
			l.seen[i][d] = place(st)
		}
		for _, o := range l.ids[:min(i, len(l.ids))] {
			if o == l.seen[i][m.Root].Mount {
				return fmt.Errorf("mount %d has the ID of another", i)
			}
		}
		l.ids = append(l.ids[:i], l.seen[i][m.Root].Mount)
	}
	text, err := l.read(l.info)
	if err != nil {
		return err
	}
	l.listed = append(l.listed[:0], text...)
	list, err := parseMountinfo(l.listed)
	if err != nil {
		return err
	}
	l.beyond = 0
	for i := range list {
		if list[i].id == l.ids[0] && list[i].parent != l.ids[0] {
			l.beyond = list[i].parent
		}
	}
	for i, m := range l.era.Mounts(&model.World{Mounts: mounts}) {
		at := slices.IndexFunc(list, func(o listed) bool { return o.id == l.ids[i] })
		if m.State != model.Attached {
			if at >= 0 {
				return fmt.Errorf("mount %d is in the namespace, and has to be %v", i, m.State)
			}
			continue
		}
		if at < 0 {
			return fmt.Errorf("mount %d is not in the namespace", i)
		}
		if on := l.hangs(list, &list[at]); on != m.On {
			return fmt.Errorf("mount %d is on %v, and has to be on %v", i, on, m.On)
		}
		if p := string(bytes.TrimSpace(list[at].propagation)); !l.isPropagation(p, m.Propagation) {
			return fmt.Errorf("mount %d has the propagation %q, and has to be %v", i, p, m.Propagation)
		}
		if !mounts[0].Locked || !showsLock(mounts, i) {
			continue
		}
		locked, err := l.locked(mounts, i, sandbox.Honest{})
		if err != nil {
			return err
		}
		if locked != m.Locked {
			return fmt.Errorf("mount %d: locked %t, and has to be %t", i, locked, m.Locked)
		}
	}
	l.changed() // what has been until now
	return nil
}

// isPropagation reports whether mountinfo's optional fields say p.
func (l *Lab) isPropagation(fields string, p model.Propagation) bool {
	word, _, _ := bytes.Cut([]byte(fields), []byte{':'})
	switch p {
	case model.Shared:
		return string(word) == "shared"
	case model.Slave:
		return string(word) == "master"
	case model.Unbindable:
		return fields == "unbindable"
	}
	return fields == ""
}

// locked finds out whether mount i is locked: umount2(2) with MNT_EXPIRE refuses a locked mount
// with EINVAL before it refuses a busy one, and ours are held by descriptors. The caller stands
// elsewhere afterwards.
func (l *Lab) locked(mounts []model.Mount, i int, k sandbox.Kernel) (bool, error) {
	// The mount of the caller's root is EINVAL too.
	root := model.Pos{}
	if i == 0 {
		root = stance(mounts)
	}
	if err := l.stand(root, model.Pos{Mount: int8(i), Dir: mounts[i].Root}); err != nil {
		return false, err
	}
	errno := k.Call(sandbox.Syscall{Name: "umount2"}, func() unix.Errno {
		var e unix.Errno
		errors.As(unix.Unmount(".", unix.MNT_EXPIRE), &e)
		return e
	})
	switch errno {
	case unix.EINVAL:
		return true, nil
	case unix.EBUSY:
		return false, nil
	}
	return false, fmt.Errorf("umount2(MNT_EXPIRE) of mount %d, which is busy: %s", i, sandbox.ErrnoName(errno))
}

// showsLock reports whether it can be seen if mount i is locked: umount2 takes the topmost mount
// where it is told to look, and refuses that of the caller's root.
func showsLock(mounts []model.Mount, i int) bool {
	return mounts[i].State == model.Attached && (i > 0 || stance(mounts).Mount > 0) &&
		model.Topmost(mounts, model.Pos{Mount: int8(i), Dir: mounts[i].Root}).Mount == int8(i)
}

// stance is a place on an attached mount that is not the initramfs, if there is one.
func stance(mounts []model.Mount) (p model.Pos) {
	for j, m := range mounts {
		if j > 0 && m.State == model.Attached {
			p = model.Pos{Mount: int8(j), Dir: m.Root}
		}
	}
	return p
}

// stand makes the caller's root and cwd two places.
func (l *Lab) stand(root, cwd model.Pos) error {
	if !l.caller.ok || l.caller.root != root {
		l.caller.ok = false
		if err := unix.Fchdir(l.fd(root)); err != nil {
			return fmt.Errorf("cd %v: %w", root, err)
		}
		if err := unix.Chroot("."); err != nil {
			return fmt.Errorf("chroot %v: %w", root, err)
		}
		l.caller.cwd = root
	}
	if !l.caller.ok || l.caller.cwd != cwd {
		l.caller.ok = false
		if err := unix.Fchdir(l.fd(cwd)); err != nil {
			return fmt.Errorf("cd %v: %w", cwd, err)
		}
	}
	l.caller = standing{root, cwd, true}
	return nil
}

// placeTask makes bystander i stand where it has to.
func (l *Lab) placeTask(i int, t model.Task) error {
	ns := -1
	if l.inNS[i] == t.Other {
		ns = l.ns
		if t.Other {
			ns = l.home
		}
	} else if s := l.stands[i]; s.ok && s.root == t.Root && s.cwd == t.Cwd {
		return nil
	}
	l.stands[i].ok, l.away[i] = false, true
	if err := l.tasks[i].stand(ns, l.fd(t.Root), l.fd(t.Cwd)); err != nil {
		return fmt.Errorf("put bystander %d in its place: %w", i+1, err)
	}
	l.inNS[i] = !t.Other
	l.stands[i] = standing{t.Root, t.Cwd, true}
	return nil
}

// read returns all of a mountinfo, until the next call.
func (l *Lab) read(fd int) ([]byte, error) {
	b := l.text[:0]
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, 4096)
		}
		n, err := unix.Pread(fd, b[len(b):cap(b)], int64(len(b)))
		if err != nil {
			return nil, fmt.Errorf("read mountinfo: %w", err)
		}
		if n == 0 {
			l.text = b
			return b, nil
		}
		b = b[:len(b)+n]
	}
}

// changed reports whether the mounts of the namespace changed since it was asked last, as
// poll(2) on mountinfo tells.
func (l *Lab) changed() bool {
	p := unix.PollFd{Fd: int32(l.info), Events: unix.POLLPRI}
	var none unix.Timespec
	_, _, e := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&none)), 0, 0, 0)
	return e != 0 || p.Revents&(unix.POLLPRI|unix.POLLERR) != 0
}

func statx(dir int, path string, flags int) (unix.Statx_t, error) {
	var st unix.Statx_t
	err := unix.Statx(dir, path, flags|unix.AT_NO_AUTOMOUNT, unix.STATX_INO|unix.STATX_NLINK|unix.STATX_MNT_ID, &st)
	if err == nil && st.Mask&unix.STATX_MNT_ID == 0 {
		err = fmt.Errorf("statx gives no mount ID, which Linux has since 5.8: %w", unix.ENOSYS)
	}
	return st, err
}

func place(st unix.Statx_t) sandbox.Place {
	return sandbox.Place{Mount: st.Mnt_id, Major: st.Dev_major, Minor: st.Dev_minor, Inode: st.Ino}
}
