package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"pivotspec/harness/lab/labtest"
)

// shared is a buffer that is read while a program writes to it.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestWatch: a build tree in which there is nothing at first, then half a kernel, a whole one, another.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	env := fakeMachine(t, dir, nil)
	boot := filepath.Join(dir, "linux/arch/x86/boot")
	if err := os.MkdirAll(boot, 0o755); err != nil {
		t.Fatal(err)
	}
	build := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(boot, "bzImage"), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, stderr := watch1(t, dir, env, "run", "--accel", "tcg", "--guest", "guest", "--out", "out", "--watch", "./linux", "--output", "jsonl=last.jsonl")
	s.await("a word that there is nothing", func() bool { return strings.Contains(stderr.String(), "; waiting for it to change\n") })
	build(labtest.Kernel("7.0.1-test")[:2000])
	s.await("a word that it is cut short", func() bool { return strings.Contains(stderr.String(), "cut short") })
	build(labtest.Kernel("7.0.1-test"))
	s.await("the first run", func() bool { return strings.Count(stderr.String(), "to change; ^C ends\n") == 1 })
	s.check("7.0.1-test-amd64 complete ")
	build(labtest.Kernel("7.0.2-test"))
	s.await("the second run", func() bool { return strings.Count(stderr.String(), "to change; ^C ends\n") == 2 })
	s.check("7.0.1-test-amd64 complete ", "7.0.2-test-amd64 complete ")
	if b, err := os.ReadFile(filepath.Join(dir, "last.jsonl")); err != nil || !strings.Contains(string(b), "7.0.2-test") {
		t.Errorf("the report beside: %v\n%.300s", err, b)
	}
	s.signal(syscall.SIGINT)
	// Fake guests leave every behaviour missing.
	if got := s.end(); got != exitHarness {
		t.Errorf("exit status %d", got)
	}
	if out := s.stdout.String(); strings.Count(out, "1 of 1 cell complete") != 1 || !strings.Contains(out, "7.0.1-test-amd64") || !strings.Contains(out, "7.0.2-test-amd64") {
		t.Errorf("want one whole report, and what is otherwise in the second:\n%s", out)
	}
	if want := "./linux has changed: 7.0.2-test, "; !strings.Contains(stderr.String(), want) {
		t.Errorf("stderr has no %q:\n%s", want, stderr)
	}
}

// watch1 begins a session whose standard error can be read while it runs.
func watch1(t *testing.T, dir string, env []string, args ...string) (*session, *shared) {
	t.Helper()
	stderr := new(shared)
	return beginTo(t, dir, env, stderr, "pivotspec", args...), stderr
}

// TestWatchReal: 6.19 becomes 7.0, and what changes is what everybody knows.
func TestWatchReal(t *testing.T) {
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	dir := t.TempDir()
	build := func(series string) {
		t.Helper()
		b, err := os.ReadFile(realImage(t, series))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "new"), b, 0o644)
		}
		if err == nil {
			err = os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "bzImage"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	build("6.19")
	recorded, err := filepath.Abs("../../../results/baseline/amd64")
	if err != nil {
		t.Fatal(err)
	}
	s, stderr := watch1(t, dir, nil, "run", "--out", "out", "--watch", "./bzImage", "--baseline", recorded)
	s.await("the first run", func() bool { return strings.Count(stderr.String(), "to change; ^C ends\n") == 1 })
	build("7.0")
	s.await("the second run", func() bool { return strings.Count(stderr.String(), "to change; ^C ends\n") == 2 })
	s.signal(syscall.SIGINT)
	// 1 if the suite and the ledger do not agree on 7.0: for others to tell.
	if got := s.end(); got != 0 && got != 1 {
		t.Errorf("exit status %d", got)
	}
	_, changes, _ := strings.Cut(s.stdout.String(), "cell complete")
	for _, id := range []string{"rootfs/pid1-pivot", "order/capability-or-new-root-missing"} {
		if !strings.Contains(changes, id) {
			t.Errorf("the changes from 6.19 to 7.0 do not have %s:\n%s", id, changes)
		}
	}
	// What is not printed again is told in a line.
	if n := strings.Count(stderr.String(), "compared with the baseline: "); n != 2 {
		t.Errorf("stderr speaks of the baseline %d times, want 2:\n%s", n, stderr)
	}
}
