package busy

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// slash returns the specs of new_root "/", for which the page gives EBUSY without a condition.
// What comes before that check on the way is what a machine has whose mounts are shared.
func slash() []spec.Spec {
	return []spec.Spec{
		{ID: "ebusy/new-root-is-slash-which-is-shared", Body: func(w *sandbox.World) {
			w.Jail()
			w.Propagation("/", sandbox.Shared)
			w.Observe(w.PivotRoot("/", "/new/old"))
			w.Propagation("/", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-is-slash-put-old-shared", Body: func(w *sandbox.World) {
			w.Jail()
			w.Propagation("/new", sandbox.Shared)
			w.Observe(w.PivotRoot("/", "/new/old"))
			w.Propagation("/new", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-is-slash-parent-shared", Body: func(w *sandbox.World) {
			parent := w.Base()
			w.Tmpfs(parent)
			w.Mkdir(parent + "/jail")
			w.Tmpfs(parent + "/jail")
			w.Mkdir(parent + "/jail/new")
			w.Tmpfs(parent + "/jail/new")
			w.Mkdir(parent + "/jail/new/old")
			outside := w.Open(parent)
			w.Propagation(parent, sandbox.Shared)
			w.Chroot(parent + "/jail")
			w.Observe(w.PivotRoot("/", "/new/old"))
			w.At(outside, "the mount that the root is mounted on", func() { w.Propagation(".", sandbox.Private) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		// By whatever name.
		{ID: "ebusy/new-root-is-dotdot-of-slash", Body: func(w *sandbox.World) {
			w.Jail()
			w.Observe(w.PivotRoot("..", "/new/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "ebusy/put-old-is-slash-through-descriptor", Body: func(w *sandbox.World) {
			w.Jail()
			root := w.Open("/")
			w.InProc(func() { w.Observe(w.PivotRoot("/new", sandbox.DescriptorPath(root))) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	}
}
