package cell

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/suites/record"
)

// IsPart reports whether the guest was asked for some of the behaviours of its scenario only.
func (c *Cell) IsPart() bool { return len(c.Asked) > 0 }

// Asks reports whether the guest was asked for a behaviour, if that belongs to the cell's scenario.
func (c *Cell) Asks(behaviour string) bool { return asks(c.Asked, behaviour) }

// asks is [Cell.Asks] for a list of IDs.
func asks(asked []string, behaviour string) bool {
	if len(asked) == 0 {
		return true
	}
	_, ok := slices.BinarySearch(asked, behaviour)
	return ok
}

// ordered returns IDs as [Cell.Asked] has them.
func ordered(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// Covers reports whether the guest was asked for all that the other's was, both of the same scenario.
func (c *Cell) Covers(o *Cell) bool { return covers(c.Asked, o.Asked) }

func covers(a, b []string) bool {
	return len(a) == 0 || len(b) > 0 && !slices.ContainsFunc(b, func(id string) bool { return !asks(a, id) })
}

// SameAsked reports whether both guests were asked for the same, both of the same scenario.
func (c *Cell) SameAsked(o *Cell) bool { return slices.Equal(c.Asked, o.Asked) }

// Strayed says in one line that the guest's records are not of what it was asked for: a guest that was made for another
// pivotspec may not know what it means to be asked. It returns "" of a cell that was asked for all, whose plan is
// compared with what is known, and of one without a plan.
func (c *Cell) Strayed() string {
	if !c.IsPart() {
		return ""
	}
	planned, reported := map[string]bool{}, map[string]bool{}
	plans := 0
	for _, r := range c.Records {
		switch r.Type {
		case record.TypePlan:
			plans++
			for _, id := range r.Plan {
				planned[id] = true
			}
		case record.TypeObservation:
			reported[r.ID] = true
		}
	}
	if plans == 0 {
		return ""
	}
	var lacking, beyond []string
	for _, id := range c.Asked {
		if !planned[id] {
			lacking = append(lacking, id)
		}
	}
	for _, ids := range []map[string]bool{planned, reported} {
		for id := range ids {
			if !c.Asks(id) {
				beyond = append(beyond, id)
			}
		}
	}
	slices.Sort(beyond)
	beyond = slices.Compact(beyond)
	if len(lacking)+len(beyond) == 0 {
		return ""
	}
	var parts []string
	if len(lacking) > 0 {
		parts = append(parts, "planned without "+some(lacking))
	}
	if len(beyond) > 0 {
		parts = append(parts, "planned or reported "+some(beyond)+", which it was not asked for")
	}
	return fmt.Sprintf("its guest was asked for %s and %s; give it no --guest, or one that belongs to this pivotspec",
		number(len(c.Asked)), strings.Join(parts, ", and "))
}

// some names a few of a list of IDs.
func some(ids []string) string {
	const most = 2
	if n := len(ids) - most; n > 1 {
		return strings.Join(ids[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(ids, ", ")
}

func number(n int) string {
	if n == 1 {
		return "1 behaviour"
	}
	return fmt.Sprintf("%d behaviours", n)
}
