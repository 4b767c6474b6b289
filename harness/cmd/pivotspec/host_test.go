package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pivotspec/suites/contain"
)

// TestHostEnds: however pivotspec ends, nothing that it started on this machine stays.
func TestHostEnds(t *testing.T) {
	if !contain.Rooted() {
		t.Skipf("the root: %v", contain.ErrNotRooted)
	}
	probe := exec.Command("/bin/true")
	probe.SysProcAttr = contain.Attributes(!contain.Privileged())
	if err := probe.Run(); err != nil {
		t.Skipf("the kernel gives no new namespaces here: %v", err)
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "slow"), "./testdata/slowguest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := t.TempDir()
			s := begin(t, dir, nil, "run", "host", "--guest", filepath.Join(bin, "slow"), "--out", "out", "--cache", "cache")
			s.await("the guest's child", func() bool { return len(s.processes("child\x00")) > 0 })
			s.signal(sig)
			got := s.end() // which looks for what is left behind
			if sig == syscall.SIGKILL {
				return
			}
			if got != exitHarness {
				t.Errorf("exit status %d, want %d", got, exitHarness)
			}
			s.check("host-* broken interrupted")
			if !strings.Contains(s.stderr.String(), "pivotspec: interrupted;") {
				t.Error("nothing is said of the interruption")
			}
		})
	}
}
