package baseline_test

import (
	"os"
	"slices"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// committed returns the cells of all committed baselines.
func committed(t *testing.T) []*cell.Cell {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var out []*cell.Cell
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "testdata" {
			continue
		}
		cells, err := baseline.Load(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, cells...)
	}
	if len(out) == 0 {
		t.Fatal("there is no baseline")
	}
	return out
}

// sighting is one observation of a behaviour in the baselines.
type sighting struct {
	series knowledge.Series
	arch   string
	rec    *record.Record
}

// TestLedgerWasSeen: nothing in the ledger is made up, and nothing in it is dead. Each entry
// holds for a kernel of the baselines and was seen on one; each value of a set was seen on some.
func TestLedgerWasSeen(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	cells := committed(t)
	seen := map[string][]sighting{}
	var kernels []sighting
	for _, c := range cells {
		s, err := knowledge.ParseSeries(c.Series)
		if err != nil {
			t.Fatal(err)
		}
		kernels = append(kernels, sighting{series: s, arch: c.Arch})
		for _, r := range c.Records {
			if r.Type == record.TypeObservation && r.Status == record.Observed {
				seen[r.ID] = append(seen[r.ID], sighting{s, c.Arch, r})
			}
		}
	}
	for i := range base.Ledger {
		e := &base.Ledger[i]
		holds := func(s sighting) bool { return e.Holds(s.series, s.arch) }
		if !slices.ContainsFunc(kernels, holds) {
			t.Errorf("%s (%s): no kernel of the baselines is in its range", e.Behaviour, e.Range())
			continue
		}
		agrees := func(s sighting) bool {
			if !holds(s) || !e.Outcome.Has(s.rec.Outcome) {
				return false
			}
			for f, want := range e.Facts {
				if !want.Has(s.rec.Facts[f]) {
					return false
				}
			}
			return true
		}
		all := seen[e.Behaviour]
		if !slices.ContainsFunc(all, agrees) {
			t.Errorf("%s (%s): no kernel of the baselines was seen to do so", e.Behaviour, e.Range())
			continue
		}
		for _, o := range e.Outcome {
			if !slices.ContainsFunc(all, func(s sighting) bool { return s.rec.Outcome == o }) {
				t.Errorf("%s (%s): no kernel of the baselines was seen with the outcome %s", e.Behaviour, e.Range(), o)
			}
		}
		for f, want := range e.Facts {
			for _, v := range want {
				if !slices.ContainsFunc(all, func(s sighting) bool { return s.rec.Facts[f] == v }) {
					t.Errorf("%s (%s): no kernel of the baselines was seen with %s=%s", e.Behaviour, e.Range(), f, v)
				}
			}
		}
	}
}

// TestClaimsAreDecided: every claim is decided on every kernel of the baselines by what was
// observed there, or by nothing on that kernel for want of a feature; and every behaviour was
// observed somewhere. Who adds a behaviour has to record it.
func TestClaimsAreDecided(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	observed := map[string]bool{}
	for _, c := range committed(t) {
		reported := map[string]record.Status{}
		for _, r := range c.Records {
			if r.Type == record.TypeObservation {
				reported[r.ID] = r.Status
				observed[r.ID] = observed[r.ID] || r.Status == record.Observed
			}
		}
		for i := range base.Claims {
			for _, d := range base.Claims[i].Demands {
				if b, _ := base.Behaviour(d.Behaviour); !b.In(c.Scenario) {
					continue
				}
				if s := reported[d.Behaviour]; s != record.Observed && s != record.Unsupported {
					t.Errorf("%s: claim %s needs %s, which is %q there", c.Name, base.Claims[i].ID, d.Behaviour, s)
				}
			}
		}
	}
	for i := range base.Behaviours {
		if id := base.Behaviours[i].ID; !observed[id] {
			t.Errorf("%s was observed on no kernel of the baselines", id)
		}
	}
}
