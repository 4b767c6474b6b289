package vm_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pivotspec/harness/accel"
	"pivotspec/harness/arch"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/suites/record"
)

// lab is what real boots need: kernels from the user's cache (fetched if they are not in it),
// images made now, QEMU.
type lab struct {
	arch     *arch.Arch
	table    *arch.Table
	tcg      *arch.Accel
	kernel   map[string]kernels.Kernel // by series
	off      *images.Image
	guest    *images.Image
	cacheDir string
}

func newLab(t *testing.T, series ...string) *lab {
	t.Helper()
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("a real boot needs QEMU, Go and kernels: %v; `make test` installs and fetches them, -short goes without", err)
		}
	}
	l := &lab{kernel: map[string]kernels.Kernel{}, cacheDir: t.TempDir()}
	var err error
	l.table, err = arch.Load()
	must(err)
	l.arch, err = l.table.Arch("amd64")
	must(err)
	_, err = l.arch.FindQEMU()
	must(err)
	l.tcg, err = l.table.Accel("tcg")
	must(err)

	cat, err := kernels.Load()
	must(err)
	store, err := kernels.OpenStore("", cat)
	must(err)
	var entries []kernels.Entry
	for _, s := range series {
		e, err := cat.Lookup(s, l.arch.Name)
		must(err)
		entries = append(entries, e)
	}
	for i, r := range store.Get(t.Context(), entries, nil) {
		if r.Err != nil {
			must(r.Err)
		}
		l.kernel[series[i]] = r.Kernel
	}

	abi, err := l.arch.ABI("")
	must(err)
	target := images.Target{Name: abi.Name, Env: abi.Environ()}
	b := &images.Builder{Dir: l.cacheDir}
	l.off, err = b.Powerdown(t.Context(), target)
	must(err)
	bin := filepath.Join(l.cacheDir, "test-guest")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", bin, "./testdata/guest")
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux"), abi.Environ()...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test guest: %v\n%s", err, out)
	}
	b = &images.Builder{Dir: l.cacheDir, Prebuilt: map[string]string{abi.Name: bin}}
	l.guest, err = b.Guest(t.Context(), target, images.Dir("proc", 0o755))
	must(err)
	return l
}

func (l *lab) config(series, mode string) vm.Config {
	return vm.Config{
		Arch: l.arch, Accel: l.tcg, Dir: l.cacheDir, Kernel: l.kernel[series].Boot,
		Initramfs: l.guest.Path, Cmdline: []string{"mode=" + mode}, Grace: time.Second,
	}
}

func TestRealBoots(t *testing.T) {
	l := newLab(t, "6.19", "7.0")
	for _, c := range []struct {
		series, mode string
		reason       vm.Reason
		text         string
		records      int
	}{
		{series: "6.19", mode: "ok", records: 3},
		{series: "7.0", mode: "ok", records: 3},
		{series: "7.0", mode: "exit", reason: vm.ReasonPanic, text: "Attempted to kill init!", records: 2},
		{series: "7.0", mode: "crash", reason: vm.ReasonPanic, text: "Kernel panic", records: 2},
		{series: "7.0", mode: "early", reason: vm.ReasonIncomplete, text: "stops after record 1", records: 2},
		{series: "7.0", mode: "stay", records: 3},
	} {
		t.Run(c.series+"/"+c.mode, func(t *testing.T) {
			t.Parallel()
			rep, err := vm.Run(t.Context(), l.config(c.series, c.mode))
			if rep == nil {
				t.Fatal(err)
			}
			t.Logf("%v, findings %v, error %v", rep.Wall, rep.Findings, err)
			if rep.Reason != c.reason || (err == nil) != (c.reason == "") || len(rep.Records) != c.records {
				t.Errorf("reason %q, error %v, %d records; want %q, %d\n%s", rep.Reason, err,
					len(rep.Records), c.reason, c.records, strings.Join(rep.Console, "\n"))
			}
			if err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %q, want %q in it", err, c.text)
			}
		})
	}

	t.Run("bare", func(t *testing.T) {
		t.Parallel()
		cfg := l.config("6.19", "")
		cfg.Initramfs, cfg.Bare = l.off.Path, true
		if rep, err := vm.Run(t.Context(), cfg); err != nil || len(rep.Findings) > 0 {
			t.Errorf("%+v, %v", rep, err)
		}
	})
	t.Run("no init", func(t *testing.T) {
		t.Parallel()
		cfg := l.config("7.0", "")
		cfg.Initramfs = filepath.Join(t.TempDir(), "empty.cpio")
		f, err := os.Create(cfg.Initramfs)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(images.Build(f, []images.Entry{images.Dir("dev", 0o755)}), f.Close()); err != nil {
			t.Fatal(err)
		}
		rep, err := vm.Run(t.Context(), cfg)
		if rep == nil || rep.Reason != vm.ReasonPanic {
			t.Errorf("%+v, %v", rep, err)
		}
	})
	t.Run("no kernel", func(t *testing.T) {
		t.Parallel()
		cfg := l.config("7.0", "ok")
		cfg.Kernel = cfg.Initramfs
		rep, err := vm.Run(t.Context(), cfg)
		if rep == nil || rep.Reason != vm.ReasonQEMU {
			t.Errorf("%+v, %v", rep, err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cfg := l.config("7.0", "hang")
		n := 0
		cfg.OnRecord = func(*record.Record) {
			if n++; n == 2 {
				cancel()
			}
		}
		rep, err := vm.Run(ctx, cfg)
		if rep == nil || rep.Reason != vm.ReasonInterrupted || len(rep.Records) != 2 || !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v", rep, err)
		}
	})
}

// TestChosenAccelerator lets this machine choose and sees that a guest runs under what was
// chosen, whatever that is.
func TestChosenAccelerator(t *testing.T) {
	l := newLab(t, "7.0")
	boot := accel.Boot{Kernel: l.kernel["7.0"].Boot, Initramfs: l.off.Path}
	c := &accel.Chooser{Table: l.table, Dir: l.cacheDir}
	var first *accel.Choice
	for range 2 {
		ch, err := c.Choose(t.Context(), accel.Auto, l.arch, func(context.Context) (accel.Boot, error) { return boot, nil })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("chose %s: %s", ch.Accel.Name, ch.Why)
		if first != nil && ch.Accel != first.Accel {
			t.Errorf("chose %s after %s", ch.Accel.Name, first.Accel.Name)
		}
		first = ch
	}
	_, err := vm.Run(t.Context(), vm.Config{
		Arch: l.arch, Accel: first.Accel, Dir: l.cacheDir, Kernel: boot.Kernel, Initramfs: boot.Initramfs, Bare: true,
	})
	if err != nil {
		t.Error(err)
	}
}
