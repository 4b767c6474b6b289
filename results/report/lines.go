package report

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// line is the cells of a [cell.Line] from the oldest kernel to the newest.
type line struct {
	cell.Line
	cells []int // indices into the judgement's
	// dead says that no cell of it showed anything, which is told of the cells and not once more of every behaviour.
	dead bool
}

// String returns the line for a reader. Its words come from a file.
func (m line) String() string { return oneLine(m.Line.String()) }

// lines are the lines of a judgement.
type lines struct {
	j       *verdict.Judgement
	columns []string
	// main are those that ranges of kernels are about: Linux under QEMU if there is any.
	main []line
	// other are the other backends: other implementations, and kernels of the user's own.
	other []line
	// lost are cells of which it is not known what they are: files that cannot be read.
	lost []int
	// dead says whether some main line is.
	dead bool
	// series are those of the main lines, and archs the architectures of those that are not dead, in order.
	series []knowledge.Series
	archs  []string
}

func linesOf(j *verdict.Judgement) *lines {
	l := &lines{j: j, columns: columns(j)}
	for i, c := range j.Cells {
		is := c.Cell.Line()
		if is.Arch == "" {
			l.lost = append(l.lost, i)
			continue
		}
		list := &l.main
		if is.Backend != "" {
			list = &l.other
		}
		if n := len(*list); n == 0 || (*list)[n-1].Line != is {
			*list = append(*list, line{Line: is})
		}
		last := &(*list)[len(*list)-1]
		last.cells = append(last.cells, i)
	}
	if len(l.main) == 0 {
		l.main, l.other = l.other, nil
	}
	for k := range l.main {
		m := &l.main[k]
		m.dead = !slices.ContainsFunc(m.cells, func(i int) bool { return showed(j.Cells[i]) })
		l.dead = l.dead || m.dead
		if !m.dead && !slices.Contains(l.archs, m.Arch) {
			l.archs = append(l.archs, m.Arch)
		}
		for _, i := range m.cells {
			l.series = append(l.series, j.Cells[i].Series)
		}
	}
	slices.Sort(l.archs)
	slices.SortFunc(l.series, knowledge.Series.Compare)
	l.series = slices.Compact(l.series)
	return l
}

// showed says whether a cell has a result that is not missing.
func showed(c *verdict.CellResult) bool {
	return slices.ContainsFunc(c.Results, func(r *verdict.Result) bool { return r.Verdict != verdict.Missing })
}

// plain says whether all cells are of one line, so that nothing need be said of lines.
func (l *lines) plain() bool { return len(l.main)+len(l.other) < 2 }

// masked returns the results of the main lines, with nil for the others.
func (l *lines) masked(results []*verdict.Result) []*verdict.Result {
	if len(l.other) == 0 {
		return results
	}
	out := slices.Clone(results)
	for _, o := range l.other {
		for _, i := range o.cells {
			out[i] = nil
		}
	}
	return out
}

// point is what is to be said of one kernel.
type point struct {
	series knowledge.Series
	label  string
	text   string
	// columns are the cells that say so.
	columns []int
}

// group is lines of which the same is to be said, as far as they have the same kernels.
type group struct {
	lines []*line
	// points by series; the group's lines have no other kernels, but for those that say nothing.
	points []point
	// have are the series of which the group has a cell, also one that says nothing.
	have []knowledge.Series
}

// group sorts lines by what is to be said of their kernels; what returns it for a column, or "" for
// nothing. A line joins a group that it does not contradict: where it has the same kernel the same is said of
// both, and its other kernels lie where they change nothing between the kernels of the group. So a
// line with few kernels joins one with many, whose boundaries are known better.
// The group with the most lines is the first. Lines of which nothing is said are returned apart, but
// for dead ones.
func (l *lines) group(list []line, what func(column int) string) (groups []*group, silent []*line) {
	type candidate struct {
		*line
		points []point
	}
	var all []candidate
	for i := range list {
		c := candidate{line: &list[i]}
		for _, k := range c.cells {
			if s := what(k); s != "" {
				c.points = append(c.points, point{l.j.Cells[k].Series, l.columns[k], s, []int{k}})
			}
		}
		if len(c.points) == 0 {
			if !c.dead {
				silent = append(silent, c.line)
			}
			continue
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return len(b.points) - len(a.points) })
	for _, c := range all {
		joined := false
		for _, g := range groups {
			if merged, ok := merge(g.points, c.points); ok {
				g.lines, g.points, joined = append(g.lines, c.line), merged, true
				break
			}
		}
		if !joined {
			groups = append(groups, &group{lines: []*line{c.line}, points: c.points})
		}
	}
	for _, g := range groups {
		slices.SortFunc(g.lines, func(a, b *line) int { return a.Compare(b.Line) })
		for _, m := range g.lines {
			for _, k := range m.cells {
				g.have = append(g.have, l.j.Cells[k].Series)
			}
		}
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return a.lines[0].Compare(b.lines[0].Line) })
	if i := most(groups); i > 0 {
		rule := groups[i]
		groups = slices.Insert(slices.Delete(groups, i, i+1), 0, rule)
	}
	return groups, silent
}

// most returns the index of the first group with the most lines.
func most(groups []*group) int {
	best := 0
	for i, g := range groups {
		if len(g.lines) > len(groups[best].lines) {
			best = i
		}
	}
	return best
}

// merge returns both lists as one, unless that would contradict a or change its boundaries.
func merge(a, b []point) ([]point, bool) {
	out := make([]point, 0, len(a)+len(b))
	for _, p := range a {
		out = append(out, point{p.series, p.label, p.text, slices.Clone(p.columns)})
	}
	for _, p := range b {
		i := slices.IndexFunc(out, func(o point) bool { return o.label == p.label })
		switch {
		case i < 0:
			// Behind those of the same series, which come first.
			at := len(out)
			for at > 0 && out[at-1].series.Compare(p.series) > 0 {
				at--
			}
			out = slices.Insert(out, at, p)
		case out[i].text != p.text:
			return nil, false
		default:
			out[i].columns = append(out[i].columns, p.columns...)
		}
	}
	if len(spells(out)) != len(spells(a)) {
		return nil, false
	}
	return out, true
}

// spells cuts points where what is said of them changes.
func spells(points []point) [][]point {
	var out [][]point
	for i := range points {
		if n := len(out); n > 0 && out[n-1][0].text == points[i].text {
			out[n-1] = append(out[n-1], points[i])
		} else {
			out = append(out, []point{points[i]})
		}
	}
	return out
}

// gap says whether other lines have a kernel between two of the group of which it has none.
func (l *lines) gap(g *group, a, b point) bool {
	return slices.ContainsFunc(l.series, func(s knowledge.Series) bool {
		return s.Compare(a.series) > 0 && s.Compare(b.series) < 0 && !slices.Contains(g.have, s)
	})
}

// hole says the same, also of a kernel of the group that says nothing.
func (l *lines) hole(g *group, a, b point) bool {
	return l.gap(g, a, b) || slices.ContainsFunc(g.have, func(s knowledge.Series) bool {
		return s.Compare(a.series) > 0 && s.Compare(b.series) < 0
	})
}

// unaskedBehind says whether the group has a kernel behind a point whose guest was not asked for all: what goes on to the
// newest kernel is said of that, too.
func (l *lines) unaskedBehind(g *group, last point) bool {
	return slices.ContainsFunc(g.lines, func(m *line) bool {
		return slices.ContainsFunc(m.cells, func(k int) bool {
			return l.j.Cells[k].Cell.IsPart() && l.j.Cells[k].Series.Compare(last.series) > 0
		})
	})
}

// span names points from the first to the last: "6.1–6.12", or "6.1, 7.2" if apart says that there is
// something between them. Of two that stand beside each other, two stands between them.
func span(points []point, apart func(a, b point) bool, two string) string {
	var parts []string
	for i := 0; i < len(points); i++ {
		first := i
		for i+1 < len(points) && !apart(points[i], points[i+1]) {
			i++
		}
		switch i - first {
		case 0:
			parts = append(parts, points[i].label)
		case 1:
			parts = append(parts, points[first].label+two+points[i].label)
		default:
			parts = append(parts, points[first].label+dash+points[i].label)
		}
	}
	return strings.Join(parts, ", ")
}

// said says what a group's kernels do: "5.10–6.19 EINVAL; OK since 7.0". A range has no kernel in it
// on which nothing was seen.
func (l *lines) said(g *group) string {
	runs := spells(g.points)
	gap := func(a, b point) bool { return l.hole(g, a, b) }
	var parts []string
	for i, r := range runs {
		text, kernels := r[0].text, span(r, gap, dash)
		unsure := ""
		if i > 0 {
			if before := runs[i-1][len(runs[i-1])-1]; gap(before, r[0]) {
				unsure = " (changed between " + before.label + " and " + r[0].label + ")"
			}
		}
		switch {
		case len(runs) == 1:
			parts = append(parts, text+" on "+kernels)
		case i == len(runs)-1 && unsure == "" && !l.unaskedBehind(g, r[len(r)-1]) && span(r, gap, dash) == span(r, func(point, point) bool { return false }, dash):
			parts = append(parts, text+" since "+r[0].label)
		default:
			parts = append(parts, kernels+" "+text+unsure)
		}
	}
	return strings.Join(parts, "; ")
}

// names lists lines for a reader.
func names(list []*line) string {
	out := make([]string, len(list))
	for i, m := range list {
		out[i] = m.String()
	}
	return strings.Join(out, ", ")
}

// everywhere says whether lines are of all architectures of the judgement, and those are several.
func (l *lines) everywhere(list []*line) bool {
	have := map[string]bool{}
	for _, m := range list {
		have[m.Arch] = true
	}
	return len(l.archs) > 1 && !slices.ContainsFunc(l.archs, func(a string) bool { return !have[a] })
}

// sawAll says whether every line showed something and every architecture has a kernel on each side of the group's boundaries.
func (l *lines) sawAll(g *group) bool {
	if l.dead {
		return false
	}
	for _, r := range spells(g.points) {
		seen := map[string]bool{}
		for _, p := range r {
			for _, k := range p.columns {
				seen[l.j.Cells[k].Cell.Arch] = true
			}
		}
		if slices.ContainsFunc(l.archs, func(a string) bool { return !seen[a] }) {
			return false
		}
	}
	return true
}

// onAll ends what holds on all architectures.
const onAll = ", on all architectures"

// compose joins what is to be said of each group: "X, on all architectures", "X; but s390x: Y" or
// "amd64: X; s390x: Y".
func (l *lines) compose(groups []*group, silent []*line, say func(*group) string) string {
	if len(groups) == 0 {
		return ""
	}
	n := len(silent)
	for _, g := range groups {
		n += len(g.lines)
	}
	rule := groups[0]
	s := say(rule)
	switch {
	case n == 1 && l.plain():
		return s
	case len(rule.lines) == n && l.everywhere(rule.lines):
		if !l.sawAll(rule) {
			return s + onAll + " seen"
		}
		return s + onAll
	case len(rule.lines) == n && len(l.archs) == 1:
		return s
	case len(rule.lines) == n || 2*len(rule.lines) <= n:
		s = names(rule.lines) + ": " + s
		for _, g := range groups[1:] {
			s += "; " + names(g.lines) + ": " + say(g)
		}
	default:
		for _, g := range groups[1:] {
			s += "; but " + names(g.lines) + ": " + say(g)
		}
	}
	if len(silent) > 0 {
		s += "; not seen on " + names(silent)
	}
	return s
}

// concerned returns the main lines of the scenarios that have a result, which are those that a
// behaviour belongs to; all if none has.
func (l *lines) concerned(results []*verdict.Result) []line {
	scenarios := map[string]bool{}
	for _, m := range l.main {
		if slices.ContainsFunc(m.cells, func(i int) bool { return results[i] != nil }) {
			scenarios[m.Scenario] = true
		}
	}
	if len(scenarios) == 0 {
		return l.main
	}
	return slices.DeleteFunc(slices.Clone(l.main), func(m line) bool { return !scenarios[m.Scenario] })
}

// spans says what which kernels of the main lines do.
func (l *lines) spans(of []line, what func(column int) string) string {
	groups, silent := l.group(of, what)
	return l.compose(groups, silent, l.said)
}

// ranges names the kernels for which in holds: "5.10–6.12, 7.0", with the lines that do otherwise:
// "5.10–6.12 (not s390x); 5.10 (s390x)", or with all lines where there is no rule. known says of which cells
// it can be said at all.
func (l *lines) ranges(of []line, in, known func(column int) bool) string {
	const yes, no = "yes", "no"
	groups, _ := l.group(of, func(i int) string {
		switch {
		case in(i):
			return yes
		case known(i):
			return no
		}
		return ""
	})
	holds := func(g *group) bool { return slices.ContainsFunc(g.points, func(p point) bool { return p.text == yes }) }
	say := func(g *group) string {
		var parts []string
		for _, r := range spells(g.points) {
			if r[0].text == yes {
				parts = append(parts, span(r, func(a, b point) bool { return l.hole(g, a, b) }, ", "))
			}
		}
		return strings.Join(parts, ", ")
	}
	n := 0
	for _, g := range groups {
		n += len(g.lines)
	}
	var parts []string
	var not []*line
	ruled := false // the first part is of most lines, or all, and so names none
	for i, g := range groups {
		if i > 0 {
			not = append(not, g.lines...)
		}
		if !holds(g) {
			continue
		}
		s := say(g)
		if whole := len(g.lines) == n; i == 0 && (whole && (l.everywhere(g.lines) || len(l.archs) < 2) || !whole && 2*len(g.lines) > n) {
			ruled = true
		} else {
			s += " (" + names(g.lines) + ")"
		}
		parts = append(parts, s)
	}
	if ruled && len(not) > 0 {
		parts[0] += " (not " + names(not) + ")"
	}
	for k := range l.other {
		if slices.ContainsFunc(l.other[k].cells, in) {
			parts = append(parts, l.own(&l.other[k], in))
		}
	}
	return strings.Join(parts, "; ")
}

// all is for what can be said of every cell.
func all(int) bool { return true }

// onArchs says on how many architectures the cells are, " on 9 architectures", "" if on one.
func (l *lines) onArchs() string {
	var archs []string
	for _, m := range slices.Concat(l.main, l.other) {
		archs = append(archs, m.Arch)
	}
	slices.Sort(archs)
	if n := len(slices.Compact(archs)); n > 1 {
		return fmt.Sprintf(" on %d architectures", n)
	}
	return ""
}

// own names a line of another backend, with those of its cells for which in holds if it has several.
func (l *lines) own(m *line, in func(column int) bool) string {
	if len(m.cells) == 1 {
		return m.String()
	}
	var labels []string
	for _, i := range m.cells {
		if in(i) {
			labels = append(labels, l.columns[i])
		}
	}
	return strings.Join(labels, ", ") + " (" + m.String() + ")"
}
