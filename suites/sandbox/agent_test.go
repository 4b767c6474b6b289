package sandbox_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// recorder notes who calls.
type recorder struct {
	sandbox.Honest
	by *[]string
}

func (r recorder) Begin(string) sandbox.Kernel { return r }
func (r recorder) Call(c sandbox.Syscall, real func() unix.Errno) unix.Errno {
	*r.by = append(*r.by, c.By)
	return real()
}

// TestCallers: each caller makes its calls in its own root and with its own capabilities, all of
// them through the seam, and says whether it moved.
func TestCallers(t *testing.T) {
	var by []string
	env := open(t, recorder{by: &by})
	good := func(dir int) [2]sandbox.Arg {
		return [2]sandbox.Arg{sandbox.Path(strconv.Itoa(dir)), sandbox.Path(strconv.Itoa(dir) + "/old")}
	}
	bad := [2]sandbox.Arg{sandbox.BadAddress(), sandbox.Path(strings.Repeat("x", 256))}
	for _, tt := range []struct {
		name string
		body func(w *sandbox.World, root int, calls ...[2]sandbox.Arg) ([]string, string)
	}{
		{"", func(w *sandbox.World, root int, calls ...[2]sandbox.Arg) ([]string, string) {
			w.Enter(root)
			return w.Outcomes(calls)
		}},
		{"agent", func(w *sandbox.World, root int, calls ...[2]sandbox.Arg) ([]string, string) {
			a := w.Agent("agent", 0)
			a.Enter(root)
			return a.Outcomes(calls)
		}},
		{"hand", func(w *sandbox.World, root int, calls ...[2]sandbox.Arg) ([]string, string) {
			return w.Hand("hand").Outcomes(root, nil, calls)
		}},
	} {
		t.Run("by "+tt.name, func(t *testing.T) {
			for _, moves := range []bool{false, true} {
				by = nil
				var outcomes []string
				var effect string
				r := env.Run("test/callers", func(w *sandbox.World) {
					base := w.Base()
					w.Tmpfs(base)
					w.Mkdir(base + "/new")
					w.Tmpfs(base + "/new")
					w.Mkdir(base + "/new/old")
					root, next := w.Open(base), w.Open(base+"/new")
					calls := [][2]sandbox.Arg{bad, {sandbox.Path(strconv.Itoa(root)), good(next)[1]}}
					if moves {
						calls = append(calls, good(next))
					}
					outcomes, effect = tt.body(w, root, calls...)
					w.Observe(observed)
				})
				want := []string{"EFAULT", "EBUSY"}
				if moves {
					want = append(want, record.OK)
				}
				if r.Status != record.Observed || !slices.Equal(outcomes, want) || (effect == sandbox.None) == moves {
					t.Errorf("moves %v: %s (%s): %q, %q", moves, r.Status, r.Why, outcomes, effect)
				}
				if !slices.Equal(by, slices.Repeat([]string{tt.name}, len(want))) {
					t.Errorf("calls by %q", by)
				}
			}
		})
	}
}

// TestCallersFail: a step that a caller cannot take breaks the spec.
func TestCallersFail(t *testing.T) {
	env := open(t, sandbox.Honest{})
	none := [][2]sandbox.Arg{{sandbox.Path(""), sandbox.Path("")}}
	for _, tt := range []struct {
		name string
		body func(*sandbox.World)
		why  string
	}{
		{"own", func(w *sandbox.World) { w.Enter(1 << 20) }, "fchdir: EBADF"},
		{"agent", func(w *sandbox.World) { a := w.Agent("agent", 0); a.Enter(1 << 20); a.Outcomes(none) }, "agent: fchdir: EBADF"},
		{"agent's rules", func(w *sandbox.World) { a := w.Agent("agent", 0); a.Restrict(1 << 20); a.Outcomes(none) }, "agent: landlock_restrict_self: E"},
		{"hand", func(w *sandbox.World) { w.Hand("hand").Outcomes(1<<20, nil, none) }, "fchdir: EBADF"},
		{"hand's rules", func(w *sandbox.World) { w.Hand("hand").Restrict(1 << 20) }, "hand: landlock_restrict_self: E"},
		{"no flags of clone", func(w *sandbox.World) { w.Agent("agent", unix.CLONE_NEWUSER|unix.CLONE_FS) }, "fork agent: EINVAL"},
		{"too many steps", func(w *sandbox.World) {
			w.Agent("agent", 0).Outcomes(slices.Repeat(none, 600))
		}, "agent takes more than"},
		{"too much memory", func(w *sandbox.World) {
			w.Agent("agent", 0).Outcomes(slices.Repeat([][2]sandbox.Arg{{sandbox.Path(strings.Repeat("/", 4000)), sandbox.Path("")}}, 20))
		}, "agent has no memory left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := env.Run("test/callers", tt.body)
			if r.Status != record.Broken || !strings.Contains(r.Why, tt.why) {
				t.Errorf("%s: %s, want %q", r.Status, r.Why, tt.why)
			}
		})
	}
}
