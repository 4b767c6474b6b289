package kernels

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/anchore/go-lzo"
)

// lzopMagic begins a file of lzop(1)'s, which is how a kernel is compressed with CONFIG_KERNEL_LZO.
const lzopMagic = "\x89LZO\x00\r\n\x1a\n"

// maxLZOBlock bounds a block, in bytes: lzop makes them of 256 KiB.
const maxLZOBlock = 64 << 20

// Flags in the head of a file of lzop's: which checksums stand in front of a block, and what
// nobody's build uses (src/conf.h in lzop's source).
const (
	lzoAdlerD  = 0x1
	lzoAdlerC  = 0x2
	lzoExtra   = 0x40
	lzoCRCD    = 0x100
	lzoCRCC    = 0x200
	lzoMulti   = 0x400
	lzoFilter  = 0x800
	lzoRefused = lzoExtra | lzoMulti | lzoFilter
)

// lzopReader decompresses a file of lzop's, up to the end mark behind the last block. Checksums are
// passed over: a kernel that is damaged has no banner, or does not boot.
type lzopReader struct {
	r     *bufio.Reader
	flags uint32
	block []byte // what of the last block was not read yet
	err   error
}

// newLZOP reads the head of r, which begins with [lzopMagic].
func newLZOP(r *bufio.Reader) (*lzopReader, error) {
	z := &lzopReader{r: r}
	// magic, versions of lzop and of its library, version needed, method, level, flags, mode and time
	head := make([]byte, len(lzopMagic)+2+2+2+1+1+4+4+4+4+1)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, cutShort("its head", err)
	}
	at := head[len(lzopMagic):]
	if binary.BigEndian.Uint16(at) < 0x940 {
		return nil, errors.New("made by an lzop of before 1997")
	}
	if z.flags = binary.BigEndian.Uint32(at[8:]); z.flags&lzoRefused != 0 {
		return nil, fmt.Errorf("made with flags %#x, which are not known here", z.flags)
	}
	// the name of the file, and the checksum of the head
	if _, err := r.Discard(int(head[len(head)-1]) + 4); err != nil {
		return nil, cutShort("its head", err)
	}
	return z, nil
}

func (z *lzopReader) Read(p []byte) (int, error) {
	for len(z.block) == 0 && z.err == nil {
		z.block, z.err = z.next()
	}
	if len(z.block) == 0 {
		return 0, z.err
	}
	n := copy(p, z.block)
	z.block = z.block[n:]
	return n, nil
}

// next returns the next block, io.EOF behind the last.
func (z *lzopReader) next() ([]byte, error) {
	number := func() (n uint32, err error) {
		var b [4]byte
		_, err = io.ReadFull(z.r, b[:])
		return binary.BigEndian.Uint32(b[:]), err
	}
	size, err := number()
	if err != nil {
		return nil, cutShort("a block", err)
	}
	if size == 0 {
		return nil, io.EOF
	}
	packed, err := number()
	if err != nil {
		return nil, cutShort("a block", err)
	}
	if size > maxLZOBlock || packed > size || packed == 0 {
		return nil, fmt.Errorf("a block of %d bytes from %d: %w", size, packed, errTooBig)
	}
	sums := 0
	for _, flag := range []uint32{lzoAdlerD, lzoCRCD, lzoAdlerC, lzoCRCC} {
		if z.flags&flag != 0 && (flag&(lzoAdlerC|lzoCRCC) == 0 || packed < size) {
			sums++
		}
	}
	if _, err := z.r.Discard(4 * sums); err != nil {
		return nil, cutShort("a block", err)
	}
	in := make([]byte, packed)
	if _, err := io.ReadFull(z.r, in); err != nil {
		return nil, cutShort("a block", err)
	}
	if packed == size { // what does not become smaller is stored
		return in, nil
	}
	out := make([]byte, size)
	n, err := lzo.Decompress(in, out)
	if err != nil {
		return nil, err
	}
	if n != len(out) {
		return nil, errors.New("a block that is not as big as it says")
	}
	return out, nil
}
