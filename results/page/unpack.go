package page

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strconv"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// maxSource is the longest source in bytes, unpacked: twenty times that of the longest page
// about a system call.
const maxSource = 1 << 20

// readAll reads r to its end or to one byte more than a source may have. A terminal or a pipe
// may never end: then what the context says goes.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(r, maxSource+1))
		done <- result{data, err}
	}()
	select {
	case got := <-done:
		return got.data, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// unpack reads all of r and undoes one compression, told by the first bytes.
func unpack(ctx context.Context, file string, r io.Reader) ([]byte, error) {
	bad := func(happened, do string, err error) ([]byte, error) {
		return nil, &InputError{File: file, Happened: happened, Do: do, Err: err}
	}
	tooBig := "it is longer than " + strconv.Itoa(maxSource>>20) + " MiB, which no manual page is"
	packed, err := readAll(ctx, r)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		if p := (*fs.PathError)(nil); errors.As(err, &p) {
			err = p.Err
		}
		return bad("it cannot be read", giveSource, err)
	}
	if len(packed) > maxSource {
		return bad(tooBig, giveSource, nil)
	}
	if len(packed) == 0 {
		return bad("it is empty", giveSource, nil)
	}
	kind, open := compression(packed)
	if open == nil {
		return packed, nil
	}
	var src []byte
	plain, err := open(bytes.NewReader(packed))
	if err == nil {
		src, err = io.ReadAll(io.LimitReader(plain, maxSource+1))
		if z, ok := plain.(*zstd.Decoder); ok {
			z.Close()
		}
	}
	switch {
	case err != nil:
		return bad("its "+kind+" data is damaged or cut off", "fetch it again", err)
	case len(src) > maxSource:
		return bad("unpacked "+tooBig, giveSource, nil)
	case len(bytes.TrimSpace(src)) == 0:
		return bad("it is empty once unpacked", giveSource, nil)
	}
	return src, nil
}

// compression tells by the first bytes how data is packed; open is nil if it is not.
func compression(data []byte) (kind string, open func(io.Reader) (io.Reader, error)) {
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return "gzip", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")):
		return "xz", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, 64<<20) }
	case bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")):
		return "zstd", func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		}
	case bytes.HasPrefix(data, []byte("BZh")):
		return "bzip2", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }
	}
	return "", nil
}

// include is a request to read another file. What it names is not here: a page in pieces
// would be judged by the piece that is.
var include = regexp.MustCompile(`(?m)^[.'][ \t]*(?:so|mso|soquiet|msoquiet)[ \t]+(\S+)`)

// plausible refuses what mandoc would make something of and is no page.
func plausible(file string, src []byte) error {
	bad := func(happened, do string) error { return &InputError{File: file, Happened: happened, Do: do} }
	if len(bytes.TrimSpace(src)) == 0 {
		return bad("it is empty", giveSource)
	}
	for _, c := range src {
		// \b is in formatted pages, which get a message of their own, \x1b too.
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' && c != '\f' && c != '\b' && c != 0x1b {
			return bad("it is binary data", giveSource)
		}
	}
	if bytes.Contains(src, []byte("\b")) || bytes.Contains(src, []byte("\x1b[")) {
		return bad("it is a formatted page, not the source of one", giveSource)
	}
	if m := include.FindSubmatchIndex(src); m != nil {
		line := 1 + bytes.Count(src[:m[0]], []byte("\n"))
		return bad("on line "+strconv.Itoa(line)+" it takes its text from another file, "+strconv.Quote(string(src[m[2]:m[3]])), "give that file, or a page that is whole")
	}
	return nil
}
