package sandbox_test

import (
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// TestTasks makes every kind of task once and looks where it stands, and that nothing stays.
func TestTasks(t *testing.T) {
	env := open(t, sandbox.Honest{})
	for _, tt := range []struct {
		name  string
		start func(w *sandbox.World) []int
		want  string
	}{
		{"bystander", func(w *sandbox.World) []int { return []int{w.Bystander("b").TID} }, "old_root old_root"},
		{"moved bystander", func(w *sandbox.World) []int {
			b := w.Bystander("b")
			b.Chroot("/new")
			b.Chdir("/old")
			return []int{b.TID}
		}, "new_root put_old"},
		{"bystander in a namespace of its own", func(w *sandbox.World) []int {
			b := w.Bystander("b")
			fd := w.Open("/new")
			b.OwnNamespace()
			b.Fchdir(fd, "the caller's")
			return []int{b.TID}
		}, "elsewhere new_root"},
		{"stopped", func(w *sandbox.World) []int {
			p := w.Fork("p", 0, func(*sandbox.Script) {})
			p.Stop()
			return []int{p.PID}
		}, "old_root old_root"},
		{"stopped at its exit", func(w *sandbox.World) []int {
			p := w.Fork("p", 0, func(*sandbox.Script) {})
			p.StopAtExit()
			return []int{p.PID}
		}, "old_root old_root"},
		{"vfork", func(w *sandbox.World) []int {
			p := w.Fork("p", 0, func(s *sandbox.Script) {
				s.Vfork()
				s.Chdir("/new")
			})
			w.Expect(p.PID, sandbox.Cwd, "old_root")
			return []int{p.Child()}
		}, "old_root new_root"},
		{"leaderless", func(w *sandbox.World) []int {
			p := w.Fork("p", 0, func(s *sandbox.Script) { s.BecomeLeaderless() })
			return p.Leaderless()
		}, "old_root old_root"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tasks []int
			r := env.Run("test/task", func(w *sandbox.World) {
				w.Jail()
				tasks = tt.start(w)
				for i, task := range tasks {
					w.Fact(strconv.Itoa(i), w.Where(task, sandbox.Root)+" "+w.Where(task, sandbox.Cwd))
				}
				w.Observe(observed)
			})
			if r.Status != record.Observed || len(tasks) == 0 {
				t.Fatalf("got %+v", r)
			}
			for i := range tasks {
				if got := r.Facts[strconv.Itoa(i)]; got != tt.want {
					t.Errorf("task %d stands at %s, want %s", i, got, tt.want)
				}
			}
			for _, task := range tasks {
				within(t, "task "+strconv.Itoa(task)+" is gone", func() bool { return gone(task) })
			}
		})
	}
}

// gone reports whether a task has ended; somebody else may yet have to wait for it.
func gone(task int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(task) + "/stat")
	_, state, _ := strings.Cut(string(b), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}

func TestZombie(t *testing.T) {
	r := open(t, sandbox.Honest{}).Run("test/zombie", func(w *sandbox.World) {
		w.Jail()
		p := w.Fork("p", 0, func(*sandbox.Script) {})
		p.Zombie()
		_, seen := w.WhereIfAlive(p.PID, sandbox.Root)
		w.Fact("root", strconv.FormatBool(seen))
		w.Fact("there", sandbox.ErrnoName(unix.Kill(p.PID, 0)))
		w.Observe(observed)
	})
	if want := map[string]string{"effect": "none", "root": "false", "there": "OK"}; !reflect.DeepEqual(r.Facts, want) {
		t.Errorf("got %+v, want %v", r, want)
	}
}

// TestBystanderPivots: the call is the other thread's, which it moves, and the spec's with it.
func TestBystanderPivots(t *testing.T) {
	r := open(t, sandbox.Honest{}).Run("test/bystander-pivots", func(w *sandbox.World) {
		w.Jail()
		w.Mkdir("/sub")
		w.Mark("sub", "/sub")
		w.Chdir("/sub")
		b := w.Bystander("bystander")
		b.Chdir("/")
		w.Fact("failing", b.PivotRoot("/new", "/sub").Result())
		w.Observe(b.PivotRoot("/new", "/new/old"))
		w.Fact("root", w.Where(w.Self(), sandbox.Root))
		w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
	})
	want := map[string]string{"effect": "pivoted", "failing": "EBUSY", "root": "new_root", "cwd": "sub"}
	if r.Outcome != "OK" || !reflect.DeepEqual(r.Facts, want) {
		t.Errorf("got %+v, want %v", r, want)
	}
	const step = `bystander: pivot_root("/new", "/sub") = EBUSY`
	if !slices.Contains(r.Steps, step) {
		t.Errorf("the steps do not have %q: %q", step, r.Steps)
	}
}

// TestChildsCalls: a call that a kernel answers without making it is never made.
func TestChildsCalls(t *testing.T) {
	observe := func(w *sandbox.World) {
		w.Jail()
		p := w.Fork("p", 0, func(s *sandbox.Script) {
			s.Pause()
			s.PivotRoot("/new", "/new/old")
			s.Pause()
			s.Umount("/old", unix.MNT_DETACH)
			s.Pause()
			s.Umount("/old", unix.MNT_DETACH)
		})
		w.Observe(p.Call("/new"))
		w.Fact("umount", p.Umount().Outcome)
		w.Fact("umount-again", p.Umount().Outcome)
		w.Fact("at-put-old", w.LabelOf(p.PID, sandbox.Root, "old"))
	}
	lie := liar{call: func(real func() unix.Errno) unix.Errno { return 0 }}
	for _, tt := range []struct {
		name   string
		kernel sandbox.Kernel
		want   map[string]string
	}{
		{"honest", sandbox.Honest{}, map[string]string{"effect": "pivoted", "umount": "OK", "umount-again": "EINVAL", "at-put-old": "put_old"}},
		{"first umount is none", &skip{at: 2}, map[string]string{"effect": "pivoted", "umount": "OK", "umount-again": "OK", "at-put-old": "put_old"}},
		{"last umount is none", &skip{at: 3}, map[string]string{"effect": "pivoted", "umount": "OK", "umount-again": "OK", "at-put-old": "put_old"}},
		{"pivot is none", lie, map[string]string{"effect": "none"}},
	} {
		r := open(t, tt.kernel).Run("test/child", observe)
		if !reflect.DeepEqual(r.Facts, tt.want) {
			t.Errorf("%s: got %+v, want %v", tt.name, r, tt.want)
		}
	}
}

// skip answers one call with success and does not make it.
type skip struct {
	sandbox.Honest
	at, n int
}

func (k *skip) Begin(string) sandbox.Kernel { return k }

func (k *skip) Call(_ sandbox.Syscall, real func() unix.Errno) unix.Errno {
	if k.n++; k.n == k.at {
		return 0
	}
	return real()
}

// TestTell hears what there is to hear about a mount, and what a kernel says of it.
func TestTell(t *testing.T) {
	observe := func(w *sandbox.World) {
		w.Jail()
		table := w.WatchTable(w.Self())
		w.Fact("before", table.Events())
		w.Tmpfs("/new/old")
		w.Fact("after", table.Events())
		w.Fact("again", table.Events())
		w.Fact("filesystem", w.FilesystemOf(w.Self(), sandbox.Root, "new"))
		w.Fact("proc", w.FilesystemOf(1, "ns", ""))
		w.Fact("none", w.FilesystemOf(w.Self(), sandbox.Root, "none"))
		w.Observe(observed)
	}
	r := open(t, sandbox.Honest{}).Run("test/tell", observe)
	want := map[string]string{
		"effect": "none", "before": "nothing", "after": "POLLERR|POLLPRI", "again": "nothing",
		"filesystem": "tmpfs", "proc": "0x9fa0", "none": "ENOENT",
	}
	if !reflect.DeepEqual(r.Facts, want) {
		t.Errorf("got %+v, want %v", r, want)
	}
	k := &witness{}
	open(t, k).Run("test/tell", observe)
	var told int
	for _, h := range k.heard {
		if len(h) > 5 && h[:5] == "tell " {
			told++
		}
	}
	if told != 5 {
		t.Errorf("a kernel is asked %d times, want 5: %q", told, k.heard)
	}
}

// TestNamespace enters and leaves, and asks for user namespaces.
func TestNamespace(t *testing.T) {
	r := open(t, sandbox.Honest{}).Run("test/namespace", func(w *sandbox.World) {
		ns := w.Namespace()
		w.JailOnTop()
		b := w.Bystander("visitor")
		b.OwnNamespace()
		w.Fact("on-top", w.TryUserNamespace().Outcome)
		w.Fact("setns", b.TryEnter(ns).Outcome)
		w.Fact("visitor", w.Where(b.TID, sandbox.Root))
		w.Fact("rmdir", b.TryRmdir("/none").Outcome)
		w.Fact("statx", w.TryLook("/none").Outcome)
		w.Chroot("/new")
		w.Fact("chroot", w.TryUserNamespace().Outcome)
		w.LeaveJail()
		w.Fact("left", w.Label("/"))
		w.Observe(observed)
	})
	want := map[string]string{
		"effect": "none", "on-top": "OK", "setns": "OK", "visitor": "old_root", "rmdir": "ENOENT",
		"statx": "ENOENT", "chroot": "EPERM", "left": "old_root",
	}
	if !reflect.DeepEqual(r.Facts, want) {
		t.Errorf("got %+v, want %v", r, want)
	}
}
