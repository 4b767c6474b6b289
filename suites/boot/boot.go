// Package boot observes what only whole boots show: which filesystem the initramfs is, how PID 1
// leaves it for a real root on a disk, and what a pivot from one real root to another does to the
// kernel's threads and to the old root. Each spec belongs to scenarios.
package boot

import (
	"pivotspec/suites/disk"
	"pivotspec/suites/record"
	"pivotspec/suites/rootfs"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

const (
	// driver is the kernel module of the disks.
	driver = "virtio_blk"
	// newRoot is where a real root has the next one mounted.
	newRoot = "/new"
)

// Specs returns the specs of this area. Those of a scenario run one after another, each where the
// one before it left PID 1.
func Specs() []spec.Spec {
	return []spec.Spec{
		rootIs("boot/root-is-tmpfs", spec.Plain, "gzip", "zstd"),
		rootIs("boot/root-is-ramfs", "ramfs"),

		initial("boot/switch-root", switchRoot, "disk"),
		initial("boot/pivot-to-disk", pivotToDisk, "disk-pivot"),
		initial("boot/pivot-from-ram-disk", pivotFromRAMDisk, "initrd"),
		initial("boot/pivot-from-disk", func(w *sandbox.World) {
			from := enterDisk(w)
			w.Mkdir(newRoot)
			w.Tmpfs(newRoot)
			w.Mkdir(newRoot + "/" + disk.Old)
			leave(w, from)
		}, "disk"),
		initial("boot/pivot-from-disk-to-squashfs", func(w *sandbox.World) { diskToDisk(w, "squashfs") }, "squashfs"),
		initial("boot/pivot-from-disk-to-erofs", func(w *sandbox.World) { diskToDisk(w, "erofs") }, "erofs"),
		initial("boot/pivot-from-disk-to-overlayfs", diskToOverlay, "overlay"),
	}
}

func initial(id string, body func(*sandbox.World), scenarios ...string) spec.Spec {
	return spec.Spec{ID: id, Stage: spec.Initial, Scenarios: scenarios, Body: body}
}

// rootIs is the spec of the filesystem that the initramfs is.
func rootIs(id string, scenarios ...string) spec.Spec {
	return initial(id, func(w *sandbox.World) {
		w.Observe(w.TryLook("/"))
		w.Fact("filesystem", w.FilesystemOf(w.Self(), sandbox.Root, ""))
	}, scenarios...)
}

// switchRoot is what the page recommends, as switch_root(8) does it: everything on the initramfs
// is deleted, the mount of the real root moved onto "/", and entered.
func switchRoot(w *sandbox.World) {
	base := rootfs.Require(w)
	w.MountDisk(w.BlockDisk("ext4", driver, false), "ext4", base)
	w.Mark("new_root", base)
	w.Fact("before", rootfs.KernelRoot(w))
	b := w.Fill("/ballast")
	w.LetGo()
	w.Empty(base)
	w.Fact("memory", b.Memory())
	w.Chdir(base)
	w.Observe(w.MoveOnto(".", "/"))
	w.Fact("chroot", w.TryChroot(".").Outcome)
	w.Fact("root", w.Where(w.Self(), sandbox.Root))
	w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
	rootfs.KernelThreads(w)
}

// pivotToDisk leaves the initramfs by the call itself.
func pivotToDisk(w *sandbox.World) {
	base := rootfs.Require(w)
	d := w.BlockDisk("ext4", driver, false)
	w.MountDisk(d, "ext4", base)
	putOld := base + "/" + disk.Old
	w.Mark("new_root", base)
	w.Mark("put_old", putOld)
	w.Fact("before", rootfs.KernelRoot(w))
	b := w.Fill("/ballast")
	w.LetGo()
	w.Chdir("/")
	c := w.PivotRoot(base, putOld)
	w.Observe(c)
	if c.Outcome != record.OK {
		rootfs.Bind(w, base)
		w.Control(w.PivotRoot(base, putOld))
		return
	}
	rootfs.KernelThreads(w)
	unmountOld(w)
	w.Fact("memory", b.Memory())
}

// enterDisk makes the disk with ext4 the root, if it is not yet, as [switchRoot] does, and
// returns it. Root and cwd are "/" then.
func enterDisk(w *sandbox.World) sandbox.Disk {
	d := w.BlockDisk("ext4", driver, false)
	if w.MountAt(w.Self(), "/").Type != "ext4" {
		enter(w, d)
	}
	w.Chdir("/")
	if kind := w.MountAt(w.Self(), "/").Type; kind != "ext4" {
		w.Broken("set-up: the root is %s, wanted ext4", kind)
	}
	return d
}

// enter leaves the initramfs for a disk with ext4 as [switchRoot] does, but for what that deletes. The
// cwd is the new root then, by another name than "/".
func enter(w *sandbox.World, d sandbox.Disk) {
	base := w.Base()
	w.MountDisk(d, "ext4", base)
	w.LetGo()
	w.Chdir(base)
	w.Move(".", "/")
	w.Chroot(".")
}

// leave observes the pivot from the disk to what is mounted on newRoot, which has a folder for
// put_old, and what becomes of the disk.
func leave(w *sandbox.World, from sandbox.Disk) {
	w.Mark("old_root", "/")
	w.Mark("new_root", newRoot)
	w.Mark("put_old", newRoot+"/"+disk.Old)
	w.Fact("before", rootfs.KernelRoot(w))
	w.ObserveSuccess(w.PivotRoot(newRoot, newRoot+"/"+disk.Old))
	rootfs.KernelThreads(w)
	unmountOld(w)
	w.Fact("open", w.Claim(from).Outcome)
}

// leaveAndWrite is leave, and tries afterwards to remove a folder of the new root: whether that can be
// written to.
func leaveAndWrite(w *sandbox.World, from sandbox.Disk) {
	w.Mark("spare", newRoot+"/"+disk.Spare)
	leave(w, from)
	w.Fact("rmdir", w.TryRmdir("/"+disk.Spare).Outcome)
	w.Fact("at-spare-after-rmdir", w.Label("/"+disk.Spare))
}

// unmountOld unmounts the old root, and not lazily: it must not be busy. The same is tried with a
// file on it held open, to see that the kernel would have said so.
func unmountOld(w *sandbox.World) {
	release, outcome := w.TryHold("/" + disk.Old)
	if outcome == record.OK {
		outcome = w.Umount("/"+disk.Old, 0).Outcome
	}
	w.Fact("umount-held", outcome)
	release()
	w.Fact("umount", w.Umount("/"+disk.Old, 0).Outcome)
	w.Fact("at-put-old-after-umount", w.Label("/"+disk.Old))
}

// diskToDisk pivots from the disk with ext4 to one that cannot be written to.
func diskToDisk(w *sandbox.World, kind string) {
	w.RequireFilesystem(kind, kind)
	to := w.BlockDisk(kind, driver, true)
	from := enterDisk(w)
	w.Mkdir(newRoot)
	w.MountDisk(to, kind, newRoot)
	leaveAndWrite(w, from)
}

// diskToOverlay pivots from the disk with ext4 to a live system's root: what is written to the
// overlayfs goes to a tmpfs, what is not comes from a squashfs.
func diskToOverlay(w *sandbox.World) {
	w.RequireFilesystem("overlay", "overlay")
	w.RequireFilesystem("squashfs", "squashfs")
	lower := w.BlockDisk("squashfs", driver, true)
	from := enterDisk(w)
	for _, dir := range []string{"/lower", "/upper", newRoot} {
		w.Mkdir(dir)
	}
	w.MountDisk(lower, "squashfs", "/lower")
	w.Tmpfs("/upper")
	w.Overlay([]string{"/lower"}, "/upper", newRoot)
	// The overlayfs has mounts of its own of both; these would keep the old root busy.
	w.Detach("/lower")
	w.Detach("/upper")
	leaveAndWrite(w, from)
}
