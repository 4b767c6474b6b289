package kernels

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Package is a package of Debian's archive that is no kernel, such as one with real programs
// for specs to run.
type Package struct {
	// Name of the package.
	Name string
	// Arch is Debian's name of the architecture; packages for all are found for each.
	Arch string
	// Suites of Debian's archive that may carry it; the first that does wins, and of several
	// versions there the newest.
	Suites []string
}

// Deb is what became of one [Package].
type Deb struct {
	Package Package `json:"-"`
	// File is the path of the package's file in the cache.
	File string `json:"-"`
	// Version of the package, and the Suite that carried it.
	Version string `json:"version"`
	Suite   string `json:"suite"`
	// SHA256 of the package's file, as in the archive's signed index.
	SHA256 string `json:"sha256"`
	// Format is the version of this part of the cache; another version's copy is not used.
	Format int `json:"format"`
	// Err is nil or an *Unavailable.
	Err error `json:"-"`
}

const (
	packageFormat = 1
	packageMeta   = "package.json"
	packageFile   = "package.deb"
	// maxPackage is the size, in bytes, up to which a [Package] is kept.
	maxPackage = 64 << 20
)

// packageName is what may be a package's name and an architecture's: both become folders.
var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*$`)

func packageFolder(p Package) string { return filepath.Join("packages", p.Arch, p.Name) }

// CachedPackage returns a package from the cache, without network. A copy that is not what was
// put there counts as none.
func (s *Store) CachedPackage(p Package) (Deb, bool) {
	if !packageName.MatchString(p.Name) || !packageName.MatchString(p.Arch) {
		return Deb{}, false
	}
	dir := filepath.Join(s.dir, packageFolder(p))
	var d Deb
	b, err := os.ReadFile(filepath.Join(dir, packageMeta))
	if err != nil || json.Unmarshal(b, &d) != nil || d.Format != packageFormat {
		return Deb{}, false
	}
	d.Package, d.File = p, filepath.Join(dir, packageFile)
	return d, verify(d.File, d.SHA256) == nil
}

// Packages makes packages ready, from the cache or from Debian's archive, whose signature apt
// verifies, and returns them in the order asked for. A failure is that package's alone.
// progress may be nil. With everything in the cache nothing is run and nothing written.
func (s *Store) Packages(ctx context.Context, list []Package, progress func(Event)) []Deb {
	out := make([]Deb, len(list))
	var missing []wanted
	var place []int // of missing[i] in list
	for i, p := range list {
		if d, ok := s.CachedPackage(p); ok {
			out[i] = d
			continue
		}
		out[i].Package = p
		if !packageName.MatchString(p.Name) || !packageName.MatchString(p.Arch) {
			out[i].Err = (&Unavailable{Reason: Failed, Happened: fmt.Sprintf("%q for %q is not the name of a package", p.Name, p.Arch), Do: "correct its name"}).named(p.Name)
			continue
		}
		missing = append(missing, wanted{name: p.Name, pkg: p.Name, arch: p.Arch, suites: p.Suites})
		place = append(place, i)
	}
	if len(missing) == 0 {
		return out
	}
	errs := s.packages(ctx, missing, progress, func(n int, c candidate, deb string) error {
		return s.keepPackage(ctx, list[place[n]], c, deb)
	})
	for n, i := range place {
		d, ok := s.CachedPackage(list[i])
		switch {
		case errs[n] != nil:
			out[i].Err = errs[n]
		case ok:
			out[i] = d
		default:
			out[i].Err = &Unavailable{Name: list[i].Name, Reason: Failed, Happened: "it vanished from the cache " + s.dir, Do: "run it again"}
		}
	}
	return out
}

// keepPackage puts the file deb of a package into the cache.
func (s *Store) keepPackage(ctx context.Context, p Package, c candidate, deb string) error {
	if c.Size > maxPackage {
		return fmt.Errorf("it has %d MiB: %w", c.Size>>20, errTooBig)
	}
	content, err := os.ReadFile(deb)
	if err != nil {
		return err
	}
	meta, err := json.MarshalIndent(Deb{Version: c.Version, Suite: c.Suite, SHA256: c.SHA256, Format: packageFormat}, "", "\t")
	if err != nil {
		return err
	}
	return s.Keep(ctx, packageFolder(p), map[string][]byte{packageMeta: append(meta, '\n'), packageFile: content})
}

// wanted is a package to be fetched.
type wanted struct {
	// name is what users call it.
	name string
	// pkg is the package's own name; version the upstream part of its version, "" for any.
	pkg, version string
	arch         string
	suites       []string
}

// packages fetches packages from Debian's archive and calls use with each: its place in list,
// what the archive says of it, and the path of its verified file, which is gone afterwards. It
// returns what went wrong with each, in the order of list; an error of use that is not the file
// system's is taken for one of the package.
func (s *Store) packages(ctx context.Context, list []wanted, progress func(Event), use func(i int, c candidate, deb string) error) []*Unavailable {
	errs := make([]*Unavailable, len(list))
	done := make([]bool, len(list))
	tell := func(e Event) {
		if progress != nil {
			progress(e)
		}
	}
	fail := func(err error) []*Unavailable {
		for i := range list {
			if !done[i] && errs[i] == nil {
				errs[i] = asUnavailable(err).named(list[i].name)
			}
		}
		return errs
	}
	unlock, err := s.lock(ctx, "fetch", func() { tell(Event{Stage: StageWait}) })
	if err != nil {
		return fail(err)
	}
	defer unlock()
	work, err := s.workFolder("fetch")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(work)
	tell(Event{Stage: StageUpdate})
	a, err := openApt(ctx, filepath.Join(s.dir, "apt"), s.cat.component, s.cat.keyrings)
	if err != nil {
		return fail(err)
	}
	chosen, missing, err := choosePackages(ctx, a, list, tell)
	if err != nil {
		return fail(err)
	}
	for i, u := range missing {
		errs[i] = u.named(list[i].name)
	}
	var size int64
	var places []int
	var cs []candidate
	for i := range list {
		if c, ok := chosen[i]; ok {
			size += c.Size
			places, cs = append(places, i), append(cs, c)
		}
	}
	if len(cs) == 0 {
		return errs
	}
	if free, err := freeSpace(work); err == nil && free < size+minFree {
		return fail(noSpace(s.dir))
	}
	tell(Event{Stage: StageDownload, Bytes: size})
	said, err := a.download(ctx, work, cs, func(p float64) { tell(Event{Stage: StageDownload, Share: p, Bytes: size}) })
	for n, i := range places {
		c := cs[n]
		deb := filepath.Join(work, c.file())
		bad := verify(deb, c.SHA256)
		u := aptFailure(ctx, "`apt-get download`", said, err)
		// once more, alone: what apt says then is about this one
		if bad != nil && len(cs) > 1 && ctx.Err() == nil && u.Reason != NoNetwork && u.Reason != NoSpace && u.Reason != Unwritable {
			os.Remove(deb)
			said1, err1 := a.download(ctx, work, cs[n:n+1], nil)
			bad = verify(deb, c.SHA256)
			u = aptFailure(ctx, "`apt-get download`", said1, err1)
		}
		if bad != nil {
			if errors.Is(bad, errHash) {
				u = &Unavailable{Reason: BadHash, Happened: bad.Error(), Do: "try again: a mirror that is being updated, or a proxy that alters files"}
			}
			u.Happened = "download of " + c.Package + " " + c.Version + ": " + u.Happened
			errs[i] = u.named(list[i].name)
			continue
		}
		switch err := use(i, c, deb); {
		case err == nil:
			done[i] = true
		case isOurs(err) || errors.As(err, new(*Unavailable)):
			errs[i] = asUnavailable(err).named(list[i].name)
		default:
			errs[i] = (&Unavailable{Reason: BadPackage, Happened: "package " + c.Package + " " + c.Version + ": " + err.Error(), Do: "report it", Err: err}).named(list[i].name)
		}
	}
	return errs
}

// choosePackages finds each package, by its place in list, or why there is none.
func choosePackages(ctx context.Context, a *apt, list []wanted, tell func(Event)) (map[int]candidate, map[int]*Unavailable, error) {
	chosen, missing := map[int]candidate{}, map[int]*Unavailable{}
	for rank := 0; ; rank++ {
		suites := map[string][]string{}
		for i, w := range list {
			if _, ok := chosen[i]; ok || rank >= len(w.suites) {
				continue
			}
			if suite := w.suites[rank]; !slices.Contains(suites[suite], w.arch) {
				suites[suite] = append(suites[suite], w.arch)
				slices.Sort(suites[suite])
			}
		}
		if len(suites) == 0 {
			return chosen, missing, nil
		}
		if err := a.update(ctx, suites, func(p float64) { tell(Event{Stage: StageUpdate, Share: p}) }); err != nil {
			return nil, nil, err
		}
		lists, err := a.lists(ctx)
		if err != nil {
			return nil, nil, err
		}
		read := map[string]map[string][]candidate{}
		for i, w := range list {
			if _, ok := chosen[i]; ok || rank >= len(w.suites) {
				continue
			}
			c, u := choosePackage(ctx, a, w, w.suites[rank], lists, read)
			switch {
			case u == nil:
				chosen[i] = c
				delete(missing, i)
			case missing[i] == nil: // the first suite's is the one that matters
				missing[i] = u
			}
		}
	}
}

// choosePackage finds a package in a suite. read keeps the lists that have been read, by their file.
func choosePackage(ctx context.Context, a *apt, w wanted, suite string, lists map[[2]string]string, read map[string]map[string][]candidate) (candidate, *Unavailable) {
	file := lists[[2]string{suite, w.arch}]
	if file == "" {
		return candidate{}, a.unlisted(ctx, suite)
	}
	if read[file] == nil {
		cs, err := readNamed(file, suite, "")
		if err != nil {
			return candidate{}, a.unreadable(suite, err)
		}
		read[file] = map[string][]candidate{}
		for _, c := range cs {
			read[file][c.Package] = append(read[file][c.Package], c)
		}
	}
	var best candidate
	for _, c := range read[file][w.pkg] {
		if (w.version == "" || upstream(c.Version) == w.version) && (best.Version == "" || compareVersions(c.Version, best.Version) > 0) {
			best = c
		}
	}
	if best.Version == "" {
		happened := fmt.Sprintf("suite %s carries no %s for %s", suite, w.pkg, w.arch)
		if w.version != "" {
			happened = fmt.Sprintf("suite %s carries no %s of version %s", suite, w.pkg, w.version)
		}
		return candidate{}, &Unavailable{Reason: NoPackage, Happened: happened, Do: "use a mirror that still carries it"}
	}
	return best, nil
}

// upstream returns a version without Debian's revision.
func upstream(version string) string {
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		return version[:i]
	}
	return version
}
