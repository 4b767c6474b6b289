package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/harness/host"
	"pivotspec/images"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/contain"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// What this program is instead of the tests, told by variables.
const (
	bystanderVar = "PIVOTSPEC_TEST_BYSTANDER" // a task that stands somewhere; see bystander
	sharedVar    = "PIVOTSPEC_TEST_SHARED"    // the tests again, where every mount is shared
	fakeVar      = "PIVOTSPEC_TEST_GUEST"     // a guest program; see fakeGuest
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == contain.Arg:
		fakeGuest(os.Getenv(fakeVar))
	case os.Getenv(bystanderVar) != "":
		bystander(os.Getenv(bystanderVar))
	}
	if os.Getenv(sharedVar) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
			fmt.Fprintln(os.Stderr, "make every mount shared:", err)
			os.Exit(1)
		}
	}
	status := m.Run()
	if guestDir != "" {
		os.RemoveAll(guestDir)
	}
	os.Exit(status)
}

// guestDir is the folder of the guest program, once it is built.
var guestDir string

// guest builds the guest program from the tree, once.
var guest = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pivotspec-host-test-")
	if err != nil {
		return "", err
	}
	guestDir = dir
	b := &images.Builder{Dir: dir}
	img, err := b.Guest(context.Background(), images.Target{Name: "host", Env: []string{"GOARCH=" + runtime.GOARCH}})
	if err != nil {
		return "", err
	}
	// Whoever is not root may execute it too.
	return img.Binary, os.Chmod(dir, 0o755)
})

func build(t *testing.T) string {
	t.Helper()
	if path := os.Getenv(sharedVar); path != "" {
		return path
	}
	path, err := guest()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// namespaces skips a test where the kernel gives the caller no namespaces.
func namespaces(t *testing.T, flags uintptr) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^$")
	cmd.SysProcAttr = contain.Attributes(flags&unix.CLONE_NEWUSER != 0)
	if err := cmd.Start(); err != nil {
		t.Skipf("the kernel refuses new namespaces here: %v", err)
	}
	_ = cmd.Wait()
}

// bystander stands still until it is killed: in a root and cwd of its own, as told.
func bystander(where string) {
	runtime.LockOSThread()
	die := func(what string, err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "bystander:", what, err)
			os.Exit(1)
		}
	}
	how, dir, _ := strings.Cut(where, ":")
	switch how {
	case "cwd":
		die("chdir", unix.Chdir(dir))
	case "chroot":
		die("chroot", unix.Chroot(dir))
		die("chdir", unix.Chdir("/"))
	case "namespace":
		die("chdir", unix.Chdir("/"))
		die("unshare", unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS))
	case "slash":
		die("chdir", unix.Chdir("/"))
	}
	fmt.Println("ready")
	for {
		_ = unix.Pause()
	}
}

// crowd starts bystanders and returns their process IDs.
func crowd(t *testing.T) (pids []int) {
	t.Helper()
	dir := t.TempDir()
	for _, where := range []string{"slash", "cwd:" + dir, "chroot:" + dir, "namespace"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), bystanderVar+"="+where)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
			t.Fatalf("bystander %s: %q, %v", where, line, err)
		}
		pids = append(pids, cmd.Process.Pid)
	}
	return pids
}

// TestMachineStays: the suite runs, sees what the ledger knows, and the machine is as it was.
func TestMachineStays(t *testing.T) {
	if os.Getuid() != 0 || !contain.Privileged() {
		t.Skip("needs root with CAP_SYS_ADMIN")
	}
	if !contain.Rooted() {
		t.Skipf("the root: %v", contain.ErrNotRooted)
	}
	binary := build(t)
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user namespace %v", user), func(t *testing.T) {
			flags := uintptr(0)
			if user {
				flags = unix.CLONE_NEWUSER
			}
			namespaces(t, flags)
			ours := append(crowd(t), os.Getpid())
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)

			var diffs []string
			// The mounts and devices of a machine that others use too may change meanwhile. What
			// this run does to them it does each time.
			for range 3 {
				first := look()
				before := look()
				rest := restless(first, before)
				g := &host.Guest{Program: backend.Program{Binary: binary, Limits: arch.Limits{Total: 2 * time.Minute}}, User: user}
				rep, err := g.Run(t.Context())
				if err != nil {
					t.Fatalf("%v; it said %q", err, rep.Console)
				}
				diffs = compare(before, look(), rest, ours)
				judge(t, rep, user)
				lasting := slices.ContainsFunc(diffs, func(d string) bool {
					return !strings.HasPrefix(d, "/proc/self/mountinfo") && !strings.HasPrefix(d, "/dev was")
				})
				if len(diffs) == 0 || lasting {
					break
				}
			}
			for _, d := range diffs {
				t.Error(d)
			}
			if left, _ := os.ReadDir(tmp); len(left) > 0 {
				t.Errorf("files are left behind: %v", left)
			}
			if left := running(binary); len(left) > 0 {
				t.Errorf("processes are left behind: %v", left)
			}
		})
	}
}

// TestSharedMachine is TestMachineStays where every mount is shared, as systemd has them, so that
// a mount made without care would reach the machine.
func TestSharedMachine(t *testing.T) {
	if os.Getenv(sharedVar) != "" {
		t.Skip("this is it")
	}
	if os.Getuid() != 0 || !contain.Privileged() {
		t.Skip("needs root with CAP_SYS_ADMIN")
	}
	if !contain.Rooted() {
		t.Skipf("the root: %v", contain.ErrNotRooted)
	}
	namespaces(t, 0)
	cmd := exec.Command("/proc/self/exe", "-test.run=TestMachineStays", "-test.v")
	cmd.Env = append(os.Environ(), sharedVar+"="+build(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestMachineStays/user_namespace_false") {
		t.Errorf("%v\n%s", err, out)
	}
}

// judge has the report judged by the ledger: nothing may be unexpected, broken or missing.
func judge(t *testing.T, rep *backend.Report, user bool) {
	t.Helper()
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	c := &cell.Cell{Name: "host", Arch: "amd64", Backend: host.Name, Status: cell.Complete, Records: rep.Records}
	j, err := verdict.Judge(base, []*cell.Cell{c}, "")
	if err != nil {
		t.Fatal(err)
	}
	n := map[verdict.Verdict]int{}
	for _, r := range j.Cells[0].Results {
		n[r.Verdict]++
		switch r.Verdict {
		case verdict.Unexpected, verdict.Broken, verdict.Missing:
			t.Errorf("%s: %s: %v", r.Behaviour, r.Verdict, r.Wrong)
		}
	}
	if seen := n[verdict.Conforms] + n[verdict.Deviation] + n[verdict.Silent]; seen < 200 {
		t.Errorf("only %d behaviours were observed: %v", seen, n)
	}
	for _, r := range rep.Records {
		if r.Beyond == record.BeyondPrivilege && !user {
			t.Errorf("%s: root lacks a privilege: %s", r.ID, r.Why)
		}
	}
}

// running returns the processes that run a program.
func running(binary string) (pids []string) {
	exes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, e := range exes {
		if path, _ := os.Readlink(e); path == binary {
			pids = append(pids, filepath.Base(filepath.Dir(e)))
		}
	}
	return pids
}

// fakeGuest is a guest program that does as it is told, in real namespaces.
func fakeGuest(how string) {
	send := func(seq int, r *record.Record) {
		b, err := record.AppendFrame(nil, seq, r)
		if err != nil {
			panic(err)
		}
		os.Stdout.Write(b)
	}
	plan := &record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: []string{}}
	switch how {
	case "whole":
		send(0, plan)
		send(1, &record.Record{Type: record.TypeEnd})
	case "refused":
		fmt.Fprintln(os.Stderr, "first line")
		fmt.Fprintln(os.Stderr, "mount --make-rprivate /:\x1b[31m invalid argument")
		os.Exit(contain.ExitRefused)
	case "early":
		send(0, plan)
		fmt.Fprintln(os.Stderr, "oh no")
		os.Exit(2)
	case "silent":
	case "flood":
		send(0, plan)
		for range 64 {
			os.Stdout.WriteString(strings.Repeat("x", 64<<10))
		}
		send(1, &record.Record{Type: record.TypeEnd})
	case "leash":
		// Ends with its starter, even where no signal does that.
		io.Copy(io.Discard, os.Stdin)
	case "hang":
		send(0, plan)
		// A child that outlives its parent holds the pipe.
		child := exec.Command("/proc/self/exe")
		child.Env = append(os.Environ(), bystanderVar+"=stay")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		for {
			_ = unix.Pause()
		}
	}
	os.Exit(0)
}

// TestRun: whatever the program does, the report says it in one line, and nothing stays.
func TestRun(t *testing.T) {
	namespaces(t, 0)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		how     string
		binary  string
		limit   time.Duration
		cancel  bool
		records int
		wall    bool   // something was started
		err     string // part of the error's short form, "" for none
		missing bool
	}{
		{how: "whole", records: 2, wall: true},
		{how: "refused", err: "the suite could not be kept apart from this machine: mount --make-rprivate /:[31m invalid argument; run it as root outside of containers", missing: true},
		{how: "early", records: 1, wall: true, err: "the guest failed (exit status 2): the guest's report stops after record 0"},
		{how: "silent", wall: true, err: "the guest stopped too early: the guest sent no record"},
		{how: "flood", records: 1, wall: true, err: "the guest stopped too early: the guest's report stops after record 0"},
		{how: "hang", limit: 500 * time.Millisecond, records: 1, wall: true, err: "not done after 500ms, the limit"},
		{how: "hang", cancel: true, records: 1, wall: true, err: "interrupted"},
		{how: "no such program", binary: "/does/not/exist", err: "the guest program cannot be used: no such file or directory"},
	} {
		t.Run(c.how, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel {
				time.AfterFunc(300*time.Millisecond, cancel)
			}
			if c.binary == "" {
				c.binary = self
			}
			g := &host.Guest{Program: backend.Program{Binary: c.binary, Env: []string{fakeVar + "=" + c.how}, Limits: arch.Limits{Total: c.limit}}}
			rep, err := g.Run(ctx)
			var short interface{ Short() string }
			switch {
			case c.err == "" && err != nil:
				t.Errorf("got %v", err)
			case c.err != "" && (!errors.As(err, &short) || !strings.Contains(short.Short(), c.err)):
				t.Errorf("got %v, want %q", err, c.err)
			}
			if errors.As(err, new(*backend.MissingError)) != c.missing {
				t.Errorf("got a %T, missing: want %v", err, c.missing)
			}
			if c.cancel && !errors.Is(err, context.Canceled) {
				t.Errorf("%v does not wrap the end of the context", err)
			}
			if rep == nil || len(rep.Records) != c.records || (rep.Wall > 0) != c.wall {
				t.Errorf("got %+v", rep)
			}
		})
	}
	t.Run("interrupted before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		rep, err := (&host.Guest{Program: backend.Program{Binary: "/does/not/exist"}}).Run(ctx)
		if !errors.Is(err, context.Canceled) || rep == nil || rep.Wall != 0 {
			t.Errorf("got %+v, %v", rep, err)
		}
	})
}

// TestHarnessDies: when the harness is killed, what it started in the namespaces dies too.
func TestHarnessDies(t *testing.T) {
	if how := os.Getenv("PIVOTSPEC_TEST_HARNESS"); how != "" {
		self, _ := os.Executable()
		_, err := (&host.Guest{Program: backend.Program{Binary: self, Env: []string{fakeVar + "=hang"}}}).Run(context.Background())
		t.Fatalf("the guest ended: %v", err)
	}
	namespaces(t, 0)
	mark := fmt.Sprintf("PIVOTSPEC_TEST_HARNESS=%d", os.Getpid())
	cmd := exec.Command("/proc/self/exe", "-test.run=TestHarnessDies")
	cmd.Env = append(os.Environ(), mark)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await := func(what string, want func(n int) bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !want(len(marked(mark))); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %v", what, marked(mark))
			}
		}
	}
	await("harness, guest and its child do not all live", func(n int) bool { return n >= 3 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	await("processes are left behind", func(n int) bool { return n == 0 })
}

// marked returns the living processes with a variable in their environment.
func marked(mark string) (pids []string) {
	envs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, e := range envs {
		if b, _ := os.ReadFile(e); slices.Contains(strings.Split(string(b), "\x00"), mark) {
			pids = append(pids, filepath.Base(filepath.Dir(e)))
		}
	}
	return pids
}
