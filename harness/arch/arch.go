// Package arch is the table of architectures and accelerators: what QEMU, Debian, the
// kernel and the Go toolchain call each, and what its guests need. The table is data
// (archs.yaml, accels.yaml); a new architecture is a row.
package arch

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"pivotspec/kernels/cause"
)

//go:embed archs.yaml
var archsYAML []byte

//go:embed accels.yaml
var accelsYAML []byte

// Arch is one architecture as guests see it: a row of archs.yaml, which says where its
// facts come from.
type Arch struct {
	// Name is Debian's name, such as "amd64".
	Name string `yaml:"name"`
	QEMU QEMU   `yaml:"qemu"`
	// Accels names the accelerators worth considering, best first.
	Accels []string `yaml:"accels"`
	Boot   Boot     `yaml:"boot"`
	// Console is the kernel's name of QEMU's first serial port, such as "ttyS0".
	Console string `yaml:"console"`
	// Config are the options that the kernel must have built in for that console to be there.
	Config []string `yaml:"config"`
	// QuietOff is set where the kernel's last message, that it powers off, never gets out of its
	// console. That QEMU ends by itself and without error stands for it then.
	QuietOff bool `yaml:"quiet_off"`
	// Memory is what a guest gets, in MiB.
	Memory int `yaml:"memory"`
	// Flavours are the same for kernels whose release string ends in these flavours of Debian's.
	Flavours map[string]int `yaml:"flavours"`
	// Cmdline holds kernel arguments that every boot on this architecture needs.
	Cmdline []string `yaml:"cmdline"`
	// Savings are kernel arguments that only save time.
	Savings []string `yaml:"savings"`
	// CommandLine is how many letters of a command line reach its kernels under QEMU; of a longer one the end is cut off.
	CommandLine int    `yaml:"command_line"`
	Limits      Limits `yaml:"limits"`
	// ABIs are those that a kernel of this architecture runs, its own first.
	ABIs []ABI `yaml:"abis"`
}

// QEMU is what to start for an architecture.
type QEMU struct {
	// Binary is the program's name, looked for in PATH.
	Binary string `yaml:"binary"`
	// Package is the Debian package that has it.
	Package string `yaml:"package"`
	// Least is the oldest version that boots this architecture, such as "10.0", and Newer says, for
	// people, where Debian has one; "" if any will do.
	Least string `yaml:"least"`
	Newer string `yaml:"newer"`
	// Machine and CPU are the values of -machine and -cpu; CPU may be empty.
	Machine string `yaml:"machine"`
	CPU     string `yaml:"cpu"`
	// Firmware is the file of one that starts kernels sooner than the machine's own; "" if none is known.
	Firmware string `yaml:"firmware"`
	// Args are further arguments.
	Args []string `yaml:"args"`
}

// Boot says which form of a kernel QEMU is given.
type Boot string

// The forms of a kernel that QEMU can be given.
const (
	// BootPVH is the vmlinux inside the image where it has a PVH entry, else the image.
	BootPVH Boot = "pvh"
	// BootImage is the image as shipped.
	BootImage Boot = "image"
)

// Limits are the times after which a guest counts as hung, for a guest that has a
// processor of its own kind to itself. [Accel.Scale] widens them.
type Limits struct {
	// Silence is the longest time between two bytes on the console.
	Silence time.Duration `yaml:"silence"`
	// Total is the longest time from start to power-off.
	Total time.Duration `yaml:"total"`
}

// Scale returns l with both limits multiplied by f.
func (l Limits) Scale(f float64) Limits {
	return Limits{
		Silence: time.Duration(float64(l.Silence) * f),
		Total:   time.Duration(float64(l.Total) * f),
	}
}

// ABI is one binary interface of a kernel, for which a guest binary can be made.
type ABI struct {
	// Name is Debian's name of the architecture whose programs use the ABI.
	Name string `yaml:"name"`
	// Env is the environment that makes the Go toolchain produce it.
	Env map[string]string `yaml:"env"`
	// Config are the options that a kernel must have built in to run such programs.
	Config []string `yaml:"config"`
}

// Environ returns Env in the form of os.Environ, sorted.
func (a ABI) Environ() []string {
	out := make([]string, 0, len(a.Env))
	for k, v := range a.Env {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// Accel is one accelerator of QEMU: a row of accels.yaml.
type Accel struct {
	// Name is what the user calls it, such as "kvm".
	Name string `yaml:"name"`
	// Args are QEMU's arguments.
	Args []string `yaml:"args"`
	// Device is the node without which it cannot work, "" if it needs none.
	Device string `yaml:"device"`
	// Native means that it only runs guests of the host's own architecture.
	Native bool `yaml:"native"`
	// Trial means that it counts only once a guest has been seen running under it.
	Trial bool `yaml:"trial"`
	// Overhead is what a QEMU may take of the host's memory beside its guest's, in MiB.
	Overhead int `yaml:"overhead"`
	// Scale is the factor by which [Limits] grow under it.
	Scale float64 `yaml:"scale"`
}

// Table is the architectures and accelerators that are known. It is read-only.
type Table struct {
	archs  map[string]*Arch
	accels map[string]*Accel
}

// Load returns the table that is built into the program.
func Load() (*Table, error) {
	return Parse(archsYAML, accelsYAML)
}

// Parse reads a table from the text of an archs.yaml and an accels.yaml. Every mistake in
// them is reported, not only the first.
func Parse(archs, accels []byte) (*Table, error) {
	var as []*Arch
	var xs []*Accel
	if err := strict(archs, &as); err != nil {
		return nil, fmt.Errorf("arch: table of architectures: %w", err)
	}
	if err := strict(accels, &xs); err != nil {
		return nil, fmt.Errorf("arch: table of accelerators: %w", err)
	}
	t := &Table{archs: map[string]*Arch{}, accels: map[string]*Accel{}}
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("arch: "+format, args...))
	}
	for i, x := range xs {
		switch {
		case x == nil || x.Name == "":
			bad("accelerator %d has no name", i)
			continue
		case t.accels[x.Name] != nil:
			bad("accelerator %q appears twice", x.Name)
		case len(x.Args) == 0:
			bad("accelerator %q has no arguments", x.Name)
		case x.Overhead < 0:
			bad("accelerator %q: overhead is %d MiB, want 0 or more", x.Name, x.Overhead)
		case x.Scale < 1:
			bad("accelerator %q: scale is %v, want 1 or more", x.Name, x.Scale)
		}
		t.accels[x.Name] = x
	}
	for i, a := range as {
		if a == nil || a.Name == "" {
			bad("architecture %d has no name", i)
			continue
		}
		if t.archs[a.Name] != nil {
			bad("architecture %q appears twice", a.Name)
		}
		t.archs[a.Name] = a
		for field, v := range map[string]string{
			"qemu.binary": a.QEMU.Binary, "qemu.package": a.QEMU.Package,
			"qemu.machine": a.QEMU.Machine, "console": a.Console,
		} {
			if v == "" {
				bad("architecture %q has no %s", a.Name, field)
			}
		}
		if a.Boot != BootPVH && a.Boot != BootImage {
			bad("architecture %q: boot is %q, want %q or %q", a.Name, a.Boot, BootPVH, BootImage)
		}
		if q := a.QEMU; q.Least != "" && !versionForm.MatchString(q.Least) || (q.Least == "") != (q.Newer == "") {
			bad("architecture %q: qemu.least is %q and qemu.newer %q: want a version and where it is, or neither", a.Name, q.Least, q.Newer)
		}
		if a.Memory <= 0 {
			bad("architecture %q: memory is %d MiB, want more than 0", a.Name, a.Memory)
		}
		if a.CommandLine <= 0 {
			bad("architecture %q: command_line is %d, want more than 0", a.Name, a.CommandLine)
		}
		for flavour, memory := range a.Flavours {
			if flavour == "" || memory <= 0 {
				bad("architecture %q: flavour %q gets %d MiB, want a name and more than 0", a.Name, flavour, memory)
			}
		}
		if a.Limits.Silence <= 0 || a.Limits.Total < a.Limits.Silence {
			bad("architecture %q: limits are silence %v, total %v; want 0 < silence <= total",
				a.Name, a.Limits.Silence, a.Limits.Total)
		}
		if len(a.Accels) == 0 {
			bad("architecture %q has no accelerators", a.Name)
		}
		for _, x := range a.Accels {
			if t.accels[x] == nil {
				bad("architecture %q: accelerator %q is not in the table", a.Name, x)
			}
		}
		if len(a.ABIs) == 0 {
			bad("architecture %q has no ABIs", a.Name)
		}
		for _, b := range a.ABIs {
			if b.Name == "" || b.Env["GOARCH"] == "" {
				bad("architecture %q: ABI %q has no name or no GOARCH", a.Name, b.Name)
			}
		}
	}
	if len(errs) > 0 {
		slices.SortFunc(errs, func(x, y error) int { return strings.Compare(x.Error(), y.Error()) })
		return nil, errors.Join(errs...)
	}
	return t, nil
}

func strict(text []byte, v any) error {
	return yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(v)
}

// Names returns Debian's names of all architectures in the table, sorted.
func (t *Table) Names() []string { return slices.Sorted(maps.Keys(t.archs)) }

// UnknownError says that a name is not in the table.
type UnknownError struct {
	// Kind is "architecture", "ABI" or "accelerator".
	Kind string
	// Name is what was asked for.
	Name string
	// Known are the names that would have done, sorted.
	Known []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown %s %q; known: %s", e.Kind, e.Name, strings.Join(e.Known, ", "))
}

// Arch returns the architecture of that name, or an [*UnknownError].
func (t *Table) Arch(name string) (*Arch, error) {
	if a := t.archs[name]; a != nil {
		return a, nil
	}
	return nil, &UnknownError{Kind: "architecture", Name: name, Known: t.Names()}
}

// Accel returns the accelerator of that name, or an [*UnknownError].
func (t *Table) Accel(name string) (*Accel, error) {
	if x := t.accels[name]; x != nil {
		return x, nil
	}
	return nil, &UnknownError{Kind: "accelerator", Name: name, Known: slices.Sorted(maps.Keys(t.accels))}
}

// MemoryFor returns what a guest with a kernel of that release string gets, in MiB.
func (a *Arch) MemoryFor(release string) int {
	for flavour, memory := range a.Flavours {
		if strings.HasSuffix(release, "-"+flavour) {
			return memory
		}
	}
	return a.Memory
}

// Native reports whether a is the architecture that a program with this GOARCH
// (runtime.GOARCH) runs on. It decides by a's own ABI.
func (a *Arch) Native(goarch string) bool { return a.ABIs[0].Env["GOARCH"] == goarch }

// ABI returns the ABI of that name, or a's own for "". An ABI that a does not run is an
// [*UnknownError].
func (a *Arch) ABI(name string) (ABI, error) {
	if name == "" {
		return a.ABIs[0], nil
	}
	var known []string
	for _, b := range a.ABIs {
		if b.Name == name {
			return b, nil
		}
		known = append(known, b.Name)
	}
	slices.Sort(known)
	return ABI{}, &UnknownError{Kind: "ABI", Name: name, Known: known}
}

// NoQEMUError says that the QEMU of an architecture is not installed.
type NoQEMUError struct {
	// Arch is Debian's name of the architecture.
	Arch string
	// Binary is the program that was looked for, Package the Debian package that has it.
	Binary, Package string
	// Newer says which version is needed and where it is, "" if any will do.
	Newer string
	// Err is why it was not found.
	Err error
}

func (e *NoQEMUError) Error() string {
	return fmt.Sprintf("booting %s needs %s, which is not installed (%v); install the package %s%s",
		e.Arch, e.Binary, cause.Of(e.Err), e.Package, e.Newer)
}

func (e *NoQEMUError) Unwrap() error { return e.Err }

// FindQEMU returns the path of a's QEMU, found in PATH, or a [*NoQEMUError] or [*OldQEMUError].
func (a *Arch) FindQEMU() (string, error) {
	path, err := exec.LookPath(a.QEMU.Binary)
	if err != nil {
		return "", &NoQEMUError{Arch: a.Name, Binary: a.QEMU.Binary, Package: a.QEMU.Package, Newer: a.QEMU.newer(), Err: err}
	}
	if a.QEMU.Least == "" {
		return path, nil
	}
	have, err := version(path)
	if err != nil {
		return "", fmt.Errorf("booting %s needs %s %s or newer, and this machine's does not say its version: %w; install the package %s again", a.Name, a.QEMU.Binary, a.QEMU.Least, err, a.QEMU.Package)
	}
	if older(have, a.QEMU.Least) {
		return "", &OldQEMUError{Arch: a.Name, QEMU: a.QEMU, Have: have}
	}
	return path, nil
}

// FindFirmware returns QEMU.Firmware if the QEMU at path has it, and "" if the machine has to do with its own. QEMU
// looks for it in the same place (its option -L).
func (a *Arch) FindFirmware(path string) string {
	if a.QEMU.Firmware == "" {
		return ""
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	file := filepath.Join(filepath.Dir(path), "..", "share", "qemu", a.QEMU.Firmware)
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return file
}

// Usable says why x cannot work for a on this host (another architecture, no device, no
// permission), or nil if it is worth a trial. goarch is the host's (runtime.GOARCH).
func (x *Accel) Usable(a *Arch, goarch string) error {
	if !slices.Contains(a.Accels, x.Name) {
		return fmt.Errorf("%s does not run %s guests", x.Name, a.Name)
	}
	if x.Native && !a.Native(goarch) {
		return fmt.Errorf("%s runs guests of the host's architecture only, and %s is not that", x.Name, a.Name)
	}
	if x.Device == "" {
		return nil
	}
	f, err := os.OpenFile(x.Device, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
