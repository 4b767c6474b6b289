package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pivotspec/harness/vm"
	"pivotspec/kernels"
	"pivotspec/kernels/kerneltest"
	"pivotspec/suites/record"
)

// TestRealGiven boots kernels that are given as a user may have them, each made of one from the
// user's cache (fetched if it is not there), and runs the whole suite with their modules: Fedora's
// two packages, and a build tree.
func TestRealGiven(t *testing.T) {
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	l, err := Open("", "")
	if err != nil {
		t.Fatal(err)
	}
	core, modules := fedora(t, cached(t, l, "6.1/arm64"), "aarch64")
	tree := buildTree(t, cached(t, l, "6.1/s390x"), "s390", "bzImage")
	jobs, err := l.Jobs(t.Context(), Wish{Kernels: []string{modules, tree, core}, Accel: "tcg"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 2 || jobs[0].Arch != "s390x" || jobs[1].Arch != "arm64" {
		t.Fatalf("cells %q: want those of the tree and of the packages", jobNames(jobs))
	}
	for _, j := range jobs {
		t.Run(j.Name, func(t *testing.T) {
			if j.Err != nil {
				t.Fatalf("a real boot needs QEMU, Go and kernels: %v; `make test` installs and fetches them, -short goes without", j.Err)
			}
			if j.Kernel.Config == "" || j.Kernel.Modules == "" {
				t.Errorf("the kernel came without its configuration or modules: %+v", j.Kernel)
			}
			rep, err := vm.Run(t.Context(), j.VM)
			if err != nil {
				t.Fatal(err)
			}
			if len(rep.Findings) > 0 {
				t.Errorf("findings: %v", rep.Findings)
			}
			for _, r := range rep.Records {
				if r.Status == record.Broken || r.Status == record.Unsupported && strings.Contains(r.Why, "is not to be had") {
					t.Errorf("%s is %s: %s", r.ID, r.Status, r.Why)
				}
			}
			t.Logf("%v", rep.Wall)
		})
	}
}

// cached returns a kernel of the catalogue, with its modules and its configuration.
func cached(t *testing.T, l *Lab, name string) kernels.Kernel {
	t.Helper()
	e, err := l.Catalogue.Lookup(name, "")
	if err != nil {
		t.Fatal(err)
	}
	r := l.Store.Get(t.Context(), []kernels.Entry{e}, nil)[0]
	if r.Err != nil || r.Kernel.Modules == "" || r.Kernel.Config == "" {
		t.Fatalf("a kernel to be made into others is not here: %+v, %v; `make test` fetches it, -short goes without", r.Kernel, r.Err)
	}
	return r.Kernel
}

// modulesOf returns the contents of a kernel's modules by the names of their files.
func modulesOf(t *testing.T, k kernels.Kernel) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(k.Modules, "*"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range paths {
		out[filepath.Base(p)] = read(t, p)
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fedora makes the packages kernel-core and kernel-modules-core of k, under names that say nothing.
func fedora(t *testing.T, k kernels.Kernel, arch string) (core, modules string) {
	t.Helper()
	dir := "/lib/modules/" + k.Version
	files := map[string]string{}
	for name, content := range modulesOf(t, k) {
		files[dir+"/kernel/lib/"+name] = content
	}
	pack := func(name string, files map[string]string) string {
		b, err := kerneltest.RPM(name, arch, "zstd", files)
		if err != nil {
			t.Fatal(err)
		}
		return write(t, "a-bzImage.deb", b)
	}
	return pack("kernel-core", map[string]string{dir + "/vmlinuz": read(t, k.Image), dir + "/config": read(t, k.Config)}),
		pack("kernel-modules-core", files)
}

// buildTree makes what is left of k's build: the image, the configuration and the modules.
func buildTree(t *testing.T, k kernels.Kernel, arch, image string) string {
	t.Helper()
	files := map[string]string{
		"arch/" + arch + "/boot/" + image: read(t, k.Image),
		".config":                         read(t, k.Config),
		"include/config/kernel.release":   k.Version + "\n",
	}
	for name, content := range modulesOf(t, k) {
		if !strings.HasSuffix(name, ".ko") {
			t.Fatalf("%s is compressed: a build leaves none", name)
		}
		files["modules.order"] += "lib/" + strings.TrimSuffix(name, ".ko") + ".o\n"
		files["lib/"+name] = content
	}
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
