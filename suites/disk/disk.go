// Package disk is what the maker of an image and the specs agree on about the filesystems that
// the image carries as files.
package disk

// Paths of the filesystems in an image. Each holds the folders of [Folders] and nothing else.
const (
	Ext4     = "/disks/ext4"
	Squashfs = "/disks/squashfs"
	Erofs    = "/disks/erofs"
)

// Names of the folders at the root of each: one for put_old, and one to be removed, where that
// can be done.
const (
	Old   = "old"
	Spare = "spare"
)

// Folders returns the names of the folders at the root of each filesystem.
func Folders() []string { return []string{Old, Spare} }

// What the maker of the image for dracut and the spec in its shell agree on.
const (
	// Sysroot is where dracut mounts the real root.
	Sysroot = "/sysroot"
	// PivotRoot is the path, relative to the real root, of pivot_root(8) there.
	PivotRoot = "usr/sbin/pivot_root"
	// Mnt is the folder of the real root that is put_old.
	Mnt = "mnt"
	// InShell makes the guest run the specs of the initial namespace in the shell of another
	// init, instead of being init.
	InShell = "in-shell"
)

// RealRootFolders returns the folders of the real root, parents first: those without which dracut
// takes it for no root, and put_old.
func RealRootFolders() []string {
	return []string{"dev", "proc", "sys", "run", "sbin", "usr", "usr/sbin", Mnt}
}
