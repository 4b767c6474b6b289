// Package cell stores what one boot showed: a file of JSON lines that begins with a
// description of the cell and goes on with the guest's records as they came.
//
// The format is a public interface. Fields are only ever added.
package cell

import (
	"cmp"
	"fmt"

	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// Schema is the version of the file format that this program writes and the newest that
// it reads.
const Schema = 1

// Status says how far a cell got.
type Status string

const (
	// Complete: the guest reported to its end.
	Complete Status = "complete"
	// Broken: the guest was started and its report is not whole. Reason says how it ended.
	Broken Status = "broken"
	// Unavailable: the guest was never started, for example because the kernel could not
	// be had. Reason says why.
	Unavailable Status = "unavailable"
)

// Cell is one kernel on one architecture, ABI and backend, booted in one way, and what it reported.
type Cell struct {
	// Name tells the cell from every other of its run, such as "7.0-amd64".
	Name string `json:"name"`
	// Series is the two leading numbers of the kernel's version, such as "6.12".
	Series string `json:"series"`
	// Arch is Debian's name of the architecture, such as "amd64".
	Arch string `json:"arch"`
	// ABI is Debian's name of that of the guest's programs: "i386" on a kernel of amd64, else that of
	// the architecture.
	ABI string `json:"abi,omitempty"`
	// Flavour is the kernel's, such as "rt-arm64"; "" is the one that the series' name stands for.
	Flavour string `json:"flavour,omitempty"`
	// Scenario is the way to boot, such as "disk"; "" is the plain initramfs.
	Scenario string `json:"scenario,omitempty"`
	// Asked are the IDs of the behaviours that the guest was asked for, sorted, if those are not all of the
	// scenario: of the others the cell says nothing.
	Asked []string `json:"asked,omitempty"`
	// Backend is what ran the guest, such as "qemu".
	Backend string `json:"backend,omitempty"`
	// Accel is the accelerator, such as "kvm" or "tcg".
	Accel  string `json:"accel,omitempty"`
	Kernel Kernel `json:"kernel"`
	Status Status `json:"status"`
	// Reason is one line that explains a status other than Complete.
	Reason string `json:"reason,omitempty"`
	// Console is the end of what was printed beside the records.
	Console string `json:"console,omitempty"`
	// Guest is the SHA-256 of the guest program in hexadecimal: cells of one ABI whose guests differ
	// were not asked the same.
	Guest string `json:"guest,omitempty"`
	// Inputs stands for all that the guest was given beside its kernel - image, modules, disks,
	// arguments, memory -, as a SHA-256 in hexadecimal. Two cells of one kernel with the same
	// inputs ran the same.
	Inputs string `json:"inputs,omitempty"`
	// WallMillis is how long the cell took, in milliseconds.
	WallMillis int64 `json:"wall_ms,omitempty"`

	// Records are the guest's, in the order of sending.
	Records []*record.Record `json:"-"`
}

// HostBackend is the Backend of a cell that ran on the kernel of a machine that serves others too.
const HostBackend = "host"

// Borrowed reports whether the cell ran on a machine that was not the suite's own, so that
// behaviours may be beyond it that its kernel supports.
func (c *Cell) Borrowed() bool { return c.Backend == HostBackend }

// Kernel says which kernel a cell booted.
type Kernel struct {
	// Version is the release string, such as "7.0.13+deb13-cloud-amd64".
	Version string `json:"version,omitempty"`
	// Package and PackageVersion say where it came from; empty for a file.
	Package        string `json:"package,omitempty"`
	PackageVersion string `json:"package_version,omitempty"`
	// SHA256 is the hash of the image as shipped, in hexadecimal.
	SHA256 string `json:"sha256,omitempty"`
}

// ScenarioName returns the name of the cell's scenario, also that of the plain initramfs.
func (c *Cell) ScenarioName() string { return cmp.Or(c.Scenario, knowledge.Plain) }

// Compare orders cells for reports: by line, then by series as numbers, then by name. A series
// that is no series comes first.
func Compare(a, b *Cell) int {
	sa, _ := knowledge.ParseSeries(a.Series)
	sb, _ := knowledge.ParseSeries(b.Series)
	return cmp.Or(a.Line().Compare(b.Line()), sa.Compare(sb), cmp.Compare(a.Name, b.Name))
}

// SchemaError says that a file was written by a newer program.
type SchemaError struct {
	What        string // what carries the version: "cell file" or "record"
	Got, Newest int
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("%s of schema %d: this pivotspec reads up to %d; use a newer one", e.What, e.Got, e.Newest)
}
