package images

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"

	"pivotspec/suites/kmod"
)

// fakeModule is the least that passes for a module: an object file with a section .modinfo.
func fakeModule(info string) []byte {
	names := "\x00.modinfo\x00.shstrtab\x00"
	h := elf.Header64{
		Type: uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Shentsize: 64, Shnum: 3, Shstrndx: 2,
		Shoff: uint64(64 + len(info) + len(names)),
	}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	sections := []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: 64, Size: uint64(len(info)), Addralign: 1},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: uint64(64 + len(info)), Size: uint64(len(names)), Addralign: 1},
	}
	var b bytes.Buffer
	for _, v := range []any{h, []byte(info), []byte(names), sections} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func needing(depends string) []byte {
	return fakeModule("license=GPL\x00depends=" + depends + "\x00name=x\x00")
}

func zst(b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(b, nil)
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// folder makes a folder with files.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// unpacked returns the regular files of an archive by name.
func unpacked(t *testing.T, path string) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, r := range recs {
		if r.Mode&cpio.S_IFMT == cpio.S_IFREG {
			if files[r.Name], err = io.ReadAll(io.NewSectionReader(r, 0, int64(r.FileSize))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// lines puts a list of modules into words: the file or the reason of each.
func lines(list []kmod.Module) string {
	var b strings.Builder
	for _, m := range list {
		b.WriteString(m.Name)
		if len(m.Needs) > 0 {
			b.WriteString(" after " + strings.Join(m.Needs, ","))
		}
		b.WriteString(": " + m.File + m.Absent + "\n")
	}
	return b.String()
}

func TestModules(t *testing.T) {
	const none = "the kernel's modules have none of that name"
	bomb := zst(make([]byte, maxModule+1))
	for name, tt := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"in the order of need": {map[string][]byte{
			"kernel/drivers/block/loop.ko":      needing(""),
			"kernel/fs/overlayfs/overlay.ko.gz": gz(needing("")),
			"kernel/fs/squashfs/squashfs.ko":    needing("xxhash-x,lz4_d"),
			"kernel/lib/xxhash-x.ko.zst":        zst(needing("lz4-d")),
			"kernel/lib/lz4_d.ko":               needing(""),
			"kernel/fs/erofs/erofs.ko":          needing("lz4_d"),
			"kernel/fs/ext4/ext4.ko":            needing(""),
			"kernel/fs/xfs/xfs.ko":              needing(""),
			"source/erofs.ko.txt":               []byte("x"),
		}, "loop: loop.ko\noverlay: overlay.ko\nlz4_d: lz4_d.ko\nxxhash_x after lz4_d: xxhash_x.ko\nsquashfs after xxhash_x,lz4_d: squashfs.ko\nerofs after lz4_d: erofs.ko\next4: ext4.ko\n"},
		"one that another needs is missing": {map[string][]byte{"erofs.ko": needing("netfs")},
			"loop: " + none + "\noverlay: " + none + "\nsquashfs: " + none + "\nnetfs: " + none + "\nerofs after netfs: erofs.ko\next4: " + none + "\n"},
		"in a circle": {map[string][]byte{"erofs.ko": needing("a"), "a.ko": needing("erofs"), "loop.ko": needing("loop")},
			"loop: it needs loop, which needs it\noverlay: " + none + "\nsquashfs: " + none + "\na: it needs erofs, which needs it\nerofs after a: erofs.ko\next4: " + none + "\n"},
		"what it would like to be there first": {map[string][]byte{
			"erofs.ko":            fakeModule("depends=libcrc32c\x00softdep=pre: nowhere\x00"),
			"libcrc32c.ko":        fakeModule("depends=\x00softdep=post: loop pre: crc32c crypto-crc32c\x00"),
			"crc32c_generic.ko":   fakeModule("depends=\x00alias=crypto-crc32c\x00alias=crc32c\x00"),
			"crc32c-cryptoapi.ko": fakeModule("depends=\x00alias=something\x00"),
			"crc32c_bad.ko":       []byte("rubbish"),
			"ext4.ko":             fakeModule("depends=\x00softdep=pre: overlay pre: ext4\x00"),
		}, "loop: " + none + "\noverlay: " + none + "\nsquashfs: " + none +
			"\ncrc32c_generic: crc32c_generic.ko\nlibcrc32c: libcrc32c.ko\nerofs after libcrc32c: erofs.ko\next4: ext4.ko\n"},
		"no modules at all": {map[string][]byte{
			"loop.ko":       []byte("rubbish"),
			"overlay.ko.xz": []byte("rubbish"),
			"squashfs.ko":   needing("../../etc/passwd"),
			"erofs.ko.zst":  bomb,
			"ext4.ko":       fakeModule("")[:70],
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := &Builder{Dir: t.TempDir()}
			img, err := b.Modules(t.Context(), folder(t, tt.files), "")
			if err != nil {
				t.Fatal(err)
			}
			files := unpacked(t, img.Path)
			list, err := kmod.Parse(files[strings.TrimPrefix(kmod.List, "/")])
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(list); tt.want != "" && got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
			n := 0
			for _, m := range list {
				if m.File == "" {
					if m.Absent == "" {
						t.Errorf("%s is neither there nor absent", m.Name)
					}
					continue
				}
				n++
				if content := files["modules/"+m.File]; !bytes.HasPrefix(content, []byte(elf.ELFMAG)) {
					t.Errorf("%s is not decompressed: %q", m.File, content)
				}
			}
			if len(files) != n+1 {
				t.Errorf("%d files for %d modules and the list", len(files), n)
			}
			if tt.want == "" && n > 0 {
				t.Errorf("rubbish is taken for modules:\n%s", lines(list))
			}
			again, err := (&Builder{Dir: t.TempDir()}).Modules(t.Context(), folder(t, tt.files), "")
			if err != nil || again.SHA256 != img.SHA256 {
				t.Errorf("another time it is %+v, %v, not %s", again, err, img.SHA256)
			}
		})
	}
}

func TestModulesAbsent(t *testing.T) {
	b := &Builder{Dir: t.TempDir()}
	locked := t.TempDir()
	for name, tt := range map[string]struct{ dir, why, want string }{
		"without a folder":   {"", "", "the kernel came without modules"},
		"with a reason":      {"", "no package", "no package"},
		"a folder that left": {filepath.Join(locked, "gone"), "", "cannot be read: no such file or directory"},
		"a folder of links": {func() string {
			dir := t.TempDir()
			for _, l := range []string{"loop.ko", "kernel"} {
				if err := os.Symlink(dir, filepath.Join(dir, l)); err != nil {
					t.Fatal(err)
				}
			}
			return dir
		}(), "", "have none of that name"},
	} {
		img, err := b.Modules(t.Context(), tt.dir, tt.why)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list, err := kmod.Parse(unpacked(t, img.Path)[strings.TrimPrefix(kmod.List, "/")])
		if err != nil || len(list) != len(kmod.Wanted()) {
			t.Fatalf("%s: %v, %v", name, list, err)
		}
		for _, m := range list {
			if m.File != "" || !strings.Contains(m.Absent, tt.want) {
				t.Errorf("%s: %+v, want %q", name, m, tt.want)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Modules(ctx, t.TempDir(), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := (&Builder{Dir: "/dev/null/cache"}).Modules(t.Context(), "", ""); err == nil {
		t.Error("no error for a cache that cannot be made")
	}
}

func FuzzModuleNeeds(f *testing.F) {
	f.Add(needing("a,b-c"))
	f.Add(fakeModule("depends=\x00depends=,,\x00"))
	f.Add([]byte("rubbish"))
	f.Fuzz(func(t *testing.T, b []byte) {
		needs, _, err := moduleNeeds(b)
		for _, n := range needs {
			if err != nil || !moduleName.MatchString(n) {
				t.Fatalf("%q, %v", n, err)
			}
		}
	})
}

// TestDisks: two builds are the same, byte for byte, and small; what a checker of the
// filesystem says where there is one.
func TestDisks(t *testing.T) {
	one, err := disks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	two, err := disks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for i, d := range one {
		if !bytes.Equal(d.Data, two[i].Data) {
			t.Errorf("two builds of %s differ", d.Path)
		}
		if len(d.Data)%4096 != 0 || len(d.Data) == 0 {
			t.Errorf("%s has %d bytes, not whole pages", d.Path, len(d.Data))
		}
		size += len(d.Data)
	}
	if size > 512<<10 {
		t.Errorf("the disks have %d bytes: each boot pays for them", size)
	}
	if fsck, err := exec.LookPath("e2fsck"); err == nil {
		path := filepath.Join(t.TempDir(), "ext4")
		if err := os.WriteFile(path, one[0].Data, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(fsck, "-fn", path).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}
