package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// evident runs a body with evidence and returns the record of the observation and the evidence.
func evident(t *testing.T, k sandbox.Kernel, body func(*sandbox.World)) (*record.Record, *record.Evidence) {
	t.Helper()
	env := open(t, k)
	env.Evidence = new(sandbox.Evidence)
	r := env.Run("success/evidence", body)
	if r.Status != record.Observed {
		t.Fatalf("%s: %s", r.Status, r.Why)
	}
	told := env.Evidence.Records()
	if len(told) != 1 || told[0].Type != record.TypeEvidence || told[0].Evidence == nil {
		t.Fatalf("evidence: got %+v, want one record", told)
	}
	if again := env.Evidence.Records(); len(again) != 0 {
		t.Errorf("the evidence is told twice: %+v", again)
	}
	return r, told[0].Evidence
}

// TestEvidence: the tables are those of the caller's root before and after its call, with numbers
// that do not differ from run to run, and each is of the step that says so.
func TestEvidence(t *testing.T) {
	r, e := evident(t, sandbox.Honest{}, func(w *sandbox.World) {
		w.Jail()
		w.Propagation("/new", sandbox.Shared)
		w.Observe(w.PivotRoot("/new", "/nowhere"))
		w.Propagation("/new", sandbox.Private)
		w.Control(w.PivotRoot("/new", "/new/old"))
	})
	if len(e.Calls) != 2 {
		t.Fatalf("evidence of %d calls: %+v", len(e.Calls), e)
	}
	jail := []string{"2 1 / / rw,relatime - tmpfs tmpfs", "3 2 / /new rw,relatime - tmpfs tmpfs"}
	shared := []string{jail[0], "3 2 / /new rw,relatime shared:1 - tmpfs tmpfs"}
	for i, want := range []struct {
		step          string
		before, after []string
	}{
		{`pivot_root("/new", "/nowhere") = ENOENT`, shared, shared},
		{`pivot_root("/new", "/new/old") = OK`, jail, []string{"2 3 / /old rw,relatime - tmpfs tmpfs", "3 1 / / rw,relatime - tmpfs tmpfs"}},
	} {
		c := e.Calls[i]
		before, after := e.Tables(c)
		slices.Sort(after) // kernels list them by age, or by the order of the tree
		if c.ID != "success/evidence" || r.Steps[c.Step] != want.step || !slices.Equal(before, want.before) || !slices.Equal(after, want.after) {
			t.Errorf("call %d: %s, step %q\nbefore\n%s\nafter\n%s", i, c.ID, r.Steps[c.Step], strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
	}
}

// TestEvidenceOfChild: a child's call shows the child's mounts.
func TestEvidenceOfChild(t *testing.T) {
	r, e := evident(t, sandbox.Honest{}, func(w *sandbox.World) {
		w.Jail()
		p := w.Fork("child", 0, func(s *sandbox.Script) {
			s.Unshare(unix.CLONE_NEWNS, "CLONE_NEWNS")
			s.Tmpfs("/new/old")
			s.Pause()
			s.PivotRoot("/new", "/new/old")
		})
		w.Observe(p.Call("/new"))
	})
	before, _ := e.Tables(e.Calls[0])
	if len(e.Calls) != 1 || len(before) != 3 || !strings.HasPrefix(r.Steps[e.Calls[0].Step], "child: pivot_root(") {
		t.Errorf("got %+v, before %q", e.Calls, before)
	}
}

// blind is a kernel that makes no call and shows no file.
type blind struct{ sandbox.Honest }

func (b blind) Begin(string) sandbox.Kernel                      { return b }
func (blind) Call(sandbox.Syscall, func() unix.Errno) unix.Errno { return unix.EPERM }
func (blind) Read(string, string) string                         { return "" }

// TestEvidenceOfLies: the evidence of a kernel that lies is the truth, for no verdict rests on it.
func TestEvidenceOfLies(t *testing.T) {
	r, e := evident(t, blind{}, func(w *sandbox.World) {
		w.Jail()
		w.Observe(w.PivotRoot("/new", "/new/old"))
	})
	before, after := e.Tables(e.Calls[0])
	if r.Outcome != "EPERM" || len(before) != 2 || !slices.Equal(before, after) {
		t.Errorf("%s, before %q, after %q", r.Outcome, before, after)
	}
}

// TestEvidenceIsBounded: a spec with many calls has evidence of the first few.
func TestEvidenceIsBounded(t *testing.T) {
	_, e := evident(t, sandbox.Honest{}, func(w *sandbox.World) {
		w.Jail()
		for range 100 {
			w.PivotRoot("/nowhere", "/")
		}
		w.Observe(w.PivotRoot("/nowhere", "/"))
	})
	if n := len(e.Calls); n < 2 || n > 10 {
		t.Errorf("evidence of %d calls", n)
	}
}
