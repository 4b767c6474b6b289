package kernels

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes files into a new folder; a content that begins with "->" is a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "->"); ok {
			err = os.Symlink(target, p)
		} else {
			err = os.WriteFile(p, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFromPath(t *testing.T) {
	bz, vm := string(fakeKernel(rel612)), string(fakeVmlinux(rel612, true))
	bz72 := string(fakeKernel(rel72))
	deb := string(fakeDeb(t, tarFile{name: "./boot/vmlinuz-" + rel612, content: []byte(bz)}))
	tests := []struct {
		name  string
		files map[string]string
		ref   string // below the folder
		// want: the image and the modules and config beside it, all below the folder
		image, modules, config string
		version                string
		pvh                    bool
		why                    string // of the error
		truncated              bool
	}{
		{name: "bzImage", files: map[string]string{"k": bz}, ref: "k", image: "k", version: rel612, pvh: true},
		{name: "vmlinux", files: map[string]string{"k": vm}, ref: "k", image: "k", version: rel612},
		{name: "bzImage without PVH", files: map[string]string{"k": string(fakeBzImage(rel612, gzipPayload(fakeVmlinux(rel612, false))))}, ref: "k", image: "k", version: rel612},
		{name: "unpacked package", ref: ".", version: rel612, pvh: true, image: "boot/vmlinuz-" + rel612, modules: "lib/modules/" + rel612, config: "boot/config-" + rel612,
			files: map[string]string{"boot/vmlinuz-" + rel612: bz, "boot/config-" + rel612: "CONFIG_X=y\n", "lib/modules/" + rel612 + "/kernel/a.ko": ""}},
		{name: "unpacked package from 7.2 on", ref: ".", version: rel72, pvh: true, image: "usr/lib/modules/" + rel72 + "/vmlinuz",
			files: map[string]string{"usr/lib/modules/" + rel72 + "/vmlinuz": bz72}},
		{name: "with its modules", ref: ".", version: rel72, pvh: true, image: "usr/lib/modules/" + rel72 + "/vmlinuz", modules: "usr/lib/modules/" + rel72,
			files: map[string]string{"usr/lib/modules/" + rel72 + "/vmlinuz": bz72, "usr/lib/modules/" + rel72 + "/kernel/a.ko": ""}},
		{name: "boot folder", ref: "boot", version: rel612, pvh: true, image: "boot/vmlinuz-" + rel612, config: "boot/config-" + rel612, modules: "lib/modules/" + rel612,
			files: map[string]string{"boot/vmlinuz-" + rel612: bz, "boot/config-" + rel612: "CONFIG_X=y\n", "lib/modules/" + rel612 + "/kernel/a.ko": ""}},
		{name: "build tree", ref: ".", version: rel612, pvh: true, image: "arch/x86/boot/bzImage", config: ".config",
			files: map[string]string{"arch/x86/boot/bzImage": bz, "arch/x86_64/boot/bzImage": "->../../x86/boot/bzImage", "vmlinux": vm, ".config": "#\n# Linux/x86 6.12.107 Kernel Configuration\n#\nCONFIG_X=y\n"}},
		{name: "with the configuration of another", ref: ".", version: rel612, pvh: true, image: "arch/x86/boot/bzImage",
			files: map[string]string{"arch/x86/boot/bzImage": bz, ".config": "#\n# Linux/x86 6.13.1 Kernel Configuration\n#\nCONFIG_X=y\n", "config": "x"}},
		{name: "package", files: map[string]string{"k.deb": deb}, ref: "k.deb", version: rel612, pvh: true},

		{name: "nothing there", ref: "none", why: "no such file"},
		{name: "empty file", files: map[string]string{"k": ""}, ref: "k", why: "empty"},
		{name: "no kernel", files: map[string]string{"k": "hello"}, ref: "k", why: "no kernel image"},
		{name: "truncated", files: map[string]string{"k": bz[:len(bz)-16]}, ref: "k", why: "cut short", truncated: true},
		{name: "damaged inside", files: map[string]string{"k": string(fakeBzImage(rel612, zstdPayload([]byte("this is no kernel"))))}, ref: "k", why: "payload"},
		{name: "vmlinux without PVH", files: map[string]string{"k": string(fakeVmlinux(rel612, false))}, ref: "k", why: "CONFIG_PVH"},
		{name: "empty folder", files: map[string]string{"d/x": ""}, ref: "d", why: "without a kernel"},
		{name: "two kernels", files: map[string]string{"boot/vmlinuz-1": bz, "boot/vmlinuz-2": bz72}, ref: ".", why: "2 kernels"},
		{name: "dangling link", files: map[string]string{"boot/vmlinuz-1": "->nowhere"}, ref: ".", why: "without a kernel"},
		{name: "folder with a broken kernel", files: map[string]string{"boot/vmlinuz-1": "hello"}, ref: ".", why: "no kernel image"},
		{name: "package without a kernel", files: map[string]string{"k.deb": string(fakeDeb(t, tarFile{name: "usr/bin/vmlinux", content: []byte(vm)}))}, ref: "k.deb", why: "without a kernel image"},
		{name: "package cut short", files: map[string]string{"k.deb": deb[:len(deb)-300]}, ref: "k.deb", why: "data.tar", truncated: true},
		{name: "package with two kernels", files: map[string]string{"k.deb": string(fakeDeb(t, tarFile{name: "boot/vmlinuz-1", content: []byte(bz)}, tarFile{name: "boot/vmlinuz-2", content: []byte(bz)}))}, ref: "k.deb", why: "it has the kernels 1 and 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tree(t, tt.files)
			s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // made, and from the cache
				k, err := s.FromPath(t.Context(), filepath.Join(dir, tt.ref))
				if tt.why != "" {
					var n *NotKernelError
					if !errors.As(err, &n) || !strings.Contains(err.Error(), tt.why) || n.Truncated != tt.truncated || strings.Contains(err.Error(), "\n") || n.Do == "" {
						t.Errorf("%+v, %v; want %q", n, err, tt.why)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				below := func(p string) string {
					if p == "" {
						return ""
					}
					return filepath.Join(dir, p)
				}
				if k.Version != tt.version || k.Arch != "amd64" || k.PVH() != tt.pvh || len(k.SHA256) != 64 || k.Config != below(tt.config) || k.Modules != below(tt.modules) || tt.image != "" && k.Image != below(tt.image) {
					t.Errorf("%+v", k)
				}
				if _, err := Identify(k.Boot); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Without a cache a bzImage boots by its own entry; a package cannot be unpacked.
func TestFromPathWithoutCache(t *testing.T) {
	bz := fakeKernel(rel612)
	dir := tree(t, map[string]string{"k": string(bz), "k.deb": string(fakeDeb(t, tarFile{name: "boot/vmlinuz-1", content: bz})), "file": ""})
	s, err := OpenStore(filepath.Join(dir, "file", "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	if k, err := s.FromPath(t.Context(), filepath.Join(dir, "k")); err != nil || k.PVH() {
		t.Errorf("%+v, %v", k, err)
	}
	var u *Unavailable
	if _, err := s.FromPath(t.Context(), filepath.Join(dir, "k.deb")); !errors.As(err, &u) || u.Reason != Unwritable {
		t.Errorf("%v", err)
	}
}

func TestIsPath(t *testing.T) {
	t.Chdir(tree(t, map[string]string{"6.12": "x", "bz": "x"}))
	c := load(t)
	for ref, want := range map[string]bool{"6.12": false, "./6.12": true, "bz": true, "/x": true, ".": true, "6.13": false, "6.12/amd64": false, "a/b": false} {
		if got := c.IsPath(ref); got != want {
			t.Errorf("IsPath(%q) = %v", ref, got)
		}
	}
}

// A kernel cut at any place is told from a whole one.
func TestFromPathCutAnywhere(t *testing.T) {
	bz := fakeKernel(rel612)
	for n := range bz {
		if img, err := identify(bytes.NewReader(bz[:n]), int64(n)); err == nil {
			t.Fatalf("%d of %d bytes are taken for %+v", n, len(bz), img)
		}
	}
}
