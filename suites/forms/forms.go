// Package forms observes the ways to write the call: pivot_root(".", "."), relative paths,
// symbolic links.
package forms

import (
	"slices"

	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// written observes a pivot whose arguments are written in another way than plain absolute
// paths.
func written(id string, prepare func(*sandbox.World), newRoot, putOld string) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Jail()
		prepare(w)
		w.ObserveSuccess(w.PivotRoot(newRoot, putOld))
		w.Fact("at-slash", w.Label("/"))
		w.Fact("at-put-old", w.Label("/old"))
	}}
}

// stacked notes what lies where while the old root is stacked on the new one at "/", takes it
// away with umount2(".", MNT_DETACH), and notes it again.
func stacked(w *sandbox.World) {
	w.Fact("root", w.Where(w.Self(), sandbox.Root))
	w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
	w.Fact("dotdot", w.Label(".."))
	w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
	w.Fact("dotdot-after-umount", w.Label(".."))
	w.Fact("root-after-umount", w.Where(w.Self(), sandbox.Root))
}

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return slices.Concat(paths(), stacks(), filesystems(), covers(), []spec.Spec{
		{ID: "forms/dot-dot", Body: func(w *sandbox.World) {
			w.Jail()
			w.Chdir("/new")
			w.ObserveSuccess(w.PivotRoot(".", "."))
			stacked(w)
		}},
		{ID: "forms/same-absolute-path", Body: func(w *sandbox.World) {
			w.Jail()
			w.ObserveSuccess(w.PivotRoot("/new", "/new"))
			w.Chdir("/")
			stacked(w)
		}},
		{ID: "forms/dot-dot-then-fchdir-to-old-root", Body: func(w *sandbox.World) {
			w.Jail()
			old := w.Open("/")
			w.Chdir("/new")
			w.ObserveSuccess(w.PivotRoot(".", "."))
			w.Fchdir(old, "the old root")
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
		written("forms/relative-paths", func(w *sandbox.World) { w.Chdir("/new") }, ".", "old"),
		written("forms/trailing-slashes", func(*sandbox.World) {}, "/new///", "/new/old//"),
		written("forms/dotdot-in-paths", func(*sandbox.World) {}, "/new/old/..", "/new/../new/old"),
		written("forms/symlinks", func(w *sandbox.World) {
			w.Symlink("new", "/link")
			w.Symlink("/new/old", "/new/link")
		}, "/link", "/link/link"),
	})
}
