package sandbox

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// TestSeat: whatever a world leaves behind, the next one begins at home, on a thread that is as it was: the same
// one only if nothing of what it has of its own is different.
func TestSeat(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a world needs root: a mount namespace of its own, mounts, chroot")
	}
	t.Chdir("/") // as a guest's suite: setns(2) leads nowhere else
	leave := func(calls ...func() error) func(*World) {
		return func(w *World) {
			w.Jail()
			for _, c := range calls {
				w.quiet("leave something behind", c())
			}
		}
	}
	prctl := func(option int) func() error { return func() error { return unix.Prctl(option, 1, 0, 0, 0) } }
	admin := []int{unix.CAP_SYS_ADMIN}
	child := func(flags int) func(*World) {
		return func(w *World) {
			pid := w.Fork("child", flags, func(*Script) {}).PID
			t.Cleanup(func() {
				_ = unix.Kill(pid, unix.SIGKILL)
				_, _ = unix.Wait4(pid, nil, 0, nil)
			})
		}
	}
	for _, tt := range []struct {
		name string
		body func(*World)
		same bool // the next world has the same thread
	}{
		{"nothing", func(*World) {}, true},
		{"a jail", func(w *World) { w.Jail() }, true},
		{"another namespace", func(w *World) { w.Jail(); w.Unshare() }, true},
		{"a bystander", func(w *World) { w.Bystander("thread").OwnNamespace() }, true},
		{"a child", child(0), true},
		{"a child that shares root and cwd", child(unix.CLONE_FS), false},
		{"capabilities that came back", func(w *World) { w.Without("CAP_SYS_CHROOT", []int{unix.CAP_SYS_CHROOT}, func() {}) }, true},
		{"capabilities that did not", func(w *World) { w.Effective(unix.CAP_DAC_OVERRIDE) }, false},
		{"broken without capabilities", func(w *World) { w.Without("CAP_KILL", []int{unix.CAP_KILL}, func() { w.Broken("") }) }, false},
		{"broken without CAP_SYS_ADMIN", func(w *World) { w.Without("CAP_SYS_ADMIN", admin, func() { w.Broken("") }) }, false},
		{"a panic as a user", func(w *World) { w.AsUser(65534, func() { panic("boom") }) }, false},
		{"a user who became root again", func(w *World) { w.AsUser(65534, func() {}) }, true},
		{"a filesystem user ID", leave(func() error { return unix.Setfsuid(65534) }), false},
		{"a filesystem group ID", leave(func() error { return unix.Setfsgid(65534) }), false},
		{"a umask", leave(func() error { unix.Umask(0o7); return nil }), false},
		{"no new privileges", leave(prctl(unix.PR_SET_NO_NEW_PRIVS)), false},
		{"kept capabilities", leave(prctl(unix.PR_SET_KEEPCAPS)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env, err := Open(Honest{}, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			env.Park = true
			look := func(w *World) (thread int, task traits, table string) {
				task, err := traitsOf()
				w.quiet("look at the thread", err)
				return w.tid, task, w.readProc("thread-self/mountinfo")
			}
			var tid, next int
			var was, is traits
			var before, after string
			run := func(body func(*World)) *record.Record {
				return env.Run("test/seat", func(w *World) { body(w); w.Observe(Call{Outcome: record.OK, Effect: None}) })
			}
			if r := run(func(w *World) { w.JailWithout() }); r.Status == record.Broken {
				t.Skipf("no world can be made here, as root: %s", r.Why)
			}
			run(func(w *World) {
				tid, was, before = look(w)
				tt.body(w)
			})
			if r := run(func(w *World) { next, is, after = look(w) }); r.Status != record.Observed {
				t.Fatalf("the next world: %+v", r)
			}
			if is != was {
				t.Errorf("the next world's thread has %+v, had %+v", is, was)
			}
			if n := strings.Count(before, "\n"); n == 0 || n != strings.Count(after, "\n") {
				t.Errorf("the next world has the mounts\n%s\nwanted\n%s", after, before)
			}
			if same := next == tid; same != tt.same {
				t.Errorf("the same thread: %v, want %v", same, tt.same)
			}
		})
	}
}

func TestAllPrivate(t *testing.T) {
	const root, proc = "1 0 0:2 / / rw - rootfs rootfs rw\n", "2 1 0:3 / /proc rw - proc proc rw\n"
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"private", root + proc, true},
		{"shared", root + "2 1 0:3 / /proc rw shared:1 - proc proc rw\n", false},
		{"slave", "1 0 0:2 / / rw master:1 - rootfs rootfs rw\n", false},
		{"a root that is not shown", proc, false},
		{"nothing", "", false},
		{"cut off", "1 0 0:2 / / rw\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := allPrivate(tt.text); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
