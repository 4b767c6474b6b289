package images

import (
	"context"
	"fmt"
	"os"
)

// standalonePackage is the suite that needs no pivotspec beside it.
const standalonePackage = "pivotspec/harness/cmd/pivotspec-guest"

// Standalone builds the program that runs the suite on whatever machine it is copied to, and
// returns its path in the cache.
func (b *Builder) Standalone(ctx context.Context, t Target) (string, error) {
	if b.Dir != "" {
		if err := os.MkdirAll(b.Dir, 0o755); err != nil {
			return "", fmt.Errorf("images: make the cache: %w", err)
		}
	}
	path, _, err := b.compile(ctx, standalonePackage, "standalone", t)
	if err != nil {
		return "", err
	}
	if err := checkStatic(path); err != nil {
		return "", fmt.Errorf("images: %s needs more than a kernel: %w", path, err)
	}
	return path, nil
}
