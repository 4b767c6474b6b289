package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/results/ktap/ktaptest"
	"pivotspec/results/verdict"
	"pivotspec/suites/all"
	"pivotspec/suites/contain"
	"pivotspec/suites/spec"
)

// program builds the program as it is given away, and returns its path.
func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var dir string

func TestMain(m *testing.M) {
	status := m.Run()
	if dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

var built = sync.OnceValues(func() (string, error) {
	var err error
	if dir, err = os.MkdirTemp("", "pivotspec-guest-test-"); err != nil {
		return "", err
	}
	b := &images.Builder{Dir: dir}
	path, err := b.Standalone(context.Background(), images.Target{Name: "test", Env: []string{"GOARCH=" + runtime.GOARCH}})
	if err != nil {
		return "", err
	}
	return path, os.Chmod(dir, 0o755) // for whoever is not root
})

// leaves reads KTAP and returns its behaviours by name. Every spec of the plain initramfs has to
// be among them, under the area that it is of.
func leaves(t *testing.T, out string) map[string]ktaptest.Test {
	t.Helper()
	tests, err := ktaptest.Read(strings.Split(out, "\n"))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := map[string]ktaptest.Test{}
	for _, area := range tests {
		for _, l := range area.Tests {
			if !strings.HasPrefix(l.Name, area.Name+"/") {
				t.Errorf("%s is a test of %s", l.Name, area.Name)
			}
			found[l.Name] = l
		}
	}
	if last := tests[len(tests)-1]; last.Name != "guest" || !last.OK {
		t.Errorf("the last test: %+v", last)
	}
	specs, err := all.Specs()
	if err != nil {
		t.Fatal(err)
	}
	specs = spec.Of(specs, spec.Plain)
	for _, s := range specs {
		if _, ok := found[s.ID]; !ok {
			t.Errorf("%s is lost", s.ID)
		}
	}
	if len(found) != len(specs) {
		t.Errorf("%d tests for %d specs", len(found), len(specs))
	}
	return found
}

// observed checks that all is ok, and how much of it was seen.
func observed(t *testing.T, found map[string]ktaptest.Test, least int) {
	t.Helper()
	n := 0
	for _, l := range found {
		switch {
		case !l.OK:
			t.Errorf("not ok: %+v", l)
		case l.Directive == "":
			n++
		case l.Directive != "SKIP" || l.Data == "":
			t.Errorf("%+v", l)
		}
	}
	if n < least {
		t.Errorf("%d behaviours were observed, want %d", n, least)
	}
}

func skipWithout(t *testing.T, user bool) {
	t.Helper()
	if !contain.Rooted() {
		t.Skipf("the root: %v", contain.ErrNotRooted)
	}
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = contain.Attributes(user)
	if err := cmd.Run(); err != nil {
		t.Skipf("the kernel refuses new namespaces here: %v", err)
	}
}

// TestHere: copied to a machine and run by its root.
func TestHere(t *testing.T) {
	if !contain.Privileged() {
		t.Skip("needs CAP_SYS_ADMIN")
	}
	skipWithout(t, false)
	var out, errs bytes.Buffer
	cmd := exec.Command(program(t))
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Errorf("%v: %s", err, &errs)
	}
	found := leaves(t, out.String())
	observed(t, found, 250)
	if l := found["rootfs/pivot"]; l.Data != "needs a machine of its own: the initramfs as root" {
		t.Errorf("got %+v", l)
	}
}

// TestUser: what a user sees who is not root.
func TestUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to become a user")
	}
	skipWithout(t, true)
	var out, errs bytes.Buffer
	cmd := exec.Command(program(t))
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = &out, &errs
	const nobody = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		var exit *exec.ExitError
		if errors.As(err, &exit) && strings.Contains(out.String(), "refused a user namespace") {
			t.Skipf("a user gets no namespaces here: %s", out.String())
		}
		t.Errorf("%v: %s", err, &errs)
	}
	found := leaves(t, out.String())
	observed(t, found, 230)
	if l := found["eacces/new-root-prefix-not-searchable"]; l.Data != "needs root: the user namespace has no user 65534" {
		t.Errorf("got %+v", l)
	}
}

// TestRefused: without namespaces there is one test, and it is not ok.
func TestRefused(t *testing.T) {
	skipWithout(t, true)
	// The limit is that of the user namespace in which it is set, and of those below.
	cmd := exec.Command("unshare", "--user", "--map-root-user", "sh", "-c",
		`echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$0"`, program(t))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != verdict.ExitBroken {
		t.Errorf("got %v, want exit status %d", err, verdict.ExitBroken)
	}
	want := "KTAP version 1\n1..1\nnot ok 1 guest # ERROR the kernel refused new namespaces: no space left on device; run it as root outside of containers\n"
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestUsage(t *testing.T) {
	for _, arg := range []string{"--what", "report"} {
		out, err := exec.Command(program(t), arg).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitUsage || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: %v\n%s", arg, err, out)
		}
	}
	if out, err := exec.Command(program(t), "--help").Output(); err != nil || string(out) != usage {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestInit: as the init of an initramfs with nothing else in it, on kernels of both eras.
func TestInit(t *testing.T) {
	boots := newBoots(t, images.FromFile("init", 0o755, program(t)))
	for _, series := range []string{"6.19", "7.0"} {
		t.Run(series, func(t *testing.T) {
			found := leaves(t, boots.run(t, series))
			observed(t, found, 300)
			if l := found["rootfs/pid1-pivot"]; l.Directive != "" {
				t.Errorf("PID 1 has a machine of its own: %+v", l)
			}
		})
	}
}

// TestOnInitramfs: as any other program of a machine whose root is the initramfs, which up to 6.19
// cannot be pivoted from.
func TestOnInitramfs(t *testing.T) {
	init := filepath.Join(t.TempDir(), "init")
	build := exec.Command("go", "build", "-o", init, "./testdata/init")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	boots := newBoots(t, images.FromFile("init", 0o755, init), images.FromFile("pivotspec-guest", 0o755, program(t)))
	for _, series := range []string{"6.19", "7.0"} {
		t.Run(series, func(t *testing.T) {
			console := boots.run(t, series)
			found := leaves(t, console)
			observed(t, found, 250)
			if l := found["rootfs/pid1-pivot"]; l.Directive != "SKIP" {
				t.Errorf("a program that is not PID 1 was: %+v", l)
			}
			if !strings.Contains(console, "init: it ended with <nil>") {
				t.Error("it did not end well")
			}
		})
	}
}

// boots is what real boots of an initramfs need.
type boots struct {
	arch      *arch.Arch
	tcg       *arch.Accel
	catalogue *kernels.Catalogue
	store     *kernels.Store
	image     string
}

func newBoots(t *testing.T, entries ...images.Entry) *boots {
	t.Helper()
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("the kernels of `make test` are for amd64")
	}
	table, err := arch.Load()
	must(t, err)
	b := &boots{image: filepath.Join(t.TempDir(), "image")}
	b.arch, err = table.Arch("amd64")
	must(t, err)
	b.tcg, err = table.Accel("tcg")
	must(t, err)
	b.catalogue, err = kernels.Load()
	must(t, err)
	b.store, err = kernels.OpenStore("", b.catalogue)
	must(t, err)
	f, err := os.Create(b.image)
	must(t, err)
	defer f.Close()
	must(t, images.Build(f, entries))
	return b
}

// run boots a kernel and returns what its console showed.
func (b *boots) run(t *testing.T, series string) string {
	t.Helper()
	entry, err := b.catalogue.Lookup(series, b.arch.Name)
	must(t, err)
	got := b.store.Get(t.Context(), []kernels.Entry{entry}, nil)[0]
	must(t, got.Err)
	var console strings.Builder
	_, err = vm.Run(t.Context(), vm.Config{
		Arch: b.arch, Accel: b.tcg, Kernel: got.Kernel.Boot, Initramfs: b.image, Bare: true, Dir: t.TempDir(),
		Limits: arch.Limits{Silence: 2 * time.Minute, Total: 5 * time.Minute},
		OnLine: func(s string) { console.WriteString(s + "\n") },
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, &console)
	}
	return console.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("a real boot needs QEMU, Go and kernels: %v; `make test` installs and fetches them, -short goes without", err)
	}
}
