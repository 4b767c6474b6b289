package pairs

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/faults"
	"pivotspec/suites/sandbox"
)

// stand is a mount with the directories that can be arguments. A descriptor's number is a path to
// what it holds wherever the caller's root is, and so is one below it.
type stand struct {
	// top is a descriptor of the mount's root, or of the directory on it that has the others.
	top int
	// gone and goneOld are descriptors of directories below top that were removed, dirGone of
	// one below its directory d. A stand that is not asked for them has none.
	gone, goneOld, dirGone int
	// mount is a descriptor of the mount's root.
	mount int
	// parent is one of the root of the mount that this one is mounted on, -1 if it is on none.
	parent int
}

// spot is a place that a path leads to: a directory, and one below it or "".
type spot struct {
	fd    int // a descriptor of the directory
	below string
}

func (s spot) path() string { return strconv.Itoa(s.fd) + s.below }

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
	root, next, aside, outside stand
	// outer is the mount that root is on, onDir one below the directory d of root.
	outer, onDir int
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
	// slashes are one more than the longest path has bytes; long are paths that end in so many of them,
	// by place.
	slashes string
	long    map[spot]sandbox.Arg
}

// lay builds the ground. With user namespaces, the trees are built in one namespace, copied to that
// of a user namespace and from there to the caller's, so that their mounts are locked; and
// what a call is to succeed with is mounted anew.
func lay(w *sandbox.World, users bool) *ground {
	g := &ground{w: w, leaf: "a", slashes: strings.Repeat("/", 4096), long: map[spot]sandbox.Arg{}}
	base := w.Base()
	// The directory below the first mount, before that hides it: a copy of the namespace can be
	// made to open its own only by who stands there.
	covered := w.Descriptor(unix.AT_FDCWD, base)
	g.build(base)
	if users {
		g.foreign = g.open(base, "a")
		g.foreignHome = stand{mount: g.at("/"), parent: -1}
		w.Namespace() // keeps it alive
		w.Fchdir(covered, "the directory below the mount")
		// A child that does nothing but to have the namespaces made.
		child := w.Fork("user namespace", unix.CLONE_NEWUSER|unix.CLONE_NEWNS, func(*sandbox.Script) {})
		w.Setns(child.Namespace(), "user namespace")
		g.lockedForeign = g.stand(g.at(base+"/jail/dir/mid/a"), g.at(base+"/jail/dir/mid"))
		w.Fchdir(child.Cwd(), "the directory below the mount")
		w.Unshare()
		covered = g.at(".")
		g.lockedRoot = g.rootStand(base+"/jail", g.at(base))
		// The root again, unlocked, with the locked mounts below it.
		w.Rbind(base+"/jail", base+"/jail")
		g.locked = g.stand(g.at(base+"/jail/dir/mid/a"), g.at(base+"/jail/dir/mid"))
		g.lockedOutside = g.stand(g.at(base+"/q/a"), g.at(base+"/q"))
		g.leaf = "b"
		w.Bind(base+"/s", base+"/jail/dir/mid/b")
		w.Bind(base+"/s", base+"/q/b")
		g.own = g.open(base, g.leaf)
		g.own.root.parent = g.lockedRoot.mount
	} else {
		g.own = g.open(base, g.leaf)
		here := w.Namespace()
		w.Unshare()
		g.foreign = g.open(base, g.leaf)
		g.foreignHome = stand{mount: g.at("/"), parent: -1}
		w.Namespace() // keeps it alive
		w.Setns(here, "the first namespace")
	}
	g.home = stand{top: covered, mount: g.at("/"), parent: -1}
	g.detached = g.stand(w.Clone(g.own.next.top), -1)
	w.Bind(base+"/s", base+"/jail/dir/t")
	g.unmounted = g.stand(g.at(base+"/jail/dir/t"), -1)
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
	w.RequireUser(nobody)
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
		outer:   outer,
		root:    g.rootStand(base+"/jail", outer),
		next:    g.stand(g.at(base+"/jail/dir/mid/"+leaf), middle),
		aside:   g.stand(g.at(base+"/jail/dir/x"), -1),
		outside: g.stand(g.at(base+"/q/"+leaf), beside),
		onDir:   g.at(base + "/jail/dir/d/m"),
	}
}

// stand opens a mount's directories that are to be removed.
func (g *ground) stand(top, parent int) stand {
	d := func(name string) int { return g.w.Descriptor(top, name) }
	return stand{top: top, mount: top, gone: d("gone"), goneOld: d("goneold"), dirGone: d("d/goneold"), parent: parent}
}

// rootStand is stand for a root, whose directories are below its directory dir.
func (g *ground) rootStand(at string, parent int) stand {
	s := g.stand(g.at(path.Join(at, "dir")), parent)
	s.mount = g.at(at)
	return s
}

// call is one call of pivot_root and what has to be so when it is made.
type call struct {
	args [2]sandbox.Arg // new_root and put_old
	setting
}

// setting is what has to be so when a call is made.
type setting struct {
	root       int    // descriptor of the caller's root
	elsewhere  bool   // root is not that of a good call
	shared     mounts // that are to be shared
	drop       bool   // CAP_SYS_ADMIN
	child      bool   // by the root of a child user namespace
	restricted bool   // by Landlock
}

// mounts are some mounts, by descriptors of their roots: the first n. There are three places of which a
// fault says that they are shared.
type mounts struct {
	fd [3]int
	n  int
}

func (m *mounts) add(fd int) {
	m.fd[m.n] = fd
	m.n++
}

func (m *mounts) all() []int { return m.fd[:m.n] }

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
	c := call{setting: setting{
		drop:       v[faults.Caller] == faults.NoCapability,
		child:      v[faults.Caller] == faults.ChildUser,
		restricted: v[faults.Security] == faults.Restricted,
	}}
	share := func(fd int) {
		if fd < 0 {
			g.w.Broken("set-up: there is no mount to share for %v", v)
		}
		c.shared.add(fd)
	}

	// The root: its mount, and the directory on it.
	where, home := g.own, g.home
	if v[faults.RootSpace] == faults.Foreign {
		where, home = g.foreign, g.foreignHome
	}
	root := where.root
	locked := v[faults.NewLock] == faults.Locked
	switch {
	case v[faults.RootParent] == faults.None:
		root = home
	case locked && v[faults.NewMount] == faults.OnRoot:
		root = g.lockedRoot
	}
	c.root = root.mount
	if v[faults.RootShape] == faults.Directory {
		c.root = root.top
	}
	c.elsewhere = c.root != g.own.root.mount
	if v[faults.RootParent] == faults.Shared {
		share(root.parent)
	}

	// new_root: its mount, and the place on it. put_old is below it, unless it would have another
	// fault there.
	next := g.own.next
	switch {
	case v[faults.NewMount] == faults.OnRoot:
		next = root
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
	dir := v[faults.NewShape] == faults.Directory
	newRoot := spot{fd: next.mount}
	switch {
	case v[faults.NewLink] == faults.Removed:
		newRoot = spot{fd: next.gone}
	case v[faults.NewMount] == faults.OnRoot && !dir:
		newRoot = spot{fd: c.root}
	case dir:
		newRoot = spot{next.top, "/d"}
	}
	if v[faults.NewParent] == faults.Shared {
		share(next.parent)
	}
	on := next // the mount for put_old
	if v[faults.NewMount] != "" {
		on = g.own.next
	}
	old, goneOld, onOld := spot{on.top, "/old"}, on.goneOld, on.mount
	switch {
	case !dir || v[faults.NewLink] != "":
	case v[faults.NewMount] == faults.OnRoot:
		old, onOld = spot{fd: where.onDir}, where.onDir
	case v[faults.NewMount] == "":
		old, goneOld = spot{on.top, "/d/old"}, on.dirGone
	}

	// put_old, where a fault says where it is.
	at := func(s stand) { old, goneOld, onOld = spot{s.top, "/old"}, s.goneOld, s.mount }
	switch {
	case v[faults.OldMount] == faults.OnRoot && v[faults.RootParent] == faults.None:
		old = spot{fd: root.mount}
	case v[faults.OldMount] == faults.OnRoot:
		at(root)
	case v[faults.OldMount] == faults.Foreign:
		at(g.foreign.next)
	case v[faults.OldMount] == faults.Detached:
		at(g.detached)
	case v[faults.OldMount] == faults.Unmounted:
		at(g.unmounted)
	case v[faults.OldWhere] == faults.Aside && v[faults.NewMount] == faults.OnRoot && !dir:
		at(g.own.outside)
	case v[faults.OldWhere] == faults.Aside:
		at(g.own.aside)
	}
	if v[faults.OldLink] == faults.Removed {
		old = spot{fd: goneOld}
	}
	if v[faults.OldShared] == faults.Shared {
		share(onOld)
	}
	c.args = [2]sandbox.Arg{g.argument(v[faults.NewPath], newRoot), g.argument(v[faults.OldPath], old)}
	return c
}

// argument returns the path of a place, or one that cannot be looked up.
func (g *ground) argument(fault string, place spot) sandbox.Arg {
	fix := func(name string) sandbox.Arg { return sandbox.Path(spot{g.own.next.top, "/fix/" + name}.path()) }
	switch fault {
	case "":
		return sandbox.Path(place.path())
	case faults.BadAddress:
		return sandbox.BadAddress()
	case faults.Empty:
		return sandbox.Path("")
	case faults.Missing, faults.Dangling, faults.Loop, faults.File:
		return fix(fault)
	case faults.LongName:
		return fix(strings.Repeat("x", 256))
	case faults.LongPath:
		// A good path, but for its length: slashes cost no look-up.
		a, made := g.long[place]
		if !made {
			p := place.path()
			a = sandbox.Path(p + g.slashes[len(p):])
			g.long[place] = a
		}
		return a
	case faults.FileMount:
		return fix("mount")
	case faults.BelowFile:
		return fix("file/x")
	case faults.Closed:
		return fix("closed/x")
	}
	g.w.Broken("set-up: nobody knows the path %q", fault)
	return sandbox.Arg{}
}
