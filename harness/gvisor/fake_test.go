package gvisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/suites/contain"
	"pivotspec/suites/record"
)

// harnessVar makes the test program a harness that somebody will kill.
const harnessVar = "PIVOTSPEC_TEST_HARNESS"

// TestMain makes the test program its own fake runsc, told by an option that every run has, its own
// go command, and a harness.
func TestMain(m *testing.M) {
	switch {
	case slices.Contains(os.Args, "--ignore-cgroups"):
		fakeRunsc()
		return
	case len(os.Args) > 1 && os.Args[1] == "build":
		fakeGo()
		return
	case os.Getenv(harnessVar) != "":
		harness(os.Getenv(harnessVar))
		return
	}
	os.Exit(m.Run())
}

// fakes are what the fake runsc does, by the content of the guest program in its bundle.
var fakes = map[string]func(){
	"ok":      func() { send(plan, observed, end) },
	"fail":    func() { fmt.Println("runsc: cannot \x1b[31mstart\x07 the sandbox"); os.Exit(3) },
	"no-end":  func() { send(plan, observed) },
	"gap":     func() { send(plan, nil, end) },
	"died":    func() { send(plan); os.Exit(2) },
	"late":    func() { send(plan, observed, end); os.Exit(2) },
	"hang":    func() { send(plan); hang() },
	"pid":     func() { fmt.Println("pid", os.Getpid()); hang() },
	"nothing": func() {},
	"long":    func() { fmt.Println(strings.Repeat("x", 3<<20)); send(plan, observed, end) },
	"flood": func() {
		for {
			fmt.Println(strings.Repeat("flood ", 1000))
		}
	},
	"trickle": func() {
		for {
			fmt.Println("still here")
			time.Sleep(5 * time.Millisecond)
		}
	},
	"shows": func() {
		for _, f := range []string{"config.json", "rootfs/world", "rootfs/proc"} {
			_, err := os.Stat(filepath.Join(bundle(), f))
			fmt.Println(f, err)
		}
		b, _ := os.ReadFile(filepath.Join(bundle(), "config.json"))
		fmt.Println(string(b))
		send(plan, observed, end)
	},
}

var (
	plan     = &record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: []string{"a/b"}}
	observed = &record.Record{Type: record.TypeObservation, ID: "a/b", Status: record.Observed, Outcome: "EINVAL"}
	end      = &record.Record{Type: record.TypeEnd}
)

// send prints records as the guest does; nil is one that got lost.
func send(records ...*record.Record) {
	for i, r := range records {
		if r == nil {
			continue
		}
		b, err := record.AppendFrame(nil, i, r)
		if err != nil {
			panic(err)
		}
		os.Stdout.Write(b)
	}
}

func hang() {
	for {
		time.Sleep(time.Hour)
	}
}

func bundle() string {
	for _, a := range os.Args {
		if dir, ok := strings.CutPrefix(a, "--bundle="); ok {
			return dir
		}
	}
	return ""
}

func fakeRunsc() {
	b, err := os.ReadFile(filepath.Join(bundle(), "rootfs", "init"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fakes[string(b)]()
}

// limits are short for fakes that hang, and long for those that must not be taken for such.
var limits = arch.Limits{Silence: 20 * time.Second, Total: 40 * time.Second}

// fake returns a guest whose runsc does what the fake of that name does.
func fake(t testing.TB, dir, name string, l arch.Limits) backend.Guest {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "guest-"+name)
	if err := os.WriteFile(program, []byte(name), 0o755); err != nil {
		t.Fatal(err)
	}
	b := &Backend{Runsc: self}
	return b.Guest(backend.Program{Binary: program, Dir: filepath.Join(dir, "cache"), Limits: l})
}

// needRoot skips a test of what takes root: runsc gets a mount namespace of its own.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a mount namespace for runsc takes root")
	}
	if !contain.Rooted() {
		t.Skipf("the root: %v", contain.ErrNotRooted)
	}
}

func TestRun(t *testing.T) {
	needRoot(t)
	short := arch.Limits{Silence: 200 * time.Millisecond, Total: 20 * time.Second}
	for _, test := range []struct {
		name    string
		limits  arch.Limits
		records int
		err     string // a part of it; "" for none
	}{
		{"ok", limits, 3, ""},
		{"long", limits, 3, ""},
		{"late", limits, 4, ""},
		{"fail", limits, 0, "runsc failed (exit status 3): runsc: cannot [31mstart the sandbox"},
		{"no-end", limits, 2, "stopped too early: the guest's report stops after record 1"},
		{"gap", limits, 2, "record 1 of the guest's report never arrived"},
		{"died", limits, 1, "runsc failed (exit status 2): the guest's report stops"},
		{"nothing", limits, 0, "the guest sent no record"},
		{"hang", short, 1, "nothing from the guest for 200ms"},
		{"trickle", arch.Limits{Silence: 20 * time.Second, Total: 300 * time.Millisecond}, 0, "not done after 300ms"},
		{"flood", limits, 0, "printed more than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			rep, err := fake(t, dir, test.name, test.limits).Run(t.Context())
			if rep == nil {
				t.Fatal(err)
			}
			if len(rep.Records) != test.records || rep.Wall <= 0 {
				t.Errorf("%d records in %v", len(rep.Records), rep.Wall)
			}
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			if test.name == "late" && rep.Records[3].Type != record.TypeWarning {
				t.Errorf("what came after the last record is not told: %+v", rep.Records[3])
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "cache", "run-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestBundle: runsc finds what it needs, and the guest gets every capability.
func TestBundle(t *testing.T) {
	needRoot(t)
	rep, err := fake(t, t.TempDir(), "shows", limits).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(rep.Console, "\n")
	for _, want := range []string{"config.json <nil>", "rootfs/world <nil>", "rootfs/proc <nil>", "CAP_SYS_ADMIN", "CAP_MKNOD", `"/init"`} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in %s", want, said)
		}
	}
}

func TestInterrupted(t *testing.T) {
	needRoot(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err := fake(t, t.TempDir(), "hang", limits).Run(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if rep, err := fake(t, t.TempDir(), "ok", limits).Run(ctx); rep != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was never to begin: %+v, %v", rep, err)
	}
}

// harness runs a fake guest until it is killed, and says what it printed.
func harness(dir string) {
	g := fake(&testing.B{}, dir, "pid", limits)
	rep, err := g.Run(context.Background())
	fmt.Println(rep, err)
	os.Exit(1)
}

// TestKilled: runsc dies with the harness, however that dies, and the next run takes away its folder.
func TestKilled(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), harnessVar+"="+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	runs := func() []string {
		list, _ := filepath.Glob(filepath.Join(dir, "cache", "run-*"))
		return list
	}
	await(t, "runsc runs", func() bool { return len(runs()) == 1 && len(running(runs()[0])) > 0 })
	left := runs()[0]
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	await(t, "runsc is gone", func() bool { return len(running(left)) == 0 })
	if _, err := fake(t, dir, "ok", limits).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := runs(); len(list) > 0 {
		t.Errorf("left behind: %v", list)
	}
}

// running returns the processes that have a text in their command lines.
func running(text string) []string {
	var out []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		if b, err := os.ReadFile(filepath.Join(d, "cmdline")); err == nil && bytes.Contains(b, []byte(text)) {
			out = append(out, filepath.Base(d))
		}
	}
	return out
}

func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for start := time.Now(); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 30*time.Second {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// goVar says to the fake go command what to do.
const goVar = "PIVOTSPEC_TEST_GO"

func fakeGo() {
	switch os.Getenv(goVar) {
	case "offline":
		fmt.Fprintln(os.Stderr, "go: downloading gvisor.dev/gvisor v0.0.0")
		fmt.Fprintln(os.Stderr, "dial tcp: lookup proxy: no such host")
		os.Exit(1)
	case "hang":
		hang()
	}
	at := slices.Index(os.Args, "-o")
	if err := os.WriteFile(os.Args[at+1], []byte(strings.Join(os.Args, " ")), 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tree makes a source tree with a pin.
func tree(t *testing.T, mod string) string {
	t.Helper()
	dir := t.TempDir()
	at := filepath.Join(dir, pinFolder)
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": mod, "go.sum": "sum\n"} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const goodPin = "module x\n\nrequire (\n\tgvisor.dev/gvisor v0.0.0-1 // indirect\n)\n"

func TestBuild(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	doing := func(string) { said++ }
	source := tree(t, goodPin)
	// From a folder below, as the command does it.
	b := &Backend{Source: filepath.Join(source, "harness"), Dir: filepath.Join(t.TempDir(), "cache"), Go: self}
	k, err := b.Prepare(t.Context(), doing)
	if err != nil {
		t.Fatal(err)
	}
	if k.Package != Module || k.PackageVersion != "v0.0.0-1" || len(k.SHA256) != 64 || said != 1 {
		t.Errorf("%+v, said %d times", k, said)
	}
	b.Go = "/nothing/here" // not needed any more
	if again, err := b.Prepare(t.Context(), doing); err != nil || again != k || said != 1 {
		t.Errorf("%+v %v, said %d times", again, err, said)
	}
	if err := os.WriteFile(filepath.Join(source, pinFolder, "go.sum"), []byte("other\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Prepare(t.Context(), doing); err == nil || !strings.Contains(err.Error(), "no go command; install Go") {
		t.Errorf("another pin is another program: %v", err)
	}
	files, _ := os.ReadDir(b.Dir)
	if len(files) != 2 { // the program and the lock
		t.Errorf("in the cache: %v", files)
	}
}

func TestBuildFails(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &Backend{Source: tree(t, goodPin), Dir: t.TempDir(), Go: self}
	t.Setenv(goVar, "offline")
	_, err = b.Prepare(t.Context(), func(string) {})
	if m := (*backend.MissingError)(nil); !errors.As(err, &m) || !strings.Contains(err.Error(), "no such host; the first time needs the network") {
		t.Errorf("got %v", err)
	}
	t.Setenv(goVar, "hang")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	_, err = b.Prepare(ctx, func(string) { time.AfterFunc(100*time.Millisecond, func() { cancel(enough) }) })
	if !errors.Is(err, enough) {
		t.Errorf("interrupted: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(b.Dir, "runsc-*")); len(files) > 0 {
		t.Errorf("half a program: %v", files)
	}
	for name, mod := range map[string]string{"does not require": "module x\n", "which says what runsc is built from": ""} {
		b := &Backend{Source: t.TempDir(), Dir: t.TempDir(), Go: self}
		if mod != "" {
			b.Source = tree(t, mod)
		}
		if _, err := b.Prepare(t.Context(), func(string) {}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestPin: the pin of this tree is one.
func TestPin(t *testing.T) {
	p, err := findPin("")
	if err != nil || !strings.HasPrefix(p.version, "v0.0.0-") {
		t.Errorf("%+v %v", p, err)
	}
	k, err := (&Backend{}).Find(t.Context())
	var want error // of root
	if !contain.Rooted() {
		want = contain.ErrNotRooted
	}
	if os.Geteuid() == 0 && (!errors.Is(err, want) || k.PackageVersion != p.version) {
		t.Errorf("%+v %v", k, err)
	}
	if os.Geteuid() != 0 && (err == nil || !strings.Contains(err.Error(), "takes root")) {
		t.Errorf("got %v", err)
	}
}
