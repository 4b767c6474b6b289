package verdict_test

import (
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

// TestDataTellsEveryLie: with the real data, no outcome or fact but the right ones passes.
func TestDataTellsEveryLie(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range fixture.Ideal(base) {
		for _, r := range c.Records {
			b, ok := base.Behaviour(r.ID)
			if !ok {
				continue
			}
			alone := *c // with the others unreported: they are of no interest here
			alone.Records = []*record.Record{c.Records[0], c.Records[1], r}
			lie := func(what string, tell, undo func()) {
				tell()
				defer undo()
				j, err := verdict.Judge(base, []*cell.Cell{&alone}, "")
				if err != nil {
					t.Fatal(err)
				}
				if v := j.Cells[0].Result(r.ID).Verdict; v != verdict.Unexpected {
					t.Errorf("%s on %s: a lie about %s is %s", r.ID, c.Series, what, v)
				}
			}
			outcome := r.Outcome
			lie("the outcome", func() { r.Outcome = "EXDEV" }, func() { r.Outcome = outcome })
			for f, v := range r.Facts {
				if !b.IsInfo(f) {
					lie(f, func() { r.Facts[f] = "a lie" }, func() { r.Facts[f] = v })
				}
			}
		}
	}
}
