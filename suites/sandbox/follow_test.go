package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// TestFollow: a step that rests on the call under test ends the spec as observed when it fails,
// and one that comes before that call is a mistake of the spec.
func TestFollow(t *testing.T) {
	env := open(t, sandbox.Honest{})
	for _, tt := range []struct {
		name   string
		body   func(*sandbox.World)
		status record.Status
		why    string // part
		facts  map[string]string
		step   string // the last
	}{
		{"before the call", func(w *sandbox.World) { w.FollowTo("/") }, record.Broken, `follows up on "cd /" before`, nil, ""},
		{"all well", func(w *sandbox.World) {
			w.Observe(observed)
			w.FollowTo("/")
			w.Fact("then", "here")
		}, record.Observed, "", map[string]string{"effect": "none", "then": "here"}, "cd /"},
		{"failed", func(w *sandbox.World) {
			w.Observe(observed)
			w.FollowTo("/none/such")
			w.Fact("then", "here")
		}, record.Observed, "", map[string]string{"effect": "none"}, "cd /none/such = ENOENT"},
		{"descriptor", func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/sub")
			fd := w.Open("/sub")
			w.Mark("sub", "/sub")
			w.Observe(observed)
			w.FollowToOpen(fd, "sub")
			w.Fact("then", w.Where(w.Self(), sandbox.Cwd))
		}, record.Observed, "", map[string]string{"effect": "none", "then": "sub"}, "cd (descriptor of sub)"},
		{"no descriptor", func(w *sandbox.World) {
			w.Observe(observed)
			w.FollowToOpen(-1, "sub")
		}, record.Observed, "", map[string]string{"effect": "none"}, "cd (descriptor of sub) = EBADF"},
		{"slave", func(w *sandbox.World) {
			w.JailWithout()
			w.Propagation("/", sandbox.Shared)
			w.Observe(observed)
			w.FollowSlave("/")
			w.Fact("then", w.MountAt(w.Self(), "/").Propagation)
		}, record.Observed, "", map[string]string{"effect": "none", "then": ""}, "mount --make-rslave /"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := env.Run("test/follow", tt.body)
			if r.Status != tt.status || !strings.Contains(r.Why, tt.why) || len(r.Facts) != len(tt.facts) {
				t.Fatalf("got %+v, want %s (%s) with %v", r, tt.status, tt.why, tt.facts)
			}
			for f, v := range tt.facts {
				if r.Facts[f] != v {
					t.Errorf("%s is %q, want %q", f, r.Facts[f], v)
				}
			}
			if tt.step != "" && r.Steps[len(r.Steps)-1] != tt.step {
				t.Errorf("steps are %q, want %q last", r.Steps, tt.step)
			}
		})
	}
}

// TestUserNamespace: the clone is real, passes through the kernel, and leaves no child behind.
func TestUserNamespace(t *testing.T) {
	k := &witness{}
	r := open(t, k).Run("test/user-namespace", func(w *sandbox.World) {
		w.JailWithout()
		k.heard = nil
		// A chroot into a mount that is not the namespace's root: the kernel refuses.
		w.Fact("in-jail", w.TryUserNamespace().Outcome)
		w.Observe(observed)
	})
	if r.Status != record.Observed || r.Facts["in-jail"] != "EPERM" || !slices.Equal(k.heard, []string{"call clone"}) {
		t.Errorf("%+v, heard %q", r, k.heard)
	}
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid > 0 {
		t.Errorf("child %d was left (%v)", pid, err)
	}
}

// TestFilesystems: mounts get the kind, the flags and the propagation that they are asked for.
func TestFilesystems(t *testing.T) {
	r := open(t, sandbox.Honest{}).Run("test/filesystems", func(w *sandbox.World) {
		w.Jail()
		w.Mkdir("/ram")
		w.Filesystem("ramfs", "/ram")
		w.Fact("type", w.MountAt(w.Self(), "/ram").Type)
		w.MountFlags("/new", unix.MS_RDONLY, "ro")
		w.Fact("mount", sandbox.ErrnoName(unix.Mkdir("/new/a", 0o755)))
		w.MountFlags("/new", 0, "rw")
		w.ReadOnlyFilesystem("/new")
		w.Fact("filesystem", sandbox.ErrnoName(unix.Mkdir("/new/a", 0o755)))
		w.Mkdir("/master")
		w.SlaveAndShared("/ram", "/master")
		p := w.MountAt(w.Self(), "/ram").Propagation
		w.Fact("both", map[bool]string{true: "yes"}[strings.Contains(p, "shared:") && strings.Contains(p, "master:")])
		w.Propagation("/ram", sandbox.Slave)
		w.Fact("slave", map[bool]string{true: "yes"}[strings.HasPrefix(w.MountAt(w.Self(), "/ram").Propagation, "master:")])
		w.PropagationBelow("/", sandbox.Shared)
		w.Fact("below", map[bool]string{true: "yes"}[strings.HasPrefix(w.MountAt(w.Self(), "/new").Propagation, "shared:")])
		w.Mkdir("/proc")
		w.Filesystem("proc", "/proc")
		w.Mark("descriptor", "/proc/"+sandbox.DescriptorPath(w.Open("/master")))
		w.Fact("descriptor", w.Label("/master"))
		w.Observe(observed)
	})
	want := map[string]string{
		"type": "ramfs", "mount": "EROFS", "filesystem": "EROFS", "both": "yes", "slave": "yes", "below": "yes", "descriptor": "descriptor",
	}
	for f, v := range want {
		if r.Facts[f] != v {
			t.Errorf("%s is %q, want %q; %s", f, r.Facts[f], v, r.Why)
		}
	}
}

// TestNamespaces: a world moves into a mount namespace of another kind, or says what the kernel
// lacks; nothing else.
func TestNamespaces(t *testing.T) {
	env := open(t, sandbox.Honest{})
	for name, enter := range map[string]func(*sandbox.World){
		"empty": func(w *sandbox.World) {
			w.EmptyNamespace()
			w.Tmpfs("/")
			w.EnterCover()
		},
		"tree": func(w *sandbox.World) {
			w.JailWithout()
			w.TreeNamespace("/")
		},
		"filesystem": func(w *sandbox.World) { w.FilesystemNamespace("tmpfs") },
	} {
		t.Run(name, func(t *testing.T) {
			r := env.Run("test/namespaces", func(w *sandbox.World) {
				enter(w)
				w.Mkdir("/new") // on a tmpfs
				w.Observe(observed)
			})
			switch r.Status {
			case record.Observed:
			case record.Unsupported:
				if !strings.Contains(r.Why, "mount namespaces") {
					t.Errorf("unsupported: %s", r.Why)
				}
			default:
				t.Errorf("%+v", r)
			}
		})
	}
}
