package vm

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/suites/record"
)

// TestMain makes the test program its own fake QEMU (told by -nographic, which pkg/qemu always
// gives) and, for the tests of its death, its own harness.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-nographic") {
		fakeQEMU()
		return
	}
	if mode := os.Getenv("PIVOTSPEC_TEST_HARNESS"); mode != "" {
		fakeHarness(mode)
		return
	}
	os.Exit(m.Run())
}

// fakes is what the fake QEMU does, by the kernel argument fake=NAME.
var fakes = map[string]func(*guest){
	"ok": func(g *guest) {
		g.firmware()
		g.kernel("[    0.040000] tsc: Unable to calibrate against PIT")
		g.plan()
		g.observe()
		g.end()
		g.off()
	},
	"bare":     func(g *guest) { g.firmware(); g.off() },
	"bare-cut": func(g *guest) { g.firmware(); g.kernel("[    0.040000] tsc: hello") },
	"repeats":  func(g *guest) { g.plan(); g.seq--; g.plan(); g.end(); g.off() },
	"panic": func(g *guest) {
		g.firmware()
		g.plan()
		g.kernel("[    1.000000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100")
		g.kernel("[    1.000100] Call Trace:")
	},
	"panic-glued": func(g *guest) {
		g.print("Booting from ROM..")
		g.kernel("[    0.000000] Kernel panic - not syncing: No working init found.")
	},
	"panic-hang": func(g *guest) {
		g.kernel("[    1.000000][    T1] Kernel panic - not syncing: VFS: Unable to mount root fs")
		g.kernel("[    1.000200][    T1] ---[ end Kernel panic - not syncing: VFS ]---")
		hang()
	},
	"panic-after-end": func(g *guest) {
		g.plan()
		g.end()
		g.kernel("[    2.000000] Kernel panic - not syncing: Fatal exception")
	},
	"oops": func(g *guest) {
		g.plan()
		g.kernel("[    1.500000] BUG: kernel NULL pointer dereference, address: 0000000000000008")
		g.kernel("[    1.500001] Oops: 0000 [#1] PREEMPT SMP PTI")
		g.kernel("[    1.600000] ------------[ cut here ]------------")
		g.kernel("[    1.600001] WARNING: CPU: 0 PID: 1 at fs/namespace.c:123 do_thing+0x1/0x2")
		g.observe()
		g.end()
		g.off()
	},
	"warning-in-frame": func(g *guest) {
		g.plan()
		f := g.frame(&record.Record{Type: record.TypeObservation, ID: "a/b", Status: record.Observed, Outcome: "EINVAL"})
		g.print(f[:len(f)/2] + "[    1.600001] WARNING: CPU: 0 PID: 1 at fs/namespace.c:123\r\n" + f[len(f)/2:] + "\r\n")
		g.seq--
		g.observe() // sent again, as a guest does that saw the warning
		g.end()
		g.off()
	},
	"message-before-frame": func(g *guest) {
		g.plan()
		g.print("[    1.600001] WARNING: CPU: 0 PID: 1 at fs/namespace.c:123")
		g.observe()
		g.end()
		g.off()
	},
	"damaged": func(g *guest) {
		g.plan()
		f := g.frame(&record.Record{Type: record.TypeObservation, ID: "a/b", Outcome: "OK"})
		g.print(strings.Replace(f, `"OK"`, `"NO"`, 1) + "\r\n")
		g.end()
		g.off()
	},
	"gap":        func(g *guest) { g.plan(); g.seq++; g.end(); g.off() },
	"no-plan":    func(g *guest) { g.observe(); g.end(); g.off() },
	"no-end":     func(g *guest) { g.firmware(); g.plan(); g.observe(); g.off() },
	"no-records": func(g *guest) { g.kernel("[    0.040000] hello"); g.off() },
	"overlong": func(g *guest) {
		g.plan()
		g.print(strings.Repeat("x", maxLine+100))
		g.observe()
		g.end()
		g.off()
	},
	"nothing":       func(*guest) {},
	"nothing-hang":  func(*guest) { hang() },
	"firmware-hang": func(g *guest) { g.firmware(); hang() },
	"hang":          func(g *guest) { g.plan(); g.observe(); hang() },
	"trickle": func(g *guest) {
		g.plan()
		for {
			g.kernel("[    1.000000] random: still here")
			time.Sleep(5 * time.Millisecond)
		}
	},
	"end-hang": func(g *guest) { g.plan(); g.end(); hang() },
	"end-fail": func(g *guest) { g.plan(); g.end(); os.Exit(1) },
	"flood": func(g *guest) {
		line := strings.Repeat("flood ", 1000) + "\r\n"
		for {
			g.print(line)
		}
	},
	"flood-unending": func(g *guest) {
		for {
			g.print(strings.Repeat("x", 4096))
		}
	},
	"kvm": func(g *guest) {
		g.firmware()
		g.print("KVM internal error. Suberror: 1\nemulation failure\nEAX=00000000\n")
		hang()
	},
	"fail": func(g *guest) {
		g.print(filepath.Base(os.Args[0]) + ": warning: host doesn't support requested feature: CPUID.01H:ECX.pni [bit 0]\r\n")
		g.print(filepath.Base(os.Args[0]) + ": could not load kernel 'x': Exec format error\r\n")
		os.Exit(1)
	},
	"die": func(g *guest) {
		g.firmware()
		g.plan()
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		hang()
	},
	"noise": func(g *guest) {
		g.print("\x1b[31mred\x1b[0m \x00\x01\xff\xfe \x1b]0;title\x07 \u202egnp.exe\r\n")
		g.off()
	},
	"fds": func(g *guest) {
		g.plan()
		fds, _ := os.ReadDir("/proc/self/fd")
		for _, e := range fds {
			to, _ := os.Readlink("/proc/self/fd/" + e.Name())
			g.print("fd " + e.Name() + " " + to + "\r\n")
		}
		g.end()
		g.off()
	},
	// A QEMU whose main loop is stuck takes note of SIGHUP and does nothing.
	"deaf": func(g *guest) {
		signal.Ignore(syscall.SIGHUP)
		g.plan()
		g.print(fmt.Sprintf("pid %d\r\n", os.Getpid()))
		hang()
	},
	"pid": func(g *guest) {
		g.plan()
		g.print(fmt.Sprintf("pid %d\r\n", os.Getpid()))
		hang()
	},
}

func hang() {
	for {
		time.Sleep(time.Hour)
	}
}

// guest prints what a guest would.
type guest struct {
	w   *bufio.Writer
	seq int
}

func (g *guest) print(s string)  { g.w.WriteString(s); g.w.Flush() }
func (g *guest) kernel(s string) { g.print(s + "\r\n") }
func (g *guest) firmware() {
	g.print("\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1.16.2-debian-1.16.2-1)\r\nBooting from ROM..")
}
func (g *guest) frame(r *record.Record) string {
	b, err := record.AppendFrame(nil, g.seq, r)
	if err != nil {
		panic(err)
	}
	g.seq++
	return strings.TrimSuffix(string(b), "\n")
}
func (g *guest) plan() {
	g.kernel(g.frame(&record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: []string{"a/b"}}))
}
func (g *guest) observe() {
	g.kernel(g.frame(&record.Record{Type: record.TypeObservation, ID: "a/b", Status: record.Observed, Outcome: "EINVAL"}))
}
func (g *guest) end() { g.kernel(g.frame(&record.Record{Type: record.TypeEnd})) }
func (g *guest) off() { g.kernel("[    2.998825] reboot: Power down") }

func fakeQEMU() {
	at := slices.Index(os.Args, "-append")
	for _, arg := range strings.Fields(os.Args[at+1]) {
		if name, ok := strings.CutPrefix(arg, "fake="); ok {
			fakes[name](&guest{w: bufio.NewWriter(os.Stdout)})
			os.Exit(0)
		}
	}
	fmt.Fprintln(os.Stderr, "fake QEMU: no kernel argument fake=NAME")
	os.Exit(2)
}

// fakeHarness boots a fake guest and prints its console, until somebody kills it.
func fakeHarness(mode string) {
	cfg, err := fakeConfig(os.TempDir(), mode)
	if err == nil {
		cfg.OnLine = func(s string) { fmt.Println(s) }
		_, err = Run(context.Background(), *cfg)
	}
	fmt.Println("harness:", err)
}

// fakeConfig is a boot of the fake QEMU with short limits; dir holds files to stand for a
// kernel and an image.
func fakeConfig(dir, mode string) (*Config, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	tab, err := arch.Load()
	if err != nil {
		return nil, err
	}
	a, err := tab.Arch("amd64")
	if err != nil {
		return nil, err
	}
	x, err := tab.Accel("tcg")
	if err != nil {
		return nil, err
	}
	return &Config{
		Arch: a, Accel: x, QEMU: exe, Kernel: exe, Initramfs: exe, Cmdline: []string{"fake=" + mode},
	}, nil
}
