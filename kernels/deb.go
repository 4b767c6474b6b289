package kernels

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// arMagic begins an ar archive, which a Debian package is.
const arMagic = "!<arch>\n"

// maxControl bounds the size, in bytes, of a package's control file.
const maxControl = 1 << 20

// readDeb calls each for every regular file in the Debian package r, in the order of the
// package, with the file's path relative to the root and its content. Folders, links and
// devices are passed over: nothing in here follows or makes one, and it is the callee that
// chooses where a content goes, so no path in a package can lead out of anywhere.
func readDeb(r io.Reader, each func(name string, size int64, content io.Reader) error) error {
	_, err := readMembers(r, func(m Member) error {
		if !m.Mode.IsRegular() || m.Hard {
			return nil
		}
		return each(m.Path, m.Size, m.Content)
	})
	return err
}

// readMembers calls each for every file, folder and link in the Debian package r, and returns
// what its control file says. Devices are passed over: no package that is used has any.
func readMembers(r io.Reader, each func(Member) error) (Control, error) {
	var control Control
	seen := map[string]bool{}
	err := readAr(r, func(name string, content io.Reader) error {
		part, _, _ := strings.Cut(name, ".tar")
		if part+".tar" != name && !strings.HasPrefix(name, part+".tar.") {
			return nil
		}
		if seen[part] {
			return fmt.Errorf("a second %s.tar in the package", part)
		}
		seen[part] = true
		switch part {
		case "control":
			err := readTar(name, content, func(m Member) error {
				if m.Path != "control" || !m.Mode.IsRegular() {
					return nil
				}
				if m.Size > maxControl {
					return fmt.Errorf("its control file has %d MiB: %w", m.Size>>20, errTooBig)
				}
				b, err := io.ReadAll(m.Content)
				if err != nil {
					return err
				}
				control = parseControl(string(b))
				return errEnough
			})
			if err != nil && !errors.Is(err, errEnough) {
				return err
			}
			return nil
		case "data":
			return readTar(name, content, each)
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return control, nil
	case err != nil:
		return control, err
	case !seen["data"]:
		return control, errors.New("no data.tar in the package")
	}
	return control, nil
}

// parseControl reads the first paragraph of a control file, which is written like a mail's head.
func parseControl(text string) Control {
	var c Control
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !ok && strings.TrimSpace(line) == "" {
			break
		}
		value = strings.TrimSpace(value)
		switch key {
		case "Package":
			c.Name = value
		case "Version":
			c.Version = value
		case "Architecture":
			c.Arch = value
		}
	}
	return c
}

// readTar calls each for every file, folder and link in the tar archive r, compressed or not,
// which is called name. It returns an error of each as it is.
func readTar(name string, r io.Reader, each func(Member) error) error {
	z, err := inflateTar(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer z.Close()
	limited := &io.LimitedReader{R: z, N: maxDebBytes}
	t := tar.NewReader(limited)
	seen := map[string]bool{}
	for n := 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			// what follows the end of the archive has the checksums of the compression
			if _, err = io.Copy(io.Discard, limited); err == nil {
				return nil
			}
		}
		if err == nil && n >= maxDebFiles {
			err = fmt.Errorf("more than %d files: %w", maxDebFiles, errTooBig)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m := Member{Mode: h.FileInfo().Mode(), Size: h.Size, Content: t}
		if m.Path, err = clean(h.Name); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			// a file with holes can be said to have any size, and no package has one
			for key := range h.PAXRecords {
				if strings.HasPrefix(key, "GNU.sparse.") {
					return fmt.Errorf("%s: %s is a file with holes", name, m.Path)
				}
			}
			if seen[m.Path] {
				return fmt.Errorf("%s: two files called %s", name, m.Path)
			}
			seen[m.Path] = true
		case tar.TypeDir:
			m.Size = 0
		case tar.TypeSymlink:
			m.Link, m.Size = h.Linkname, 0
		case tar.TypeLink:
			m.Hard, m.Size = true, 0
			if m.Link, err = clean(h.Linkname); err != nil {
				return err
			}
		default:
			continue
		}
		if m.Size < 0 || m.Size > maxDebFile {
			return fmt.Errorf("%s has %d MiB: %w", m.Path, m.Size>>20, errTooBig)
		}
		if err := each(m); err != nil {
			return err
		}
	}
}

// inflateTar returns the tar archive in r, decompressed unless it is not compressed at all.
func inflateTar(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	// POSIX's and GNU's forms have this at the same place
	if head, _ := b.Peek(262); len(head) == 262 && string(head[257:]) == "ustar" {
		return io.NopCloser(b), nil
	}
	return inflate(b)
}

// readAr calls each for every member of the ar archive r until it returns an error.
//
// The format is deb(5)'s: no long names, no symbol tables. There is a library, blakesmith/ar,
// but it panics on a header with a blank mode and seeks backwards on a negative size.
func readAr(r io.Reader, each func(name string, content io.Reader) error) error {
	var magic [8]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil || string(magic[:]) != arMagic {
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
		if err := each(name, &wholeReader{content}); err != nil {
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
