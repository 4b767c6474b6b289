package images

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/kernels"
	"pivotspec/suites/disk"
	"pivotspec/suites/programs"
)

// fakeELF is the least that passes for a program with that loader ("" for none) and libraries.
func fakeELF(t *testing.T, machine elf.Machine, loader string, libs ...string) []byte {
	t.Helper()
	le := binary.LittleEndian
	strtab := []byte{0}
	var dynamic []byte
	for _, l := range libs {
		dynamic = le.AppendUint64(le.AppendUint64(dynamic, uint64(elf.DT_NEEDED)), uint64(len(strtab)))
		strtab = append(append(strtab, l...), 0)
	}
	dynamic = append(dynamic, make([]byte, 16)...)
	interp := append([]byte(loader), 0)
	names := "\x00.dynamic\x00.dynstr\x00.shstrtab\x00"
	off := uint64(64 + 56)
	at := map[string]uint64{}
	var body []byte
	for _, part := range []struct {
		name string
		b    []byte
	}{{"interp", interp}, {"dynamic", dynamic}, {"strtab", strtab}, {"names", []byte(names)}} {
		at[part.name] = off + uint64(len(body))
		body = append(body, part.b...)
	}
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Ehsize: 64, Phentsize: 56, Shentsize: 64, Phoff: 64,
		Shoff: off + uint64(len(body)), Shnum: 4, Shstrndx: 3}
	if loader != "" {
		h.Phnum = 1
	}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	ph := elf.Prog64{Type: uint32(elf.PT_INTERP), Off: at["interp"], Filesz: uint64(len(interp)), Memsz: uint64(len(interp))}
	sh := []elf.Section64{{},
		{Name: 1, Type: uint32(elf.SHT_DYNAMIC), Off: at["dynamic"], Size: uint64(len(dynamic)), Link: 2, Entsize: 16},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: at["strtab"], Size: uint64(len(strtab))},
		{Name: 18, Type: uint32(elf.SHT_STRTAB), Off: at["names"], Size: uint64(len(names))},
	}
	var b bytes.Buffer
	for _, v := range []any{h, ph, body, sh} {
		if err := binary.Write(&b, le, v); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

type member struct {
	name, link string
	content    []byte
}

// fakePackage is a package in a file.
func fakePackage(t *testing.T, name string, members ...member) kernels.Deb {
	t.Helper()
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: "./" + m.name, Mode: 0o755, Size: int64(len(m.content)), Typeflag: tar.TypeReg}
		if m.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, m.link
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.content); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z.Close()
	b := []byte("!<arch>\n")
	for _, m := range []struct{ name, content string }{{"debian-binary", "2.0\n"}, {"data.tar.gz", data.String()}} {
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m.name, 0, 0, 0, "100644", len(m.content), m.content)
		if len(m.content)%2 == 1 {
			b = append(b, '\n')
		}
	}
	path := filepath.Join(t.TempDir(), name+".deb")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return kernels.Deb{Package: kernels.Package{Name: name}, Version: "1", File: path}
}

func TestProgramEntries(t *testing.T) {
	const m = elf.EM_X86_64
	libs := []member{
		{name: "usr/lib/x86_64-linux-gnu/ld.so.2", content: fakeELF(t, m, "")},
		{name: "lib64/ld.so.2", link: "../lib/x86_64-linux-gnu/ld.so.2"},
		{name: "lib/x86_64-linux-gnu/libc.so.6", content: fakeELF(t, m, "/lib64/ld.so.2", "ld.so.2")},
		{name: "usr/lib/x86_64-linux-gnu/libmount.so.1", link: "libmount.so.1.2"},
		{name: "usr/lib/x86_64-linux-gnu/libmount.so.1.2", content: fakeELF(t, m, "", "libc.so.6")},
		{name: "usr/lib/x86_64-linux-gnu/libarm.so.1", content: fakeELF(t, elf.EM_AARCH64, "")},
	}
	tools := []member{
		{name: "bin/static", content: fakeELF(t, m, "")},
		{name: "sbin/pivot_root", content: fakeELF(t, m, "/lib64/ld.so.2", "libc.so.6")},
		{name: "sbin/mount", content: fakeELF(t, m, "/lib64/ld.so.2", "libmount.so.1")},
		{name: "sbin/lacks", content: fakeELF(t, m, "/lib64/ld.so.2", "libnot.so.3")},
		{name: "sbin/mixed", content: fakeELF(t, m, "/lib64/ld.so.2", "libarm.so.1")},
		{name: "sbin/script", content: []byte("#!/bin/sh\n")},
		{name: "sbin/circle", link: "circle"},
	}
	debs := []kernels.Deb{fakePackage(t, "libc6", libs...), fakePackage(t, "tools", tools...),
		{Package: kernels.Package{Name: "other"}, Err: errors.New("package other for amd64 is not to be had")}}
	entries, err := programEntries(t.Context(), debs, map[string]string{
		"static": "usr/bin/static", "pivot_root": "usr/sbin/pivot_root", "mount": "usr/sbin/mount", "lacks": "usr/sbin/lacks",
		"mixed": "usr/sbin/mixed", "script": "usr/sbin/script", "circle": "usr/sbin/circle", "gone": "usr/sbin/gone",
	})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]Entry{}
	for _, e := range entries {
		have[e.Path] = e
	}
	list, err := programs.Parse(have["programs.json"].Data)
	if err != nil {
		t.Fatal(err)
	}
	const arch = "/usr/lib/x86_64-linux-gnu/"
	for name, want := range map[string][]string{
		"static":     {"/usr/bin/static"},
		"pivot_root": {"/lib64", arch + "ld.so.2", arch + "libc.so.6", "/usr/lib64/ld.so.2", "/usr/sbin/pivot_root"},
		"mount": {"/lib64", arch + "ld.so.2", arch + "libc.so.6", arch + "libmount.so.1", arch + "libmount.so.1.2",
			"/usr/lib64/ld.so.2", "/usr/sbin/mount"},
	} {
		p, _ := programs.Find(list, name)
		if !slices.Equal(p.Files, want) || p.Package != "tools 1" {
			t.Errorf("%s: got %+v, want %v", name, p, want)
		}
		for _, f := range p.Files {
			if _, ok := have[f[1:]]; !ok {
				t.Errorf("%s: %s is not in the image", name, f)
			}
		}
	}
	for name, want := range map[string]string{
		"lacks": "needs libnot.so.3, which is in none of libc6, tools; package other for amd64 is not to be had", "mixed": "is for EM_AARCH64",
		"script": "is no program", "circle": "no package has /usr/sbin/circle", "gone": "no package has /usr/sbin/gone",
	} {
		if p, _ := programs.Find(list, name); !strings.Contains(p.Absent, want) {
			t.Errorf("%s: got %q, want %q", name, p.Absent, want)
		}
	}
}

// TestUnpackTree: what a package has stays in its folder.
func TestUnpackTree(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	if err := os.Mkdir(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	good := fakePackage(t, "good", member{name: "bin/x", content: []byte("x")}, member{name: "usr/bin/y", link: "x"})
	if err := unpackTree(t.Context(), []kernels.Deb{good}, inside); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(inside, "bin/y")); err != nil || string(b) != "x" {
		t.Errorf("got %q, %v", b, err)
	}
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	evil := fakePackage(t, "evil", member{name: "usr/out", link: dir}, member{name: "usr/out/file", content: []byte("x")})
	if err := unpackTree(t.Context(), []kernels.Deb{evil}, other); err == nil {
		t.Error("a file was written through a link that leads out")
	}
	if _, err := os.Stat(filepath.Join(dir, "file")); err == nil {
		t.Error("it lies outside")
	}
}

// TestRealRoot: dracut's real root has what it is asked for, and is the same from every build.
func TestRealRoot(t *testing.T) {
	program := bytes.Repeat([]byte("program "), 8000)
	deb := fakePackage(t, "util-linux", member{name: "sbin/pivot_root", content: program})
	var sums []string
	for range 2 {
		b := &Builder{Dir: t.TempDir()}
		img, err := b.RealRoot(t.Context(), []kernels.Deb{deb})
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, img.SHA256)
		got, err := os.ReadFile(img.Path)
		if err != nil {
			t.Fatal(err)
		}
		// The library that makes it reads no filesystem without checksums; kernels do.
		for what, content := range map[string][]byte{disk.PivotRoot: program, "an init": []byte("#!/bin/sh\n")} {
			if !bytes.Contains(got, content) {
				t.Errorf("%s is not in it", what)
			}
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds differ: %v", sums)
	}
	if _, err := (&Builder{Dir: t.TempDir()}).RealRoot(t.Context(), nil); err == nil || !strings.Contains(err.Error(), disk.PivotRoot) {
		t.Errorf("without packages: got %v", err)
	}
}

// TestNoted: an image that is not what the note says is made again.
func TestNoted(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("image", "content")
	sum, err := hashFile(filepath.Join(dir, "image"))
	if err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(dir, "note")
	for _, tt := range []struct {
		text string
		want bool
	}{{"image " + sum, true}, {"image", false}, {"other " + sum, false}, {"../image " + sum, false}, {"image 00", false}} {
		write("note", tt.text)
		if img, ok := noted(note); ok != tt.want || ok && img.SHA256 != sum {
			t.Errorf("%q: got %v", tt.text, ok)
		}
	}
	if _, ok := noted(filepath.Join(dir, "nothing")); ok {
		t.Error("a note that is not there names an image")
	}
}
