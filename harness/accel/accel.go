// Package accel chooses the accelerator for an architecture's guests by trying: an
// accelerator counts only once a guest has really run under it. /dev/kvm can exist, open
// and answer on a machine where QEMU then prints "KVM internal error" or hangs for ever.
package accel

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/harness/vm"
)

// Auto is the wish that leaves the choice to [Chooser.Choose].
const Auto = "auto"

// trialLimits bound a trial. A guest that runs under hardware acceleration boots and powers
// off in about a second; one whose accelerator is broken says nothing for ever.
var trialLimits = arch.Limits{Silence: 5 * time.Second, Total: 20 * time.Second}

// Boot is something bootable whose init only powers off: the paths of a kernel and an
// initramfs, for the trial.
type Boot struct{ Kernel, Initramfs string }

// Choice is the accelerator to use.
type Choice struct {
	Accel *arch.Accel
	// Why is one line that says why a better accelerator is not used, "" if it is the best.
	Why string
}

// UnusableError says that the accelerator that was asked for does not work.
type UnusableError struct {
	// Accel is what was asked for, Arch Debian's name of the guests' architecture.
	Accel, Arch string
	// Why says what is wrong.
	Why string
	Err error
}

func (e *UnusableError) Error() string {
	return fmt.Sprintf("accelerator %s cannot run %s guests on this machine: %s; leave the choice to --accel auto", e.Accel, e.Arch, e.Why)
}

func (e *UnusableError) Unwrap() error { return e.Err }

// Chooser chooses accelerators and remembers what trials showed. Set the fields before the
// first use.
type Chooser struct {
	// Table is the accelerators to choose from.
	Table *arch.Table
	// Dir is the folder of the cache in which the outcome of trials is kept; "" remembers
	// for the life of the Chooser alone.
	Dir string
	// QEMU is the path of QEMU; "" finds that of the architecture in PATH.
	QEMU string
	// GOARCH is the host's; "" means runtime.GOARCH.
	GOARCH string

	// limits replace trialLimits in tests.
	limits arch.Limits
	mu     sync.Mutex
	memory map[string]outcome
}

// outcome is what a trial showed.
type outcome struct {
	Works bool   `json:"works"`
	Why   string `json:"why,omitempty"`
}

// Choose returns the accelerator for guests of a. want is the name of one, or [Auto] for
// the first in a's order that works. trial is asked for something to boot only if a trial is
// due. An accelerator that was asked for and does not work is an [*UnusableError], an
// unknown name an [*arch.UnknownError], a missing QEMU an [*arch.NoQEMUError].
func (c *Chooser) Choose(ctx context.Context, want string, a *arch.Arch, trial func(context.Context) (Boot, error)) (*Choice, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	qemu := c.QEMU
	if qemu == "" {
		var err error
		if qemu, err = a.FindQEMU(); err != nil {
			return nil, err
		}
	}
	if want != Auto {
		x, err := c.Table.Accel(want)
		if err != nil {
			return nil, err
		}
		if err := c.works(ctx, x, a, qemu, trial); err != nil {
			return nil, err
		}
		return &Choice{Accel: x}, nil
	}
	var why []string
	for _, name := range a.Accels {
		x, err := c.Table.Accel(name)
		if err != nil {
			return nil, err
		}
		err = c.works(ctx, x, a, qemu, trial)
		if err == nil {
			ch := &Choice{Accel: x}
			if len(why) > 0 {
				ch.Why = strings.Join(why, "; ") + "; using " + x.Name
			}
			return ch, nil
		}
		var u *UnusableError
		if !errors.As(err, &u) {
			return nil, err
		}
		why = append(why, fmt.Sprintf("%s does not work for %s on this machine: %s", x.Name, a.Name, u.Why))
	}
	return nil, &UnusableError{Accel: strings.Join(a.Accels, ", "), Arch: a.Name, Why: strings.Join(why, "; ")}
}

// works returns nil if x runs guests of a, an *UnusableError if it does not, and another
// error if that could not be found out.
func (c *Chooser) works(ctx context.Context, x *arch.Accel, a *arch.Arch, qemu string, trial func(context.Context) (Boot, error)) error {
	goarch := c.GOARCH
	if goarch == "" {
		goarch = runtime.GOARCH
	}
	if err := x.Usable(a, goarch); err != nil {
		return &UnusableError{Accel: x.Name, Arch: a.Name, Why: err.Error(), Err: err}
	}
	if !x.Trial {
		return nil
	}
	key := identity(x, a, qemu)
	if o, ok := c.recall(key); ok {
		if o.Works {
			return nil
		}
		return &UnusableError{Accel: x.Name, Arch: a.Name, Why: o.Why + c.forget()}
	}
	boot, err := trial(ctx)
	if err != nil {
		return fmt.Errorf("accel: nothing to try %s with: %w", x.Name, err)
	}
	limits := c.limits
	if limits == (arch.Limits{}) {
		limits = trialLimits
	}
	_, err = vm.Run(ctx, vm.Config{
		Arch: a, Accel: x, QEMU: qemu, Kernel: boot.Kernel, Initramfs: boot.Initramfs,
		Bare: true, Limits: limits, Dir: c.Dir,
	})
	if err == nil {
		c.remember(key, outcome{Works: true})
		return nil
	}
	var b *vm.BootError
	if !errors.As(err, &b) || b.Reason == vm.ReasonInterrupted {
		return err
	}
	why := b.Text
	switch b.Reason {
	case vm.ReasonSilent:
		why = "a guest started for trial printed nothing"
	case vm.ReasonHang:
		why = fmt.Sprintf("a guest started for trial hung (nothing on its console for %v)", limits.Silence)
	case vm.ReasonStuck:
		why = "a guest started for trial hung and could not even be killed"
	}
	// What may be otherwise the next time is not remembered.
	if b.Reason != vm.ReasonKilled && b.Reason != vm.ReasonQEMU {
		c.remember(key, outcome{Why: why})
	}
	return &UnusableError{Accel: x.Name, Arch: a.Name, Why: why, Err: err}
}

// forget says how to have a remembered failure tried again.
func (c *Chooser) forget() string {
	if c.Dir == "" {
		return ""
	}
	return " (so it was when tried before; remove " + c.file() + " to try again)"
}

func (c *Chooser) file() string { return filepath.Join(c.Dir, "accelerators.json") }

func (c *Chooser) recall(key string) (outcome, bool) {
	if o, ok := c.memory[key]; ok {
		return o, true
	}
	o, ok := c.load()[key]
	return o, ok
}

// load returns what the cache holds. A file that is damaged counts as none: the trial is
// made again and the file replaced.
func (c *Chooser) load() map[string]outcome {
	m := map[string]outcome{}
	if c.Dir == "" {
		return m
	}
	text, err := os.ReadFile(c.file())
	if err != nil || json.Unmarshal(text, &m) != nil || m == nil {
		return map[string]outcome{}
	}
	return m
}

// remember keeps an outcome. A cache that cannot be written costs the next run a trial and
// this one nothing, so failures are passed over.
func (c *Chooser) remember(key string, o outcome) {
	if c.memory == nil {
		c.memory = map[string]outcome{}
	}
	c.memory[key] = o
	if c.Dir == "" || os.MkdirAll(c.Dir, 0o755) != nil {
		return
	}
	m := c.load()
	m[key] = o
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return
	}
	f, err := os.CreateTemp(c.Dir, ".accelerators-")
	if err != nil {
		return
	}
	_, err = f.Write(append(text, '\n'))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), c.file())
	}
	if err != nil {
		os.Remove(f.Name())
	}
}

// identity names the circumstances that a trial's outcome depends on: this boot of this
// machine (a reboot is what it takes to change a firmware's setting), QEMU, the device.
func identity(x *arch.Accel, a *arch.Arch, qemu string) string {
	h := sha256.New()
	bootID, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	fmt.Fprintf(h, "%q %v %d %v %v %q\n", bootID, err != nil, os.Getuid(), *x, a.QEMU, qemu)
	for _, path := range []string{qemu, x.Device} {
		st, err := os.Stat(path)
		if err != nil {
			fmt.Fprintln(h, "none")
			continue
		}
		fmt.Fprintf(h, "%d %d ", st.Size(), st.ModTime().UnixNano())
		if sys, ok := st.Sys().(*syscall.Stat_t); ok {
			fmt.Fprintf(h, "%d %d %d", sys.Ino, sys.Rdev, sys.Ctim.Nano())
		}
		fmt.Fprintln(h)
	}
	return fmt.Sprintf("%s-%s-%.12x", a.Name, x.Name, h.Sum(nil))
}
