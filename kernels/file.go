package kernels

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	list := make([]wanted, len(files))
	for i, f := range files {
		out[i].File = f
		// the list of an architecture has what is for any, too
		list[i] = wanted{name: f.Name, pkg: f.Package, version: f.Version, arch: s.cat.arch, suites: f.Suites}
	}
	errs := s.packages(ctx, list, progress, func(i int, c candidate, deb string) error {
		content, err := extract(deb, files[i].Path)
		if err != nil {
			return err
		}
		out[i].PackageVersion, out[i].SHA256, out[i].Content = c.Version, c.SHA256, content
		return nil
	})
	for i, u := range errs {
		if u != nil {
			out[i].Err = u
		}
	}
	return out
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
