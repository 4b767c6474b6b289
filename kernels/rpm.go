package kernels

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// The layout of a package is that of RPM's own documentation (docs/manual/format_v4.md in its
// source): a lead of 96 bytes, a header of signatures, padded to 8 bytes, the header proper, and
// the payload, a compressed cpio archive. There are libraries, but sassoftware/go-rpmutils slices
// by offsets from the file, which panics with a hostile one, and cavaliergopher's cpio by sizes.

// rpmMagic begins an RPM package's lead.
const rpmMagic = "\xed\xab\xee\xdb"

// rpmHeaderMagic begins a header.
const rpmHeaderMagic = "\x8e\xad\xe8\x01"

// Bounds for a header: that of a package with 20000 files has some 5 MiB.
const (
	maxRPMTags   = 1 << 14
	maxRPMHeader = 64 << 20
)

// Tags of a header (include/rpm/rpmtag.h).
const (
	rpmName           = 1000
	rpmVersion        = 1001
	rpmRelease        = 1002
	rpmArch           = 1022
	rpmFileSizes      = 1028
	rpmFileModes      = 1030
	rpmFileLinks      = 1036
	rpmFileFlags      = 1037
	rpmFileInodes     = 1096
	rpmSource         = 1106
	rpmDirIndexes     = 1116
	rpmBaseNames      = 1117
	rpmDirNames       = 1118
	rpmFormat         = 1124
	rpmLongFileSizes  = 5008
	rpmPayloadDigests = 5092
	rpmPayloadAlgo    = 5093
)

const (
	// rpmGhost is the flag of a file that belongs to the package and is not in it.
	rpmGhost = 1 << 6
	// rpmSHA256 is the number of that algorithm, which is OpenPGP's.
	rpmSHA256 = 8
)

// rpmArchName returns Debian's name of an architecture for RPM's (rpmrc.in).
func rpmArchName(name string) string {
	switch name {
	case "x86_64", "x86_64_v2", "x86_64_v3", "x86_64_v4", "amd64":
		return "amd64"
	case "i386", "i486", "i586", "i686", "athlon":
		return "i386"
	case "aarch64":
		return "arm64"
	case "armv7l", "armv7hl", "armv7hnl", "armv8hl":
		return "armhf"
	case "ppc64le":
		return "ppc64el"
	case "mips64el", "mips64r6el":
		return "mips64el"
	case "loongarch64":
		return "loong64"
	case "noarch":
		return "all"
	}
	return name // riscv64, s390x
}

// rpmFile is a file as the header describes it.
type rpmFile struct {
	path  string
	mode  uint32
	size  uint64
	link  string
	inode uint32
	ghost bool
}

func (f rpmFile) isFile() bool { return f.mode&0o170000 == 0o100000 && f.size > 0 && !f.ghost }

// rpmPackage is what the headers of a package say.
type rpmPackage struct {
	Control
	files []rpmFile
	// digest is the SHA-256 of the payload, compressed, in hexadecimal; "" if it is not given.
	digest string
}

// rpmTag is an entry of a header.
type rpmTag struct {
	kind, count uint32
	data        []byte // to the end of the header
}

type rpmTags map[uint32]rpmTag

// readRPMTags reads one header; padded says that it is followed by bytes to a multiple of 8.
func readRPMTags(r io.Reader, padded bool) (rpmTags, error) {
	var intro [16]byte
	if _, err := io.ReadFull(r, intro[:]); err != nil {
		return nil, cutShort("its header", err)
	}
	if string(intro[:4]) != rpmHeaderMagic {
		return nil, errors.New("its header is damaged")
	}
	n, size := binary.BigEndian.Uint32(intro[8:]), binary.BigEndian.Uint32(intro[12:])
	if n > maxRPMTags || size > maxRPMHeader {
		return nil, fmt.Errorf("its header has %d tags and %d bytes: %w", n, size, errTooBig)
	}
	if padded {
		size = (size + 7) &^ 7
	}
	// not allocated before it is there
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)*16+int64(size)); err != nil {
		return nil, cutShort("its header", err)
	}
	index, data := b.Bytes()[:n*16], b.Bytes()[n*16:]
	tags := rpmTags{}
	for ; len(index) > 0; index = index[16:] {
		off := binary.BigEndian.Uint32(index[8:])
		if uint64(off) > uint64(len(data)) {
			return nil, errors.New("its header is damaged: a tag lies outside of it")
		}
		tags[binary.BigEndian.Uint32(index)] = rpmTag{binary.BigEndian.Uint32(index[4:]), binary.BigEndian.Uint32(index[12:]), data[off:]}
	}
	return tags, nil
}

// cutShort says that the file ends within what.
func cutShort(what string, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("cut short in %s: %w", what, err)
}

// strings returns the texts of a tag, nil if there is none.
func (t rpmTags) strings(tag uint32) []string {
	e, ok := t[tag]
	// string, array of strings, string in the locale's language
	if !ok || e.kind != 6 && e.kind != 8 && e.kind != 9 || e.count > maxDebFiles {
		return nil
	}
	var out []string
	for data := e.data; len(out) < int(e.count); {
		i := bytes.IndexByte(data, 0)
		if i < 0 {
			return nil
		}
		out, data = append(out, string(data[:i])), data[i+1:]
	}
	return out
}

func (t rpmTags) string(tag uint32) string {
	if s := t.strings(tag); len(s) > 0 {
		return s[0]
	}
	return ""
}

// ints returns the numbers of a tag, of 16, 32 or 64 bits, nil if there are none.
func (t rpmTags) ints(tag uint32) []uint64 {
	e, ok := t[tag]
	width := map[uint32]int{3: 2, 4: 4, 5: 8}[e.kind]
	if !ok || width == 0 || e.count > maxDebFiles || len(e.data) < width*int(e.count) {
		return nil
	}
	out := make([]uint64, e.count)
	for i := range out {
		switch at := e.data[i*width:]; width {
		case 2:
			out[i] = uint64(binary.BigEndian.Uint16(at))
		case 4:
			out[i] = uint64(binary.BigEndian.Uint32(at))
		case 8:
			out[i] = binary.BigEndian.Uint64(at)
		}
	}
	return out
}

// readRPMHeader reads the lead and the headers of the package r, and leaves r at its payload.
func readRPMHeader(r io.Reader) (*rpmPackage, error) {
	var lead [96]byte
	if n, err := io.ReadFull(r, lead[:]); n < 4 || string(lead[:4]) != rpmMagic {
		return nil, errors.New("not an RPM package")
	} else if err != nil {
		return nil, cutShort("its lead", err)
	}
	if _, err := readRPMTags(r, true); err != nil {
		return nil, err
	}
	t, err := readRPMTags(r, false)
	if err != nil {
		return nil, err
	}
	p := &rpmPackage{Control: Control{Name: t.string(rpmName), Version: t.string(rpmVersion) + "-" + t.string(rpmRelease), Arch: rpmArchName(t.string(rpmArch))}}
	if _, ok := t[rpmSource]; ok || lead[7] == 1 {
		return nil, errors.New("a source package: it holds nothing that is built")
	}
	if f := t.string(rpmFormat); f != "" && f != "cpio" {
		return nil, fmt.Errorf("its payload is %q, not cpio", f)
	}
	if algo := t.ints(rpmPayloadAlgo); len(algo) == 1 && algo[0] == rpmSHA256 {
		p.digest = t.string(rpmPayloadDigests)
	}
	names, dirs, dirOf := t.strings(rpmBaseNames), t.strings(rpmDirNames), t.ints(rpmDirIndexes)
	modes, sizes, links := t.ints(rpmFileModes), t.ints(rpmFileSizes), t.strings(rpmFileLinks)
	if long := t.ints(rpmLongFileSizes); long != nil {
		sizes = long
	}
	flags, inodes := t.ints(rpmFileFlags), t.ints(rpmFileInodes)
	if len(dirOf) != len(names) || len(modes) != len(names) || len(sizes) != len(names) {
		return nil, errors.New("its header is damaged: its lists of files differ in length")
	}
	for i, name := range names {
		if dirOf[i] >= uint64(len(dirs)) {
			return nil, errors.New("its header is damaged: a file without a folder")
		}
		f := rpmFile{mode: uint32(modes[i]), size: sizes[i]}
		if f.path, err = clean(dirs[dirOf[i]] + name); err != nil {
			return nil, err
		}
		if i < len(links) {
			f.link = links[i]
		}
		if i < len(flags) {
			f.ghost = flags[i]&rpmGhost != 0
		}
		if i < len(inodes) {
			f.inode = uint32(inodes[i])
		}
		p.files = append(p.files, f)
	}
	return p, nil
}

// readRPM calls each for every file, folder and link in the RPM package r, and returns what its
// header says. Devices are passed over.
func readRPM(r io.Reader, each func(Member) error) (Control, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	p, err := readRPMHeader(b)
	if err != nil {
		return Control{}, err
	}
	var payload io.Reader = b
	sum := sha256.New()
	if p.digest != "" {
		payload = io.TeeReader(b, sum)
	}
	z, err := inflatePayload(payload)
	if err != nil {
		return p.Control, fmt.Errorf("its payload: %w", err)
	}
	defer z.Close()
	err = readCPIO(io.LimitReader(z, maxDebBytes), p.files, each)
	switch {
	case errors.Is(err, errEnough):
		return p.Control, nil
	case err != nil:
		return p.Control, err
	case p.digest == "":
		return p.Control, nil
	}
	return p.Control, checkDigest(payload, sum, p.digest)
}

// checkDigest reads the rest of the payload and compares the hash of all with the header's.
func checkDigest(rest io.Reader, sum hash.Hash, want string) error {
	if _, err := io.Copy(io.Discard, rest); err != nil {
		return fmt.Errorf("its payload: %w", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.ToLower(want) {
		return errors.New("its payload is damaged: its SHA-256 is not the one in the header")
	}
	return nil
}

// inflatePayload returns the cpio archive in r, decompressed unless it is not compressed at all.
func inflatePayload(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if head, _ := b.Peek(5); string(head) == cpioMagic[:5] {
		return io.NopCloser(b), nil
	}
	return inflate(b)
}

// Forms of a cpio entry: SVR4's, without and with a checksum, and RPM's own for packages with
// big files, in which the header of the package has all but the file's number.
const (
	cpioMagic    = "070701"
	cpioCRC      = "070702"
	cpioStripped = "07070X"
	cpioTrailer  = "TRAILER!!!"
)

// readCPIO calls each for every file, folder and link in the archive r, which is the payload of
// a package with the given files. What the header does not list is refused.
func readCPIO(r io.Reader, files []rpmFile, each func(Member) error) error {
	byPath := make(map[string]int, len(files))
	lastOf := map[uint32]int{} // the last of the files that are one by hard links has the content
	for i, f := range files {
		byPath[f.path] = i
		if f.inode != 0 && f.mode&0o170000 == 0o100000 && !f.ghost {
			lastOf[f.inode] = i
		}
	}
	c := &cpioReader{r: r}
	seen := map[int]bool{}
	for n := 0; ; n++ {
		e, err := c.next()
		if err != nil {
			return fmt.Errorf("its payload: %w", err)
		}
		if e.name == cpioTrailer {
			// what follows has the checksums of the compression
			if _, err := io.Copy(io.Discard, r); err != nil {
				return fmt.Errorf("its payload: %w", err)
			}
			return nil
		}
		if n >= maxDebFiles {
			return fmt.Errorf("its payload: more than %d files: %w", maxDebFiles, errTooBig)
		}
		i, ok := e.index, e.index < len(files)
		if e.index < 0 {
			path, err := clean(e.name)
			if err != nil {
				return err
			}
			i, ok = byPath[path]
		}
		switch {
		case !ok:
			return fmt.Errorf("its payload has a file that its header has not: %q", e.name)
		case seen[i]:
			return fmt.Errorf("its payload has two files called %s", files[i].path)
		}
		seen[i] = true
		f := files[i]
		size := e.size
		if e.index >= 0 {
			size = f.size
			switch last, ok := lastOf[f.inode]; {
			case f.mode&0o170000 == 0o120000:
				size = uint64(len(f.link))
			case f.mode&0o170000 != 0o100000, ok && last != i:
				size = 0
			}
		}
		if size > maxDebFile {
			return fmt.Errorf("%s has %d MiB: %w", f.path, size>>20, errTooBig)
		}
		c.left = int64(size)
		m := Member{Path: f.path, Mode: fs.FileMode(f.mode & 0o777), Size: int64(size), Content: c}
		switch f.mode & 0o170000 {
		case 0o100000:
			// the rest of those that are one file have their content elsewhere
			m.Hard = size == 0 && f.size > 0
		case 0o040000:
			m.Mode |= fs.ModeDir
			m.Size = 0
		case 0o120000:
			m.Mode |= fs.ModeSymlink
			m.Link, m.Size = f.link, 0
		default:
			continue
		}
		if err := each(m); err != nil {
			return err
		}
	}
}

// cpioReader reads an archive; between two entries it is an io.Reader of the content.
type cpioReader struct {
	r    io.Reader
	at   int64 // bytes read
	left int64 // of the content
}

type cpioEntry struct {
	name  string
	size  uint64
	index int // of a stripped entry: the number of its file, else -1
}

func (c *cpioReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.at += int64(n)
	c.left -= int64(n)
	if err == io.EOF && c.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// take reads n bytes.
func (c *cpioReader) take(n int) ([]byte, error) {
	b := make([]byte, n)
	got, err := io.ReadFull(c.r, b)
	c.at += int64(got)
	if err != nil {
		return nil, cutShort("it", err)
	}
	return b, nil
}

// align skips to a multiple of four.
func (c *cpioReader) align() error {
	_, err := c.take(int(-c.at & 3))
	return err
}

// next skips what is left of the last entry and reads the head of the next.
func (c *cpioReader) next() (cpioEntry, error) {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return cpioEntry{}, cutShort("it", err)
	}
	if err := c.align(); err != nil {
		return cpioEntry{}, err
	}
	magic, err := c.take(6)
	if err != nil {
		return cpioEntry{}, err
	}
	hexadecimal := func(b []byte) uint64 {
		n, err1 := strconv.ParseUint(string(b), 16, 32)
		if err1 != nil && err == nil {
			err = errors.New("damaged: a head of an entry is not in hexadecimal")
		}
		return n
	}
	e := cpioEntry{index: -1}
	switch string(magic) {
	case cpioStripped:
		b, err1 := c.take(8)
		if err1 != nil {
			return e, err1
		}
		e.index = int(min(hexadecimal(b), math.MaxInt32))
	case cpioMagic, cpioCRC:
		b, err1 := c.take(104)
		if err1 != nil {
			return e, err1
		}
		e.size = hexadecimal(b[48:56])
		length := hexadecimal(b[88:96])
		if length == 0 || length > 4096 {
			return e, fmt.Errorf("damaged: a file's name of %d bytes", length)
		}
		name, err1 := c.take(int(length))
		if err1 != nil {
			return e, err1
		}
		e.name = strings.TrimRight(string(name), "\x00")
	default:
		return e, errors.New("damaged: no entry of a cpio archive where one has to be")
	}
	if err != nil {
		return e, err
	}
	return e, c.align()
}
