package permission

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// landlocked returns the specs of a caller under Landlock, which refuses every change of the
// mount tree once the look-ups have succeeded, and before anything else is looked at.
func landlocked() []spec.Spec {
	underLandlock := func(id, cwd, newRoot, putOld string, prepare func(*sandbox.World)) spec.Spec {
		return spec.Spec{ID: id, Body: func(w *sandbox.World) {
			restrict := w.Landlock()
			w.Jail()
			if prepare != nil {
				prepare(w)
			}
			// In a child: a thread would never get rid of its restriction.
			p := w.Fork("restricted", 0, func(s *sandbox.Script) {
				s.Chdir(cwd)
				s.Pause()
				restrict(s)
				s.PivotRoot(newRoot, putOld)
			})
			if cwd != "/" {
				w.Rmdir(cwd)
			}
			w.Observe(p.Call(newRoot))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}}
	}
	return []spec.Spec{
		underLandlock("eperm/landlock", "/", "/new", "/new/old", nil),
		underLandlock("order/landlock-or-new-root-missing", "/", "/none", "/new/old", nil),
		underLandlock("order/landlock-or-put-old-missing", "/", "/new", "/new/none", nil),
		underLandlock("order/landlock-or-put-old-unlinked", "/new/gone", "/new", ".",
			func(w *sandbox.World) { w.Mkdir("/new/gone") }),
		underLandlock("order/landlock-or-new-root-on-root-mount", "/", "/", "/new/old", nil),
		underLandlock("order/landlock-or-put-old-shared", "/", "/new", "/new/third/old", func(w *sandbox.World) {
			w.Mkdir("/new/third")
			w.Tmpfs("/new/third")
			w.Mkdir("/new/third/old")
			w.Propagation("/new/third", sandbox.Shared)
		}),
	}
}
