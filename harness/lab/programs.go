package lab

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"pivotspec/harness/matrix"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/kernels/programs"
)

// enter is [Enter] with what takes packages of programs: those that the image has, or the image itself.
func (e *equipper) enter(ctx context.Context, j *matrix.Job, s *images.Scenario) error {
	give := func() error { return e.dracut(ctx, j, s) }
	if !s.Dracut {
		if err := Enter(ctx, e.lab.Images, j, s); err != nil {
			return err
		}
		give = func() error { return e.programs(ctx, j, s) }
	}
	if err := give(); err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	j.VM.Cmdline = append(j.VM.Cmdline, e.wish.evidence()...)
	return nil
}

// Set is the packages of a set of programs for an architecture.
type Set struct {
	Name, Arch string
	Debs       []kernels.Deb
}

// Programs gets the packages of the programs that the plan's ways to boot have in their images, from
// the cache or from Debian's archive, for the architectures of the plan's kernels of the catalogue.
// What is not to be had is an error of its package.
func (p *Plan) Programs(ctx context.Context, fetching func(kernels.Event)) []Set {
	var out []Set
	for _, s := range p.scenarios {
		set, err := programs.Lookup(s.Programs)
		if s.Programs == "" {
			continue
		}
		for _, e := range p.Entries() {
			if slices.ContainsFunc(out, func(o Set) bool { return o.Name == s.Programs && o.Arch == e.Arch }) {
				continue
			}
			got := Set{Name: s.Programs, Arch: e.Arch, Debs: []kernels.Deb{{Err: err}}}
			if err == nil {
				got.Debs = set.Get(ctx, p.lab.Store, e.Arch, fetching)
			}
			out = append(out, got)
		}
	}
	return out
}

// programs gives a job the real programs that the way to boot it has in its image. A package that the
// archive does not have for the architecture leaves its programs out, and the guest says which;
// one that cannot be had here and now is an error.
func (e *equipper) programs(ctx context.Context, j *matrix.Job, s *images.Scenario) error {
	if s.Programs == "" {
		return nil
	}
	set, debs, err := e.packages(ctx, j, s)
	if err != nil {
		return err
	}
	img, err := e.lab.Images.Programs(ctx, debs, set.Programs)
	if err != nil {
		return err
	}
	j.VM.Archives = append(j.VM.Archives, img.Path)
	return nil
}

// packages gets the packages of the set of programs that the way to boot names.
func (e *equipper) packages(ctx context.Context, j *matrix.Job, s *images.Scenario) (programs.Set, []kernels.Deb, error) {
	set, err := programs.Lookup(s.Programs)
	if err != nil {
		return set, nil, err
	}
	debs := set.Get(ctx, e.lab.Store, j.Arch, e.watch.Fetching)
	for _, d := range debs {
		var u *kernels.Unavailable
		if d.Err != nil && !(errors.As(d.Err, &u) && u.Reason == kernels.NoPackage) {
			return set, nil, d.Err
		}
	}
	return set, debs, nil
}

// dracut gives a job an initramfs made by dracut, in whose shell the guest runs, and a real root.
func (e *equipper) dracut(ctx context.Context, j *matrix.Job, s *images.Scenario) error {
	abi, err := j.VM.Arch.ABI(j.ABI)
	if err != nil {
		return err
	}
	if !j.VM.Arch.Native(runtime.GOARCH) {
		return fmt.Errorf("dracut's image for %s can only be made on such a machine, and this one is %s", j.Arch, runtime.GOARCH)
	}
	_, debs, err := e.packages(ctx, j, s)
	if err != nil {
		return err
	}
	e.watch.Doing("making dracut's image for " + j.Arch)
	b := e.lab.Images
	img, err := b.Dracut(ctx, debs)
	if err != nil {
		return err
	}
	guest, err := e.image(ctx, images.Target{Name: abi.Name, Env: abi.Environ()})
	if err != nil {
		return err
	}
	shell, err := b.InShell(ctx, guest, s.Name)
	if err != nil {
		return err
	}
	root, err := b.RealRoot(ctx, debs)
	if err != nil {
		return err
	}
	j.VM.Initramfs, j.VM.Archives = img.Path, []string{shell.Path}
	j.VM.Args = append(j.VM.Args, drive(0, root.Path, "real-root", false)...)
	j.VM.Cmdline = append(j.VM.Cmdline, s.Cmdline...)
	return nil
}
