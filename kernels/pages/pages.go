// Package pages brings editions of the manual page into the cache of kernels, from Debian's
// archive and the way kernels come: by the machine's own apt, signatures verified, without root,
// and without the network once they are there.
package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"pivotspec/kernels"
)

//go:embed pages.yaml
var catalogue []byte

// Page is an edition of the manual page that Debian packages.
type Page struct {
	// Edition is the ID by which suites/knowledge knows it, such as "6.20".
	Edition string `yaml:"edition"`
	// Package and Version, without Debian's revision, are those of the package.
	Package string `yaml:"package"`
	Version string `yaml:"version"`
	// Suites of Debian's archive that may carry it; the first that does wins.
	Suites []string `yaml:"suites"`
	// Path of the page's source in the package.
	Path string `yaml:"path"`
}

var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.~-]*$`)

// Parse reads a catalogue written like pages.yaml. All mistakes are reported together.
func Parse(data []byte) ([]Page, error) {
	var list []Page
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&list); err != nil {
		return nil, fmt.Errorf("pages: catalogue: %w", err)
	}
	var errs []error
	seen := map[string]bool{}
	for i, p := range list {
		bad := func(format string, a ...any) {
			errs = append(errs, fmt.Errorf("pages: catalogue: row %d (%s): "+format, append([]any{i + 1, p.Edition}, a...)...))
		}
		for _, w := range append([]string{p.Edition, p.Package, p.Version}, p.Suites...) {
			if !word.MatchString(w) {
				bad("%q is not a plain word", w)
			}
		}
		if len(p.Suites) == 0 {
			bad("no suite")
		}
		if p.Path == "" || path.Clean("/"+p.Path) != "/"+p.Path {
			bad("the path %q is not a plain one from the package's root", p.Path)
		}
		if seen[p.Edition] {
			bad("a second one of that edition")
		}
		seen[p.Edition] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return list, nil
}

// Store is the part of the cache that holds pages:
//
//	pages/      EDITION/{page.json, the page's source as packaged}
type Store struct {
	kernels *kernels.Store
	pages   []Page
}

// Open opens the pages of a cache, of the catalogue built into the program. It touches nothing yet.
func Open(k *kernels.Store) (*Store, error) {
	list, err := Parse(catalogue)
	if err != nil {
		return nil, err
	}
	return &Store{kernels: k, pages: list}, nil
}

// All returns the pages of the catalogue in its order.
func (s *Store) All() []Page { return slices.Clone(s.pages) }

// Lookup returns the page of an edition. The error names those that there are.
func (s *Store) Lookup(edition string) (Page, error) {
	var known []string
	for _, p := range s.pages {
		if p.Edition == edition {
			return p, nil
		}
		known = append(known, p.Edition)
	}
	return Page{}, fmt.Errorf("edition %s has no package: those that can be fetched are %s", edition, strings.Join(known, ", "))
}

// Copy is a page in the cache.
type Copy struct {
	// File is the path of the page's source, as packaged: usually compressed.
	File string `json:"-"`
	// Name is the file's own name, such as "pivot_root.2.gz"; SHA256 is that of its content.
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	// Package and PackageVersion say where it came from, Deb is the SHA-256 of that package.
	Package        string `json:"package"`
	PackageVersion string `json:"package_version"`
	Deb            string `json:"deb"`
	// Format is the version of this part of the cache; another version's copy is not used.
	Format int `json:"format"`
}

const (
	format   = 1
	metaFile = "page.json"
)

func (s *Store) folder(edition string) string { return filepath.Join("pages", edition) }

// Cached returns the page of an edition from the cache, without network. A copy that is not
// what was put there counts as none.
func (s *Store) Cached(edition string) (Copy, bool) {
	dir := filepath.Join(s.kernels.Dir(), s.folder(edition))
	var c Copy
	b, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err != nil || json.Unmarshal(b, &c) != nil || c.Format != format || c.Name != filepath.Base(c.Name) {
		return Copy{}, false
	}
	c.File = filepath.Join(dir, c.Name)
	if b, err = os.ReadFile(c.File); err != nil || hash(b) != c.SHA256 {
		return Copy{}, false
	}
	return c, true
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Result is what became of one page.
type Result struct {
	Page Page
	Copy Copy
	// Err is nil or an *Unavailable.
	Err error
}

// Unavailable is the error of a page that the catalogue knows and that is not to be had here and
// now. Its message is one line: what was wanted, what happened, what to do.
type Unavailable struct {
	// Edition that was wanted.
	Edition string
	// Cause is what the cache of kernels says about it.
	Cause *kernels.Unavailable
}

// Error returns the one line.
func (e *Unavailable) Error() string {
	do := e.Cause.Remedy()
	if e.Cause.Reason == kernels.NoNetwork {
		do += "; pages that are cached can still be read"
	}
	return fmt.Sprintf("page %s is not to be had: %s; %s", e.Edition, strings.Join(strings.Fields(e.Cause.Happened), " "), do)
}

// Unwrap returns the cause.
func (e *Unavailable) Unwrap() error { return e.Cause }

// Get makes pages ready, from the cache or from Debian's archive, and returns the results in
// the order of list. A failure is that page's alone. progress may be nil.
//
// With everything in the cache nothing is run and nothing written.
func (s *Store) Get(ctx context.Context, list []Page, progress func(kernels.Event)) []Result {
	out := make([]Result, len(list))
	var files []kernels.File
	wanted := map[string]bool{}
	for i, p := range list {
		out[i].Page = p
		if _, ok := s.Cached(p.Edition); !ok && !wanted[p.Edition] {
			wanted[p.Edition] = true
			files = append(files, kernels.File{Name: p.Edition, Package: p.Package, Version: p.Version, Suites: p.Suites, Path: p.Path})
		}
	}
	errs := map[string]error{}
	if len(files) > 0 {
		for _, f := range s.kernels.Files(ctx, files, progress) {
			err := f.Err
			if err == nil {
				err = s.keep(ctx, f)
			}
			if err != nil {
				errs[f.File.Name] = err
			}
		}
	}
	for i, p := range list {
		c, ok := s.Cached(p.Edition)
		out[i].Copy = c
		if ok {
			continue
		}
		u := &kernels.Unavailable{Name: p.Edition, Reason: kernels.Failed, Happened: "it vanished from the cache " + s.kernels.Dir(), Do: "run it again"}
		errors.As(errs[p.Edition], &u)
		out[i].Err = &Unavailable{Edition: p.Edition, Cause: u}
	}
	return out
}

// keep puts what was fetched into the cache.
func (s *Store) keep(ctx context.Context, f kernels.Fetched) error {
	c := Copy{Name: path.Base(f.File.Path), SHA256: hash(f.Content), Package: f.File.Package, PackageVersion: f.PackageVersion, Deb: f.SHA256, Format: format}
	meta, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err
	}
	return s.kernels.Keep(ctx, s.folder(f.File.Name), map[string][]byte{metaFile: append(meta, '\n'), c.Name: f.Content})
}
