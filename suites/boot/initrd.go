package boot

import (
	"pivotspec/suites/disk"
	"pivotspec/suites/sandbox"
)

// pivotFromRAMDisk is what an initrd of old did, before there was an initramfs: its root is a RAM disk
// with a filesystem, which it leaves by the call for the real root, unmounts, and has the
// kernel forget. Here it is entered from the initramfs: Debian builds RAM disks as a module.
func pivotFromRAMDisk(w *sandbox.World) {
	onDisk := w.BlockDisk("ext4", driver, false)
	ram := w.RAMDisk(disk.Ext4)
	enter(w, ram.Disk)
	w.Chdir("/")
	w.Mkdir(newRoot)
	w.MountDisk(onDisk, "ext4", newRoot)
	putOld := newRoot + "/" + disk.Old
	w.Mark("old_root", "/")
	w.Mark("new_root", newRoot)
	w.Mark("put_old", putOld)
	w.ObserveSuccess(w.PivotRoot(newRoot, putOld))
	unmountOld(w)
	w.Fact("open", w.Claim(ram.Disk).Outcome)
	w.Fact("memory-after-umount", ram.Memory())
	w.Fact("flush", ram.Flush().Outcome)
	w.Fact("content-after-flush", ram.Content())
	w.Fact("unload", ram.Unload().Outcome)
	w.Fact("memory-after-unload", ram.Memory())
}
