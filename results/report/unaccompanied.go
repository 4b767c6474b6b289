package report

import (
	"maps"
	"slices"

	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// unaccompanied says what the implementation of column k does otherwise than the Linux that the knowledge
// compares it with, for a run that has no cell of a Linux. It returns false for a Linux.
func (f *Findings) unaccompanied(j *verdict.Judgement, m *line, k int) (Other, bool) {
	c := j.Cells[k]
	i := c.Implementation
	if i == nil || len(c.Results) == 0 {
		return Other{}, false
	}
	o := Other{Name: m.String(), Release: release(c), With: "the ledger of Linux " + i.Like.String()}
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			is := r.Results[k]
			if is == nil || is.Outcome == "" {
				continue
			}
			own := c.Differs(is)
			if own == nil {
				o.Alike++
				continue
			}
			linux := expected(j.Base, r.ID, i.Like, m.Arch)
			var facts []string
			for _, name := range slices.Sorted(maps.Keys(own.Facts)) {
				if want, ok := linux.Facts[name]; knowledge.Universal(name) || ok && !want.Has(is.Facts[name]) {
					facts = append(facts, name)
				}
			}
			was := &verdict.Result{Outcome: linux.Outcome.String(), Facts: map[string]string{}}
			for name, want := range linux.Facts {
				was.Facts[name] = want.String()
			}
			o.Differs = append(o.Differs, Change{
				Behaviour: r.ID, Title: r.Title, Silent: is.Verdict == verdict.Silent, Reason: own.Reason,
				Kernels: seen(is, facts) + "; Linux: " + seen(was, facts) + " on " + i.Like.String(),
			})
		}
	}
	return o, true
}

// expected returns what is expected of a behaviour on a Linux: what its ledger says, and
// of what that does not name, what the current edition demands.
func expected(base *knowledge.Base, behaviour string, s knowledge.Series, arch string) knowledge.Demand {
	out := knowledge.Demand{Facts: map[string]knowledge.Set{}}
	for _, d := range base.Demands(behaviour, base.Current().ID) {
		out.Outcome = d.Demand.Outcome
		maps.Copy(out.Facts, d.Demand.Facts)
	}
	if e := base.Entry(behaviour, s, arch); e != nil {
		out.Outcome = e.Outcome
		maps.Copy(out.Facts, e.Facts)
	}
	return out
}
