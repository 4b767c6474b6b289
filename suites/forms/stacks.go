package forms

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// popped observes pivot_root(".", ".") at new_root and a umount2(2) after it that names what is to
// be unmounted in some way: it always takes away what is on top of "/".
func popped(id, path string, flags int) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Jail()
		w.Chdir("/new")
		w.ObserveSuccess(w.PivotRoot(".", "."))
		w.Fact("on-top-of-slash", w.Label("/.."))
		w.Fact("umount", w.Umount(path, flags).Outcome)
		w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
	}}
}

// stacks are sequences around a pivot with one directory as both arguments, which leaves the
// old root on top of the new one.
func stacks() []spec.Spec {
	return []spec.Spec{
		popped("forms/dot-dot-then-umount-slash", "/", unix.MNT_DETACH),
		popped("forms/dot-dot-then-umount-slash-dotdot", "/..", unix.MNT_DETACH),
		// Nothing keeps the old root busy, for whatever stood on it was moved.
		popped("forms/dot-dot-then-plain-umount", ".", 0),
		{ID: "forms/dot-dot-then-plain-umount-at-old-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Chdir("/new")
			w.ObserveSuccess(w.PivotRoot(".", "."))
			w.FollowTo("/..")
			w.Fact("umount", w.Umount(".", 0).Outcome)
			w.Fact("lazy-umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
		{ID: "forms/same-absolute-path-then-fchdir-to-old-root", Body: func(w *sandbox.World) {
			w.Jail()
			old := w.Open("/")
			w.ObserveSuccess(w.PivotRoot("/new", "/new"))
			w.Fact("on-top-of-slash", w.Label("/.."))
			w.FollowToOpen(old, "the old root")
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
		{ID: "forms/dot-dot-paths-before-the-umount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/sub")
			w.Mark("old_root's sub", "/sub")
			w.Mkdir("/new/sub")
			w.Mark("new_root's sub", "/new/sub")
			w.Chdir("/new")
			w.ObserveSuccess(w.PivotRoot(".", "."))
			w.Fact("at-sub", w.Label("/sub"))
			w.Fact("at-relative-sub", w.Label("sub"))
			w.Fact("dotdot-sub", w.Label("../sub"))
			w.Fact("on-top-of-slash-sub", w.Label("/../sub"))
		}},
		// A chroot to ".." in the place of the umount leads to the old root again.
		{ID: "forms/dot-dot-then-chroot-to-dotdot", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/new")
			w.Mark("bare mount point", "/new")
			w.Tmpfs("/new")
			w.Mark("new_root", "/new")
			w.Chdir("/new")
			w.ObserveSuccess(w.PivotRoot(".", "."))
			w.Fact("chroot", w.TryChroot("..").Outcome)
			w.Fact("root", w.Where(w.Self(), sandbox.Root))
			w.Fact("at-new", w.Label("/new"))
		}},
		{ID: "forms/dot-dot-on-new-root-with-a-cover", Body: func(w *sandbox.World) {
			w.Jail()
			lower := w.Open("/new")
			w.Tmpfs("/new")
			w.Mark("cover", "/new")
			w.Fchdir(lower, "the mount below")
			w.ObserveSuccess(w.PivotRoot(".", "."))
			w.Fact("on-top-of-slash", w.Label("/.."))
			w.Fact("umount", w.Umount("/", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
	}
}
