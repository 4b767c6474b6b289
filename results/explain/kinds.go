package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pivotspec/results/change"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
)

func (x *Explainer) claim(c *knowledge.Claim) (*Explanation, error) {
	j, err := x.judged()
	if err != nil {
		return nil, err
	}
	e := &Explanation{Kind: "claim", ID: c.ID, Title: c.Says}
	e.add("said by", report.MadeBy(x.Base, c))
	e.add("strength", string(c.Strength))
	e.add("true", x.histories[c.ID].Summary)
	// Most claims demand the same of many behaviours, which then do the same.
	type found struct{ wants, seen string }
	var all []found
	var demands, whys []string
	of := map[found][]string{}
	for _, d := range c.Demands {
		f := found{demand(d.Outcome, d.Facts), report.Seen(j, d.Behaviour, sorted(d.Facts))}
		if of[f] == nil {
			all = append(all, f)
		}
		of[f] = append(of[f], d.Behaviour)
		for i := range x.Base.Ledger {
			l := &x.Base.Ledger[i]
			if why := l.Range() + ": " + because(l.Reason, l.Commit); l.Behaviour == d.Behaviour && !allows(&d, l) && !slices.Contains(whys, why) {
				whys = append(whys, why)
			}
		}
	}
	for _, f := range all {
		demands = append(demands, fmt.Sprintf("%s of %s. Seen: %s", f.wants, strings.Join(of[f], ", "), cmp.Or(f.seen, "nothing")))
	}
	e.add("demands", demands...)
	e.add("not because", whys...)
	var matters []string
	for _, p := range x.Base.Proposals {
		if slices.Contains(p.Claims, c.ID) {
			matters = append(matters, fmt.Sprintf("%s: %s", p.ID, p.Title))
		}
	}
	e.add("related", matters...)
	return e, nil
}

// allows says whether what an entry of the ledger has is what a demand asks for.
func allows(d *knowledge.Demand, l *knowledge.Entry) bool {
	for _, o := range l.Outcome {
		if !d.Outcome.Has(o) {
			return false
		}
	}
	for f, want := range d.Facts {
		for _, v := range l.Facts[f] {
			if !want.Has(v) {
				return false
			}
		}
	}
	return true
}

func (x *Explainer) edition(ed *knowledge.Edition) (*Explanation, error) {
	if _, err := x.judged(); err != nil {
		return nil, err
	}
	e := &Explanation{Kind: "edition", ID: ed.ID, Title: "an edition of the page pivot_root(2): " + ed.Title}
	e.add("date", ed.Date)
	e.add("source", ed.Source)
	if ed.Current {
		e.add("current", "its claims decide what is expected of a kernel")
	}
	e.add("statements", fmt.Sprint(len(x.Base.Places(ed.ID))))
	made := 0
	var not []string
	for i := range x.Base.Claims {
		c := &x.Base.Claims[i]
		if _, ok := c.In(ed.ID); !ok {
			continue
		}
		made++
		if h := x.histories[c.ID]; h.State != report.AlwaysTrue && h.State != report.NotTestable {
			not = append(not, fmt.Sprintf("%s: %s: %s", c.ID, c.Says, h.Summary))
		}
	}
	e.add("claims", fmt.Sprintf("%d, of which %d are not true of all kernels", made, len(not)))
	e.add("not true of all", not...)
	e.add("repeat", "pivotspec report --edition "+ed.ID)
	return e, nil
}

// kernel explains a series by what it does otherwise than the one before it, among those that were recorded of
// amd64 as it is booted by default, or of the first line that has the series; nil if none has it.
func (x *Explainer) kernel(s knowledge.Series) (*Explanation, error) {
	j, err := x.judged()
	if err != nil {
		return nil, err
	}
	line, found := usual, false
	for _, c := range j.Cells {
		if l := c.Cell.Line(); c.Series == s && l.Scenario == "" && (l == usual || !found) {
			line, found = l, true
		}
	}
	var is, was *verdict.CellResult
	for _, c := range j.Cells {
		if c.Cell.Line() != line {
			continue
		}
		if c.Series == s {
			is = c
			break
		}
		was = c
	}
	if is == nil {
		return nil, nil
	}
	e := &Explanation{Kind: "kernel", ID: s.String(), Title: "Linux " + is.Cell.Kernel.Version}
	on := ""
	if line != usual {
		e.Title += " on " + line.String()
		on = "/" + line.Arch
	}
	e.Title += ", as recorded"
	run := fmt.Sprintf("pivotspec run %s%s", s, on)
	if was != nil && was.Series.Compare(s) < 0 {
		changed, gaps := x.changed(was, is)
		if changed == nil && gaps == nil {
			changed = []string{"nothing that the suite observes"}
		}
		e.add("new since "+was.Series.String(), changed...)
		e.add("not compared", gaps...)
		run = fmt.Sprintf("pivotspec run %s%s %s%[2]s", was.Series, on, s)
	}
	e.add("repeat", run)
	return e, nil
}

// changed lists what a kernel does otherwise than the one before it, and what cannot be compared.
func (x *Explainer) changed(was, is *verdict.CellResult) (changed, gaps []string) {
	only := func(c *verdict.CellResult) *verdict.Judgement {
		return &verdict.Judgement{Base: x.Base, Edition: x.Base.Current(), Cells: []*verdict.CellResult{c}}
	}
	for _, p := range change.Compare(only(was), only(is)).Pairs {
		for i := range p.Changes {
			c := &p.Changes[i]
			s := c.Says
			if s != "" {
				s = strings.ToUpper(s[:1]) + s[1:]
			}
			if b, ok := x.Base.Behaviour(c.Behaviour); ok {
				k, w := is.Result(b.ID), was.Result(b.ID)
				if facts, differ := otherwise(b, k, w); differ {
					s = fmt.Sprintf("%s: %s; %s: %s", was.Series, report.What(w, facts), is.Series, report.What(k, facts))
				}
				s = fmt.Sprintf("%s: %s. %s", b.ID, b.Title, s)
			}
			changed = append(changed, s)
		}
		for _, g := range p.Gaps {
			gaps = append(gaps, fmt.Sprintf("%s: %s", cmp.Or(g.Behaviour, "the cell"), g.Reason))
		}
	}
	return changed, gaps
}

func (x *Explainer) proposal(p *knowledge.Proposal) *Explanation {
	e := &Explanation{Kind: "proposal", ID: p.ID, Title: p.Title}
	for _, id := range p.Claims {
		if c, ok := x.Base.Claim(id); ok {
			e.add("page "+x.Base.Current().ID, fmt.Sprintf("%s (%s)", c.Says, id))
		}
	}
	e.Parts = joined(e.Parts)
	e.add("proposed", strings.Join(strings.Fields(p.Propose), " "))
	e.add("no need", strings.Join(strings.Fields(p.None), " "))
	if p.Show != "" {
		e.add("shown by", p.Show)
	}
	var silent []string
	for _, b := range x.Base.Silence(p) {
		silent = append(silent, b.ID+": "+b.Title)
	}
	e.add("page silent on", silent...)
	return e
}

// joined puts the lines of parts that stand together and are about the same into one.
func joined(parts []Part) []Part {
	var out []Part
	for _, p := range parts {
		if n := len(out); n > 0 && out[n-1].About == p.About {
			out[n-1].Lines = append(out[n-1].Lines, p.Lines...)
		} else {
			out = append(out, p)
		}
	}
	return out
}

func (x *Explainer) scenario(s Scenario) *Explanation {
	e := &Explanation{Kind: "scenario", ID: s.Name, Title: "a way to boot: " + s.Says}
	var list []string
	n := 0
	for i := range x.Base.Behaviours {
		b := &x.Base.Behaviours[i]
		if !b.In(s.Name) {
			continue
		}
		if n++; s.Name != knowledge.Plain {
			list = append(list, b.ID+": "+b.Title)
		}
	}
	if s.Name == knowledge.Plain {
		list = append(list, fmt.Sprintf("%d, all that name no other scenario", n))
	}
	e.add("behaviours", list...)
	run := "pivotspec run 7.3"
	if s.Name != knowledge.Plain {
		run += " --scenario " + s.Name
	}
	e.add("repeat", run)
	return e
}

func (x *Explainer) implementation(i *knowledge.Implementation) *Explanation {
	e := &Explanation{Kind: "implementation", ID: i.ID, Title: i.Title + ", a pivot_root(2) that is not Linux'"}
	e.add("like", fmt.Sprintf("compared with Linux %s; what is not named here it does alike", i.Like))
	var otherwise []string
	for _, g := range grouped(i.Ledger) {
		otherwise = append(otherwise, fmt.Sprintf("%s: %s", g.Reason, strings.Join(g.What, ", ")))
	}
	e.add("otherwise", otherwise...)
	var lacks []string
	for _, l := range i.Lacks {
		lacks = append(lacks, fmt.Sprintf("%s: %s", l.Feature, strings.Join(l.Behaviours, ", ")))
	}
	e.add("lacks", lacks...)
	var unjudged []string
	for _, b := range sorted(i.Unjudged) {
		unjudged = append(unjudged, b+": "+i.Unjudged[b])
	}
	e.add("not judged", unjudged...)
	e.add("repeat", fmt.Sprintf("pivotspec run %s %s", i.Like, i.ID))
	return e
}

// group is entries of a ledger that have a reason in common.
type group struct {
	Reason string
	// What says of each behaviour what is observed: "EACCES success/put-old-mode-000".
	What []string
}

// grouped joins entries that have the same reason, in their order.
func grouped(entries []knowledge.Entry) []group {
	var out []group
	for _, l := range entries {
		i := slices.IndexFunc(out, func(g group) bool { return g.Reason == l.Reason })
		if i < 0 {
			i = len(out)
			out = append(out, group{Reason: l.Reason})
		}
		out[i].What = append(out[i].What, fmt.Sprintf("%s (%s)", l.Behaviour, l.Outcome))
	}
	return out
}

func (x *Explainer) fault(f *faults.Fault) *Explanation {
	e := &Explanation{Kind: "fault", ID: f.ID, Title: "what can be wrong with a call: " + f.Title}
	e.add("check", f.Class)
	e.add("needs", f.Needs)
	var gives []string
	for i := range x.Base.Orders {
		o := &x.Base.Orders[i]
		says := "not to be had"
		for n, g := range o.Order {
			for errno, list := range g {
				if slices.Contains(list, f.ID) {
					says = fmt.Sprintf("%s; wins over %s; loses to %s", errno, classes(o.Order[n+1:]), classes(o.Order[:n]))
				}
			}
		}
		gives = append(gives, o.Range()+": "+says)
	}
	e.add("gives", gives...)
	e.add("spec", x.Sources[faults.Behaviour])
	e.add("related", faults.Behaviour+": every two faults at once")
	return e
}

// classes lists the checks for the faults of groups of an order.
func classes(groups []map[string][]string) string {
	class := map[string]string{}
	for _, f := range faults.Table() {
		class[f.ID] = f.Class
	}
	var out []string
	for _, g := range groups {
		for _, errno := range sorted(g) {
			for _, id := range g[errno] {
				if c := class[id]; !slices.Contains(out, c) {
					out = append(out, c)
				}
			}
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// causes lists the faults that give an errno on the newest kernels, in the order in which they are checked for.
func (x *Explainer) causes(errno string) []string {
	titles := map[string]string{}
	for _, f := range faults.Table() {
		titles[f.ID] = f.Title
	}
	var newest *knowledge.Order
	for i := range x.Base.Orders {
		if o := &x.Base.Orders[i]; newest == nil || o.From.Compare(newest.From) > 0 {
			newest = o
		}
	}
	if newest == nil {
		return nil
	}
	var out []string
	for _, g := range newest.Order {
		for _, id := range g[errno] {
			out = append(out, fmt.Sprintf("%s (%s)", titles[id], id))
		}
	}
	return out
}

// commit explains a kernel commit by what the knowledge says that it changed; nil if it says nothing.
func (x *Explainer) commit(word string) *Explanation {
	word = strings.TrimPrefix(word, "commit ")
	if len(word) < 7 || strings.Trim(word, "0123456789abcdef") != "" {
		return nil
	}
	e := &Explanation{Kind: "commit", ID: word, Title: "a commit of the kernel"}
	for _, l := range x.Base.Ledger {
		if strings.HasPrefix(l.Commit, word) {
			e.add("made it so", fmt.Sprintf("%s, %s, %s: %s", l.Behaviour, l.Range(), demand(l.Outcome, l.Facts), l.Reason))
		}
	}
	for i := range x.Base.Orders {
		if o := &x.Base.Orders[i]; strings.HasPrefix(o.Commit, word) {
			e.add("made it so", "the order of the checks, "+o.Range()+": "+o.Reason)
		}
	}
	if e.Parts = joined(e.Parts); e.Parts == nil {
		return nil
	}
	return e
}
