// Package backend is the seam between the matrix of cells and what runs the suite in one: a
// kernel booted under QEMU (harness/vm), the kernel that is running already (harness/host), or
// another implementation of pivot_root(2).
//
// Whatever it is, it runs the one guest program and brings home the records that the program
// sends. A further implementation is a package with a [Backend] and a [Guest], and a line in the
// list of package lab.
package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/suites/record"
)

// NotBegun is what there is to say of a cell that was to be run when the run was ended.
const NotBegun = "interrupted before it began"

// ErrNotBegun is the error of such a cell.
var ErrNotBegun = errors.New(NotBegun)

// Guest is one cell made ready to be run, once.
type Guest interface {
	// Backend is the name of what runs it, as cells record it, such as "qemu".
	Backend() string
	// Accel is the name of its accelerator, "" if it has none.
	Accel() string
	// Memory is what it takes of this machine while it runs, in MiB.
	Memory() int
	// Run runs the guest to its end and leaves nothing behind: no process, and the machine as
	// it was, also if ctx ends, whose error it wraps then. The error is nil only if every
	// record from the plan to the end arrived intact. The report has what arrived in any case;
	// it is nil, or its Wall 0, only if nothing was started. An error with a method Short is
	// told in that one line, without what the cell says of itself.
	Run(ctx context.Context) (*Report, error)
}

// Report is what a guest brought home, complete or not.
type Report struct {
	// Records are those that arrived intact in the order of sending, and behind them what
	// the backend itself saw to be wrong with the kernel.
	Records []*record.Record
	// Console is the end of what was printed beside the records, without control characters.
	Console []string
	// Wall is the time from start to end, 0 if nothing was started.
	Wall time.Duration
}

// Backend is an implementation of pivot_root(2) that a user names as one names a kernel.
type Backend interface {
	// Name is what the user calls it, such as "host": a lower-case word.
	Name() string
	// Find says what it would run the suite on, and starts nothing that stays. Its error is a
	// [*MissingError] if something is lacking here.
	Find(ctx context.Context) (Kernel, error)
	// Guest makes a run of a program ready.
	Guest(Program) Guest
}

// Kernel is what a backend has for a kernel.
type Kernel struct {
	// Version is what uname -r says in it.
	Version string
	// Series is the two leading numbers of the version by whose ledger entries the cell is
	// judged; "" takes those of Version.
	Series string
	// Package and PackageVersion say where it comes from; "" if it is of no package.
	Package, PackageVersion string
	// SHA256 is the hash of the implementation, in hexadecimal; "" if there is no file of it.
	SHA256 string
}

// Program is the guest program and what it is to do.
type Program struct {
	// Binary is its path: a static executable for this machine's architecture.
	Binary string
	// Dir is a folder in a cache, for files that the backend may keep.
	Dir string
	// Env has the variables that tell the program what to do, in the form of os.Environ; none
	// means the suite.
	Env []string
	// Limits end a guest that hangs.
	Limits arch.Limits
}

// MissingError says that a backend cannot run here.
type MissingError struct {
	// Backend is its name.
	Backend string
	// What is missing, and Do what the user can do about it, each in a few words.
	What, Do string
	// Err is the cause, nil if What says all.
	Err error
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s cannot run here: %s", e.Backend, e.Short())
}

// Short says it without the backend's name; see [Guest].
func (e *MissingError) Short() string {
	s := e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Do != "" {
		s += "; " + e.Do
	}
	return s
}

func (e *MissingError) Unwrap() error { return e.Err }
