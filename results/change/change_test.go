package change_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

func judge(t *testing.T, base *knowledge.Base, cells ...*cell.Cell) *verdict.Judgement {
	t.Helper()
	j, err := verdict.Judge(base, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// told says all of a pair: changes with a mark where something stops, then gaps with a mark where they are open.
func told(c *change.Comparison) []string {
	var out []string
	for _, p := range c.Pairs {
		for i := range p.Changes {
			x := &p.Changes[i]
			s := fmt.Sprintf("%s: %s: %s", x.Behaviour, x.Kind, x.Says)
			if x.Stops {
				s = "! " + s
			}
			if x.Why != "" {
				s += " [" + x.Why + "]"
			}
			if len(x.Unexpected) > 0 {
				s += " UNEXPECTED"
			}
			out = append(out, s)
		}
		for _, g := range p.Gaps {
			s := fmt.Sprintf("gap %s: %s: %s / %s", g.Behaviour, g.Reason, g.Old, g.New)
			if g.Open {
				s = "? " + s
			}
			out = append(out, s)
		}
	}
	return out
}

func TestCompare(t *testing.T) {
	unsupported := func(id, why string) *record.Record {
		return &record.Record{Type: record.TypeObservation, ID: id, Status: record.Unsupported, Why: why}
	}
	broken := func(id string) *record.Record {
		return &record.Record{Type: record.TypeObservation, ID: id, Status: record.Broken, Why: "mount tmpfs: EPERM"}
	}
	warning := func(text string) func(c *cell.Cell) {
		return func(c *cell.Cell) {
			c.Records = slices.Insert(c.Records, 2, &record.Record{Type: record.TypeWarning, Level: 4, Why: text})
		}
	}
	put := func(r *record.Record) func(c *cell.Cell) { return func(c *cell.Cell) { fixture.Replace(c, r) } }
	forget := func(id string, plan bool) func(c *cell.Cell) {
		return func(c *cell.Cell) {
			fixture.Remove(c, func(r *record.Record) bool { return r.ID == id })
			if plan {
				c.Records[0].Plan = slices.DeleteFunc(c.Records[0].Plan, func(p string) bool { return p == id })
			}
		}
	}
	all := func(edits ...func(*cell.Cell)) func(*cell.Cell) {
		return func(c *cell.Cell) {
			for _, e := range edits {
				e(c)
			}
		}
	}
	const shared, other, thread, stacked = "einval/put-old-mount-shared", "moves/other-process", "moves/kernel-thread", "ebusy/put-old-stacked"
	for _, tt := range []struct {
		name     string
		old, new func(*cell.Cell)
		want     []string
		exit     int
	}{
		{"the same", nil, nil, nil, 0},
		{"fails now", nil, put(fixture.Observed(stacked, "EBUSY")),
			[]string{"! ebusy/put-old-stacked: fails now: fails with EBUSY now, and worked UNEXPECTED"}, 1},
		{"works now", nil, put(fixture.Observed(shared, "OK")),
			[]string{"einval/put-old-mount-shared: works now: works now, and failed with EINVAL UNEXPECTED"}, 0},
		{"another error", nil, put(fixture.Observed(shared, "EBUSY")),
			[]string{"einval/put-old-mount-shared: fails otherwise: fails with EBUSY now, not EINVAL UNEXPECTED"}, 0},
		{"a task moves no longer", nil, put(fixture.Observed(other, "OK", "root", "new_root", "cwd", "old_root", "mount-id", "7")),
			// the fixture's own values are "moved", which is no place
			[]string{"! moves/other-process: works otherwise: is elsewhere: its cwd (moved before, old_root now); moves now: its root (moved before, new_root now) UNEXPECTED"}, 1},
		{"a free fact", nil, put(fixture.Observed(thread, "OK", "root", "stays")),
			[]string{"moves/kernel-thread: works otherwise: is elsewhere: it (moved before, stays now) UNEXPECTED"}, 0},
		{"the control fails", nil, put(fixture.Observed("eperm/no-cap-sys-admin", "EPERM", "control", "EINVAL")),
			[]string{"! eperm/no-cap-sys-admin: works otherwise: fails now: the same call without the fault (OK before, EINVAL now) UNEXPECTED"}, 1},
		{"a step succeeds now", put(fixture.Observed(other, "OK", "root", "EBUSY", "cwd", "moved")), put(fixture.Observed(other, "OK", "root", "OK", "cwd", "moved")),
			[]string{"moves/other-process: works otherwise: is elsewhere: its root (EBUSY before, OK now) UNEXPECTED"}, 0},
		{"an error that changes the caller's root", nil, put(fixture.Observed(shared, "EINVAL", "effect", "pivoted")),
			[]string{"! einval/put-old-mount-shared: works otherwise: is otherwise: what the call does to the caller's root (none before, pivoted now) UNEXPECTED"}, 1},
		{"what is for people is not compared", nil, put(fixture.Observed(other, "OK", "root", "moved", "cwd", "moved", "mount-id", "7")), nil, 0},
		{"no longer supported", nil, put(unsupported("eperm/landlock", "no Landlock")),
			[]string{"! eperm/landlock: no longer supported: the kernel no longer supports it (no Landlock); before, it failed with EPERM"}, 1},
		{"supported now", put(unsupported("eperm/landlock", "no Landlock")), nil,
			[]string{"eperm/landlock: supported now: the kernel supports it now, and did not (no Landlock); it fails with EPERM [the domain forbids changes of the mount tree]"}, 0},
		{"supported on neither side, for other reasons", put(unsupported("eperm/landlock", "no Landlock")), put(unsupported("eperm/landlock", "ENOSYS")), nil, 0},
		{"not known to need anything, and unsupported", nil, put(unsupported(stacked, "no luck")),
			[]string{"! ebusy/put-old-stacked: no longer supported: the kernel no longer supports it (reported as unsupported (no luck), and it is not known to need anything); before, it succeeded UNEXPECTED"}, 1},
		{"the module is missing of what worked", nil, put(unsupported(stacked, "the kernel has no x, and its module x is not to be had: none came with it")),
			[]string{"? gap ebusy/put-old-stacked: what was given lacks the module or program: OK / reported as unsupported (the kernel has no x, and its module x is not to be had: none came with it), and it is not known to need anything"}, 3},
		{"the module is missing of what failed", nil, put(unsupported("eperm/landlock", "its module x is not to be had: none")),
			[]string{"gap eperm/landlock: what was given lacks the module or program: EPERM / its module x is not to be had: none"}, 0},
		{"the module was missing", put(unsupported(stacked, "its module x is not to be had: none")), nil,
			[]string{"gap ebusy/put-old-stacked: what was given lacks the module or program: reported as unsupported (its module x is not to be had: none), and it is not known to need anything / OK"}, 0},
		{"broken now", nil, put(broken(stacked)),
			[]string{"? gap ebusy/put-old-stacked: broken or missing: OK / mount tmpfs: EPERM"}, 3},
		{"broken, and never worked", nil, put(broken(shared)),
			[]string{"gap einval/put-old-mount-shared: broken or missing: EINVAL / mount tmpfs: EPERM"}, 0},
		{"broken before, and works", put(broken(stacked)), nil,
			[]string{"gap ebusy/put-old-stacked: broken or missing: mount tmpfs: EPERM / OK"}, 0},
		{"broken before, and fails", put(broken(shared)), nil,
			[]string{"? gap einval/put-old-mount-shared: broken or missing: mount tmpfs: EPERM / EINVAL"}, 3},
		{"broken on both sides", put(broken(stacked)), put(broken(stacked)),
			[]string{"? gap ebusy/put-old-stacked: broken or missing: mount tmpfs: EPERM / mount tmpfs: EPERM"}, 3},
		{"missing", nil, forget(stacked, false),
			[]string{"? gap ebusy/put-old-stacked: broken or missing: OK / planned and not reported"}, 3},
		{"the older suite does not know it", forget(stacked, true), nil,
			[]string{"gap ebusy/put-old-stacked: the suite that ran does not know it: neither planned nor reported / OK"}, 0},
		{"the newer suite does not know it", nil, forget(stacked, true),
			[]string{"? gap ebusy/put-old-stacked: the suite that ran does not know it: OK / neither planned nor reported"}, 3},
		{"neither suite knows it", forget(stacked, true), forget(stacked, true), nil, 0},
		{"only another suite knows it", nil, put(fixture.Observed("einval/from-the-future", "EINVAL")),
			[]string{"? gap einval/from-the-future: the suite that ran does not know it: not known there / EINVAL"}, 3},
		{"both report what is unknown, and differently", put(fixture.Observed("einval/from-the-future", "OK")), put(fixture.Observed("einval/from-the-future", "EINVAL")),
			[]string{"! einval/from-the-future: fails now: fails with EINVAL now, and worked UNEXPECTED"}, 1},
		{"a machine of others", func(c *cell.Cell) {
			c.Backend = cell.HostBackend
			r := unsupported(stacked, "not on this machine")
			r.Beyond = record.BeyondMachine
			fixture.Replace(c, r)
		}, nil, []string{"gap ebusy/put-old-stacked: cannot be tried there: not on this machine / OK"}, 0},
		{"beyond a machine that is the suite's own", nil, func(c *cell.Cell) {
			r := unsupported(stacked, "so it says")
			r.Beyond = record.BeyondMachine
			fixture.Replace(c, r)
		}, []string{"! ebusy/put-old-stacked: no longer supported: the kernel no longer supports it (reported as beyond a machine that is not its own (so it says), and this one was); before, it succeeded UNEXPECTED"}, 1},
		{"the cell is broken", nil, func(c *cell.Cell) {
			c.Status, c.Reason, c.Records = cell.Broken, "Kernel panic", c.Records[:6]
		}, []string{"? gap : the cell is not complete: complete / broken: Kernel panic"}, 3},
		{"the cell is broken, and what it showed is worse", nil, func(c *cell.Cell) {
			fixture.Replace(c, fixture.Observed(stacked, "EBUSY"))
			c.Status, c.Reason = cell.Broken, "Kernel panic"
		}, []string{"! ebusy/put-old-stacked: fails now: fails with EBUSY now, and worked UNEXPECTED", "? gap : the cell is not complete: complete / broken: Kernel panic"}, 1},
		{"the cell never began", nil, func(c *cell.Cell) {
			c.Status, c.Reason, c.Records = cell.Unavailable, "no QEMU", nil
		}, []string{"? gap : the cell is not complete: complete / unavailable: no QEMU"}, 3},
		{"another kernel ran", nil, func(c *cell.Cell) { c.Records[1].Kernel.Release = "5.10.1" },
			[]string{"? gap : the cell is not complete: complete / broken: a kernel of series 7.1 was wanted and 5.10.1 ran"}, 3},
		{"the kernel warns", nil, warning("WARNING: fs/namespace.c:1 at pivot"),
			[]string{"! : warns now: the kernel logs a warning now: WARNING: fs/namespace.c:1 at pivot UNEXPECTED"}, 1},
		{"the kernel warns no longer", warning("WARNING: fs/namespace.c:1 at pivot"), nil,
			[]string{": no longer warns: the kernel no longer logs: WARNING: fs/namespace.c:1 at pivot"}, 0},
		{"the kernel warned, and now nobody looks", warning("WARNING: fs/namespace.c:1 at pivot"), func(c *cell.Cell) { c.Backend = cell.HostBackend }, nil, 0},
		{"the same warning with other numbers", warning("WARNING: fs/namespace.c:1 at pivot"), warning("WARNING: fs/namespace.c:23 at pivot"), nil, 0},
		{"a known warning", nil, warning("tsc: TSC refined calibration differs"), nil, 0},
		{"a warning that a cell cut short may not have come to", func(c *cell.Cell) {
			c.Status, c.Reason = cell.Broken, "Kernel panic"
		}, warning("WARNING: fs/namespace.c:1 at pivot"), []string{"? gap : the cell is not complete: broken: Kernel panic / complete"}, 3},
		{"much at once, in order", nil, all(put(fixture.Observed(stacked, "EBUSY")), put(fixture.Observed(shared, "OK")), put(broken(other))),
			[]string{
				"! ebusy/put-old-stacked: fails now: fails with EBUSY now, and worked UNEXPECTED",
				"einval/put-old-mount-shared: works now: works now, and failed with EINVAL UNEXPECTED",
				"? gap moves/other-process: broken or missing: OK / mount tmpfs: EPERM",
			}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := fixture.Base(t)
			before, after := fixture.Cell("7.1", "amd64"), fixture.Cell("7.1", "amd64")
			for _, x := range []struct {
				edit func(*cell.Cell)
				c    *cell.Cell
			}{{tt.old, before}, {tt.new, after}} {
				if x.edit != nil {
					x.edit(x.c)
				}
			}
			c := change.Compare(judge(t, base, before), judge(t, base, after))
			if got := told(c); !slices.Equal(got, tt.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if got := c.Exit(); got != tt.exit {
				t.Errorf("exit status %d, want %d", got, tt.exit)
			}
		})
	}
}

// TestReasons: what the ledger has, of the new side or, where only the old one was an exception, of that.
func TestReasons(t *testing.T) {
	base := fixture.Base(t)
	c := change.Compare(judge(t, base, fixture.Cell("6.19", "amd64")), judge(t, base, fixture.Cell("7.3", "amd64")))
	for _, got := range told(c) {
		t.Log(got)
	}
	why := map[string]string{}
	for _, x := range c.Pairs[0].Changes {
		why[x.Behaviour] = x.Why
	}
	for id, want := range map[string]string{"rootfs/pid1-pivot": "nullfs", "moves/kernel-thread": "nullfs"} {
		if !strings.Contains(why[id], want) {
			t.Errorf("%s: why is %q, want %q in it", id, why[id], want)
		}
	}
	back := change.Compare(judge(t, base, fixture.Cell("7.3", "amd64")), judge(t, base, fixture.Cell("6.19", "amd64")))
	for _, x := range back.Pairs[0].Changes {
		if x.Behaviour == "rootfs/pid1-pivot" && (x.Kind != change.Fails || !strings.HasPrefix(x.Why, "no longer so: ")) {
			t.Errorf("back again it %s, because %q", x.Kind, x.Why)
		}
	}
	if c.Exit() != 0 || back.Exit() != 1 {
		t.Errorf("exit status %d and back %d, want 0 and 1", c.Exit(), back.Exit())
	}
}

func TestMatch(t *testing.T) {
	base := fixture.BaseOfDisks(t)
	good := fixture.Good()
	many := fixture.Many(base, good)
	pick := func(names ...string) []*cell.Cell {
		var out []*cell.Cell
		for _, n := range names {
			out = append(out, fixture.Find(many, n))
		}
		return out
	}
	for _, tt := range []struct {
		name     string
		old, new []*cell.Cell
		want     string
	}{
		{"two kernels", pick("6.19-amd64"), pick("7.0-amd64"), "6.19-amd64=7.0-amd64"},
		{"two kernels of other architectures", pick("6.12-arm64"), pick("7.3-rt-amd64"), "6.12-arm64=7.3-rt-amd64"},
		{"another implementation", pick("7.3-amd64"), pick("gvisor-amd64"), "7.3-amd64=gvisor-amd64"},
		{"two kernels in two scenarios", pick("6.19-amd64-disk", "6.19-amd64"), pick("7.0-amd64", "7.0-amd64-disk"), "6.19-amd64=7.0-amd64 6.19-amd64-disk=7.0-amd64-disk"},
		{"two kernels and two ABIs", pick("6.12-amd64", "6.12-amd64-i386"), pick("7.2-amd64", "7.2-amd64-i386"), "6.12-amd64=7.2-amd64 6.12-amd64-i386=7.2-amd64-i386"},
		{"one series on several architectures", pick("6.12-amd64", "6.12-s390x"), pick("7.2-s390x", "7.2-amd64"), "6.12-amd64=7.2-amd64 6.12-s390x=7.2-s390x"},
		{"several series", pick("6.19-amd64", "7.0-amd64"), pick("7.0-amd64", "7.1-amd64"), "7.0-amd64=7.0-amd64 -6.19-amd64 +7.1-amd64"},
		{"nothing in common", pick("6.19-amd64"), pick("7.0-amd64-disk"), "-6.19-amd64 +7.0-amd64-disk"},
		{"nothing at all", nil, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := change.Compare(judge(t, base, tt.old...), judge(t, base, tt.new...))
			var got []string
			for _, p := range c.Pairs {
				got = append(got, p.Old.Cell.Name+"="+p.New.Cell.Name)
			}
			for _, x := range c.OnlyOld {
				got = append(got, "-"+x.Cell.Name)
			}
			for _, x := range c.OnlyNew {
				got = append(got, "+"+x.Cell.Name)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
			if lost := len(c.Pairs) == 0 || len(c.OnlyOld) > 0; lost && c.Exit() == 0 {
				t.Error("exit status 0, and something was not compared")
			}
		})
	}
	like, left := change.Like(many, pick("7.0-amd64", "6.12-s390x"))
	if len(like) != 2 || left != len(many)-2 {
		t.Errorf("%d cells are like those two, and %d are not", len(like), left)
	}
}
