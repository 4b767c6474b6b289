package success

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// namespaces are pivots in mount namespaces that were not copied from another.
func namespaces() []spec.Spec {
	return []spec.Spec{
		// Its root is an immutable nullfs, which is mounted on nothing.
		{ID: "einval/empty-namespace-root", Body: func(w *sandbox.World) {
			w.EmptyNamespace()
			w.Mark("old_root", "/")
			w.Tmpfs("/")
			w.Chdir("/..")
			w.Mkdir("new")
			w.Tmpfs("new")
			w.Mkdir("new/old")
			w.Observe(w.PivotRoot("new", "new/old"))
			w.EnterCover()
			w.Control(w.PivotRoot("new", "new/old"))
		}},
		{ID: "success/empty-namespace-cover", Body: func(w *sandbox.World) {
			w.EmptyNamespace()
			w.Tmpfs("/")
			w.EnterCover()
			pivotHere(w)
		}},
		{ID: "success/open-tree-namespace", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/tree")
			w.Tmpfs("/tree")
			w.TreeNamespace("/tree")
			pivotHere(w)
		}},
		{ID: "success/fsmount-namespace", Body: func(w *sandbox.World) {
			w.FilesystemNamespace("tmpfs")
			pivotHere(w)
		}},
	}
}

// pivotHere furnishes the root, an empty filesystem, with a new root, and pivots to it.
func pivotHere(w *sandbox.World) {
	w.Mark("old_root", "/")
	w.Mkdir("/new")
	w.Tmpfs("/new")
	w.Mkdir("/new/old")
	w.Mark("new_root", "/new")
	w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
	w.Fact("at-slash", w.Label("/"))
	w.Fact("at-put-old", w.Label("/old"))
}
