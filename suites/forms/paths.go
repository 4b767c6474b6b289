package forms

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// paths are further ways to write the two arguments.
func paths() []spec.Spec {
	proc := func(w *sandbox.World) {
		w.Mkdir("/proc")
		w.Filesystem("proc", "/proc")
	}
	return []spec.Spec{
		written("forms/symlink-to-new-root", func(w *sandbox.World) { w.Symlink("/new", "/link") }, "/link", "/new/old"),
		written("forms/symlink-to-put-old", func(w *sandbox.World) { w.Symlink("new/old", "/link") }, "/new", "/link"),
		written("forms/symlink-to-symlink", func(w *sandbox.World) {
			w.Symlink("new/", "/first")
			w.Symlink("/first/.", "/second")
			w.Symlink("../second/old", "/new/third")
		}, "/second/", "/new/third"),
		// What a symbolic link in the new root says is looked up before the call has an effect.
		{ID: "forms/absolute-symlink-inside-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/old")
			w.Symlink("/old", "/new/absolute")
			w.Symlink("old", "/new/relative")
			w.Observe(w.PivotRoot("/new", "/new/absolute"))
			w.Control(w.PivotRoot("/new", "/new/relative"))
		}},
		{ID: "forms/magic-link-to-descriptor", Body: func(w *sandbox.World) {
			w.Jail()
			proc(w)
			newRoot, putOld := w.Open("/new"), w.Open("/new/old")
			w.ObserveSuccess(w.PivotRoot("/proc/"+sandbox.DescriptorPath(newRoot), "/proc/"+sandbox.DescriptorPath(putOld)))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
		}},
		// thread-self, for each thread of the suite stands elsewhere.
		written("forms/magic-link-to-cwd", func(w *sandbox.World) {
			proc(w)
			w.Chdir("/new")
		}, "/proc/thread-self/cwd", "/proc/thread-self/cwd/old"),
		written("forms/magic-link-to-root", proc, "/proc/thread-self/root/new", "/proc/thread-self/root/new/old"),
		{ID: "forms/magic-link-to-root-as-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			proc(w)
			w.Observe(w.PivotRoot("/proc/thread-self/root", "/new/old"))
			w.Control(w.PivotRoot("/proc/thread-self/root/new", "/new/old"))
		}},
		written("forms/dots-and-slashes", func(*sandbox.World) {}, "//./new//.", "/.//new/./old/."),
		written("forms/dotdot-above-slash", func(*sandbox.World) {}, "/../../new", "../../new/old"),
		// The directory of which ".." is taken is put_old, which the old root then hides.
		written("forms/dotdot-from-put-old", func(w *sandbox.World) { w.Chdir("/new/old") }, "..", "."),
	}
}
