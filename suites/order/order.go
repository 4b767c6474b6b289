// Package order observes which of two faults wins when both are there at once.
package order

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	// Without the capability and with a path that cannot be looked up: up to 6.19 the
	// capability is asked first, from 7.0 after both look-ups.
	unprivileged := func(id string, newRoot, putOld sandbox.Arg, prepare func(*sandbox.World)) spec.Spec {
		return spec.Spec{ID: id, Body: func(w *sandbox.World) {
			w.Jail()
			if prepare != nil {
				prepare(w)
			}
			w.Without("CAP_SYS_ADMIN", []int{unix.CAP_SYS_ADMIN}, func() {
				w.Observe(w.PivotRootArgs(newRoot, putOld))
			})
			w.Control(w.PivotRoot("/new", "/new/old"))
		}}
	}
	newRoot, putOld := sandbox.Path("/new"), sandbox.Path("/new/old")
	file := func(w *sandbox.World) { w.File("/new/file") }
	return []spec.Spec{
		unprivileged("order/capability-or-new-root-missing", sandbox.Path("/none"), putOld, nil),
		unprivileged("order/capability-or-put-old-missing", newRoot, sandbox.Path("/new/none"), nil),
		unprivileged("order/capability-or-new-root-bad-address", sandbox.BadAddress(), putOld, nil),
		unprivileged("order/capability-or-new-root-regular-file", sandbox.Path("/new/file"), putOld, file),
		// Good paths that some later check would refuse: the capability comes first on
		// every kernel.
		unprivileged("order/capability-or-new-root-on-root-mount", sandbox.Path("/"), putOld, nil),
		{ID: "order/new-root-missing-or-put-old-regular-file", Body: func(w *sandbox.World) {
			w.Jail()
			w.File("/new/file")
			w.Observe(w.PivotRoot("/none", "/new/file"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "order/new-root-regular-file-or-put-old-missing", Body: func(w *sandbox.World) {
			w.Jail()
			w.File("/new/file")
			w.Observe(w.PivotRoot("/new/file", "/new/none"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "order/put-old-unlinked-or-shared", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/gone")
			w.Propagation("/new", sandbox.Shared)
			w.Chdir("/new/gone")
			w.Rmdir("/new/gone")
			w.Observe(w.PivotRoot("/new", "."))
			w.Propagation("/new", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "order/new-root-unlinked-or-shared", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/gone")
			w.Propagation("/new", sandbox.Shared)
			w.Chdir("/new/gone")
			w.Rmdir("/new/gone")
			w.Observe(w.PivotRoot(".", "/new/old"))
			w.Propagation("/new", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "order/new-root-unlinked-or-on-root-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/gone")
			w.Chdir("/gone")
			w.Rmdir("/gone")
			w.Observe(w.PivotRoot(".", "/new/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "order/on-root-mount-or-new-root-not-a-mount-point", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/dir")
			w.Observe(w.PivotRoot("/dir", "/new/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "order/put-old-on-root-mount-or-not-below-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Observe(w.PivotRoot("/new", "/"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	}
}
