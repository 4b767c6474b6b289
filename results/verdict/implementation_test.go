package verdict_test

import (
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// foreignBase is the knowledge of the fixture and of an implementation that is not Linux.
func foreignBase(t *testing.T) *knowledge.Base {
	t.Helper()
	base := fixture.Base(t)
	like, err := knowledge.ParseSeries("7.3")
	if err != nil {
		t.Fatal(err)
	}
	base.Implementations = []knowledge.Implementation{{
		ID: "other", Title: "Other", Release: "-other", Like: like,
		Lacks:    []knowledge.Lack{{Feature: "processes", Behaviours: []string{"moves/other-process"}}},
		Unjudged: map[string]string{"moves/kernel-thread": "it has none"},
		Ledger: []knowledge.Entry{
			{Behaviour: "ebusy/new-root-is-root-mount", Outcome: knowledge.Set{"EINVAL"}, Reason: "asked later"},
			{Behaviour: "ebusy/put-old-stacked", Outcome: knowledge.Set{"EBUSY"}, Reason: "no stacks", NoControl: "it is enough"},
			{Behaviour: "lookup/capability-before-lookup", Outcome: knowledge.Set{"EPERM"}, Reason: "asked first"},
		},
	}}
	return base
}

// foreignCell is a cell of that implementation that shows just what is expected of it.
func foreignCell() *cell.Cell {
	c := fixture.Cell("7.3", "amd64")
	c.Name, c.Series, c.Backend, c.Kernel = "other-amd64", "", "other", cell.Kernel{}
	for _, r := range c.Records {
		if r.Kernel != nil {
			r.Kernel.Release = "4.19.0-other"
		}
	}
	fixture.Replace(c, fixture.Observed("ebusy/new-root-is-root-mount", "EINVAL", "control", "OK"))
	fixture.Replace(c, fixture.Observed("ebusy/put-old-stacked", "EBUSY"))
	fixture.Replace(c, fixture.Observed("lookup/capability-before-lookup", "EPERM"))
	return c
}

// TestImplementation: an implementation that is not Linux is judged by its own ledger, then as the
// Linux that it is compared with; the same observations of a Linux kernel are not what is expected.
func TestImplementation(t *testing.T) {
	base := foreignBase(t)
	linux := fixture.Cell("7.3", "amd64")
	fixture.Replace(linux, fixture.Observed("ebusy/put-old-stacked", "EBUSY"))
	fixture.Replace(linux, &record.Record{Type: record.TypeObservation, ID: "moves/other-process", Status: record.Unsupported, Why: "none"})
	j, err := verdict.Judge(base, []*cell.Cell{foreignCell(), linux, fixture.Cell("7.2", "amd64")}, "")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]*verdict.CellResult{}
	for _, c := range j.Cells {
		of[c.Cell.Name] = c
	}
	other := of["other-amd64"]
	if !other.Series.IsZero() || other.Implementation == nil || other.Status != cell.Complete || of["7.2-amd64"].Implementation != nil {
		t.Errorf("%+v", other)
	}
	for _, r := range other.Results {
		if r.Verdict == verdict.Unexpected || r.Verdict == verdict.Broken {
			t.Errorf("%s is %s: %v", r.Behaviour, r.Verdict, r.Wrong)
		}
		own := other.Differs(r) != nil
		if want := strings.HasPrefix(r.Behaviour, "ebusy/") || r.Behaviour == "lookup/capability-before-lookup"; own != want {
			t.Errorf("%s differs from Linux: %v, want %v", r.Behaviour, own, want)
		}
	}
	if r := other.Result("moves/kernel-thread"); r.Verdict != verdict.Unsupported || r.Outcome != "" || r.Wrong[0] != "it has none" {
		t.Errorf("unjudged: %+v", r)
	}
	if r := other.Result("rootfs/pid1-pivot"); r.Verdict != verdict.Deviation {
		t.Errorf("where it is as the Linux that it is compared with: %+v", r)
	}
	for _, id := range []string{"ebusy/put-old-stacked", "moves/other-process"} {
		if r := of["7.3-amd64"].Result(id); r.Verdict != verdict.Unexpected {
			t.Errorf("%s on Linux: %s", id, r.Verdict)
		}
	}
}

// TestImplementationChanged: what an implementation has not been seen to do is unexpected, also if it
// is what Linux does.
func TestImplementationChanged(t *testing.T) {
	unsupported := func(id string) *record.Record {
		return &record.Record{Type: record.TypeObservation, ID: id, Status: record.Unsupported, Why: "so it says"}
	}
	for _, tt := range []struct {
		name  string
		rec   *record.Record
		want  verdict.Verdict
		wrong string
	}{
		{"as Linux again", fixture.Observed("lookup/capability-before-lookup", "ENOENT"), verdict.Unexpected, "outcome is ENOENT, not EPERM (the ledger"},
		{"otherwise than Linux", fixture.Observed("rootfs/umount-root", "EINVAL", "effect", ""), verdict.Unexpected, "(the ledger on Linux 7.3, with which Other is compared)"},
		{"otherwise than the page", fixture.Observed("einval/put-old-mount-shared", "OK"), verdict.Unexpected, "not EINVAL (claim"},
		{"no control where its ledger asks for none", fixture.Observed("ebusy/put-old-stacked", "EBUSY"), verdict.Deviation, ""},
		{"no control where one is due", fixture.Observed("lookup/name-too-long", "ENAMETOOLONG"), verdict.Unexpected, "control is not reported"},
		{"lacks what it is known to lack", unsupported("moves/other-process"), verdict.Unsupported, "so it says"},
		{"lacks what it had", unsupported("einval/put-old-mount-shared"), verdict.Unexpected, "not known to need anything"},
		{"broken", rec("moves/kernel-thread", record.Broken, "no way"), verdict.Broken, "no way"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := foreignCell()
			fixture.Replace(c, tt.rec)
			j, err := verdict.Judge(foreignBase(t), []*cell.Cell{c}, "")
			if err != nil {
				t.Fatal(err)
			}
			r := j.Cells[0].Result(tt.rec.ID)
			if wrong := strings.Join(r.Wrong, "; "); r.Verdict != tt.want || !strings.Contains(wrong, tt.wrong) {
				t.Errorf("got %s (%s), want %s (%s)", r.Verdict, wrong, tt.want, tt.wrong)
			}
		})
	}
}

// TestImplementationKernel: a cell is of an implementation only if its kernel says so too.
func TestImplementationKernel(t *testing.T) {
	c := foreignCell()
	for _, r := range c.Records {
		if r.Kernel != nil {
			r.Kernel.Release = "4.19.0-amd64"
		}
	}
	j, err := verdict.Judge(foreignBase(t), []*cell.Cell{c}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := j.Cells[0]; got.Status != cell.Broken || !strings.Contains(got.Reason, "the kernel of Other was wanted and 4.19.0-amd64 ran") || j.Exit() != verdict.ExitBroken {
		t.Errorf("%s: %s, exit %d", got.Status, got.Reason, j.Exit())
	}
}
