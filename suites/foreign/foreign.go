// Package foreign observes arguments and roots in a mount namespace that lives, but is not the
// caller's.
package foreign

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return []spec.Spec{
		// put_old is below it, so that the namespace is all that is wrong.
		{ID: "einval/new-root-in-foreign-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			w.At(there(w, "/new"), "the peer's /new", func() { w.Observe(w.PivotRoot(".", "old")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-alone-in-foreign-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			w.At(there(w, "/new"), "the peer's /new", func() { w.Observe(w.PivotRoot(".", "/new/old")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/put-old-in-foreign-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			w.At(there(w, "/new/old"), "the peer's /new/old", func() { w.Observe(w.PivotRoot("/new", ".")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/current-root-in-foreign-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			home := w.Open("/")
			enter(w, there(w, ""), "the peer's root")
			w.Observe(w.PivotRoot("/new", "/new/old"))
			enter(w, home, "the own root")
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		// The root alone: both arguments are in the caller's namespace.
		{ID: "einval/current-root-alone-in-foreign-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			home := w.Open("/")
			enter(w, there(w, ""), "the peer's root")
			w.At(home, "the own root", func() { w.Observe(w.PivotRoot("new", "new/old")) })
			enter(w, home, "the own root")
			w.Control(w.PivotRoot("new", "new/old"))
		}},
		{ID: "einval/new-root-is-slash-in-foreign-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			home := w.Open("/")
			enter(w, there(w, ""), "the peer's root")
			w.Observe(w.PivotRoot("/", "/new/old"))
			enter(w, home, "the own root")
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	}
}

// there returns a descriptor of a directory as a process has it whose mount namespace is a copy
// of the world's.
func there(w *sandbox.World, path string) int { return w.OpenTask(w.Peer().PID, "root"+path, "peer") }

func enter(w *sandbox.World, fd int, name string) {
	w.Fchdir(fd, name)
	w.Chroot(".")
}
