// Package lab puts together what it takes to boot a cell: the kernel that a user named, the
// architecture's row, an accelerator that works here, the image with the suite.
package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"pivotspec/harness/accel"
	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/harness/matrix"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/kernels/cause"
)

// Lab is one user's cache and the tables.
type Lab struct {
	Catalogue *kernels.Catalogue
	Store     *kernels.Store
	Table     *arch.Table
	Images    *images.Builder
	Chooser   *accel.Chooser
	// Backends are what can run the suite beside QEMU.
	Backends []backend.Backend
	// Dir is the folder of the cache.
	Dir string
}

// Open opens the cache in dir, the user's own if dir is "". source is a folder in the source
// tree of pivotspec, from which guests are built.
func Open(dir, source string, opts ...kernels.Option) (*Lab, error) {
	cat, err := kernels.Load()
	if err != nil {
		return nil, err
	}
	store, err := kernels.OpenStore(dir, cat, opts...)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(store.Dir()); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("the folder for the cache, %s, is a file: choose another with --cache", store.Dir())
	}
	table, err := arch.Load()
	if err != nil {
		return nil, err
	}
	return &Lab{
		Catalogue: cat, Store: store, Table: table, Dir: store.Dir(),
		Images:   &images.Builder{Dir: filepath.Join(store.Dir(), "images"), Source: source},
		Chooser:  &accel.Chooser{Table: table, Dir: filepath.Join(store.Dir(), "accel")},
		Backends: backends(source, store.Dir()),
	}, nil
}

// Wish is what a user asks to be run.
type Wish struct {
	// Kernels are names of the catalogue, which may end in /ARCH or /ARCH/ABI, names of backends,
	// files or folders; none means the default matrix.
	Kernels []string
	// Archs are architectures, or ARCH/ABI, for names that come without one, or [AllArchs]; none
	// means the catalogue's own.
	Archs []string
	// Scenarios are names of ways to boot, "all" for every one; none means the plain initramfs.
	Scenarios []string
	// Behaviours are IDs of those that the guests are asked for, or areas with a slash behind them; none means all. Where
	// there are no Scenarios they decide which: see [In].
	Behaviours []string
	// Accel is the name of an accelerator or [accel.Auto], which "" means too.
	Accel string
	// Guest is the path of a guest binary to use instead of building one; may be "".
	Guest string
	// Evidence asks the guests for the mount tables around their calls, which makes them slower.
	Evidence bool
	// Bare asks for an image that only powers off instead of the suite.
	Bare bool
}

// Resolve finds out what the wish names, each kernel once, and touches nothing yet; of several
// packages it looks which belong together. Its error
// says what is wrong with the wish as a whole; what is wrong with one kernel shows later.
func (l *Lab) Resolve(w Wish) (*Plan, error) {
	p := &Plan{lab: l, wish: w}
	if w.Accel != accel.Auto && w.Accel != "" {
		if _, err := l.Table.Accel(w.Accel); err != nil {
			return nil, err
		}
	}
	if p.wish.Accel == "" {
		p.wish.Accel = accel.Auto
	}
	if w.Guest != "" {
		if _, err := os.Stat(w.Guest); err != nil {
			return nil, fmt.Errorf("guest binary %s cannot be used: %w; give the path of one, or none to have it built", w.Guest, cause.Of(err))
		}
	}
	if err := l.check(w); err != nil {
		return nil, err
	}
	all, err := images.Scenarios()
	if err != nil {
		return nil, err
	}
	if p.asked, err = ask(w); err != nil {
		return nil, err
	}
	named := p.asked.scenarios(w.Scenarios)
	if p.scenarios, err = images.Choose(all, named); err != nil {
		return nil, err
	}
	if p.scenarios, err = p.asked.check(p.scenarios, named); err != nil {
		return nil, err
	}
	if err := p.choose(); err != nil {
		return nil, err
	}
	for _, ref := range w.Kernels {
		if !p.addBackend(ref) && l.Catalogue.IsPath(ref) {
			p.addPath(ref)
		}
	}
	p.join()
	for _, name := range p.Backends() {
		if err := p.asked.unbooted(name, len(p.targets) > len(p.Backends())); err != nil {
			return nil, err
		}
	}
	if err := p.fits(); err != nil {
		return nil, err
	}
	return p, nil
}

// Jobs makes everything ready and returns a job for each kernel of the wish: what [Lab.Resolve]
// and the methods of its plan do, in one. fetching and note are those of [Watch].
func (l *Lab) Jobs(ctx context.Context, w Wish, fetching func(kernels.Event), note func(string)) ([]matrix.Job, error) {
	p, err := l.Resolve(w)
	if err != nil {
		return nil, err
	}
	p.Identify(ctx)
	return p.Ready(ctx, Watch{Fetching: fetching, Note: note}), nil
}
