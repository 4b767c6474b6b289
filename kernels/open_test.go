package kernels

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ulikunitz/xz/lzma"
)

// lzmaPayload compresses as `lzma -9` does: without the size.
func lzmaPayload(t testing.TB, b []byte) []byte {
	t.Helper()
	var z bytes.Buffer
	w, err := lzma.WriterConfig{DictCap: 64 << 20}.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// fakeELF is a vmlinux of a machine with two segments, of which the later lies first in memory.
func fakeELF(machine elf.Machine, first, second []byte, gap uint64) []byte {
	const base = 0xffff800080000000
	off := uint64(64 + 2*56)
	phs := []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Off: off + uint64(len(first)), Filesz: uint64(len(second)), Memsz: uint64(len(second)), Paddr: base + gap, Vaddr: base + gap},
		{Type: uint32(elf.PT_LOAD), Off: off, Filesz: uint64(len(first)), Memsz: uint64(len(first)), Paddr: base, Vaddr: base},
	}
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 2, Shentsize: 64}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	var b bytes.Buffer
	for _, v := range []any{h, phs, first, second} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// zbootOf is an EFI application of an architecture.
func zbootOf(machine uint16, payload []byte) string {
	b := fakeZboot(payload)
	binary.LittleEndian.PutUint16(b[0x44:], machine)
	return string(b)
}

const someConfig = "#\n# Linux/arm64 6.12.107 Kernel Configuration\n#\nCONFIG_X=y\n# CONFIG_Y is not set\nCONFIG_Z=m\nCONFIG_S=\"a=b\"\n"

// withConfig is a kernel that carries its configuration.
func withConfig(kernel []byte) []byte {
	z := gzipPayload([]byte(someConfig))
	return append(append(append(bytes.Clone(kernel), "IKCFG_ST"...), z[:len(z)-4]...), "IKCFG_ED and more"...)
}

// TestBootForms: of what QEMU does not boot as it is, what is inside is what boots; and where the
// configuration is found that a kernel carries.
func TestBootForms(t *testing.T) {
	image := []byte(fakeImage(rel612))
	flat := withConfig(image)
	riscv := edit(edit(flat, 0x38, "RSC\x05"), 0, "")
	first, second := flat[:100], flat[200:]
	gap := append(append(bytes.Clone(first), make([]byte, 100)...), second...)
	vm := withConfig(fakeVmlinux(rel612, true))
	gz := func(b []byte) string { z := gzipPayload(b); return string(z[:len(z)-4]) }
	for _, tt := range []struct {
		name, content string
		arch, kind    string
		boot          []byte // nil for the file as it is
		config        bool
	}{
		{"Image", string(flat), "arm64", KindImage, nil, true},
		{"Image without a configuration", string(image), "arm64", KindImage, nil, false},
		{"Image.gz", gz(flat), "arm64", KindPacked, flat, true},
		{"Image.zst", string(zstdFrame(flat)), "arm64", KindPacked, flat, true},
		{"Image.lzma", string(lzmaPayload(t, flat)), "arm64", KindPacked, flat, true},
		{"zboot of gzip", zbootOf(peARM64, []byte(gz(flat))), "arm64", KindEFI, flat, true},
		{"zboot of zstd", zbootOf(peARM64, zstdPayload(flat)), "arm64", KindEFI, flat, true},
		{"zboot of lzma", zbootOf(peARM64, append(lzmaPayload(t, flat), 1, 2, 3, 4)), "arm64", KindEFI, flat, true},
		{"zboot of riscv64", zbootOf(peRISCV64, zstdPayload(riscv)), "riscv64", KindEFI, riscv, true},
		{"vmlinux of arm64", string(fakeELF(elf.EM_AARCH64, first, second, 200)), "arm64", KindVmlinux, gap, true},
		{"vmlinux of riscv64", string(fakeELF(elf.EM_RISCV, riscv[:100], riscv[100:], 100)), "riscv64", KindVmlinux, riscv, true},
		{"vmlinux of arm64, compressed", gz(fakeELF(elf.EM_AARCH64, first, second, 200)), "arm64", KindPacked, gap, true},
		{"vmlinux of amd64", string(vm), "amd64", KindVmlinux, nil, true},
		{"vmlinux of amd64, compressed", gz(vm), "amd64", KindPacked, vm, true},
		{"bzImage", string(fakeBzImage(rel612, zstdPayload(vm))), "amd64", KindBzImage, vm, true},
		{"bzImage, compressed", gz(fakeBzImage(rel612, zstdPayload(vm))), "amd64", KindPacked, vm, true},
		{"bzImage without PVH", string(fakeBzImage(rel612, zstdPayload(withConfig(fakeVmlinux(rel612, false))))), "amd64", KindBzImage, nil, true},
		{"zImage", string(fakeZImage(zstdFrame(withConfig(flatKernel(rel612))))), "armhf", KindZImage, nil, true},
		{"zImage of lzma", string(fakeZImage(lzmaPayload(t, withConfig(flatKernel(rel612))))), "armhf", KindZImage, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "x86_64-6.1-bzImage.s390x") // a name that lies
			if err := os.WriteFile(p, []byte(tt.content), 0o644); err != nil {
				t.Fatal(err)
			}
			img, err := Identify(p)
			if err != nil || img.Kind != tt.kind {
				t.Fatalf("%+v, %v", img, err)
			}
			s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // made, and from the cache
				k, err := s.FromPath(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				if k.Version != rel612 || k.Arch != tt.arch || k.Image != p || (k.Boot == p) != (tt.boot == nil) {
					t.Errorf("%+v", k)
				}
				if got, err := os.ReadFile(k.Boot); tt.boot != nil && !bytes.Equal(got, tt.boot) {
					t.Errorf("%d bytes are to boot, want %d; %v", len(got), len(tt.boot), err)
				}
				config, err := k.ReadConfig()
				if err != nil || tt.config != (config != nil) || tt.config && (!config.BuiltIn("CONFIG_X") || config.BuiltIn("CONFIG_Z") || config["CONFIG_S"] != `"a=b"` || len(config) != 3) {
					t.Errorf("%v, %v", config, err)
				}
			}
		})
	}
}

// TestConfigInImageWins: what a kernel says itself counts, and not what lies beside it.
func TestConfigInImageWins(t *testing.T) {
	dir := tree(t, map[string]string{"k": string(withConfig([]byte(fakeImage(rel612)))), "config-" + rel612: "CONFIG_OTHER=y\n"})
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.FromPath(t.Context(), filepath.Join(dir, "k"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := k.ReadConfig(); err != nil || !c.BuiltIn("CONFIG_X") || c.BuiltIn("CONFIG_OTHER") {
		t.Errorf("%v, %v", c, err)
	}
	if want := "the kernel was configured without CONFIG_MODULES"; k.NoModules != want {
		t.Errorf("there are no modules: %q, want %q", k.NoModules, want)
	}
}

// TestUnbootable: what cannot boot in any form is told.
func TestUnbootable(t *testing.T) {
	flat := []byte(fakeImage(rel612))
	gz := func(b []byte) string { z := gzipPayload(b); return string(z[:len(z)-4]) }
	for name, tt := range map[string]struct{ content, why string }{
		"a vmlinux without PVH, compressed":     {gz(fakeVmlinux(rel612, false)), "a vmlinux without a PVH entry; give the bzImage, or build with CONFIG_PVH=y"},
		"compressed twice":                      {gz([]byte(gz(flat))), "no kernel image"},
		"an EFI application in a file":          {gz([]byte(zbootOf(peARM64, zstdPayload([]byte(gz(flat)))))), "its payload"},
		"an EFI application for another":        {zbootOf(peRISCV64, zstdPayload(flat)), "it says that it is for riscv64, and the kernel inside is for arm64"},
		"an EFI application of something":       {zbootOf(0x8664, zstdPayload(flat)), "no kernel image"},
		"an EFI application cut short":          {zbootOf(peARM64, zstdPayload(flat))[:200], "cut short"},
		"an EFI application with a damaged end": {zbootOf(peARM64, append([]byte("LZO?"), flat...)), "its payload, compressed by "},
		"a vmlinux of arm64 without a head":     {string(fakeELF(elf.EM_AARCH64, flatKernel(rel612)[:100], flatKernel(rel612)[100:], 100)), "give arch/*/boot/Image instead"},
		"a vmlinux with segments far apart":     {string(fakeELF(elf.EM_AARCH64, flat[:100], flat[100:], 1<<40)), "bigger than anything genuine"},
		"a vmlinux with segments that wrap":     {string(fakeELF(elf.EM_AARCH64, flat[:100], flat[100:], 1<<63)), "bigger than anything genuine"},
		"an image with a release that climbs":   {fakeImage("6.1/../../x"), "has no banner"},
	} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "k")
			if err := os.WriteFile(p, []byte(tt.content), 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.FromPath(t.Context(), p)
			wantNotKernel(t, err, tt.why)
			onlyLocks(t, s)
		})
	}
}

// Without a cache what has to be unpacked cannot boot.
func TestBootFormsWithoutCache(t *testing.T) {
	flat := []byte(fakeImage(rel612))
	dir := tree(t, map[string]string{"flat": string(flat), "zboot": zbootOf(peARM64, zstdPayload(flat)), "file": ""})
	s, err := OpenStore(filepath.Join(dir, "file", "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	if k, err := s.FromPath(t.Context(), filepath.Join(dir, "flat")); err != nil || k.Boot != filepath.Join(dir, "flat") {
		t.Errorf("%+v, %v", k, err)
	}
	var u *Unavailable
	if _, err := s.FromPath(t.Context(), filepath.Join(dir, "zboot")); !errors.As(err, &u) || u.Reason != Unwritable {
		t.Errorf("%v", err)
	}
}

func FuzzOpen(f *testing.F) {
	flat := withConfig([]byte(fakeImage(rel612)))
	f.Add(flat)
	f.Add([]byte(zbootOf(peARM64, zstdPayload(flat))))
	f.Add(fakeELF(elf.EM_AARCH64, flat[:100], flat[200:], 200))
	f.Add(fakeBzImage(rel612, zstdPayload(withConfig(fakeVmlinux(rel612, true)))))
	f.Add(lzmaPayload(f, flat))
	f.Add(zstdFrame(flat))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := identify(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		p := filepath.Join(dir, "boot")
		inner, config, err := open(bytes.NewReader(b), int64(len(b)), img, p)
		if err != nil && (inner || config != nil) {
			t.Fatal("an error and a result")
		}
		if _, err := os.Stat(p); (err == nil) != inner {
			t.Fatalf("inner is %v, and the file: %v", inner, err)
		}
		os.Remove(p)
		if config != nil {
			if _, err := ParseConfig(config); err != nil {
				t.Fatal(err)
			}
		}
	})
}
