package kernels

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// Forms in which the kernel inside a self-extracting image is given to QEMU, as the catalogue
// names them.
const (
	// innerVmlinuxForm is an ELF file with a PVH entry.
	innerVmlinuxForm = "vmlinux"
	// innerImageForm is a flat image as it is.
	innerImageForm = "image"
	// innerUImageForm is a flat image behind a header of U-Boot's that says where it is loaded.
	innerUImageForm = "uimage"
)

// inner says how the kernel inside the images of an architecture boots.
type inner struct {
	// Form is one of the forms above.
	Form string `yaml:"form"`
	// Load is the address at which a uimage is loaded and entered.
	Load uint32 `yaml:"load"`
}

func (i inner) check() error {
	switch i.Form {
	case innerVmlinuxForm, innerImageForm:
		return nil
	case innerUImageForm:
		if i.Load == 0 {
			return errors.New("a uimage needs an address to load")
		}
		return nil
	}
	return fmt.Errorf("no form %q", i.Form)
}

// unwrap makes k boot the kernel inside its image where the catalogue says that this is the better
// way. Without a cache, or with an image that is not of that kind, k boots as it is.
func (s *Store) unwrap(ctx context.Context, k *Kernel) {
	rule, ok := s.cat.inner[k.Arch]
	// Where to load an image depends on its configuration, which is Debian's in the catalogue alone.
	if !ok || k.Boot != k.Image || k.Image == "" || rule.Load != 0 && k.Package == "" {
		return
	}
	id := fmt.Sprintf("%s-%s-%x", k.SHA256, rule.Form, rule.Load)
	m, err := s.once(ctx, id, func(dir string) (meta, error) {
		m := meta{Format: metaFormat, Looked: looked, Kernel: *k, Files: map[string]int64{}}
		size, err := rule.write(filepath.Join(dir, "vmlinux"), k.Image)
		if err == nil && size > 0 {
			m.PVH, m.Files["vmlinux"] = true, size
		}
		return m, err
	})
	if err == nil && m.PVH {
		k.Boot = m.Boot
	}
}

// write writes what is inside the image to a new file at path and returns its size, 0 if there is
// nothing of that form inside.
func (i inner) write(path, image string) (size int64, err error) {
	r, err := os.Open(image)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return 0, err
	}
	w, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	switch i.Form {
	case innerVmlinuxForm:
		img, err := identify(r, st.Size())
		if err != nil {
			return 0, err
		}
		if ok, err := innerVmlinux(r, img, w); err != nil || !ok {
			return 0, err
		}
	case innerUImageForm:
		if _, err := w.Seek(uImageHeader, io.SeekStart); err != nil {
			return 0, err
		}
		fallthrough
	case innerImageForm:
		if release, err := payload(r, st.Size(), w); err != nil || release == "" {
			return 0, err
		}
	}
	if st, err = w.Stat(); err != nil {
		return 0, err
	}
	if i.Form == innerUImageForm {
		if _, err := w.WriteAt(uImage(uint32(st.Size()-uImageHeader), i.Load), 0); err != nil {
			return 0, err
		}
	}
	return st.Size(), w.Sync()
}

// uImageHeader is the size of a header of U-Boot's.
const uImageHeader = 64

// uImage returns the header, for a kernel of Linux on arm that is not compressed: struct
// image_header in U-Boot's include/image.h. QEMU does not look at the checksum of the data.
func uImage(size, load uint32) []byte {
	h := make([]byte, uImageHeader)
	be := binary.BigEndian
	be.PutUint32(h[0:], 0x27051956) // magic
	be.PutUint32(h[12:], size)
	be.PutUint32(h[16:], load)
	be.PutUint32(h[20:], load)                    // entry
	h[28], h[29], h[30], h[31] = 5, 2, 2, 0       // Linux, arm, a kernel, not compressed
	be.PutUint32(h[4:], crc32.ChecksumIEEE(h[:])) // of the header with this field 0
	return h
}
