package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/harness/arch"
	"pivotspec/suites/record"
)

// generous is for fakes that must not run into a limit, however busy the machine is; tight
// is for those that must.
var (
	generous = arch.Limits{Silence: 5 * time.Minute, Total: 5 * time.Minute}
	tight    = arch.Limits{Silence: time.Second, Total: 5 * time.Minute}
	short    = arch.Limits{Silence: 2 * time.Second, Total: 2 * time.Second}
)

func TestRun(t *testing.T) {
	for _, c := range []struct {
		fake     string
		reason   Reason // "" for a complete report
		text     string // part of the error
		records  int
		findings []Kind
		limits   arch.Limits
		bare     bool
	}{
		{fake: "ok", records: 3},
		{fake: "repeats", records: 2},
		{fake: "bare", bare: true},
		{fake: "bare-cut", bare: true, reason: ReasonIncomplete, text: "before the kernel powered off"},
		{fake: "panic", bare: true, reason: ReasonPanic, records: 1, findings: []Kind{KindPanic}},
		{fake: "hang", bare: true, reason: ReasonHang, records: 2, limits: tight},
		{fake: "fail", bare: true, reason: ReasonQEMU},
		{fake: "panic", reason: ReasonPanic, text: "Attempted to kill init!", records: 1, findings: []Kind{KindPanic}},
		{fake: "panic-glued", reason: ReasonPanic, text: "No working init found", findings: []Kind{KindPanic}},
		{fake: "panic-hang", reason: ReasonPanic, text: "Unable to mount root fs", findings: []Kind{KindPanic, KindPanic}},
		{fake: "panic-after-end", records: 2, findings: []Kind{KindPanic, KindPower}},
		{fake: "oops", records: 3, findings: []Kind{"oops", "oops", "warning"}},
		{fake: "warning-in-frame", records: 3, findings: []Kind{"warning"}},
		{fake: "message-before-frame", records: 3, findings: []Kind{"warning"}},
		{fake: "damaged", reason: ReasonGarbled, text: "record 1 of the guest's report is damaged", records: 2},
		{fake: "gap", reason: ReasonGarbled, text: "record 1 of the guest's report never arrived", records: 2},
		{fake: "no-plan", reason: ReasonGarbled, text: "does not begin with its plan", records: 2},
		{fake: "no-end", reason: ReasonIncomplete, text: "stops after record 1 without its end", records: 2},
		{fake: "no-records", reason: ReasonIncomplete, text: "sent no record"},
		{fake: "overlong", reason: ReasonGarbled, records: 2},
		{fake: "nothing", reason: ReasonSilent, text: "console on ttyS0"},
		{fake: "nothing-hang", reason: ReasonSilent, limits: tight},
		{fake: "firmware-hang", reason: ReasonSilent, limits: tight},
		{fake: "hang", reason: ReasonHang, text: "nothing on the console for 1s", records: 2, limits: tight},
		{fake: "trickle", reason: ReasonHang, text: "not done after 2s", records: 1, limits: short},
		{fake: "end-hang", records: 2, findings: []Kind{KindPower}},
		{fake: "end-fail", records: 2, findings: []Kind{KindExit}},
		{fake: "flood", reason: ReasonFlood, text: "more than 8388608 bytes"},
		{fake: "flood-unending", reason: ReasonFlood},
		{fake: "kvm", reason: ReasonAccel, text: "KVM internal error", findings: []Kind{KindAccel}},
		{fake: "fail", reason: ReasonQEMU, text: "could not load kernel 'x'"},
		{fake: "die", reason: ReasonKilled, text: "killed by a signal from outside (killed)", records: 1},
		{fake: "noise", reason: ReasonIncomplete},
	} {
		name := c.fake
		if c.bare {
			name += "/bare"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := fakeConfig(t.TempDir(), c.fake)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Limits, cfg.Bare, cfg.Grace = c.limits, c.bare, time.Second
			if c.limits == (arch.Limits{}) {
				cfg.Limits = generous
			}
			var live int
			cfg.OnRecord = func(*record.Record) { live++ }
			rep, err := Run(t.Context(), *cfg)
			if rep == nil {
				t.Fatal(err)
			}
			if rep.Reason != c.reason {
				t.Errorf("reason %q, want %q (%v)", rep.Reason, c.reason, err)
			}
			var b *BootError
			switch {
			case (err == nil) != (c.reason == ""):
				t.Errorf("error %v with reason %q", err, c.reason)
			case err != nil && !errors.As(err, &b):
				t.Errorf("error %v is no BootError", err)
			case err != nil && b.Reason != rep.Reason:
				t.Errorf("the error's reason is %q, the report's %q", b.Reason, rep.Reason)
			case err != nil && (!strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n")):
				t.Errorf("error %q: want one line with %q", err, c.text)
			}
			if len(rep.Records) != c.records || live != c.records {
				t.Errorf("%d records, %d of them live, want %d", len(rep.Records), live, c.records)
			}
			var kinds []Kind
			for _, f := range rep.Findings {
				kinds = append(kinds, f.Kind)
			}
			if !slices.Equal(kinds, c.findings) {
				t.Errorf("findings %v, want %v", rep.Findings, c.findings)
			}
			if len(rep.Console) > tailLines {
				t.Errorf("%d lines of console", len(rep.Console))
			}
			checkClean(t, rep.Console)
		})
	}
}

func checkClean(t *testing.T, lines []string) {
	t.Helper()
	for _, l := range lines {
		if len(l) > tailWidth+10 {
			t.Errorf("a line of %d bytes was kept", len(l))
		}
		for _, r := range l {
			if r < 0x20 || r == 0x7f || r == 0x202e {
				t.Errorf("control character %q in the console's tail: %q", r, l)
			}
		}
	}
}

func TestInterrupt(t *testing.T) {
	cfg, err := fakeConfig(t.TempDir(), "pid")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	cause := errors.New("the user pressed a key")
	var pid int
	cfg.Limits = generous
	cfg.OnLine = func(s string) {
		if _, err := fmt.Sscanf(s, "pid %d", &pid); err == nil {
			cancel(cause)
		}
	}
	rep, err := Run(ctx, *cfg)
	if rep == nil || rep.Reason != ReasonInterrupted || !errors.Is(err, cause) {
		t.Fatalf("report %+v, error %v; want an interrupted boot", rep, err)
	}
	if len(rep.Records) != 1 {
		t.Errorf("%d records were kept, want the 1 that was sent", len(rep.Records))
	}
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("process %d is still there after Run: %v", pid, err)
	}

	if rep, err := Run(ctx, *cfg); rep == nil || rep.Reason != ReasonInterrupted || rep.Wall != 0 {
		t.Errorf("a cancelled context started QEMU: %+v, %v", rep, err)
	}
}

// TestHarnessKilled kills a harness in the middle of a boot and sees that its QEMU goes too,
// also one that does not react to the hang-up of its terminal.
func TestHarnessKilled(t *testing.T) {
	for _, mode := range []string{"pid", "deaf", "stopped"} {
		t.Run(mode, func(t *testing.T) {
			if _, err := exec.LookPath("setpriv"); err != nil && mode == "deaf" {
				t.Fatal("want setpriv (package util-linux) in PATH; without it a stuck QEMU outlives a killed harness")
			}
			t.Parallel()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			fake := mode
			if mode == "stopped" {
				fake = "pid"
			}
			h := exec.Command(exe)
			h.Env = append(os.Environ(), "PIVOTSPEC_TEST_HARNESS="+fake, "TMPDIR="+t.TempDir())
			out, err := h.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Start(); err != nil {
				t.Fatal(err)
			}
			var pid int
			for s := bufio.NewScanner(out); pid == 0 && s.Scan(); {
				fmt.Sscanf(s.Text(), "pid %d", &pid)
			}
			if pid == 0 {
				t.Fatal("the harness started no guest")
			}
			fd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			if mode == "stopped" {
				syscall.Kill(pid, syscall.SIGSTOP)
			}
			h.Process.Kill()
			h.Wait()
			for {
				// Readable when the process is gone. The limit is no measurement.
				n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 60_000)
				if err == unix.EINTR {
					continue
				}
				if n == 0 || err != nil {
					syscall.Kill(pid, syscall.SIGKILL)
					t.Fatalf("QEMU outlived its harness (%v)", err)
				}
				break
			}
		})
	}
}

func TestNoDescriptorLeaks(t *testing.T) {
	fd, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0) // as inherited: not close-on-exec
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	cfg, err := fakeConfig(t.TempDir(), "fds")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Limits = generous
	rep, err := Run(t.Context(), *cfg)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, l := range rep.Console {
		f := strings.Fields(l)
		if len(f) < 3 || f[0] != "fd" {
			continue
		}
		seen++
		// The fake is a Go program, whose runtime opens files of its own.
		if !strings.HasPrefix(f[2], "/dev/pts/") && !strings.HasPrefix(f[2], "anon_inode:") && !strings.HasPrefix(f[2], "/proc/") && !strings.HasPrefix(f[2], "/sys/fs/cgroup/") {
			t.Errorf("QEMU inherited %s", l)
		}
	}
	if seen < 3 {
		t.Errorf("the fake listed %d descriptors", seen)
	}
}

func TestConfig(t *testing.T) {
	cfg, err := fakeConfig(t.TempDir(), "ok")
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no arch":          func(c *Config) { c.Arch = nil },
		"no kernel":        func(c *Config) { c.Kernel = "" },
		"kernel not there": func(c *Config) { c.Kernel = "/nonexistent/vmlinuz" },
		"no initramfs":     func(c *Config) { c.Initramfs = "" },
	} {
		bad := *cfg
		spoil(&bad)
		if rep, err := Run(t.Context(), bad); rep != nil || err == nil {
			t.Errorf("%s: report %v, error %v", name, rep, err)
		}
	}
	bad := *cfg
	bad.QEMU = "/nonexistent/qemu"
	rep, err := Run(t.Context(), bad)
	var b *BootError
	if rep == nil || !errors.As(err, &b) || b.Reason != ReasonQEMU {
		t.Errorf("QEMU not there: report %+v, error %v", rep, err)
	}
}

// TestSharedStarter boots many guests at once, the first of which make the starter of QEMU.
func TestSharedStarter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	var wg sync.WaitGroup
	for range 12 {
		cfg, err := fakeConfig(t.TempDir(), "ok")
		if err != nil {
			t.Fatal(err)
		}
		cfg.Dir, cfg.Limits = dir, generous
		wg.Go(func() {
			if _, err := Run(t.Context(), *cfg); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) > 1 {
		t.Errorf("the folder of the starter holds %v (%v), want one file", files, err)
	}
}

// TestNoStarter sees that a folder that cannot hold the starter does not cost the boot.
func TestNoStarter(t *testing.T) {
	cfg, err := fakeConfig(t.TempDir(), "ok")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir, cfg.Limits = "/dev/null/cache", generous
	if _, err := Run(t.Context(), *cfg); err != nil {
		t.Error(err)
	}
}

func TestSanitise(t *testing.T) {
	for in, want := range map[string]string{
		"\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\r": "SeaBIOS",
		"\x1b]0;title\x07text":                 "text",
		"tab\there":                            "tab here",
		"\x00\x7f\u009bzero":                   "zero",
		"\xff":                                 "?",
		"\u202eright to left":                  "right to left",
		"":                                     "",
		"é and 日本":                             "é and 日本",
		"\x1b[31mred\x1b[0m \x1b(Bcharset":     "red charset",
		"half an escape at the end of a line\x1b": "half an escape at the end of a line",
	} {
		if got := sanitise([]byte(in)); got != want {
			t.Errorf("sanitise(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzConsole(f *testing.F) {
	ps, err := loadPatterns(findingsYAML)
	if err != nil {
		f.Fatal(err)
	}
	whole := func() []byte {
		b, _ := record.AppendFrame(nil, 0, &record.Record{Schema: record.Schema, Type: record.TypePlan})
		b, _ = record.AppendFrame(b, 1, &record.Record{Type: record.TypeEnd})
		return b
	}()
	f.Add(whole, 7)
	f.Add([]byte("Booting from ROM..[    0.040000] Kernel panic - not syncing: x\r\n"), 3)
	f.Add([]byte("\x1bc\x1b[?7l@pivotspec 0 zz {\n@pivotspec \n"), 1)
	f.Add([]byte("[    1.0"), 2)
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		if step <= 0 || step > len(in) {
			step = len(in)
		}
		c := newConsole(ps, 1<<40, nil, nil, nil)
		for rest := in; len(rest) > 0; {
			n := min(step, len(rest))
			if m, err := c.Write(rest[:n]); m != n || err != nil {
				t.Fatalf("Write = %d, %v", m, err)
			}
			rest = rest[n:]
		}
		c.Close()
		s := c.state()
		checkClean(t, s.tail)
		if len(s.tail) > tailLines || len(s.findings) > maxFindings {
			t.Fatal("the console keeps too much")
		}
		if s.err == nil && !s.ended {
			t.Fatal("a report without its end passes")
		}
		// How the bytes are cut into reads must not matter.
		d := newConsole(ps, 1<<40, nil, nil, nil)
		d.Write(in)
		d.Close()
		if w := d.state(); !slices.Equal(w.tail, s.tail) || len(w.records) != len(s.records) || !slices.Equal(w.findings, s.findings) {
			t.Fatalf("cut into %d bytes the console reads otherwise", step)
		}
	})
}

func FuzzPatterns(f *testing.F) {
	f.Add(findingsYAML)
	f.Add([]byte("- {kind: a, match: '('}"))
	f.Add([]byte("- ~"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ps, err := loadPatterns(text)
		if err == nil {
			ps.match("[    1.000000] WARNING: x")
		}
	})
}
