package runner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/enumerate"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// maxRestarts bounds how often a suite that died is started again behind the spec in which
// it died. What is left then is missing, and the host says so.
const maxRestarts = 8

// boot is the life of PID 1.
func boot(k sandbox.Kernel, specs []spec.Spec, o options) {
	off := powerOff
	defer func() { off() }()
	scenario := os.Getenv(spec.ScenarioVariable)
	if scenario != "" {
		if err := leaveInitramfs(); err != nil {
			fmt.Println("pivotspec: init:", err)
			return
		}
	}
	out, err := ownConsole()
	if err != nil {
		fmt.Println("pivotspec: init:", err)
		return
	}
	if o.reader == nil {
		passThrough(out) // else people may look at the terminal
	} else {
		var read func()
		if out, read, err = divert(out, o.reader); err != nil {
			fmt.Println("pivotspec: init:", err)
			return
		}
		off = func() { read(); powerOff() }
	}
	shared, err := newShared()
	if err != nil {
		fmt.Fprintln(out, "pivotspec: init:", err)
		return
	}
	c, err := openConsole(out, shared)
	if err != nil {
		fmt.Fprintln(out, "pivotspec: init:", err)
		return
	}
	defer func() {
		if p := recover(); p != nil {
			// A panic of PID 1 would be a panic of the kernel; say what it was instead.
			fmt.Fprintf(out, "\npivotspec: init panicked: %v\n", p)
			c.drain()
		}
	}()
	if word := os.Getenv(enumerate.Variable); word != "" {
		worlds(c, shared, word, o)
		return
	}
	c.send(plan(specs))
	if err := prepare(); err != nil {
		c.send(&record.Record{Type: record.TypeNote, Why: err.Error()})
		return
	}
	if scenario != "" {
		if err := c.reopen(); err != nil {
			c.send(&record.Record{Type: record.TypeNote, Why: err.Error()})
			return
		}
	}
	if err := silence(); err != nil {
		c.send(&record.Record{Type: record.TypeNote, Why: err.Error()})
	}
	relax()
	makeRoom()
	log := openLog()
	c.send(&record.Record{Type: record.TypeKernel, Kernel: describe()})
	if err := loadModules(); err != nil {
		c.send(&record.Record{Type: record.TypeNote, Why: err.Error()})
	}

	private := stage(specs, spec.Private)
	for first, restarts := 0, 0; first < len(private) && restarts <= maxRestarts; restarts++ {
		first = supervise(c, shared, private, first, o.patience)
	}
	initial(c, k, stage(specs, spec.Initial), o.patience, off)

	warnings := log.warnings()
	for _, w := range warnings {
		c.send(w)
	}
	c.end(len(warnings) > 0)
}

// plan is the record that comes first.
func plan(specs []spec.Spec) *record.Record {
	ids := make([]string, 0, len(specs))
	for _, s := range specs {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return &record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: ids}
}

// ownConsole returns the console under a descriptor that only the records use.
func ownConsole() (*os.File, error) {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 10)
	if err != nil {
		return nil, fmt.Errorf("the kernel gave no console as standard output: %w", err)
	}
	return os.NewFile(uintptr(fd), "console"), nil
}

// passThrough has a terminal send what is written to it as it is. Otherwise it looks at each
// character, to put a carriage return before each newline, which the host takes off again. What is
// no terminal does so anyway.
func passThrough(f *os.File) {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return
	}
	t.Oflag &^= unix.OPOST
	_ = unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}

// silence points standard output to nowhere: Ginkgo, which keeps the one that it found at
// the start, would print between the records.
func silence() error {
	fd, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/null: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Dup3(fd, 1, 0); err != nil {
		return fmt.Errorf("point standard output to /dev/null: %w", err)
	}
	return nil
}

// prepare makes the directories and mounts that the suite needs.
func prepare() error {
	for _, dir := range []string{"/proc", "/dev", Base} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, m := range []struct{ source, target, kind string }{
		{"proc", "/proc", "proc"},
		{"devtmpfs", "/dev", "devtmpfs"},
	} {
		if err := unix.Mount(m.source, m.target, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.target, err)
		}
	}
	return nil
}

// slack is the timer slack that [relax] sets, in nanoseconds.
const slack = "200000000"

// relax gives every thread of init, and with them the suite that inherits it, so much timer slack
// (see prctl(2), PR_SET_TIMERSLACK) that the Go runtime's monitor thread, which likes to look
// after busy threads every 20 microseconds, hardly ever wakes. Under emulation, where a change of
// thread costs more than most system calls, that took a third of the suite's time. Nothing
// here depends on short timers. Without /proc/PID/timerslack_ns it is only slower.
func relax() {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range tasks {
		_ = os.WriteFile("/proc/"+t.Name()+"/timerslack_ns", []byte(slack), 0)
	}
}

// supervise runs the suite from the spec with index first until it is done, dies or hangs, and
// returns the index of the spec to go on with: the one behind that in which it died or hung. A
// suite that is done says so through a pipe and stays, with its parked worlds.
// args are arguments for it behind the index.
func supervise(c *console, shared int, specs []spec.Spec, first int, patience time.Duration, args ...string) (next int) {
	current, why := attend(c, shared, patience, append([]string{suiteArg, strconv.Itoa(first)}, args...)...)
	switch {
	case why == "":
		return len(specs)
	case current < 0 || current >= len(specs):
		// It died before or behind all specs; starting it again would not help.
		c.send(&record.Record{Type: record.TypeNote, Why: why})
		return len(specs)
	}
	c.send(&record.Record{Type: record.TypeObservation, ID: specs[current].ID, Status: record.Broken, Why: why})
	return current + 1
}

// attend runs this program with the arguments as a child until it says that it is done, dies or
// hangs. why is "" if it is done, else it says what became of it, and current is the index of
// the spec or world that it was at, noSpec if at none.
func attend(c *console, shared int, patience time.Duration, args ...string) (current int, why string) {
	cmd := exec.Command("/proc/self/exe", args...)
	r, done, err := os.Pipe()
	if err != nil {
		return noSpec, "pipe: " + err.Error()
	}
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(shared), "records"), c.out, done}
	var stderr tail
	cmd.Stderr = &stderr
	// Children of the suite may outlive it and keep its standard error open.
	cmd.WaitDelay = time.Second
	c.state.current.Store(noSpec)
	if err := cmd.Start(); err != nil {
		return noSpec, "start the suite: " + err.Error()
	}
	done.Close()
	died, told := make(chan error, 1), make(chan struct{})
	go func() { died <- cmd.Wait() }()
	go func() {
		if n, _ := r.Read(make([]byte, 1)); n == 1 {
			close(told)
		}
	}()
	hung := false
	for last, waiting := int64(-1), true; waiting; {
		select {
		case <-told:
			return noSpec, ""
		case err = <-died:
			waiting = false
		case <-time.After(patience):
			// Each spec that ends sends a frame.
			if now := c.state.next.Load(); now != last {
				last = now
				continue
			}
			hung = true
			_ = cmd.Process.Kill()
		}
	}
	why = "the suite ended early"
	switch {
	case hung:
		why = fmt.Sprintf("hung for %v", patience)
	case err != nil:
		why = "the suite died: " + err.Error()
	}
	return int(c.state.current.Load()), why + stderr.String()
}

// tail keeps the last of what is written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	const keep = 2048
	t.b = append(t.b, p...)
	if len(t.b) > keep {
		t.b = t.b[len(t.b)-keep:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	if len(t.b) == 0 {
		return ""
	}
	return "; it said: " + strings.TrimSpace(string(t.b))
}

// initial runs the specs that take place in the initial namespace, as PID 1.
// off switches the machine off if one of them hangs.
func initial(c *console, k sandbox.Kernel, specs []spec.Spec, patience time.Duration, off func()) {
	env, err := sandbox.Open(k, Base)
	if err != nil {
		c.send(&record.Record{Type: record.TypeNote, Why: "initial stage: " + err.Error()})
		return
	}
	env.Evidence = evidence()
	ginkgo("pivot_root(2) as PID 1 in the initial mount namespace", specs, func(_ int, s spec.Spec) *record.Record {
		watchdog := time.AfterFunc(patience, func() {
			c.send(&record.Record{Type: record.TypeObservation, ID: s.ID, Status: record.Broken,
				Why: fmt.Sprintf("hung for %v", patience)})
			c.send(&record.Record{Type: record.TypeNote, Why: "PID 1 hung; what follows was not run"})
			c.end(true)
			off()
		})
		defer watchdog.Stop()
		r := env.RunInitial(s.ID, s.Body)
		c.send(r)
		remark(k, c, s.ID)
		return r
	})
	c.sendAll(env.Evidence.Records())
}

func powerOff() {
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	// Without the means to power off, a reboot ends the machine too: it runs with -no-reboot.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

// describe says what kernel this is.
func describe() *record.Kernel {
	var u unix.Utsname
	_ = unix.Uname(&u)
	k := &record.Kernel{
		Release:  unix.ByteSliceToString(u.Release[:]),
		Version:  unix.ByteSliceToString(u.Version[:]),
		Machine:  unix.ByteSliceToString(u.Machine[:]),
		PageSize: os.Getpagesize(),
		Endian:   endian(),
		ABI:      runtime.GOARCH,
	}
	if b, err := os.ReadFile("/proc/cmdline"); err == nil {
		k.Cmdline = strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if i := slices.Index(f, "-"); len(f) > 4 && f[4] == "/" && i > 0 && i+1 < len(f) {
				k.RootFS = f[i+1]
			}
		}
	}
	return k
}

func endian() string {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return "little"
	}
	return "big"
}

// kernelLog reads what the kernel printed since it was opened.
type kernelLog struct{ fd int }

func openLog() *kernelLog {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &kernelLog{-1}
	}
	_, _ = unix.Seek(fd, 0, unix.SEEK_END)
	return &kernelLog{fd}
}

// worst is KERN_WARNING: messages of this level and worse (lower) are findings.
const worst = 4

// warnings returns the kernel's own messages of level warning or worse. See
// Documentation/ABI/testing/dev-kmsg for the form of a line.
func (l *kernelLog) warnings() []*record.Record {
	if l.fd < 0 {
		return []*record.Record{{Type: record.TypeNote, Why: "cannot open /dev/kmsg: kernel warnings were not watched"}}
	}
	var out []*record.Record
	buf := make([]byte, 8192)
	for {
		n, err := unix.Read(l.fd, buf)
		if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EINTR) {
			continue // messages were overwritten before they were read: go on with the next
		}
		if err != nil || n == 0 {
			return out
		}
		head, text, ok := strings.Cut(string(buf[:n]), ";")
		num, _, _ := strings.Cut(head, ",")
		prio, err := strconv.Atoi(num)
		if !ok || err != nil || prio>>3 != 0 || prio&7 > worst {
			continue
		}
		text, _, _ = strings.Cut(text, "\n")
		out = append(out, &record.Record{Type: record.TypeWarning, Level: prio & 7, Why: text})
	}
}
