// Package busy observes EBUSY: new_root or put_old on the current root mount.
package busy

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return append(slash(), []spec.Spec{
		{ID: "ebusy/new-root-on-root-mount", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/new")
			w.Mkdir("/new/old")
			w.Observe(w.PivotRoot("/new", "/new/old"))
			// Now the same path is a mount of its own, and put_old is below it.
			w.Bind("/new", "/new")
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "ebusy/put-old-on-root-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/old")
			w.Observe(w.PivotRoot("/new", "/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "ebusy/new-root-is-slash", Body: func(w *sandbox.World) {
			w.Jail()
			w.Observe(w.PivotRoot("/", "/new/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "ebusy/both-are-slash", Body: func(w *sandbox.World) {
			w.Jail()
			w.Observe(w.PivotRoot("/", "/"))
			w.Control(w.PivotRoot("/new", "/new"))
		}},
		// The page gives EBUSY for new_root "/" without a condition; a machine whose / is
		// shared, as systemd makes it, gets another answer for both arguments on it.
		{ID: "einval/both-are-slash-root-shared", Body: func(w *sandbox.World) {
			w.Jail()
			w.Propagation("/", sandbox.Shared)
			w.Observe(w.PivotRoot("/", "/"))
			w.Propagation("/", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new"))
		}},
		// Checked before "the current root is not a mount point".
		{ID: "ebusy/chroot-into-directory-put-old-on-root-mount", Body: func(w *sandbox.World) {
			mend := w.JailDirectory()
			w.Mkdir("/old")
			w.Observe(w.PivotRoot("/new", "/old"))
			mend()
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	}...)
}
