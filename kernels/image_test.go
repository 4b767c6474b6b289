package kernels

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edit returns a copy of b with the bytes s at off.
func edit(b []byte, off int, s string) []byte {
	b = bytes.Clone(b)
	copy(b[off:], s)
	return b
}

func TestIdentify(t *testing.T) {
	bz := fakeKernel(rel612)
	vm := fakeVmlinux(rel612, true)
	flat := edit(append(make([]byte, 64), vm...), 0x38, "ARM\x64")
	zimage := edit(edit(make([]byte, 64), 0x24, "\x18\x28\x6f\x01"), 0x2c, "\x40")
	efi := edit(edit(edit(make([]byte, 128), 0, "MZ\x00\x00zimg"), 0x3c, "\x40"), 0x44, "\x64\xaa")
	gz := gzipPayload(flat)
	gz = gz[:len(gz)-4]
	tests := []struct {
		name      string
		data      []byte
		kind      string
		arch      string
		version   string
		pvh       bool
		truncated bool
		why       string
	}{
		{name: "bzImage", data: bz, kind: KindBzImage, arch: "amd64", version: rel612},
		{name: "bzImage for i386", data: edit(bz, 0x236, "\x00"), kind: KindBzImage, arch: "i386", version: rel612},
		{name: "signed bzImage", data: append(bytes.Clone(bz), make([]byte, 1472)...), kind: KindBzImage, arch: "amd64", version: rel612},
		{name: "vmlinux", data: vm, kind: KindVmlinux, arch: "amd64", version: rel612, pvh: true},
		{name: "vmlinux without PVH", data: fakeVmlinux(rel612, false), kind: KindVmlinux, arch: "amd64", version: rel612},
		{name: "Image", data: flat, kind: KindImage, arch: "arm64", version: rel612},
		{name: "Image.gz", data: gz, kind: KindPacked, arch: "arm64", version: rel612},
		{name: "zImage without a kernel", data: zimage, why: "nothing in it is a kernel"},
		{name: "EFI zboot without a payload", data: efi, why: "payload"},

		{name: "empty", why: "empty"},
		{name: "text", data: []byte("hello\n"), why: "no kernel image"},
		{name: "zeroes", data: make([]byte, 8192), why: "no kernel image"},
		{name: "bzImage cut in its kernel", data: bz[:len(bz)-16], truncated: true, why: "cut short"},
		{name: "bzImage cut in its header", data: bz[:0x210], truncated: true, why: "cut short"},
		{name: "payload past the end", data: edit(bz, 0x24c, "\xff\xff\xff\x7f"), truncated: true, why: "cut short"},
		{name: "old protocol", data: edit(bz, 0x206, "\x04\x02"), why: "2.04"},
		{name: "zImage low", data: edit(bz, 0x211, "\x00"), why: "low"},
		{name: "version out of the file", data: edit(bz, 0x20e, "\xff\xff"), why: "no kernel version"},
		{name: "vmlinux cut short", data: vm[:len(vm)-10], truncated: true, why: "cut short"},
		{name: "ELF header only", data: vm[:64], why: "cut short or damaged"},
		{name: "ELF of a strange machine", data: edit(vm, 18, "\x02"), why: "no architecture"},
		{name: "object file", data: edit(vm, 16, "\x01"), why: "ET_REL"},
		{name: "vmlinux without a banner", data: bytes.ReplaceAll(vm, []byte("Linux version 6"), []byte("Minix version 6")), why: "banner"},
		{name: "segment that wraps around", data: edit(vm, 64+8, "\xff\xff\xff\xff\xff\xff\xff\xff"), why: ""},
		{name: "gzip of text", data: gzipPayload([]byte("hello"))[:29], why: "compressed data"},
		{name: "gzip cut short", data: gz[:len(gz)/2], why: "compressed data"},
		{name: "zImage cut short", data: edit(zimage, 0x2c, "\x00\x10"), truncated: true, why: "cut short"},
		{name: "Image without a banner", data: flat[:128], why: "banner"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(p, tt.data, 0o644); err != nil {
				t.Fatal(err)
			}
			img, err := Identify(p)
			if tt.kind != "" {
				if err != nil || img.Kind != tt.kind || img.Arch != tt.arch || img.Version != tt.version || img.PVH != tt.pvh {
					t.Errorf("%+v, %v", img, err)
				}
				return
			}
			var n *NotKernelError
			if !errors.As(err, &n) || n.Truncated != tt.truncated || n.Path != p || !strings.Contains(err.Error(), tt.why) || n.Do == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("%+v, %v; want %q, truncated %v", img, err, tt.why, tt.truncated)
			}
		})
	}
	// the test's own program is an ELF file and holds a banner: those of the tests above
	if exe, err := os.Executable(); err == nil {
		if img, err := Identify(exe); err == nil {
			t.Errorf("a program is taken for a kernel: %+v", img)
		}
	}
}

func TestBannerAcrossBlocks(t *testing.T) {
	text := "Linux version " + rel612 + " (a@b) #1"
	for _, at := range []int{0, 1<<20 - 1, 1<<20 - 20, 1<<20 - 256, 1 << 20, 2<<20 - 300} {
		b := append(make([]byte, at), text...)
		if v, err := banner(bytes.NewReader(append(b, make([]byte, 1000)...))); v != rel612 || err != nil {
			t.Errorf("at %d: %q, %v", at, v, err)
		}
	}
}

func TestInnerVmlinux(t *testing.T) {
	vm := fakeVmlinux(rel612, true)
	relocs := append(bytes.Clone(vm), make([]byte, 1000)...) // the kernel's build appends relocations
	z := zstdPayload(relocs)
	behind := append(bytes.Clone(z[:len(z)-4]), "padding"...)
	behind = binary.LittleEndian.AppendUint32(behind, uint32(len(relocs)))
	tests := []struct {
		name    string
		payload []byte
		pvh     bool
		fail    bool
	}{
		{"zstd", z, true, false},
		{"gzip", gzipPayload(vm), true, false},
		{"bytes after the frame", behind, true, false},
		{"no PVH entry", zstdPayload(fakeVmlinux(rel612, false)), false, false},
		{"a compression unknown here", []byte("a compression of years to come"), false, false},
		{"lzop without a head", []byte("\x89LZO\x00\x0d\x0a\x1a\x0a and so on"), false, true},
		{"another kernel inside", zstdPayload(fakeVmlinux(rel61, true)), false, true},
		{"no kernel inside", zstdPayload([]byte("hello, this is no ELF file at all")), false, true},
		{"damaged", append(bytes.Clone(z[:len(z)/2]), 0, 0, 0, 0, 0, 1, 0, 0), false, true},
		{"says it is huge", append(bytes.Clone(z[:len(z)-4]), 0xff, 0xff, 0xff, 0xff), false, true},
		{"says it is empty", append(bytes.Clone(z[:len(z)-4]), 0, 0, 0, 0), false, true},
		{"says it is bigger than it is", binary.LittleEndian.AppendUint32(bytes.Clone(z[:len(z)-4]), uint32(len(relocs)+1)), false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bz := fakeBzImage(rel612, tt.payload)
			img, err := identify(bytes.NewReader(bz), int64(len(bz)))
			if err != nil {
				t.Fatal(err)
			}
			w, err := os.Create(filepath.Join(t.TempDir(), "v"))
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			pvh, err := innerVmlinux(bytes.NewReader(bz), img, w)
			if pvh != tt.pvh || (err != nil) != tt.fail {
				t.Errorf("%v, %v", pvh, err)
			}
		})
	}
}

func FuzzIdentify(f *testing.F) {
	bz, vm := fakeKernel(rel612), fakeVmlinux(rel612, true)
	gz := gzipPayload(vm)
	for _, b := range [][]byte{bz, vm, gz[:len(gz)-4], fakeBzImage(rel612, gz), bz[:0x240], vm[:80],
		edit(append(make([]byte, 64), vm...), 0x38, "RSC\x05"), edit(edit(make([]byte, 128), 0, "MZ\x00\x00zimg"), 0x3c, "\x40")} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := identify(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if img.Kind == "" || img.Arch == "" {
			t.Fatalf("%+v", img)
		}
		if img.payload+img.payloadSize > int64(len(b)) {
			t.Fatalf("the payload of %+v is not in the file", img)
		}
	})
}

func FuzzInnerVmlinux(f *testing.F) {
	vm := fakeVmlinux(rel612, true)
	f.Add(zstdPayload(vm))
	f.Add(gzipPayload(vm))
	f.Add([]byte("\x02\x21\x4c\x18\x04\x00\x00\x00aaaa\x04\x00\x00\x00"))
	f.Add([]byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x04\x00\x00\x00"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, payload []byte) {
		if n := len(payload); n >= 4 && binary.LittleEndian.Uint32(payload[n-4:]) > 1<<24 {
			return // a bomb of up to maxImage is possible and bounded, but slow
		}
		w, err := os.CreateTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(w.Name())
		defer w.Close()
		bz := fakeBzImage(rel612, payload)
		img, err := identify(bytes.NewReader(bz), int64(len(bz)))
		if err != nil {
			t.Fatal(err)
		}
		if pvh, err := innerVmlinux(bytes.NewReader(bz), img, w); pvh && err != nil {
			t.Fatal("both")
		}
	})
}
