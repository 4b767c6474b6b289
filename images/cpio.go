// Package images makes what a kernel boots from: an initramfs with our init, built in
// process and without root, the same bytes from the same description on every machine.
package images

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"
)

// Entry is one file of an image. The functions [File], [FromFile], [Dir], [Symlink] and
// [CharDev] make one.
type Entry struct {
	// Path is the place in the image, without a leading slash, such as "dev/null".
	Path string
	// Mode is the type and the permission bits, as in inode(7): S_IFREG | 0755.
	Mode uint32
	// Data is the content of a regular file, or the target of a symbolic link.
	Data []byte
	// From is a file of the host whose content is that of a regular file, instead of Data.
	From string
	// Major and Minor are the numbers of a device.
	Major, Minor uint32
}

// File returns a regular file with the permission bits perm.
func File(path string, perm uint32, data []byte) Entry {
	return Entry{Path: path, Mode: cpio.S_IFREG | perm, Data: data}
}

// FromFile returns a regular file with the content that the host's file from has when the
// image is built.
func FromFile(path string, perm uint32, from string) Entry {
	return Entry{Path: path, Mode: cpio.S_IFREG | perm, From: from}
}

// Dir returns a directory. Parents that no entry names are made with mode 0755.
func Dir(path string, perm uint32) Entry {
	return Entry{Path: path, Mode: cpio.S_IFDIR | perm}
}

// Symlink returns a symbolic link at path that holds target.
func Symlink(path, target string) Entry {
	return Entry{Path: path, Mode: cpio.S_IFLNK | 0o777, Data: []byte(target)}
}

// CharDev returns a character device.
func CharDev(path string, perm, major, minor uint32) Entry {
	return Entry{Path: path, Mode: cpio.S_IFCHR | perm, Major: major, Minor: minor}
}

// Build writes an initramfs with these entries to w: an uncompressed newc archive, since
// decompression would cost every boot more under emulation than reading costs. Owner and
// group are root, times are 0, inode numbers count from 1 in the order of the paths, so the
// bytes depend on the entries alone and not on their order. A path that is wrong or appears
// twice is an error.
func Build(w io.Writer, entries []Entry) error {
	all, err := arrange(entries)
	if err != nil {
		return err
	}
	rw := cpio.Newc.Writer(w)
	for i, e := range all {
		if err := write(rw, e, uint64(i)+1); err != nil {
			return fmt.Errorf("images: write %s: %w", e.Path, err)
		}
	}
	if err := cpio.WriteTrailer(rw); err != nil {
		return fmt.Errorf("images: write the trailer: %w", err)
	}
	return nil
}

// arrange checks the entries, adds the parents that are missing (the kernel drops a file
// whose directory is not there) and sorts: a parent comes before its children.
func arrange(entries []Entry) ([]Entry, error) {
	have := map[string]uint32{}
	var errs []error
	for _, e := range entries {
		switch _, twice := have[e.Path]; {
		case !fs.ValidPath(e.Path) || e.Path == "." || strings.ContainsRune(e.Path, 0) || e.Path == cpio.Trailer:
			errs = append(errs, fmt.Errorf("images: %q cannot be the path of a file in an image", e.Path))
		case twice:
			errs = append(errs, fmt.Errorf("images: %q appears twice", e.Path))
		case len(e.Data) > 0 && e.From != "":
			errs = append(errs, fmt.Errorf("images: %q has both content and a file to take it from", e.Path))
		}
		have[e.Path] = e.Mode
	}
	all := slices.Clone(entries)
	for _, e := range entries {
		for p := path.Dir(e.Path); p != "." && p != "/" && p != ""; p = path.Dir(p) {
			switch mode, ok := have[p]; {
			case !ok:
				have[p] = cpio.S_IFDIR
				all = append(all, Dir(p, 0o755))
			case mode&cpio.S_IFMT != cpio.S_IFDIR:
				errs = append(errs, fmt.Errorf("images: %q lies below %q, which is no directory", e.Path, p))
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func write(w cpio.RecordWriter, e Entry, ino uint64) error {
	r := cpio.Record{Info: cpio.Info{
		Ino: ino, Mode: uint64(e.Mode), NLink: 1, Name: e.Path,
		Rmajor: uint64(e.Major), Rminor: uint64(e.Minor),
	}}
	switch {
	case e.From != "":
		f, err := os.Open(e.From)
		if err != nil {
			return err
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			return err
		}
		if !st.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", e.From)
		}
		r.FileSize = uint64(st.Size())
		r.ReaderAt = io.NewSectionReader(f, 0, st.Size())
	case e.Mode&cpio.S_IFMT == cpio.S_IFREG || e.Mode&cpio.S_IFMT == cpio.S_IFLNK:
		r.FileSize = uint64(len(e.Data))
		r.ReaderAt = bytes.NewReader(e.Data)
	}
	if r.FileSize > math.MaxUint32 {
		return errors.New("longer than the 4 GiB that the format allows")
	}
	return w.WriteRecord(r)
}
