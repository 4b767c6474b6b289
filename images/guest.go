package images

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"pivotspec/kernels"
	"pivotspec/suites/kmod"
)

// Packages that are built into images.
const (
	guestPackage    = "pivotspec/suites/guest"
	poweroffPackage = "pivotspec/images/poweroff"
)

// Target is what an image is for.
type Target struct {
	// Name is Debian's name of the ABI, such as "amd64"; it appears in file names.
	Name string
	// Env is the environment that makes the Go toolchain produce it, such as
	// "GOARCH=amd64".
	Env []string
}

// Image is an initramfs in the cache. The files are named by their content and never
// change, so any number of guests can share one.
type Image struct {
	// Path is the initramfs, SHA256 its hash in hexadecimal.
	Path, SHA256 string
	// Binary is the init inside it, BinarySHA256 its hash in hexadecimal.
	Binary, BinarySHA256 string
	// Modules are those of [Builder.Modules], in the order in which they have to be loaded.
	Modules []kmod.Module
}

// Builder makes images and keeps them in a cache. It makes each once, however many
// goroutines ask for it. The zero value works, with the working directory as Source and
// the cache; set the fields before the first use.
type Builder struct {
	// Dir is the folder of the cache. Files appear in it whole or not at all.
	Dir string
	// Source is a folder in the source tree of pivotspec; "" is the working directory.
	Source string
	// Go is the path of the go command; "" finds it in PATH.
	Go string
	// Package is the import path of the guest's main package; "" is that of the suite. Tests
	// have guests of their own.
	Package string
	// Prebuilt holds, by name of the target, paths of guest binaries that are used
	// instead of building one.
	Prebuilt map[string]string

	mu   sync.Mutex
	made map[string]*once
}

type once struct {
	sync.Mutex
	done bool
	img  *Image
}

// NoGuestError says that a guest binary could not be built because the toolchain or the
// source is not there.
type NoGuestError struct {
	// Target is Debian's name of the ABI.
	Target string
	Err    error
}

func (e *NoGuestError) Error() string {
	return fmt.Sprintf("no guest for %s: it cannot be built here (%v); install Go and run in the source tree, or give a guest binary", e.Target, e.Err)
}

func (e *NoGuestError) Unwrap() error { return e.Err }

// Guest returns the image with the suite as its init, the filesystems that specs mount, and
// the extra entries.
func (b *Builder) Guest(ctx context.Context, t Target, extra ...Entry) (*Image, error) {
	pkg := b.Package
	if pkg == "" {
		pkg = guestPackage
	}
	build := func(ctx context.Context) (*Image, error) {
		files, err := b.disks()
		if err != nil {
			return nil, err
		}
		return b.image(ctx, pkg, "guest", t, b.Prebuilt[t.Name], append(files, extra...))
	}
	if len(extra) > 0 {
		return build(ctx)
	}
	return b.single(ctx, "guest "+t.Name, build)
}

// disks makes the filesystems that specs mount.
func (b *Builder) disks() ([]Entry, error) {
	if b.Dir != "" {
		if err := os.MkdirAll(b.Dir, 0o755); err != nil {
			return nil, fmt.Errorf("images: make the cache: %w", err)
		}
	}
	work, err := os.MkdirTemp(b.Dir, ".disks-")
	if err != nil {
		return nil, fmt.Errorf("images: write to the cache: %w", err)
	}
	defer os.RemoveAll(work)
	return disks(work)
}

// Powerdown returns an image whose init only powers off: the least that a boot can do.
func (b *Builder) Powerdown(ctx context.Context, t Target) (*Image, error) {
	return b.single(ctx, "poweroff "+t.Name, func(ctx context.Context) (*Image, error) {
		return b.image(ctx, poweroffPackage, "poweroff", t, "", nil)
	})
}

// single calls build unless it succeeded before for the same key. A failure is not
// remembered: the context of the one who asked first may have ended.
func (b *Builder) single(ctx context.Context, key string, build func(context.Context) (*Image, error)) (*Image, error) {
	b.mu.Lock()
	if b.made == nil {
		b.made = map[string]*once{}
	}
	o := b.made[key]
	if o == nil {
		o = new(once)
		b.made[key] = o
	}
	b.mu.Unlock()
	o.Lock()
	defer o.Unlock()
	if o.done {
		return o.img, nil
	}
	img, err := build(ctx)
	if err == nil {
		o.img, o.done = img, true
	}
	return img, err
}

// skeleton is what every image has beside its init. The kernel opens dev/console for init
// before anything can have been mounted.
func skeleton() []Entry {
	return []Entry{
		Dir("dev", 0o755),
		CharDev("dev/console", 0o600, 5, 1),
		CharDev("dev/null", 0o666, 1, 3),
	}
}

func (b *Builder) image(ctx context.Context, pkg, kind string, t Target, prebuilt string, extra []Entry) (*Image, error) {
	if b.Dir != "" {
		if err := os.MkdirAll(b.Dir, 0o755); err != nil {
			return nil, fmt.Errorf("images: make the cache: %w", err)
		}
	}
	img := &Image{Binary: prebuilt}
	var err error
	if prebuilt != "" {
		img.BinarySHA256, err = hashFile(prebuilt)
	} else {
		img.Binary, img.BinarySHA256, err = b.compile(ctx, pkg, kind, t)
	}
	if err != nil {
		return nil, err
	}
	if err := checkStatic(img.Binary); err != nil {
		return nil, fmt.Errorf("%s cannot be an init: %w", img.Binary, err)
	}
	entries := append(skeleton(), FromFile("init", 0o755, img.Binary))
	entries = append(entries, extra...)
	img.Path, img.SHA256, err = b.store(kind+"-"+t.Name, ".cpio", 0o644, func(f *os.File) error {
		return Build(f, entries)
	})
	return img, err
}

// compile builds a package for t. It asks the go command each time, whose own cache
// knows best whether anything changed.
func (b *Builder) compile(ctx context.Context, pkg, kind string, t Target) (path, sum string, err error) {
	gocmd := b.Go
	if gocmd == "" {
		gocmd = "go"
	}
	if gocmd, err = exec.LookPath(gocmd); err != nil {
		return "", "", &NoGuestError{Target: t.Name, Err: err}
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, gocmd, args...)
		cmd.Dir = b.Source
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		cmd.Env = append(cmd.Env, t.Env...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			if msg := strings.TrimSpace(stderr.String()); msg != "" {
				return "", errors.New(msg)
			}
			return "", err
		}
		return strings.TrimSpace(stdout.String()), nil
	}
	// Tell a tree that is not ours from one that does not compile.
	if _, err := run("list", "-f", "{{.Dir}}", pkg); err != nil {
		if ctx.Err() != nil {
			return "", "", err
		}
		return "", "", &NoGuestError{Target: t.Name, Err: errors.New(firstLine(err))}
	}
	return b.store(kind+"-"+t.Name, "", 0o755, func(f *os.File) error {
		_, err := run("build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", f.Name(), pkg)
		if err != nil {
			return fmt.Errorf("images: build %s for %s: %w", pkg, t.Name, err)
		}
		return nil
	})
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// store lets write fill a temporary file and gives it a name made of its content. write may
// replace the file.
func (b *Builder) store(stem, ext string, perm os.FileMode, write func(*os.File) error) (path, sum string, err error) {
	// The folder is absolute from here on: the go command runs elsewhere.
	dir, err := filepath.Abs(b.Dir)
	if err != nil {
		return "", "", fmt.Errorf("images: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return "", "", fmt.Errorf("images: write to the cache: %w", err)
	}
	defer os.Remove(f.Name())
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(f.Name(), perm)
	}
	if err != nil {
		return "", "", err
	}
	if sum, err = hashFile(f.Name()); err != nil {
		return "", "", err
	}
	path = filepath.Join(dir, stem+"-"+sum[:16]+ext)
	// A file that is there is replaced by the same bytes: it may have been damaged.
	if err := os.Rename(f.Name(), path); err != nil {
		return "", "", fmt.Errorf("images: write to the cache: %w", err)
	}
	return path, sum, nil
}

func hashFile(path string) (string, error) {
	sum, err := kernels.HashFile(path)
	if err != nil {
		return "", fmt.Errorf("images: %w", err)
	}
	return sum, nil
}

// checkStatic says why a file is not a program that needs nothing but a kernel.
func checkStatic(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return errors.New("it is not an executable")
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return errors.New("it is linked dynamically; build it with CGO_ENABLED=0")
	}
	return nil
}
