package kernels

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

// errNoCompression says that the data begins like no compression that we can undo.
var errNoCompression = errors.New("not compressed by gzip, bzip2, xz, zstd, lz4, lzma or lzop")

// maxWindow bounds the memory a decompressor may take for its window: 128 MiB is what
// `zstd --ultra -22`, the kernel's own choice for its image, uses.
const maxWindow = 128 << 20

// decompress returns what r holds, decompressed; the compression is recognised by content,
// since kernel images, packages and lists all carry a magic number. The caller closes it, and
// bounds how much it reads; see also [inflate].
func decompress(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	magic, err := b.Peek(lzma.HeaderLen)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		z.Multistream(false)
		return z, nil
	case bytes.HasPrefix(magic, []byte("BZh")):
		return io.NopCloser(bzip2.NewReader(b)), nil
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		z, err := xz.NewReader(b, maxWindow)
		if err != nil {
			return nil, fmt.Errorf("xz: %w", err)
		}
		// the first stream ends an inner vmlinux; packages have just one
		z.Multistream(false)
		return io.NopCloser(z), nil
	case bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	// the frame format, and the legacy one that the kernel uses for its image
	case bytes.HasPrefix(magic, []byte("\x04\x22\x4d\x18")), bytes.HasPrefix(magic, []byte("\x02\x21\x4c\x18")):
		return io.NopCloser(lz4.NewReader(b)), nil
	case bytes.HasPrefix(magic, []byte(lzopMagic)):
		z, err := newLZOP(b)
		if err != nil {
			return nil, fmt.Errorf("lzop: %w", err)
		}
		return io.NopCloser(z), nil
	case isLZMA(magic):
		z, err := lzma.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("lzma: %w", err)
		}
		return io.NopCloser(z), nil
	}
	return nil, errNoCompression
}

// isLZMA says whether b is the head of what the kernel's build, or an old package's, compressed by
// `lzma`. That has no magic number: the properties are those of every preset, and the size is not
// given, or that of something which can be.
func isLZMA(b []byte) bool {
	if len(b) < lzma.HeaderLen || b[0] != 0x5d {
		return false
	}
	window, size := binary.LittleEndian.Uint32(b[1:]), binary.LittleEndian.Uint64(b[5:])
	return window >= 1<<12 && window <= maxWindow && window&(window-1) == 0 &&
		(size == math.MaxUint64 || size > 0 && size <= maxDebBytes)
}

// inflate is decompress for what a stranger made: reading fails with errBomb where it is far
// bigger than genuine data of the same compressed size.
func inflate(r io.Reader) (io.ReadCloser, error) {
	in := &countingReader{r: r}
	z, err := decompress(in)
	if err != nil {
		return nil, err
	}
	return &inflated{ReadCloser: z, in: in}, nil
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

type inflated struct {
	io.ReadCloser
	in  *countingReader
	out int64
}

func (i *inflated) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	i.out += int64(n)
	if i.out > freeBytes && i.out > maxRatio*i.in.n {
		return n, errBomb
	}
	return n, err
}

// errTooBig says that something is bigger than it may be.
var errTooBig = errors.New("bigger than anything genuine")

// copyBounded copies r to w and fails with errTooBig after limit bytes.
func copyBounded(w io.Writer, r io.Reader, limit int64) (int64, error) {
	n, err := io.Copy(w, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("more than %d MiB: %w", limit>>20, errTooBig)
	}
	return n, err
}
