// Package lab puts together what it takes to boot a cell: the kernel that a user named, the
// architecture's row, an accelerator that works here, the image with the suite.
package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pivotspec/harness/accel"
	"pivotspec/harness/arch"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/kernels"
)

// Lab is one user's cache and the tables.
type Lab struct {
	Catalogue *kernels.Catalogue
	Store     *kernels.Store
	Table     *arch.Table
	Images    *images.Builder
	Chooser   *accel.Chooser
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
	table, err := arch.Load()
	if err != nil {
		return nil, err
	}
	return &Lab{
		Catalogue: cat, Store: store, Table: table, Dir: store.Dir(),
		Images:  &images.Builder{Dir: filepath.Join(store.Dir(), "images"), Source: source},
		Chooser: &accel.Chooser{Table: table, Dir: filepath.Join(store.Dir(), "accel")},
	}, nil
}

// Wish is what a user asks to be run.
type Wish struct {
	// Kernels are names of the catalogue, files or folders; none means the default matrix.
	Kernels []string
	// Archs are architectures for names that come without one; none means the catalogue's own.
	Archs []string
	// Accel is the name of an accelerator or [accel.Auto].
	Accel string
	// Guest is the path of a guest binary to use instead of building one; may be "".
	Guest string
	// Bare asks for an image that only powers off instead of the suite.
	Bare bool
}

// Resolve returns the catalogue's entries and the paths that the wish names. Its error is a
// *kernels.UnknownError or an *arch.UnknownError.
func (l *Lab) Resolve(w Wish) (entries []kernels.Entry, paths []string, err error) {
	archs := w.Archs
	if len(archs) == 0 {
		archs = []string{""}
	}
	for _, a := range archs {
		if a != "" {
			if _, err := l.Table.Arch(a); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, a := range archs {
		if len(w.Kernels) == 0 {
			d := l.Catalogue.Default(a)
			if len(d) == 0 {
				return nil, nil, fmt.Errorf("architecture %s has no default matrix: name the kernels to run", a)
			}
			entries = append(entries, d...)
		}
		for _, ref := range w.Kernels {
			if l.Catalogue.IsPath(ref) {
				continue
			}
			e, err := l.Catalogue.Lookup(ref, a)
			if err != nil {
				return nil, nil, err
			}
			entries = append(entries, e)
		}
	}
	for _, ref := range w.Kernels {
		if l.Catalogue.IsPath(ref) {
			paths = append(paths, ref)
		}
	}
	return entries, paths, nil
}

// Jobs makes everything ready and returns a job for each kernel of the wish, in order: those
// of the catalogue, then files and folders. What cannot be had is a job with an error. The
// error is for a wish that makes no sense as a whole: see [Lab.Resolve]. fetching follows the
// fetching of kernels and note takes lines that the user has to see; both may be nil.
func (l *Lab) Jobs(ctx context.Context, w Wish, fetching func(kernels.Event), note func(string)) ([]matrix.Job, error) {
	entries, paths, err := l.Resolve(w)
	if err != nil {
		return nil, err
	}
	if w.Accel != accel.Auto {
		if _, err := l.Table.Accel(w.Accel); err != nil {
			return nil, err
		}
	}
	var jobs []matrix.Job
	for _, r := range l.Store.Get(ctx, entries, fetching) {
		j := matrix.Job{Name: r.Entry.Series + "-" + r.Entry.Arch, Series: r.Entry.Series, Arch: r.Entry.Arch, Kernel: r.Kernel}
		if r.Kernel.Boot == "" {
			j.Err = r.Err
		} else if r.Err != nil && note != nil {
			// A refresh failed and the kernel is cached: it runs, and the user knows which.
			note(fmt.Sprintf("%s: using %s from the cache: %v", r.Entry.Name, r.Kernel.Version, r.Err))
		}
		if l.isVariant(r.Entry) {
			j.Name = r.Entry.Series + "-" + r.Entry.Flavour
		}
		jobs = append(jobs, j)
	}
	for _, p := range paths {
		k, err := l.Store.FromPath(ctx, p)
		name := strings.ReplaceAll(filepath.Base(filepath.Clean(p)), string(os.PathSeparator), "")
		if k.Version != "" {
			name = k.Version
		}
		a := k.Arch
		if a == "" {
			a = "unknown"
		}
		jobs = append(jobs, matrix.Job{Name: name + "-" + a, Series: k.Series, Arch: a, Kernel: k, Err: err})
	}
	unique(jobs)
	l.equip(ctx, w, jobs, note)
	return jobs, nil
}

// isVariant says whether e is another flavour than the one that its series' name stands for.
func (l *Lab) isVariant(e kernels.Entry) bool {
	plain, err := l.Catalogue.Lookup(e.Series, e.Arch)
	return err == nil && plain.Flavour != e.Flavour
}

// unique makes the names of jobs differ.
func unique(jobs []matrix.Job) {
	seen := map[string]int{}
	for i := range jobs {
		n := jobs[i].Name
		seen[n]++
		if seen[n] > 1 {
			jobs[i].Name = fmt.Sprintf("%s-%d", n, seen[n])
		}
	}
}

// equip gives each job its architecture, accelerator and image; the first thing that is not
// to be had becomes the job's error.
func (l *Lab) equip(ctx context.Context, w Wish, jobs []matrix.Job, note func(string)) {
	told := map[string]bool{}
	for i := range jobs {
		j := &jobs[i]
		if j.Err != nil {
			continue
		}
		a, err := l.Table.Arch(j.Arch)
		if err != nil {
			j.Err = err
			continue
		}
		abi, err := a.ABI("")
		if err != nil {
			j.Err = err
			continue
		}
		qemu, err := a.FindQEMU()
		if err != nil {
			j.Err = err
			continue
		}
		target := images.Target{Name: abi.Name, Env: abi.Environ()}
		choice, err := l.Chooser.Choose(ctx, w.Accel, a, func(ctx context.Context) (accel.Boot, error) {
			img, err := l.Images.Powerdown(ctx, target)
			if err != nil {
				return accel.Boot{}, err
			}
			return accel.Boot{Kernel: j.Kernel.Boot, Initramfs: img.Path}, nil
		})
		if err != nil {
			j.Err = err
			continue
		}
		if choice.Why != "" && !told[a.Name] && note != nil {
			note(choice.Why)
		}
		// Once an architecture: from the second time on the line says that it is remembered.
		told[a.Name] = true
		build := l.Images.Guest
		if w.Bare {
			build = func(ctx context.Context, t images.Target, _ ...images.Entry) (*images.Image, error) {
				return l.Images.Powerdown(ctx, t)
			}
		}
		if w.Guest != "" {
			build = func(ctx context.Context, t images.Target, extra ...images.Entry) (*images.Image, error) {
				b := images.Builder{Dir: l.Images.Dir, Source: l.Images.Source, Prebuilt: map[string]string{t.Name: w.Guest}}
				return b.Guest(ctx, t, extra...)
			}
		}
		img, err := build(ctx, target)
		if err != nil {
			j.Err = err
			continue
		}
		j.ABI = abi.Env["GOARCH"]
		j.VM = vm.Config{
			Arch: a, Accel: choice.Accel, QEMU: qemu, Kernel: j.Kernel.Boot, Initramfs: img.Path,
			Bare: w.Bare, Dir: filepath.Join(l.Dir, "vm"),
		}
	}
}
