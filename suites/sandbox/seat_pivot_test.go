package sandbox_test

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// TestSeatAfterPivot: a parked world that pivoted hands its thread on as it was given to it, or keeps it; its own
// namespace stays.
func TestSeatAfterPivot(t *testing.T) {
	t.Chdir("/") // where the suite is
	var children []int
	defer func() {
		for _, child := range children {
			_ = unix.Kill(child, unix.SIGKILL)
			_, _ = unix.Wait4(child, nil, 0, nil)
		}
	}()
	for _, tt := range []struct {
		name string
		body func(w *sandbox.World) // in a jail
		same bool                   // the next world is on the same thread
	}{
		{"a pivot", func(w *sandbox.World) { w.Observe(w.PivotRoot("/new", "/new/old")) }, true},
		{"other namespaces", func(w *sandbox.World) {
			w.Unshare()
			w.Chdir("/new")
			w.Observe(w.PivotRoot("/new", "/new/old"))
		}, true},
		{"capabilities that come back", func(w *sandbox.World) {
			w.Without("CAP_SYS_ADMIN", []int{unix.CAP_SYS_ADMIN}, func() { w.Observe(w.PivotRoot("/new", "/new/old")) })
		}, true},
		{"capabilities that do not", func(w *sandbox.World) {
			w.Without("CAP_SYS_ADMIN", []int{unix.CAP_SYS_ADMIN}, func() { w.ObserveSuccess(w.PivotRoot("/new", "/new/old")) })
		}, false},
		{"a child that has the same root", func(w *sandbox.World) {
			children = append(children, w.Fork("child", unix.CLONE_FS, func(*sandbox.Script) {}).PID)
			w.Observe(w.PivotRoot("/new", "/new/old"))
		}, false},
		{"a spec that is wrong", func(*sandbox.World) { panic("wrong") }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := open(t, sandbox.Honest{})
			env.Park = true
			var task [3]int
			var child int
			look := func(w *sandbox.World) {
				header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
				var caps [2]unix.CapUserData
				if err := unix.Capget(&header, &caps[0]); err != nil {
					t.Error(err)
				}
				w.Fact("capabilities", fmt.Sprint(caps))
				w.Fact("mounts", fmt.Sprint(len(w.Mountinfo(w.Self()))))
				w.Mark("root", "/")
				w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
			}
			first := env.Run("test/first", func(w *sandbox.World) {
				task[0] = w.Self()
				look(w)
				w.Observe(sandbox.Call{Outcome: record.OK})
			})
			env.Run("test/second", func(w *sandbox.World) {
				task[1] = w.Self()
				w.Jail()
				child = w.Fork("bystander", 0, func(*sandbox.Script) {}).PID
				children = append(children, child)
				tt.body(w)
			})
			third := env.Run("test/third", func(w *sandbox.World) {
				task[2] = w.Self()
				look(w)
				w.Fact("child", w.Where(child, sandbox.Root))
				w.Observe(sandbox.Call{Outcome: record.OK})
			})
			if task[0] != task[1] || (task[1] == task[2]) != tt.same {
				t.Errorf("the worlds were on the threads %v, want the same: %v", task, tt.same)
			}
			for _, f := range []string{"capabilities", "mounts", "cwd"} {
				if first.Facts[f] == "" || first.Facts[f] != third.Facts[f] {
					t.Errorf("%s: %q before, %q after", f, first.Facts[f], third.Facts[f])
				}
			}
			if third.Facts["child"] != "elsewhere" {
				t.Errorf("the world before is gone: a child of it stands at %q (%s)", third.Facts["child"], third.Why)
			}
		})
	}
}
