package invalid

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// variants are the causes of EINVAL in less plain surroundings.
func variants() []spec.Spec {
	return []spec.Spec{
		{ID: "einval/put-old-mount-slave-and-shared", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/master")
			w.Tmpfs("/new/old")
			w.SlaveAndShared("/new/old", "/master")
			w.Observe(w.PivotRoot("/new", "/new/old"))
			w.Propagation("/new/old", sandbox.Slave)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-parent-slave-and-shared", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/master")
			w.SlaveAndShared("/new", "/master")
			w.Mkdir("/new/inner")
			w.Propagation("/new", sandbox.Slave)
			w.Tmpfs("/new/inner")
			w.Mkdir("/new/inner/old")
			w.Propagation("/new", sandbox.Shared)
			w.Observe(w.PivotRoot("/new/inner", "/new/inner/old"))
			w.Propagation("/new", sandbox.Slave)
			w.Control(w.PivotRoot("/new/inner", "/new/inner/old"))
		}},
		{ID: "einval/current-root-parent-slave-and-shared", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			w.At(parent, "the mount that the root is mounted on", func() {
				w.Mkdir("master")
				w.SlaveAndShared(".", "master")
			})
			w.ObserveRefusal(w.PivotRoot("/new", "/new/old"))
			w.At(parent, "the mount that the root is mounted on", func() { w.Propagation(".", sandbox.Slave) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/put-old-mount-shared-several-mounts-deep", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/a")
			w.Tmpfs("/new/a")
			w.Mkdir("/new/a/b")
			w.Tmpfs("/new/a/b")
			w.Mkdir("/new/a/b/old")
			w.Tmpfs("/new/a/b/old")
			w.Propagation("/new/a/b/old", sandbox.Shared)
			w.Observe(w.PivotRoot("/new", "/new/a/b/old"))
			w.Propagation("/new/a/b/old", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/a/b/old"))
		}},
		// As pivot_root(".", ".") on a machine where everything is shared.
		{ID: "einval/put-old-is-shared-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Propagation("/new", sandbox.Shared)
			w.Observe(w.PivotRoot("/new", "/new"))
			w.Propagation("/new", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new"))
		}},
		{ID: "einval/everything-shared", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			w.At(parent, "the mount that the root is mounted on", func() { w.PropagationBelow(".", sandbox.Shared) })
			w.Observe(w.PivotRoot("/new", "/new/old"))
			w.At(parent, "the mount that the root is mounted on", func() { w.PropagationBelow(".", sandbox.Private) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		// A mount point is one on a mount: the same directory on another mount is none.
		{ID: "einval/new-root-mounted-on-by-way-of-another-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/dir")
			w.Mkdir("/new/dir/old")
			w.Mkdir("/other")
			w.Bind("/new", "/other")
			w.Bind("/new/dir", "/new/dir")
			w.Observe(w.PivotRoot("/other/dir", "/other/dir/old"))
			w.Bind("/other/dir", "/other/dir")
			w.Control(w.PivotRoot("/other/dir", "/other/dir/old"))
		}},
		{ID: "einval/put-old-by-way-of-another-mount-of-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/other")
			w.Bind("/new", "/other")
			w.Observe(w.PivotRoot("/new", "/other/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/put-old-holds-the-mount-point-of-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/outer")
			w.Mkdir("/new/outer/inner")
			w.Mkdir("/new/outer/inner/old")
			w.Bind("/new/outer/inner", "/new/outer/inner")
			w.Observe(w.PivotRoot("/new/outer/inner", "/new/outer"))
			w.Control(w.PivotRoot("/new/outer/inner", "/new/outer/inner/old"))
		}},
		// The lower of two mounts at one place is not below the upper.
		{ID: "einval/put-old-below-the-cover-that-is-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			lower := w.Open("/new")
			w.Tmpfs("/new")
			w.Mkdir("/new/old")
			w.Fchdir(lower, "the mount below")
			w.Observe(w.PivotRoot("/new", "old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		// A bind of the root onto itself does not help before it is entered.
		{ID: "einval/current-root-bound-onto-itself-but-not-entered", Body: func(w *sandbox.World) {
			w.JailDirectory()
			w.Rbind("/", "/")
			w.Observe(w.PivotRoot("/new", "/new/old"))
			w.EnterCover()
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	}
}
