package kernels

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Bounds for a package: far above any genuine one (a kernel with all modules has some 8000
// files and 600 MiB), far below what fills a disk.
const (
	maxDebFiles = 100_000
	maxDebBytes = 4 << 30
	maxDebFile  = 512 << 20
)

// Bounds for what a compressed file may become: maxRatio times its size, beyond the first
// freeBytes of it. Kernels and their packages are compressed to a quarter, text to a tenth.
const (
	maxRatio  = 100
	freeBytes = 64 << 20
)

// errBomb says that a few bytes become a great many.
var errBomb = fmt.Errorf("it becomes more than %d times as big when it is decompressed: %w", maxRatio, errTooBig)

// errLeadsOut says that a path climbs.
var errLeadsOut = errors.New("leads out of it")

// errEnough, returned by the function given to readDeb, ends the reading without an error.
var errEnough = errors.New("enough")

// Control is what a package says of itself.
type Control struct {
	// Name and Version are as its own archive writes them; "" if it does not say.
	Name, Version string
	// Arch is Debian's name of the architecture, "all" for a package for every one, "" if it does
	// not say.
	Arch string
}

// Member is a file in a package.
type Member struct {
	// Path is relative to the root, without dots.
	Path string
	// Mode has the type and the permission bits.
	Mode fs.FileMode
	// Link is the target of a symbolic link, or the path of the file that a hard link is to.
	Link string
	// Hard is set for a hard link, which has no content of its own.
	Hard bool
	// Size of the content, in bytes.
	Size int64
	// Content of a regular file, until the function that it is given to returns.
	Content io.Reader
}

// clean makes the path of a member relative to the root. One that climbs is refused: no genuine
// package has any.
func clean(name string) (string, error) {
	if len(name) > 4096 || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("a file's path of %d bytes: %w", len(name), errTooBig)
	}
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", fmt.Errorf("the path %q in it %w", name, errLeadsOut)
	}
	return path.Clean("/" + name)[1:], nil
}

// Formats of packages.
const (
	formatDeb = "deb"
	formatRPM = "rpm"
)

// formatOf tells from the content of the file at path what kind of package it is; "" if it
// is none, or cannot be read.
func formatOf(path string) string {
	f, err := openRegular(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var b [8]byte
	n, _ := io.ReadFull(f, b[:])
	switch {
	case string(b[:]) == arMagic:
		return formatDeb
	case n >= 4 && string(b[:4]) == rpmMagic:
		return formatRPM
	}
	return ""
}

// readPackage calls each for every file, folder and link in the package in the file at path,
// whose data is in the order of the package, and returns what the package says of itself. An
// errEnough of each ends the reading.
func readPackage(path string, each func(Member) error) (Control, error) {
	f, err := openRegular(path)
	if err != nil {
		return Control{}, err
	}
	defer f.Close()
	if formatOf(path) == formatRPM {
		return readRPM(f, each)
	}
	return readMembers(f, each)
}

// ReadPackage calls each for every member of the Debian or RPM package in the file at path, in
// the order of the package.
func ReadPackage(path string, each func(Member) error) error {
	_, err := readPackage(path, each)
	return err
}

// contents is which parts of kernels a package has: for each the releases in their paths, sorted.
type contents struct {
	Control
	images, modules, configs []string
}

// list finds out what is in the package in the file at path. A Debian package is read no further
// than to its kernel image.
func (c *Catalogue) list(path string) (contents, error) {
	var found contents
	note := func(name string) {
		p := c.place(name)
		switch p.part {
		case partImage:
			found.images = insert(found.images, p.release)
		case partModules:
			if moduleForm.MatchString(base(p.rest)) {
				found.modules = insert(found.modules, p.release)
			}
		case partConfig:
			found.configs = insert(found.configs, p.release)
		}
	}
	f, err := openRegular(path)
	if err != nil {
		return contents{}, err
	}
	defer f.Close()
	if formatOf(path) == formatRPM {
		h, err := readRPMHeader(bufio.NewReader(f))
		if err != nil {
			return contents{}, err
		}
		found.Control = h.Control
		for _, e := range h.files {
			if e.isFile() {
				note(e.path)
			}
		}
		return found, nil
	}
	found.Control, err = readMembers(f, func(m Member) error {
		if m.Mode.IsRegular() && !m.Hard && m.Size > 0 {
			note(m.Path)
		}
		if len(found.images) > 0 {
			return errEnough
		}
		return nil
	})
	return found, err
}

// insert puts s into the sorted list, once.
func insert(list []string, s string) []string {
	i, ok := slices.BinarySearch(list, s)
	if ok {
		return list
	}
	return slices.Insert(list, i, s)
}

func base(p string) string { return path.Base(p) }

// placed is what the path of a file in a package says about it.
type placed struct {
	part    string // one of the part constants, "" for what is no part of a kernel
	release string // as the path has it; the kernel itself may call itself otherwise
	rank    int    // of an image: its place in the order of preference
	rest    string // of a module: its path below the modules' folder
}

// place says what a file at the path name in a package is.
func (c *Catalogue) place(name string) placed {
	rank := 0
	for _, group := range c.folders {
		for _, pattern := range group {
			rank++
			// those of packages name folders; "vmlinux" alone would be anything
			if !strings.Contains(pattern, "/") {
				continue
			}
			if release, ok := starred(pattern, name); ok {
				return placed{part: partImage, release: release, rank: rank}
			}
		}
	}
	for _, pattern := range c.beside.Config {
		if !strings.Contains(pattern, "{release}") {
			continue
		}
		if release, ok := starred(strings.ReplaceAll(pattern, "{release}", "*"), name); ok {
			return placed{part: partConfig, release: release}
		}
	}
	for _, pattern := range c.beside.Modules {
		folder, ok := strings.CutSuffix(pattern, "{release}")
		if !ok || strings.HasPrefix(folder, "../") {
			continue
		}
		if rest, ok := strings.CutPrefix(name, folder); ok {
			release, rest, ok := strings.Cut(rest, "/")
			if ok && release != "" {
				return placed{part: partModules, release: release, rest: rest}
			}
		}
	}
	return placed{}
}

// starred says whether name matches a pattern with one star, and what the star stands for.
func starred(pattern, name string) (string, bool) {
	before, after, ok := strings.Cut(pattern, "*")
	if !ok {
		return "", pattern == name
	}
	rest, ok := strings.CutPrefix(name, before)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, after)
	return rest, ok && rest != "" && !strings.Contains(rest, "/")
}
