package sandbox

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// TestLacking runs the probes on a kernel that lacks nothing, and against answers of one that does.
func TestLacking(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a world needs root: a mount namespace of its own, mounts, chroot")
	}
	env, err := Open(Honest{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(env.Proc)
	if r := env.Run("probe/probe", func(w *World) { w.JailWithout(); w.Unsupported("") }); r.Status == record.Broken {
		t.Skipf("no world can be made here, as root: %s", r.Why)
	}
	for _, tt := range []struct {
		name   string
		body   func(*World)
		status record.Status
		why    string
	}{
		{"a file below /proc", func(w *World) { w.lacksProc("x", unix.ENOENT) }, record.Unsupported, "/proc/x: ENOENT"},
		{"a file that may not be read", func(w *World) { w.lacksProc("x", unix.EACCES); w.Broken("goes on") }, record.Broken, "goes on"},
		{"a type of filesystem", func(w *World) { w.Mkdir("/x"); w.Filesystem("nothing", "/x") }, record.Unsupported, "filesystems of type nothing: ENODEV"},
		{"no mount point for a filesystem", func(w *World) { w.Filesystem("tmpfs", "/x") }, record.Broken, "ENOENT"},
		{"unbindable mounts", func(w *World) { w.lacksUnbindable("/", unix.EINVAL) }, record.Unsupported, "unbindable mounts: EINVAL"},
		{"no mount to be made unbindable", func(w *World) { w.Mkdir("/x"); w.Propagation("/x", Unbindable) }, record.Broken, "make-unbindable /x: EINVAL"},
		{"a way to the cover", func(w *World) { w.RequireWayToCover() }, record.Unsupported, "/.. leads to the root itself"},
		{"a way that is there", func(w *World) { w.Tmpfs("/"); w.RequireWayToCover(); w.Broken("goes on") }, record.Broken, "goes on"},
		{"an empty namespace", func(w *World) {
			p, err := statx(unix.AT_FDCWD, "/")
			w.quiet("look", err)
			w.requireEmptied(p)
		}, record.Unsupported, "unshare(2) copied this one"},
		{"a namespace that is another", func(w *World) {
			p, err := statx(unix.AT_FDCWD, "/new")
			w.quiet("look", err)
			w.requireEmptied(p)
			w.Broken("goes on")
		}, record.Broken, "goes on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := env.Run("probe/probe", func(w *World) { w.Jail(); tt.body(w) })
			if r.Status != tt.status || !strings.Contains(r.Why, tt.why) {
				t.Errorf("%s %q, want %s %q", r.Status, r.Why, tt.status, tt.why)
			}
		})
	}
}

// TestSetEffective: without setfsuid(2) a caller is kept out as well, may pivot, and becomes root again.
func TestSetEffective(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a world needs root: a mount namespace of its own, mounts, chroot")
	}
	env, err := Open(Honest{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(env.Proc)
	if r := env.Run("probe/probe", func(w *World) { w.JailWithout(); w.Unsupported("") }); r.Status == record.Broken {
		t.Skipf("no world can be made here, as root: %s", r.Why)
	}
	const nobody = 65534
	r := env.Run("probe/probe", func(w *World) {
		w.Jail()
		w.Mkdir("/closed")
		w.Mkdir("/closed/x")
		w.Chmod("/closed", 0)
		w.Without("the overrides", []int{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH}, func() {
			w.setEffective(nobody)
			w.Observe(w.PivotRoot("/new", "/closed/x"))
			w.Control(w.PivotRoot("/new", "/new/old"))
			w.setEffective(0)
		})
		w.Tmpfs("/old/closed") // root again, with every capability
	})
	if r.Status != record.Observed || r.Outcome != "EACCES" || r.Facts["control"] != record.OK {
		t.Errorf("%+v", r)
	}
}
