package kernels

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Names of the parts of a kernel.
const (
	partImage   = "image"
	partConfig  = "config"
	partModules = "modules"
)

// modulesFolder is the folder of an entry in the cache that holds modules, without the folders
// that they lie in in their package: no path in a package becomes one here.
const modulesFolder = "modules"

// Bounds for what is kept of the modules of a kernel: far above what the catalogue keeps of
// genuine ones (some 100 files, 10 MiB).
const (
	maxModules     = 500
	maxModuleBytes = 512 << 20
)

// bundle is the packages that make one kernel.
type bundle struct {
	candidate // that of the image
	// parts are the packages of other parts, by the part's name, where those are packages of
	// their own and the archive has them.
	parts map[string]candidate
	// lacks says why there will be no modules; "" if there may be some.
	lacks string
}

// packages returns all of them, that of the image first.
func (b bundle) packages() []candidate {
	out := []candidate{b.candidate}
	for _, name := range slices.Sorted(maps.Keys(b.parts)) {
		out = append(out, b.parts[name])
	}
	return out
}

// hashes returns the hashes of the packages of parts.
func (b bundle) hashes() map[string]string {
	m := map[string]string{}
	for name, c := range b.parts {
		m[name] = c.SHA256
	}
	return m
}

// gather finds in cs, the packages of a suite, those that belong to e's image c: of the same
// version, since modules fit no other kernel than the one they were built with.
func gather(e Entry, c candidate, cs []candidate) bundle {
	b := bundle{candidate: c, parts: map[string]candidate{}}
	for name, p := range map[string]Part{partConfig: e.Layout.Config, partModules: e.Layout.Modules} {
		for _, pattern := range p.Packages {
			want := strings.ReplaceAll(pattern, "{release}", c.Release)
			i := slices.IndexFunc(cs, func(o candidate) bool {
				return o.Package == want && o.Version == c.Version && o.Arch == c.Arch
			})
			if i >= 0 {
				b.parts[name] = cs[i]
				break
			}
			if name == partModules {
				b.lacks = fmt.Sprintf("suite %s carries no package %s of version %s", c.Suite, want, c.Version)
			}
		}
	}
	if _, ok := b.parts[partModules]; ok {
		b.lacks = ""
	}
	return b
}

// unpack takes what is wanted out of the packages of b, which lie in the folder work, into the
// new folder dir, and the vmlinux out of the image.
func unpack(l Layout, keep []string, b bundle, work, dir string) (meta, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return meta{}, err
	}
	k := newKeeper(dir, keep)
	in := map[string]*wants{"": {}} // by the name of the part whose package it is, "" for the image's
	in[""].image = fill(l.Image.Paths, b.Release)
	for name, p := range map[string]Part{partConfig: l.Config, partModules: l.Modules} {
		where := name
		if len(p.Packages) == 0 {
			where = ""
		} else if _, ok := b.parts[name]; !ok {
			continue
		}
		if in[where] == nil {
			in[where] = &wants{}
		}
		if name == partConfig {
			in[where].config = fill(p.Paths, b.Release)
		} else {
			in[where].modules = fill(p.Paths, b.Release)
		}
	}
	for _, part := range slices.Sorted(maps.Keys(in)) {
		c := b.candidate
		if part != "" {
			c = b.parts[part]
		}
		if err := k.take(filepath.Join(work, c.file()), in[part]); err != nil {
			if part != "" && !isOurs(err) {
				err = fmt.Errorf("its package %s: %w", c.Package, err)
			}
			return meta{}, err
		}
	}
	if _, ok := k.best["image"]; !ok {
		return meta{}, fmt.Errorf("no image of %s in it", b.Release)
	}
	return describe(dir, filepath.Join(dir, "image"))
}

// fill puts the release string into paths.
func fill(paths []string, release string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = strings.ReplaceAll(p, "{release}", release)
	}
	return out
}

// wants is what is wanted of one package: paths in order of preference, of the modules those
// of their folder.
type wants struct{ image, config, modules []string }

// keeper takes files out of packages into a folder.
type keeper struct {
	dir  string
	keep []string
	// best is the rank of what was taken as image and as config.
	best    map[string]int
	modules map[string]bool
	bytes   int64
}

func newKeeper(dir string, keep []string) *keeper {
	return &keeper{dir: dir, keep: keep, best: map[string]int{}, modules: map[string]bool{}}
}

// take takes what w wants out of the package at deb.
func (k *keeper) take(deb string, w *wants) error {
	f, err := os.Open(deb)
	if err != nil {
		return err
	}
	defer f.Close()
	need := 0 // files after which nothing more is wanted
	for _, paths := range [][]string{w.image, w.config} {
		if len(paths) > 0 {
			need++
		}
	}
	got := 0
	return readDeb(f, func(name string, size int64, content io.Reader) error {
		if size == 0 {
			return nil
		}
		for _, folder := range w.modules {
			if rest, ok := strings.CutPrefix(name, folder+"/"); ok && isKept(rest, k.keep) {
				return k.module(rest, size, content)
			}
		}
		for as, paths := range map[string][]string{"image": w.image, "config": w.config} {
			rank := slices.Index(paths, name)
			if rank < 0 {
				continue
			}
			if have, ok := k.best[as]; ok && have <= rank {
				continue
			}
			k.best[as] = rank
			got++
			if err := writeFile(filepath.Join(k.dir, as), content); err != nil {
				return err
			}
		}
		// Mostly the first file is the only one; then the rest need not be decompressed.
		if got == need && len(w.modules) == 0 {
			return errEnough
		}
		return nil
	})
}

// moduleForm is the name of a module's file.
var moduleForm = regexp.MustCompile(`^[A-Za-z0-9_.,+-]{1,100}\.ko(\.(xz|zst|gz))?$`)

// isKept says whether a file at the path rest below a modules' folder is a module in one of
// the places that keep names.
func isKept(rest string, keep []string) bool {
	if !moduleForm.MatchString(path.Base(rest)) {
		return false
	}
	parts := strings.Split(rest, "/")
	for _, pattern := range keep {
		n := strings.Count(pattern, "/") + 1
		if n > len(parts) {
			continue
		}
		if ok, _ := path.Match(pattern, strings.Join(parts[:n], "/")); ok {
			return true
		}
	}
	return false
}

// module keeps the module whose path below the modules' folder is rest.
func (k *keeper) module(rest string, size int64, content io.Reader) error {
	name := path.Base(rest)
	k.bytes += size
	switch {
	case k.modules[name]:
		return fmt.Errorf("two modules called %s", name)
	case len(k.modules) >= maxModules || k.bytes > maxModuleBytes:
		return fmt.Errorf("more than %d modules or %d MiB of them: %w", maxModules, maxModuleBytes>>20, errTooBig)
	}
	k.modules[name] = true
	dir := filepath.Join(k.dir, modulesFolder)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return writeFile(filepath.Join(dir, name), content)
}
