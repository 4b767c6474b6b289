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
