package kernels

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
)

// packers are the beginnings of what is compressed inside a self-extracting image: gzip, xz,
// zstd, lz4's legacy format, bzip2, lzop and lzma: all that a kernel's build knows. Decompressors hold some of these bytes as constants,
// so one that is found need not begin anything.
var packers = [][]byte{
	[]byte("\x1f\x8b\x08"), []byte("\xfd7zXZ\x00"), []byte("\x28\xb5\x2f\xfd"), []byte("\x02\x21\x4c\x18"),
	[]byte("BZh91AY&SY"), []byte(lzopMagic), lzmaHead,
}

// lzmaHead begins a head of lzma's; see [isLZMA].
var lzmaHead = []byte("\x5d\x00\x00")

const (
	// maxPacked bounds the size of a self-extracting image that is searched, and maxTries how
	// many places in it are tried: real ones have up to 12 MiB and one or two false places.
	maxPacked = 256 << 20
	maxTries  = 16
)

// payload finds the kernel inside the self-extracting image in the size bytes at r: it writes
// what the first compressed piece with Linux's banner holds to w, and
// returns the release string in it, "" if there is no such piece.
func payload(r io.ReaderAt, size int64, w io.Writer) (release string, err error) {
	if size > maxPacked {
		return "", errTooBig
	}
	b := make([]byte, size)
	if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
		return "", err
	}
	tries := 0
	places := make([]int, len(packers)) // of the next beginning of each, len(b) if there is none
	for at := 0; at < len(b) && tries < maxTries; at++ {
		for i, p := range packers {
			if places[i] < at || at == 0 {
				if places[i] = bytes.Index(b[at:], p) + at; places[i] < at {
					places[i] = len(b)
				}
			}
		}
		if at = slices.Min(places); at == len(b) {
			break
		}
		if bytes.HasPrefix(b[at:], lzmaHead) && !isLZMA(b[at:min(len(b), at+lzma.HeaderLen)]) {
			continue
		}
		tries++
		if release, err := unpackTo(bytes.NewReader(b[at:]), w); err != nil || release != "" {
			return release, err
		}
	}
	return "", nil
}

// unpackTo decompresses the beginning of r and writes it to w if it has Linux's banner, of
// which it returns the release string. What is not compressed or damaged has none.
func unpackTo(r io.Reader, w io.Writer) (string, error) {
	z, err := inflate(r)
	if err != nil {
		return "", nil
	}
	defer z.Close()
	var out bytes.Buffer
	// What follows a frame of zstd begins no other, and what follows lzma of unknown size is no error.
	_, err = copyBounded(&out, z, maxPacked)
	if errors.Is(err, errBomb) {
		return "", err
	}
	if err != nil && !errors.Is(err, zstd.ErrMagicMismatch) {
		return "", nil
	}
	release, err := banner(bytes.NewReader(out.Bytes()))
	if err != nil || release == "" {
		return "", err
	}
	_, err = w.Write(out.Bytes())
	return release, err
}

// identifyS390 reads the head of an image of s390x: "S390EP" stands at 0x10008, and the parameter
// area, struct parmarea in arch/s390/include/asm/setup.h, has at 0x10428 where the version
// string is, as an address; the image is loaded at 0.
func identifyS390(r io.ReaderAt, size int64) (Image, error) {
	const versionAt = 0x10428
	var at [8]byte
	if _, err := r.ReadAt(at[:], versionAt); err != nil {
		return Image{}, truncated{size, versionAt + 8}
	}
	v := binary.BigEndian.Uint64(at[:])
	if v == 0 || v > maxImage {
		return Image{}, errors.New("an image of s390x that does not say where its version is")
	}
	if int64(v) >= size {
		return Image{}, truncated{size, int64(v) + 1}
	}
	release, err := releaseAt(r, int64(v))
	if err != nil {
		return Image{}, err
	}
	if release == "" {
		return Image{}, errors.New("an image of s390x that names no kernel version")
	}
	return Image{Kind: KindS390, Arch: "s390x", Version: release}, nil
}

// isS390 says whether r begins like an image of s390x (arch/s390/boot/head.S).
func isS390(r io.ReaderAt) bool {
	var mark [6]byte
	_, err := r.ReadAt(mark[:], 0x10008)
	return err == nil && string(mark[:]) == "S390EP"
}

// packedELF returns the release string of the kernel inside f, a vmlinuz of mips
// (arch/mips/boot/compressed), which has no banner of its own; "" if f is none.
func packedELF(r io.ReaderAt, size int64, f *elf.File) (string, error) {
	if f.Machine != elf.EM_MIPS {
		return "", nil
	}
	release, err := payload(r, size, io.Discard)
	if err != nil {
		return "", fmt.Errorf("its payload: %w", err)
	}
	return release, nil
}
