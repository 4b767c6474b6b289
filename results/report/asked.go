package report

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/results/verdict"
)

// part says of how much of the suite a cell is, "" of one whose guest was asked for all: "asked for 2 of 334 behaviours".
func part(c *verdict.CellResult) string {
	if !c.Cell.IsPart() {
		return ""
	}
	n := len(c.Cell.Asked)
	return fmt.Sprintf("asked for %d of %s", n, count(n+len(c.Unasked), "behaviour"))
}

// wanted says how many behaviours a judgement is about, of which rows are shown.
func wanted(j *verdict.Judgement, rows int) string {
	all, parts, alike := map[string]bool{}, 0, true
	for _, c := range j.Cells {
		if c.Cell.IsPart() {
			parts++
		}
		alike = alike && c.Cell.SameAsked(j.Cells[0].Cell)
		for i := range j.Base.Behaviours {
			if b := &j.Base.Behaviours[i]; b.In(c.Cell.Scenario) {
				all[b.ID] = true
			}
		}
	}
	switch {
	case parts == 0:
		return count(rows, "behaviour")
	case parts < len(j.Cells):
		return fmt.Sprintf("%s, of %s only some asked for", count(rows, "behaviour"), count(parts, "cell"))
	}
	s := fmt.Sprintf("%s asked for of %d", count(rows, "behaviour"), len(all))
	if !alike {
		s += ", not all of each cell"
	}
	return s
}

// asks says whether one of the cells, each of a scenario that the behaviour belongs to or not, was asked for it.
func asks(j *verdict.Judgement, behaviour string, in func(scenario string) bool) bool {
	return len(j.Cells) == 0 || slices.ContainsFunc(j.Cells, func(c *verdict.CellResult) bool {
		return in(c.Cell.Scenario) && c.Cell.Asks(behaviour)
	})
}

// parts returns the cells that are parts.
func parts(j *verdict.Judgement) []*verdict.CellResult {
	return slices.DeleteFunc(slices.Clone(j.Cells), func(c *verdict.CellResult) bool { return !c.Cell.IsPart() })
}

// askedTitle heads what asked returns.
const askedTitle = "Asked for in part"

// asked says, where cells were not all asked for the same, of which of them only a part was asked, and how much. Where they
// were, the summary says it.
func asked(j *verdict.Judgement) []string {
	if !slices.ContainsFunc(j.Cells, func(c *verdict.CellResult) bool {
		return part(c) != part(j.Cells[0]) || !c.Cell.SameAsked(j.Cells[0].Cell) && c.Cell.Scenario == j.Cells[0].Cell.Scenario
	}) {
		return nil
	}
	var out []string
	for _, g := range gather(parts(j), func(c *verdict.CellResult) (string, string) { return oneLine(c.Cell.Name), part(c) }) {
		out = append(out, g.says+": "+strings.Join(g.ids, ", "))
	}
	return out
}
