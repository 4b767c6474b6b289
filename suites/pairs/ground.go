package pairs

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/faults"
	"pivotspec/suites/sandbox"
)

// stand is a mount with the directories that can be arguments, as open descriptors: a number
// is a path to each wherever the caller's root is.
type stand struct {
	// top is the mount's root; dir an ordinary directory on it; gone one that was removed.
	top, dir, gone int
	// old and goneOld, which was removed, are below top; dirOld and dirGone below dir.
	old, goneOld, dirOld, dirGone int
	// parent is the root of the mount that this one is mounted on, -1 if it is on none.
	parent int
}

// tree is the mounts of one namespace.
//
//	BASE          outer, a tmpfs
//	  jail        root, a tmpfs: the caller's root
//	    dir       the caller's root where that is to be no mount point
//	      mid     middle
//	        a     next: new_root
//	      x       aside
//	      d/m     onDir
//	  q           beside
//	    a         outside
//
// All mounts but the first two are binds of one filesystem with the same directories in it.
type tree struct {
	outer, root, next, aside, outside, beside stand
	// onDir is a mount below the directory dir of root.
	onDir int
	// rootDir is the directory dir of the jail, on which root's stand has its directories.
	rootDir int
}

// ground is all that calls are made of.
type ground struct {
	w *sandbox.World
	// own is the caller's namespace, foreign another.
	own, foreign tree
	// locked and lockedOutside are stands of own that a user namespace has inherited, lockedForeign
	// is one of another namespace; lockedRoot is an inherited root. There are none without user
	// namespaces.
	locked, lockedOutside, lockedForeign, lockedRoot stand
	// home is the namespace's root, foreignHome that of the other.
	home, foreignHome stand
	detached          stand
	unmounted         stand
	// leaf is the name of the mount on middle, and on beside, that is not locked.
	leaf string
	// slashes are one more than the longest path has bytes.
	slashes string
}

// lay builds the ground. With user namespaces, the trees are built in one namespace, copied to that
// of a user namespace and from there to the caller's, so that their mounts are locked; and
// what a call is to succeed with is mounted anew.
func lay(w *sandbox.World, users bool) *ground {
	g := &ground{w: w, leaf: "a", slashes: strings.Repeat("/", 4096)}
	base := w.Base()
	// The directory below the first mount, before that hides it: a copy of the namespace can be
	// made to open its own only by who stands there.
	covered := w.Descriptor(unix.AT_FDCWD, base)
	g.build(base)
	if users {
		g.foreign = g.open(base, "a")
		g.foreignHome = stand{top: g.at("/"), parent: -1}
		w.Namespace() // keeps it alive
		w.Fchdir(covered, "the directory below the mount")
		// A child that does nothing but to have the namespaces made.
		child := w.Fork("user namespace", unix.CLONE_NEWUSER|unix.CLONE_NEWNS, func(*sandbox.Script) {})
		w.Setns(child.Namespace(), "user namespace")
		g.lockedForeign = g.below(g.at(base+"/jail/dir/mid/a"), g.at(base+"/jail/dir/mid"))
		w.Fchdir(child.Cwd(), "the directory below the mount")
		w.Unshare()
		covered = g.at(".")
		g.lockedRoot = g.rootStand(base+"/jail", g.at(base))
		// The root again, unlocked, with the locked mounts below it.
		w.Rbind(base+"/jail", base+"/jail")
		g.locked = g.below(g.at(base+"/jail/dir/mid/a"), g.at(base+"/jail/dir/mid"))
		g.lockedOutside = g.below(g.at(base+"/q/a"), g.at(base+"/q"))
		g.leaf = "b"
		w.Bind(base+"/s", base+"/jail/dir/mid/b")
		w.Bind(base+"/s", base+"/q/b")
		g.own = g.open(base, g.leaf)
		g.own.root.parent = g.lockedRoot.top
	} else {
		g.own = g.open(base, g.leaf)
		here := w.Namespace()
		w.Unshare()
		g.foreign = g.open(base, g.leaf)
		g.foreignHome = stand{top: g.at("/"), parent: -1}
		w.Namespace() // keeps it alive
		w.Setns(here, "the first namespace")
	}
	g.home = stand{top: g.at("/"), dir: covered, parent: -1}
	g.home.old = g.home.top
	g.detached = g.below(w.Clone(g.own.next.top), -1)
	w.Bind(base+"/s", base+"/jail/dir/t")
	g.unmounted = g.below(g.at(base+"/jail/dir/t"), -1)
	w.Detach(base + "/jail/dir/t")
	for _, dir := range []string{base + "/s/", base + "/jail/dir/"} {
		for _, name := range []string{"gone", "goneold", "d/goneold"} {
			w.Rmdir(dir + name)
		}
	}
	fix := base + "/jail/dir/mid/" + g.leaf + "/fix/"
	w.Bind(fix+"file", fix+"mount")
	// Another's, and closed to all others: so no user ID has to change for a caller without
	// the capabilities that override permission bits to be kept out.
	w.Chmod(base+"/s/fix/closed", 0o700)
	if err := unix.Chown(base+"/s/fix/closed", nobody, nobody); err != nil {
		w.Broken("set-up: chown: %s", sandbox.ErrnoName(err))
	}
	return g
}

// nobody is the user ID of an ordinary user.
const nobody = 65534

// build mounts what a tree is made of on base.
func (g *ground) build(base string) {
	w := g.w
	dirs := func(at string, names ...string) {
		for _, n := range names {
			w.Mkdir(at + "/" + n)
		}
	}
	w.Tmpfs(base)
	dirs(base, "jail", "s", "q")
	w.Tmpfs(base + "/s")
	dirs(base+"/s", "a", "b", "old", "gone", "goneold", "d", "d/old", "d/goneold", "fix", "fix/closed", "fix/closed/x")
	fix := base + "/s/fix/"
	w.File(fix + "file")
	w.File(fix + "mount")
	w.Symlink("loop", fix+"loop")
	w.Symlink("none", fix+"dangling")
	w.Tmpfs(base + "/jail")
	dirs(base+"/jail", "dir")
	dirs(base+"/jail/dir", "mid", "x", "t", "old", "gone", "goneold", "d", "d/m", "d/old", "d/goneold")
	for _, to := range []string{"/jail/dir/mid", "/jail/dir/mid/a", "/jail/dir/x", "/jail/dir/d/m", "/q", "/q/a"} {
		w.Bind(base+"/s", base+to)
	}
}

func (g *ground) at(p string) int { return g.w.Descriptor(unix.AT_FDCWD, p) }

// open opens the places of the tree on base in the namespace that the thread is in.
func (g *ground) open(base, leaf string) tree {
	outer, middle, beside := g.at(base), g.at(base+"/jail/dir/mid"), g.at(base+"/q")
	return tree{
		outer:   stand{top: outer, parent: -1},
		root:    g.rootStand(base+"/jail", outer),
		rootDir: g.at(base + "/jail/dir"),
		next:    g.below(g.at(base+"/jail/dir/mid/"+leaf), middle),
		aside:   g.below(g.at(base+"/jail/dir/x"), -1),
		outside: g.below(g.at(base+"/q/"+leaf), beside),
		onDir:   g.at(base + "/jail/dir/d/m"),
	}
}

// below opens a mount's directories.
func (g *ground) below(top, parent int) stand {
	d := func(name string) int { return g.w.Descriptor(top, name) }
	return stand{
		top: top, dir: d("d"), gone: d("gone"), old: d("old"), goneOld: d("goneold"),
		dirOld: d("d/old"), dirGone: d("d/goneold"), parent: parent,
	}
}

// rootStand is stand for a root, whose directories are below its directory dir.
func (g *ground) rootStand(at string, parent int) stand {
	s := g.below(g.at(path.Join(at, "dir")), parent)
	s.top = g.at(at)
	return s
}

// call is one call of pivot_root and what has to be so when it is made.
type call struct {
	args       [2]sandbox.Arg // new_root and put_old
	root       int            // descriptor of the caller's root
	shared     []int          // descriptors of the roots of mounts that are to be shared
	drop       bool           // CAP_SYS_ADMIN
	child      bool           // by the root of a child user namespace
	restricted bool           // by Landlock
}

// plan merges what faults set.
func plan(list ...*faults.Fault) faults.Values {
	var v faults.Values
	for _, f := range list {
		for i, s := range f.Sets {
			if s != "" {
				v[i] = s
			}
		}
	}
	return v
}

// place returns the call that has the faults whose values are v, and no other as far as that can
// be.
func (g *ground) place(v faults.Values) call {
	c := call{
		drop:       v[faults.Caller] == faults.NoCapability,
		child:      v[faults.Caller] == faults.ChildUser,
		restricted: v[faults.Security] == faults.Restricted,
	}
	share := func(fd int) {
		if fd < 0 {
			g.w.Broken("set-up: there is no mount to share for %v", v)
		}
		c.shared = append(c.shared, fd)
	}

	// The root: its mount, and the directory on it.
	where, home := g.own, g.home
	if v[faults.RootSpace] == faults.Foreign {
		where, home = g.foreign, g.foreignHome
	}
	root, dir := where.root, where.rootDir
	if v[faults.NewLock] == faults.Locked && v[faults.NewMount] == faults.OnRoot {
		root = g.lockedRoot
	}
	if v[faults.RootParent] == faults.None {
		root, dir = home, home.dir
	}
	c.root = root.top
	if v[faults.RootShape] == faults.Directory {
		c.root = dir
	}
	if v[faults.RootParent] == faults.Shared {
		share(root.parent)
	}

	// new_root: its mount, and the place on it.
	next := g.own.next
	locked := v[faults.NewLock] == faults.Locked
	switch {
	case v[faults.NewMount] == faults.OnRoot:
		next = root
		next.top = c.root
		next.old, next.goneOld = g.own.next.old, g.own.next.goneOld // not on the root mount
		next.dirOld, next.dirGone = where.onDir, g.own.next.goneOld
	case v[faults.NewMount] == faults.Detached:
		next = g.detached
	case v[faults.NewMount] == faults.Foreign && locked:
		next = g.lockedForeign
	case v[faults.NewMount] == faults.Foreign:
		next = g.foreign.next
	case v[faults.NewWhere] == faults.Outside && locked:
		next = g.lockedOutside
	case v[faults.NewWhere] == faults.Outside:
		next = g.own.outside
	case locked:
		next = g.locked
	}
	newRoot, old, goneOld, onOld := next.top, next.old, next.goneOld, next.top
	switch {
	case v[faults.NewLink] == faults.Removed:
		newRoot = next.gone
	case v[faults.NewShape] == faults.Directory:
		newRoot, old, goneOld = next.dir, next.dirOld, next.dirGone
		if v[faults.NewMount] == faults.OnRoot {
			onOld = where.onDir
		}
	}
	if v[faults.NewParent] == faults.Shared {
		share(next.parent)
	}
	switch v[faults.NewMount] {
	case faults.Foreign, faults.Detached:
		// Or put_old would be foreign or detached too.
		old, goneOld, onOld = g.own.next.old, g.own.next.goneOld, g.own.next.top
	case faults.OnRoot:
		if onOld == next.top {
			onOld = g.own.next.top
		}
	}

	// put_old: its mount, and the place on it.
	from := func(s stand) { old, goneOld, onOld = s.old, s.goneOld, s.top }
	switch {
	case v[faults.OldMount] == faults.OnRoot:
		from(root)
	case v[faults.OldMount] == faults.Foreign:
		from(g.foreign.next)
	case v[faults.OldMount] == faults.Detached:
		from(g.detached)
	case v[faults.OldMount] == faults.Unmounted:
		from(g.unmounted)
	case v[faults.OldWhere] == faults.Aside && v[faults.NewMount] == faults.OnRoot && v[faults.NewShape] == "":
		from(g.own.outside)
	case v[faults.OldWhere] == faults.Aside:
		from(g.own.aside)
	}
	putOld := old
	if v[faults.OldLink] == faults.Removed {
		putOld = goneOld
	}
	if v[faults.OldShared] == faults.Shared {
		share(onOld)
	}
	c.args = [2]sandbox.Arg{g.argument(v[faults.NewPath], newRoot), g.argument(v[faults.OldPath], putOld)}
	return c
}

// argument returns the path of a place, or one that cannot be looked up.
func (g *ground) argument(fault string, place int) sandbox.Arg {
	if fault == "" && place < 0 {
		g.w.Broken("set-up: there is no such place")
	}
	top := strconv.Itoa(g.own.next.top)
	switch fault {
	case "":
		return sandbox.Path(strconv.Itoa(place))
	case faults.BadAddress:
		return sandbox.BadAddress()
	case faults.Empty:
		return sandbox.Path("")
	case faults.Missing:
		return sandbox.Path(top + "/none")
	case faults.LongName:
		return sandbox.Path(top + "/" + strings.Repeat("x", 256))
	case faults.LongPath:
		// A good path, but for its length: slashes cost no look-up.
		n := strconv.Itoa(place)
		return sandbox.Path(n + g.slashes[len(n):])
	case faults.Dangling, faults.Loop, faults.File:
		return sandbox.Path(top + "/fix/" + fault)
	case faults.FileMount:
		return sandbox.Path(top + "/fix/mount")
	case faults.BelowFile:
		return sandbox.Path(top + "/fix/file/x")
	case faults.Closed:
		return sandbox.Path(top + "/fix/closed/x")
	}
	g.w.Broken("set-up: nobody knows the path %q", fault)
	return sandbox.Arg{}
}
