// Package filesystems observes pivots onto the filesystems that people boot from: what a pivot
// does is the same on each, whether it can be written to or not.
package filesystems

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/disk"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return []spec.Spec{
		onDisk("success/new-root-ext4-read-write", "ext4", disk.Ext4, false),
		onDisk("success/new-root-ext4-read-only", "ext4", disk.Ext4, true),
		onDisk("success/new-root-squashfs", "squashfs", disk.Squashfs, true),
		onDisk("success/new-root-erofs", "erofs", disk.Erofs, true),
		// The layers lie on the old root, which an overlayfs does not keep busy.
		{ID: "success/new-root-overlayfs-read-write", Body: func(w *sandbox.World) {
			w.RequireFilesystem("overlay", "overlay")
			w.JailWithout()
			lower(w)
			w.Mkdir("/rw")
			w.Mkdir("/new")
			w.Overlay([]string{"/lower"}, "/rw", "/new")
			pivot(w, 0)
		}},
		{ID: "success/new-root-overlayfs-read-only", Body: func(w *sandbox.World) {
			w.RequireFilesystem("overlay", "overlay")
			w.JailWithout()
			lower(w)
			w.Mkdir("/lowest")
			w.Mkdir("/new")
			w.Overlay([]string{"/lower", "/lowest"}, "", "/new")
			pivot(w, 0)
		}},
		// A live system's root. The squashfs stays mounted on the old root, so that only a
		// lazy umount takes both away.
		{ID: "success/new-root-overlayfs-on-squashfs", Body: func(w *sandbox.World) {
			w.RequireFilesystem("overlay", "overlay")
			w.RequireFilesystem("squashfs", "squashfs")
			d := w.Disk(disk.Squashfs, true)
			w.JailWithout()
			w.Mkdir("/lower")
			w.MountDisk(d, "squashfs", "/lower")
			w.Mkdir("/rw")
			w.Mkdir("/new")
			w.Overlay([]string{"/lower"}, "/rw", "/new")
			pivot(w, unix.MNT_DETACH)
		}},
	}
}

// onDisk is the spec of a filesystem on a block device.
func onDisk(id, kind, image string, readOnly bool) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.RequireFilesystem(kind, kind)
		d := w.Disk(image, readOnly)
		w.JailWithout()
		w.Mkdir("/new")
		w.MountDisk(d, kind, "/new")
		pivot(w, 0)
	}}
}

// lower makes the folder /lower with what the disks have.
func lower(w *sandbox.World) {
	w.Mkdir("/lower")
	for _, name := range disk.Folders() {
		w.Mkdir("/lower/" + name)
	}
}

// pivot pivots to /new, whose filesystem is of the kind that the spec is about, unmounts the
// old root with flags, and tries to change the filesystem.
func pivot(w *sandbox.World, flags int) {
	w.Mark("new_root", "/new")
	w.Mark("put_old", "/new/"+disk.Old)
	w.Mark("spare", "/new/"+disk.Spare)
	w.ObserveSuccess(w.PivotRoot("/new", "/new/"+disk.Old))
	w.Chdir("/")
	w.Fact("at-slash", w.Label("/"))
	w.Fact("at-put-old", w.Label("/"+disk.Old))
	w.Fact("umount", w.Umount("/"+disk.Old, flags).Outcome)
	w.Fact("at-put-old-after-umount", w.Label("/"+disk.Old))
	w.Fact("rmdir", w.TryRmdir("/"+disk.Spare).Outcome)
	w.Fact("at-spare-after-rmdir", w.Label("/"+disk.Spare))
}
