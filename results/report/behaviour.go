package report

import (
	"pivotspec/results/verdict"
)

// Seen says what kernels show of a behaviour, with some of its facts: "5.10–6.19 EINVAL; OK since 7.0, on
// all architectures". It is "" if none showed anything. Other implementations and kernels of the user's own are left
// out.
func Seen(j *verdict.Judgement, behaviour string, facts []string) string {
	l := linesOf(j)
	f := &Findings{Columns: l.columns, lines: l}
	return f.spans(l.shown(behaviour), func(r *verdict.Result) string { return seen(r, facts) })
}

// What says what a kernel showed: the outcome, with some facts.
func What(r *verdict.Result, facts []string) string { return seen(r, facts) }

// Varying returns the compared facts of a behaviour that differ between the kernels of a judgement.
func Varying(j *verdict.Judgement, behaviour string) []string {
	b, ok := j.Base.Behaviour(behaviour)
	if !ok {
		return nil
	}
	return varying(b, linesOf(j).shown(behaviour))
}

// shown returns the results of a behaviour on the main lines, with nil for the others.
func (l *lines) shown(behaviour string) []*verdict.Result {
	results := make([]*verdict.Result, len(l.j.Cells))
	for i, c := range l.j.Cells {
		results[i] = c.Result(behaviour)
	}
	return l.masked(results)
}
