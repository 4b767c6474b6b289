// Package worlds judges cells whose guests compared worlds with the model of the call.
//
// The guest's word that it agreed is not taken for it: which worlds there had to be, and what the
// model says of each, is worked out here again, and every one has to be accounted for.
package worlds

import (
	"fmt"
	"slices"

	"pivotspec/results/cell"
	"pivotspec/suites/enumerate"
	"pivotspec/suites/exhaust"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/model"
	"pivotspec/suites/record"
)

// Result is what came of one cell.
type Result struct {
	Cell *cell.Cell
	// Era is the model's of the cell's kernel; nil if the guest did not say which that is.
	Era *model.Era
	// Planned is how many worlds the guest had to compare, Agreed and Disagreed what came of
	// them. The rest was not compared.
	Planned, Agreed, Disagreed int
	// PerSecond is how many worlds the guest compared in a second.
	PerSecond float64
	// Disagreements are the worlds that the guest told of in full.
	Disagreements []*record.Record
	// Warnings are kernel messages of level warning or worse that are not known to be harmless.
	Warnings []string
	// Problems say why worlds were not compared, and what else is wrong with the cell.
	Problems []string
}

// Judge accounts for every world of the request in every cell. known are the kernel's messages
// that are let pass.
func Judge(req enumerate.Request, cells []*cell.Cell, known []knowledge.KnownWarning) []*Result {
	var out []*Result
	var books []*book
	for _, c := range cells {
		r := &Result{Cell: c}
		out = append(out, r)
		books = append(books, open(r, known))
	}
	i, want := 0, map[model.Series]byte{} // by era
	req.Each(func(w *model.World) bool {
		clear(want)
		for _, b := range books {
			if b.Era == nil {
				b.account(i, w, 0)
				continue
			}
			if _, ok := want[b.Era.Since]; !ok {
				want[b.Era.Since] = exhaust.Letter(model.PivotRoot(b.Era, w).Errno)
			}
			b.account(i, w, want[b.Era.Since])
		}
		i++
		return true
	})
	for _, b := range books {
		b.close(i)
	}
	return out
}

// book goes through the rows of one cell, world by world.
type book struct {
	*Result
	rows   []*record.Record // in order of First
	digest uint64
	// Of the row so far: they count once its digest is right.
	agreed, disagreed int
	micros            int64
	lies              int
}

// open reads what a cell reported.
func open(r *Result, known []knowledge.KnownWarning) *book {
	b := &book{Result: r}
	c := r.Cell
	if c.Status != cell.Complete {
		r.Problems = append(r.Problems, fmt.Sprintf("%s: %s", c.Status, c.Reason))
	}
	for _, rec := range c.Records {
		switch rec.Type {
		case record.TypeKernel:
			if rec.Kernel == nil {
				continue
			}
			if s, err := model.SeriesOf(rec.Kernel.Release); err != nil {
				r.Problems = append(r.Problems, err.Error())
			} else {
				r.Era = model.EraOf(s)
			}
		case record.TypeWorlds:
			if rec.Worlds != nil && len(rec.Worlds.Outcomes) > 0 {
				b.rows = append(b.rows, rec)
				b.micros += rec.Micros
			}
		case record.TypeWorld:
			if rec.Status == record.Observed {
				r.Disagreements = append(r.Disagreements, rec)
			} else {
				r.Problems = append(r.Problems, fmt.Sprintf("world %q: %s", rec.ID, rec.Why))
			}
		case record.TypeWarning:
			series, _ := knowledge.ParseSeries(c.Series) // a bad one is covered by nothing
			if !slices.ContainsFunc(known, func(k knowledge.KnownWarning) bool { return k.Covers(rec.Why, series, c.Arch) }) {
				r.Warnings = append(r.Warnings, rec.Why)
			}
		case record.TypeNote:
			r.Problems = append(r.Problems, rec.Why)
		}
	}
	slices.SortStableFunc(b.rows, func(x, y *record.Record) int { return x.Worlds.First - y.Worlds.First })
	return b
}

// account takes world i, of which the model says want.
func (b *book) account(i int, w *model.World, want byte) {
	b.Planned++
	for len(b.rows) > 0 && b.rows[0].Worlds.First+len(b.rows[0].Worlds.Outcomes) <= i {
		b.rows = b.rows[1:]
	}
	if len(b.rows) == 0 || b.Era == nil {
		return
	}
	row := b.rows[0].Worlds
	if row.First > i {
		return
	}
	if i == row.First {
		b.digest, b.agreed, b.disagreed = 0, 0, 0
	}
	b.digest = enumerate.Digest(b.digest, w)
	switch got := row.Outcomes[i-row.First]; got {
	case want:
		b.agreed++
	case '!':
		b.disagreed++
	case '#':
	default:
		if b.lies++; b.lies == 1 {
			b.Problems = append(b.Problems, fmt.Sprintf("world %q: the guest says that it agreed on %q, and the model here says %q: was the guest built from another model?", w.String(), got, want))
		}
	}
	if i+1 < row.First+len(row.Outcomes) {
		return
	}
	if got := fmt.Sprintf("%016x", b.digest); got != row.Digest {
		b.Problems = append(b.Problems, fmt.Sprintf("worlds %d to %d: the guest compared others than were asked for", row.First, i))
		return
	}
	b.Agreed += b.agreed
	b.Disagreed += b.disagreed
}

// close ends the account of n worlds.
func (b *book) close(n int) {
	if lost := n - b.Agreed - b.Disagreed; lost > 0 {
		b.Problems = append(b.Problems, fmt.Sprintf("%d of %d worlds were not compared", lost, n))
	}
	if b.micros > 0 {
		b.PerSecond = float64(b.Agreed+b.Disagreed) / (float64(b.micros) / 1e6)
	}
	if b.Disagreed > 0 && len(b.Disagreements) == 0 {
		b.Problems = append(b.Problems, "the guest told of none of the worlds that disagree")
	}
}
