package lab

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/harness/arch"
	"pivotspec/harness/lab/labtest"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/kernels"
)

func TestResolveScenarios(t *testing.T) {
	l := open(t)
	file := write(t, "kernel", labtest.Kernel("7.0.9-test"))
	p, err := l.Resolve(Wish{Kernels: []string{file, "7.0"}, Scenarios: []string{"disk", "plain"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"7.0-amd64", "7.0-amd64-disk", "7.0.9-test-amd64", "7.0.9-test-amd64-disk"}
	jobs := p.Identify(t.Context())
	if got := jobNames(jobs); !slices.Equal(got, want) || p.Len() != len(want) {
		t.Errorf("got %q (%d), want %q", got, p.Len(), want)
	}
	for i, j := range jobs {
		if want := []string{"", "disk"}[i%2]; j.Scenario != want || j.Cell().Scenario != want {
			t.Errorf("%s is of the scenario %q", j.Name, j.Scenario)
		}
	}
	if _, err := l.Resolve(Wish{Scenarios: []string{"dsk"}}); !errors.As(err, new(*images.UnknownScenarioError)) {
		t.Errorf("a scenario that there is not: %v", err)
	}
}

// TestEnter: what a job of a scenario has beside one of the plain initramfs.
func TestEnter(t *testing.T) {
	dir := t.TempDir()
	initramfs := filepath.Join(dir, "guest.cpio")
	config := filepath.Join(dir, "config")
	for path, text := range map[string]string{initramfs: "070701", config: "# CONFIG_RD_ZSTD is not set\nCONFIG_RD_GZIP=y\nCONFIG_VIRTIO_BLK=y\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t)
	amd64, err := l.Table.Arch("amd64")
	if err != nil {
		t.Fatal(err)
	}
	b := &images.Builder{Dir: dir}
	enter := func(k kernels.Kernel, s images.Scenario) (vm.Config, error) {
		j := matrix.Job{Kernel: k, VM: vm.Config{Arch: amd64, Accel: &arch.Accel{}, Initramfs: initramfs}}
		err := Enter(t.Context(), b, &j, &s)
		return j.VM, err
	}
	plain, err := enter(kernels.Kernel{}, images.Scenario{Name: "plain"})
	if err != nil || len(plain.Cmdline)+len(plain.Args) > 0 || plain.Initramfs != initramfs || len(plain.Archives) != 1 {
		t.Errorf("plain: %+v, %v", plain, err)
	}
	s := images.Scenario{
		Name: "x", Cmdline: []string{"a=b"}, Initramfs: images.Gzip,
		Disks: []images.Disk{{Content: "ext4"}, {Content: "erofs"}},
	}
	got, err := enter(kernels.Kernel{Config: config}, s)
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Join(got.Args, " ")
	if !slices.Equal(got.Cmdline, []string{"a=b", "pivotspec_scenario=x"}) ||
		!strings.HasSuffix(got.Initramfs, ".cpio.gzip") || !strings.HasSuffix(got.Archives[0], ".cpio.gzip") ||
		strings.Count(args, "-device virtio-blk,") != 2 || !strings.Contains(args, "drive=disk1,serial=erofs") {
		t.Errorf("%+v", got)
	}
	// Nothing is known of this kernel but that it came without modules.
	if got, err = enter(kernels.Kernel{}, s); err != nil || strings.Count(strings.Join(got.Args, " "), "-device nvme,") != 2 {
		t.Errorf("without modules: %q, %v", got.Args, err)
	}
	s.Initramfs = images.Zstd
	if _, err := enter(kernels.Kernel{Config: config}, s); err == nil || !strings.Contains(err.Error(), "scenario x: the kernel was configured without CONFIG_RD_ZSTD") {
		t.Errorf("a kernel that cannot read it: %v", err)
	}
}
