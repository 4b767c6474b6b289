package lookup

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// owner is the user ID of another ordinary user.
const owner = 1000

// closed is a jail in which nobody pivots: the look-up of one argument passes a directory that
// only root may search. The control is the same look-up once everybody may.
type closed struct {
	id string
	// prepare builds what is needed, in a jail with /new/old, and returns that directory.
	prepare         func(w *sandbox.World) (dir string)
	cwd             string
	newRoot, putOld string
}

func (c closed) spec() spec.Spec {
	return spec.Spec{ID: c.id, Body: func(w *sandbox.World) {
		w.Jail()
		dir := c.prepare(w)
		w.Chdir(c.cwd)
		w.Chmod(dir, 0o700)
		w.AsUser(nobody, func() { w.Observe(w.PivotRoot(c.newRoot, c.putOld)) })
		w.Chmod(dir, 0o711)
		w.AsUser(nobody, func() { w.Control(w.PivotRoot(c.newRoot, c.putOld)) })
	}}
}

// beside puts a closed directory beside new_root or put_old in the directory at.
func beside(at string) func(*sandbox.World) string {
	return func(w *sandbox.World) string {
		w.Mkdir(at + "closed")
		return at + "closed"
	}
}

// inside is a closed directory in at with the mount or directory name in it, and a symbolic link
// beside it that leads there.
func inside(at, name string) func(*sandbox.World) string {
	return func(w *sandbox.World) string {
		w.Mkdir(at + "closed")
		w.Mkdir(at + "closed/" + name)
		w.Symlink("closed/"+name, at+"link")
		return at + "closed"
	}
}

func existing(dir string) func(*sandbox.World) string {
	return func(*sandbox.World) string { return dir }
}

// search returns the specs of search permission, in the forms that the plain prefix does not
// cover.
func search() []spec.Spec {
	var all []spec.Spec
	for _, c := range []closed{
		// "." is a look-up in the working directory; a put_old that needs no look-up in /new is
		// /new itself.
		{"eacces/new-root-dot-not-searchable", existing("/new"), "/new", ".", "/new"},
		{"eacces/put-old-dot-not-searchable", existing("/new/old"), "/new/old", "/new", "."},
		{"eacces/put-old-in-new-root-not-searchable", existing("/new"), "/", "/new", "/new/old"},
		{"eacces/new-root-slash-not-searchable", existing("/"), "/new", "/new", "old"},
		{"eacces/put-old-slash-not-searchable", existing("/"), "/new", ".", "/new/old"},
		{"eacces/new-root-dotdot-from-closed-directory", beside("/"), "/", "/closed/../new", "/new/old"},
		{"eacces/put-old-dotdot-from-closed-directory", beside("/new/"), "/", "/new", "/new/closed/../old"},
		{"eacces/put-old-symlink-into-closed-directory", inside("/new/", "old"), "/", "/new", "/new/link"},
		{"eacces/new-root-symlink-into-closed-directory", func(w *sandbox.World) string {
			dir := inside("/", "new")(w)
			w.Tmpfs("/closed/new")
			w.Mkdir("/closed/new/old")
			return dir
		}, "/closed/new", "/link", "old"},
	} {
		all = append(all, c.spec())
	}
	return append(all,
		// New_root itself is not searched.
		spec.Spec{ID: "success/new-root-mode-000", Body: func(w *sandbox.World) {
			w.Jail()
			w.Chmod("/new", 0)
			w.AsUser(nobody, func() { w.Observe(w.PivotRoot("/new", "/new")) })
		}},
		protected("eacces/new-root-protected-symlink", "/tmp", "../new", "/tmp/link", "/new/old"),
		protected("eacces/put-old-protected-symlink", "/new/tmp", "../old", "/new", "/new/tmp/link"),
		traced("eacces/new-root-through-untraceable-process", "root/new", "/new/old"),
		traced("eacces/put-old-through-untraceable-process", "/new", "root/new/old"),
	)
}

// protected observes a symbolic link of another user's in a world-writable sticky directory,
// with fs.protected_symlinks on. The control is a link that belongs to who follows it.
func protected(id, dir, target, newRoot, putOld string) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.ProtectSymlinks()
		w.Jail()
		w.Mkdir(dir)
		w.Chmod(dir, 0o1777)
		w.Symlink(target, dir+"/link")
		w.Chown(dir+"/link", owner)
		w.AsUser(nobody, func() { w.Observe(w.PivotRoot(newRoot, putOld)) })
		w.Chown(dir+"/link", nobody)
		w.AsUser(nobody, func() { w.Control(w.PivotRoot(newRoot, putOld)) })
	}}
}

// traced observes an argument that leads through /proc/PID/root of a process which the caller
// may not trace. The control has CAP_SYS_PTRACE.
func traced(id, newRoot, putOld string) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Jail()
		p := w.Fork("roots", 0, func(*sandbox.Script) {})
		w.Fchdir(w.OpenTask(p.PID, "", "roots"), "/proc/(roots)")
		w.AsUser(nobody, func() {
			w.Without("CAP_SYS_PTRACE", []int{unix.CAP_SYS_PTRACE}, func() { w.Observe(w.PivotRoot(newRoot, putOld)) })
			w.Control(w.PivotRoot(newRoot, putOld))
		})
	}}
}
