package sandbox_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// TestReach: what the words for places that no name leads to do, seen by what can be seen there.
func TestReach(t *testing.T) {
	sysctl := func(name string) string { b, _ := os.ReadFile("/proc/sys/fs/" + name); return string(b) }
	for _, tt := range []struct {
		name string
		body func(*sandbox.World)
		// facts are those that the body reports.
		facts map[string]string
		// may be unsupported by the machine's kernel, for this reason.
		unless string
	}{
		{"another task's directory", func(w *sandbox.World) {
			w.Jail()
			p := w.Fork("child", 0, func(s *sandbox.Script) { s.Chroot("/new"); s.Chdir("/old") })
			fd := w.OpenTask(p.PID, "root", "child")
			w.Fact("root", w.LabelAt(fd, "."))
			w.Fact("cwd", w.LabelAt(w.OpenTask(p.PID, "", "child"), "cwd"))
			w.InProc(func() { w.Fact("descriptor", w.Label(sandbox.DescriptorPath(fd))) })
			w.Fact("after", w.Where(w.Self(), sandbox.Cwd))
		}, map[string]string{"root": "new_root", "cwd": "put_old", "descriptor": "new_root", "after": "old_root"}, ""},
		{"cwd that may not be searched", func(w *sandbox.World) {
			w.Jail()
			w.Chdir("/new")
			w.Chmod("/new", 0)
			w.AsUser(65534, func() {
				w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
				w.Fact("dot", w.Label("."))
			})
		}, map[string]string{"cwd": "new_root", "dot": "EACCES"}, ""},
		{"detached copy", func(w *sandbox.World) {
			w.Jail()
			fd := w.OpenTree("/new")
			w.Fact("before", w.LabelAt(fd, "."))
			w.Attach(fd, "/new/old")
			_, mounted := w.FindMount(w.Self(), "/new/old")
			w.Fact("mounted", map[bool]string{true: "yes", false: "no"}[mounted])
		}, map[string]string{"before": "elsewhere", "mounted": "yes"}, "open_tree"},
		{"detached tmpfs", func(w *sandbox.World) {
			w.Jail()
			w.Attach(w.DetachedTmpfs(), "/new/old")
			w.Fact("type", w.MountAt(w.Self(), "/new/old").Type)
		}, map[string]string{"type": "tmpfs"}, "fsopen"},
		{"empty namespace", func(w *sandbox.World) {
			w.EmptyNamespace()
			_, err := w.Place("/none")
			w.Fact("none", sandbox.ErrnoName(err))
		}, map[string]string{"none": "ENOENT"}, "empty mount namespaces"},
		{"symbolic links", func(w *sandbox.World) {
			w.Jail()
			w.Symlink("old", "/new/link")
			w.FollowSymlinks("/new", false)
			w.Fact("not followed", w.Label("/new/link"))
			w.FollowSymlinks("/new", true)
			w.Fact("followed", w.Label("/new/link"))
		}, map[string]string{"not followed": "ELOOP", "followed": "put_old"}, "nosymfollow"},
		{"sysctl", func(w *sandbox.World) {
			w.ProtectSymlinks()
			w.Fact("during", strings.TrimSpace(sysctl("protected_symlinks")))
		}, map[string]string{"during": "1"}, ""},
		{"Landlock", func(w *sandbox.World) {
			restrict := w.Landlock()
			w.Jail()
			w.Fork("child", 0, func(s *sandbox.Script) { restrict(s) })
		}, map[string]string{}, "landlock_create_ruleset"},
		{"namespace", func(w *sandbox.World) {
			w.Jail()
			p := w.Peer()
			w.MarkTask("its root", p.PID, sandbox.Root)
			fd := w.OpenNamespace(p.PID, "peer")
			q := w.Fork("guest", 0, func(s *sandbox.Script) { s.EnterNamespace(fd, "peer") })
			w.Fact("root", w.Where(q.PID, sandbox.Root))
		}, map[string]string{"root": "elsewhere"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := sysctl("protected_symlinks")
			r := open(t, sandbox.Honest{}).Run("test/reach", func(w *sandbox.World) {
				tt.body(w)
				w.Observe(sandbox.Call{Outcome: record.OK})
			})
			if r.Status == record.Unsupported && tt.unless != "" && strings.Contains(r.Why, tt.unless) {
				t.Skip(r.Why)
			}
			if r.Status != record.Observed {
				t.Fatalf("%+v", r)
			}
			for f, want := range tt.facts {
				if r.Facts[f] != want {
					t.Errorf("%s is %q, want %q", f, r.Facts[f], want)
				}
			}
			if after := sysctl("protected_symlinks"); after != before {
				t.Errorf("fs.protected_symlinks was %q and is %q", before, after)
			}
		})
	}
}

// TestRequired: a step that has to fail ends the spec when it does not.
func TestRequired(t *testing.T) {
	env := open(t, sandbox.Honest{})
	for _, tt := range []struct {
		name, mount string
		flags       int
		status      record.Status
		why         string
	}{
		{"inherited by a user namespace", "/new", unix.CLONE_NEWUSER | unix.CLONE_NEWNS, record.Observed, ""},
		{"of the namespace's own", "/new", unix.CLONE_NEWNS, record.Broken, "set-up: child: umount --lazy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := env.Run("test/required", func(w *sandbox.World) {
				w.RequireUserNamespaces()
				w.Tmpfs(w.Base())
				w.Mkdir(w.Base() + tt.mount)
				w.Tmpfs(w.Base() + tt.mount)
				p := w.Fork("child", tt.flags, func(s *sandbox.Script) {
					s.Pause()
					s.RequireLocked(w.Base() + tt.mount)
				})
				p.MapRoot()
				p.Resume()
				w.Observe(sandbox.Call{Outcome: record.OK})
			})
			if r.Status != tt.status || !strings.Contains(r.Why, tt.why) {
				t.Errorf("%s (%s), want %s (%s)", r.Status, r.Why, tt.status, tt.why)
			}
		})
	}
}
