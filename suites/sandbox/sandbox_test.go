package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// open returns an Env on the kernel that runs the test, or one that lies about it. Worlds need
// root; without it they are covered by the boots of package harness/lies alone.
func open(t *testing.T, k sandbox.Kernel) *sandbox.Env {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a world needs root: a mount namespace of its own, mounts, chroot")
	}
	env, err := sandbox.Open(k, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(env.Proc) })
	if r := env.Run("probe/probe", func(w *sandbox.World) { w.JailWithout(); w.Unsupported("") }); r.Status == record.Broken {
		t.Skipf("no world can be made here, as root: %s", r.Why)
	}
	return env
}

// observed is a body's usual end.
var observed = sandbox.Call{Outcome: "EINVAL", Effect: sandbox.None}

func TestEnd(t *testing.T) {
	env := open(t, sandbox.Honest{})
	for _, tt := range []struct {
		name   string
		body   func(*sandbox.World)
		status record.Status
		why    string // part
		step   string // the last
	}{
		{"observed", func(w *sandbox.World) { w.Observe(observed) }, record.Observed, "", ""},
		{"set-up", func(w *sandbox.World) { w.Mkdir("/none/such") }, record.Broken, "set-up: mkdir /none/such: ENOENT", "mkdir /none/such"},
		{"set-up after the observation", func(w *sandbox.World) {
			w.Observe(observed)
			w.Chdir("/none")
		}, record.Broken, "set-up: cd /none: ENOENT", "cd /none"},
		{"panic", func(w *sandbox.World) { panic("boom") }, record.Broken, "panic in the spec: boom", ""},
		{"panic with an error", func(w *sandbox.World) {
			var nowhere *sandbox.Call
			_ = nowhere.Outcome
		}, record.Broken, "nil pointer", ""},
		{"unsupported", func(w *sandbox.World) { w.Unsupported("no %s", "luck") }, record.Unsupported, "no luck", ""},
		{"nothing observed", func(w *sandbox.World) { w.Fact("a", "b") }, record.Broken, "without an observation", ""},
		{"observed twice", func(w *sandbox.World) { w.Observe(observed); w.Observe(observed) }, record.Broken, "observes twice", ""},
		{"fact twice", func(w *sandbox.World) {
			w.Observe(observed)
			w.Fact("a", "b")
			w.Fact("a", "c")
		}, record.Broken, `fact "a" twice: "b" and "c"`, ""},
		{"two labels, one place", func(w *sandbox.World) { w.Mark("a", "/"); w.Mark("b", "/..") }, record.Broken, "a and b are the same place", ""},
		{"mark of nothing", func(w *sandbox.World) { w.Mark("a", "/none/such") }, record.Broken, "mark a at /none/such: ENOENT", ""},
		{"not where expected", func(w *sandbox.World) {
			w.Jail()
			w.Expect(w.Self(), sandbox.Root, "new_root")
		}, record.Broken, "task's root is at old_root, wanted new_root", sandbox.StepJail},
		{"no task", func(w *sandbox.World) { w.Where(1<<30, sandbox.Root) }, record.Broken, "/proc/1073741824/root: no such file", ""},
		{"no mount", func(w *sandbox.World) { w.MountAt(w.Self(), "/none") }, record.Broken, "no mount at /none", ""},
		{"not the propagation", func(w *sandbox.World) {
			w.RequirePropagation(w.Mountinfo(w.Self()), []string{"/"}, "shared:")
		}, record.Broken, "the mount at / is not shared:", ""},
		{"child's step", func(w *sandbox.World) {
			w.Fork("child", 0, func(s *sandbox.Script) { s.Chdir("/"); s.Mkdir("/none/such"); s.Chdir("/") })
		}, record.Broken, "set-up: child: mkdir /none/such: ENOENT", "child: cd /"},
		{"child's step after a pause", func(w *sandbox.World) {
			p := w.Fork("child", 0, func(s *sandbox.Script) { s.Pause(); s.Chroot("/none/such") })
			p.Resume()
		}, record.Broken, "set-up: child: chroot /none/such: ENOENT", "child: a child process"},
		{"script too long", func(w *sandbox.World) {
			w.Fork("child", 0, func(s *sandbox.Script) {
				for range 100 {
					s.Chdir("/")
				}
			})
		}, record.Broken, "more than 64 steps", ""},
		{"fork", func(w *sandbox.World) { w.Fork("child", unix.CLONE_THREAD, func(*sandbox.Script) {}) }, record.Broken, "set-up: fork child: EINVAL", ""},
		{"success that is none", func(w *sandbox.World) {
			w.ObserveSuccess(observed)
			w.Broken("went on")
		}, record.Observed, "", ""},
		{"errno, and on", func(w *sandbox.World) {
			w.Observe(observed)
			w.Unsupported("went on")
		}, record.Unsupported, "went on", ""},
		{"a call that did not do what it said", func(w *sandbox.World) {
			w.Observe(sandbox.Call{Outcome: "EINVAL", Effect: sandbox.Pivoted})
			w.Broken("went on")
		}, record.Observed, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var undone []int
			r := env.Run("test/end", func(w *sandbox.World) {
				w.Defer(func() { undone = append(undone, 1) })
				w.Defer(func() { undone = append(undone, 2) })
				tt.body(w)
			})
			if r.Type != record.TypeObservation || r.ID != "test/end" || r.Status != tt.status || !strings.Contains(r.Why, tt.why) || (tt.why == "") != (r.Why == "") {
				t.Errorf("got %+v, want %s (%s)", r, tt.status, tt.why)
			}
			if (r.Outcome != "") != (tt.status == record.Observed) || r.Facts != nil && tt.status != record.Observed {
				t.Errorf("%s with outcome %q and facts %v", r.Status, r.Outcome, r.Facts)
			}
			if tt.step != "" && (len(r.Steps) == 0 || r.Steps[len(r.Steps)-1] != tt.step) {
				t.Errorf("steps are %q, want %q last", r.Steps, tt.step)
			}
			if !slices.Equal(undone, []int{2, 1}) {
				t.Errorf("undone %v, want 2 before 1", undone)
			}
		})
	}
}

// liar answers as it is told.
type liar struct {
	sandbox.Honest
	call  func(real func() unix.Errno) unix.Errno
	see   func(link string, real sandbox.Place) sandbox.Place // after the call
	spoke *bool
}

func (l liar) Begin(string) sandbox.Kernel { l.spoke = new(bool); return l }

func (l liar) Call(_ sandbox.Syscall, real func() unix.Errno) unix.Errno {
	*l.spoke = true
	if l.call == nil {
		return real()
	}
	return l.call(real)
}

func (l liar) See(name string, real sandbox.Place) sandbox.Place {
	_, link, _ := strings.Cut(name, "/")
	if l.see == nil || !*l.spoke {
		return real
	}
	return l.see(link, real)
}

// TestEffect: what a call did to its caller, in words, and the control that rests on them.
func TestEffect(t *testing.T) {
	open(t, sandbox.Honest{})
	is := func(link string) func(string, sandbox.Place) sandbox.Place {
		return func(l string, real sandbox.Place) sandbox.Place {
			if l == link {
				return sandbox.Place{Inode: 1}
			}
			return real
		}
	}
	var root sandbox.Place
	for _, tt := range []struct {
		name            string
		kernel          liar
		cwd             string
		newRoot         string
		effect, control string
	}{
		{"pivot", liar{}, "/", "/new", sandbox.Pivoted, "OK"},
		{"pivot, cwd in the new root", liar{}, "/new/old", "/new", sandbox.Pivoted, "OK"},
		{"pivot, cwd below the old root", liar{}, "/sub", "/new", sandbox.Pivoted, "OK"},
		{"error", liar{}, "/", "/none", sandbox.None, "ENOENT"},
		{"no pivot", liar{call: func(func() unix.Errno) unix.Errno { return 0 }}, "/", "/new", sandbox.None, "OK, but none"},
		{"errno after all", liar{call: func(real func() unix.Errno) unix.Errno { _ = real(); return unix.EPERM }}, "/", "/new", sandbox.Pivoted, "EPERM, but pivoted"},
		{"root somewhere", liar{see: is("root")}, "/", "/new", "root moved to elsewhere", "OK, but root moved to elsewhere"},
		{"cwd somewhere", liar{see: is("cwd")}, "/", "/new", "pivoted, but cwd moved to elsewhere", "OK, but pivoted, but cwd moved to elsewhere"},
		{"cwd that should stay", liar{see: is("cwd")}, "/sub", "/new", "pivoted, but cwd moved to elsewhere", "OK, but pivoted, but cwd moved to elsewhere"},
		{"cwd that should move", liar{see: func(link string, real sandbox.Place) sandbox.Place {
			if link == "cwd" {
				return root
			}
			return real
		}}, "/", "/new", "pivoted, but cwd stayed at the old root", "OK, but pivoted, but cwd stayed at the old root"},
		{"error that moves the cwd", liar{see: is("cwd")}, "/", "/none", "cwd moved to elsewhere", "ENOENT, but cwd moved to elsewhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, child := range []bool{false, true} {
				var c sandbox.Call
				r := open(t, tt.kernel).Run("test/effect", func(w *sandbox.World) {
					w.Jail()
					w.Mkdir("/sub")
					root, _ = w.Place("/")
					if child {
						p := w.Fork("child", 0, func(s *sandbox.Script) {
							s.Chdir(tt.cwd)
							s.Pause()
							s.PivotRoot(tt.newRoot, "/new/old")
						})
						c = p.Call(tt.newRoot)
					} else {
						w.Chdir(tt.cwd)
						c = w.PivotRoot(tt.newRoot, "/new/old")
					}
					w.Control(c)
					w.Observe(c)
				})
				if r.Status != record.Observed || c.Effect != tt.effect || r.Facts["control"] != tt.control {
					t.Errorf("child %v: got %q in %+v, want %q and control %q", child, c.Effect, r, tt.effect, tt.control)
				}
			}
		})
	}
}

// TestSeam: what a verdict rests on passes through the kernel, under the names it is told by.
func TestSeam(t *testing.T) {
	k := &witness{}
	r := open(t, k).Run("test/seam", func(w *sandbox.World) {
		k.heard = nil
		w.Jail()
		w.Observe(w.PivotRoot("/new", "/new/old"))
		w.Label("/old")
		w.Umount("/old", unix.MNT_DETACH)
		w.TryRmdir("/old")
		w.TryRename("/a", "/b")
		w.TryChroot("/none")
		w.MoveOnto("/a", "/b")
		w.ReadProc("self/mountinfo")
	})
	if r.Status != record.Observed {
		t.Fatalf("%+v", r)
	}
	want := []string{
		"see /new", "see TASK/root", "see TASK/cwd", "call pivot_root", "see TASK/root", "see TASK/cwd", "see /old",
		"call umount2", "call rmdir", "call rename", "call chroot", "call mount", "read self/mountinfo",
	}
	if !slices.Equal(k.heard, want) {
		t.Errorf("got  %q\nwant %q", k.heard, want)
	}
	wantSteps := []string{
		"jail with /new/old", `pivot_root("/new", "/new/old") = OK`, `umount2("/old", MNT_DETACH) = OK`, `rmdir("/old") = OK`,
		`rename("/a", "/b") = ENOENT`, `chroot("/none") = ENOENT`, `mount("/a", "/b", MS_MOVE) = ENOENT`,
	}
	if !slices.Equal(r.Steps, wantSteps) {
		t.Errorf("got  %q\nwant %q", r.Steps, wantSteps)
	}
}

// witness writes down what it is asked.
type witness struct{ heard []string }

func (k *witness) Tell(name, real string) string {
	k.heard = append(k.heard, "tell "+name)
	return real
}

func (k *witness) Begin(string) sandbox.Kernel { return k }

func (k *witness) Call(c sandbox.Syscall, real func() unix.Errno) unix.Errno {
	k.heard = append(k.heard, "call "+c.Name)
	return real()
}

func (k *witness) See(name string, real sandbox.Place) sandbox.Place {
	if task, link, ok := strings.Cut(name, "/"); ok && task != "" {
		name = "TASK/" + link
	}
	k.heard = append(k.heard, "see "+name)
	return real
}

func (k *witness) Read(name, real string) string {
	k.heard = append(k.heard, "read "+name)
	return real
}

// within polls until so holds; the kernel takes a dead thread's namespace down in its own time.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Errorf("not so after 30 s: %s", what)
			return
		}
	}
}

// namespaces returns the mount namespaces that threads of this process are in.
func namespaces() map[string]bool {
	out := map[string]bool{}
	tasks, _ := filepath.Glob("/proc/self/task/*/ns/mnt")
	for _, p := range tasks {
		if ns, err := os.Readlink(p); err == nil {
			out[ns] = true
		}
	}
	return out
}

// TestPark: a world that is not parked leaves nothing behind, a parked one stays as it was.
func TestPark(t *testing.T) {
	for _, park := range []bool{false, true} {
		t.Run(fmt.Sprintf("park=%v", park), func(t *testing.T) {
			env := open(t, sandbox.Honest{})
			env.Park = park
			mounts := func() string { b, _ := os.ReadFile("/proc/thread-self/mountinfo"); return string(b) }
			before, spaces, fds := mounts(), len(namespaces()), descriptors(t)
			var child, thread int
			r := env.Run("test/park", func(w *sandbox.World) {
				w.Jail()
				child = w.Fork("child", 0, func(s *sandbox.Script) { s.Unshare(unix.CLONE_NEWNS, "CLONE_NEWNS") }).PID
				b := w.Bystander("thread")
				b.Chdir("/new")
				thread = b.TID
				w.Observe(w.PivotRoot("/new", "/new/old"))
			})
			if r.Status != record.Observed || r.Outcome != record.OK {
				t.Fatalf("%+v", r)
			}
			if after := mounts(); after != before {
				t.Errorf("the machine's mounts changed from\n%s\nto\n%s", before, after)
			}
			alive := func(pid int) bool { return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) }
			threadAlive := func() bool {
				_, err := os.Stat("/proc/self/task/" + strconv.Itoa(thread))
				return err == nil
			}
			if park {
				if !alive(child) || !threadAlive() {
					t.Error("a task of a parked world is gone")
				}
				_ = unix.Kill(child, unix.SIGKILL)
				_, _ = unix.Wait4(child, nil, 0, nil)
				return
			}
			if alive(child) {
				t.Error("the child is still there")
			}
			within(t, "the thread is gone", func() bool { return !threadAlive() })
			within(t, "the namespaces are gone", func() bool { return len(namespaces()) <= spaces })
			if now := descriptors(t); now != fds {
				t.Errorf("%d descriptors are open, %d were", now, fds)
			}
		})
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestMountinfo reads a table in which there is what there is to read.
func TestMountinfo(t *testing.T) {
	r := open(t, sandbox.Honest{}).Run("test/mountinfo", func(w *sandbox.World) {
		w.Jail()
		w.Propagation("/new", sandbox.Shared)
		root, next := w.MountAt(w.Self(), "/"), w.MountAt(w.Self(), "/new")
		w.RequirePropagation(w.Mountinfo(w.Self()), []string{"/new"}, "shared:")
		w.Fact("root", root.Propagation+"|"+root.Root+"|"+root.Type+"|"+root.Source)
		w.Fact("parent", strconv.FormatBool(next.Parent == root.ID && next.ID != root.ID))
		_, found := w.FindMount(w.Self(), "/old")
		w.Fact("found", strconv.FormatBool(found))
		w.Observe(observed)
	})
	want := map[string]string{"effect": "none", "root": "|/|tmpfs|tmpfs", "parent": "true", "found": "false"}
	if !reflect.DeepEqual(r.Facts, want) {
		t.Errorf("got %+v, want %v", r, want)
	}
}

// TestPrivilege: capabilities and user come back, also to a spec that looks for them.
func TestPrivilege(t *testing.T) {
	r := open(t, sandbox.Honest{}).Run("test/privilege", func(w *sandbox.World) {
		w.Jail()
		w.Without("CAP_SYS_ADMIN", []int{unix.CAP_SYS_ADMIN}, func() {
			w.Fact("without", sandbox.ErrnoName(unix.Mount("tmpfs", "/new/old", "tmpfs", 0, "")))
		})
		w.Fact("with", sandbox.ErrnoName(unix.Mount("tmpfs", "/new/old", "tmpfs", 0, "")))
		w.Chmod("/new", 0)
		w.AsUser(65534, func() { w.Fact("user", w.Label("/new/old")) })
		_, err := w.Place("/new/old")
		w.Fact("root", sandbox.ErrnoName(err))
		w.Observe(observed)
	})
	want := map[string]string{"effect": "none", "without": "EPERM", "with": "OK", "user": "EACCES", "root": "OK"}
	if !reflect.DeepEqual(r.Facts, want) {
		t.Errorf("got %+v, want %v", r, want)
	}
}
