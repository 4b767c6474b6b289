package rootfs

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// variants are the specs in which something else than the plain case is pivoted to, or what
// follows a pivot from the initramfs is looked at.
func variants() []spec.Spec {
	return []spec.Spec{
		{ID: "rootfs/same-absolute-path", Body: func(w *sandbox.World) {
			base := initramfs(w)
			c := w.PivotRoot(base, base)
			w.Observe(c)
			if c.Outcome != record.OK {
				Bind(w, base)
				w.Control(w.PivotRoot(base, base))
				return
			}
			w.Fact("on-top-of-slash", w.Label("/.."))
			w.Fact("umount", w.Umount("/", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
		{ID: "rootfs/old-root-can-be-unmounted", Body: func(w *sandbox.World) {
			base := initramfs(w)
			w.Mark("put_old", base+"/old")
			if c := w.PivotRoot(base, base+"/old"); controlled(w, c) {
				w.Fact("at-put-old", w.Label("/old"))
				w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
				w.Fact("at-put-old-after-umount", w.Label("/old"))
			}
		}},
		{ID: "rootfs/put-old-mount-point", Body: func(w *sandbox.World) {
			base := initramfs(w)
			w.Tmpfs(base + "/old")
			w.Mark("put_old's own mount", base+"/old")
			if c := w.PivotRoot(base, base+"/old"); controlled(w, c) {
				w.Fact("at-put-old", w.Label("/old"))
				w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
				w.Fact("at-put-old-after-umount", w.Label("/old"))
			}
		}},
		{ID: "rootfs/new-root-is-bind-of-slash", Body: func(w *sandbox.World) {
			base := Require(w)
			w.Bind("/", base)
			w.Mark("new_root", base)
			// The same directory as on the root mount, which base hides; it is empty.
			c := w.PivotRoot(base, base+base)
			w.Observe(c)
			if c.Outcome != record.OK {
				w.Rbind("/", base+base)
				w.Chroot(base + base)
				w.Control(w.PivotRoot(base, base+base))
				return
			}
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label(base))
		}},
	}
}

// Require ends the spec as unsupported unless the root is the initramfs. A borrowed machine's
// never is, whatever the type of the filesystem. It marks that as
// "old_root", and returns the world's base, an empty directory on it.
func Require(w *sandbox.World) (base string) {
	requireInitramfs(w)
	w.Mark("old_root", "/")
	return w.Base()
}

// requireInitramfs ends the spec as unsupported unless the root is the initramfs.
func requireInitramfs(w *sandbox.World) {
	w.OwnMachine(asRoot)
	root := w.MountAt(w.Self(), "/")
	if root.Type != "rootfs" && root.Type != "tmpfs" && root.Type != "ramfs" {
		w.Unsupported("an initramfs as root: this root is %s", root.Type)
	}
}

// asRoot is what only a machine of the suite's own has.
const asRoot = "the initramfs as root"

// Bind makes a bind of the initramfs, with all that is mounted below it, the root: it differs
// from the initramfs in being mounted on something. It is mounted on the new directory self in
// dir, which lies on a filesystem of the world's own.
func Bind(w *sandbox.World, dir string) {
	w.Mkdir(dir + "/self")
	w.Rbind("/", dir+"/self")
	w.Chroot(dir + "/self")
}
