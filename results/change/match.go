package change

import (
	"slices"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// place is what makes two cells comparable.
type place struct {
	cell.Line
	series string
}

// match finds which old cell is to be compared with which new one. Two kernels, one on either side, are compared
// with one another whatever they are, each of their cells with that of the same scenario and, if there are
// several, ABI. If each side has one kernel of a line (the same architecture, flavour and way to boot), as
// two runs of one series for several architectures have, these are compared; else those of the same line and series.
func match(before, after []*verdict.CellResult) (pairs [][2]*verdict.CellResult, onlyOld, onlyNew []*verdict.CellResult) {
	key := func(c *verdict.CellResult) place { return place{c.Cell.Line(), seriesOf(c)} }
	for _, try := range []func(*verdict.CellResult) place{
		func(c *verdict.CellResult) place { return place{Line: cell.Line{Scenario: c.Cell.Scenario}} },
		func(c *verdict.CellResult) place {
			return place{Line: cell.Line{Scenario: c.Cell.Scenario, ABI: c.Cell.Line().ABI}}
		},
		func(c *verdict.CellResult) place { return place{Line: c.Cell.Line()} },
	} {
		if unique(before, try) && unique(after, try) {
			key = try
			break
		}
	}
	left := map[place][]*verdict.CellResult{}
	for _, c := range before {
		left[key(c)] = append(left[key(c)], c)
	}
	for _, c := range after {
		k := key(c)
		if len(left[k]) == 0 {
			onlyNew = append(onlyNew, c)
			continue
		}
		pairs = append(pairs, [2]*verdict.CellResult{left[k][0], c})
		left[k] = left[k][1:]
	}
	for _, c := range before {
		if slices.Contains(left[key(c)], c) {
			onlyOld = append(onlyOld, c)
		}
	}
	return pairs, onlyOld, onlyNew
}

func unique(cells []*verdict.CellResult, key func(*verdict.CellResult) place) bool {
	seen := map[place]bool{}
	for _, c := range cells {
		if seen[key(c)] {
			return false
		}
		seen[key(c)] = true
	}
	return true
}

// seriesOf returns a cell's series, also that of a cell which was not judged by one.
func seriesOf(c *verdict.CellResult) string {
	if s := c.Series; s != (knowledge.Series{}) {
		return s.String()
	}
	return c.Cell.Series
}

// Like returns those of cells that can be compared with some of as: of the same architecture, ABI, flavour,
// scenario and series. It narrows a folder of many runs down to the kernels that are on the other side; how
// many others there are is in the second result.
func Like(cells, as []*cell.Cell) ([]*cell.Cell, int) {
	var out []*cell.Cell
	for _, c := range cells {
		if slices.ContainsFunc(as, func(o *cell.Cell) bool { return o.Series == c.Series && o.Line() == c.Line() }) {
			out = append(out, c)
		}
	}
	return out, len(cells) - len(out)
}
