package baseline

import (
	"maps"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// Apply holds a judgement against recorded cells, as [Match] and [Compare] do: it marks in it what is not as it was
// recorded, so that every report tells it. planned is that of Match. A judgement is held against one baseline only, and
// against a list of known issues after that, which may have differences in it.
func Apply(j *verdict.Judgement, recorded []*cell.Cell, planned bool) {
	cells := make([]*cell.Cell, len(j.Cells))
	judged := map[string]*verdict.CellResult{}
	for i, c := range j.Cells {
		cells[i], judged[c.Cell.Name] = c.Cell, c
	}
	match, left := Match(recorded, cells, planned)
	j.Baseline = &verdict.Baseline{Cells: len(recorded), Left: left}
	j.Baseline.Unasked, j.Baseline.UnaskedCells = Unasked(match, cells)
	was := byName(match)
	for _, d := range Compare(j.Base, match, cells) {
		out := &verdict.Difference{Cell: judged[d.Cell], Behaviour: d.Behaviour, Kind: d.Kind, Was: d.Old, Is: d.New}
		if out.Cell == nil {
			out.Cell = gone(j.Base, was[d.Cell])
			j.Baseline.Gone = append(j.Baseline.Gone, out)
			continue
		}
		if d.Behaviour != "" {
			out.Old, out.New = observation(j.Base, was[d.Cell], d.Behaviour), observation(j.Base, out.Cell.Cell, d.Behaviour)
			if r := out.Cell.Result(d.Behaviour); r != nil {
				r.Baseline = out
				continue
			}
		}
		out.Cell.Baseline = append(out.Cell.Baseline, out)
	}
}

// gone stands in a judgement for a recorded cell that the run lacks.
func gone(base *knowledge.Base, c *cell.Cell) *verdict.CellResult {
	out := &verdict.CellResult{Cell: c, Status: c.Status, Reason: c.Reason}
	if i, ok := base.Implementation(c.Backend); ok {
		out.Implementation = i
	} else {
		out.Series, _ = knowledge.ParseSeries(c.Series)
	}
	return out
}

// observation returns what a cell has of a behaviour as it is compared: the last of several, without
// what is only for people to read.
func observation(base *knowledge.Base, c *cell.Cell, behaviour string) *record.Record {
	if c == nil {
		return nil
	}
	var out *record.Record
	for _, r := range c.Records {
		if r.Type == record.TypeObservation && r.ID == behaviour {
			out = r
		}
	}
	b, known := base.Behaviour(behaviour)
	if out == nil || !known {
		return out
	}
	stripped := *out
	stripped.Facts = maps.Clone(out.Facts)
	maps.DeleteFunc(stripped.Facts, func(f, _ string) bool { return b.IsInfo(f) })
	return &stripped
}
