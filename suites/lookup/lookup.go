// Package lookup observes what pivot_root(2) does when a path cannot be looked up: "any of
// the same errors as stat(2)", and ENOTDIR.
package lookup

import (
	"slices"
	"strings"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// nobody is the user ID of an ordinary user.
const nobody = 65534

// fault is a way to spoil an argument: prepare builds what the bad argument needs, in a jail
// where /new and /new/old are good. It returns the bad new_root and the bad put_old; the
// same fault in each of the two is a behaviour of its own. mended, where the good paths of
// the jail would differ in more than the fault, returns the two arguments without it.
type fault struct {
	id      string
	prepare func(w *sandbox.World) (newRoot, putOld sandbox.Arg)
	mended  func() (newRoot, putOld sandbox.Arg)
}

func same(a sandbox.Arg) (sandbox.Arg, sandbox.Arg) { return a, a }

func good() (newRoot, putOld sandbox.Arg) { return sandbox.Path("/new"), sandbox.Path("/new/old") }

// padded returns /new and /new/old behind so many slashes that each has length bytes.
// Slashes cost no look-up, so the length alone can be wrong.
func padded(length int) (newRoot, putOld sandbox.Arg) {
	pad := func(p string) sandbox.Arg {
		return sandbox.Path(strings.Repeat("/", length-len(p)) + p)
	}
	return pad("/new"), pad("/new/old")
}

var faults = []fault{
	{"efault/%s-bad-address", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		return same(sandbox.BadAddress())
	}, good},
	{"enoent/%s-missing", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		return sandbox.Path("/none"), sandbox.Path("/new/none")
	}, good},
	{"enoent/%s-empty-string", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		return same(sandbox.Path(""))
	}, good},
	{"enoent/%s-dangling-symlink", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		w.Symlink("none", "/new/link")
		return same(sandbox.Path("/new/link"))
	}, good},
	{"enametoolong/%s-component-of-256-bytes", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		return same(sandbox.Path("/new/" + strings.Repeat("x", 256)))
	}, good},
	{"enametoolong/%s-path-of-4096-bytes", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		return padded(4096)
	}, func() (sandbox.Arg, sandbox.Arg) { return padded(4095) }},
	{"eloop/%s-symlink-to-itself", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		w.Symlink("loop", "/new/loop")
		return same(sandbox.Path("/new/loop"))
	}, good},
	{"enotdir/%s-regular-file", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		w.File("/new/file")
		return same(sandbox.Path("/new/file"))
	}, good},
	{"enotdir/%s-mount-point-of-a-file", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		w.File("/new/file")
		w.Bind("/new/file", "/new/file")
		return same(sandbox.Path("/new/file"))
	}, good},
	{"enotdir/%s-prefix-is-a-file", func(w *sandbox.World) (sandbox.Arg, sandbox.Arg) {
		w.File("/new/file")
		return same(sandbox.Path("/new/file/below"))
	}, good},
}

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	var all []spec.Spec
	for _, f := range faults {
		all = append(all,
			spec.Spec{ID: strings.Replace(f.id, "%s", "new-root", 1), Body: func(w *sandbox.World) {
				w.Jail()
				bad, _ := f.prepare(w)
				_, putOld := good()
				w.Observe(w.PivotRootArgs(bad, putOld))
				newRoot, _ := f.mended()
				w.Control(w.PivotRootArgs(newRoot, putOld))
			}},
			spec.Spec{ID: strings.Replace(f.id, "%s", "put-old", 1), Body: func(w *sandbox.World) {
				w.Jail()
				_, bad := f.prepare(w)
				newRoot, _ := good()
				w.Observe(w.PivotRootArgs(newRoot, bad))
				_, putOld := f.mended()
				w.Control(w.PivotRootArgs(newRoot, putOld))
			}})
	}
	all = slices.Concat(all, search(), links(), gone())
	return append(all,
		spec.Spec{ID: "eacces/new-root-prefix-not-searchable", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/closed")
			w.Mkdir("/closed/new")
			w.Tmpfs("/closed/new")
			w.Mkdir("/closed/new/old")
			// put_old is reached from the cwd, so that only new_root's prefix is at fault.
			w.Chdir("/closed/new")
			w.Chmod("/closed", 0o700)
			w.AsUser(nobody, func() { w.Observe(w.PivotRoot("/closed/new", "old")) })
			w.Chmod("/closed", 0o711)
			w.AsUser(nobody, func() { w.Control(w.PivotRoot("/closed/new", "old")) })
		}},
		spec.Spec{ID: "eacces/put-old-prefix-not-searchable", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/closed")
			w.Mkdir("/new/closed/old")
			w.Chmod("/new/closed", 0o700)
			w.AsUser(nobody, func() { w.Observe(w.PivotRoot("/new", "/new/closed/old")) })
			w.Chmod("/new/closed", 0o711)
			w.AsUser(nobody, func() { w.Control(w.PivotRoot("/new", "/new/closed/old")) })
		}},
		spec.Spec{ID: "success/put-old-mode-000", Body: func(w *sandbox.World) {
			w.Jail()
			w.Chmod("/new/old", 0)
			w.AsUser(nobody, func() { w.Observe(w.PivotRoot("/new", "/new/old")) })
		}},
		spec.Spec{ID: "enoent/put-old-unlinked", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/gone")
			w.Chdir("/new/gone")
			w.Rmdir("/new/gone")
			w.Observe(w.PivotRoot("/new", "."))
			w.Chdir("/new/old")
			w.Control(w.PivotRoot("/new", "."))
		}},
		spec.Spec{ID: "enoent/new-root-unlinked", Body: func(w *sandbox.World) {
			w.Jail()
			// A directory below a third mount, so that EBUSY has no part in it; the
			// mount point itself cannot be unlinked while it is one.
			w.Mkdir("/new/gone")
			w.Chdir("/new/gone")
			w.Rmdir("/new/gone")
			w.Observe(w.PivotRoot(".", "/new/old"))
			w.Chdir("/new")
			w.Control(w.PivotRoot(".", "/new/old"))
		}},
	)
}
