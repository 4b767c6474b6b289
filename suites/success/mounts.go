package success

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// mounts are trees of mounts that are pivoted, and what becomes of the rest of the tree.
func mounts() []spec.Spec {
	return []spec.Spec{
		{ID: "success/mounts-below-put-old-reappear", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/sub")
			w.Mark("old_root's sub", "/sub")
			w.Tmpfs("/new/old")
			w.Mkdir("/new/old/sub")
			w.Tmpfs("/new/old/sub")
			w.Mark("mount below put_old", "/new/old/sub")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("at-put-old-sub", w.Label("/old/sub"))
			w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
			w.Fact("at-put-old-sub-after-umount", w.Label("/old/sub"))
		}},
		{ID: "success/new-root-bind-of-a-subdirectory", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/third")
			w.Tmpfs("/third")
			w.Mkdir("/third/sub")
			w.Mkdir("/third/sub/old")
			w.Mkdir("/new")
			w.Bind("/third/sub", "/new")
			w.Mark("new_root", "/new")
			w.Mark("third mount", "/third")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("at-put-old-third", w.Label("/old/third"))
		}},
		// What counts is the mount: this one is another than the root's, of one filesystem.
		{ID: "success/put-old-on-a-bind-of-the-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/sub")
			w.Mkdir("/sub/below")
			w.Mark("below /sub", "/sub/below")
			w.Mkdir("/new/host")
			w.Bind("/", "/new/host")
			w.Mark("bind of the root", "/new/host")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/host/sub"))
			w.Fact("at-put-old", w.Label("/host/sub"))
			w.Fact("at-host", w.Label("/host"))
			// The directory that the old root hides is to be seen by way of the old root.
			w.Fact("at-put-old-sub-below", w.Label("/host/sub/sub/below"))
		}},
		{ID: "success/root-bound-onto-itself", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Bind("/", "/")
			w.RequireWayToCover()
			w.Mark("new_root", "/..")
			w.Chdir("/..")
			w.ObserveSuccess(w.PivotRoot(".", "."))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("on-top-of-slash", w.Label("/.."))
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
		{ID: "success/root-bound-below-itself-with-its-mounts", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/copy")
			w.Mkdir("/old")
			w.Rbind("/", "/copy")
			w.Mark("new_root", "/copy")
			w.Mark("copy of /new", "/copy/new")
			w.ObserveSuccess(w.PivotRoot("/copy", "/copy/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("at-new", w.Label("/new"))
		}},
		{ID: "success/put-old-private-on-a-shared-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/a")
			w.Tmpfs("/new/a")
			w.Mkdir("/new/a/old")
			w.Tmpfs("/new/a/old")
			w.Propagation("/new/a", sandbox.Shared)
			w.RequirePropagation(w.Mountinfo(w.Self()), []string{"/new/a"}, "shared:")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/a/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/a/old"))
		}},
	}
}
