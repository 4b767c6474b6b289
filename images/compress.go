package images

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression is how an initramfs is compressed; "" is not at all.
type Compression string

// The compressions that images can be made with. Kernels can read more of them.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

func compressions() []Compression { return []Compression{"", Gzip, Zstd} }

// Config returns the option that a kernel needs to read an initramfs that is so compressed, "" if
// none.
func (c Compression) Config() string {
	return map[Compression]string{Gzip: "CONFIG_RD_GZIP", Zstd: "CONFIG_RD_ZSTD"}[c]
}

// Compressed returns an image in the cache with the content of the file at path, compressed.
func (b *Builder) Compressed(ctx context.Context, path string, c Compression) (*Image, error) {
	if c.Config() == "" {
		return nil, fmt.Errorf("images: %q is no compression", c)
	}
	return b.single(ctx, "compressed "+string(c)+" "+path, func(context.Context) (*Image, error) {
		in, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("images: %w", err)
		}
		defer in.Close()
		var img Image
		stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		img.Path, img.SHA256, err = b.store(stem, ".cpio."+string(c), 0o644, func(f *os.File) error { return compress(f, in, c) })
		return &img, err
	})
}

// compress writes what it reads from in to w as one frame: the kernel reads no more than one.
func compress(w io.Writer, in io.Reader, c Compression) error {
	var z io.WriteCloser
	var err error
	if c == Gzip {
		z, err = gzip.NewWriterLevel(w, gzip.BestSpeed)
	} else {
		z, err = zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	if err != nil {
		return fmt.Errorf("images: compress: %w", err)
	}
	if _, err := io.Copy(z, in); err != nil {
		return fmt.Errorf("images: compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("images: compress: %w", err)
	}
	return nil
}
