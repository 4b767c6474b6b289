package main

import (
	"slices"
	"time"

	"pivotspec/harness/matrix"
	"pivotspec/results/cell"
	"pivotspec/results/progress"
)

// expected says how long jobs may take, as far as earlier runs tell: the same cell, or else those of the
// same line. Later ones of before count more.
func expected(jobs []matrix.Job, before []*cell.Cell) []progress.Expected {
	own, line := map[string]time.Duration{}, map[string]time.Duration{}
	for _, c := range before {
		// Of a part nothing follows for the whole; and that it takes no longer, a progress bar need not know.
		if c.IsPart() && !slices.ContainsFunc(jobs, func(j matrix.Job) bool { return j.Cell().SameAsked(c) }) {
			continue
		}
		if c.Status == cell.Complete && c.WallMillis > 0 {
			d := time.Duration(c.WallMillis) * time.Millisecond
			own[c.Name], line[c.Line().String()] = d, d
		}
	}
	var out []progress.Expected
	for i := range jobs {
		c := jobs[i].Cell()
		e := progress.Expected{Name: c.Name, Like: c.Line().String(), Wall: own[c.Name]}
		if e.Wall == 0 {
			e.Wall = line[e.Like]
		}
		out = append(out, e)
	}
	return out
}
