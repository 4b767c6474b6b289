package report

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
)

// Station is what is otherwise in a kernel series than in the one before it.
type Station struct {
	// Label is the series, as the columns of the matrix have it.
	Label string
	Turns []Turn
}

// Turn is one behaviour that is otherwise since a kernel series.
type Turn struct {
	// Behaviour is the ID, "" of the order of the checks.
	Behaviour, Title string
	// Before and After say what was seen of it, in as many words as differ.
	Before, After string
	// Lines are those on which it turns here, "" if no other is judged or all are alike.
	Lines string
	// Since says where the kernel before it is not known, "" if it is the one before.
	Since string
	// Reason is the ledger's, with the commit if known; "" if it has none.
	Reason string
	// Verdict is that of the kernels from here on.
	Verdict verdict.Verdict
}

// notSupported is what is said of a kernel that lacks what a behaviour needs.
const notSupported = "not supported"

// timeline returns the series of the main lines from the oldest to the newest, each with what is
// otherwise since. What kernels lack is part of it, unless it is only a module that was not to be had.
func (f *Findings) timeline() []Station {
	l := f.lines
	var out []Station
	for _, s := range l.series {
		for i, label := range l.columns {
			if l.j.Cells[i].Series == s && !slices.ContainsFunc(out, func(o Station) bool { return o.Label == label }) &&
				slices.ContainsFunc(l.main, func(m line) bool { return slices.Contains(m.cells, i) }) {
				out = append(out, Station{Label: label})
			}
		}
	}
	add := func(label string, t Turn) {
		i := slices.IndexFunc(out, func(s Station) bool { return s.Label == label })
		if i < 0 {
			return
		}
		same := func(o Turn) bool {
			return o.Behaviour == t.Behaviour && o.Before == t.Before && o.After == t.After && o.Reason == t.Reason && o.Since == t.Since
		}
		if k := slices.IndexFunc(out[i].Turns, same); k >= 0 && out[i].Turns[k].Lines != "" && t.Lines != "" {
			out[i].Turns[k].Lines += ", " + t.Lines
			return
		}
		out[i].Turns = append(out[i].Turns, t)
	}
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			if r.linux != nil && r.ID != faults.Behaviour {
				f.turns(r, add)
			}
		}
	}
	for _, o := range f.Orders {
		if len(o.Changes) == 0 {
			continue
		}
		first, _, _ := strings.Cut(o.Kernels, dash)
		first, _, _ = strings.Cut(first, ",")
		first, _, _ = strings.Cut(first, " ")
		add(first, Turn{Title: "the order of the checks", After: strings.Join(o.Changes, "; "), Verdict: verdict.Conforms})
	}
	return out
}

// turns adds the turns of one behaviour.
func (f *Findings) turns(r Row, add func(label string, t Turn)) {
	l := f.lines
	groups, _ := l.group(l.concerned(r.linux), func(i int) string {
		switch res := r.linux[i]; {
		case res == nil:
			return ""
		case res.Outcome != "":
			return seen(res, r.Varying)
		case res.Verdict == verdict.Unsupported && !given(res):
			return notSupported
		}
		return ""
	})
	for n, g := range groups {
		runs := spells(g.points)
		for i := 1; i < len(runs); i++ {
			before, after := runs[i-1][len(runs[i-1])-1], runs[i][0]
			a, b := r.linux[before.columns[0]], r.linux[after.columns[0]]
			t := Turn{Behaviour: r.ID, Title: r.Title, Verdict: b.Verdict}
			t.Before, t.After = differing(a, b, r.Varying)
			if b.Entry != nil {
				t.Reason = reasons([]*verdict.Result{b}, func(*verdict.Result) bool { return true })
			}
			if l.hole(g, before, after) {
				t.Since = fmt.Sprintf("between %s and %s", before.label, after.label)
			}
			if len(groups) > 1 || n > 0 {
				t.Lines = names(g.lines)
				if n == 0 && len(g.lines) > 3 {
					t.Lines = "all but " + others(groups[1:])
				}
			}
			add(after.label, t)
		}
	}
}

// others names the lines of groups.
func others(groups []*group) string {
	var list []*line
	for _, g := range groups {
		list = append(list, g.lines...)
	}
	return names(list)
}

// given says whether a feature is lacking in what was given of a kernel, and not in the kernel.
func given(r *verdict.Result) bool {
	return slices.ContainsFunc(r.Wrong, func(s string) bool {
		return strings.Contains(s, " is not to be had: ") || strings.Contains(s, "the image carries no")
	})
}

// differing says of two results what the other is not: the outcome, or the facts.
func differing(a, b *verdict.Result, varying []string) (before, after string) {
	outcome := func(r *verdict.Result) string {
		if r.Outcome == "" {
			return notSupported
		}
		return oneLine(r.Outcome)
	}
	if before, after = outcome(a), outcome(b); before != after {
		return before, after
	}
	var facts []string
	for _, f := range varying {
		if a.Facts[f] != b.Facts[f] {
			facts = append(facts, f)
		}
	}
	only := func(r *verdict.Result) string {
		return strings.TrimSpace(strings.TrimPrefix(seen(r, facts), outcome(r)))
	}
	return only(a), only(b)
}
