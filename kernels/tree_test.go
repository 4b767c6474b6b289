package kernels

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// built is a build tree for arm64, with Image and Image.gz beside each other.
func built(t *testing.T, release string) map[string]string {
	t.Helper()
	gz := gzipPayload([]byte(fakeImage(release)))
	return map[string]string{
		"Makefile": "", "Kconfig": "",
		"arch/arm64/boot/Image":         fakeImage(release),
		"arch/arm64/boot/Image.gz":      string(gz[:len(gz)-4]),
		"vmlinux":                       "not looked at",
		".config":                       "#\n# Linux/arm64 6.12.107 Kernel Configuration\n#\nCONFIG_MODULES=y\n",
		"include/config/kernel.release": release + "\n",
		"modules.order":                 "fs/ext4/ext4.o\nkernel/drivers/block/loop.ko\nfs/xfs/xfs.o\nfs/erofs/erofs.o\n../fs/ext4/out.o\n",
		"fs/ext4/ext4.ko":               "ext4",
		"drivers/block/loop.ko":         "loop",
		"fs/xfs/xfs.ko":                 "xfs",
	}
}

// fakeImage is the least that is a flat image of arm64.
func fakeImage(release string) string {
	return string(edit(append(make([]byte, 64), flatKernel(release)...), 0x38, "ARM\x64"))
}

func fromTree(t *testing.T, files map[string]string, ref string) (Kernel, *Store, error) {
	t.Helper()
	dir := tree(t, files)
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), load(t))
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.FromPath(t.Context(), filepath.Join(dir, ref))
	if err != nil {
		return k, s, err
	}
	if rel, err := filepath.Rel(dir, k.Image); err == nil {
		k.Image = rel
	}
	return k, s, nil
}

// TestBuildTree: of a build tree the image, the configuration, and the modules that are used.
func TestBuildTree(t *testing.T) {
	for _, ref := range []string{".", "arch/arm64/boot/Image"} {
		k, _, err := fromTree(t, built(t, rel612), ref)
		if err != nil {
			t.Fatal(err)
		}
		if k.Image != "arch/arm64/boot/Image" || k.Version != rel612 || k.Arch != "arm64" || filepath.Base(k.Config) != ".config" || k.Boot == "" {
			t.Errorf("%s: %+v", ref, k)
		}
		if got := names(t, k.Modules); got != "ext4.ko loop.ko" {
			t.Errorf("%s: modules %q", ref, got)
		}
		if b, err := os.ReadFile(filepath.Join(k.Modules, "ext4.ko")); string(b) != "ext4" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	}
	// The modules are those of now, also where the image is the same.
	files := built(t, rel612)
	files["fs/ext4/ext4.ko"] = "new4"
	k, _, err := fromTree(t, files, ".")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(k.Modules, "ext4.ko")); string(b) != "new4" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

func TestTrees(t *testing.T) {
	with := func(change map[string]string) map[string]string {
		files := built(t, rel612)
		for name, content := range change {
			files[name] = content
			if content == "" {
				delete(files, name)
			}
		}
		return files
	}
	bz := string(fakeKernel(rel612))
	for _, tt := range []struct {
		name       string
		files      map[string]string
		image, why string
		noModules  string
	}{
		{name: "nothing built", files: with(map[string]string{"arch/arm64/boot/Image": "", "arch/arm64/boot/Image.gz": "", "vmlinux": ""}), why: "a kernel's build tree with no kernel built in it; run make there"},
		{name: "nothing configured", files: map[string]string{"Makefile": "x", "Kconfig": "x", "arch/x86/boot/main.c": "x"}, why: "no kernel built in it; configure it, and run make there"},
		{name: "Image.gz alone", files: with(map[string]string{"arch/arm64/boot/Image": ""}), image: "arch/arm64/boot/Image.gz"},
		{name: "another architecture built of it too", files: with(map[string]string{"arch/x86/boot/bzImage": string(fakeKernel(rel61))}), image: "arch/arm64/boot/Image"},
		{name: "two architectures of one version", files: with(map[string]string{"arch/x86/boot/bzImage": bz}), why: "a folder with 2 kernels: "},
		{name: "an image older than the tree", files: with(map[string]string{"include/config/kernel.release": "6.12.200-new\n"}), why: "the tree has been prepared for 6.12.200-new since; run make there"},
		{name: "no modules built", files: with(map[string]string{"fs/ext4/ext4.ko": "", "drivers/block/loop.ko": ""}), image: "arch/arm64/boot/Image", noModules: "none of those that are used is built"},
		{name: "no modules", files: with(map[string]string{"modules.order": ""}), image: "arch/arm64/boot/Image", noModules: "no modules folder"},
		{name: "other modules", files: with(map[string]string{"modules.order": "fs/xfs/xfs.o\n"}), image: "arch/arm64/boot/Image", noModules: "builds none of those"},
		{name: "a module that is a link out", files: with(map[string]string{"fs/ext4/ext4.ko": "->/etc/passwd"}), why: "its modules cannot be used: fs/ext4/ext4.ko: "},
		{name: "a module that is a folder", files: with(map[string]string{"fs/ext4/ext4.ko": "", "fs/ext4/ext4.ko/x": "x"}), why: "it is no regular file"},
		{name: "powerpc's zImage", files: map[string]string{"arch/powerpc/boot/zImage": "\x7fELF of a kind", "vmlinux": string(fakeVmlinux(rel612, true))}, image: "vmlinux"},

		{name: "a link out of the folder", files: map[string]string{"boot/vmlinuz-1": "->/etc/passwd"}, why: "boot/vmlinuz-1 is a link out of the folder, to /etc/passwd, which is not followed"},
		{name: "a link that climbs", files: map[string]string{"boot/vmlinuz-1": "->../../../../../../etc/passwd"}, why: "is a link out of the folder"},
		{name: "a folder that is a link out", files: map[string]string{"boot": "->/"}, why: "a folder without a kernel"},
		{name: "modules that are a link out", files: map[string]string{"boot/vmlinuz-1": bz, "lib/modules/" + rel612: "->/"}, image: "boot/vmlinuz-1", noModules: "no modules folder"},
		{name: "merged /usr", files: map[string]string{"boot/vmlinuz-1": bz, "lib": "->usr/lib", "usr/lib/modules/" + rel612 + "/kernel/a.ko": "x"}, image: "boot/vmlinuz-1"},
		{name: "one kernel at two places", files: map[string]string{"boot/vmlinuz-1": bz, "usr/lib/modules/1/vmlinuz": bz + "\x00"}, image: "boot/vmlinuz-1"},
		{name: "one kernel by a link", files: map[string]string{"boot/vmlinuz-1": bz, "boot/vmlinuz-old": "->vmlinuz-1"}, image: "boot/vmlinuz-1"},
		{name: "a damaged one and a whole", files: map[string]string{"boot/vmlinuz-1": bz, "boot/vmlinuz-2": bz[:2700]}, image: "boot/vmlinuz-1"},
		{name: "a damaged one", files: map[string]string{"boot/vmlinuz-2": bz[:2700]}, why: "cut short"},
		{name: "a device", files: map[string]string{"boot/vmlinuz-1": "->/dev/zero"}, why: "is a link out of the folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, s, err := fromTree(t, tt.files, ".")
			if tt.why != "" {
				wantNotKernel(t, err, tt.why)
				onlyLocks(t, s)
				return
			}
			if err != nil || k.Image != tt.image || (k.Modules == "") != (k.NoModules != "") || !strings.Contains(k.NoModules, tt.noModules) {
				t.Errorf("%+v, %v", k, err)
			}
		})
	}
}
