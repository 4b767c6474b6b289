package accel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/harness/vm"
)

// TestMain makes the test program its own fake QEMU. What it does is told by the name of the
// "initramfs"; each start is noted in the file that stands for the kernel.
func TestMain(m *testing.M) {
	if !slices.Contains(os.Args, "-nographic") {
		os.Exit(m.Run())
	}
	arg := func(name string) string { return os.Args[slices.Index(os.Args, name)+1] }
	f, err := os.OpenFile(arg("-kernel"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(f, arg("-accel"))
	f.Close()
	fmt.Print("\x1bcSeaBIOS (version 1)\r\nBooting from ROM..")
	switch filepath.Base(arg("-initrd")) {
	case "works":
		fmt.Print("[    1.000000] reboot: Power down\r\n")
	case "hangs":
		time.Sleep(time.Hour)
	case "internal-error":
		fmt.Print("KVM internal error. Suberror: 1\n")
		time.Sleep(time.Hour)
	case "denied":
		fmt.Printf("%s: failed to initialize kvm: Permission denied\r\n", filepath.Base(os.Args[0]))
		os.Exit(1)
	}
}

// bench is a table in which the accelerators "fast" and "slow" run vax guests.
type bench struct {
	*Chooser
	a      *arch.Arch
	boot   Boot
	device string
}

func newBench(t *testing.T, mode string) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{device: filepath.Join(dir, "device"), boot: Boot{filepath.Join(dir, "kernel"), filepath.Join(dir, mode)}}
	for _, f := range []string{b.device, b.boot.Kernel, b.boot.Initramfs} {
		if err := os.WriteFile(f, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tab, err := arch.Parse([]byte(`
- name: vax
  qemu: {binary: qemu-system-vax, package: qemu-system-misc, machine: "11/780"}
  accels: [fast, slow]
  boot: image
  console: ttyS0
  memory: 16
  command_line: 1000
  limits: {silence: 1s, total: 10s}
  abis: [{name: vax, env: {GOARCH: vax}}]
`), fmt.Appendf(nil, `
- {name: fast, args: [-accel, fast], device: %q, native: true, trial: true, scale: 1}
- {name: slow, args: [-accel, slow], scale: 6}
- {name: other, args: [-accel, other], scale: 6}
`, b.device))
	if err != nil {
		t.Fatal(err)
	}
	if b.a, err = tab.Arch("vax"); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b.Chooser = &Chooser{
		Table: tab, Dir: filepath.Join(dir, "cache"), QEMU: exe, GOARCH: "vax",
		limits: arch.Limits{Silence: 2 * time.Second, Total: time.Minute},
	}
	return b
}

func (b *bench) choose(t *testing.T, want string) (*Choice, error) {
	t.Helper()
	return b.Choose(t.Context(), want, b.a, func(context.Context) (Boot, error) { return b.boot, nil })
}

func (b *bench) trials(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(b.boot.Kernel)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

// again is a new process on the same machine.
func (b *bench) again() { b.memory = nil }

func TestAuto(t *testing.T) {
	for _, c := range []struct {
		mode, want string
		why        string // part of the reason
		remembered bool
	}{
		{"works", "fast", "", true},
		{"hangs", "slow", "a guest started for trial printed nothing", true},
		{"internal-error", "slow", "KVM internal error", true},
		{"denied", "slow", "Permission denied", false},
		{"powers-nothing-off", "slow", "printed nothing", true},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.mode)
			for i := range 3 {
				ch, err := b.choose(t, Auto)
				if err != nil {
					t.Fatal(err)
				}
				if ch.Accel.Name != c.want || !strings.Contains(ch.Why, c.why) || (c.why == "") != (ch.Why == "") {
					t.Errorf("chose %s because %q", ch.Accel.Name, ch.Why)
				}
				if strings.Contains(ch.Why, "\n") || (c.why != "" && !strings.HasSuffix(ch.Why, "; using slow")) {
					t.Errorf("the reason is not the one line it ought to be: %q", ch.Why)
				}
				want := 1
				if !c.remembered {
					want = i + 1
				}
				if n := b.trials(t); n != want {
					t.Errorf("after %d choices there were %d trials, want %d", i+1, n, want)
				}
				if i == 1 {
					b.again()
				}
			}
		})
	}
}

func TestAsked(t *testing.T) {
	b := newBench(t, "hangs")
	var u *UnusableError
	if _, err := b.choose(t, "fast"); !errors.As(err, &u) || u.Accel != "fast" {
		t.Errorf("fast: %v, want an UnusableError", err)
	}
	if ch, err := b.choose(t, "slow"); err != nil || ch.Accel.Name != "slow" || ch.Why != "" {
		t.Errorf("slow: %v, %v", ch, err)
	}
	var un *arch.UnknownError
	if _, err := b.choose(t, "warp"); !errors.As(err, &un) {
		t.Errorf("warp: %v, want an UnknownError", err)
	}
	if _, err := b.choose(t, "other"); !errors.As(err, &u) {
		t.Errorf("other, which does not run vax: %v, want an UnusableError", err)
	}
	b.QEMU = ""
	var nq *arch.NoQEMUError
	if _, err := b.choose(t, Auto); !errors.As(err, &nq) {
		t.Errorf("without QEMU: %v, want a NoQEMUError", err)
	}
}

func TestEmulationNeverTries(t *testing.T) {
	b := newBench(t, "works")
	_, err := b.Choose(t.Context(), "slow", b.a, func(context.Context) (Boot, error) {
		return Boot{}, errors.New("asked for something to boot")
	})
	if err != nil || b.trials(t) != 0 {
		t.Errorf("%v, %d trials", err, b.trials(t))
	}
}

func TestNoDevice(t *testing.T) {
	b := newBench(t, "works")
	if err := os.Remove(b.device); err != nil {
		t.Fatal(err)
	}
	ch, err := b.choose(t, Auto)
	if err != nil || ch.Accel.Name != "slow" || b.trials(t) != 0 {
		t.Errorf("%v, %v, %d trials", ch, err, b.trials(t))
	}
	// A device that appears later is tried.
	if err := os.WriteFile(b.device, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if ch, err = b.choose(t, Auto); err != nil || ch.Accel.Name != "fast" {
		t.Errorf("%v, %v", ch, err)
	}
}

func TestForeignArchitecture(t *testing.T) {
	b := newBench(t, "works")
	b.GOARCH = "pdp11"
	if ch, err := b.choose(t, Auto); err != nil || ch.Accel.Name != "slow" || b.trials(t) != 0 {
		t.Errorf("%v, %v, %d trials", ch, err, b.trials(t))
	}
}

func TestDamagedCache(t *testing.T) {
	for name, text := range map[string]string{"cut": `{"vax-`, "null": `null`, "empty": ``, "list": `[]`} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "works")
			if err := os.MkdirAll(b.Dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(b.file(), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if ch, err := b.choose(t, Auto); err != nil || ch.Accel.Name != "fast" {
					t.Fatalf("%v, %v", ch, err)
				}
				b.again()
			}
			if n := b.trials(t); n != 1 {
				t.Errorf("%d trials, want 1", n)
			}
		})
	}
}

func TestNothingToTryWith(t *testing.T) {
	b := newBench(t, "works")
	cause := errors.New("no kernel")
	_, err := b.Choose(t.Context(), Auto, b.a, func(context.Context) (Boot, error) { return Boot{}, cause })
	var u *UnusableError
	if !errors.Is(err, cause) || errors.As(err, &u) {
		t.Errorf("%v, want the cause and no word on the accelerator", err)
	}
}

func TestInterruptedTrial(t *testing.T) {
	b := newBench(t, "hangs")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.Choose(ctx, Auto, b.a, func(context.Context) (Boot, error) {
		cancel()
		return b.boot, nil
	})
	var be *vm.BootError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &be) {
		t.Errorf("%v, want the interruption", err)
	}
	if len(b.load()) != 0 {
		t.Error("an interrupted trial was remembered")
	}
}
