// Package programs knows which packages of Debian have the real programs that specs run, such as
// pivot_root(8), and gets them: signatures checked, into the cache that holds the kernels, without
// root, and without the network once they are there.
package programs

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"

	"pivotspec/kernels"
)

//go:embed programs.yaml
var catalogue []byte

// Set is some packages that are used together.
type Set struct {
	// Name of the set.
	Name string `yaml:"name"`
	// Suites of Debian's archive that may carry the packages; the first that does wins.
	Suites []string `yaml:"suites"`
	// Packages are their names.
	Packages []string `yaml:"packages"`
	// Programs are the paths of programs, relative to the root, by the name that specs use.
	Programs map[string]string `yaml:"programs"`
}

var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]*$`)

// Parse reads a catalogue written like programs.yaml. All mistakes are reported together.
func Parse(data []byte) ([]Set, error) {
	var list []Set
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&list); err != nil {
		return nil, fmt.Errorf("programs: catalogue: %w", err)
	}
	var errs []error
	seen := map[string]bool{}
	for i, s := range list {
		bad := func(format string, a ...any) {
			errs = append(errs, fmt.Errorf("programs: catalogue: row %d (%s): "+format, append([]any{i + 1, s.Name}, a...)...))
		}
		for _, w := range slices.Concat([]string{s.Name}, s.Suites, s.Packages) {
			if !word.MatchString(w) {
				bad("%q is not a plain word", w)
			}
		}
		if len(s.Suites) == 0 {
			bad("no suite")
		}
		if len(s.Packages) == 0 {
			bad("no package")
		}
		for name, p := range s.Programs {
			if !word.MatchString(name) {
				bad("%q is not a plain word", name)
			}
			if p == "" || path.Clean("/"+p) != "/"+p {
				bad("the path %q is not a plain one from the root", p)
			}
		}
		if seen[s.Name] {
			bad("a second one of that name")
		}
		seen[s.Name] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return list, nil
}

// Lookup returns the set of that name of the catalogue built into the program.
func Lookup(name string) (Set, error) {
	list, err := Parse(catalogue)
	if err != nil {
		return Set{}, err
	}
	for _, s := range list {
		if s.Name == name {
			return s, nil
		}
	}
	return Set{}, fmt.Errorf("programs: there is no set %s", name)
}

// Get makes the packages of a set ready for an architecture, from the cache or from Debian's
// archive, and returns them in the set's order. A failure is that package's alone, with the error
// an *[Unavailable]. progress may be nil.
func (s Set) Get(ctx context.Context, store *kernels.Store, arch string, progress func(kernels.Event)) []kernels.Deb {
	list := make([]kernels.Package, len(s.Packages))
	for i, p := range s.Packages {
		list[i] = kernels.Package{Name: p, Arch: arch, Suites: s.Suites}
	}
	debs := store.Packages(ctx, list, progress)
	for i := range debs {
		if u := (*kernels.Unavailable)(nil); errors.As(debs[i].Err, &u) {
			debs[i].Err = &Unavailable{Package: list[i], Cause: u}
		}
	}
	return debs
}

// Unavailable is the error of a package that is not to be had here and now. Its message is one
// line: what was wanted, what happened, what to do.
type Unavailable struct {
	// Package that was wanted.
	Package kernels.Package
	// Cause is what the cache says about it.
	Cause *kernels.Unavailable
}

// Error returns the one line.
func (e *Unavailable) Error() string {
	return fmt.Sprintf("package %s for %s is not to be had: %s; %s", e.Package.Name, e.Package.Arch, e.Cause.Happened, e.Cause.Remedy())
}

// Unwrap returns the cause.
func (e *Unavailable) Unwrap() error { return e.Cause }
