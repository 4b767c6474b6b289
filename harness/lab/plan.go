package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pivotspec/harness/accel"
	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/kernels"
)

// Plan is a wish on its way to be run: [Lab.Resolve] says which kernels it names, Identify
// which cells that makes, and Ready makes ready what they need. Call them in this order.
type Plan struct {
	lab     *Lab
	wish    Wish
	asked   asked
	targets []target
	// scenarios are the ways to boot each target that QEMU boots, at least one.
	scenarios []images.Scenario
	jobs      []matrix.Job // from Identify on
	boots     []boot       // of the same order and length as jobs
}

// target is one kernel as it was named: an entry of the catalogue, a path, or a backend.
type target struct {
	entry   kernels.Entry
	path    string          // "" for an entry
	parts   []string        // packages with other parts of the kernel in that at path
	backend backend.Backend // nil for what QEMU boots
	abi     string          // Debian's name of the guest's ABI, "" the kernel's own
}

// boot is what one job does: a target in one of the ways to boot it.
type boot struct {
	target   target
	scenario *images.Scenario // nil for a backend, which boots nothing
}

// isEntry says whether the catalogue knows of the target.
func (t target) isEntry() bool { return t.path == "" && t.backend == nil }

// Watch takes what a person may want to see of the work. Any field may be nil.
type Watch struct {
	// Fetching follows the fetching of kernels.
	Fetching func(kernels.Event)
	// Doing is told of other work that can take seconds, such as "building the guest for amd64".
	Doing func(what string)
	// Note takes a line that the user has to see.
	Note func(line string)
}

// addEntry adds an entry for programs of an ABI unless it is there already: 7.0 and
// 7.0-cloud-amd64 are one cell.
func (p *Plan) addEntry(e kernels.Entry, abi string) {
	if abi == e.Arch {
		abi = ""
	}
	if !slices.ContainsFunc(p.targets, func(t target) bool { return t.isEntry() && keyOf(t.entry) == keyOf(e) && t.abi == abi }) {
		p.targets = append(p.targets, target{entry: e, abi: abi})
	}
}

// key tells a kernel of the catalogue from every other, by whatever name it was called.
type key struct{ arch, series, flavour string }

func keyOf(e kernels.Entry) key { return key{e.Arch, e.Series, e.Flavour} }

// addPath adds a path unless the same file or folder is there already.
func (p *Plan) addPath(path string) {
	if !slices.ContainsFunc(p.targets, func(t target) bool { return t.path != "" && sameFile(t.path, path) }) {
		p.targets = append(p.targets, target{path: path})
	}
}

func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	sa, errA := os.Stat(a)
	sb, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(sa, sb)
}

// Len returns how many cells there will be.
func (p *Plan) Len() int {
	n := len(p.Backends())
	return n + (len(p.targets)-n)*len(p.scenarios)
}

// Entries returns the kernels of the catalogue, each once.
func (p *Plan) Entries() []kernels.Entry {
	var out []kernels.Entry
	for _, t := range p.targets {
		if t.isEntry() && !slices.ContainsFunc(out, func(e kernels.Entry) bool { return keyOf(e) == keyOf(t.entry) }) {
			out = append(out, t.entry)
		}
	}
	return out
}

// Paths returns the files and folders.
func (p *Plan) Paths() []string {
	var out []string
	for _, t := range p.targets {
		if t.path != "" {
			out = append(out, t.path)
		}
	}
	return out
}

// Identify looks into the files and folders and returns a job for each kernel and way to boot it,
// the kernels of the catalogue first. The jobs have their names, and cannot be run before Ready.
func (p *Plan) Identify(ctx context.Context) []matrix.Job {
	p.jobs, p.boots = nil, nil
	for _, t := range p.targets {
		switch {
		case t.backend != nil:
			j := p.lab.find(ctx, t.backend)
			j.Asked = p.asked.part(j.Scenario)
			p.jobs = append(p.jobs, j)
			p.boots = append(p.boots, boot{target: t})
		case t.path != "":
			p.add(t, p.lab.identify(ctx, t.path, t.parts...))
		default:
			j := matrix.Job{Name: t.entry.Series + "-" + t.entry.Arch, Series: t.entry.Series, Arch: t.entry.Arch, ABI: t.entry.Arch}
			if p.lab.isVariant(t.entry) {
				j.Name, j.Flavour = t.entry.Series+"-"+t.entry.Flavour, t.entry.Flavour
			}
			if t.abi != "" {
				j.Name, j.ABI = j.Name+"-"+t.abi, t.abi
			}
			p.add(t, j)
		}
	}
	unique(p.jobs)
	return slices.Clone(p.jobs)
}

// Keep leaves only the jobs with these indices, in ascending order, of those that Identify returned: what
// others need is not fetched.
func (p *Plan) Keep(own []int) []matrix.Job {
	var jobs []matrix.Job
	var boots []boot
	for _, i := range own {
		jobs, boots = append(jobs, p.jobs[i]), append(boots, p.boots[i])
	}
	p.jobs, p.boots = jobs, boots
	return slices.Clone(jobs)
}

// identify makes the job of a kernel that was given as a path, or as packages of which path is the
// one with the image.
func (l *Lab) identify(ctx context.Context, path string, parts ...string) matrix.Job {
	if ctx.Err() != nil {
		return matrix.Job{Name: filepath.Base(path) + "-unknown", Arch: "unknown", Err: backend.ErrNotBegun}
	}
	k, err := l.Store.FromPaths(ctx, append([]string{path}, parts...)...)
	name, a := k.Version, k.Arch
	if name == "" {
		name = filepath.Base(path)
	}
	if a == "" {
		a = "unknown"
	}
	// Debian's release strings end in the architecture already.
	if !strings.HasSuffix(name, "-"+a) {
		name += "-" + a
	}
	return matrix.Job{Name: name, Series: k.Series, Arch: a, Kernel: k, Err: interrupted(ctx, err)}
}

// isVariant says whether e is another flavour than the one that its series' name stands for.
func (l *Lab) isVariant(e kernels.Entry) bool {
	plain, err := l.Catalogue.Lookup(e.Series, e.Arch)
	return err == nil && plain.Flavour != e.Flavour
}

// unique makes the names of jobs differ. They are the names of files, too.
func unique(jobs []matrix.Job) {
	taken := map[string]bool{}
	for i := range jobs {
		name := jobs[i].Name
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s-%d", jobs[i].Name, n)
		}
		taken[name] = true
		jobs[i].Name = name
	}
}

// Ready fetches the kernels, and gives each job its architecture, accelerator and image. The
// first thing that is not to be had becomes the job's error; so does the end of ctx.
func (p *Plan) Ready(ctx context.Context, w Watch) []matrix.Job {
	if w.Doing == nil {
		w.Doing = func(string) {}
	}
	if w.Note == nil {
		w.Note = func(string) {}
	}
	p.fetch(ctx, w)
	e := equipper{lab: p.lab, wish: p.wish, asked: p.asked, watch: w, choices: map[string]choice{}, given: map[string]*images.Builder{}}
	for i := range p.jobs {
		j := &p.jobs[i]
		switch b := p.boots[i]; {
		case j.Err != nil:
			continue
		case b.target.backend != nil:
			j.Err = e.lend(ctx, b.target.backend, j)
		default:
			j.Err = e.equip(ctx, j)
			if j.Err == nil && !p.wish.Bare {
				j.Err = p.lab.unwritable(e.enter(ctx, j, b.scenario))
			}
			if j.Err == nil && !p.wish.Bare {
				j.Err = p.tell(j)
			}
		}
		j.Err = interrupted(ctx, j.Err)
	}
	return slices.Clone(p.jobs)
}

// fetch gives the jobs of the catalogue their kernels.
func (p *Plan) fetch(ctx context.Context, w Watch) {
	p.withoutQEMU()
	var entries []kernels.Entry
	wanted := map[key]bool{}
	for i, b := range p.boots {
		// Nothing is downloaded for what cannot be booted here, and nothing twice.
		if b.target.isEntry() && p.jobs[i].Err == nil && !wanted[keyOf(b.target.entry)] {
			wanted[keyOf(b.target.entry)] = true
			entries = append(entries, b.target.entry)
		}
	}
	results := p.lab.Store.Get(ctx, entries, w.Fetching)
	for _, r := range results {
		if r.Kernel.Boot != "" && r.Err != nil {
			// A refresh failed and the kernel is cached: it runs, and the user knows which.
			w.Note(fmt.Sprintf("%s: using %s from the cache: %v", r.Entry.Name, r.Kernel.Version, r.Err))
		}
	}
	p.take(ctx, results)
}

// take gives the jobs of the catalogue the kernels that came of fetching. A job without one has an error.
func (p *Plan) take(ctx context.Context, results []kernels.Result) {
	of := map[key]kernels.Result{}
	for _, r := range results {
		of[keyOf(r.Entry)] = r
	}
	for i, b := range p.boots {
		if !b.target.isEntry() || p.jobs[i].Err != nil {
			continue
		}
		r := of[keyOf(b.target.entry)]
		p.jobs[i].Kernel = r.Kernel
		if r.Kernel.Boot == "" {
			p.jobs[i].Err = interrupted(ctx, cmp.Or(r.Err, errNoResult))
		}
	}
}

// errNoResult is the error of a kernel of which nothing was heard: neither that it is here nor why not.
var errNoResult = errors.New("the store of kernels says nothing of this one; report it")

// interrupted returns err, or one that says so if ctx has ended: whatever failed then did so
// because of that, and says it in its own words.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return backend.ErrNotBegun
	}
	return err
}

// equipper gives jobs what they need beside a kernel.
type equipper struct {
	lab     *Lab
	wish    Wish
	asked   asked
	watch   Watch
	choices map[string]choice          // by architecture
	given   map[string]*images.Builder // of the guest that the user gave, by target
}

// choice is what came of looking for an accelerator.
type choice struct {
	*accel.Choice
	err error
}

func (e *equipper) equip(ctx context.Context, j *matrix.Job) error {
	a, err := e.lab.Table.Arch(j.Arch)
	if err != nil {
		return fmt.Errorf("a kernel for %s cannot be booted: %w", j.Arch, err)
	}
	abi, err := a.ABI(j.ABI)
	if err != nil {
		return err
	}
	own, err := a.ABI("")
	if err != nil {
		return err
	}
	if err := bootable(j.Kernel, a, abi); err != nil {
		return err
	}
	qemu, err := a.FindQEMU()
	if err != nil {
		return err
	}
	target := images.Target{Name: abi.Name, Env: abi.Environ()}
	accelerator, err := e.accelerator(ctx, a, images.Target{Name: own.Name, Env: own.Environ()}, j.Kernel)
	if err != nil {
		return err
	}
	e.watch.Doing("building the guest for " + abi.Name)
	img, err := e.image(ctx, target)
	if err != nil {
		return err
	}
	j.ABI, j.Program = abi.Name, img.BinarySHA256
	j.VM = vm.Config{
		Arch: a, Accel: accelerator, QEMU: qemu, Firmware: a.FindFirmware(qemu), Kernel: j.Kernel.Boot, Initramfs: img.Path,
		Memory: a.MemoryFor(j.Kernel.Version),
		Bare:   e.wish.Bare, Dir: filepath.Join(e.lab.Dir, "vm"),
	}
	return nil
}

// noModules says why k came without modules, in words that are the same for every kernel of the
// catalogue: they go into records, and with a package's version in them each kernel would have a
// reason of its own, and another one with each update. `pivotspec kernels fetch` has the details.
func noModules(k kernels.Kernel) string {
	if k.Package != "" && k.NoModules != "" {
		return "its package is no longer in the archive"
	}
	return k.NoModules
}

// accelerator chooses once an architecture, and says once why it is not a better one.
func (e *equipper) accelerator(ctx context.Context, a *arch.Arch, t images.Target, k kernels.Kernel) (*arch.Accel, error) {
	c, ok := e.choices[a.Name]
	if !ok {
		c.Choice, c.err = e.lab.Chooser.Choose(ctx, e.wish.Accel, a, func(ctx context.Context) (accel.Boot, error) {
			e.watch.Doing("trying accelerators for " + a.Name)
			img, err := e.lab.Images.Powerdown(ctx, t)
			if err != nil {
				return accel.Boot{}, err
			}
			return accel.Boot{Kernel: e.trialKernel(a, k).Boot, Initramfs: img.Path}, nil
		})
		e.choices[a.Name] = c
		if c.err == nil && c.Why != "" {
			e.watch.Note(c.Why)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return c.Accel, nil
}

// trialKernel returns a kernel for the trial of an accelerator: one of the catalogue if any
// is here. A user's own may be what is broken, and the outcome is remembered.
func (e *equipper) trialKernel(a *arch.Arch, own kernels.Kernel) kernels.Kernel {
	if own.Package != "" {
		return own
	}
	for _, entry := range e.lab.Catalogue.All() {
		if k, ok := e.lab.Store.Cached(entry); ok && entry.Arch == a.Name {
			return k
		}
	}
	return own
}

// image returns the image that the wish asks for; the builder makes it once.
func (e *equipper) image(ctx context.Context, t images.Target) (*images.Image, error) {
	img, err := e.build(ctx, t)
	return img, e.lab.unwritable(err)
}

// unwritable says what to do about an error of the file system.
func (l *Lab) unwritable(err error) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return fmt.Errorf("the guest's image cannot be made in %s: %w; free some space or make it writable, or choose another folder with --cache",
			l.Images.Dir, p.Err)
	}
	return err
}

func (e *equipper) build(ctx context.Context, t images.Target) (*images.Image, error) {
	if e.wish.Bare {
		return e.lab.Images.Powerdown(ctx, t)
	}
	if e.wish.Guest == "" {
		return e.lab.Images.Guest(ctx, t)
	}
	if e.given[t.Name] == nil {
		e.given[t.Name] = &images.Builder{
			Dir: e.lab.Images.Dir, Source: e.lab.Images.Source,
			Prebuilt: map[string]string{t.Name: e.wish.Guest},
		}
	}
	return e.given[t.Name].Guest(ctx, t)
}
