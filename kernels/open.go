package kernels

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
)

// open looks into the image in the size bytes at r: it writes the kernel inside it to a new file
// at path where QEMU has to be given that, or boots it faster, and says so; and it returns the
// configuration that the kernel carries, nil if it has none.
func open(r io.ReaderAt, size int64, img Image, path string) (inner bool, config []byte, err error) {
	var kernel io.ReaderAt = r // what is not compressed
	switch {
	case img.Kind == KindBzImage, !img.boots():
		w, err := os.Create(path)
		if err != nil {
			return false, nil, err
		}
		defer w.Close()
		defer func() {
			if !inner {
				os.Remove(path)
			}
		}()
		if inner, err = writeInner(r, size, img, w); err != nil {
			return false, nil, err
		}
		if inner {
			if err := w.Sync(); err != nil {
				return false, nil, err
			}
		}
		st, err := w.Stat()
		if err != nil {
			return false, nil, err
		}
		kernel, size = w, st.Size()
	case img.Kind != KindVmlinux && img.Kind != KindImage:
		// a self-extracting image boots as it is, and the kernel in it has the configuration
		var b bytes.Buffer
		if release, err := payload(r, size, &b); err != nil || release == "" {
			return false, nil, err
		}
		kernel, size = bytes.NewReader(b.Bytes()), int64(b.Len())
	}
	config, err = ikconfig(kernel, size)
	return inner, config, err
}

// writeInner writes the kernel inside r to w, and reports whether that is what is to boot.
func writeInner(r io.ReaderAt, size int64, img Image, w *os.File) (bool, error) {
	if img.Kind == KindBzImage {
		return innerVmlinux(r, img, w)
	}
	if !img.boots() && img.Kind != KindVmlinux {
		var b bytes.Buffer
		var err error
		if img.Kind == KindPacked {
			_, err = unpackAll(r, size, &b)
		} else {
			_, err = unpackTo(io.NewSectionReader(r, img.payload, img.payloadSize), &b)
		}
		if err != nil {
			return false, fmt.Errorf("its payload: %w", err)
		}
		// EFI applications hold flat images. What else was compressed may be of any kind.
		in := bytes.NewReader(b.Bytes())
		inside, err := identify(in, int64(b.Len()))
		switch {
		case err != nil:
			return false, fmt.Errorf("its payload: %w", err)
		case inside.Arch != img.Arch || inside.Version != img.Version:
			return false, fmt.Errorf("it says that it is for %s, and the kernel inside is for %s", img.Arch, inside.Arch)
		case !inside.boots() && inside.Kind != KindVmlinux:
			return false, errors.New("its payload is compressed twice")
		case inside.Kind == KindBzImage, inside.flattens():
			return writeInner(in, int64(b.Len()), inside, w)
		}
		if err := bootableVmlinux(inside); err != nil {
			return false, err
		}
		_, err = w.Write(b.Bytes())
		return true, err
	}
	return true, flatten(r, size, w)
}

// errNoPVH is the error of a vmlinux for x86 that QEMU does not boot.
var errNoPVH = errors.New("a vmlinux without a PVH entry")

// bootableVmlinux says that img is a vmlinux that QEMU does not boot.
func bootableVmlinux(img Image) error {
	if img.Kind == KindVmlinux && !img.PVH && (img.Arch == "amd64" || img.Arch == "i386") {
		return errNoPVH
	}
	return nil
}

// flatten writes the flat image to w that the kernel's build makes of the vmlinux in the size
// bytes at r by `objcopy -O binary`: what is loaded, at the distances that it is loaded at.
func flatten(r io.ReaderAt, size int64, w *os.File) error {
	f, err := elf.NewFile(io.NewSectionReader(r, 0, size))
	if err != nil {
		return err
	}
	defer f.Close()
	low, found := uint64(0), false
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Filesz > 0 && (!found || p.Paddr < low) {
			low, found = p.Paddr, true
		}
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Filesz == 0 {
			continue
		}
		at := p.Paddr - low
		if at > maxPacked || p.Filesz > maxPacked-at { // their sum may wrap around
			return fmt.Errorf("its segments lie %d MiB apart: %w", at>>20, errTooBig)
		}
		if _, err := io.Copy(io.NewOffsetWriter(w, int64(at)), io.NewSectionReader(r, int64(p.Off), int64(p.Filesz))); err != nil {
			return err
		}
	}
	st, err := w.Stat()
	if err != nil {
		return err
	}
	if img, err := identify(w, st.Size()); err != nil || img.Kind != KindImage {
		return errors.New("a vmlinux that begins with no image's head; give arch/*/boot/Image instead")
	}
	return nil
}
