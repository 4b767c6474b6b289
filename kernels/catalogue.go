package kernels

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml"
)

//go:embed catalogue.yaml
var catalogueYAML []byte

// Catalogue is what the catalogue file says: see the comments in catalogue.yaml.
type Catalogue struct {
	arch      string
	component string
	keyrings  []string
	folders   [][]string
	beside    beside
	keep      []string
	inner     map[string]inner
	layouts   []Layout // sorted by name
	entries   []Entry
}

// beside says where the config and modules of an image may lie.
type beside struct {
	Config  []string `yaml:"config"`
	Modules []string `yaml:"modules"`
	// Packages are how the names of the packages of one kernel begin: of each list, that of the
	// package with the image first.
	Packages [][]string `yaml:"packages"`
}

// Part says where one part of a kernel (its image, its config, its modules) lies. Packages
// and Paths are in order of preference; {release} in them stands for the release string.
type Part struct {
	// Packages is empty if the part lies in the image's package.
	Packages []string `yaml:"packages"`
	// Paths are relative to the package's root.
	Paths []string `yaml:"paths"`
}

// Layout says how a kernel is packaged.
type Layout struct {
	Image   Part `yaml:"image"`
	Config  Part `yaml:"config"`
	Modules Part `yaml:"modules"`
}

// Entry is one kernel of the catalogue: the newest version of a series, for an
// architecture, in a flavour.
type Entry struct {
	// Name is what users call it: "6.12", "6.12/arm64", "6.12-rt-amd64".
	Name string
	// Series is the two leading numbers of the version.
	Series string
	// Arch is Debian's name of the architecture.
	Arch string
	// Flavour is Debian's name of the build, such as "cloud-amd64".
	Flavour string
	// Suites of Debian's archive that may carry it; the first that does wins.
	Suites []string
	// Layout says where its parts lie.
	Layout Layout
	// Default is set if it belongs to the default matrix of its architecture.
	Default bool
	// All is set if it belongs to the matrix of all architectures, as every Default does.
	All bool
	// ABIs are Debian's names of those beside the kernel's own that belong to the matrix of all
	// architectures too.
	ABIs []string

	release string // regular expression of the release string
}

// key names the entry in the cache: unlike Name it does not depend on the other rows.
func (e Entry) key() string { return e.Arch + "/" + e.Series + "-" + e.Flavour }

type catalogueFile struct {
	Arch      string            `yaml:"arch"`
	Component string            `yaml:"component"`
	Keyrings  []string          `yaml:"keyrings"`
	Release   string            `yaml:"release"`
	Layouts   map[string]Layout `yaml:"layouts"`
	Keep      []string          `yaml:"keep"`
	Inner     map[string]inner  `yaml:"inner"`
	Folders   [][]string        `yaml:"folders"`
	Beside    beside            `yaml:"beside"`
	Kernels   []struct {
		Series  string   `yaml:"series"`
		Arch    string   `yaml:"arch"`
		Flavour string   `yaml:"flavour"`
		Suites  []string `yaml:"suites"`
		Layout  string   `yaml:"layout"`
		Default bool     `yaml:"default"`
		All     bool     `yaml:"all"`
		ABIs    []string `yaml:"abis"`
	} `yaml:"kernels"`
}

// Load returns the catalogue built into the program. All mistakes in it are reported together.
func Load() (*Catalogue, error) { return Parse(catalogueYAML) }

// Parse returns the catalogue in data, which is written like catalogue.yaml.
func Parse(data []byte) (*Catalogue, error) {
	var f catalogueFile
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&f); err != nil {
		return nil, fmt.Errorf("kernels: catalogue: %w", err)
	}
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf("kernels: catalogue: "+format, a...)) }
	if f.Arch == "" || f.Component == "" || f.Release == "" || len(f.Keyrings) == 0 {
		bad("arch, component, release and keyrings must be given")
	}
	for name, l := range f.Layouts {
		if len(l.Image.Packages) == 0 || len(l.Image.Paths) == 0 {
			bad("layout %s: the image needs packages and paths", name)
		}
	}
	c := &Catalogue{arch: f.Arch, component: f.Component, keyrings: f.Keyrings, folders: f.Folders, beside: f.Beside, keep: f.Keep, inner: f.Inner}
	for _, name := range slices.Sorted(maps.Keys(f.Layouts)) {
		c.layouts = append(c.layouts, f.Layouts[name])
	}
	for _, pattern := range f.Keep {
		if _, err := path.Match(pattern, ""); err != nil {
			bad("keep: %q: %w", pattern, err)
		}
	}
	for a, i := range f.Inner {
		if err := i.check(); err != nil {
			bad("inner: %s: %w", a, err)
		}
	}
	for _, group := range f.Folders {
		for _, pattern := range group {
			if _, err := path.Match(pattern, ""); err != nil {
				bad("folders: %q: %w", pattern, err)
			}
		}
	}
	for _, names := range f.Beside.Packages {
		if len(names) < 2 || slices.Contains(names, "") {
			bad("beside: packages: %q are not the beginnings of two names", names)
		}
	}
	names := map[string]bool{}
	first := map[string]bool{}
	for i, k := range f.Kernels {
		where := fmt.Sprintf("row %d (%s %s)", i+1, k.Series, k.Arch)
		if !seriesForm.MatchString(k.Series) {
			bad("%s: series %q is not two numbers", where, k.Series)
		}
		for _, w := range slices.Concat([]string{k.Arch, k.Flavour}, k.Suites, k.ABIs) {
			if !wordForm.MatchString(w) {
				bad("%s: %q is not a plain word", where, w)
			}
		}
		if len(k.Suites) == 0 {
			bad("%s: no suite", where)
		}
		l, ok := f.Layouts[k.Layout]
		if !ok {
			bad("%s: no layout %q", where, k.Layout)
		}
		release := strings.NewReplacer("{series}", regexp.QuoteMeta(k.Series), "{flavour}", regexp.QuoteMeta(k.Flavour)).Replace(f.Release)
		if _, err := regexp.Compile(release); err != nil {
			bad("release: %w", err)
		}
		name := k.Series
		if first[k.Series+"/"+k.Arch] {
			name += "-" + k.Flavour
		}
		first[k.Series+"/"+k.Arch] = true
		if k.Arch != f.Arch {
			name += "/" + k.Arch
		}
		if names[name] {
			bad("%s: a second %s", where, name)
		}
		names[name] = true
		c.entries = append(c.entries, Entry{Name: name, Series: k.Series, Arch: k.Arch, Flavour: k.Flavour,
			Suites: k.Suites, Layout: l, Default: k.Default, All: k.All || k.Default, ABIs: k.ABIs, release: release})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	sort.SliceStable(c.entries, func(i, j int) bool {
		a, b := c.entries[i], c.entries[j]
		if a.Arch != b.Arch {
			// the architecture of plain names first
			if (a.Arch == c.arch) != (b.Arch == c.arch) {
				return a.Arch == c.arch
			}
			return a.Arch < b.Arch
		}
		return compareSeries(a.Series, b.Series) < 0
	})
	return c, nil
}

var (
	seriesForm = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)
	wordForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*$`)
)

func compareSeries(a, b string) int {
	var a1, a2, b1, b2 int
	fmt.Sscanf(a, "%d.%d", &a1, &a2) // both have the form of seriesForm
	fmt.Sscanf(b, "%d.%d", &b1, &b2)
	return slices.Compare([]int{a1, a2}, []int{b1, b2})
}

// All returns every kernel of the catalogue: by architecture, oldest first.
func (c *Catalogue) All() []Entry { return slices.Clone(c.entries) }

// Default returns the default matrix of arch, oldest first; of the catalogue's own
// architecture if arch is "". It is empty for an architecture without one.
func (c *Catalogue) Default(arch string) []Entry {
	if arch == "" {
		arch = c.arch
	}
	var es []Entry
	for _, e := range c.entries {
		if e.Arch == arch && e.Default {
			es = append(es, e)
		}
	}
	return es
}

// Archs returns the architectures of the catalogue, in the order of All.
func (c *Catalogue) Archs() []string {
	var out []string
	for _, e := range c.entries {
		if !slices.Contains(out, e.Arch) {
			out = append(out, e.Arch)
		}
	}
	return out
}

// Lookup returns the kernel that a user calls ref: SERIES, SERIES-FLAVOUR, or either
// followed by /ARCH. An architecture in ref wins over arch, which stands in where ref has none;
// "" stands for the catalogue's own. The error is an *UnknownError.
func (c *Catalogue) Lookup(ref, arch string) (Entry, error) {
	name, a, ok := strings.Cut(ref, "/")
	if !ok {
		a = arch
	}
	if a == "" {
		a = c.arch
	}
	for _, e := range c.entries {
		short, _, _ := strings.Cut(e.Name, "/")
		if e.Arch == a && (name == short || name == e.Series+"-"+e.Flavour) {
			return e, nil
		}
	}
	full := name
	if a != c.arch {
		full += "/" + a
	}
	return Entry{}, c.unknown(ref, full)
}

// unknown makes the error for ref; full is ref with the architecture that was meant.
func (c *Catalogue) unknown(ref, full string) error {
	type near struct {
		name string
		dist int
	}
	e := &UnknownError{Ref: ref}
	var ns []near
	for _, k := range c.entries {
		d := levenshtein.ComputeDistance(full, k.Name)
		// an exact version, as in 6.12.107 or 6.12.107+deb13-cloud-amd64, means its series
		short, _, _ := strings.Cut(full, "/")
		if rest, ok := strings.CutPrefix(short, k.Series); ok && rest != "" && strings.ContainsRune(".-+", rune(rest[0])) {
			d = 0
		}
		if short == k.Series { // the architecture is what is wrong
			d = min(d, 1)
		}
		// a third of the letters wrong is a slip of the finger; more is another word
		if d <= max(1, len(full)/3) {
			ns = append(ns, near{k.Name, d})
		}
	}
	sort.SliceStable(ns, func(i, j int) bool { return ns[i].dist < ns[j].dist })
	for _, n := range ns[:min(3, len(ns))] {
		e.Near = append(e.Near, n.name)
	}
	return e
}
