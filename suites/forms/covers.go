package forms

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// covers are pivots among mounts that lie one on the other.
func covers() []spec.Spec {
	return []spec.Spec{
		// The caller's root stays below what is mounted on "/".
		{ID: "forms/overmounted-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Tmpfs("/")
			w.RequireWayToCover()
			w.Mark("cover", "/..")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
		}},
		{ID: "forms/overmounted-new-root-by-path", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/new")
			w.Tmpfs("/new")
			w.Mark("lower", "/new")
			w.Tmpfs("/new")
			w.Mkdir("/new/old")
			w.Mark("new_root", "/new")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("at-put-old-new", w.Label("/old/new"))
		}},
		{ID: "forms/overmounted-new-root-by-descriptor", Body: func(w *sandbox.World) {
			w.Jail()
			lower := w.Open("/new")
			w.Tmpfs("/new")
			w.Mark("cover", "/new")
			w.Fchdir(lower, "the mount below")
			w.ObserveSuccess(w.PivotRoot(".", "old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("on-top-of-slash", w.Label("/.."))
		}},
		{ID: "forms/overmounted-new-root-by-descriptor-put-old-on-its-cover", Body: func(w *sandbox.World) {
			w.Jail()
			lower := w.Open("/new")
			w.Tmpfs("/new")
			w.Mkdir("/new/old")
			w.Mark("cover", "/new")
			w.Fchdir(lower, "the mount below")
			w.ObserveSuccess(w.PivotRoot(".", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("on-top-of-slash", w.Label("/.."))
			w.Fact("on-top-of-slash-old", w.Label("/../old"))
		}},
		// Both arguments name one directory, once below what is mounted on it and once above.
		{ID: "forms/put-old-is-the-cover-of-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			lower := w.Open("/new")
			w.Tmpfs("/new")
			w.Mark("cover", "/new")
			w.Fchdir(lower, "the mount below")
			w.ObserveSuccess(w.PivotRoot(".", "/new"))
			w.Fact("on-top-of-slash", w.Label("/.."))
			w.Fact("umount", w.Umount("/", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
		{ID: "forms/overmounted-put-old-by-descriptor", Body: func(w *sandbox.World) {
			w.Jail()
			lower := w.Open("/new/old")
			w.Tmpfs("/new/old")
			w.Mark("cover", "/new/old")
			w.Fchdir(lower, "the directory below")
			w.ObserveSuccess(w.PivotRoot("/new", "."))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
		}},
		{ID: "forms/stacked-put-old", Body: func(w *sandbox.World) {
			w.Jail()
			w.Tmpfs("/new/old")
			w.Mark("lower", "/new/old")
			w.Tmpfs("/new/old")
			w.Mark("upper", "/new/old")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
			w.Follow("umount --lazy /old", func() error { return unix.Unmount("/old", unix.MNT_DETACH) })
			w.Fact("at-put-old-after-second-umount", w.Label("/old"))
		}},
	}
}
