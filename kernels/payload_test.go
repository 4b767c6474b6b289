package kernels

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// flatKernel is the least that passes for what is inside a self-extracting image.
func flatKernel(release string) []byte {
	return append(make([]byte, 256), "Linux version "+release+" (a@b) #1\x00 and more"...)
}

// zstdFrame is b compressed, without the size that the kernel's build appends.
func zstdFrame(b []byte) []byte {
	z := zstdPayload(b)
	return z[:len(z)-4]
}

// fakeS390 is the head of an image of s390x, with its version at the address at.
func fakeS390(release string, at uint64) []byte {
	b := make([]byte, 0x11000)
	copy(b[0x10008:], "S390EP")
	binary.BigEndian.PutUint64(b[0x10428:], at)
	copy(b[0x10800:], release+" (a@b) #1 SMP\x00")
	return b
}

// fakeZImage is a zImage with a payload behind something that looks like the beginning of one.
func fakeZImage(payload []byte) []byte {
	b := edit(make([]byte, 64), 0x24, "\x18\x28\x6f\x01")
	b = append(b, "\x28\xb5\x2f\xfd no frame"...)
	b = append(append(b, payload...), "what follows"...)
	binary.LittleEndian.PutUint32(b[0x2c:], uint32(len(b)))
	return b
}

// fakeZboot is an EFI image of loong64 with a payload.
func fakeZboot(payload []byte) []byte {
	b := edit(edit(edit(make([]byte, 128), 0, "MZ\x00\x00zimg"), 0x3c, "\x40"), 0x44, "\x64\x62")
	binary.LittleEndian.PutUint32(b[8:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[12:], uint32(len(payload)))
	return append(b, payload...)
}

// fakeMIPS is a vmlinuz of mips64el: an ELF file with a payload in its segment.
func fakeMIPS(payload []byte) []byte {
	b := bytes.ReplaceAll(fakeVmlinux(rel612, false), []byte("Linux version 6"), []byte("Minix version 6"))
	binary.LittleEndian.PutUint16(b[18:], uint16(elf.EM_MIPS))
	return append(append(b, payload...), "a size and other sections"...)
}

// lzopFile is a kernel of the release rel612 that lzop compressed: a block of text that repeats, and
// one that does not become smaller.
func lzopFile(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/kernel.lzo")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLZOP(t *testing.T) {
	whole := lzopFile(t)
	unpack := func(b []byte) ([]byte, error) {
		z, err := inflate(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	}
	got, err := unpack(whole)
	if err != nil || len(got) != 300<<10 || !bytes.Contains(got, []byte("Linux version "+rel612+" (a@b)")) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for n := 0; n < len(whole); n += 41 {
		if _, err := unpack(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for all", n, len(whole))
		}
	}
	for name, at := range map[string]int{"the version": 9, "the flags": 19, "the size of a block": 45, "what is packed of it": 51} {
		b := bytes.Clone(whole)
		b[at] ^= 0x18
		if _, err := unpack(b); err == nil {
			t.Errorf("%s is wrong, and nothing is said", name)
		}
	}
}

func FuzzLZOP(f *testing.F) {
	f.Add(lzopFile(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := inflate(bytes.NewReader(append([]byte(lzopMagic), b...)))
		if err == nil {
			io.Copy(io.Discard, z)
		}
	})
}

func TestIdentifySelfExtracting(t *testing.T) {
	z := zstdFrame(flatKernel(rel612))
	for _, c := range []struct {
		name                string
		data                []byte
		kind, arch, version string
	}{
		{"s390x", fakeS390(rel612, 0x10800), KindS390, "s390x", rel612},
		{"s390x with its version behind the end", fakeS390(rel612, 1<<30), "", "", ""},
		{"s390x with its version nowhere", fakeS390(rel612, 0), "", "", ""},
		{"s390x with no version there", fakeS390("none", 0x10800), "", "", ""},
		{"s390x cut short", fakeS390(rel612, 0x10800)[:0x10020], "", "", ""},
		{"zImage", fakeZImage(z), KindZImage, "armhf", rel612},
		{"zImage of gzip", fakeZImage(gzipPayload(flatKernel(rel612))), KindZImage, "armhf", rel612},
		{"zImage of something else", fakeZImage(zstdFrame([]byte("no kernel"))), "", "", ""},
		{"zImage of lzop", fakeZImage(lzopFile(t)), KindZImage, "armhf", rel612},
		{"vmlinuz of mips", fakeMIPS(z), KindVmlinuz, "mips64el", rel612},
		{"vmlinuz of mips without a kernel", fakeMIPS(zstdFrame([]byte("no kernel"))), "", "", ""},
		{"zboot", fakeZboot(z), KindEFI, "loong64", rel612},
		{"zboot of something else", fakeZboot([]byte("no frame")), "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := identify(bytes.NewReader(c.data), int64(len(c.data)))
			if (err != nil) != (c.kind == "") || img.Kind != c.kind || img.Arch != c.arch || img.Version != c.version {
				t.Errorf("%+v, %v", img, err)
			}
		})
	}
}

// TestUnwrap: the kernel inside is what boots, in the form of the architecture.
func TestUnwrap(t *testing.T) {
	flat := flatKernel(rel612)
	cat, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		kernel Kernel
		image  []byte
		want   []byte // nil: the image itself
	}{
		{"loong64", Kernel{Arch: "loong64"}, fakeZboot(zstdFrame(flat)), flat},
		{"loong64 without a kernel inside", Kernel{Arch: "loong64"}, fakeZboot([]byte("no frame")), nil},
		{"Debian's armhf", Kernel{Arch: "armhf", Package: "linux-image-6.12-armmp"}, fakeZImage(zstdFrame(flat)), append(uImage(uint32(len(flat)), 0x40208000), flat...)},
		{"a user's armhf", Kernel{Arch: "armhf"}, fakeZImage(zstdFrame(flat)), nil},
		{"i386", Kernel{Arch: "i386"}, fakeKernel(rel612), nil}, // of amd64, in truth
		{"arm64", Kernel{Arch: "arm64"}, flat, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := OpenStore(t.TempDir(), cat)
			if err != nil {
				t.Fatal(err)
			}
			k := c.kernel
			k.Image, k.SHA256 = filepath.Join(t.TempDir(), "image"), "0123"
			k.Boot = k.Image
			if err := os.WriteFile(k.Image, c.image, 0o644); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time from the cache
				k := k
				s.unwrap(t.Context(), &k)
				got, err := os.ReadFile(k.Boot)
				if err != nil {
					t.Fatal(err)
				}
				if want := c.want; want != nil && !bytes.Equal(got, want) || want == nil && c.name != "i386" && k.Boot != k.Image {
					t.Errorf("%s is to boot, %d bytes", k.Boot, len(got))
				}
			}
		})
	}
}

func TestInnerCheck(t *testing.T) {
	for _, c := range []struct {
		inner inner
		ok    bool
	}{
		{inner{Form: "vmlinux"}, true}, {inner{Form: "image"}, true}, {inner{Form: "uimage", Load: 1}, true},
		{inner{Form: "uimage"}, false}, {inner{Form: "floppy"}, false}, {inner{}, false},
	} {
		if err := c.inner.check(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.inner, err)
		}
	}
}

// TestCatalogueOfArchs: the facts of the whole catalogue that the matrices rest on.
func TestCatalogueOfArchs(t *testing.T) {
	cat, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range cat.Archs() {
		if len(cat.Default(a)) == 0 {
			t.Errorf("%s has no default matrix", a)
		}
	}
	if n := len(cat.Default("")); n != 11 {
		t.Errorf("the default matrix has %d kernels, want eleven", n)
	}
	for _, e := range cat.All() {
		if len(e.ABIs) > 0 && !e.All {
			t.Errorf("%s: ABIs of a kernel in no matrix", e.Name)
		}
	}
	e, err := cat.Lookup("6.5/i386", "")
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := newest(e, []candidate{{Package: "linux-image-6.5.0-0.deb12.4-686-pae", Version: "6.5.10-1~bpo12+1", Arch: "i386"}}); !ok || c.Release != "6.5.0-0.deb12.4-686-pae" {
		t.Errorf("%+v", c)
	}
}

func FuzzPayload(f *testing.F) {
	z := zstdFrame(flatKernel(rel612))
	f.Add(fakeZImage(z))
	f.Add(fakeS390(rel612, 0x10800))
	f.Add(fakeZboot(z))
	f.Add(fakeMIPS(z))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := identify(bytes.NewReader(b), int64(len(b)))
		if err == nil && img.Version != "" && !releaseForm.MatchString(img.Version) {
			t.Fatalf("version %q", img.Version)
		}
	})
}
