package images

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/ext4"
	"github.com/diskfs/go-diskfs/filesystem/squashfs"
	"github.com/erofs/go-erofs"
	"github.com/google/uuid"

	"pivotspec/suites/disk"
)

// disks returns the images of filesystems that specs mount, as files of an image: the least
// that each filesystem can be, with the folders of [disk.Folders], and the same bytes from
// every build. They are made with the help of work, an empty folder.
func disks(work string) ([]Entry, error) {
	var out []Entry
	for _, name := range []string{disk.Ext4, disk.Squashfs, disk.Erofs} {
		b, err := diskMakers()[path.Base(name)](work)
		if err != nil {
			return nil, fmt.Errorf("images: make the filesystem %s: %w", name, err)
		}
		out = append(out, File(name[1:], 0o644, b))
	}
	return out, nil
}

// diskMakers returns by name what can make the content of a disk, with the help of an empty folder.
func diskMakers() map[string]func(work string) ([]byte, error) {
	return map[string]func(work string) ([]byte, error){
		"ext4": ext4Disk, "squashfs": squashfsDisk, "erofs": erofsDisk,
	}
}

// Disk returns a file in the cache with the content of a block device, whole MiB long. A guest
// must not write to it.
func (b *Builder) Disk(ctx context.Context, d Disk) (*Image, error) {
	return b.single(ctx, "disk "+d.Content, func(context.Context) (*Image, error) {
		maker, ok := diskMakers()[d.Content]
		if !ok {
			return nil, fmt.Errorf("images: nothing makes a disk with the content %q", d.Content)
		}
		if b.Dir != "" {
			if err := os.MkdirAll(b.Dir, 0o755); err != nil {
				return nil, fmt.Errorf("images: make the cache: %w", err)
			}
		}
		work, err := os.MkdirTemp(b.Dir, ".disks-")
		if err != nil {
			return nil, fmt.Errorf("images: write to the cache: %w", err)
		}
		defer os.RemoveAll(work)
		content, err := maker(work)
		if err != nil {
			return nil, fmt.Errorf("images: make the disk %s: %w", d.Content, err)
		}
		const mib = 1 << 20
		size := (int64(len(content)) + mib - 1) / mib * mib
		var img Image
		img.Path, img.SHA256, err = b.store("disk-"+d.Content, ".img", 0o644, func(f *os.File) error {
			if _, err := f.Write(content); err != nil {
				return err
			}
			return f.Truncate(size)
		})
		return &img, err
	})
}

// ext4Disk makes an ext4 of 256 blocks of 1 KiB, with the folders of [disk.Folders].
func ext4Disk(work string) ([]byte, error) {
	return ext4Image(work, ext4Shape{size: 256 << 10, inodes: 16, volume: "pivotspec", folders: disk.Folders()})
}

// ext4Shape is what an ext4 is to be.
type ext4Shape struct {
	size int64 // in bytes, of one group at most, which is 8 MiB
	// inodes is how many there are; the first ten are the filesystem's own.
	inodes  uint32
	volume  string
	folders []string          // parents first
	files   map[string][]byte // programs, by path
}

// ext4Image makes an ext4 with blocks of 1 KiB, without a journal, which would be larger than it:
// it takes no part in what is observed.
func ext4Image(work string, shape ext4Shape) ([]byte, error) {
	const inodeSize = 256
	size, inodes := shape.size, shape.inodes
	f, err := os.Create(filepath.Join(work, "ext4"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return nil, err
	}
	id := uuid.UUID{15: 1}
	e, err := ext4.Create(file.New(f, false), size, 0, 512, &ext4.Params{
		UUID: &id, SectorsPerBlock: 2, InodeCount: inodes, VolumeName: shape.volume,
		Features: []ext4.FeatureOpt{
			ext4.WithFeatureHasJournal(false), ext4.WithFeatureMetadataChecksums(false),
			ext4.WithFeatureReservedGDTBlocksForExpansion(false),
		},
	})
	if err != nil {
		return nil, err
	}
	for _, name := range shape.folders {
		if err := e.Mkdir(name); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shape.files)) {
		if err := ext4File(e, name, shape.files[name]); err != nil {
			return nil, err
		}
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		return nil, err
	}
	// What the library takes from the clock and from chance. Fields of the superblock, which
	// lies at 1024, and of inodes as Documentation/filesystems/ext4 has them; nothing is
	// checksummed without the feature metadata_csum, but the library fills that in too.
	le := binary.LittleEndian
	clear(b[1024+0x2c : 1024+0x34]) // mounted, written
	clear(b[1024+0x40 : 1024+0x44]) // checked
	clear(b[1024+0xec : 1024+0xfc]) // seed of the hashes in large folders
	clear(b[1024+0x108 : 1024+0x10c])
	if got := le.Uint32(b[1024+0x28:]); got != inodes {
		return nil, fmt.Errorf("%d inodes a group instead of %d", got, inodes)
	}
	table := int(le.Uint32(b[2048+0x8:])) * 1024 // from the one group's descriptor
	if table <= 0 || table+int(inodes)*inodeSize > len(b) {
		return nil, fmt.Errorf("the inodes at %d, outside of it", table)
	}
	for i := range slices.Chunk(b[table:table+int(inodes)*inodeSize], inodeSize) {
		clear(i[0x8:0x14])  // accessed, changed, modified
		clear(i[0x7c:0x7e]) // checksum
		clear(i[0x82:0x98]) // checksum, parts of seconds, created
	}
	return b, nil
}

// ext4File writes a program into an ext4.
func ext4File(e *ext4.FileSystem, name string, content []byte) error {
	f, err := e.OpenFile(name, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return e.Chmod(name, 0o755)
}

// squashfsDisk makes a squashfs without compression: under emulation that would cost more than
// it saves, and a kernel may lack any one of the kinds.
func squashfsDisk(work string) ([]byte, error) {
	f, err := os.Create(filepath.Join(work, "squashfs"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Blocks of 64 KiB: they may not be smaller than a page, of which some kernels have as large ones.
	s, err := squashfs.Create(file.New(f, false), 0, 0, 64<<10)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(s.Workspace())
	// The folder from which it is made lends it times and modes.
	for _, name := range append(disk.Folders(), ".") {
		path := filepath.Join(s.Workspace(), name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, err
		}
		if err := os.Chmod(path, 0o755); err != nil {
			return nil, err
		}
	}
	for _, name := range append(disk.Folders(), ".") {
		if err := os.Chtimes(filepath.Join(s.Workspace(), name), time.Unix(0, 0), time.Unix(0, 0)); err != nil {
			return nil, err
		}
	}
	zero := uint32(0)
	err = s.Finalize(squashfs.FinalizeOptions{
		NoCompressInodes: true, NoCompressData: true, NoCompressFragments: true, FileUID: &zero, FileGID: &zero,
	})
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		return nil, err
	}
	clear(b[8:12]) // the time at which it was made
	// Loop devices are whole sectors, and the kernel reads whole pages.
	return append(b, make([]byte, -len(b)&4095)...), nil
}

// erofsDisk makes an erofs without compression.
func erofsDisk(string) ([]byte, error) {
	var b seekBuffer
	w := erofs.Create(&b, erofs.WithBuildTime(0, 0))
	for _, name := range disk.Folders() {
		if err := w.Mkdir("/"+name, 0o755); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(b.b), nil
}

// seekBuffer is a file in memory.
type seekBuffer struct {
	b   []byte
	pos int64
}

func (s *seekBuffer) Write(p []byte) (int, error) {
	if need := s.pos + int64(len(p)) - int64(len(s.b)); need > 0 {
		s.b = append(s.b, make([]byte, need)...)
	}
	copy(s.b[s.pos:], p)
	s.pos += int64(len(p))
	return len(p), nil
}

func (s *seekBuffer) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.pos
	case io.SeekEnd:
		offset += int64(len(s.b))
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek to %d", offset)
	}
	s.pos = offset
	return offset, nil
}
