package kernels

import (
	"fmt"
	"strings"
)

// A Reason says in one word why a kernel is not to be had.
type Reason string

// The reasons for which a kernel is not to be had.
const (
	// NoApt: the machine has no apt client.
	NoApt Reason = "no-apt"
	// NoMirror: the machine's apt sources name no Debian archive.
	NoMirror Reason = "no-mirror"
	// NoKeyring: the keys that sign Debian's archive are not on this machine.
	NoKeyring Reason = "no-keyring"
	// NoNetwork: the archive could not be reached.
	NoNetwork Reason = "no-network"
	// NoSuite: the archive carries none of the suites of the kernel, or none any more.
	NoSuite Reason = "no-suite"
	// NoPackage: the suites are there but carry no package of the series.
	NoPackage Reason = "no-package"
	// BadSignature: apt did not trust the archive's signature.
	BadSignature Reason = "bad-signature"
	// BadDownload: the download was cut short or failed in another way.
	BadDownload Reason = "bad-download"
	// BadHash: what was downloaded is not what the archive's index promises.
	BadHash Reason = "bad-hash"
	// BadPackage: the package could not be read, or holds no kernel of the series.
	BadPackage Reason = "bad-package"
	// NoSpace: the disk of the cache is full.
	NoSpace Reason = "no-space"
	// Unwritable: the cache cannot be written to.
	Unwritable Reason = "unwritable"
	// Interrupted: the caller gave up.
	Interrupted Reason = "interrupted"
	// Failed: anything else, as the message says.
	Failed Reason = "failed"
)

// Unavailable is the error of a kernel that the catalogue knows and that is not to be had
// here and now. Its message is one line: what was wanted, what happened, what to do.
type Unavailable struct {
	// Name of the kernel wanted, such as "6.12".
	Name string `json:"name"`
	// Reason is the cause, for programs.
	Reason Reason `json:"reason"`
	// Happened and Do are the cause and the remedy, for people.
	Happened string `json:"happened"`
	Do       string `json:"do"`
	// Err is the cause below, if there is one.
	Err error `json:"-"`
}

// Remedy is Do for who wanted something else of Debian's archive than a kernel.
func (e *Unavailable) Remedy() string {
	switch e.Reason { // where Do is for kernels
	case NoApt:
		return "copy the cache of a Debian machine"
	case NoMirror:
		return "add one (see sources.list(5))"
	case NoNetwork:
		return "check the network and apt's proxy settings"
	case NoSuite:
		return "use a mirror that still carries it"
	}
	return e.Do
}

// Error returns the one line.
func (e *Unavailable) Error() string {
	return fmt.Sprintf("kernel %s is not to be had: %s; %s", e.Name, oneLine(e.Happened), e.Do)
}

// Unwrap returns the cause.
func (e *Unavailable) Unwrap() error { return e.Err }

// named returns a copy of e for another kernel: a cause can be common to several.
func (e *Unavailable) named(name string) *Unavailable {
	c := *e
	c.Name = name
	return &c
}

// UnknownError is the error of a name that the catalogue does not know.
type UnknownError struct {
	// Ref is the name as given.
	Ref string
	// Near are the names that the user may have meant, nearest first.
	Near []string
}

// Error returns one line with the nearest names, if any is near.
func (e *UnknownError) Error() string {
	if len(e.Near) > 0 {
		return fmt.Sprintf("unknown kernel %q: did you mean %s? (`pivotspec kernels list` shows all)", e.Ref, strings.Join(e.Near, " or "))
	}
	return fmt.Sprintf("unknown kernel %q: neither a file nor a kernel of the catalogue, such as 6.12 or 7.3/arm64 (`pivotspec kernels list` shows all)", e.Ref)
}

// NotKernelError is the error of a file or folder that is not a kernel which can be booted.
type NotKernelError struct {
	// Path is the file or folder.
	Path string
	// Truncated is set if it is one, but cut short.
	Truncated bool
	// Why says what was found, Do what would help.
	Why, Do string
	// Err is the cause below, if there is one.
	Err error
}

// Error returns one line.
func (e *NotKernelError) Error() string {
	return fmt.Sprintf("%s is not a kernel that can be booted: %s; %s", e.Path, oneLine(e.Why), e.Do)
}

// Unwrap returns the cause.
func (e *NotKernelError) Unwrap() error { return e.Err }

// oneLine joins the lines of s: causes come from other programs.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
