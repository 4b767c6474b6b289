package images

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"pivotspec/kernels"
	"pivotspec/kernels/cause"
	"pivotspec/suites/programs"
)

// maxLinks bounds the symbolic links on the way to one file.
const maxLinks = 10

// maxProgram is the size, in bytes, of the largest file of a package that is looked at.
const maxProgram = 64 << 20

// Programs returns an archive with real programs out of Debian packages, with the libraries that
// they need and the list of them (see package programs of the suites). wanted are the programs'
// paths, relative to the root, by name. It goes into an initramfs behind the others.
//
// A program that cannot be had - its package is not there, or a library of it in none of the
// packages - is in the list with that as the reason; only a cache that cannot be written to and a
// package that cannot be read are errors.
func (b *Builder) Programs(ctx context.Context, debs []kernels.Deb, wanted map[string]string) (*Image, error) {
	var key strings.Builder
	for _, d := range debs {
		fmt.Fprintf(&key, " %s %s %v", d.Package.Name, d.SHA256, d.Err)
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		fmt.Fprintf(&key, " %s=%s", name, wanted[name])
	}
	return b.single(ctx, "programs"+key.String(), func(ctx context.Context) (*Image, error) {
		if b.Dir != "" {
			if err := os.MkdirAll(b.Dir, 0o755); err != nil {
				return nil, fmt.Errorf("images: make the cache: %w", err)
			}
		}
		entries, err := programEntries(ctx, debs, wanted)
		if err != nil {
			return nil, err
		}
		var img Image
		img.Path, img.SHA256, err = b.store("programs", ".cpio", 0o644, func(f *os.File) error { return Build(f, entries) })
		return &img, err
	})
}

// programEntries returns the files of the archive.
func programEntries(ctx context.Context, debs []kernels.Deb, wanted map[string]string) ([]Entry, error) {
	t, err := readTree(ctx, debs)
	if err != nil {
		return nil, err
	}
	var list []programs.Program
	files := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		p := programs.Program{Name: name}
		needed, err := t.closure(wanted[name])
		if err != nil {
			p.Absent = err.Error()
		} else {
			p.Path, p.Package = "/"+wanted[name], t.files[wanted[name]].pkg
			for _, f := range needed {
				files[f] = true
				p.Files = append(p.Files, "/"+f)
			}
		}
		list = append(list, p)
	}
	text, err := programs.Format(list)
	if err != nil {
		return nil, err
	}
	if _, err := programs.Parse(text); err != nil {
		return nil, err
	}
	entries := []Entry{File(strings.TrimPrefix(programs.List, "/"), 0o644, text)}
	for _, f := range slices.Sorted(maps.Keys(files)) {
		switch at := t.files[f]; {
		case at.link != "":
			entries = append(entries, Symlink(f, at.link))
		default:
			entries = append(entries, File(f, 0o755, at.content))
		}
	}
	return entries, nil
}

// tree is the files and links of packages, unpacked one over the other, by path.
type tree struct {
	files  map[string]treeFile
	absent []string // packages that are not there, and why
	names  []string // of the packages that are
}

type treeFile struct {
	content []byte
	link    string
	pkg     string
}

// merged are the folders that are links into /usr.
func merged() []string { return []string{"bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"} }

// intoUsr returns where a path of a package lies on a machine on which those folders are links.
func intoUsr(p string) string {
	first, _, below := strings.Cut(p, "/")
	if below && slices.Contains(merged(), first) {
		return "usr/" + p
	}
	return p
}

// readTree reads packages into memory: they have some ten MiB.
func readTree(ctx context.Context, debs []kernels.Deb) (*tree, error) {
	t := &tree{files: map[string]treeFile{}}
	for _, m := range merged() {
		t.files[m] = treeFile{link: "usr/" + m}
	}
	for _, d := range debs {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if d.Err != nil {
			t.absent = append(t.absent, d.Err.Error())
			continue
		}
		t.names = append(t.names, d.Package.Name)
		pkg := d.Package.Name + " " + d.Version
		err := kernels.ReadPackage(d.File, func(m kernels.Member) error {
			p := intoUsr(m.Path)
			if !fs.ValidPath(p) || p == "." {
				return nil
			}
			switch {
			case m.Hard:
				if f, ok := t.files[intoUsr(m.Link)]; ok {
					t.files[p] = f
				}
			case m.Mode&fs.ModeSymlink != 0:
				if t.files[p].link == "" { // those into /usr stay
					t.files[p] = treeFile{link: m.Link, pkg: pkg}
				}
			case m.Mode.IsRegular() && m.Size <= maxProgram:
				content, err := io.ReadAll(m.Content)
				if err != nil {
					return err
				}
				t.files[p] = treeFile{content: content, pkg: pkg}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("images: package %s: %w", pkg, cause.Of(err))
		}
	}
	return t, nil
}

// follow returns the paths on the way to a file, the links and the file itself, or an error if it
// is not there.
func (t *tree) follow(p string) ([]string, error) {
	var way []string
	at := p
	for range maxLinks {
		// a link among the folders first
		parts := strings.Split(at, "/")
		jumped := false
		for i := range parts {
			dir := strings.Join(parts[:i+1], "/")
			f, ok := t.files[dir]
			if !ok || f.link == "" {
				continue
			}
			way = append(way, dir)
			target := f.link
			if !path.IsAbs(target) {
				target = path.Join("/", path.Dir(dir), target)
			}
			at = strings.TrimPrefix(path.Join(append([]string{target}, parts[i+1:]...)...), "/")
			jumped = true
			break
		}
		if jumped {
			continue
		}
		if f, ok := t.files[at]; ok && f.content != nil {
			return append(way, at), nil
		}
		break
	}
	return nil, fmt.Errorf("no package has /%s: those that were looked in are %s%s", p, strings.Join(t.names, ", "), t.why())
}

// why says which packages are missing.
func (t *tree) why() string {
	if len(t.absent) == 0 {
		return ""
	}
	return "; " + strings.Join(t.absent, "; ")
}

// closure returns the paths of all that the program at a path needs, sorted: itself, the loader
// that it names, the libraries that it and they declare to need, and the links to them.
func (t *tree) closure(program string) ([]string, error) {
	need := map[string]bool{}
	var machine elf.Machine
	var visit func(p, by string) error
	visit = func(p, by string) error {
		way, err := t.follow(p)
		if err != nil {
			return err
		}
		file := way[len(way)-1]
		known := need[file]
		for _, w := range way {
			need[w] = true
		}
		if known {
			return nil
		}
		f, err := elf.NewFile(bytes.NewReader(t.files[file].content))
		if err != nil {
			return fmt.Errorf("/%s is no program: %w", file, err)
		}
		defer f.Close()
		if machine = cmp.Or(machine, f.Machine); f.Machine != machine {
			return fmt.Errorf("/%s is for %v, and /%s for %v", file, f.Machine, by, machine)
		}
		for _, ph := range f.Progs {
			if ph.Type != elf.PT_INTERP {
				continue
			}
			name, err := io.ReadAll(io.LimitReader(ph.Open(), 4096))
			if err != nil {
				return fmt.Errorf("the loader of /%s: %w", file, err)
			}
			loader := strings.TrimPrefix(strings.TrimRight(string(name), "\x00"), "/")
			if !fs.ValidPath(loader) {
				return fmt.Errorf("the loader of /%s has the name %q", file, loader)
			}
			if err := visit(loader, file); err != nil {
				return err
			}
		}
		libs, err := f.ImportedLibraries()
		if err != nil {
			// A file without a dynamic section needs none.
			if f.Section(".dynamic") == nil {
				return nil
			}
			return fmt.Errorf("the libraries of /%s: %w", file, err)
		}
		for _, lib := range libs {
			at, ok := t.library(lib)
			if !ok {
				return fmt.Errorf("/%s needs %s, which is in none of %s%s", file, lib, strings.Join(t.names, ", "), t.why())
			}
			if err := visit(at, file); err != nil {
				return err
			}
		}
		return nil
	}
	if err := visit(program, program); err != nil {
		return nil, err
	}
	if machine == 0 {
		return nil, errors.New("/" + program + " is for no machine")
	}
	return slices.Sorted(maps.Keys(need)), nil
}

// library finds a library where the loader looks for it by default: /usr/lib, its folder for the
// ABI, and /usr/lib64.
func (t *tree) library(name string) (string, bool) {
	var found []string
	for p := range t.files {
		if path.Base(p) != name {
			continue
		}
		dir := path.Dir(p)
		if dir == "usr/lib" || dir == "usr/lib64" || path.Dir(dir) == "usr/lib" && strings.Contains(dir, "-linux-") {
			found = append(found, p)
		}
	}
	slices.Sort(found)
	// the folder for the ABI comes first
	slices.SortStableFunc(found, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") })
	if len(found) == 0 {
		return "", false
	}
	return found[0], true
}
