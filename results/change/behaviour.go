package change

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// views is what is needed of a cell to compare its behaviours.
type views struct {
	base    *knowledge.Base
	cell    *verdict.CellResult
	results map[string]*verdict.Result
	records map[string]*record.Record
	planned map[string]bool
}

func view(base *knowledge.Base, c *verdict.CellResult) *views {
	v := &views{base, c, map[string]*verdict.Result{}, map[string]*record.Record{}, map[string]bool{}}
	for _, r := range c.Results {
		v.results[r.Behaviour] = r
	}
	for _, r := range c.Cell.Records {
		switch r.Type {
		case record.TypeObservation:
			v.records[r.ID] = r
		case record.TypePlan:
			for _, id := range r.Plan {
				v.planned[id] = true
			}
		}
	}
	return v
}

// side is what a cell shows of a behaviour.
type side struct {
	*verdict.Result
	series knowledge.Series
	// unsupported says that a probe found the kernel to lack the feature.
	unsupported bool
	// reason is why nothing was observed, "" if something was, or the kernel lacks the feature.
	reason Reason
	// why is that in the cell's own words.
	why string
	// natural says that nothing can be done about the reason.
	natural bool
	// cell says that the reason is the cell's, of which is told once.
	cell bool
}

// observed says whether something was observed.
func (s *side) observed() bool { return s.reason == "" && !s.unsupported }

// text is what there is of the side in a few words.
func (s *side) text() string {
	if s.observed() {
		return s.Outcome
	}
	return s.why
}

// look finds out what a cell shows of a behaviour.
func (v *views) look(id string) *side {
	r := v.results[id]
	s := &side{Result: r, series: v.cell.Series}
	incomplete := v.cell.Status != cell.Complete
	if r == nil { // the cell has no result at all, or the behaviour is one that its suite alone knows
		s.Result = &verdict.Result{Behaviour: id}
		s.reason, s.why, s.cell = OtherSuite, "not known there", incomplete
		return s
	}
	s.why = OneLine(strings.Join(r.Wrong, "; "))
	rec := v.records[id]
	switch {
	case r.Verdict == verdict.Missing && (incomplete || v.planned[id]):
		s.reason, s.cell = NotObserved, incomplete
	case r.Verdict == verdict.Missing:
		s.reason = OtherSuite
	case r.Verdict == verdict.Broken:
		// That another kernel ran, or other programs, is the cell's trouble.
		s.reason, s.cell = NotObserved, incomplete && slices.Contains(r.Wrong, v.cell.Reason)
	case r.Outcome != "":
	case rec != nil && rec.Status == record.Unsupported && rec.Beyond != "" && v.cell.Cell.Borrowed():
		s.reason, s.natural = NotThere, true
	case rec != nil && rec.Status == record.Unsupported && lacksPart(rec.Why):
		s.reason = NoModule
	case rec != nil && rec.Status == record.Unsupported:
		s.unsupported = true
	case r.Verdict == verdict.Unsupported:
		s.reason, s.natural = NotThere, true // what was observed means nothing there
	default:
		s.reason = NotObserved
	}
	return s
}

// lacksPart says whether a behaviour is unsupported because a module or program did not come with the
// kernel, in the words of package sandbox. The kernel itself may well support it.
func lacksPart(why string) bool { return strings.Contains(why, " is not to be had: ") }

// behaviour compares one behaviour of two cells.
func (p *Pair) behaviour(base *knowledge.Base, id string, was, is *side) {
	b, known := base.Behaviour(id)
	title := id
	if known {
		title = b.Title
	}
	switch {
	case was.reason != "" || is.reason != "":
		if was.cell || is.cell {
			return // told of the cell
		}
		if was.reason == is.reason && was.reason != NotObserved {
			p.Neither++
			return
		}
		p.Gaps = append(p.Gaps, gap(id, title, was, is))
		return
	case was.unsupported && is.unsupported:
		p.Neither++
		return
	}
	c := Change{Behaviour: id, Title: title, Old: was.text(), New: is.text()}
	switch {
	case is.unsupported:
		c.Kind, c.Stops = Lost, true
	case was.unsupported:
		c.Kind = Gained
	case was.Outcome == record.OK && is.Outcome != record.OK:
		c.Kind, c.Stops = Fails, true
	case was.Outcome != record.OK && is.Outcome == record.OK:
		c.Kind = Works
	case was.Outcome != is.Outcome:
		c.Kind = OtherError
	default:
		c.Kind = Otherwise
	}
	if known && was.observed() && is.observed() {
		c.Facts = facts(base, b, was, is)
	}
	if c.Kind == Otherwise && len(c.Facts) == 0 {
		p.Alike++
		return
	}
	for _, f := range c.Facts {
		c.Stops = c.Stops || f.Stops
	}
	if is.Verdict == verdict.Unexpected {
		c.Unexpected = is.Wrong
	}
	c.Says = says(&c, b, was, is)
	c.Why = why(base, id, was, is)
	c.Noticed = base.Noticed(id, aspect(c.Kind))
	p.Changes = append(p.Changes, c)
}

// aspect says who has to be asked about a kind of change.
func aspect(k Kind) knowledge.Aspect {
	switch k {
	case OtherError:
		return knowledge.AspectErrno
	case Otherwise:
		return knowledge.AspectFacts
	}
	return knowledge.AspectCall
}

func gap(id, title string, was, is *side) Gap {
	g := Gap{Behaviour: id, Title: title, Old: was.text(), New: is.text()}
	g.Reason = is.reason
	if g.Reason == "" {
		g.Reason = was.reason
	}
	worked := !was.observed() && !was.unsupported || was.Outcome == record.OK
	fails := is.Outcome != record.OK
	g.Open = worked && fails && !was.natural && !is.natural
	return g
}

// facts returns the compared facts that differ. Between a success and a failure there are none: what
// goes with either follows from that.
func facts(base *knowledge.Base, b *knowledge.Behaviour, was, is *side) []Fact {
	if (was.Outcome == record.OK) != (is.Outcome == record.OK) {
		return nil
	}
	names := slices.Collect(maps.Keys(was.Facts))
	for f := range is.Facts {
		if _, ok := was.Facts[f]; !ok {
			names = append(names, f)
		}
	}
	var out []Fact
	for _, name := range sorted(names) {
		x, y := was.Facts[name], is.Facts[name]
		if x == y || b.IsInfo(name) || b.ID == faults.Behaviour && !knowledge.Universal(name) {
			continue
		}
		out = append(out, Fact{Name: name, Meaning: b.Facts[name], Old: x, New: y, Stops: stops(base, b.ID, name, x, y)})
	}
	if b.ID == faults.Behaviour {
		out = append(out, checks(was.Facts, is.Facts)...)
	}
	return out
}

// stops says whether something that worked stops working where a fact changes; see the package.
func stops(base *knowledge.Base, behaviour, fact, was, is string) bool {
	switch {
	case was == "": // it was not there to rely on
		return false
	case is == record.OK:
		return false
	}
	return base.FreeFact(behaviour, fact) == "" && !base.BetterFact(behaviour, fact, is)
}

// FactChecks names the fact that stands for the order of the checks in a [Change] of it.
const FactChecks = "checks"

// checks compares which of two faults wins. The observation has it by the thousand; what is told is in whose
// favour it went. A fault that one side lacks is no difference of the order. That another error
// wins stops nothing.
func checks(was, is map[string]string) []Fact {
	before, now := faults.Winners{}, faults.Winners{}
	for _, f := range faults.Table() {
		for _, x := range []struct {
			rows map[string]string
			to   faults.Winners
		}{{was, before}, {is, now}} {
			if row, ok := x.rows[f.ID]; ok && faults.ParseRow(x.to, f.ID, row) != nil {
				x.to[[2]string{f.ID, ""}] = row
			}
		}
	}
	n, alone := 0, 0
	var parts []string
	for _, f := range faults.Table() {
		key := [2]string{f.ID, ""}
		switch a, b := before[key] == faults.Absent, now[key] == faults.Absent; {
		case a && !b:
			parts = append(parts, "there is the fault "+f.ID+" now")
		case b && !a:
			parts = append(parts, "there is no fault "+f.ID+" any more")
		}
	}
	absent := func(w faults.Winners, key [2]string) bool {
		return w[[2]string{key[0], ""}] == faults.Absent || w[[2]string{key[1], ""}] == faults.Absent
	}
	for key, errno := range before {
		switch other, ok := now[key]; {
		case absent(before, key) || absent(now, key):
		case !ok:
			alone++
		case other != errno:
			n++
		}
	}
	for key := range now {
		if _, ok := before[key]; !ok && !absent(before, key) && !absent(now, key) {
			alone++
		}
	}
	if n > 0 {
		words := strings.Join(faults.Changes(before, now), ", ")
		if words == "" {
			words = "in no order"
		}
		parts = append(parts, fmt.Sprintf("%d calls with one or two faults have another error (%s)", n, words))
	}
	if alone > 0 {
		parts = append(parts, fmt.Sprintf("%d calls were made on one side only", alone))
	}
	if len(parts) == 0 {
		return nil
	}
	return []Fact{{Name: FactChecks, Meaning: "the order of the checks", Old: "as before", New: strings.Join(parts, ", ")}}
}

// why says what the ledger, or the order of the checks, has as the reason for a change.
func why(base *knowledge.Base, id string, was, is *side) string {
	if id == faults.Behaviour {
		if o := base.Order(is.series); o != nil && o != base.Order(was.series) {
			return reason(o.Reason, o.Commit)
		}
	}
	switch {
	case is.unsupported:
		return "" // that is the reason
	case is.Entry != nil && is.Verdict != verdict.Unexpected && (was.Entry != is.Entry || !was.observed()):
		return reason(is.Entry.Reason, is.Entry.Commit)
	case was.Entry != nil && was.Entry != is.Entry && is.Verdict != verdict.Unexpected:
		return "no longer so: " + reason(was.Entry.Reason, was.Entry.Commit)
	case is.Entry != nil && is.Verdict != verdict.Unexpected:
		return reason(is.Entry.Reason, is.Entry.Commit)
	}
	return ""
}

func reason(text, commit string) string {
	if commit != "" {
		text += " (commit " + commit[:min(len(commit), 12)] + ")"
	}
	return text
}
