package kernels

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// names returns the names of the files in a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	if dir == "" {
		return ""
	}
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

// module is a file of a modules package.
func module(prefix, release, path string) tarFile {
	return tarFile{name: "./" + prefix + "lib/modules/" + release + "/" + path, content: []byte(path)}
}

func TestGetModules(t *testing.T) {
	a, s := openFake(t)
	const version = "7.2.12-1~bpo13+1"
	base := fakeDeb(t, tarFile{name: "./boot/config-" + rel72, content: []byte("CONFIG_EXT4_FS=y\n")})
	modules := fakeDeb(t,
		module("usr/", rel72, "kernel/fs/squashfs/squashfs.ko.xz"),
		module("usr/", rel72, "kernel/fs/xfs/xfs.ko.xz"),
		module("usr/", rel72, "kernel/drivers/block/loop.ko.xz"),
		module("usr/", rel72, "modules.builtin"),
		module("usr/", rel61, "kernel/fs/erofs/erofs.ko.xz"))
	a.add("new", "amd64", "linux-base-"+rel72, version, base)
	// modules fit the kernel of the same version only
	a.add("new", "amd64", "linux-modules-"+rel72, "7.2.12-1~bpo13+2", nil)
	a.add("new", "amd64", "linux-modules-"+rel72, version, modules)
	a.add("now", "amd64", "linux-image-6.12.109+deb13-cloud-amd64", "6.12.109-1", fakeDeb(t,
		tarFile{name: "./boot/config-6.12.109+deb13-cloud-amd64", content: []byte("x")},
		tarFile{name: "./boot/vmlinuz-6.12.109+deb13-cloud-amd64", content: fakeKernel("6.12.109+deb13-cloud-amd64")},
		module("", "6.12.109+deb13-cloud-amd64", "kernel/fs/overlayfs/overlay.ko")))
	es := s.cat.Default("")
	rs := s.Get(t.Context(), es, nil)
	want(t, rs, "ok", "ok", "ok")
	if k := rs[0].Kernel; k.Modules != "" || k.NoModules != "" {
		t.Errorf("a package without modules: %q, %q", k.Modules, k.NoModules)
	}
	if k := rs[1].Kernel; names(t, k.Modules) != "overlay.ko" || k.Config == "" {
		t.Errorf("modules in the image's package: %q (%s)", names(t, k.Modules), k.NoModules)
	}
	k := rs[2].Kernel
	if names(t, k.Modules) != "loop.ko.xz squashfs.ko.xz" || k.NoModules != "" {
		t.Errorf("modules in a package of their own: %q (%s)", names(t, k.Modules), k.NoModules)
	}
	if b, err := os.ReadFile(k.Config); err != nil || string(b) != "CONFIG_EXT4_FS=y\n" {
		t.Errorf("config: %q, %v", b, err)
	}
	noLeftovers(t, s)
	t.Run("again without apt", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		again := reopen(t, s).Get(t.Context(), es, nil)
		want(t, again, "ok", "ok", "ok")
		if again[2].Kernel != k {
			t.Errorf("%+v, want %+v", again[2].Kernel, k)
		}
	})
	t.Run("a lost module is fetched again", func(t *testing.T) {
		if err := os.Remove(filepath.Join(k.Modules, "loop.ko.xz")); err != nil {
			t.Fatal(err)
		}
		want(t, reopen(t, s).Get(t.Context(), es, nil), "ok", "ok", "ok")
		if got := names(t, k.Modules); got != "loop.ko.xz squashfs.ko.xz" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("an older program's entry", func(t *testing.T) {
		// as it was made before there were modules
		path := filepath.Join(filepath.Dir(k.Modules), "kernel.json")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		delete(m, "looked")
		delete(m, "parts")
		m["files"] = map[string]any{"image": m["files"].(map[string]any)["image"], "vmlinux": m["files"].(map[string]any)["vmlinux"]}
		if b, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(k.Modules); err != nil {
			t.Fatal(err)
		}
		t.Run("boots without network", func(t *testing.T) {
			a.write("update.err", "E: Failed to fetch http://x  Temporary failure resolving 'x'\n")
			defer os.Remove(a.path("update.err"))
			defer os.Rename(a.path("gone"), a.path("new.amd64.Packages"))
			os.Rename(a.path("new.amd64.Packages"), a.path("gone"))
			os.RemoveAll(filepath.Join(s.dir, "apt/lists"))
			rs := s.Get(t.Context(), es[2:], nil)
			want(t, rs, string(NoNetwork))
			if rs[0].Kernel.Boot == "" || rs[0].Kernel.Modules != "" {
				t.Errorf("%+v", rs[0].Kernel)
			}
		})
		t.Run("is completed with it", func(t *testing.T) {
			want(t, s.Get(t.Context(), es[2:], nil), "ok")
			if got := names(t, k.Modules); got != "loop.ko.xz squashfs.ko.xz" {
				t.Errorf("got %q", got)
			}
		})
	})
}

func TestGetWithoutModulesPackage(t *testing.T) {
	_, s := openFake(t)
	rs := s.Get(t.Context(), s.cat.Default("")[2:], nil)
	want(t, rs, "ok")
	if k := rs[0].Kernel; k.Modules != "" || k.NoModules != "suite new carries no package linux-modules-"+rel72+" of version 7.2.12-1~bpo13+1" {
		t.Errorf("%q, %q", k.Modules, k.NoModules)
	}
}

// A part that the archive promises and does not give makes the kernel one that is not to be
// had: half of one would be tested for ever.
func TestGetPartFails(t *testing.T) {
	for name, tt := range map[string]struct {
		deb  []byte
		want string
	}{
		"not in the pool": {nil, "bad-download"},
		"rubbish":         {[]byte("rubbish"), "bad-package"},
		"two of one name": {fakeDeb(t, module("usr/", rel72, "kernel/fs/erofs/a.ko"), module("usr/", rel72, "kernel/lib/a.ko")), "bad-package"},
	} {
		t.Run(name, func(t *testing.T) {
			a, s := openFake(t)
			a.add("new", "amd64", "linux-modules-"+rel72, "7.2.12-1~bpo13+1", tt.deb)
			rs := s.Get(t.Context(), s.cat.Default(""), nil)
			want(t, rs, "ok", "ok", tt.want)
			if !strings.Contains(rs[2].Err.Error(), "linux-modules-"+rel72) {
				t.Errorf("the message does not name the package: %v", rs[2].Err)
			}
			noLeftovers(t, s)
		})
	}
}

// Hostile packages: what is taken lies in the folder, under a plain name, and there is not too
// much of it.
func TestKeeperHostile(t *testing.T) {
	const folder = "lib/modules/1.2"
	many := make([]tarFile, maxModules+1)
	for i := range many {
		many[i] = tarFile{name: fmt.Sprintf("%s/kernel/lib/m%d.ko", folder, i), content: []byte("x")}
	}
	for name, tt := range map[string]struct {
		files []tarFile
		want  string // names kept
		err   error
	}{
		"plain":       {[]tarFile{{name: folder + "/kernel/lib/a/b/c.ko.zst", content: []byte("x")}}, "c.ko.zst", nil},
		"not wanted":  {[]tarFile{{name: folder + "/kernel/fs/xfs/xfs.ko", content: []byte("x")}}, "", nil},
		"out of it":   {[]tarFile{{name: folder + "/../../../../kernel/lib/x.ko", content: []byte("x")}}, "", errLeadsOut},
		"within":      {[]tarFile{{name: folder + "/kernel/lib/../fs/erofs/../../../../../../etc/x.ko", content: []byte("x")}}, "", errLeadsOut},
		"odd names":   {[]tarFile{{name: folder + "/kernel/lib/a b.ko", content: []byte("x")}, {name: folder + "/kernel/lib/\n.ko", content: []byte("x")}, {name: folder + "/kernel/lib/.ko", content: []byte("x")}}, "", nil},
		"long name":   {[]tarFile{{name: folder + "/kernel/lib/" + strings.Repeat("a", 200) + ".ko", content: []byte("x")}}, "", nil},
		"a link":      {[]tarFile{{name: folder + "/kernel/lib/a.ko", typ: '2', link: "/etc/passwd"}}, "", nil},
		"a hard link": {[]tarFile{{name: folder + "/kernel/lib/a.ko", typ: '1', link: "/etc/passwd"}}, "", nil},
		"a file as a folder": {[]tarFile{{name: folder + "/kernel/lib/a.ko", content: []byte("x")}, {name: folder + "/kernel/lib/a.ko/b.ko", content: []byte("x")}},
			"a.ko b.ko", nil},
		"too many": {many, "", errTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			deb, dir := filepath.Join(top, "deb"), filepath.Join(top, "new")
			if err := os.WriteFile(deb, fakeDeb(t, tt.files...), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			k := newKeeper(dir, load(t).keep)
			err := k.take(deb, &wants{modules: []string{folder}})
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			got := ""
			if len(k.modules) > 0 {
				got = names(t, filepath.Join(dir, modulesFolder))
			}
			if got != tt.want {
				t.Errorf("kept %q, want %q", got, tt.want)
			}
			filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
				if !d.IsDir() && p != deb && filepath.Dir(p) != filepath.Join(dir, modulesFolder) {
					t.Errorf("%s was written", p)
				}
				return nil
			})
		})
	}
}

func TestIsKept(t *testing.T) {
	keep := load(t).keep
	for rest, want := range map[string]bool{
		"kernel/fs/erofs/erofs.ko":          true,
		"kernel/fs/erofs/deep/er/ofs.ko.gz": true,
		"kernel/drivers/block/loop.ko.xz":   true,
		"kernel/drivers/block/loopy/x.ko":   false,
		"kernel/drivers/block/nbd.ko.xz":    false,
		"kernel/fs/erofs":                   false,
		"kernel/fs/erofs/Makefile":          false,
		"erofs.ko":                          false,
	} {
		if got := isKept(rest, keep); got != want {
			t.Errorf("%s: %v", rest, got)
		}
	}
	if slices.Contains(keep, "") {
		t.Error("an empty place keeps everything")
	}
}

func TestFromDebModules(t *testing.T) {
	s, err := OpenStore(t.TempDir(), load(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, files ...tarFile) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fakeDeb(t, files...), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := put("whole.deb",
		tarFile{name: "./boot/config-" + rel61, content: []byte("x")},
		tarFile{name: "./boot/vmlinuz-" + rel61, content: fakeKernel(rel61)},
		module("", rel61, "kernel/fs/erofs/erofs.ko"), module("", rel61, "kernel/fs/xfs/xfs.ko"))
	split := put("linux-binary-"+rel72+"_7.2.12-1_amd64.deb",
		tarFile{name: "./usr/lib/modules/" + rel72 + "/vmlinuz", content: fakeKernel(rel72)})
	check := func(deb, modules, why string) {
		t.Helper()
		k, err := s.FromPath(t.Context(), deb)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, k.Modules); got != modules || !strings.Contains(k.NoModules, why) || (why == "") != (k.NoModules == "") {
			t.Errorf("%s: modules %q (%s), want %q (%s)", filepath.Base(deb), got, k.NoModules, modules, why)
		}
	}
	check(whole, "erofs.ko", "")
	check(split, "", "none with them lies beside it")
	put("linux-modules-"+rel72+"_7.2.13-1_amd64.deb", module("usr/", rel72, "kernel/fs/erofs/erofs.ko.xz"))
	check(split, "", "none with them lies beside it")
	put("linux-modules-"+rel72+"_7.2.12-1_amd64.deb", module("usr/", rel72, "kernel/fs/squashfs/squashfs.ko.xz"))
	check(split, "squashfs.ko.xz", "")
}
