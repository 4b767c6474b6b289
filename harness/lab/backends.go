package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"pivotspec/harness/backend"
	"pivotspec/harness/gvisor"
	"pivotspec/harness/host"
	"pivotspec/harness/matrix"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/suites/knowledge"
)

// backends are what can run the suite beside QEMU, by the names that users give them.
// source is a folder in the source tree, dir that of the cache.
func backends(source, dir string) []backend.Backend {
	return []backend.Backend{
		host.Backend{},
		&gvisor.Backend{Source: source, Dir: filepath.Join(dir, gvisor.Name)},
	}
}

// addBackend adds the backend of that name, and says whether there is one.
func (p *Plan) addBackend(name string) bool {
	i := slices.IndexFunc(p.lab.Backends, func(b backend.Backend) bool { return b.Name() == name })
	if i < 0 {
		return false
	}
	b := p.lab.Backends[i]
	if !slices.ContainsFunc(p.targets, func(t target) bool { return t.backend != nil && t.backend.Name() == name }) {
		p.targets = append(p.targets, target{backend: b})
	}
	return true
}

// isBackend reports whether ref is the name of a backend; a file of that name is ./ref.
func (l *Lab) isBackend(ref string) bool {
	return slices.ContainsFunc(l.Backends, func(b backend.Backend) bool { return b.Name() == ref })
}

// Backends returns the names of the backends of the wish.
func (p *Plan) Backends() []string {
	var out []string
	for _, t := range p.targets {
		if t.backend != nil {
			out = append(out, t.backend.Name())
		}
	}
	return out
}

// Prepared is a backend that was made ready for later runs.
type Prepared struct {
	Name   string
	Kernel backend.Kernel
	// Err is why it cannot run here, nil if it can.
	Err error
}

// Fixed returns the names of the backends of the wish that have nothing to make: they are what they
// are.
func (p *Plan) Fixed() []string {
	var out []string
	for _, t := range p.targets {
		if _, ok := t.backend.(backend.Preparer); t.backend != nil && !ok {
			out = append(out, t.backend.Name())
		}
	}
	return out
}

// Prepare makes what the backends of the wish have to make before they can run, and keeps it in the
// cache. doing is told of work that can take seconds.
func (p *Plan) Prepare(ctx context.Context, doing func(what string)) []Prepared {
	var out []Prepared
	for _, t := range p.targets {
		b, ok := t.backend.(backend.Preparer)
		if !ok {
			continue
		}
		r := Prepared{Name: t.backend.Name()}
		r.Kernel, r.Err = b.Prepare(ctx, doing)
		r.Err = interrupted(ctx, r.Err)
		out = append(out, r)
	}
	return out
}

// find makes the job of a backend.
func (l *Lab) find(ctx context.Context, b backend.Backend) matrix.Job {
	j := matrix.Job{Name: b.Name(), Arch: "unknown", Guest: b.Guest(backend.Program{})}
	a, err := l.Table.Native()
	if err != nil {
		j.Err = err
		return j
	}
	j.Name, j.Arch = b.Name()+"-"+a.Name, a.Name
	k, err := b.Find(ctx)
	j.Err = interrupted(ctx, err)
	j.Kernel = kernelOf(k)
	j.Series = k.Series
	if s, err := knowledge.SeriesOf(k.Version); j.Series == "" && err == nil {
		j.Series = s.String()
	}
	return j
}

// kernelOf is what a backend knows of its kernel, as cells record it.
func kernelOf(k backend.Kernel) kernels.Kernel {
	return kernels.Kernel{Version: k.Version, SHA256: k.SHA256, Package: k.Package, PackageVersion: k.PackageVersion}
}

// lend gives a job of a backend the guest program.
func (e *equipper) lend(ctx context.Context, b backend.Backend, j *matrix.Job) error {
	a, err := e.lab.Table.Arch(j.Arch)
	if err != nil {
		return err
	}
	abi, err := a.ABI("")
	if err != nil {
		return err
	}
	if e.wish.Bare {
		return fmt.Errorf("%s has no bare boot: nothing is booted", b.Name())
	}
	if p, ok := b.(backend.Preparer); ok {
		k, err := p.Prepare(ctx, e.watch.Doing)
		if err != nil {
			return err
		}
		j.Kernel = kernelOf(k)
	}
	e.watch.Doing("building the guest for " + a.Name)
	builder := e.lab.Images
	if e.wish.Guest != "" {
		builder = &images.Builder{Dir: builder.Dir, Source: builder.Source, Prebuilt: map[string]string{abi.Name: e.wish.Guest}}
	}
	path, err := builder.Program(ctx, images.Target{Name: abi.Name, Env: abi.Environ()})
	if err != nil {
		return e.lab.unwritable(err)
	}
	if j.Program, err = kernels.HashFile(path); err != nil {
		return err
	}
	j.ABI = abi.Name
	env, err := e.asked.environment(j.Scenario)
	if err != nil {
		return err
	}
	j.Guest = b.Guest(backend.Program{Binary: path, Dir: filepath.Join(e.lab.Dir, b.Name()), Limits: a.Limits, Env: append(e.wish.evidence(), env...)})
	return nil
}
