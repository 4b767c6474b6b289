package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// standalonePackage is the suite that needs no pivotspec beside it.
const standalonePackage = "pivotspec/harness/cmd/pivotspec-guest"

// Program returns the guest program alone, for what runs it without an image. It is the one that
// [Builder.Guest] puts into its image.
func (b *Builder) Program(ctx context.Context, t Target) (string, error) {
	if path := b.Prebuilt[t.Name]; path != "" {
		return static(filepath.Abs(path))
	}
	pkg := b.Package
	if pkg == "" {
		pkg = guestPackage
	}
	return b.program(ctx, pkg, "guest", t)
}

// Standalone builds the program that runs the suite on whatever machine it is copied to, and
// returns its path in the cache.
func (b *Builder) Standalone(ctx context.Context, t Target) (string, error) {
	return b.program(ctx, standalonePackage, "standalone", t)
}

func (b *Builder) program(ctx context.Context, pkg, kind string, t Target) (string, error) {
	if b.Dir != "" {
		if err := os.MkdirAll(b.Dir, 0o755); err != nil {
			return "", fmt.Errorf("images: make the cache: %w", err)
		}
	}
	path, _, err := b.compile(ctx, pkg, kind, t)
	return static(path, err)
}

// static returns the path of a program if it needs nothing but a kernel.
func static(path string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if err := checkStatic(path); err != nil {
		return "", fmt.Errorf("images: %s cannot run alone: %w", path, err)
	}
	return path, nil
}
