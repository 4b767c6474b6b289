package signature

import (
	"maps"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// WholeCell is the subject of what is not as in a baseline of a cell as a whole.
const WholeCell = "cell"

// becomes stands between what was recorded and what is.
const becomes = "->"

// Nothing stands for the side of a difference from a baseline that has nothing.
const Nothing = absent

// Baselines returns the failures of c that are differences from the baseline its judgement was held against, in
// their order there.
func Baselines(c *verdict.CellResult) []Found {
	var out []Found
	for _, d := range c.Differences() {
		out = append(out, difference(d))
	}
	return out
}

// Gone returns those that are cells of the baseline which the run lacks.
func Gone(j *verdict.Judgement) []Found {
	if j.Baseline == nil {
		return nil
	}
	var out []Found
	for _, d := range j.Baseline.Gone {
		out = append(out, difference(d))
	}
	return out
}

func difference(d *verdict.Difference) Found {
	s := Signature{Kind: Baseline, Subject: WholeCell}
	var was, is string
	if d.Behaviour == "" {
		was, is = status(d.Was), status(d.Is)
		if d.Kind == verdict.Changed {
			is = status(string(d.Cell.Cell.Status))
			if d.Cell.Cell.Status != cell.Complete {
				is += " (" + bracketed(text(d.Cell.Cell.Reason)) + ")"
			}
		}
	} else {
		s.Subject = subject(d.Behaviour)
		facts := differing(d.Old, d.New)
		was, is = side(d.Old, facts), side(d.New, facts)
	}
	s.Text = was + " " + becomes + " " + is
	return Found{Signature: s, Cell: d.Cell, Difference: d}
}

// status is one side of what differs of a cell.
func status(s string) string {
	if s == "" {
		return Nothing
	}
	return outcome(s)
}

// outcome is [value] where it stands beside becomes.
func outcome(s string) string {
	if s = value(s); s == becomes {
		return "%"
	}
	return s
}

// bracketed makes a text fit for brackets, beside becomes.
func bracketed(s string) string {
	s = strings.NewReplacer("(", "", ")", "", becomes, "-").Replace(Normalise(s))
	if s = Normalise(s); s == "" {
		return "no reason given"
	}
	return s
}

// differing returns the facts by which two observations differ. With another outcome most do, and only those are
// named that are asked of every observation.
func differing(a, b *record.Record) []string {
	if a == nil || b == nil || a.Status != record.Observed || b.Status != record.Observed {
		return nil
	}
	names := map[string]bool{}
	for _, facts := range []map[string]string{a.Facts, b.Facts} {
		for f := range facts {
			was, had := a.Facts[f]
			is, has := b.Facts[f]
			if (was != is || had != has) && (a.Outcome == b.Outcome || knowledge.Universal(f)) {
				names[f] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// side is what one side has: the outcome with the facts, or in brackets why there is none. Why something is unsupported is
// for people.
func side(r *record.Record, names []string) string {
	switch {
	case r == nil:
		return Nothing
	case r.Status == record.Unsupported:
		return "(" + string(record.Unsupported) + ")"
	case r.Status != record.Observed:
		return "(" + bracketed(string(r.Status)+" "+text(r.Why)) + ")"
	}
	var facts []string
	for _, f := range names {
		if v, ok := r.Facts[f]; ok {
			facts = append(facts, value(f)+"="+value(v))
		} else {
			facts = append(facts, value(f)+"="+absent)
		}
	}
	return strings.Join(append([]string{outcome(r.Outcome)}, few(facts)...), " ")
}

// parseBaseline reads what difference wrote, behind the subject.
func (s Signature) parseBaseline(words []string, fail func(string, ...any) (Signature, error)) (Signature, error) {
	at := slices.Index(words, becomes)
	if at < 0 {
		return fail("want what was recorded and what is, with %s between them, such as OK %[1]s EINVAL, behind %[2]q", becomes, s.Subject)
	}
	var sides []string
	for _, part := range [][]string{words[:at], words[at+1:]} {
		if slices.Contains(part, becomes) {
			return fail("it has %s twice", becomes)
		}
		one, err := s.parseObserved(part, fail)
		if err != nil {
			return Signature{}, err
		}
		sides = append(sides, one.Text)
	}
	s.Text = strings.Join(sides, " "+becomes+" ")
	return s, nil
}

// Sides cuts the text of a difference from a baseline into what was recorded and what is; both are
// "" for any other signature.
func (s Signature) Sides() (was, is string) {
	if s.Kind != Baseline {
		return "", ""
	}
	was, is, _ = strings.Cut(s.Text, " "+becomes+" ")
	return was, is
}
