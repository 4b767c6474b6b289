package kernels

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Bounds for a package: far above any genuine one (a kernel with all modules has some 8000
// files and 600 MiB), far below what fills a disk.
const (
	maxDebFiles = 100_000
	maxDebBytes = 4 << 30
	maxDebFile  = 512 << 20
)

// errEnough, returned by the function given to readDeb, ends the reading without an error.
var errEnough = errors.New("enough")

// readDeb calls each for every regular file in the Debian package r, in the order of the
// package, with the file's path relative to the root and its content. Folders, links and
// devices are passed over: nothing in here follows or makes one, and it is the callee that
// chooses where a content goes, so no path in a package can lead out of anywhere.
func readDeb(r io.Reader, each func(name string, size int64, content io.Reader) error) error {
	return readMembers(r, func(m Member) error {
		if !m.Mode.IsRegular() || m.Hard {
			return nil
		}
		return each(m.Path, m.Size, m.Content)
	})
}

// Member is a file in a Debian package.
type Member struct {
	// Path is relative to the root, without dots.
	Path string
	// Mode has the type and the permission bits.
	Mode fs.FileMode
	// Link is the target of a symbolic link, or the path of the file that a hard link is to.
	Link string
	// Hard is set for a hard link, which has no content of its own.
	Hard bool
	// Size of the content, in bytes.
	Size int64
	// Content of a regular file, until the function that it is given to returns.
	Content io.Reader
}

// readMembers calls each for every file, folder and link in the Debian package r. Devices are
// passed over: no package that is used has any.
func readMembers(r io.Reader, each func(Member) error) error {
	var data io.Reader
	err := readAr(r, func(name string, content io.Reader) error {
		if name != "data.tar" && !strings.HasPrefix(name, "data.tar.") {
			return nil
		}
		data = content
		return errEnough
	})
	if err != nil {
		return err
	}
	if data == nil {
		return errors.New("no data.tar in the package")
	}
	// dpkg-deb compresses unless told not to, and Debian's archive takes nothing else
	z, err := decompress(data)
	if err != nil {
		return fmt.Errorf("data.tar: %w", err)
	}
	defer z.Close()
	t := tar.NewReader(io.LimitReader(z, maxDebBytes))
	for n := 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("data.tar: %w", err)
		}
		if n >= maxDebFiles {
			return fmt.Errorf("more than %d files: %w", maxDebFiles, errTooBig)
		}
		m := Member{Path: path.Clean("/" + h.Name)[1:], Mode: h.FileInfo().Mode(), Size: h.Size, Content: t}
		switch h.Typeflag {
		case tar.TypeReg:
		case tar.TypeDir:
			m.Size = 0
		case tar.TypeSymlink:
			m.Link, m.Size = h.Linkname, 0
		case tar.TypeLink:
			m.Link, m.Hard, m.Size = path.Clean("/" + h.Linkname)[1:], true, 0
		default:
			continue
		}
		if m.Size > maxDebFile {
			return fmt.Errorf("%s has %d MiB: %w", h.Name, h.Size>>20, errTooBig)
		}
		if err := each(m); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
}

// readAr calls each for every member of the ar archive r until it returns an error; errEnough
// is no error, and leaves r where that member's content can be read on.
//
// The format is deb(5)'s: no long names, no symbol tables. There is a library, blakesmith/ar,
// but it panics on a header with a blank mode and seeks backwards on a negative size.
func readAr(r io.Reader, each func(name string, content io.Reader) error) error {
	var magic [8]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil || string(magic[:]) != "!<arch>\n" {
		return errors.New("not a Debian package")
	}
	for {
		var h [60]byte
		if _, err := io.ReadFull(r, h[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("cut short in a member's header: %w", err)
		}
		size, err := strconv.ParseUint(strings.TrimRight(string(h[48:58]), " "), 10, 40)
		if err != nil || string(h[58:]) != "`\n" {
			return errors.New("a damaged member's header")
		}
		content := &io.LimitedReader{R: r, N: int64(size)}
		name := strings.TrimRight(string(h[:16]), " /")
		if err := each(name, &wholeReader{content}); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
		skip := content.N + int64(size&1) // members begin at even places
		if n, err := io.CopyN(io.Discard, r, skip); err != nil && n < content.N {
			return fmt.Errorf("cut short in %s: %w", name, io.ErrUnexpectedEOF)
		}
	}
}

// wholeReader turns an early end of the file into an error, so that a package cut short is
// never taken for a smaller one.
type wholeReader struct{ l *io.LimitedReader }

func (w *wholeReader) Read(p []byte) (int, error) {
	n, err := w.l.Read(p)
	if err == io.EOF && w.l.N > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
