package kernels

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"pivotspec/kernels/kerneltest"
)

// debOf is a package with a control file.
func debOf(t testing.TB, arch string, files ...tarFile) string {
	t.Helper()
	control := tarFile{name: "./control", content: []byte("Package: linux-test\nVersion: 1:2-3\nArchitecture: " + arch + "\nDescription: a\n b\n\nArchitecture: vax\n")}
	return string(fakeAr("debian-binary", "2.0\n", "control.tar.gz", fakeTar(t, control), "data.tar.gz", fakeTar(t, files...)))
}

func rpmOf(t testing.TB, arch string, files map[string]string) string {
	t.Helper()
	b, err := kerneltest.RPM("kernel", arch, "zstd", files)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// packages writes the parts of two kernels, as Debian and Fedora split them, to a new folder.
func packages(t *testing.T) string {
	t.Helper()
	config := []byte("CONFIG_X=y\n")
	module := func(release string) tarFile {
		return tarFile{name: "./usr/lib/modules/" + release + "/kernel/fs/ext4/ext4.ko.xz", content: []byte("x")}
	}
	return tree(t, map[string]string{
		"image72":   debOf(t, "amd64", tarFile{name: "./usr/lib/modules/" + rel72 + "/vmlinuz", content: fakeKernel(rel72)}),
		"modules72": debOf(t, "amd64", module(rel72)),
		"config72":  debOf(t, "amd64", tarFile{name: "./boot/config-" + rel72, content: config}),
		"other72":   debOf(t, "arm64", module(rel72)),
		"image612":  debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-" + rel612, content: fakeKernel(rel612)}),
		"wrong612":  debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-" + rel612, content: fakeKernel(rel61)}),
		"mod612":    debOf(t, "amd64", module(rel612)),
		"core":      rpmOf(t, "x86_64", map[string]string{"/lib/modules/" + rel61 + "/vmlinuz": string(fakeKernel(rel61)), "/lib/modules/" + rel61 + "/config": string(config)}),
		"modcore":   rpmOf(t, "x86_64", map[string]string{"/lib/modules/" + rel61 + "/kernel/fs/ext4/ext4.ko.xz": "x"}),
		"docs":      debOf(t, "all", tarFile{name: "./usr/share/doc/x", content: []byte("x")}),
		"image":     string(fakeKernel(rel612)),
		"broken":    debOf(t, "amd64", module(rel72))[:200],
	})
}

func TestJoin(t *testing.T) {
	dir := packages(t)
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	for refs, want := range map[string]string{
		"":                                    "",
		"image":                               "image",
		"modules72":                           "modules72",
		"image72 modules72":                   "image72 modules72",
		"config72 modules72 image72":          "image72 config72 modules72",
		"modules72 image612 image72 mod612":   "image612 mod612|image72 modules72",
		"other72 image72":                     "other72|image72",
		"mod612 image72":                      "mod612|image72",
		"modcore core modules72 image72":      "core modcore|image72 modules72",
		"docs image72":                        "docs|image72",
		"image broken none modules72 image72": "image|broken|none|image72 modules72",
		"image72 image612":                    "image72|image612",
	} {
		var paths []string
		for _, r := range strings.Fields(refs) {
			paths = append(paths, filepath.Join(dir, r))
		}
		var got []string
		for _, g := range s.Join(paths) {
			for i := range g {
				g[i] = filepath.Base(g[i])
			}
			got = append(got, strings.Join(g, " "))
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: got %q, want %q", refs, got, want)
		}
	}
	if _, err := os.Stat(s.Dir()); err == nil {
		t.Error("the cache was touched")
	}
}

func TestFromPaths(t *testing.T) {
	for _, tt := range []struct {
		refs, version, config, modules, why string
	}{
		{refs: "image72 modules72 config72", version: rel72, config: "CONFIG_X=y\n", modules: "ext4.ko.xz"},
		{refs: "modules72 image72", version: rel72, modules: "ext4.ko.xz"},
		{refs: "core", version: rel61, config: "CONFIG_X=y\n"},
		{refs: "core modcore", version: rel61, config: "CONFIG_X=y\n", modules: "ext4.ko.xz"},
		{refs: "image", version: rel612},

		{refs: "modules72", why: "modules72 is not a kernel that can be booted: it has modules of " + rel72 + " and no kernel; give the package with the kernel too"},
		{refs: "config72", why: "it has a configuration of " + rel72 + " and no kernel; give the package with the kernel too"},
		{refs: "docs", why: "a package without a kernel image; give a package that holds the image"},
		{refs: "modcore modules72", why: "modules72 is not a kernel that can be booted: it has modules of " + rel61 + " and " + rel72},
		{refs: "image72 image612", why: "it has the kernels " + rel72 + " and " + rel612},
		{refs: "image612 mod612 modules72", why: "it has modules of " + rel612 + " and " + rel72},
		{refs: "image612 modules72", why: "modules72 is not a kernel that can be booted: its modules are of " + rel72 + ", and the kernel calls itself " + rel612},
		{refs: "wrong612 mod612", why: "its modules are of " + rel612 + ", and the kernel calls itself " + rel61},
		{refs: "image image72", why: "no package, and only packages are parts of one kernel; give it alone"},
		{refs: "broken", why: "broken is not a kernel that can be booted: cut short"},
		{refs: "", why: "no file was given"},
	} {
		t.Run(tt.refs, func(t *testing.T) {
			dir := packages(t)
			s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			for _, r := range strings.Fields(tt.refs) {
				paths = append(paths, filepath.Join(dir, r))
			}
			for range 2 { // made, and from the cache
				k, err := s.FromPaths(t.Context(), paths...)
				if tt.why != "" {
					wantNotKernel(t, err, tt.why)
					onlyLocks(t, s)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				config, modules := "", ""
				if k.Config != "" {
					b, err := os.ReadFile(k.Config)
					if err != nil {
						t.Fatal(err)
					}
					config = string(b)
				}
				if k.Modules != "" {
					modules = names(t, k.Modules)
				}
				if k.Version != tt.version || k.Name != paths[0] || !k.PVH() || config != tt.config || modules != tt.modules || (modules == "") != (k.NoModules != "") {
					t.Errorf("%+v, %q, %q", k, config, modules)
				}
			}
		})
	}
}

func wantNotKernel(t *testing.T, err error, why string) {
	t.Helper()
	var n *NotKernelError
	if !errors.As(err, &n) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n") || n.Do == "" {
		t.Errorf("got %v, want %q", err, why)
	}
}

// onlyLocks says that nothing is left in the cache.
func onlyLocks(t *testing.T, s *Store) {
	t.Helper()
	filepath.WalkDir(s.Dir(), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(p) != ".lock" {
			t.Errorf("%s is left in the cache", p)
		}
		return nil
	})
}

// TestFolderOfPackages: a folder with the packages of one kernel is one.
func TestFolderOfPackages(t *testing.T) {
	all := packages(t)
	for _, tt := range []struct{ names, version, why string }{
		{"image72 modules72 config72", rel72, ""},
		{"core modcore docs", rel61, ""},
		{"modules72 config72", "", "a folder with 2 packages, and no kernel image in any"},
		{"image72 image612 mod612", "", "a folder with packages of 2 kernels: "},
		{"image72 broken", "", "broken is not a kernel that can be booted: cut short"},
	} {
		t.Run(tt.names, func(t *testing.T) {
			dir := t.TempDir()
			for _, n := range strings.Fields(tt.names) {
				if err := os.Link(filepath.Join(all, n), filepath.Join(dir, n)); err != nil {
					t.Fatal(err)
				}
			}
			s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
			if err != nil {
				t.Fatal(err)
			}
			k, err := s.FromPath(t.Context(), dir)
			if tt.why != "" {
				wantNotKernel(t, err, tt.why)
			} else if err != nil || k.Version != tt.version || k.Name != dir || k.Modules == "" || k.Config == "" {
				t.Errorf("%+v, %v", k, err)
			}
		})
	}
}

// TestSiblings: the packages that archives put beside the one that was given are found by their names.
func TestSiblings(t *testing.T) {
	all := packages(t)
	for image, parts := range map[string]map[string]string{
		"linux-binary-" + rel72 + "_7.2-1_amd64.deb": {"modules72": "linux-modules-" + rel72 + "_7.2-1_amd64.deb", "config72": "linux-base-" + rel72 + "_7.2-1_amd64.deb"},
		"kernel-core-1.x86_64.rpm":                   {"modcore": "kernel-modules-core-1.x86_64.rpm"},
	} {
		for _, good := range []bool{true, false} {
			dir := t.TempDir()
			from := "image72"
			if strings.HasSuffix(image, ".rpm") {
				from = "core"
			}
			link := func(from, to string) {
				if err := os.Link(filepath.Join(all, from), filepath.Join(dir, to)); err != nil {
					t.Fatal(err)
				}
			}
			link(from, image)
			for from, to := range parts {
				if !good {
					from = "mod612" // of another kernel, whatever it is called
				}
				link(from, to)
			}
			s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
			if err != nil {
				t.Fatal(err)
			}
			k, err := s.FromPath(t.Context(), filepath.Join(dir, image))
			if err != nil || (k.Modules != "") != good {
				t.Errorf("%s, %v: %+v, %v", image, good, k, err)
			}
		}
	}
}

// TestHostilePackages: each is one clear line, and nothing is left in the cache or written outside.
func TestHostilePackages(t *testing.T) {
	image := tarFile{name: "./boot/vmlinuz-" + rel612, content: fakeKernel(rel612)}
	zeros := func(n int) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		w.WriteHeader(&tar.Header{Name: "boot/vmlinuz-1", Typeflag: tar.TypeReg, Size: int64(n)})
		w.Write(make([]byte, n))
		w.Close()
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return z.EncodeAll(b.Bytes(), nil)
	}
	holes := func() string {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&tar.Header{Name: "boot/vmlinuz-1", Typeflag: tar.TypeReg, Size: 1, PAXRecords: map[string]string{"GNU_sparse.realsize": "9"}}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("x"))
		w.Close()
		// the library refuses to write what it can read
		return strings.Replace(b.String(), "GNU_sparse", "GNU.sparse", 1)
	}
	whole := debOf(t, "amd64", image)
	link := func(typ byte, target string) string {
		return debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-1", typ: typ, link: target})
	}
	for name, tt := range map[string]struct{ content, why string }{
		"a path that climbs":         {debOf(t, "amd64", image, tarFile{name: "../../../etc/x", content: []byte("x")}), `the path "../../../etc/x" in it leads out of it`},
		"a path that climbs later":   {debOf(t, "amd64", image, tarFile{name: "boot/../../x", content: []byte("x")}), "leads out of it"},
		"a link for an image":        {link(tar.TypeSymlink, "/etc/passwd"), "its kernel image boot/vmlinuz-1 is a link, which is not followed"},
		"a hard link for an image":   {link(tar.TypeLink, "etc/passwd"), "is a link, which is not followed"},
		"a hard link out of it":      {link(tar.TypeLink, "../etc/passwd"), "leads out of it"},
		"a device for an image":      {link(tar.TypeBlock, ""), "a package without a kernel image"},
		"an image twice":             {debOf(t, "amd64", image, image), "two files called boot/vmlinuz-" + rel612},
		"two data.tar":               {whole + string(fakeAr("data.tar.gz", fakeTar(t, image))[8:]), "a second data.tar in the package"},
		"two control.tar":            {string(fakeAr("control.tar.gz", fakeTar(t))) + whole[8:], "a second control.tar in the package"},
		"of another architecture":    {debOf(t, "arm64", image), "the package says that it is for arm64, and the kernel in it is for amd64"},
		"an rpm of another":          {rpmOf(t, "ppc64le", map[string]string{"/lib/modules/1/vmlinuz": string(image.content)}), "the package says that it is for ppc64el, and the kernel in it is for amd64"},
		"a bomb":                     {string(fakeAr("data.tar.zst", string(zeros(100<<20)))), "it becomes more than 100 times as big when it is decompressed"},
		"a bomb in an image":         {debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-1", content: fakeBzImage(rel612, zstdPayload(make([]byte, 100<<20)))}), "it becomes more than 100 times as big"},
		"a huge control file":        {string(fakeAr("control.tar.gz", fakeTar(t, tarFile{name: "control", content: make([]byte, maxControl+1)}), "data.tar.gz", fakeTar(t, image))), "its control file"},
		"a member without an end":    {whole[:len(whole)-40], "cut short"},
		"a file with holes":          {string(fakeAr("data.tar", holes())), "is a file with holes"},
		"a release that climbs":      {debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-1", content: fakeKernel("6.1/../../../../x")}), "names no kernel version"},
		"no kernel in its place":     {debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-1", content: []byte("hello")}), "no kernel image of a kind known here"},
		"a program in its place":     {debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-1", content: bytes.Repeat([]byte("x"), 100<<10)}), "no kernel image"},
		"an rpm with a header alone": {rpmMagic + strings.Repeat("\x00", 92), "cut short in its header"},
		"an ar of something else":    {string(fakeAr("readme", "hello")), "no data.tar in the package"},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			s, err := OpenStore(filepath.Join(top, "a", "b", "c", "cache"), load(t))
			if err != nil {
				t.Fatal(err)
			}
			p := filepath.Join(top, "package")
			if err := os.WriteFile(p, []byte(tt.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = s.FromPath(t.Context(), p)
			wantNotKernel(t, err, tt.why)
			onlyLocks(t, s)
			filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() && !strings.HasPrefix(p, s.Dir()) && p != filepath.Join(top, "package") {
					t.Errorf("%s was written outside of the cache", p)
				}
				return nil
			})
		})
	}
}

// TestPackagesCutAnywhere: a package cut at any place is told from a whole one.
func TestPackagesCutAnywhere(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, whole := range map[string]string{
		"deb": debOf(t, "amd64", tarFile{name: "./boot/vmlinuz-" + rel612, content: fakeKernel(rel612)}),
		"rpm": rpmOf(t, "x86_64", map[string]string{"/boot/vmlinuz-" + rel612: string(fakeKernel(rel612))}),
	} {
		p := filepath.Join(t.TempDir(), name)
		var cuts []int
		for n := 0; n < len(whole); n += 97 {
			cuts = append(cuts, n)
		}
		// a deb's last byte can be one that only makes its size even
		for n := len(whole) - 20; n < len(whole)-1; n++ {
			cuts = append(cuts, n)
		}
		slices.Sort(cuts)
		for _, n := range cuts {
			if err := os.WriteFile(p, []byte(whole[:n]), 0o644); err != nil {
				t.Fatal(err)
			}
			k, err := s.FromPath(t.Context(), p)
			if !errors.As(err, new(*NotKernelError)) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%d of %d bytes of a %s: %+v, %v", n, len(whole), name, k, err)
			}
		}
		onlyLocks(t, s)
	}
}

// TestFromPathsInterrupted: who gives up gets that as the error, and nothing is left.
func TestFromPathsInterrupted(t *testing.T) {
	dir := packages(t)
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.FromPaths(ctx, filepath.Join(dir, "image72"), filepath.Join(dir, "modules72")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	onlyLocks(t, s)
}

func TestPlace(t *testing.T) {
	c := load(t)
	for name, want := range map[string]string{
		"boot/vmlinuz-1.2":                        "image 1.2 ",
		"usr/lib/modules/1.2/vmlinuz":             "image 1.2 ",
		"lib/modules/1.2/vmlinuz":                 "image 1.2 ",
		"usr/lib/debug/boot/vmlinux-1.2":          "  ",
		"usr/lib/debug/lib/modules/1.2/vmlinux":   "  ",
		"lib/modules/1.2/config":                  "config 1.2 ",
		"boot/config-1.2":                         "config 1.2 ",
		"lib/modules/1.2/kernel/fs/ext4/ext4.ko":  "modules 1.2 kernel/fs/ext4/ext4.ko",
		"usr/lib/modules/1.2/kernel/a.ko.xz":      "modules 1.2 kernel/a.ko.xz",
		"vmlinux":                                 "  ",
		".config":                                 "  ",
		"usr/src/linux-headers-1.2/.config":       "  ",
		"boot/System.map-1.2":                     "  ",
		"lib/modules/a/b/vmlinuz":                 "modules a b/vmlinuz",
		"usr/share/doc/boot/vmlinuz-1":            "  ",
		"lib/modules":                             "  ",
		"usr/lib/modules/1.2/vdso/vdso64.so":      "modules 1.2 vdso/vdso64.so",
		"usr/lib/linux-image-1.2/a.dtb":           "  ",
		"boot/vmlinuz-":                           "  ",
		"usr/lib/modules/1.2/vmlinuz.unsigned":    "image 1.2 ",
		"boot/vmlinuz-1.2/kernel":                 "  ",
		"lib/modules/1.2/build/arch/x86/boot/x":   "modules 1.2 build/arch/x86/boot/x",
		"usr/lib/modules/1.2/systemtap/config/ab": "modules 1.2 systemtap/config/ab",
	} {
		p := c.place(name)
		if got := fmt.Sprintf("%s %s %s", p.part, p.release, p.rest); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
