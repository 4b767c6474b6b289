package baseline_test

import (
	"slices"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// committed returns the cells of all committed baselines.
func committed(t *testing.T) []*cell.Cell {
	t.Helper()
	cells, err := baseline.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(cells) == 0 {
		t.Fatal("there is no baseline")
	}
	return cells
}

// TestLedgerWasSeen: nothing in the ledger is made up, and nothing in it is dead. Each entry
// decided an observation of a kernel of the baselines, which agrees; each value of a set was seen on some.
func TestLedgerWasSeen(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	j, err := verdict.Judge(base, committed(t), "")
	if err != nil {
		t.Fatal(err)
	}
	held, agreed := map[*knowledge.Entry]bool{}, map[*knowledge.Entry]bool{}
	seen := map[string][]*verdict.Result{}
	for _, c := range j.Cells {
		if c.Cell.Line().Backend != "" {
			continue // the ledger is about Linux, and a machine of one's own is no evidence
		}
		for _, r := range c.Results {
			if r.Outcome != "" {
				seen[r.Behaviour] = append(seen[r.Behaviour], r)
			}
			if e := r.Entry; e != nil {
				held[e] = true
				agreed[e] = agreed[e] || (&knowledge.Demand{Outcome: e.Outcome, Facts: e.Facts}).Met(r.Outcome, r.Facts)
			}
		}
	}
	for i := range base.Ledger {
		e := &base.Ledger[i]
		some := func(what func(*verdict.Result) bool) bool { return slices.ContainsFunc(seen[e.Behaviour], what) }
		switch {
		case !held[e]:
			t.Errorf("%s (%s): no kernel of the baselines on which it was observed is in its range", e.Behaviour, e.Range())
			continue
		case !agreed[e]:
			t.Errorf("%s (%s): no kernel of the baselines was seen to do so", e.Behaviour, e.Range())
			continue
		}
		for _, o := range e.Outcome {
			if !some(func(r *verdict.Result) bool { return r.Outcome == o }) {
				t.Errorf("%s (%s): no kernel of the baselines was seen with the outcome %s", e.Behaviour, e.Range(), o)
			}
		}
		for f, want := range e.Facts {
			for _, v := range want {
				if !some(func(r *verdict.Result) bool { return r.Facts[f] == v }) {
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
				if b, ok := base.Behaviour(d.Behaviour); !ok || !b.In(c.Scenario) {
					continue // another way to boot shows it
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
