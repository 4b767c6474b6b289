package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/sandbox"
)

func (x *Explainer) behaviour(b *knowledge.Behaviour) (*Explanation, error) {
	j, err := x.judged()
	if err != nil {
		return nil, err
	}
	e := &Explanation{Kind: "behaviour", ID: b.ID, Title: b.Title}
	e.add("kernels", cmp.Or(report.Seen(j, b.ID, report.Varying(j, b.ID)), "nothing is recorded of it"))
	e.add("why", x.why(b.ID)...)
	e.add("page "+x.Base.Current().ID, x.says(b)...)
	e.add("other editions", x.others(b)...)
	e.add("elsewhere", elsewhere(j, b)...)
	var facts []string
	for _, f := range sorted(b.Facts) {
		s := f + ": " + b.Facts[f]
		if b.IsInfo(f) {
			s += " (to be read, never compared)"
		}
		facts = append(facts, s)
	}
	e.add("facts", facts...)
	if b.Needs != "" {
		e.add("needs", b.Needs+"; without it, it is unsupported")
	}
	if len(b.Scenario) > 0 {
		e.add("scenarios", strings.Join(b.Scenario, ", "))
	}
	cells := speakers(j, b)
	e.add("steps", x.steps(b, cells)...)
	e.add("spec", x.Sources[b.ID])
	e.add("repeat", repeat(b, cells, x.differs(b.ID)))
	e.add("related", x.related(b)...)
	return e, nil
}

// why lists what the ledger says of a behaviour.
func (x *Explainer) why(behaviour string) []string {
	var out []string
	for i := range x.Base.Ledger {
		l := &x.Base.Ledger[i]
		if l.Behaviour == behaviour {
			out = append(out, fmt.Sprintf("%s, %s: %s", l.Range(), demand(l.Outcome, l.Facts), because(l.Reason, l.Commit)))
		}
	}
	return out
}

// says lists what the current edition says of a behaviour, or why it is silent.
func (x *Explainer) says(b *knowledge.Behaviour) []string {
	cur := x.Base.Current().ID
	var out []string
	for _, d := range x.Base.Demands(b.ID, cur) {
		place, _ := d.Claim.In(cur)
		out = append(out, fmt.Sprintf("%s (%s), so %s is expected: %s (%s)", d.Claim.Says, place,
			demand(d.Demand.Outcome, d.Demand.Facts), x.histories[d.Claim.ID].Summary, d.Claim.ID))
	}
	switch {
	case len(out) > 0:
	case b.Silent != "":
		out = append(out, "silent: "+b.Silent)
	default:
		out = append(out, "silent")
	}
	return out
}

// others lists what other editions say of a behaviour that the current one does not.
func (x *Explainer) others(b *knowledge.Behaviour) []string {
	var out []string
	for i := range x.Base.Claims {
		c := &x.Base.Claims[i]
		if _, ok := c.In(x.Base.Current().ID); ok {
			continue
		}
		for _, d := range c.Demands {
			if d.Behaviour == b.ID {
				out = append(out, fmt.Sprintf("%s, said by %s, so %s is expected: %s (%s)", c.Says, report.MadeBy(x.Base, c),
					demand(d.Outcome, d.Facts), x.histories[c.ID].Summary, c.ID))
			}
		}
	}
	return out
}

// elsewhere says what implementations that are not Linux were seen to do of a behaviour.
func elsewhere(j *verdict.Judgement, b *knowledge.Behaviour) []string {
	var out []string
	for _, c := range j.Cells {
		i, r := c.Implementation, c.Result(b.ID)
		if i == nil || r == nil || r.Verdict == verdict.Missing {
			continue
		}
		own := c.Differs(r)
		lacks := slices.IndexFunc(i.Lacks, func(l knowledge.Lack) bool { return slices.Contains(l.Behaviours, b.ID) })
		s := "as Linux " + i.Like.String()
		switch {
		case own != nil:
			s = demand(own.Outcome, own.Facts) + ": " + own.Reason
		case r.Outcome == "" && lacks >= 0:
			s = "unsupported, for it lacks this: " + i.Lacks[lacks].Feature
		case r.Outcome == "" || r.Verdict == verdict.Unexpected:
			s = fmt.Sprintf("%s: %s", r.Verdict, strings.TrimSpace(r.Outcome+" "+strings.Join(r.Wrong, "; ")))
		}
		out = append(out, i.Title+": "+s)
	}
	return out
}

// differs names the implementations that do otherwise than Linux of a behaviour.
func (x *Explainer) differs(behaviour string) []string {
	var out []string
	for k := range x.Base.Implementations {
		if i := &x.Base.Implementations[k]; i.Own(behaviour) != nil {
			out = append(out, i.ID)
		}
	}
	return out
}

// usual is the line of which most is kept.
var usual = cell.Line{Arch: "amd64"}

// otherwise says whether two kernels show different things of a behaviour, and in which facts.
func otherwise(b *knowledge.Behaviour, is, was *verdict.Result) (facts []string, differ bool) {
	if is.Outcome == "" || was.Outcome == "" {
		return nil, false
	}
	for _, f := range sorted(b.Facts) {
		if !b.IsInfo(f) && is.Facts[f] != was.Facts[f] {
			facts = append(facts, f)
		}
	}
	return facts, len(facts) > 0 || is.Outcome != was.Outcome
}

// speakers returns the cells that showed a behaviour, of the usual line, or that of the first scenario
// that has the behaviour, from the oldest kernel to the newest.
func speakers(j *verdict.Judgement, b *knowledge.Behaviour) []*verdict.CellResult {
	line := usual
	if !b.In(knowledge.Plain) {
		line.Scenario = b.Scenario[0]
	}
	var out []*verdict.CellResult
	for _, c := range j.Cells {
		if r := c.Result(b.ID); c.Cell.Line() == line && r != nil && r.Outcome != "" {
			out = append(out, c)
		}
	}
	return out
}

// sides returns the cells before and after the last change of a behaviour, or the newest alone.
func sides(b *knowledge.Behaviour, cells []*verdict.CellResult) []*verdict.CellResult {
	for i := len(cells) - 1; i > 0; i-- {
		if _, differ := otherwise(b, cells[i].Result(b.ID), cells[i-1].Result(b.ID)); differ {
			return cells[i-1 : i+1]
		}
	}
	return cells[max(0, len(cells)-1):]
}

// steps shows how the behaviour was observed, as a session that a person can repeat: on the newest kernel of
// which the steps are kept.
func (x *Explainer) steps(b *knowledge.Behaviour, cells []*verdict.CellResult) []string {
	for _, c := range slices.Backward(cells) {
		r := c.Cell.Observation(b.ID)
		if r == nil || len(r.Steps) == 0 {
			continue
		}
		out := []string{fmt.Sprintf("# on %s, as root, after unshare --mount --propagation private", c.Cell.Series)}
		for _, s := range r.Steps {
			out = append(out, sandbox.Expand(s, "/world")...)
		}
		facts := maps.Clone(r.Facts)
		delete(facts, knowledge.FactControl)
		delete(facts, knowledge.FactEffect)
		delete(facts, knowledge.FactAfterControl)
		maps.DeleteFunc(facts, func(f, _ string) bool { return b.Facts[f] == "" })
		if len(facts) > 0 {
			out = append(out, "# seen then: "+said(facts))
		}
		return out
	}
	return nil
}

// said lists facts: "cwd=new_root, root=new_root".
func said(facts map[string]string) string {
	var out []string
	for _, f := range sorted(facts) {
		out = append(out, f+"="+facts[f])
	}
	return strings.Join(out, ", ")
}

// repeat is the command that shows the behaviour: on both sides of its last change, and on the implementations
// that do otherwise.
func repeat(b *knowledge.Behaviour, cells []*verdict.CellResult, differs []string) string {
	s := "pivotspec run"
	for _, c := range sides(b, cells) {
		s += " " + c.Cell.Series
	}
	if b.In(knowledge.Plain) {
		for _, i := range differs {
			s += " " + i
		}
	} else {
		s += " --scenario " + b.Scenario[0]
	}
	return s
}

// related lists what else concerns a behaviour: proposals for the page, and behaviours of the same paragraph of
// the project's list.
func (x *Explainer) related(b *knowledge.Behaviour) []string {
	var out []string
	for _, p := range x.matters[b.ID] {
		out = append(out, fmt.Sprintf("%s: %s", p.ID, p.Title))
	}
	const most = 8
	var near []string
	for i := range x.Base.Behaviours {
		o := &x.Base.Behaviours[i]
		if o.ID != b.ID && slices.ContainsFunc(o.Groups, func(g int) bool { return slices.Contains(b.Groups, g) }) {
			near = append(near, o.ID)
		}
	}
	if n := len(near) - most; n > 0 {
		near = append(near[:most], fmt.Sprintf("and %d more", n))
	}
	return append(out, strings.Join(near, ", "))
}

// outcomes lists the behaviours of which some kernel shows an outcome, with what kernels show, in the order of
// the knowledge.
func (x *Explainer) outcomes(is func(b *knowledge.Behaviour, outcome string) bool) ([]string, error) {
	j, err := x.judged()
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, c := range j.Cells {
		if c.Implementation != nil {
			continue
		}
		for _, r := range c.Results {
			if b, ok := x.Base.Behaviour(r.Behaviour); ok && r.Outcome != "" && is(b, r.Outcome) {
				has[r.Behaviour] = true
			}
		}
	}
	var out []string
	for i := range x.Base.Behaviours {
		if b := &x.Base.Behaviours[i]; has[b.ID] {
			out = append(out, fmt.Sprintf("%s: %s. %s", b.ID, b.Title, report.Seen(j, b.ID, nil)))
		}
	}
	return out, nil
}

func (x *Explainer) area(a *knowledge.Area) (*Explanation, error) {
	e := &Explanation{Kind: "area", ID: a.ID, Title: a.Title}
	lines, err := x.outcomes(func(b *knowledge.Behaviour, _ string) bool { return b.Area() == a.ID })
	if err != nil {
		return nil, err
	}
	e.add("behaviours", lines...)
	return e, nil
}

func (x *Explainer) errno(name string) (*Explanation, error) {
	e := &Explanation{Kind: "errno", ID: name, Title: "an error of pivot_root(2)"}
	cur := x.Base.Current().ID
	var page []string
	for i := range x.Base.Claims {
		c := &x.Base.Claims[i]
		if p, ok := c.In(cur); ok && p.Item == name {
			page = append(page, fmt.Sprintf("%s (%s; %s)", c.Says, p, c.ID))
		}
	}
	if page == nil {
		page = []string{"no item of ERRORS is about it"}
	}
	e.add("page "+cur, page...)
	e.add("causes", x.causes(name)...)
	lines, err := x.outcomes(func(_ *knowledge.Behaviour, o string) bool { return o == name })
	if err != nil {
		return nil, err
	}
	e.add("behaviours", lines...)
	return e, nil
}
