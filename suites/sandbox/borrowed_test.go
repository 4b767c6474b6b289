package sandbox_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// TestBorrowed: on a machine that is not ours, what it would notice is refused before it is done.
func TestBorrowed(t *testing.T) {
	env := open(t, sandbox.Honest{})
	env.Borrowed = true
	sysctl := func(name string) string {
		b, err := os.ReadFile("/proc/sys/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	for _, tt := range []struct {
		name, why string
		body      func(*sandbox.World)
	}{
		{"core pattern", "would change the machine: kernel.core_pattern", func(w *sandbox.World) {
			w.Fork("child", 0, func(s *sandbox.Script) { s.DieOfAbort() }).Dump()
		}},
		{"sysctl", "would change the machine: fs.mount-max", func(w *sandbox.World) { w.LimitMounts("/") }},
		{"loop device", "would change the machine: a loop device", func(w *sandbox.World) { w.Disk("/none", true) }},
		{"machine of its own", "needs a machine of its own: luck", func(w *sandbox.World) { w.OwnMachine("luck") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := sysctl("kernel/core_pattern") + sysctl("fs/mount-max")
			r := env.Run("test/borrowed", tt.body)
			if r.Status != record.Unsupported || r.Beyond != record.BeyondMachine || r.Why != tt.why {
				t.Errorf("got %s %s %q, want %q", r.Status, r.Beyond, r.Why, tt.why)
			}
			if after := sysctl("kernel/core_pattern") + sysctl("fs/mount-max"); after != before {
				t.Errorf("the machine was changed: %q is %q", before, after)
			}
		})
	}
	// A sysctl that is as it has to be already is no change.
	t.Run("protected symlinks", func(t *testing.T) {
		r := env.Run("test/borrowed", func(w *sandbox.World) { w.ProtectSymlinks(); w.Observe(observed) })
		want := record.Observed
		if sysctl("fs/protected_symlinks") != "1" {
			want = record.Unsupported
		}
		if r.Status != want {
			t.Errorf("got %s %q, want %s", r.Status, r.Why, want)
		}
	})
}

// TestLimited: what is refused for lack of a privilege is beyond the suite there, and broken
// where it has all of them.
func TestLimited(t *testing.T) {
	env := open(t, sandbox.Honest{})
	refused := func(w *sandbox.World) {
		w.Without("CAP_SYS_ADMIN", []int{unix.CAP_SYS_ADMIN}, func() { w.Tmpfs("/") })
	}
	if r := env.Run("test/limited", refused); r.Status != record.Broken || r.Beyond != "" {
		t.Errorf("with privilege: got %s %s %q", r.Status, r.Beyond, r.Why)
	}
	env.Limited = true
	r := env.Run("test/limited", refused)
	if r.Status != record.Unsupported || r.Beyond != record.BeyondPrivilege || !strings.HasPrefix(r.Why, "needs root: mount -t tmpfs tmpfs /: EPERM") {
		t.Errorf("without: got %s %s %q", r.Status, r.Beyond, r.Why)
	}
	// Other failures of the set-up stay what they are.
	if r := env.Run("test/limited", func(w *sandbox.World) { w.Mkdir("/none/such") }); r.Status != record.Broken {
		t.Errorf("got %s %q, want broken", r.Status, r.Why)
	}
	// Here every user is mapped.
	if r := env.Run("test/limited", func(w *sandbox.World) { w.RequireUser(65534); w.Observe(observed) }); r.Status != record.Observed {
		t.Errorf("got %s %q, want observed", r.Status, r.Why)
	}
}
