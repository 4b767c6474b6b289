// Package gvisor runs the suite on gVisor's kernel, an implementation of Linux' system calls in Go
// that has a pivot_root(2) of its own. The program that does it, runsc, is built from its Go module
// as the folder runsc beside this file pins it, once for each pin, and kept in the cache.
//
// What a guest of it sees is one sandbox: runsc gives it a root filesystem with nothing but itself,
// every capability of the sandbox's kernel, no network and no device of this machine.
package gvisor

import (
	"context"
	"os"

	"pivotspec/harness/backend"
	"pivotspec/kernels"
	"pivotspec/suites/contain"
)

// Name is what users, cells and the knowledge call this implementation.
const Name = "gvisor"

// Module is the Go module of which runsc is a program.
const Module = "gvisor.dev/gvisor"

// Backend is gVisor as a backend of the matrix.
type Backend struct {
	// Source is a folder in the source tree of pivotspec, where the pin is; "" is the working
	// directory.
	Source string
	// Dir is a folder in a cache. The program appears in it whole or not at all.
	Dir string
	// Go is the path of the go command; "" finds it in PATH.
	Go string
	// Runsc is the path of a runsc to be used instead of building one; tests have fakes.
	Runsc string
}

var (
	_ backend.Backend  = (*Backend)(nil)
	_ backend.Preparer = (*Backend)(nil)
)

// Name implements [backend.Backend].
func (b *Backend) Name() string { return Name }

// Find implements [backend.Backend]. It builds nothing: that is for Prepare.
func (b *Backend) Find(context.Context) (backend.Kernel, error) {
	if b.Runsc != "" {
		return backend.Kernel{}, nil
	}
	p, err := findPin(b.Source)
	if err != nil {
		return backend.Kernel{}, err
	}
	k := p.kernel()
	// After the pin, so that the cell of a run without privilege says of what version it would be.
	if os.Geteuid() != 0 {
		return k, missing("runsc makes namespaces and a root for its sandbox, which takes root, and this is user "+uid(),
			"run pivotspec as root, or leave gvisor out", nil)
	}
	if !contain.Rooted() {
		return k, missing("runsc cannot be given mounts of its own: the root", "run pivotspec outside of it, or leave gvisor out", contain.ErrNotRooted)
	}
	return k, nil
}

// Prepare implements [backend.Preparer]: it builds runsc unless the cache has it.
func (b *Backend) Prepare(ctx context.Context, doing func(what string)) (backend.Kernel, error) {
	path, k := b.Runsc, backend.Kernel{}
	if path == "" {
		p, err := findPin(b.Source)
		if err != nil {
			return k, err
		}
		k = p.kernel()
		if path, err = b.build(ctx, p, doing); err != nil {
			return k, err
		}
	}
	sum, err := kernels.HashFile(path)
	if err != nil {
		return k, missing("runsc cannot be read", "remove "+path, err)
	}
	k.SHA256 = sum
	return k, nil
}

// Guest implements [backend.Backend].
func (b *Backend) Guest(p backend.Program) backend.Guest { return &guest{backend: b, program: p} }

// missing is the error of what gVisor cannot do here.
func missing(what, do string, err error) error {
	return &backend.MissingError{Backend: Name, What: what, Do: do, Err: err}
}
