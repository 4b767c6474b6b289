package bisect_test

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/results/bisect"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/signature"
	"pivotspec/results/verdict"
	"pivotspec/suites/record"
)

func judge(t *testing.T, c *cell.Cell) *verdict.CellResult {
	t.Helper()
	j, err := verdict.Judge(fixture.Base(t), []*cell.Cell{c}, "")
	if err != nil {
		t.Fatal(err)
	}
	return j.Cells[0]
}

// edited makes a cell of 7.1 and changes it.
func edited(edits ...func(*cell.Cell)) *cell.Cell {
	c := fixture.Cell("7.1", "amd64")
	for _, e := range edits {
		e(c)
	}
	return c
}

func put(id, outcome string, facts ...string) func(*cell.Cell) {
	return func(c *cell.Cell) { fixture.Replace(c, fixture.Observed(id, outcome, facts...)) }
}

func status(id string, s record.Status, why string) func(*cell.Cell) {
	return func(c *cell.Cell) {
		fixture.Replace(c, &record.Record{Type: record.TypeObservation, ID: id, Status: s, Why: why})
	}
}

func warn(text string) func(*cell.Cell) {
	return func(c *cell.Cell) {
		c.Records = slices.Insert(c.Records, 2, &record.Record{Type: record.TypeWarning, Level: 4, Why: text})
	}
}

func end(s cell.Status, reason string, keep int) func(*cell.Cell) {
	return func(c *cell.Cell) { c.Status, c.Reason, c.Records = s, reason, c.Records[:keep] }
}

const below, stacked, pid1, thread, landlock = "einval/put-old-not-below-new-root", "ebusy/put-old-stacked", "rootfs/pid1-pivot", "moves/kernel-thread", "eperm/landlock"

func TestComesOut(t *testing.T) {
	for _, tt := range []struct {
		name, id, bad, good string
		c                   *cell.Cell
		want                bisect.Answer
	}{
		{"bad", stacked, "EBUSY", "OK", edited(put(stacked, "EBUSY", "control", "OK")), bisect.Bad},
		{"good", stacked, "EBUSY", "OK", edited(), bisect.Good},
		{"neither", stacked, "EBUSY", "OK", edited(put(stacked, "EINVAL", "control", "OK")), bisect.Untold},
		{"good by what is expected", stacked, "EBUSY", "", edited(), bisect.Good},
		{"neither bad nor expected", stacked, "EBUSY", "", edited(put(stacked, "EINVAL", "control", "OK")), bisect.Untold},
		{"bad, and expected", pid1, "OK", "EINVAL", edited(), bisect.Bad},
		{"good, and unexpected", pid1, "OK", "EINVAL", edited(put(pid1, "EINVAL")), bisect.Good},
		{"an errno without its control", stacked, "EBUSY", "OK", edited(put(stacked, "EBUSY")), bisect.Untold},
		{"an errno whose control failed", stacked, "EBUSY", "OK", edited(put(stacked, "EBUSY", "control", "EPERM")), bisect.Untold},
		{"an errno whose control failed, which is sought", stacked, "EBUSY, control=EPERM", "OK", edited(put(stacked, "EBUSY", "control", "EPERM")), bisect.Bad},
		{"a control that did not pivot", below, "EINVAL", "OK", edited(put(below, "EINVAL", "control", "OK", "after-control", "none")), bisect.Untold},
		{"an errno, and the caller pivoted", stacked, "EBUSY", "OK", edited(put(stacked, "EBUSY", "control", "OK", "effect", "pivoted")), bisect.Untold},
		{"success without an effect", stacked, "EBUSY", "OK", edited(put(stacked, "OK", "effect", "none")), bisect.Untold},
		{"success without an effect, which is sought", stacked, "OK, effect=none", "OK, effect=pivoted", edited(put(stacked, "OK", "effect", "none")), bisect.Bad},
		{"a fact, bad", thread, "OK, root=stays", "OK, root=moved", edited(put(thread, "OK", "root", "stays")), bisect.Bad},
		{"a fact, good", thread, "OK, root=stays", "OK,root=moved", edited(), bisect.Good},
		{"a fact, neither", thread, "OK, root=stays", "OK, root=moved", edited(put(thread, "OK", "root", "elsewhere, far away")), bisect.Untold},
		{"a value with a comma", thread, "OK, root=elsewhere, far away", "OK, root=moved", edited(put(thread, "OK", "root", "elsewhere, far away")), bisect.Bad},
		{"unsupported", landlock, "OK", "EPERM", edited(status(landlock, record.Unsupported, "none")), bisect.Untold},
		{"broken", stacked, "EBUSY", "OK", edited(status(stacked, record.Broken, "mount: EPERM")), bisect.Untold},
		{"missing", stacked, "EBUSY", "OK", edited(func(c *cell.Cell) {
			fixture.Remove(c, func(r *record.Record) bool { return r.ID == stacked })
		}), bisect.Untold},
		{"the kernel panicked", stacked, "EBUSY", "OK", edited(end(cell.Broken, "Kernel panic", 6)), bisect.Untold},
		{"the kernel panicked behind it", stacked, "EBUSY", "OK", edited(func(c *cell.Cell) { c.Status, c.Reason = cell.Broken, "Kernel panic" }), bisect.Untold},
		{"nothing was started", stacked, "EBUSY", "OK", edited(end(cell.Unavailable, "no QEMU", 0)), bisect.Untold},
		{"the records stop", stacked, "EBUSY", "OK", edited(func(c *cell.Cell) { c.Records = c.Records[:len(c.Records)-1] }), bisect.Untold},
		{"another scenario", stacked, "EBUSY", "OK", edited(func(c *cell.Cell) { c.Scenario = "disk" }), bisect.Untold},
		{"a warning beside it", stacked, "EBUSY", "OK", edited(warn("WARNING: at fs/namespace.c:12")), bisect.Good},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := bisect.ComesOut(fixture.Base(t), tt.id, tt.bad, tt.good)
			if err != nil {
				t.Fatal(err)
			}
			got, why := q.Answer(judge(t, tt.c))
			if got != tt.want || why == "" || strings.Contains(why, "\n") {
				t.Errorf("%s: %s, want %s", got, why, tt.want)
			}
			if q.Behaviour() != tt.id {
				t.Errorf("it is about %q", q.Behaviour())
			}
		})
	}
}

func TestFailure(t *testing.T) {
	const panics = "kernel panic: attempted to kill init"
	for _, tt := range []struct {
		name   string
		sought *cell.Cell // of whose failures the first is sought
		c      *cell.Cell
		want   bisect.Answer
	}{
		{"the same", edited(put(stacked, "EBUSY", "control", "OK")), edited(put(stacked, "EBUSY", "control", "OK")), bisect.Bad},
		{"nothing wrong", edited(put(stacked, "EBUSY", "control", "OK")), edited(), bisect.Good},
		{"nothing wrong there, but elsewhere", edited(put(stacked, "EBUSY", "control", "OK")), edited(put(thread, "OK", "root", "lost")), bisect.Good},
		{"another error", edited(put(stacked, "EBUSY", "control", "OK")), edited(put(stacked, "EINVAL", "control", "OK")), bisect.Untold},
		{"broken instead", edited(put(stacked, "EBUSY", "control", "OK")), edited(status(stacked, record.Broken, "mount: EPERM")), bisect.Untold},
		{"unsupported instead", edited(put(landlock, "OK")), edited(status(landlock, record.Unsupported, "none")), bisect.Untold},
		{"the kernel panics instead", edited(put(stacked, "EBUSY", "control", "OK")), edited(end(cell.Broken, panics, 6)), bisect.Untold},
		{"the same panic", edited(end(cell.Broken, panics, 6)), edited(end(cell.Broken, panics, 8)), bisect.Bad},
		{"another panic", edited(end(cell.Broken, panics, 6)), edited(end(cell.Broken, "kernel panic: no init", 6)), bisect.Untold},
		{"no panic", edited(end(cell.Broken, panics, 6)), edited(), bisect.Good},
		{"the same warning, of another build", edited(warn("WARNING: CPU: 0 PID: 1 at fs/namespace.c:12 pivot+0x1/0x2")), edited(warn("WARNING: CPU: 1 PID: 77 at fs/namespace.c:345 pivot+0x3/0x4")), bisect.Bad},
		{"another warning", edited(warn("WARNING: CPU: 0 PID: 1 at fs/namespace.c:12 pivot+0x1/0x2")), edited(warn("WARNING: CPU: 0 PID: 1 at fs/fork.c:12 fork+0x1/0x2")), bisect.Good},
		{"a panic before the warning could come", edited(warn("WARNING: CPU: 0 PID: 1 at fs/namespace.c:12 pivot+0x1/0x2")), edited(end(cell.Broken, panics, 6)), bisect.Untold},
		{"broken", edited(status(stacked, record.Broken, "mount: EPERM")), edited(status(stacked, record.Broken, "mount: EPERM")), bisect.Bad},
		{"broken otherwise", edited(status(stacked, record.Broken, "mount: EPERM")), edited(status(stacked, record.Broken, "fork: EAGAIN")), bisect.Untold},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := signature.OfCell(judge(t, tt.sought))
			if len(found) == 0 {
				t.Fatal("nothing fails in what is sought")
			}
			q, err := bisect.Failure(fixture.Base(t), found[len(found)-1].Signature.String())
			if err != nil {
				t.Fatal(err)
			}
			got, why := q.Answer(judge(t, tt.c))
			if got != tt.want || why == "" {
				t.Errorf("%s: %s, want %s; sought %s", got, why, tt.want, found[len(found)-1].Signature)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	base := fixture.Base(t)
	for _, tt := range []struct{ id, bad, good, want string }{
		{"rootfs/nothing", "OK", "", `there is no behaviour "rootfs/nothing"`},
		{stacked, "", "", "does not begin with an outcome"},
		{stacked, "EBSUY", "", `"EBSUY" does not begin with an outcome`},
		{stacked, "ok", "", "does not begin with an outcome"},
		{stacked, "OK root=moved", "", "does not begin with an outcome"},
		{thread, "OK, roots=moved", "", `has no fact "roots": it has control, effect, root`},
		{thread, "OK, root=", "", "the fact root has no value"},
		{thread, "OK, root=a, root=b", "", "the fact root stands there twice"},
		{"moves/other-process", "OK, mount-id=1", "", "differs from boot to boot"},
		{stacked, "OK", "OK", "can both be true"},
		{thread, "OK", "OK, root=moved", "can both be true"},
		{thread, "OK, root=moved", "OK, control=OK", "can both be true"},
		{stacked, "OK", "sure", "does not begin with an outcome"},
	} {
		_, err := bisect.ComesOut(base, tt.id, tt.bad, tt.good)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q %q: got %v, want %q", tt.id, tt.bad, tt.good, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		"":                              "no signature",
		"rootfs/pid1-pivot OK":          "no signature",
		"unexpected rootfs/nothing OK":  "there is no behaviour rootfs/nothing",
		"unexpected rootfs/pid1-pivot ": "no signature",

		"baseline rootfs/pid1-pivot OK effect=pivoted -> EINVAL effect=none": "ask for --behaviour rootfs/pid1-pivot --good OK --bad EINVAL; see",
		"baseline moves/kernel-thread OK root=moved -> OK root=stays":        "ask for --behaviour moves/kernel-thread --good 'OK, root=moved' --bad 'OK, root=stays'; see",
		"baseline moves/kernel-thread OK root=x_y -> OK root=stays":          "--good 'OK, FACT=VALUE' --bad 'OK, FACT=VALUE'; see",
		"baseline moves/kernel-thread OK -> (none)":                          "ask for one outcome with --behaviour and --bad; see",
		"baseline cell complete -> (none)":                                   "says how two runs differ",
	} {
		if _, err := bisect.Failure(base, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzComesOut(f *testing.F) {
	for _, s := range []string{"OK", "EINVAL", "OK, root=moved", "OK,root=a, b,cwd=", ", =", "OK, effect=none, control=OK"} {
		f.Add(s)
	}
	base := fixture.Base(f)
	c := func() *verdict.CellResult {
		j, err := verdict.Judge(base, []*cell.Cell{edited()}, "")
		if err != nil {
			f.Fatal(err)
		}
		return j.Cells[0]
	}()
	f.Fuzz(func(t *testing.T, bad string) {
		q, err := bisect.ComesOut(base, "moves/other-process", bad, "")
		if err != nil {
			if err.Error() == "" {
				t.Error("an empty error")
			}
			return
		}
		if a, _ := q.Answer(c); a != bisect.Good && a != bisect.Bad {
			t.Errorf("%q: %s of what is as expected", bad, a)
		}
	})
}
