package kernels

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"pivotspec/kernels/cause"
)

// Kinds of kernel image, as [Identify] tells them apart.
const (
	// KindBzImage is x86's self-extracting image.
	KindBzImage = "bzImage"
	// KindVmlinux is an ELF file, not compressed.
	KindVmlinux = "vmlinux"
	// KindImage is the flat image of arm64, loong64 and riscv64.
	KindImage = "Image"
	// KindPacked is an image of another kind in a file that is compressed as a whole, such as arm64's
	// Image.gz.
	KindPacked = "compressed image"
	// KindZImage is armhf's self-extracting image.
	KindZImage = "zImage"
	// KindEFI is an EFI application with a compressed image inside (arm64, riscv64, loong64).
	KindEFI = "vmlinuz.efi"
	// KindS390 is the flat self-extracting image of s390x, which the kernel calls bzImage too.
	KindS390 = "s390x image"
	// KindVmlinuz is an ELF file with a compressed kernel inside (mips64el).
	KindVmlinuz = "vmlinuz"
)

// Image is what the content of a kernel image says about it.
type Image struct {
	// Kind is one of the Kind constants.
	Kind string
	// Arch is Debian's name of the architecture.
	Arch string
	// Version is the release string, "" for a kind that does not show it.
	Version string
	// PVH is set for a vmlinux that has a PVH entry, by which QEMU can boot it.
	PVH bool

	// where the compressed payload of a bzImage or an EFI application lies, in bytes; size 0 if it
	// has none
	payload, payloadSize int64
}

// boots says whether QEMU boots a file of this kind as it is. Of what is compressed it undoes only
// gzip, on arm64 alone, and it takes the program headers of a vmlinux for physical addresses, which
// those of arm64 and riscv64 are not.
func (i Image) boots() bool {
	return i.Kind != KindPacked && i.Kind != KindEFI && !i.flattens()
}

// flattens says whether it is a vmlinux that boots as the flat image made of it.
func (i Image) flattens() bool {
	return i.Kind == KindVmlinux && (i.Arch == "arm64" || i.Arch == "riscv64")
}

// maxImage bounds the size of an image, also of one inside another, in bytes. A vmlinux with
// all drivers built in has some 100 MiB, with debugging information about 1 GiB.
const maxImage = 2 << 30

// maxSegments bounds how many segments an ELF file has: kernels have up to ten. Each can be all of the file,
// which is read as often.
const maxSegments = 64

// errNotKernel is the cause for anything that is no kernel image at all.
var errNotKernel = errors.New("no kernel image of a kind known here")

// truncated is the cause for an image that has less bytes than it says.
type truncated struct{ have, want int64 }

func (t truncated) Error() string {
	return fmt.Sprintf("cut short: %d bytes, its header says %d", t.have, t.want)
}

// Identify tells from the content of the file path, never from its name, what kernel image it
// is. A file that is none, is empty or cut short gives a *NotKernelError.
func Identify(path string) (Image, error) {
	f, err := openRegular(path)
	if err != nil {
		return Image{}, &NotKernelError{Path: path, Why: reasonOf(err), Do: "give a kernel image, a folder with one, or a name from `pivotspec kernels list`", Err: err}
	}
	defer f.Close()
	st, err := f.Stat()
	var img Image
	if err == nil {
		img, err = identify(f, st.Size())
	}
	if err != nil {
		var t truncated
		if errors.As(err, &t) {
			return Image{}, &NotKernelError{Path: path, Truncated: true, Why: err.Error(), Do: "copy or build it again", Err: err}
		}
		return Image{}, &NotKernelError{Path: path, Why: err.Error(), Do: "give a bzImage, an Image, a vmlinux, or a folder that holds one", Err: err}
	}
	return img, nil
}

// reasonOf returns the cause in a file system's error, without operation and path.
func reasonOf(err error) string {
	return cause.Of(err).Error()
}

// identify does the work of [Identify] for size bytes at r.
func identify(r io.ReaderAt, size int64) (Image, error) {
	if size == 0 {
		return Image{}, errors.New("it is empty")
	}
	if size > maxImage {
		return Image{}, errTooBig
	}
	head := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return Image{}, err
	}
	at := func(off int, magic string) bool {
		return len(head) >= off+len(magic) && string(head[off:off+len(magic)]) == magic
	}
	// The offsets and magic numbers are those of Documentation/arch/x86/boot.rst,
	// Documentation/arch/arm64/booting.rst, arch/loongarch/kernel/head.S, Documentation/arch/riscv/boot-image-header.rst,
	// arch/arm/boot/compressed/head.S and drivers/firmware/efi/libstub/zboot-header.S.
	switch {
	case at(0x202, "HdrS") && at(0x1fe, "\x55\xaa"):
		return identifyBzImage(r, size, head)
	case at(0, elf.ELFMAG):
		return identifyELF(r, size)
	case at(0, "MZ") && at(4, "zimg"):
		return identifyEFI(r, size, head)
	case at(0x38, "ARM\x64"):
		return identifyFlat(r, size, head, "arm64")
	case at(0x38, "RSC\x05"):
		return identifyFlat(r, size, head, "riscv64")
	case at(0, "MZ") && at(0x38, "\xcd\x23\x82\x81") && peMachine(head) == peLoong64:
		return identifyFlat(r, size, head, "loong64")
	case at(0x24, "\x18\x28\x6f\x01"):
		start, end := u32(head, 0x28), u32(head, 0x2c)
		if want := int64(end) - int64(start); end < start || want > size {
			return Image{}, truncated{size, want}
		}
		v, err := payload(r, size, io.Discard)
		if err == nil && v == "" {
			err = fmt.Errorf("it begins like a zImage of arm, and nothing in it is a kernel: %w", errNotKernel)
		}
		if err != nil {
			return Image{}, err
		}
		return Image{Kind: KindZImage, Arch: "armhf", Version: v}, nil
	case at(0x1fe, "\x55\xaa") && at(0, "MZ"):
		return Image{}, fmt.Errorf("a boot sector or an EFI program: %w", errNotKernel)
	case isS390(r):
		return identifyS390(r, size)
	}
	return identifyPacked(r, size)
}

func u16(b []byte, off int) uint16 {
	if off+2 > len(b) {
		return 0
	}
	return binary.LittleEndian.Uint16(b[off:])
}

func u32(b []byte, off int) uint32 {
	if off+4 > len(b) {
		return 0
	}
	return binary.LittleEndian.Uint32(b[off:])
}

// identifyBzImage reads the setup header, whose layout is in Documentation/arch/x86/boot.rst.
func identifyBzImage(r io.ReaderAt, size int64, head []byte) (Image, error) {
	const headerEnd = 0x268 // of protocol 2.12, the newest field that is read here
	if len(head) < headerEnd {
		return Image{}, truncated{size, headerEnd}
	}
	protocol := u16(head, 0x206)
	if protocol < 0x020a {
		// 2.10 came with 2.6.31: nothing older boots under the QEMU machines used here
		return Image{}, fmt.Errorf("its boot protocol %d.%02d is older than 2.10", protocol>>8, protocol&0xff)
	}
	if head[0x211]&1 == 0 { // LOADED_HIGH
		return Image{}, errors.New("it is a zImage to be loaded low, which nothing boots any more")
	}
	sects := int64(head[0x1f1])
	if sects == 0 {
		sects = 4
	}
	start := (sects + 1) * 512
	// syssize counts 16-byte units
	if want := start + int64(u32(head, 0x1f4))*16; want > size {
		return Image{}, truncated{size, want}
	}
	img := Image{Kind: KindBzImage, Arch: "i386"}
	if protocol >= 0x020c && u16(head, 0x236)&1 != 0 { // XLF_KERNEL_64
		img.Arch = "amd64"
	}
	off, n := int64(u32(head, 0x248)), int64(u32(head, 0x24c))
	if n > 0 {
		if want := start + off + n; want > size {
			return Image{}, truncated{size, want}
		}
		img.payload, img.payloadSize = start+off, n
	}
	// kernel_version points, less 0x200, at "6.12.107+deb13-cloud-amd64 (builder) #1 ..."
	if v := int64(u16(head, 0x20e)); v != 0 {
		var err error
		if img.Version, err = releaseAt(r, 0x200+v); err != nil {
			return Image{}, err
		}
	}
	if img.Version == "" {
		return Image{}, errors.New("its header names no kernel version")
	}
	return img, nil
}

// releaseAt returns the release string at the beginning of the text at off, "" if there is none.
func releaseAt(r io.ReaderAt, off int64) (string, error) {
	buf := make([]byte, 256)
	got, err := r.ReadAt(buf, off)
	if err != nil && err != io.EOF {
		return "", err
	}
	text, _, _ := strings.Cut(string(buf[:got]), "\x00")
	release, _, _ := strings.Cut(text, " ")
	if !releaseForm.MatchString(release) {
		return "", nil
	}
	return release, nil
}

// releaseForm is the form of a kernel's release string (UTS_RELEASE; 64 bytes at most). It becomes
// the name of files: there is no slash in it, with which its modules could not be installed.
var releaseForm = regexp.MustCompile(`^[0-9]+\.[0-9]+[!-.0-~]{0,60}$`)

// machineArch gives Debian's name of an architecture for an ELF file's machine and class.
func machineArch(h elf.FileHeader) string {
	switch {
	case h.Machine == elf.EM_X86_64:
		return "amd64"
	case h.Machine == elf.EM_386:
		return "i386"
	case h.Machine == elf.EM_AARCH64:
		return "arm64"
	case h.Machine == elf.EM_ARM:
		return "armhf"
	case h.Machine == elf.EM_RISCV && h.Class == elf.ELFCLASS64:
		return "riscv64"
	case h.Machine == elf.EM_PPC64 && h.Data == elf.ELFDATA2LSB:
		return "ppc64el"
	case h.Machine == elf.EM_S390 && h.Class == elf.ELFCLASS64:
		return "s390x"
	case h.Machine == elf.EM_MIPS && h.Class == elf.ELFCLASS64 && h.Data == elf.ELFDATA2LSB:
		return "mips64el"
	case h.Machine == elf.EM_LOONGARCH && h.Class == elf.ELFCLASS64:
		return "loong64"
	}
	return ""
}

// identifyELF tells a kernel from any other program by Linux's banner: the version string
// that every kernel carries and prints first.
func identifyELF(r io.ReaderAt, size int64) (Image, error) {
	f, err := elf.NewFile(io.NewSectionReader(r, 0, size))
	if err != nil {
		return Image{}, fmt.Errorf("an ELF file, but cut short or damaged: %w", err)
	}
	defer f.Close()
	img := Image{Kind: KindVmlinux, Arch: machineArch(f.FileHeader)}
	if img.Arch == "" {
		return Image{}, fmt.Errorf("an ELF file for %v, which is no architecture of the harness", f.Machine)
	}
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return Image{}, fmt.Errorf("an ELF file of type %v: %w", f.Type, errNotKernel)
	}
	if len(f.Progs) > maxSegments {
		return Image{}, fmt.Errorf("an ELF file with %d segments: %w", len(f.Progs), errTooBig)
	}
	loads := 0
	for _, p := range f.Progs {
		// Only programs of a kernel have an interpreter, or say how their stack is to be: a
		// static program may well hold a banner.
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_GNU_STACK {
			return Image{}, fmt.Errorf("a program: %w", errNotKernel)
		}
		if p.Type != elf.PT_LOAD && p.Type != elf.PT_NOTE {
			continue
		}
		// unsigned: a sum that wraps around is not in the file either
		if end := p.Off + p.Filesz; end < p.Off || end > uint64(size) {
			return Image{}, truncated{size, int64(min(end, 1<<62))}
		}
		if p.Type == elf.PT_LOAD {
			loads++
			if img.Version == "" {
				if img.Version, err = banner(io.NewSectionReader(r, int64(p.Off), int64(p.Filesz))); err != nil {
					return Image{}, err
				}
			}
		}
		if p.Type == elf.PT_NOTE && !img.PVH {
			if img.PVH, err = hasPVHNote(r, p, f.ByteOrder); err != nil {
				return Image{}, err
			}
		}
	}
	if loads > 0 && img.Version == "" {
		if img.Version, err = packedELF(r, size, f); err != nil {
			return Image{}, err
		}
		img.Kind = KindVmlinuz
	}
	if loads == 0 || img.Version == "" {
		return Image{}, fmt.Errorf("an ELF file without Linux's banner: %w", errNotKernel)
	}
	return img, nil
}

// hasPVHNote says whether the notes in p hold XEN_ELFNOTE_PHYS32_ENTRY, the PVH entry
// (xen/include/public/elfnote.h; QEMU's hw/i386/x86.c looks for the same).
func hasPVHNote(r io.ReaderAt, p *elf.Prog, order binary.ByteOrder) (bool, error) {
	const maxNotes = 1 << 20
	if p.Filesz > maxNotes {
		return false, nil
	}
	b := make([]byte, p.Filesz)
	if _, err := r.ReadAt(b, int64(p.Off)); err != nil && err != io.EOF {
		return false, err
	}
	pad := func(n uint32) uint64 { return (uint64(n) + 3) &^ 3 }
	for len(b) >= 12 {
		name, desc, typ := order.Uint32(b), order.Uint32(b[4:]), order.Uint32(b[8:])
		b = b[12:]
		end := pad(name) + pad(desc)
		if end > uint64(len(b)) {
			return false, nil
		}
		if typ == 18 && name == 4 && string(b[:4]) == "Xen\x00" && desc >= 4 {
			return true, nil
		}
		b = b[end:]
	}
	return false, nil
}

// bannerForm is Linux's banner, in init/version-timestamp.c and before in init/version.c.
// The format string of /proc/version looks alike but has %s where the digits are.
var bannerForm = regexp.MustCompile(`Linux version ([0-9]+\.[0-9]+[!-.0-~]{0,60}) \(`)

// banner returns the release string in Linux's banner somewhere in r, "" if there is none.
func banner(r io.Reader) (string, error) {
	const overlap = 256
	mark := []byte("Linux version ")
	buf := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		b := buf[:kept+n]
		for at := 0; ; {
			i := bytes.Index(b[at:], mark)
			if i < 0 {
				break
			}
			at += i
			if m := bannerForm.FindSubmatch(b[at:min(len(b), at+overlap)]); m != nil {
				return string(m[1]), nil
			}
			at += len(mark)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		kept = copy(buf, b[len(b)-overlap:])
	}
}

// identifyFlat reads the header that the flat images of arm64, loong64 and riscv64 share.
func identifyFlat(r io.ReaderAt, size int64, head []byte, arch string) (Image, error) {
	// image_size at 16 counts .bss too, which is not in the file: it cannot tell a cut
	v, err := banner(io.NewSectionReader(r, 0, size))
	if err != nil {
		return Image{}, err
	}
	if v == "" {
		return Image{}, fmt.Errorf("it begins like an image of %s but has no banner: cut short, or %w", arch, errNotKernel)
	}
	return Image{Kind: KindImage, Arch: arch, Version: v}, nil
}

// Machines in the head of an EFI application.
const (
	peARM64   = 0xaa64
	peRISCV64 = 0x5064
	peLoong64 = 0x6264
)

// peMachine returns the machine in the COFF header, 0 if there is none.
func peMachine(head []byte) uint16 {
	pe := u32(head, 0x3c)
	if pe > uint32(len(head)) {
		return 0
	}
	return u16(head, int(pe)+4)
}

// identifyEFI reads the header of an EFI zboot image: payload's place at 8, size at 12.
func identifyEFI(r io.ReaderAt, size int64, head []byte) (Image, error) {
	off, n := int64(u32(head, 8)), int64(u32(head, 12))
	if off+n > size {
		return Image{}, truncated{size, off + n}
	}
	img := Image{Kind: KindEFI, payload: off, payloadSize: n}
	switch peMachine(head) {
	case peARM64:
		img.Arch = "arm64"
	case peRISCV64:
		img.Arch = "riscv64"
	case peLoong64:
		img.Arch = "loong64"
	default:
		return Image{}, errNotKernel
	}
	var err error
	if img.Version, err = unpackTo(io.NewSectionReader(r, off, n), io.Discard); err != nil {
		return Image{}, fmt.Errorf("its payload: %w", err)
	}
	if img.Version == "" {
		name, _, _ := strings.Cut(string(head[0x18:min(len(head), 0x38)]), "\x00")
		return Image{}, fmt.Errorf("its payload, compressed by %q, is damaged, or holds no kernel", name)
	}
	return img, nil
}

// identifyPacked looks into an image that is compressed as a whole.
func identifyPacked(r io.ReaderAt, size int64) (Image, error) {
	var b bytes.Buffer
	if _, err := unpackAll(r, size, &b); errors.Is(err, errNoCompression) {
		return Image{}, errNotKernel
	} else if err != nil {
		return Image{}, fmt.Errorf("compressed data, but cut short or damaged: %w", err)
	}
	if _, err := decompress(bytes.NewReader(b.Bytes())); err == nil {
		return Image{}, errNotKernel // no kernel is compressed twice
	}
	img, err := identify(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return Image{}, fmt.Errorf("compressed data: %w", err)
	}
	img.Kind, img.payload, img.payloadSize = KindPacked, 0, 0
	return img, nil
}

// unpackAll writes what the compressed file r holds to w and returns its size.
func unpackAll(r io.ReaderAt, size int64, w io.Writer) (int64, error) {
	z, err := inflate(io.NewSectionReader(r, 0, size))
	if err != nil {
		return 0, err
	}
	defer z.Close()
	return copyBounded(w, z, maxPacked)
}

// innerVmlinux writes the vmlinux inside the bzImage r to w, and reports whether it boots by a
// PVH entry. A bzImage whose payload is compressed in a way that cannot be undone here, or that
// has no PVH entry, gives false and no error: it boots as it is.
func innerVmlinux(r io.ReaderAt, img Image, w *os.File) (bool, error) {
	if img.Kind != KindBzImage || img.payloadSize < 8 {
		return false, nil
	}
	// the payload ends with 4 bytes that give its size decompressed (arch/x86/boot/compressed/
	// mkpiggy.c reads them); they belong to no compressed frame
	z, err := inflate(io.NewSectionReader(r, img.payload, img.payloadSize-4))
	if errors.Is(err, errNoCompression) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer z.Close()
	var last [4]byte
	if _, err := r.ReadAt(last[:], img.payload+img.payloadSize-4); err != nil {
		return false, err
	}
	want := int64(binary.LittleEndian.Uint32(last[:]))
	if want == 0 || want > maxImage {
		return false, fmt.Errorf("its payload says that it has %d bytes: %w", want, errTooBig)
	}
	// Exactly as many as it says: some kernels have more bytes after the frame.
	if n, err := io.CopyN(w, z, want); err != nil {
		if errors.Is(err, io.EOF) {
			return false, truncated{n, want}
		}
		return false, fmt.Errorf("its payload: %w", err)
	}
	inner, err := identifyELF(w, want)
	if err != nil {
		return false, fmt.Errorf("its payload: %w", err)
	}
	if inner.Version != img.Version || inner.Arch != img.Arch {
		return false, fmt.Errorf("its header says %s %s, the vmlinux inside %s %s", img.Version, img.Arch, inner.Version, inner.Arch)
	}
	return inner.PVH, nil
}
