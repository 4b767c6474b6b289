package images

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"pivotspec/kernels/cause"
	"pivotspec/suites/kmod"
)

// Bounds for a kernel's modules: far above genuine ones (the largest has 30 MiB; a kernel with
// everything has some 8000 files).
const (
	maxModule     = 64 << 20
	maxModuleTree = 100_000
	maxNeeds      = 1000
	// maxWindow bounds the memory of a decompressor.
	maxWindow = 64 << 20
)

// Modules returns an archive with those modules in the folder dir, or anywhere below it, that
// the suite can use, more of them by name, and what they depend on, decompressed, and the list of them (see package
// kmod). It goes into an initramfs behind the archive of [Builder.Guest], which stays the same
// for all kernels. dir may be "": then the list says of each module that it is absent, and why.
//
// A module that is missing, cannot be read or depends on one that is missing is in the list
// with that as the reason; only a cache that cannot be written to is an error.
func (b *Builder) Modules(ctx context.Context, dir, why string, more ...string) (*Image, error) {
	return b.single(ctx, fmt.Sprintf("modules %q %q %q", dir, why, more), func(ctx context.Context) (*Image, error) {
		if b.Dir != "" {
			if err := os.MkdirAll(b.Dir, 0o755); err != nil {
				return nil, fmt.Errorf("images: make the cache: %w", err)
			}
		}
		entries, list, err := moduleEntries(ctx, dir, why, append(kmod.Wanted(), more...))
		if err != nil {
			return nil, err
		}
		img := Image{Modules: list}
		img.Path, img.SHA256, err = b.store("modules", ".cpio", 0o644, func(f *os.File) error { return Build(f, entries) })
		return &img, err
	})
}

// moduleEntries returns the files of the archive, and the list that is among them.
func moduleEntries(ctx context.Context, dir, why string, wanted []string) ([]Entry, []kmod.Module, error) {
	s := &moduleSet{files: map[string]string{}, done: map[string]bool{}, why: why}
	switch {
	case dir != "":
		s.why = "the kernel's modules have none of that name"
		if err := s.index(ctx, dir); ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		} else if err != nil {
			clear(s.files)
			s.why = fmt.Sprintf("the modules in %s cannot be read: %v", dir, cause.Of(err))
		}
	case s.why == "":
		s.why = "the kernel came without modules"
	}
	for _, name := range wanted {
		s.add(name, nil)
	}
	list, err := kmod.Format(s.list)
	if err != nil {
		return nil, nil, err
	}
	if _, err := kmod.Parse(list); err != nil {
		return nil, nil, err
	}
	return append(s.entries, File(strings.TrimPrefix(kmod.List, "/"), 0o644, list)), s.list, nil
}

// moduleSet collects modules in the order in which they have to be loaded.
type moduleSet struct {
	files   map[string]string // paths by the module's name
	why     string            // of a module that has no file
	done    map[string]bool
	list    []kmod.Module
	entries []Entry
}

// moduleFile is the name of a module's file.
var moduleFile = regexp.MustCompile(`^[A-Za-z0-9_-]+\.ko(\.(xz|zst|gz))?$`)

// index finds the modules below dir. Links are not followed: a folder of modules has one out of
// it, to the kernel's source.
func (s *moduleSet) index(ctx context.Context, dir string) error {
	// modules/VERSION itself may be a link
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	n := 0
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		n++
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case n > maxModuleTree:
			return fmt.Errorf("more than %d files", maxModuleTree)
		}
		if d.Type().IsRegular() && moduleFile.MatchString(d.Name()) {
			// a walk is in the order of names, so of two files it is always the same
			if name := kmod.Name(d.Name()); s.files[name] == "" {
				s.files[name] = p
			}
		}
		return nil
	})
}

// add puts the module into the list, behind what it needs. chain are the modules that need it,
// to break a circle.
func (s *moduleSet) add(name string, chain []string) {
	if s.done[name] {
		return
	}
	m := kmod.Module{Name: name}
	path, ok := s.files[name]
	var b []byte
	var needs, wishes []string
	var err error
	switch {
	case !ok:
		m.Absent = s.why
	case len(s.done) >= maxNeeds:
		m.Absent = fmt.Sprintf("more than %d modules are needed", maxNeeds)
	default:
		if b, err = readModule(path); err == nil {
			needs, wishes, err = moduleNeeds(b)
		}
		if err != nil {
			m.Absent = fmt.Sprintf("%s cannot be read: %v", filepath.Base(path), err)
		}
	}
	chain = append(slices.Clone(chain), name)
	for _, n := range needs {
		if slices.Contains(chain, n) {
			m.Absent = "it needs " + n + ", which needs it"
			continue
		}
		s.add(n, chain)
		m.Needs = append(m.Needs, n)
	}
	for _, wish := range wishes {
		for _, n := range s.providers(wish) {
			if !slices.Contains(chain, n) {
				s.add(n, chain)
			}
		}
	}
	if m.Absent == "" {
		m.File = name + ".ko"
		s.entries = append(s.entries, File(strings.TrimPrefix(kmod.Dir, "/")+"/"+m.File, 0o644, b))
	} else {
		m.Needs = nil
	}
	s.done[name] = true
	s.list = append(s.list, m)
}

// readModule returns the module in the file at path, decompressed: not every kernel can do that
// itself, and under emulation the host does it faster.
func readModule(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause.Of(err)
	}
	defer f.Close()
	var r io.Reader = f
	switch filepath.Ext(path) {
	case ".xz":
		r, err = xz.NewReader(f, maxWindow)
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".zst":
		var z *zstd.Decoder
		z, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			defer z.Close()
			r = z
		}
	}
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxModule+1))
	if err == nil && len(b) > maxModule {
		err = fmt.Errorf("more than %d MiB", maxModule>>20)
	}
	return b, err
}

// moduleName is what a module can be called, in the form of [kmod.Name].
var moduleName = regexp.MustCompile(`^[A-Za-z0-9_]{1,55}$`)

// moduleNeeds returns what a module declares, in its section .modinfo: the modules that it depends
// on, and what it would like to be there before it, by the name of a module or by an alias.
// depmod(8) works from the same, and a package has no modules.dep, which is made when it is installed.
func moduleNeeds(b []byte) (needs, wishes []string, err error) {
	info, err := modinfo(b)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.SplitSeq(info, "\x00") {
		key, value, _ := strings.Cut(line, "=")
		switch {
		case key == "softdep":
			wishes = append(wishes, wished(value)...)
		case key == "depends" && value != "":
			for n := range strings.SplitSeq(value, ",") {
				if n = strings.ReplaceAll(n, "-", "_"); !moduleName.MatchString(n) {
					return nil, nil, fmt.Errorf("it depends on %q", n)
				}
				if !slices.Contains(needs, n) {
					needs = append(needs, n)
				}
			}
		}
	}
	return needs, wishes, nil
}

// modinfo returns the section .modinfo of a module: texts of the form KEY=VALUE, each ended by a zero.
func modinfo(b []byte) (string, error) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	if f.Type != elf.ET_REL {
		return "", errors.New("it is no module")
	}
	section := f.Section(".modinfo")
	if section == nil {
		return "", errors.New("it is no module: it has no section .modinfo")
	}
	info, err := section.Data()
	return string(info), err
}
