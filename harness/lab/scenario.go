package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pivotspec/harness/matrix"
	"pivotspec/images"
	"pivotspec/suites/kmod"
	"pivotspec/suites/spec"
)

// add adds the jobs of one target that QEMU boots: j once for each way to boot it.
func (p *Plan) add(t target, j matrix.Job) {
	for i := range p.scenarios {
		k := j
		if name := p.scenarios[i].Name; name != spec.Plain {
			k.Name, k.Scenario = j.Name+"-"+name, name
		}
		k.Asked = p.asked.part(k.Scenario)
		p.jobs = append(p.jobs, k)
		p.boots = append(p.boots, boot{target: t, scenario: &p.scenarios[i]})
	}
}

// Enter gives a job that has its image what a way to boot it needs: modules, a compressed image,
// disks, kernel arguments. What has to be made is made by b.
func Enter(ctx context.Context, b *images.Builder, j *matrix.Job, s *images.Scenario) error {
	if option := s.Initramfs.Config(); option != "" {
		if err := lacks(j.Kernel, option); err != nil {
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		}
	}
	modules, err := b.Modules(ctx, j.Kernel.Modules, noModules(j.Kernel), s.Modules...)
	if err != nil {
		return err
	}
	j.VM.Archives = []string{modules.Path}
	if s.Initramfs.Config() != "" {
		for _, path := range []*string{&j.VM.Initramfs, &j.VM.Archives[0]} {
			img, err := b.Compressed(ctx, *path, s.Initramfs)
			if err != nil {
				return err
			}
			*path = img.Path
		}
	}
	m, _ := kmod.Find(modules.Modules, virtioBlk)
	virtio := m.File != "" || lacks(j.Kernel, "CONFIG_VIRTIO_BLK") == nil && j.Kernel.Config != ""
	for i, d := range s.Disks {
		img, err := b.Disk(ctx, d)
		if err != nil {
			return err
		}
		j.VM.Args = append(j.VM.Args, drive(i, img.Path, d.Content, virtio)...)
	}
	j.VM.Cmdline = append(j.VM.Cmdline, scenarioArgs(s)...)
	return nil
}

// scenarioArgs returns what the kernel of a guest in a scenario is told.
func scenarioArgs(s *images.Scenario) []string {
	out := slices.Clone(s.Cmdline)
	if s.Name != spec.Plain {
		out = append(out, spec.ScenarioVariable+"="+s.Name)
	}
	return out
}

// virtioBlk is the module of virtio-blk.
const virtioBlk = "virtio_blk"

// drive returns the arguments of QEMU for the nth disk of a guest. What the guest writes is
// thrown away. Without virtio-blk, which Debian's kernels have as a module, it is on NVMe, which
// those for clouds have built in.
func drive(n int, path, serial string, virtio bool) []string {
	id := fmt.Sprintf("disk%d", n)
	device := "virtio-blk"
	if !virtio {
		device = "nvme"
	}
	return []string{
		// a comma ends a value, two are one
		"-drive", "if=none,format=raw,snapshot=on,id=" + id + ",file=" + strings.ReplaceAll(path, ",", ",,"),
		"-device", fmt.Sprintf("%s,drive=%s,serial=%s", device, id, serial),
	}
}
