// Package bisect says of one kernel of a history on which side of a change it is: good, bad, or neither that can be
// told. A bisection that takes a kernel for bad because of another failure finds the wrong commit, so what is not
// just the change that is sought, or just its absence, cannot be told. It is pure.
package bisect

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/signature"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// Answer is on which side of the change a kernel is.
type Answer string

// The answers.
const (
	Good   Answer = "good"
	Bad    Answer = "bad"
	Untold Answer = "cannot tell"
)

// Question is the change that is sought.
type Question interface {
	// Answer says on which side of the change the cell's kernel is, and why in one line.
	Answer(c *verdict.CellResult) (Answer, string)
	// Behaviour is that which has to be observed; "" if it is about the kernel as a whole.
	Behaviour() string
	// Alone is the behaviour that a guest may be asked for alone, because the answer rests on nothing else; "" if it rests on
	// the cell as a whole.
	Alone() string
}

// failure is the question for one failure, by its signature.
type failure struct{ signature.Signature }

// Failure returns the question where a failure began: a kernel that shows one with that signature is bad, one
// that shows nothing wrong there is good, and of one that fails there in another way it cannot be told.
// The error says what is wrong with the text, which is that of package signature.
func Failure(base *knowledge.Base, text string) (Question, error) {
	s, err := signature.Parse(text)
	if err != nil {
		return nil, err
	}
	if s.Kind == signature.Baseline {
		return nil, fmt.Errorf("%q says how two runs differ, and a bisection looks at one kernel: %s; see `pivotspec bisect --help`", s, instead(s))
	}
	q := failure{s}
	if id := q.Behaviour(); id != "" {
		if _, ok := base.Behaviour(id); !ok {
			return nil, fmt.Errorf("there is no behaviour %s; `pivotspec report` lists them", id)
		}
	}
	return q, nil
}

// instead says how to ask for the kernels on either side of a difference from a baseline.
func instead(s signature.Signature) string {
	was, is := s.Sides()
	old, _, _ := strings.Cut(was, " ")
	now, _, _ := strings.Cut(is, " ")
	switch {
	case !knowledge.IsOutcome(old) || !knowledge.IsOutcome(now):
		return "ask for one outcome with --behaviour and --bad"
	case old == now && !strings.ContainsAny(was+is, "_~%("): // as it was reported
		return fmt.Sprintf("ask for --behaviour %s --good '%s' --bad '%s'", s.Subject,
			strings.Join(strings.Fields(was), ", "), strings.Join(strings.Fields(is), ", "))
	case old == now:
		return fmt.Sprintf("ask for the fact that differs with --behaviour %s --good '%s, FACT=VALUE' --bad '%s, FACT=VALUE'", s.Subject, old, now)
	}
	return fmt.Sprintf("ask for --behaviour %s --good %s --bad %s", s.Subject, old, now)
}

// Behaviour implements [Question].
func (q failure) Behaviour() string {
	switch q.Kind {
	case signature.Unexpected, signature.Broken, signature.Missing:
		return q.Subject
	}
	return ""
}

// Alone implements [Question]. A behaviour is missing because of what became of others; so a guest that was asked for it
// alone would not miss it.
func (q failure) Alone() string {
	if q.Kind == signature.Missing {
		return ""
	}
	return q.Behaviour()
}

// Answer implements [Question].
func (q failure) Answer(c *verdict.CellResult) (Answer, string) {
	var there []string
	for _, f := range signature.OfCell(c) {
		if f.Signature == q.Signature {
			return Bad, f.Signature.String()
		}
		if f.Signature.Kind == signature.Cell || q.Behaviour() != "" && f.Result != nil && f.Result.Behaviour == q.Behaviour() {
			there = append(there, f.Signature.String())
		}
	}
	if len(there) > 0 {
		return Untold, "another failure: " + strings.Join(there, "; ")
	}
	if c.Status != cell.Complete {
		return Untold, fmt.Sprintf("the cell is %s: %s", c.Status, c.Reason)
	}
	id := q.Behaviour()
	if id == "" {
		return Good, "no " + q.String()
	}
	r := c.Result(id)
	switch {
	case r == nil:
		return Untold, id + " was not observed: it does not belong to the scenario"
	case r.Outcome == "" || r.Verdict == verdict.Unsupported:
		return Untold, id + " was not observed: " + strings.Join(r.Wrong, "; ")
	}
	return Good, id + " is " + seen(r, nil) + ", as expected"
}

// comesOut is the question where a behaviour began to come out otherwise.
type comesOut struct {
	b         *knowledge.Behaviour
	bad, good *knowledge.Demand // good may be nil
}

// ComesOut returns the question where a behaviour began to come out as bad says: such as "OK", or "OK,
// task-root=old_root". A kernel on which it comes out as good says is good, or if good is "" one on which it is
// as the ledger and the page expect of that kernel, and not as bad says. Of any other it cannot be told, nor
// where the set-up or a control failed. The error says what is wrong with the texts.
func ComesOut(base *knowledge.Base, behaviour, bad, good string) (Question, error) {
	b, ok := base.Behaviour(behaviour)
	if !ok {
		return nil, fmt.Errorf("there is no behaviour %q; `pivotspec report` lists them", behaviour)
	}
	q := comesOut{b: b}
	var err error
	if q.bad, err = parse(b, bad); err != nil {
		return nil, err
	}
	if good == "" {
		return q, nil
	}
	if q.good, err = parse(b, good); err != nil {
		return nil, err
	}
	if overlap(q.bad, q.good) {
		return nil, fmt.Errorf("%q and %q can both be true of one kernel: name another outcome, or a fact that differs", bad, good)
	}
	return q, nil
}

// fact is where a fact begins; its value goes up to the next, for it may hold commas.
var fact = regexp.MustCompile(`,\s*([a-z0-9]+(?:-[a-z0-9]+)*)=`)

// parse reads "OUTCOME[, FACT=VALUE]...".
func parse(b *knowledge.Behaviour, text string) (*knowledge.Demand, error) {
	d := &knowledge.Demand{Behaviour: b.ID, Facts: map[string]knowledge.Set{}}
	at := fact.FindAllStringSubmatchIndex(text, -1)
	head := text
	if len(at) > 0 {
		head = text[:at[0][0]]
	}
	if head = strings.TrimSpace(head); !knowledge.IsOutcome(head) {
		return nil, fmt.Errorf("%q does not begin with an outcome: want OK or the name of an errno, and then facts, as in %q", text, "OK, task-root=old_root")
	}
	d.Outcome = knowledge.Set{head}
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		name, value := text[m[2]:m[3]], strings.TrimSpace(text[m[1]:end])
		_, declared := b.Facts[name]
		switch {
		case !declared && !knowledge.Universal(name):
			return nil, fmt.Errorf("%s has no fact %q: it has %s", b.ID, name, facts(b))
		case b.IsInfo(name):
			return nil, fmt.Errorf("the fact %s of %s differs from boot to boot: name another", name, b.ID)
		case value == "":
			return nil, fmt.Errorf("the fact %s has no value", name)
		case d.Facts[name] != nil:
			return nil, fmt.Errorf("the fact %s stands there twice", name)
		}
		d.Facts[name] = knowledge.Set{value}
	}
	return d, nil
}

// facts lists those of a behaviour that can be asked for.
func facts(b *knowledge.Behaviour) string {
	out := []string{knowledge.FactControl, knowledge.FactEffect}
	for f := range b.Facts {
		if !b.IsInfo(f) {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// overlap says whether an observation can meet both.
func overlap(a, b *knowledge.Demand) bool {
	if !slices.ContainsFunc(a.Outcome, b.Outcome.Has) {
		return false
	}
	for f, want := range a.Facts {
		if other, ok := b.Facts[f]; ok && !slices.ContainsFunc(want, other.Has) {
			return false
		}
	}
	return true
}

// Behaviour implements [Question].
func (q comesOut) Behaviour() string { return q.b.ID }

// Alone implements [Question].
func (q comesOut) Alone() string { return q.b.ID }

// Answer implements [Question].
func (q comesOut) Answer(c *verdict.CellResult) (Answer, string) {
	if c.Status != cell.Complete {
		return Untold, fmt.Sprintf("the cell is %s: %s", c.Status, c.Reason)
	}
	r := c.Result(q.b.ID)
	switch {
	case r == nil:
		return Untold, q.b.ID + " was not observed: it does not belong to the scenario"
	case r.Outcome == "" || r.Verdict == verdict.Broken || r.Verdict == verdict.Unsupported:
		return Untold, q.b.ID + " was not observed: " + strings.Join(r.Wrong, "; ")
	}
	is := q.b.ID + " is " + seen(r, q.named())
	if err := q.trust(r); err != nil {
		return Untold, is + ": " + err.Error()
	}
	switch {
	case q.bad.Met(r.Outcome, r.Facts):
		return Bad, is
	case q.good != nil && q.good.Met(r.Outcome, r.Facts):
		return Good, is
	case q.good != nil:
		return Untold, is + ", which is neither"
	case r.Verdict == verdict.Unexpected:
		return Untold, is + ", which is neither that nor expected of this kernel: " + strings.Join(r.Wrong, "; ")
	}
	return Good, is + ", as expected"
}

// named returns the facts that the question is about.
func (q comesOut) named() []string {
	var out []string
	for _, d := range []*knowledge.Demand{q.bad, q.good} {
		if d == nil {
			continue
		}
		for f := range d.Facts {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// trust says why an outcome may be the set-up's fault: the rules for every observation of package verdict, but for
// what the question itself is about.
func (q comesOut) trust(r *verdict.Result) error {
	effect := knowledge.NoChange
	if r.Outcome == record.OK {
		effect = knowledge.Pivoted
	}
	for _, rule := range []struct{ name, want string }{
		{knowledge.FactControl, record.OK}, {knowledge.FactAfterControl, knowledge.Pivoted}, {knowledge.FactEffect, effect},
	} {
		got, reported := r.Facts[rule.name]
		if !slices.Contains(q.named(), rule.name) && reported && got != rule.want && !expected(r) {
			return fmt.Errorf("it cannot be relied on, for %s is %s and not %s", rule.name, got, rule.want)
		}
	}
	_, controlled := r.Facts[knowledge.FactControl]
	if r.Outcome != record.OK && !controlled && q.b.NoControl == "" && !expected(r) {
		return errors.New("it cannot be relied on without the positive control")
	}
	return nil
}

// expected says whether an observation is all that is expected: then a rule may have an exception.
func expected(r *verdict.Result) bool {
	return r.Verdict == verdict.Conforms || r.Verdict == verdict.Deviation || r.Verdict == verdict.Silent
}

// seen says the outcome and some facts.
func seen(r *verdict.Result, names []string) string {
	s := r.Outcome
	for _, f := range names {
		if v, ok := r.Facts[f]; ok {
			s += ", " + f + "=" + v
		}
	}
	return s
}
