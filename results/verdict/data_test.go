package verdict_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// TestDataCanBeMet: for every behaviour and every kernel of the default matrix there is an
// observation that the real data expects. Claims that exclude one another without a ledger
// entry that settles it, or a gap in the ledger, would make any kernel fail.
func TestDataCanBeMet(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	cells := fixture.Ideal(base)
	j, err := verdict.Judge(base, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range j.Cells {
		for _, r := range c.Results {
			switch r.Verdict {
			case verdict.Conforms, verdict.Deviation, verdict.Silent:
			default:
				t.Errorf("%s on %s is %s: %s", r.Behaviour, c.Series, r.Verdict, strings.Join(r.Wrong, "; "))
			}
		}
	}
}

// TestDataTellsEveryLie: with the real data, no outcome or fact but the right ones passes. Verdicts are about one
// behaviour each, so all behaviours lie at once, each about its nth thing in the nth round.
func TestDataTellsEveryLie(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, c := range fixture.Ideal(base) {
		for round, lies := 0, 1; lies > 0; round++ {
			lies = 0
			liar := *c
			liar.Records = nil
			about := map[string]string{}
			for _, r := range c.Records {
				if b, ok := base.Behaviour(r.ID); ok {
					if what := things(b, r); round < len(what) {
						lies++
						about[r.ID] = what[round]
						r = lie(r, what[round])
					}
				}
				liar.Records = append(liar.Records, r)
			}
			j, err := verdict.Judge(base, []*cell.Cell{&liar}, "")
			if err != nil {
				t.Fatal(err)
			}
			for id, what := range about {
				if v := j.Cells[0].Result(id).Verdict; v != verdict.Unexpected {
					t.Errorf("%s on %s: a lie about %s is %s", id, c.Series, what, v)
				}
			}
			told += lies
		}
	}
	if told < 5000 {
		t.Errorf("only %d lies were told", told)
	}
}

// outcome is what can be lied about besides facts; no fact has such a name.
const outcome = "the outcome"

// things returns what can be lied about in an observation.
func things(b *knowledge.Behaviour, r *record.Record) []string {
	out := []string{outcome}
	for _, f := range slices.Sorted(maps.Keys(r.Facts)) {
		if !b.IsInfo(f) {
			out = append(out, f)
		}
	}
	return out
}

// lie returns a copy of r that lies about one thing.
func lie(r *record.Record, about string) *record.Record {
	out := *r
	if about == outcome {
		out.Outcome = "EXDEV"
		return &out
	}
	out.Facts = maps.Clone(r.Facts)
	out.Facts[about] = "a lie"
	return &out
}
