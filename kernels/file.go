package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile is the size, in bytes, up to which a [File] is taken out of a package.
const maxFile = 16 << 20

// File is a file that Debian's archive has in a package that is no kernel, such as the
// source of a manual page.
type File struct {
	// Name is what users call it; it is unique among the files asked for.
	Name string
	// Package that carries it, for any architecture.
	Package string
	// Version is the upstream part of the package's version. Of several revisions the newest is
	// meant: archives drop superseded ones.
	Version string
	// Suites of Debian's archive that may carry it; the first that does wins.
	Suites []string
	// Path of the file, relative to the package's root.
	Path string
}

// Fetched is what became of one [File].
type Fetched struct {
	File File
	// PackageVersion and SHA256 are those of the package it was taken from.
	PackageVersion, SHA256 string
	// Content is the file's, as packaged.
	Content []byte
	// Err is nil or an *Unavailable.
	Err error
}

// Files fetches files from Debian's archive, whose signature apt verifies, and returns them
// in the order asked for. A failure is that file's alone. Nothing of them stays in the cache but
// the archive's package lists: what is to stay is the caller's to [Store.Keep]. progress may be nil.
func (s *Store) Files(ctx context.Context, files []File, progress func(Event)) []Fetched {
	out := make([]Fetched, len(files))
	for i, f := range files {
		out[i].File = f
	}
	tell := func(e Event) {
		if progress != nil {
			progress(e)
		}
	}
	fail := func(err error) []Fetched {
		for i := range out {
			if out[i].Content == nil && out[i].Err == nil {
				out[i].Err = asUnavailable(err).named(files[i].Name)
			}
		}
		return out
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
	chosen, missing, err := s.chooseFiles(ctx, a, files, tell)
	if err != nil {
		return fail(err)
	}
	for i, u := range missing {
		out[i].Err = u.named(files[i].Name)
	}
	var size int64
	for _, c := range chosen {
		size += c.Size
	}
	if free, err := freeSpace(work); err == nil && free < size+minFree {
		return fail(noSpace(s.dir))
	}
	if len(chosen) > 0 {
		tell(Event{Stage: StageDownload, Bytes: size})
	}
	// one at a time: they are few, and what apt says is then about that one
	for n, i := range slices.Sorted(maps.Keys(chosen)) {
		c := chosen[i]
		share := func(p float64) {
			tell(Event{Stage: StageDownload, Share: (float64(n) + p) / float64(len(chosen)), Bytes: size})
		}
		said, err := a.download(ctx, work, []candidate{c}, share)
		deb := filepath.Join(work, c.file())
		if bad := verify(deb, c.SHA256); bad != nil {
			u := aptFailure(ctx, "`apt-get download`", said, err)
			if errors.Is(bad, errHash) {
				u = &Unavailable{Reason: BadHash, Happened: bad.Error(), Do: "try again: a mirror that is being updated, or a proxy that alters files"}
			}
			u.Happened = "download of " + c.Package + " " + c.Version + ": " + u.Happened
			out[i].Err = u.named(files[i].Name)
			continue
		}
		content, err := extract(deb, files[i].Path)
		if err != nil {
			out[i].Err = (&Unavailable{Reason: BadPackage, Happened: "package " + c.Package + " " + c.Version + ": " + err.Error(), Do: "report it", Err: err}).named(files[i].Name)
			continue
		}
		out[i].PackageVersion, out[i].SHA256, out[i].Content = c.Version, c.SHA256, content
	}
	return out
}

// chooseFiles finds the package of each file, by its place in files, or why there is none.
func (s *Store) chooseFiles(ctx context.Context, a *apt, files []File, tell func(Event)) (map[int]candidate, map[int]*Unavailable, error) {
	chosen, missing := map[int]candidate{}, map[int]*Unavailable{}
	for rank := 0; ; rank++ {
		suites := map[string][]string{}
		for i, f := range files {
			if _, ok := chosen[i]; !ok && rank < len(f.Suites) {
				suites[f.Suites[rank]] = []string{s.cat.arch} // its list has what is for any, too
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
		for i, f := range files {
			if _, ok := chosen[i]; ok || rank >= len(f.Suites) {
				continue
			}
			c, u := chooseFile(ctx, a, f, f.Suites[rank], lists[[2]string{f.Suites[rank], s.cat.arch}])
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

// chooseFile finds the package of f in a suite, whose package list is the file at list, "" if
// it could not be fetched.
func chooseFile(ctx context.Context, a *apt, f File, suite, list string) (candidate, *Unavailable) {
	if list == "" {
		return candidate{}, a.unlisted(ctx, suite)
	}
	cs, err := readNamed(list, suite, f.Package)
	if err != nil {
		return candidate{}, a.unreadable(suite, err)
	}
	var best candidate
	for _, c := range cs {
		upstream := c.Version
		if i := strings.LastIndexByte(upstream, '-'); i >= 0 {
			upstream = upstream[:i]
		}
		if c.Package == f.Package && upstream == f.Version && (best.Version == "" || compareVersions(c.Version, best.Version) > 0) {
			best = c
		}
	}
	if best.Version == "" {
		return candidate{}, &Unavailable{Reason: NoPackage,
			Happened: fmt.Sprintf("suite %s carries no %s of version %s", suite, f.Package, f.Version),
			Do:       "use a mirror that still carries it"}
	}
	return best, nil
}

// extract returns the content of the file at path in the package at deb.
func extract(deb, path string) ([]byte, error) {
	f, err := os.Open(deb)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var content []byte
	err = readDeb(f, func(name string, size int64, r io.Reader) error {
		if name != path {
			return nil
		}
		if size > maxFile {
			return fmt.Errorf("%s has %d MiB: %w", name, size>>20, errTooBig)
		}
		var err error
		if content, err = io.ReadAll(r); err != nil {
			return err
		}
		return errEnough
	})
	if err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, fmt.Errorf("no %s in it", path)
	}
	return content, nil
}

// Keep puts files, contents by name, into the folder at path, relative to the cache. The folder
// appears whole or not at all, and takes the place of one that is there. The error is an
// *Unavailable without a name.
func (s *Store) Keep(ctx context.Context, path string, files map[string][]byte) error {
	unlock, err := s.lock(ctx, "keep", func() {})
	if err != nil {
		return storeFailure(err)
	}
	defer unlock()
	work, err := s.workFolder("keep")
	if err != nil {
		return storeFailure(err)
	}
	defer os.RemoveAll(filepath.Dir(work))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeFile(filepath.Join(work, name), bytes.NewReader(files[name])); err != nil {
			return storeFailure(err)
		}
	}
	if err := publish(work, filepath.Join(s.dir, path)); err != nil {
		return storeFailure(err)
	}
	return nil
}
