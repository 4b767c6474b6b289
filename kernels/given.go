package kernels

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxGiven bounds how many packages a folder may have to be looked into.
const maxGiven = 200

// FromPaths makes one kernel of what [Store.Join] found to be one: a file or folder as
// [Store.FromPath] does, or the packages that a kernel is split into, which must have one image
// between them. The kernel is called as the first of them. The errors are FromPath's.
func (s *Store) FromPaths(ctx context.Context, refs ...string) (Kernel, error) {
	if len(refs) == 1 {
		return s.FromPath(ctx, refs[0])
	}
	for _, ref := range refs {
		if formatOf(ref) == "" {
			return Kernel{}, &NotKernelError{Path: ref, Why: "no package, and only packages are parts of one kernel", Do: "give it alone"}
		}
	}
	if len(refs) == 0 {
		return Kernel{}, &NotKernelError{Path: "nothing", Why: "no file was given", Do: "give a kernel image, a package or a folder"}
	}
	return s.fromPackages(ctx, refs[0], refs)
}

// Join says which of the given files and folders are one kernel: a package that has modules or a
// configuration and no image belongs to the package with the image of the same release and
// architecture, which is the first of its group. Groups are in the order of refs. What belongs
// nowhere is a group of its own, of which [Store.FromPaths] says what is wrong with it.
func (s *Store) Join(refs []string) [][]string {
	found := make([]contents, len(refs))
	packages := 0
	for _, ref := range refs {
		if formatOf(ref) != "" {
			packages++
		}
	}
	for i, ref := range refs {
		if packages < 2 || formatOf(ref) == "" {
			continue
		}
		// FromPaths says what is wrong with one that cannot be read
		if c, err := s.cat.list(ref); err == nil {
			found[i] = c
		}
	}
	taken := make([]bool, len(refs))
	groups := make([][]string, len(refs))
	for i, ref := range refs {
		if len(found[i].images) == 0 {
			continue
		}
		groups[i] = []string{ref}
		for j, other := range refs {
			if found[j].belongsTo(found[i]) {
				taken[j] = true
				groups[i] = append(groups[i], other)
			}
		}
	}
	var out [][]string
	for i, ref := range refs {
		switch {
		case groups[i] != nil:
			out = append(out, groups[i])
		case !taken[i]:
			out = append(out, []string{ref})
		}
	}
	return out
}

// belongsTo says whether c, a package without an image, has parts of the kernel in the other.
func (c contents) belongsTo(image contents) bool {
	if len(c.images) > 0 || c.Arch != "" && image.Arch != "" && c.Arch != "all" && c.Arch != image.Arch {
		return false
	}
	for _, release := range slices.Concat(c.modules, c.configs) {
		if slices.Contains(image.images, release) {
			return true
		}
	}
	return false
}

// packagesIn returns the packages of the one kernel in the folder dir, that with the image first;
// none if there are no packages in it.
func (c *Catalogue) packagesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &NotKernelError{Path: dir, Why: reasonOf(err), Do: "make it readable", Err: err}
	}
	var paths []string
	for _, e := range entries {
		// a link is somebody's choice to have it there, but not one to a device
		if p := filepath.Join(dir, e.Name()); !e.IsDir() && formatOf(p) != "" {
			paths = append(paths, p)
		}
	}
	switch {
	case len(paths) == 0:
		return nil, nil
	case len(paths) > maxGiven:
		return nil, &NotKernelError{Path: dir, Why: fmt.Sprintf("a folder with %d packages", len(paths)), Do: "give those of one kernel"}
	}
	var images []string
	var all []contents
	of := map[string]string{} // a kernel's first package by its release and architecture
	for _, p := range paths {
		found, err := c.list(p)
		if err != nil {
			return nil, badPackage(p, err)
		}
		all = append(all, found)
		for _, release := range found.images {
			if id := release + " for " + found.Arch; of[id] == "" {
				of[id] = p
				images = append(images, p)
			}
		}
	}
	switch {
	case len(of) == 0:
		return nil, &NotKernelError{Path: dir, Why: fmt.Sprintf("a folder with %d packages, and no kernel image in any", len(paths)), Do: "add the package with the kernel"}
	case len(of) > 1:
		return nil, &NotKernelError{Path: dir, Why: fmt.Sprintf("a folder with packages of %d kernels: %s", len(of), strings.Join(images, ", ")), Do: "give the packages of one"}
	}
	out := images
	image := all[slices.Index(paths, images[0])]
	for i, p := range paths {
		if all[i].belongsTo(image) {
			out = append(out, p)
		}
	}
	return out, nil
}

// siblings returns the packages with the other parts of the kernel in the package at path that
// lie in the same folder under the names that archives give them, and that are what they are
// called.
func (c *Catalogue) siblings(path string) []string {
	dir, name := filepath.Split(path)
	var out []string
	var image contents
	for _, names := range c.beside.Packages {
		rest, ok := strings.CutPrefix(name, names[0])
		if !ok {
			continue
		}
		for _, prefix := range names[1:] {
			p := filepath.Join(dir, prefix+rest)
			if slices.Contains(out, p) || formatOf(p) == "" {
				continue
			}
			if image.images == nil {
				var err error
				if image, err = c.list(path); err != nil {
					return nil // fromPackages says why
				}
			}
			// one that cannot be read is no reason to do without it in silence
			if found, err := c.list(p); err != nil || found.belongsTo(image) {
				out = append(out, p)
			}
		}
	}
	return out
}

// badPackage is the error of a package that cannot be used.
func badPackage(path string, err error) error {
	n := &NotKernelError{Path: path, Truncated: errors.Is(err, io.ErrUnexpectedEOF), Why: err.Error(), Do: "copy or download it again", Err: err}
	if n.Truncated && !strings.Contains(n.Why, "cut short") {
		n.Why = "cut short: " + n.Why
	}
	var w *wrongPackage
	if errors.As(err, &w) {
		n.Do = w.do
	}
	return n
}

// wrongPackage says that a package is whole and not what was wanted.
type wrongPackage struct{ why, do string }

func (w *wrongPackage) Error() string { return w.why }

// fromPackages makes a kernel of the packages that hold its parts. The kernel is called name.
func (s *Store) fromPackages(ctx context.Context, name string, paths []string) (Kernel, error) {
	id := sha256.New()
	for _, p := range paths {
		sum, err := HashFile(p)
		if err != nil {
			return Kernel{}, &NotKernelError{Path: p, Why: reasonOf(err), Do: "make it readable", Err: err}
		}
		fmt.Fprintln(id, sum)
	}
	m, err := s.once(ctx, "packages-"+hex.EncodeToString(id.Sum(nil)), func(dir string) (meta, error) {
		t := &taker{cat: s.cat, keeper: newKeeper(dir, s.cat.keep)}
		for _, p := range paths {
			if err := ctx.Err(); err != nil {
				return meta{}, err
			}
			if err := t.take(p); err != nil {
				if isOurs(err) {
					return meta{}, err
				}
				return meta{}, badPackage(p, err)
			}
		}
		m, err := t.describe(paths)
		if err != nil && !isOurs(err) && !errors.As(err, new(*NotKernelError)) {
			err = badPackage(t.from[partImage], err)
		}
		return m, err
	})
	var u *Unavailable
	switch {
	case ctx.Err() != nil:
		return Kernel{}, ctx.Err()
	case errors.As(err, &u):
		return Kernel{}, u.named(name)
	case err != nil:
		return Kernel{}, err
	}
	m.Name = name
	m.withoutModules()
	return m.Kernel, nil
}

// taker takes the parts of one kernel out of packages, whatever the kernel's release. A part is
// known by its path alone, and no path in a package becomes one here.
type taker struct {
	*keeper
	cat *Catalogue
	// from and release are, by part, the package that it was taken from and the release in its path.
	from, release map[string]string
	// arch is what the package with the image says that it is for.
	arch string
	// linked is a link where an image has to be.
	linked string
}

// take takes what the package at path has.
func (t *taker) take(path string) error {
	if t.from == nil {
		t.from, t.release = map[string]string{}, map[string]string{}
	}
	control, err := readPackage(path, func(m Member) error {
		p := t.cat.place(m.Path)
		switch {
		case p.part == "":
			return nil
		case !m.Mode.IsRegular() || m.Hard:
			if p.part == partImage && !m.Mode.IsDir() {
				t.linked = m.Path
			}
			return nil
		case m.Size == 0:
			return nil
		case p.part == partModules:
			if !isKept(p.rest, t.keep) {
				return nil
			}
			if err := t.one(p, path, "modules of"); err != nil {
				return err
			}
			return t.module(p.rest, m.Size, m.Content)
		case p.part == partConfig:
			// the first will do: a package with two has two copies
			if t.from[partConfig] != "" && t.from[partConfig] != path || t.best[partConfig] > 0 {
				return nil
			}
			t.from[partConfig], t.release[partConfig], t.best[partConfig] = path, p.release, 1
			return writeFile(filepath.Join(t.dir, partConfig), m.Content)
		}
		if err := t.one(p, path, "the kernels"); err != nil {
			return err
		}
		if have, ok := t.best[partImage]; ok && have <= p.rank {
			return nil
		}
		t.best[partImage] = p.rank
		return writeFile(filepath.Join(t.dir, partImage), m.Content)
	})
	if t.from[partImage] == path {
		t.arch = control.Arch
	}
	return err
}

// one says that a kernel has one image, and modules of one release.
func (t *taker) one(p placed, path, what string) error {
	have, ok := t.release[p.part]
	switch {
	case ok && have != p.release:
		return &wrongPackage{fmt.Sprintf("it has %s %s and %s", what, have, p.release), "give the packages of one kernel"}
	case ok && p.part == partImage && t.from[partImage] != path:
		return &wrongPackage{fmt.Sprintf("it has a kernel, and so has %s", t.from[partImage]), "give one of the two"}
	}
	if !ok {
		t.from[p.part], t.release[p.part] = path, p.release
	}
	return nil
}

// describe makes a kernel of what was taken from the packages.
func (t *taker) describe(paths []string) (meta, error) {
	if t.from[partImage] == "" {
		return meta{}, t.lacksImage(paths)
	}
	if config := filepath.Join(t.dir, partConfig); t.from[partConfig] != "" && !isConfig(config) {
		if err := os.Remove(config); err != nil {
			return meta{}, err
		}
	}
	m, err := describe(t.dir, filepath.Join(t.dir, partImage))
	if err != nil {
		return meta{}, err
	}
	if t.arch != "" && t.arch != "all" && t.arch != m.Arch {
		return meta{}, &wrongPackage{fmt.Sprintf("the package says that it is for %s, and the kernel in it is for %s", t.arch, m.Arch), "report it to who made it, or give the kernel image itself"}
	}
	if release, ok := t.release[partModules]; ok && m.Version != "" && release != m.Version {
		return meta{}, badPackage(t.from[partModules], &wrongPackage{fmt.Sprintf("its modules are of %s, and the kernel calls itself %s", release, m.Version), "give the modules that belong to the kernel"})
	}
	if len(t.modules) == 0 {
		m.NoModules = "the package has none, and none with them lies beside it"
		if len(paths) > 1 {
			m.NoModules = "the packages have none of those that are used"
		}
	}
	return m, nil
}

// lacksImage is the error of packages without a kernel image.
func (t *taker) lacksImage(paths []string) error {
	w := &wrongPackage{"a package without a kernel image", "give a package that holds the image: linux-image-*, from 6.19 on linux-binary-*; of Fedora kernel-core"}
	release := t.release[partModules]
	switch {
	case t.linked != "":
		w = &wrongPackage{fmt.Sprintf("its kernel image %s is a link, which is not followed", t.linked), "give the file that it leads to"}
	case release != "":
		w = &wrongPackage{fmt.Sprintf("it has modules of %s and no kernel", release), "give the package with the kernel too"}
	case t.release[partConfig] != "":
		w = &wrongPackage{fmt.Sprintf("it has a configuration of %s and no kernel", t.release[partConfig]), "give the package with the kernel too"}
	}
	return badPackage(paths[0], w)
}
