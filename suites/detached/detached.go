// Package detached observes mounts that are in no mount namespace, which open_tree(2) and
// fsmount(2) make. The control is the same mount once move_mount(2) has attached it.
package detached

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	var all []spec.Spec
	for _, x := range []struct {
		by   string
		make func(*sandbox.World) int
	}{
		{"open-tree", func(w *sandbox.World) int {
			w.Mkdir("/source")
			w.Tmpfs("/source")
			w.Mkdir("/source/old")
			return w.OpenTree("/source")
		}},
		{"fsmount", func(w *sandbox.World) int {
			fd := w.DetachedTmpfs()
			w.At(fd, "the detached mount", func() { w.Mkdir("old") })
			return fd
		}},
	} {
		all = append(all,
			spec.Spec{ID: "einval/new-root-detached-by-" + x.by, Body: func(w *sandbox.World) {
				w.Jail()
				fd := x.make(w)
				w.At(fd, "the detached mount", func() { w.Observe(w.PivotRoot(".", "old")) })
				w.Mkdir("/place")
				w.Attach(fd, "/place")
				w.Control(w.PivotRoot("/place", "/place/old"))
			}},
			spec.Spec{ID: "einval/put-old-detached-by-" + x.by, Body: func(w *sandbox.World) {
				w.Jail()
				fd := x.make(w)
				w.At(fd, "the detached mount", func() { w.Observe(w.PivotRoot("/new", "old")) })
				w.Mkdir("/new/place")
				w.Attach(fd, "/new/place")
				w.Control(w.PivotRoot("/new", "/new/place/old"))
			}},
		)
	}
	return append(all,
		spec.Spec{ID: "einval/current-root-detached", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/place")
			fd, home := w.OpenTree("/"), w.Open("/")
			w.Fchdir(fd, "the detached mount")
			w.Chroot(".")
			w.Observe(w.PivotRoot("/new", "/new/old"))
			w.Fchdir(home, "the root that it is a copy of")
			w.Attach(fd, "place")
			w.Chdir("/")
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	)
}
