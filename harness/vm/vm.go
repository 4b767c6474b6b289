// Package vm boots one guest under QEMU and brings home what it reports.
//
// It knows nothing of where kernels and images come from, nor of what the records mean; it
// knows whether they all arrived. Anything but a complete report is a [*BootError].
package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/u-root/u-root/pkg/qemu"

	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/suites/record"
)

const (
	// defaultMaxBytes bounds the console, and with it the memory that a guest can take
	// from the harness. A full report is below 1 MiB.
	defaultMaxBytes = 8 << 20
	// defaultGrace is how long a guest may take to power off after its last record, and a
	// kernel to print its back trace after a panic, before the scale of the accelerator.
	defaultGrace = 2 * time.Second
	// killWait is how long a killed QEMU may take to be gone.
	killWait = 10 * time.Second
)

// Config describes one boot.
type Config struct {
	// Arch and Accel are rows of the tables of package arch.
	Arch  *arch.Arch
	Accel *arch.Accel
	// QEMU is the path of QEMU; "" finds Arch's own in PATH.
	QEMU string
	// Firmware is the file of the machine's; "" for its own.
	Firmware string
	// Kernel is the file given to QEMU as -kernel, Initramfs the one given as -initrd.
	Kernel, Initramfs string
	// Archives are files whose content follows that of Initramfs in -initrd: archives with
	// what only this boot needs.
	Archives []string
	// Cmdline holds kernel arguments beside those of every boot and of Arch.
	Cmdline []string
	// Args holds arguments of QEMU beside those of every boot and of Arch.
	Args []string
	// Memory is what the guest gets, in MiB; 0 means Arch.Memory.
	Memory int
	// Bare says that the guest sends no report: the boot is complete when the kernel
	// powers off.
	Bare bool
	// AsIs withholds what only saves time, Firmware and kernel arguments: the kernel starts as it does anywhere.
	AsIs bool
	// Limits are used as they are; a zero field means that of Arch, scaled for Accel.
	Limits arch.Limits
	// Grace is how long the guest may take to power off after its last record; 0 means
	// 2 s, scaled for Accel.
	Grace time.Duration
	// MaxBytes is how much the console may print; 0 means 8 MiB.
	MaxBytes int64
	// Dir is a folder in a cache, in which the starter of QEMU is kept for the next boot;
	// "" makes one that is removed afterwards.
	Dir string
	// OnRecord is called for each new record as it arrives, and OnLine for each line of the
	// console that is no record, in order and never two at once. They hold up the console
	// while they run. Either may be nil.
	OnRecord func(*record.Record)
	OnLine   func(string)
}

// Report is what a boot brought home, complete or not.
type Report struct {
	// Records are those that arrived intact, in the order of sending.
	Records []*record.Record
	// Reason is "" for a complete report.
	Reason Reason
	// Findings is what the console showed to be wrong with the kernel, in order; of a
	// complete boot too.
	Findings []Finding
	// Console is the end of the console: at most 100 lines without terminal sequences and
	// records.
	Console []string
	// Bytes is how much the console printed.
	Bytes int64
	// Wall is the time from the start of QEMU to its end.
	Wall time.Duration
	// Command is how QEMU was started, so that a person can do it again. Where Config.Archives
	// were given, its -initrd has the paths of all the files whose contents make the one. Its serial
	// port is what it was started with, but for a terminal in place of a pipe of this process.
	Command []string
}

// Run boots a guest, waits for its end, and leaves no process behind. The report is never
// nil unless the configuration is wrong. The error is nil only if the report is complete:
// every record from the plan to the end arrived intact, or, for a bare boot, the kernel
// powered off. It is a [*BootError] if QEMU was started, and then it wraps the context's
// error if that was the cause. Without QEMU it is an [*arch.NoQEMUError].
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	ps, err := loadPatterns(findingsYAML)
	if err != nil {
		return nil, err
	}
	start, remove := guard(cfg.Dir, cfg.QEMU)
	defer remove()
	closeOnExec()

	image, done, err := initrd(cfg.Initramfs, cfg.Archives)
	if err != nil {
		return nil, err
	}
	defer done()
	port, err := openSerial()
	if err != nil {
		return nil, err
	}
	started := false
	defer func() {
		if !started {
			port.end()
		}
	}()
	b := &boot{cfg: &cfg, con: newConsole(ps, cfg.MaxBytes, port, cfg.OnRecord, cfg.OnLine)}
	opts := &qemu.Options{
		QEMUPath:     start,
		Kernel:       cfg.Kernel,
		Initramfs:    image,
		KernelArgs:   cfg.CommandLine(),
		SerialOutput: b.con,
		Devices:      []qemu.Device{qemu.ArbitraryArgs(cfg.qemuArgs(port.path()))},
	}
	if b.command, err = opts.Cmdline(); err != nil {
		return nil, fmt.Errorf("vm: command line of QEMU: %w", err)
	}
	b.command[0] = cfg.QEMU
	for from, to := range map[string]string{
		image:       strings.Join(append([]string{cfg.Initramfs}, cfg.Archives...), " + "),
		port.path(): "stdio",
	} {
		if i := slices.Index(b.command, from); i >= 0 {
			b.command[i] = to
		}
	}
	if err := ctx.Err(); err != nil {
		return b.report(0, ReasonInterrupted, backend.NotBegun, err)
	}
	begun := time.Now()
	v, err := opts.Start()
	if err != nil && start != cfg.QEMU {
		// The folder of the starter may be one that nothing can be executed from.
		opts.QEMUPath = cfg.QEMU
		v, err = opts.Start()
	}
	if err != nil {
		return b.report(0, ReasonQEMU, fmt.Sprintf("QEMU did not start: %v", err), err)
	}
	started = true
	return b.watch(ctx, v, begun)
}

// complete fills in what is left to defaults and reports what is missing.
func (c *Config) complete() error {
	if c.Arch == nil || c.Accel == nil {
		return errors.New("vm: a boot needs an architecture and an accelerator")
	}
	for what, path := range map[string]string{"kernel": c.Kernel, "initramfs": c.Initramfs} {
		if path == "" {
			return fmt.Errorf("vm: a boot needs a file as its %s", what)
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("vm: %s: %w", what, err)
		}
	}
	if c.QEMU == "" {
		path, err := c.Arch.FindQEMU()
		if err != nil {
			return err
		}
		c.QEMU = path
	}
	scaled := c.Arch.Limits.Scale(c.Accel.Scale)
	if c.Limits.Silence <= 0 {
		c.Limits.Silence = scaled.Silence
	}
	if c.Limits.Total <= 0 {
		c.Limits.Total = scaled.Total
	}
	if c.Grace <= 0 {
		c.Grace = time.Duration(float64(defaultGrace) * c.Accel.Scale)
	}
	if c.Memory <= 0 {
		c.Memory = c.Arch.Memory
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = defaultMaxBytes
	}
	return nil
}

// kernelArgs are the arguments of the kernel. panic=-1 reboots at once, which -no-reboot
// turns into QEMU's end. loglevel=5 shows warnings and worse: those are findings, and every
// further byte costs time. An oops does not panic: the suite may be able to go on.
// Its watchdogs for stalls and for tasks that let nobody else
// run take a busy host for a hanging guest: they get the patience that the limits have, as far as they go.
func (c *Config) kernelArgs() []string {
	args := []string{
		"console=" + c.Arch.Console, "panic=-1", "loglevel=5",
		fmt.Sprintf("rcupdate.rcu_cpu_stall_timeout=%d", c.patience(usualStall, maxStall)),
		fmt.Sprintf("watchdog_thresh=%d", c.patience(usualThreshold, maxThreshold)),
	}
	args = slices.Concat(args, c.Arch.Cmdline, c.Cmdline)
	if c.AsIs {
		return args
	}
	room := c.Arch.CommandLine - len(strings.Join(args, " "))
	for _, s := range slices.Concat(c.Arch.Savings, savings()) {
		if room -= len(s) + 1; room < 0 {
			break // what is cut off would be half an argument
		}
		args = append(args, s)
	}
	return args
}

// savings are arguments for every kernel, those that save most first, that leave out what takes time and bears on nothing that is watched here
// (Documentation/admin-guide/kernel-parameters.txt). A kernel that lacks what they name does not mind.
func savings() []string {
	return []string{
		// Its tests of its own cryptography: a fifth to a quarter of an emulated boot.
		"cryptomgr.notests",
		// The watch over who uses which memory (since 6.17), which with init_on_alloc (see the architectures) made the
		// suite a quarter slower.
		"damon_stat.enabled=0",
		// Parts of its start: half of the instructions of a bare boot of 7.0, a fifth of 5.10's. They are for
		// tracing (what names in formats stand for, which functions are overridden, tracefs), and the last is
		// a source of randomness that tests itself.
		"initcall_blacklist=trace_eval_init,ftrace_check_for_weak_functions",
		"initcall_blacklist=tracer_init_tracefs,jent_mod_init",
	}
}

// CommandLine is what the kernel is given of a configuration with an architecture and an accelerator.
func (c *Config) CommandLine() string { return strings.Join(c.kernelArgs(), " ") }

// What the kernel's watchdogs wait for if nothing is said, and the most that they take, in seconds
// (Documentation/admin-guide/kernel-parameters.txt; kernel/watchdog.c takes up to 60).
const (
	usualStall, maxStall         = 21, 300
	usualThreshold, maxThreshold = 10, 60
)

// patience returns seconds as the accelerator needs them.
func (c *Config) patience(usual, most int) int {
	return min(most, int(float64(usual)*c.Accel.Scale))
}

// qemuArgs are QEMU's arguments; serial is where its first serial port writes to.
func (c *Config) qemuArgs(serial string) []string {
	args := []string{
		"-no-user-config", "-nodefaults", "-serial", serial, "-no-reboot",
		"-m", strconv.Itoa(c.Memory), "-machine", c.Arch.QEMU.Machine,
	}
	if c.Arch.QEMU.CPU != "" {
		args = append(args, "-cpu", c.Arch.QEMU.CPU)
	}
	if c.Firmware != "" && !c.AsIs {
		args = append(args, "-bios", c.Firmware)
	}
	args = append(args, c.Accel.Args...)
	args = append(args, c.Arch.QEMU.Args...)
	return append(args, c.Args...)
}

// boot is one run of QEMU.
type boot struct {
	cfg     *Config
	con     *console
	command []string
	clean   bool // QEMU ended by itself and without error
}

// watch waits for the end of a started QEMU, whichever way it comes.
func (b *boot) watch(ctx context.Context, v *qemu.VM, begun time.Time) (*Report, error) {
	total := time.NewTimer(b.cfg.Limits.Total)
	defer total.Stop()
	silence := time.NewTimer(b.cfg.Limits.Silence)
	defer silence.Stop()
	var grace <-chan time.Time // runs once the guest said its end or the kernel gave up

	kill := func(reason Reason, text string, cause error) (*Report, error) {
		if !b.kill(v) {
			return b.report(time.Since(begun), ReasonStuck, fmt.Sprintf(
				"%s; then QEMU could not be killed and may still run: look for it with ps and for trouble in the host kernel's log", text), cause)
		}
		return b.report(time.Since(begun), reason, text, cause)
	}
	for {
		select {
		case <-b.con.closed:
			// Wait and Close of the library must not both be called: each takes
			// the one exit status there is.
			return b.exited(v.Wait(), time.Since(begun))
		case <-ctx.Done():
			return kill(ReasonInterrupted, "interrupted", context.Cause(ctx))
		case e := <-b.con.events:
			if e == eventFlood {
				return kill(ReasonFlood, fmt.Sprintf("the console printed more than %d bytes; see its end for what repeats", b.cfg.MaxBytes), nil)
			}
			if grace == nil {
				grace = time.After(b.cfg.Grace)
			}
		case <-grace:
			return kill("", "", nil)
		case <-total.C:
			return kill(ReasonHang, fmt.Sprintf("not done after %v, the limit; run fewer guests at once if the machine is busy", b.cfg.Limits.Total), nil)
		case <-silence.C:
			if quiet := time.Since(b.con.lastByte()); quiet < b.cfg.Limits.Silence {
				silence.Reset(b.cfg.Limits.Silence - quiet)
				continue
			}
			if grace != nil {
				continue
			}
			return kill(ReasonHang, fmt.Sprintf("nothing on the console for %v, the limit", b.cfg.Limits.Silence), nil)
		}
	}
}

// kill ends QEMU and says whether it is gone.
func (b *boot) kill(v *qemu.VM) bool {
	close(b.con.stop)
	gone := make(chan struct{})
	go func() {
		v.Close()
		close(gone)
	}()
	select {
	case <-gone:
		return true
	case <-time.After(killWait):
		return false
	}
}

// exited reports on a QEMU that ended by itself.
func (b *boot) exited(status error, wall time.Duration) (*Report, error) {
	if status == nil {
		b.clean = true
		return b.report(wall, "", "", nil)
	}
	var exit *exec.ExitError
	if errors.As(status, &exit) {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return b.report(wall, ReasonKilled, fmt.Sprintf(
				"QEMU was killed by a signal from outside (%v); if the machine ran out of memory, run fewer guests at once", ws.Signal()), status)
		}
	}
	return b.report(wall, ReasonQEMU, fmt.Sprintf("QEMU failed (%v)", status), status)
}

// report makes the report from what the console showed, and the error that goes with it.
// reason and text are what is known of the end: "" for an end that nobody forced. What the
// console shows wins over it, because it is the cause.
func (b *boot) report(wall time.Duration, reason Reason, text string, cause error) (*Report, error) {
	s := b.con.state()
	rep := &Report{
		Records: s.records, Findings: s.findings, Console: s.tail,
		Bytes: s.bytes, Wall: wall, Command: b.command,
	}
	s.off = s.off || b.clean && b.cfg.Arch.QuietOff
	complete := s.err == nil
	if b.cfg.Bare {
		complete = s.off && s.fatal == nil && reason == ""
	}
	if reason == ReasonStuck {
		complete = false
	}
	if complete {
		// The report is whole, so whatever came after it is told and changes nothing.
		switch {
		case reason == ReasonQEMU || reason == ReasonKilled:
			rep.Findings = append(rep.Findings, Finding{Kind: KindExit, Text: "after the guest's last record: " + text})
		case reason != "" || !s.off:
			rep.Findings = append(rep.Findings, Finding{Kind: KindPower, Text: "the guest did not power off after its last record"})
		}
		return rep, nil
	}
	switch {
	case reason == ReasonInterrupted, reason == ReasonStuck:
	case s.fatal != nil && s.fatal.Kind == KindAccel:
		reason, text = ReasonAccel, fmt.Sprintf("the accelerator cannot run this guest (%s); use another", s.fatal.Text)
	case s.fatal != nil:
		reason, text = ReasonPanic, "the kernel panicked: "+s.fatal.Text
	case reason == ReasonQEMU:
		if own := b.qemuSays(s.tail); own != "" {
			text = "QEMU failed: " + own
		}
	case reason == ReasonHang && !s.spoke:
		reason, text = ReasonSilent, fmt.Sprintf(
			"neither kernel nor guest printed anything (%s); is it a kernel for %s with a console on %s?",
			text, b.cfg.Arch.Name, b.cfg.Arch.Console)
	case reason != "":
	case b.cfg.Bare && !s.spoke, !s.spoke:
		reason, text = ReasonSilent, fmt.Sprintf(
			"QEMU ended and neither kernel nor guest had printed anything; is it a kernel for %s with a console on %s?",
			b.cfg.Arch.Name, b.cfg.Arch.Console)
	case b.cfg.Bare:
		reason, text = ReasonIncomplete, "QEMU ended before the kernel powered off"
	case s.ended, s.damaged > 0:
		reason, text = ReasonGarbled, "the report is garbled: "+s.err.Error()
	default:
		reason, text = ReasonIncomplete, "the guest stopped too early: "+s.err.Error()
	}
	rep.Reason = reason
	if cause == nil {
		cause = s.err
	}
	return rep, &BootError{
		Reason: reason, Kernel: b.cfg.Kernel, Accel: b.cfg.Accel.Name,
		Text: text, Console: s.tail, Err: cause,
	}
}

// qemuSays returns the last complaint of QEMU's own on the console, without its name.
func (b *boot) qemuSays(tail []string) string {
	prefix := filepath.Base(b.cfg.QEMU) + ": "
	for i := len(tail) - 1; i >= 0; i-- {
		_, own, ok := strings.Cut(tail[i], prefix)
		if ok && !strings.HasPrefix(own, "warning: ") {
			return own
		}
	}
	return ""
}
