package verdict_test

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

func judge(t *testing.T, edition string, cells ...*cell.Cell) *verdict.Judgement {
	t.Helper()
	j, err := verdict.Judge(fixture.Base(t), cells, edition)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func rec(id string, status record.Status, why string) *record.Record {
	return &record.Record{Type: record.TypeObservation, ID: id, Status: status, Why: why}
}

// TestObservation judges one changed observation in a cell that is otherwise as expected.
func TestObservation(t *testing.T) {
	seen := fixture.Observed
	for _, tt := range []struct {
		name    string
		series  string
		edition string
		rec     *record.Record
		want    verdict.Verdict
		wrong   string // part of what is wrong; "" if nothing
	}{
		// Claims decide where the ledger has no entry.
		{"as claimed", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL"), verdict.Conforms, ""},
		{"other errno", "6.12", "", seen("einval/put-old-mount-shared", "EBUSY"), verdict.Unexpected, "outcome is EBUSY, not EINVAL"},
		{"success for an errno", "6.12", "", seen("einval/put-old-mount-shared", "OK"), verdict.Unexpected, "outcome is OK, not EINVAL"},
		{"an errno for success", "6.12", "", seen("ebusy/put-old-stacked", "EBUSY"), verdict.Unexpected, "outcome is EBUSY, not OK"},
		{"fact as claimed", "6.12", "", seen("moves/other-process", "OK", "root", "moved", "cwd", "moved"), verdict.Conforms, ""},
		{"fact not as claimed", "6.12", "", seen("moves/other-process", "OK", "root", "moved", "cwd", "stayed"), verdict.Unexpected, "cwd is stayed, not moved"},
		{"claimed fact absent", "6.12", "", seen("moves/other-process", "OK", "root", "moved"), verdict.Unexpected, "fact cwd is not reported"},
		{"unknown fact", "6.12", "", seen("moves/other-process", "OK", "root", "moved", "cwd", "moved", "umask", "022"), verdict.Unexpected, "fact umask=022 is not known"},
		{"informational fact", "6.12", "", seen("moves/other-process", "OK", "root", "moved", "cwd", "moved", "mount-id", "9999"), verdict.Conforms, ""},

		// The universal facts.
		{"success without a pivot", "6.12", "", seen("ebusy/put-old-stacked", "OK", "effect", "none"), verdict.Unexpected, "effect is none, not pivoted"},
		{"failure with a pivot", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL", "effect", "pivoted"), verdict.Unexpected, "effect is pivoted, not none"},
		{"some other effect", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL", "effect", "root elsewhere"), verdict.Unexpected, "effect is root elsewhere"},
		{"no effect reported", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL", "effect", ""), verdict.Unexpected, "fact effect is not reported"},
		{"no effect needed", "6.12", "", seen("rootfs/umount-root", "EINVAL", "effect", ""), verdict.Silent, ""},
		{"effect wrong where not needed", "6.12", "", seen("rootfs/umount-root", "EINVAL", "effect", "pivoted"), verdict.Unexpected, "effect is pivoted"},
		{"control succeeds", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL", "control", "OK"), verdict.Conforms, ""},
		{"control fails", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL", "control", "EINVAL"), verdict.Unexpected, "control is EINVAL, not OK"},
		{"no control", "6.12", "", seen("einval/put-old-not-below-new-root", "EINVAL"), verdict.Unexpected, "fact control is not reported"},
		{"no control needed", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL"), verdict.Conforms, ""},
		{"wrong outcome, and no fact that goes with the right one", "7.3", "", seen("moves/kernel-thread", "EBUSY"), verdict.Unexpected, "outcome is EBUSY, not OK (the ledger since 7.3)"},
		{"control does not pivot", "6.12", "", seen("einval/put-old-mount-shared", "EINVAL", "control", "OK", "after-control", "none"), verdict.Unexpected, "after-control is none"},

		// The ledger overrides the page.
		{"before the deviation", "6.19", "", seen("rootfs/pid1-pivot", "EINVAL"), verdict.Conforms, ""},
		{"deviation too early", "6.19", "", seen("rootfs/pid1-pivot", "OK"), verdict.Unexpected, "outcome is OK, not EINVAL (claim"},
		{"deviation", "7.0", "", seen("rootfs/pid1-pivot", "OK"), verdict.Deviation, ""},
		{"deviation in a kernel to come", "8.1", "", seen("rootfs/pid1-pivot", "OK"), verdict.Deviation, ""},
		{"stopped deviating", "7.0", "", seen("rootfs/pid1-pivot", "EINVAL"), verdict.Unexpected, "stopped deviating"},
		{"deviates otherwise", "7.0", "", seen("rootfs/pid1-pivot", "EBUSY"), verdict.Unexpected, "outcome is EBUSY, not OK (the ledger since 7.0)"},
		{"deviation without a pivot", "7.0", "", seen("rootfs/pid1-pivot", "OK", "effect", "none"), verdict.Unexpected, "effect is none"},
		{"deviation with a failed control", "7.0", "", seen("rootfs/pid1-pivot", "OK", "control", "EPERM"), verdict.Unexpected, "control is EPERM"},
		{"deviation in a fact", "7.3", "", seen("moves/kernel-thread", "OK", "root", "stays"), verdict.Deviation, ""},
		{"fact stopped deviating", "7.3", "", seen("moves/kernel-thread", "OK", "root", "moved"), verdict.Unexpected, "stopped deviating"},
		{"fact deviates too early", "7.2", "", seen("moves/kernel-thread", "OK", "root", "stays"), verdict.Unexpected, "root is stays, not moved"},
		{"ledger's fact absent", "7.3", "", seen("moves/kernel-thread", "OK"), verdict.Unexpected, "fact root is not reported"},

		// The page is silent.
		{"silent as known", "6.12", "", seen("lookup/capability-before-lookup", "EPERM"), verdict.Silent, ""},
		{"silent not as known", "7.0", "", seen("lookup/capability-before-lookup", "EPERM"), verdict.Unexpected, "outcome is EPERM, not ENOENT"},
		{"either of a set", "6.12", "", seen("lookup/put-old-lazily-unmounted", "EINVAL"), verdict.Silent, ""},
		{"or the other", "6.12", "", seen("lookup/put-old-lazily-unmounted", "ENOENT"), verdict.Silent, ""},
		{"none of a set", "6.12", "", seen("lookup/put-old-lazily-unmounted", "EBUSY"), verdict.Unexpected, "not EINVAL or ENOENT"},
		{"not in the ledger's range", "6.2", "", seen("lookup/put-old-lazily-unmounted", "EINVAL"), verdict.Unexpected, "nothing is known about it"},
		{"nor what moved with it", "6.2", "", seen("lookup/put-old-lazily-unmounted", "EINVAL", "effect", "pivoted"), verdict.Unexpected, "effect is pivoted, not none"},

		// Series compare as numbers.
		{"6.2 is older than 6.19", "6.2", "", seen("rootfs/umount-root", "EINVAL", "effect", ""), verdict.Silent, ""},
		{"7.10 is newer than 7.3", "7.10", "", seen("moves/kernel-thread", "OK", "root", "stays"), verdict.Deviation, ""},

		// Another edition is judged; the current one still says what is expected.
		{"old page is right", "6.12", "4.10", seen("eperm/no-cap-sys-admin", "EPERM"), verdict.Conforms, ""},
		{"old page is wrong", "6.12", "4.10", seen("ebusy/put-old-stacked", "OK"), verdict.Deviation, ""},
		{"old page is right and the new one is not", "6.12", "4.10", seen("ebusy/put-old-stacked", "EBUSY"), verdict.Unexpected, "outcome is EBUSY, not OK"},
		{"old page is silent", "7.0", "4.10", seen("rootfs/pid1-pivot", "OK"), verdict.Silent, ""},
		{"old page is silent, unexpected", "7.0", "4.10", seen("rootfs/pid1-pivot", "EINVAL"), verdict.Unexpected, "stopped deviating"},
		{"page without claims", "7.0", "5.10", seen("eperm/no-cap-sys-admin", "EPERM"), verdict.Silent, ""},

		// Nothing observed.
		{"broken", "6.12", "", rec("einval/put-old-mount-shared", record.Broken, "mount: EPERM"), verdict.Broken, "mount: EPERM"},
		{"broken without a reason", "6.12", "", rec("einval/put-old-mount-shared", record.Broken, ""), verdict.Broken, "no reason given"},
		{"unsupported", "6.12", "", rec("eperm/landlock", record.Unsupported, "no Landlock"), verdict.Unsupported, "no Landlock"},
		{"unsupported without a stated need", "6.12", "", rec("einval/put-old-mount-shared", record.Unsupported, "no mounts"), verdict.Unexpected, "not known to need anything"},
		{"status from the future", "6.12", "", rec("einval/put-old-mount-shared", "postponed", ""), verdict.Broken, `unknown status "postponed"`},
		{"no status", "6.12", "", rec("einval/put-old-mount-shared", "", ""), verdict.Broken, "unknown status"},
		{"no outcome", "6.12", "", rec("einval/put-old-mount-shared", record.Observed, ""), verdict.Broken, "without an outcome"},
		{"broken beats its outcome", "6.12", "", &record.Record{Type: record.TypeObservation, ID: "einval/put-old-mount-shared", Status: record.Broken, Outcome: "EINVAL", Why: "cleanup"}, verdict.Broken, "cleanup"},
		{"unknown behaviour", "6.12", "", seen("einval/new", "EINVAL"), verdict.Unexpected, "unknown behaviour"},
		{"unknown behaviour, broken", "6.12", "", rec("einval/new", record.Broken, "mount"), verdict.Unexpected, "unknown behaviour"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := fixture.Cell(tt.series, "amd64")
			fixture.Replace(c, tt.rec)
			r := judge(t, tt.edition, c).Cells[0].Result(tt.rec.ID)
			if r == nil {
				t.Fatal("no result")
			}
			wrong := strings.Join(r.Wrong, "; ")
			if r.Verdict != tt.want || !strings.Contains(wrong, tt.wrong) || (tt.wrong == "") != (wrong == "") {
				t.Errorf("got %s (%s), want %s (%s)", r.Verdict, wrong, tt.want, tt.wrong)
			}
			if strings.Contains(wrong, "stopped deviating") != strings.Contains(tt.wrong, "stopped deviating") {
				t.Errorf("wrong about having stopped to deviate: %s", wrong)
			}
		})
	}
}

// TestUnconstrainedFact: a fact that neither the ledger nor a claim says anything about on
// this kernel must not pass unseen.
func TestUnconstrainedFact(t *testing.T) {
	base := fixture.Base(t)
	// The ledger allows another outcome from 7.0, but says nothing about the fact then.
	for i := range base.Ledger {
		if e := &base.Ledger[i]; e.Behaviour == "moves/kernel-thread" {
			e.Outcome, e.Facts = knowledge.Set{"EINVAL"}, nil
		}
	}
	c := fixture.Cell("7.3", "amd64")
	fixture.Replace(c, fixture.Observed("moves/kernel-thread", "EINVAL", "root", "elsewhere", "control", "OK"))
	j, err := verdict.Judge(base, []*cell.Cell{c}, "")
	if err != nil {
		t.Fatal(err)
	}
	r := j.Cells[0].Result("moves/kernel-thread")
	if r.Verdict != verdict.Unexpected || !strings.Contains(r.Wrong[0], "nothing says what it should be") {
		t.Errorf("got %s %q", r.Verdict, r.Wrong)
	}
}

// TestLedgerKeepsTheOtherFacts: an entry that names one fact leaves the claim's others in force.
func TestLedgerKeepsTheOtherFacts(t *testing.T) {
	base := fixture.Base(t)
	for i := range base.Ledger {
		if e := &base.Ledger[i]; e.Behaviour == "moves/kernel-thread" {
			e.Facts = nil
		}
	}
	for root, want := range map[string]verdict.Verdict{"moved": verdict.Conforms, "stays": verdict.Unexpected} {
		c := fixture.Cell("7.3", "amd64")
		fixture.Replace(c, fixture.Observed("moves/kernel-thread", "OK", "root", root))
		j, err := verdict.Judge(base, []*cell.Cell{c}, "")
		if err != nil {
			t.Fatal(err)
		}
		if r := j.Cells[0].Result("moves/kernel-thread"); r.Verdict != want {
			t.Errorf("root=%s: got %s %q, want %s", root, r.Verdict, r.Wrong, want)
		}
	}
}

// TestLedgerByArch: an entry for some architectures leaves the others to the claims.
func TestLedgerByArch(t *testing.T) {
	base := fixture.Base(t)
	for i := range base.Ledger {
		if e := &base.Ledger[i]; e.Behaviour == "rootfs/pid1-pivot" {
			e.Arch = []string{"arm64"}
		}
	}
	j, err := verdict.Judge(base, []*cell.Cell{fixture.Cell("7.0", "amd64"), fixture.Cell("7.0", "arm64")}, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []verdict.Verdict{verdict.Unexpected, verdict.Deviation} {
		if r := j.Cells[i].Result("rootfs/pid1-pivot"); r.Verdict != want {
			t.Errorf("%s: got %s, want %s", j.Cells[i].Cell.Name, r.Verdict, want)
		}
	}
}

func TestClaimNamesUniversalFact(t *testing.T) {
	base := fixture.Base(t)
	for i := range base.Claims {
		if c := &base.Claims[i]; c.ID == "errors/einval-shared" {
			c.Demands[0].Facts = map[string]knowledge.Set{knowledge.FactControl: {"EBUSY"}}
		}
	}
	for control, want := range map[string]verdict.Verdict{"EBUSY": verdict.Conforms, "OK": verdict.Unexpected, "": verdict.Unexpected} {
		c := fixture.Cell("7.0", "amd64")
		fixture.Replace(c, fixture.Observed("einval/put-old-mount-shared", "EINVAL", "control", control))
		j, err := verdict.Judge(base, []*cell.Cell{c}, "")
		if err != nil {
			t.Fatal(err)
		}
		if r := j.Cells[0].Result("einval/put-old-mount-shared"); r.Verdict != want {
			t.Errorf("control %q: got %s %q, want %s", control, r.Verdict, r.Wrong, want)
		}
	}
}

// TestCell judges cells as a whole.
func TestCell(t *testing.T) {
	is := func(typ record.Type) func(*record.Record) bool {
		return func(r *record.Record) bool { return r.Type == typ }
	}
	const id = "einval/put-old-mount-shared"
	for _, tt := range []struct {
		name   string
		change func(*cell.Cell)
		status cell.Status
		reason string
		want   verdict.Verdict // of id; "" for no result
		exit   int
	}{
		{"good", func(*cell.Cell) {}, cell.Complete, "", verdict.Conforms, 0},
		{"unexpected", func(c *cell.Cell) { fixture.Replace(c, fixture.Observed(id, "OK")) }, cell.Complete, "", verdict.Unexpected, 1},
		{"broken behaviour", func(c *cell.Cell) { fixture.Replace(c, rec(id, record.Broken, "x")) }, cell.Complete, "", verdict.Broken, 3},
		{"planned and not reported", func(c *cell.Cell) { fixture.Remove(c, func(r *record.Record) bool { return r.ID == id }) }, cell.Complete, "", verdict.Missing, 3},
		{"known and not planned", func(c *cell.Cell) {
			fixture.Remove(c, func(r *record.Record) bool { return r.ID == id })
			c.Records[0].Plan = slices.DeleteFunc(c.Records[0].Plan, func(s string) bool { return s == id })
		}, cell.Complete, "", verdict.Missing, 3},
		{"unknown, planned and not reported", func(c *cell.Cell) { c.Records[0].Plan = append(c.Records[0].Plan, "x/y") }, cell.Complete, "", verdict.Conforms, 3},
		{"no end", func(c *cell.Cell) { fixture.Remove(c, is(record.TypeEnd)) }, cell.Broken, "stop before the end", verdict.Conforms, 3},
		{"no plan", func(c *cell.Cell) { fixture.Remove(c, is(record.TypePlan)) }, cell.Broken, "no plan", verdict.Conforms, 3},
		{"no records", func(c *cell.Cell) { c.Records = nil }, cell.Broken, "no plan", verdict.Missing, 3},
		{"broken", func(c *cell.Cell) { c.Status, c.Reason = cell.Broken, "panic" }, cell.Broken, "panic", verdict.Conforms, 3},
		{"broken and unexpected", func(c *cell.Cell) {
			c.Status, c.Reason = cell.Broken, "panic"
			fixture.Replace(c, fixture.Observed(id, "OK"))
		}, cell.Broken, "panic", verdict.Unexpected, 1},
		{"broken without a reason", func(c *cell.Cell) { c.Status = cell.Broken }, cell.Broken, "no reason recorded", verdict.Conforms, 3},
		{"unavailable", func(c *cell.Cell) { c.Status, c.Reason, c.Records = cell.Unavailable, "no network", nil }, cell.Unavailable, "no network", "", 3},
		{"another kernel ran", func(c *cell.Cell) { c.Records[1].Kernel.Release = "6.12.1" }, cell.Broken, "a kernel of series 7.0 was wanted and 6.12.1 ran", verdict.Broken, 3},
		{"series from the guest", func(c *cell.Cell) { c.Series = "" }, cell.Complete, "", verdict.Conforms, 0},
		{"no series at all", func(c *cell.Cell) { c.Series, c.Records[1].Kernel.Release = "", "next" }, cell.Broken, "no known series", verdict.Broken, 3},
		{"series that is none, no kernel", func(c *cell.Cell) { c.Series = "new"; fixture.Remove(c, is(record.TypeKernel)) }, cell.Broken, "no known series", verdict.Broken, 3},
		{"no kernel record", func(c *cell.Cell) { fixture.Remove(c, is(record.TypeKernel)) }, cell.Complete, "", verdict.Conforms, 0},
		{"record of an unknown type", func(c *cell.Cell) { c.Records = append(c.Records, &record.Record{Type: "poem"}) }, cell.Complete, "", verdict.Conforms, 0},
		{"reported twice alike", func(c *cell.Cell) { c.Records = append(c.Records, fixture.Observed(id, "EINVAL")) }, cell.Complete, "", verdict.Conforms, 0},
		{"reported twice differently", func(c *cell.Cell) { c.Records = append(c.Records, fixture.Observed(id, "OK")) }, cell.Complete, "", verdict.Broken, 3},
		{"unknown warning", func(c *cell.Cell) {
			c.Records = append(c.Records, &record.Record{Type: record.TypeWarning, Why: "BUG: oops"})
		}, cell.Complete, "", verdict.Conforms, 1},
		{"known warning", func(c *cell.Cell) {
			c.Records = append(c.Records, &record.Record{Type: record.TypeWarning, Why: "tsc: TSC refined calibration"})
		}, cell.Complete, "", verdict.Conforms, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := fixture.Cell("7.0", "amd64")
			tt.change(c)
			j := judge(t, "", c)
			got := j.Cells[0]
			if got.Status != tt.status || !strings.Contains(got.Reason, tt.reason) || (tt.reason == "") != (got.Reason == "") {
				t.Errorf("cell is %s (%s), want %s (%s)", got.Status, got.Reason, tt.status, tt.reason)
			}
			var v verdict.Verdict
			if r := got.Result(id); r != nil {
				v = r.Verdict
			}
			if v != tt.want {
				t.Errorf("verdict is %q, want %q", v, tt.want)
			}
			if exit := j.Exit(); exit != tt.exit {
				t.Errorf("exit status is %d, want %d", exit, tt.exit)
			}
		})
	}
}

// TestExitPrecedence: 1 wins over 3, in whichever order the cells come.
func TestExitPrecedence(t *testing.T) {
	broken, wrong := fixture.Cell("6.1", "amd64"), fixture.Cell("7.0", "amd64")
	broken.Status = cell.Broken
	fixture.Replace(wrong, fixture.Observed("einval/put-old-mount-shared", "OK"))
	if got := judge(t, "", broken, wrong).Exit(); got != 1 {
		t.Errorf("broken, then unexpected: got %d, want 1", got)
	}
	broken.Series, broken.Name = "7.3", "7.3-amd64"
	broken.Records[1].Kernel.Release = "7.3.1"
	if got := judge(t, "", broken, wrong).Exit(); got != 1 {
		t.Errorf("unexpected, then broken: got %d, want 1", got)
	}
	if got := judge(t, "").Exit(); got != 3 {
		t.Errorf("no cells: got %d, want 3", got)
	}
	if got := judge(t, "", fixture.Good()...).Exit(); got != 0 {
		t.Errorf("good: got %d, want 0", got)
	}
}

func TestOrder(t *testing.T) {
	cells := fixture.Good()
	slices.Reverse(cells)
	cells = append(cells, fixture.Cell("7.2", "arm64"), fixture.Cell("6.2", "amd64"))
	first := cells[0]
	var got []string
	for _, c := range judge(t, "", cells...).Cells {
		got = append(got, c.Cell.Name)
	}
	want := "5.10-amd64 6.1-amd64 6.2-amd64 6.12-amd64 6.16-amd64 6.17-amd64 6.18-amd64 6.19-amd64 7.0-amd64 7.1-amd64 7.2-amd64 7.3-amd64 7.2-arm64"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if cells[0] != first {
		t.Error("the caller's cells were reordered")
	}
}

func TestUnknownEdition(t *testing.T) {
	_, err := verdict.Judge(fixture.Base(t), nil, "7.0")
	if err == nil || !strings.Contains(err.Error(), "4.10 or 5.10 or 6.20") {
		t.Errorf("got %v, want the editions there are", err)
	}
}

// TestEveryWrongAnswer: whatever one observation of a good cell is changed into, it is
// never taken for what was expected. This is what a suite is worth.
func TestEveryWrongAnswer(t *testing.T) {
	base := fixture.Base(t)
	for _, series := range fixture.Series() {
		for _, o := range fixture.Cell(series, "amd64").Records {
			if o.Type != record.TypeObservation || o.Status != record.Observed {
				continue
			}
			for name, lie := range map[string]func(r *record.Record){
				"other errno": func(r *record.Record) { r.Outcome, r.Facts["effect"] = "EIO", "none" },
				"success": func(r *record.Record) {
					if r.Outcome == "OK" {
						r.Outcome = "EIO"
					} else {
						r.Outcome, r.Facts["effect"] = "OK", "pivoted"
					}
				},
				"other effect": func(r *record.Record) {
					r.Facts["effect"] = map[string]string{"none": "pivoted", "pivoted": "none", "": "something"}[r.Facts["effect"]]
				},
				"control": func(r *record.Record) { r.Facts["control"] = "EINVAL" },
				"root": func(r *record.Record) {
					if _, ok := r.Facts["root"]; ok {
						r.Facts["root"] = "elsewhere"
					} else {
						r.Outcome = "EIO"
					}
				},
			} {
				c := fixture.Cell(series, "amd64")
				for _, r := range c.Records {
					if r.ID == o.ID {
						lie(r)
					}
				}
				j, err := verdict.Judge(base, []*cell.Cell{c}, "")
				if err != nil {
					t.Fatal(err)
				}
				if r := j.Cells[0].Result(o.ID); r.Verdict != verdict.Unexpected || j.Exit() != 1 {
					t.Errorf("%s: %s: lie about %s is %s", series, o.ID, name, r.Verdict)
				}
			}
		}
	}
}
