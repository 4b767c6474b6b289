package matrix_test

import (
	"errors"
	"testing"

	"pivotspec/harness/arch"
	"pivotspec/harness/matrix"
	"pivotspec/results/cell"
)

func ready() matrix.Job {
	j := job("7.0-amd64-disk", "vmlinux")
	j.Scenario, j.Program = "disk", "0123"
	j.VM.Arch = &arch.Arch{Name: "amd64", QEMU: arch.QEMU{Machine: "pc"}, Cmdline: []string{"quiet"}}
	j.VM.Initramfs, j.VM.Archives = "/cache/guest-1.cpio", []string{"/cache/modules-1.cpio"}
	j.VM.Args = []string{"-drive", "if=none,format=raw,file=/cache/disk-1.img", "-device", "virtio-blk,drive=disk0"}
	j.VM.Cmdline = []string{"pivotspec.scenario=disk"}
	return j
}

// TestChange: what a cell was given counts, and not where it lay.
func TestChange(t *testing.T) {
	j := ready()
	same := j.Cell()
	same.Status = cell.Complete
	for _, c := range []struct {
		name   string
		change func(j *matrix.Job, old *cell.Cell)
		want   string
	}{
		{"nothing", func(*matrix.Job, *cell.Cell) {}, ""},
		{"another cache", func(j *matrix.Job, _ *cell.Cell) {
			j.VM.Initramfs, j.VM.Archives = "/other/guest-1.cpio", []string{"/other/modules-1.cpio"}
			j.VM.Args[1] = "if=none,format=raw,file=/other,,cache/disk-1.img"
			j.VM.QEMU, j.VM.Kernel, j.VM.Dir = "/other/qemu", "/other/vmlinux", "/other"
		}, ""},
		{"how long it took", func(_ *matrix.Job, old *cell.Cell) { old.WallMillis = 9 }, ""},
		{"a job that cannot run", func(j *matrix.Job, _ *cell.Cell) { j.Err = errors.New("gone") }, "what it needs is not to be had"},
		{"broken", func(_ *matrix.Job, old *cell.Cell) { old.Status = cell.Broken }, "it was broken"},
		{"unavailable", func(_ *matrix.Job, old *cell.Cell) { old.Status = cell.Unavailable }, "it was unavailable"},
		{"another name", func(_ *matrix.Job, old *cell.Cell) { old.Name = "7.1" }, "it was another cell"},
		{"another scenario", func(_ *matrix.Job, old *cell.Cell) { old.Scenario = "" }, "it was another cell"},
		{"another kernel", func(j *matrix.Job, _ *cell.Cell) { j.Kernel.SHA256 = "01" }, "the kernel is not known to be the same"},
		{"another package", func(j *matrix.Job, _ *cell.Cell) { j.Kernel.PackageVersion = "2" }, "the kernel is not known to be the same"},
		{"no hash of either", func(j *matrix.Job, old *cell.Cell) { j.Kernel.SHA256, old.Kernel.SHA256 = "", "" }, "the kernel is not known to be the same"},
		{"another guest", func(j *matrix.Job, _ *cell.Cell) { j.Program = "4567" }, "the guest is another"},
		{"records of an older pivotspec", func(j *matrix.Job, old *cell.Cell) { j.Program, old.Guest = "", "" }, "the guest is another"},
		{"another image", func(j *matrix.Job, _ *cell.Cell) { j.VM.Initramfs = "/cache/guest-2.cpio" }, "it was booted in another way"},
		{"other modules", func(j *matrix.Job, _ *cell.Cell) { j.VM.Archives = []string{"/cache/modules-2.cpio"} }, "it was booted in another way"},
		{"another disk", func(j *matrix.Job, _ *cell.Cell) { j.VM.Args[1] = "if=none,format=raw,file=/cache/disk-2.img" }, "it was booted in another way"},
		{"other behaviours", func(j *matrix.Job, _ *cell.Cell) { j.Asked = []string{"a/b"} }, "other behaviours were asked for"},
		{"all behaviours", func(_ *matrix.Job, old *cell.Cell) { old.Asked = []string{"a/b"} }, "other behaviours were asked for"},
		{"another argument", func(j *matrix.Job, _ *cell.Cell) { j.VM.Cmdline = []string{"other"} }, "it was booted in another way"},
		{"more memory", func(j *matrix.Job, _ *cell.Cell) { j.VM.Memory *= 2 }, "it was booted in another way"},
		{"another machine", func(j *matrix.Job, _ *cell.Cell) { j.VM.Arch.QEMU.Machine = "q35" }, "it was booted in another way"},
		{"another accelerator", func(_ *matrix.Job, old *cell.Cell) { old.Accel = "kvm" }, "it was booted in another way"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, old := ready(), *same
			c.change(&j, &old)
			if got := j.Change(&old); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if blank := (&matrix.Job{}).Cell(); blank.Inputs != "" || blank.Guest != "" {
		t.Errorf("a job that is not ready has inputs: %+v", blank)
	}
}
