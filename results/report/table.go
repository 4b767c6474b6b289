package report

import (
	"fmt"
	"slices"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// table is a matrix: behaviours down, kernels across. All cells of one line have a column each. With more lines
// those of a series share one: what the lines do alike is one row, and those that do otherwise
// have a row each below it.
type table struct {
	// scenario is the way to boot that it is about; "" is the plain initramfs.
	scenario string
	columns  []column
	areas    []tableArea
	// split says whether some row stands below another that it differs from.
	split bool
}

// column is what stands below one heading.
type column struct {
	label string
	cells []*verdict.CellResult
	// apart says that it is about something else than the column to its left.
	apart bool
}

type tableArea struct {
	id   string
	rows []tableRow
}

// tableRow is a behaviour on all lines, or on those that differ.
type tableRow struct {
	// id is the behaviour's, and name what the row is called: its condition, or the lines.
	id, name string
	// below says that the row stands below that of the behaviour which it differs from.
	below   bool
	results []*verdict.Result // by column
	varying []string
}

// status returns complete if one of the cells is, else what the first one is.
func (c *column) status() cell.Status {
	for _, x := range c.cells {
		if x.Status == cell.Complete {
			return cell.Complete
		}
	}
	return c.cells[0].Status
}

// unasked says whether none of the cells was asked for a behaviour.
func (c *column) unasked(behaviour string) bool {
	return !slices.ContainsFunc(c.cells, func(x *verdict.CellResult) bool { return x.Cell.Asks(behaviour) })
}

// worst returns the status of a cell that is not complete if there is one, broken before unavailable.
func (c *column) worst() cell.Status {
	worst := cell.Complete
	for _, x := range c.cells {
		if x.Status == cell.Broken || worst == cell.Complete {
			worst = x.Status
		}
	}
	return worst
}

// tables returns the matrices of a judgement, one a scenario.
func (f *Findings) tables() []table {
	if f.lines.plain() {
		return f.single()
	}
	var scenarios []string
	for _, m := range slices.Concat(f.lines.main, f.lines.other) {
		scenarios = append(scenarios, m.Scenario)
	}
	slices.Sort(scenarios)
	var out []table
	for _, s := range slices.Compact(scenarios) {
		if t := f.merged(s); len(t.areas) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// single returns the matrix of one line.
func (f *Findings) single() []table {
	t := table{}
	cells := f.lines.j.Cells
	for i, c := range cells {
		t.columns = append(t.columns, column{f.Columns[i], []*verdict.CellResult{c}, i > 0 && c.Cell.Arch != cells[i-1].Cell.Arch})
		t.scenario = c.Cell.Scenario
	}
	f.fill(&t, func(r Row) []tableRow {
		return []tableRow{{id: r.ID, name: r.Name, results: r.Results, varying: r.Varying}}
	})
	return []table{t}
}

// fill puts rows into a table, those of each behaviour that was observed in one of its cells, or all if none was.
func (f *Findings) fill(t *table, rows func(Row) []tableRow) {
	for _, some := range []bool{true, false} {
		for _, a := range f.Areas {
			area := tableArea{id: a.ID}
			for _, r := range a.Rows {
				list := rows(r)
				if some && !slices.ContainsFunc(list, tableRow.any) {
					continue
				}
				t.split = t.split || len(list) > 1
				area.rows = append(area.rows, list...)
			}
			if len(area.rows) > 0 {
				t.areas = append(t.areas, area)
			}
		}
		if len(t.areas) > 0 {
			return
		}
	}
}

func (r tableRow) any() bool {
	return slices.ContainsFunc(r.results, func(res *verdict.Result) bool { return res != nil })
}

// merged returns the matrix of a scenario over several lines.
func (f *Findings) merged(scenario string) table {
	l, t := f.lines, table{scenario: scenario}
	var main []line
	var places []point
	for _, m := range l.main {
		if m.Scenario != scenario {
			continue
		}
		main = append(main, m)
		for _, i := range m.cells {
			k := slices.IndexFunc(places, func(p point) bool { return p.label == l.columns[i] })
			if k < 0 {
				k = len(places)
				places = append(places, point{series: l.j.Cells[i].Series, label: l.columns[i]})
			}
			places[k].columns = append(places[k].columns, i)
		}
	}
	slices.SortStableFunc(places, func(a, b point) int { return a.series.Compare(b.series) })
	shared := len(places)
	for i := range l.other {
		if m := &l.other[i]; m.Scenario == scenario {
			for _, k := range m.cells {
				places = append(places, point{label: l.ownLabel(m, k), columns: []int{k}})
			}
		}
	}
	for i, p := range places {
		c := column{label: p.label, apart: i >= shared}
		for _, k := range p.columns {
			c.cells = append(c.cells, l.j.Cells[k])
		}
		t.columns = append(t.columns, c)
	}
	f.fill(&t, func(r Row) []tableRow {
		rule := tableRow{id: r.ID, name: r.Name, results: make([]*verdict.Result, len(places)), varying: r.Varying}
		rows := []tableRow{rule}
		groups, _ := l.group(main, func(i int) string { return l.display(r, i) })
		for n, g := range groups {
			row := rule
			if n > 0 {
				row = tableRow{id: r.ID, name: brief(g.lines), below: true, results: make([]*verdict.Result, len(places)), varying: r.Varying}
			}
			for _, p := range g.points {
				k := slices.IndexFunc(places, func(o point) bool { return o.label == p.label })
				row.results[k] = r.Results[p.columns[0]]
			}
			if n > 0 {
				rows = append(rows, row)
			}
		}
		for k, p := range places {
			for _, i := range p.columns {
				if res := r.Results[i]; res != nil && rule.results[k] == nil && (k >= shared || l.display(r, i) == "") {
					rule.results[k] = res
				}
			}
		}
		return rows
	})
	return t
}

// display returns what tells a result of the matrix from another, also that it is not as in the baseline; "" for one that may stand for
// none: a feature that is lacking, and what a broken cell did not get to, are told elsewhere.
func (l *lines) display(r Row, i int) string {
	res := r.Results[i]
	switch {
	case res != nil && res.Baseline != nil:
		return fmt.Sprintf("%s %s %s", res.Verdict, seen(res, r.Varying), res.Baseline.Words())
	case res == nil, res.Verdict == verdict.Unsupported, res.Verdict == verdict.Missing && l.j.Cells[i].Status != cell.Complete:
		return ""
	}
	return fmt.Sprintf("%s %s", res.Verdict, seen(res, r.Varying))
}

// ownLabel returns the heading of column k of another backend.
func (l *lines) ownLabel(m *line, k int) string {
	if len(m.cells) > 1 {
		return l.columns[k]
	}
	for i := range l.other {
		if o := &l.other[i]; o.Backend == m.Backend && o.Line != m.Line {
			return m.String()
		}
	}
	return oneLine(m.Backend)
}

// brief names lines in a few words, for the heading of a row.
func brief(list []*line) string {
	const most = 3
	if n := len(list) - most; n > 1 {
		return names(list[:most]) + fmt.Sprintf(" and %d more", n)
	}
	return names(list)
}

// recorded is a table of the cells that there are: lines down, kernels across.
type recorded struct {
	labels []string
	rows   []recordedRow
}

type recordedRow struct {
	name  string
	cells []*verdict.CellResult // by label, nil where there is none
}

// recorded returns which cells there are.
func (f *Findings) recorded() recorded {
	var out recorded
	var places []point
	all := slices.Concat(f.lines.main, f.lines.other)
	for _, m := range all {
		for _, i := range m.cells {
			p := point{series: f.lines.j.Cells[i].Series, label: f.recordedLabel(m, i)}
			if p.label == own {
				p.series = knowledge.Series{}
			}
			if !slices.ContainsFunc(places, func(o point) bool { return o.label == p.label }) {
				places = append(places, p)
			}
		}
	}
	// What has no series comes last.
	slices.SortStableFunc(places, func(a, b point) int {
		if z := (knowledge.Series{}); (a.series == z) != (b.series == z) {
			return b.series.Compare(a.series)
		}
		return a.series.Compare(b.series)
	})
	for _, p := range places {
		out.labels = append(out.labels, p.label)
	}
	for _, m := range all {
		row := recordedRow{name: m.String(), cells: make([]*verdict.CellResult, len(places))}
		for _, i := range m.cells {
			row.cells[slices.Index(out.labels, f.recordedLabel(m, i))] = f.lines.j.Cells[i]
		}
		out.rows = append(out.rows, row)
	}
	return out
}

// own heads the cells of other backends, which have no place among the series.
const own = "own"

func (f *Findings) recordedLabel(m line, i int) string {
	if m.Backend != "" && len(m.cells) == 1 {
		return own
	}
	return f.Columns[i]
}
