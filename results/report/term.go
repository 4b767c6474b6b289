package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// TermOptions returns the options that suit f, usually the standard output: its width, and
// colours if it is a terminal and neither NO_COLOR nor TERM=dumb asks for none. getenv is
// usually [os.Getenv].
func TermOptions(f *os.File, getenv func(string) string) Options {
	var o Options
	if fd := int(f.Fd()); term.IsTerminal(fd) {
		o.Colour = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
		if w, _, err := term.GetSize(fd); err == nil && w >= 40 {
			o.Width = w
		}
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(getenv(name)); v != "" {
			o.ASCII = !strings.Contains(v, "UTF-8") && !strings.Contains(v, "UTF8")
			return o
		}
	}
	o.ASCII = true // no locale is the C locale
	return o
}

// look is how a verdict appears.
type look struct {
	symbol, ascii string
	colour        text.Colors
	meaning       string
}

func looks() map[verdict.Verdict]look {
	return map[verdict.Verdict]look{
		verdict.Conforms:    {"·", ".", text.Colors{text.Faint}, "conforms"},
		verdict.Deviation:   {"≠", "#", text.Colors{text.Bold, text.FgYellow}, "known deviation"},
		verdict.Silent:      {"~", "~", text.Colors{text.FgCyan}, "page silent"},
		verdict.Unsupported: {"-", "-", text.Colors{text.Faint}, "unsupported"},
		verdict.Unexpected:  {"✗", "X", text.Colors{text.Bold, text.FgHiWhite, text.BgRed}, "UNEXPECTED"},
		verdict.Broken:      {"!", "!", text.Colors{text.Bold, text.FgMagenta}, "broken"},
		verdict.Missing:     {"?", "?", text.Colors{text.Bold, text.FgMagenta}, "missing"},
	}
}

// Term writes the matrix and the findings for a terminal.
func Term(w io.Writer, j *verdict.Judgement, o Options) error {
	p := &printer{o: o, j: j, f: Find(j), looks: looks()}
	if !p.f.lines.plain() {
		p.recorded()
	}
	if observed(j) {
		tables := p.f.tables()
		wide := true
		for i := range tables {
			wide = p.matrix(&tables[i], len(tables) > 1) && wide
		}
		p.legend(tables, wide)
	}
	p.findings()
	_, err := w.Write(p.out.Bytes())
	return err
}

type printer struct {
	o     Options
	j     *verdict.Judgement
	f     *Findings
	looks map[verdict.Verdict]look
	// starred says whether the matrix has a [factMark].
	starred bool
	// marked says whether it has a mark of what is not as in the baseline.
	marked bool
	out    bytes.Buffer
}

// line writes one line without trailing blanks.
func (p *printer) line(s string) {
	if p.o.ASCII {
		s = strings.ReplaceAll(s, dash, "-")
	}
	p.out.WriteString(strings.TrimRight(s, " ") + "\n")
}

func (p *printer) paint(c text.Colors, s string) string {
	if !p.o.Colour || s == "" {
		return s
	}
	return c.EscapeSeq() + s + text.EscapeReset
}

func (p *printer) bold(s string) string { return p.paint(text.Colors{text.Bold}, s) }
func (p *printer) symbol(v verdict.Verdict) string {
	if p.o.ASCII {
		return p.looks[v].ascii
	}
	return p.looks[v].symbol
}

// recorded draws which cells there are: lines down, kernels across.
func (p *printer) recorded() {
	rec := p.f.recorded()
	g := &grid{gap: 1}
	p.heads(g, rec.labels, false, "cells", "")
	for _, r := range rec.rows {
		row := []string{"  " + r.name}
		for _, c := range r.cells {
			switch {
			case c == nil:
				row = append(row, "")
			case c.Status == cell.Complete:
				row = append(row, p.mood(verdict.Conforms, ""))
			default:
				row = append(row, p.incomplete(c.Status))
			}
		}
		g.add(row...)
	}
	for _, line := range g.lines() {
		p.line(line)
	}
	for _, i := range p.f.lines.lost {
		p.line("  " + p.f.Columns[i] + " " + p.incomplete(p.j.Cells[i].Status))
	}
	p.line("")
}

// matrix draws behaviours down and kernels across: with the outcomes in place if that fits
// the width, else with symbols only and the outcomes behind them. It says which.
func (p *printer) matrix(t *table, titled bool) (wide bool) {
	if titled && t.scenario != "" {
		p.line("")
		p.line(p.bold("Scenario " + oneLine(t.scenario)))
	}
	g, wide := p.wide(t), true
	if p.o.Width > 0 && g.width() > p.o.Width {
		g.gap = 1
		if names := g.widths()[0] - (g.width() - p.o.Width); names >= 48 {
			g.limit(0, names)
		}
	}
	if p.o.Width > 0 && g.width() > p.o.Width {
		g, wide = p.narrow(t, false), false
		outcomes := len(t.columns) + 1
		g.fit(outcomes, 20, p.o.Width)
		if g.width() > p.o.Width {
			g = p.narrow(t, true)
			// The few long outcomes give way first, then the names, then all outcomes: the
			// findings below have them in full.
			g.fit(outcomes, 20, p.o.Width)
			g.fit(0, 24, p.o.Width)
			g.fit(outcomes, 12, p.o.Width)
		}
	}
	for _, line := range g.lines() {
		p.line(line)
	}
	return wide
}

// wide puts each outcome where it first appears in a row, and a symbol where it goes on.
func (p *printer) wide(t *table) *grid {
	g := &grid{gap: 2}
	head := []string{p.bold("behaviour")}
	for i := range t.columns {
		head = append(head, p.bold(t.columns[i].label)+p.mark(&t.columns[i]))
	}
	g.add(head...)
	for _, a := range t.areas {
		g.add(p.bold(a.id + "/"))
		for _, r := range a.rows {
			row := []string{r.indented()}
			var left *verdict.Result
			for i, res := range r.results {
				if t.columns[i].apart {
					left = nil
				}
				row = append(row, p.wideCell(&r, &t.columns[i], res, left))
				if res != nil && res.Outcome != "" {
					left = res
				}
			}
			g.add(row...)
		}
	}
	return g
}

// indented returns the row's name as it stands below that of its area or behaviour.
func (r *tableRow) indented() string {
	if r.below {
		return "    " + r.name
	}
	return "  " + r.name
}

// mark returns what a column's heading says of a cell that is not complete.
func (p *printer) mark(c *column) string {
	if s := c.worst(); s != cell.Complete {
		return p.incomplete(s)
	}
	return ""
}

// incomplete returns the symbol of a cell that is not complete.
func (p *printer) incomplete(s cell.Status) string {
	if s == cell.Unavailable {
		return p.mood(verdict.Missing, "")
	}
	return p.mood(verdict.Broken, "")
}

// mood returns the symbol of a verdict and some text in its colour.
func (p *printer) mood(v verdict.Verdict, s string) string {
	return p.paint(p.looks[v].colour, p.symbol(v)+s)
}

// wideCell draws one result beside the one to its left: what was observed where that is
// new, else the symbol alone.
func (p *printer) wideCell(row *tableRow, c *column, r, left *verdict.Result) string {
	if r == nil {
		return p.none(row, c)
	}
	s := p.news(r, left, row.varying)
	if s != "" && r.Verdict == verdict.Conforms {
		return s + p.unlike(r)
	}
	return p.mood(r.Verdict, s) + p.unlike(r)
}

// none draws the place of a result that there is not.
func (p *printer) none(row *tableRow, c *column) string {
	if row.below || c.status() == cell.Complete || c.unasked(row.id) {
		return "" // other cells, or another cell reported something unknown, or was asked for more
	}
	return p.mood(verdict.Missing, "")
}

// news says what of r is not as it is to the left of it.
func (p *printer) news(r, left *verdict.Result, varying []string) string {
	if r.Outcome == "" {
		return ""
	}
	if left == nil || r.Outcome != left.Outcome {
		return oneLine(r.Outcome)
	}
	if otherFacts(r, left, varying) {
		p.starred = true
		return oneLine(r.Outcome) + factMark
	}
	if r.Verdict == verdict.Unexpected {
		return oneLine(r.Outcome)
	}
	return ""
}

// factMark stands behind an outcome that is the same as to the left of it, with other facts. Which
// they are does not fit into a cell: the sections below the matrix name them.
const factMark = "*"

// otherFacts says whether one of the varying facts is not as it is in left.
func otherFacts(r, left *verdict.Result, varying []string) bool {
	return slices.ContainsFunc(varying, func(f string) bool { return r.Facts[f] != left.Facts[f] && r.Facts[f] != "" })
}

// heads adds the headings of narrow columns: a series in two lines above them, or upright if tight is
// set, between first and last.
func (p *printer) heads(g *grid, labels []string, tight bool, first, last string) {
	heads := make([][]string, len(labels))
	high := 1
	for i, c := range labels {
		major, minor, ok := strings.Cut(c, ".")
		switch {
		case tight && !ok && len(c) <= 8:
			heads[i] = strings.Split(c, "")
		case !ok || len(c) > 5:
			heads[i] = []string{c}
		case tight:
			heads[i] = append([]string{major, "."}, strings.Split(minor, "")...)
		default:
			heads[i] = []string{major + ".", minor}
		}
		high = max(high, len(heads[i]))
	}
	for k := range high {
		row := []string{""}
		for _, h := range heads {
			s := ""
			if k < len(h) {
				s = p.bold(h[k])
			}
			row = append(row, s)
		}
		if k == high-1 {
			row[0] = p.bold(first)
			if last != "" {
				row = append(row, p.bold(last))
			}
		}
		g.add(row...)
	}
}

// narrow gives each kernel three columns, its series in two lines above them; or if tight is set
// two columns, and its series stands upright.
func (p *printer) narrow(t *table, tight bool) *grid {
	g := &grid{gap: 1}
	labels := make([]string, len(t.columns))
	for i := range t.columns {
		labels[i] = t.columns[i].label
	}
	p.heads(g, labels, tight, "behaviour", "outcome")
	p.marks(g, t)
	for _, a := range t.areas {
		g.add(p.bold(a.id + "/"))
		for _, r := range a.rows {
			row := []string{r.indented()}
			for i, res := range r.results {
				if res == nil {
					row = append(row, p.none(&r, &t.columns[i]))
				} else {
					row = append(row, p.mood(res.Verdict, "")+p.unlike(res))
				}
			}
			g.add(append(row, p.outcomes(t, &r))...)
		}
	}
	return g
}

// marks adds a line with the marks of columns that stand for several cells not all of which are
// complete. Of a cell with a column of its own the whole column says so.
func (p *printer) marks(g *grid, t *table) {
	row, some := []string{""}, false
	for i := range t.columns {
		s := ""
		if c := &t.columns[i]; len(c.cells) > 1 {
			s = p.mark(c)
		}
		row, some = append(row, s), some || s != ""
	}
	if some {
		row[0] = "  (not all cells complete)"
		g.add(row...)
	}
}

// outcomes says the outcomes of a row in a few letters: "EINVAL, 7.0 OK". What stands apart is
// compared with the newest kernel.
func (p *printer) outcomes(t *table, r *tableRow) string {
	s := ""
	var last *verdict.Result
	for i, res := range r.results {
		if res == nil || res.Outcome == "" {
			continue
		}
		left := last
		if !t.columns[i].apart {
			last = res
		}
		mark := ""
		if left != nil && res.Outcome == left.Outcome {
			if !otherFacts(res, left, r.varying) {
				continue
			}
			mark, p.starred = factMark, true
		}
		if s != "" {
			s += ", " + t.columns[i].label + " "
		}
		s += oneLine(res.Outcome) + mark
	}
	return s
}

func (p *printer) legend(tables []table, wide bool) {
	n := p.j.Counts()
	parts := []string{}
	for _, c := range p.j.Cells {
		switch c.Status {
		case cell.Broken:
			n[verdict.Broken]++
		case cell.Unavailable:
			n[verdict.Missing]++
		}
	}
	for _, v := range verdict.All() {
		if n[v] > 0 {
			parts = append(parts, p.mood(v, "")+" "+p.looks[v].meaning)
		}
	}
	if wide && len(p.f.Columns) > 1 {
		parts = append(parts, "an outcome holds until another to its right")
	}
	if slices.ContainsFunc(tables, func(t table) bool { return t.split }) {
		parts = append(parts, "architectures in a row of their own differ from the row above")
	}
	if len(asked(p.j)) > 0 {
		parts = append(parts, "nothing: not asked for")
	}
	if p.starred {
		parts = append(parts, factMark+" with other facts, see below")
	}
	if p.marked {
		parts = append(parts, p.unlikeMark()+" "+differsShort+", see below")
	}
	if len(parts) > 0 {
		p.line("")
		p.text("", strings.Join(parts, "   "))
	}
}

func (p *printer) findings() {
	p.section("Where page "+p.j.Edition.ID+" and the kernels part ways", len(p.f.Deviations))
	for _, d := range p.f.Deviations {
		page := make([]string, len(d.Page))
		for i, c := range d.Page {
			page[i] = fmt.Sprintf("%s (%s)", c.Says, c.Where)
		}
		s := fmt.Sprintf("%s: page: %s. Kernels: %s. Deviates %s", p.bold(d.Behaviour), strings.Join(page, "; "), d.Kernels, d.Since)
		if d.Reason != "" {
			s += ": " + d.Reason
		}
		p.item(verdict.Deviation, s+".")
	}
	p.section("Where kernels differ and the page is silent", countChanges(p.f.Changes, true))
	p.changes(true)
	p.section("Where kernels differ as the page allows", countChanges(p.f.Changes, false))
	p.changes(false)
	p.section(ordersTitle, len(p.f.Orders))
	for _, o := range p.f.Orders {
		p.hang("  ", "      ", p.bold(o.Kernels)+fmt.Sprintf(" (%s): ", count(o.Pairs, "pair"))+o.Line)
		for _, n := range o.notes() {
			p.text("      ", n)
		}
	}
	p.others()
	p.trouble()
	p.line("")
	p.text("", p.bold(p.f.Summary))
}

// others writes what other implementations do otherwise.
func (p *printer) others() {
	for _, o := range p.f.Others {
		p.section(o.heading(), 1)
		p.text("  ", o.words())
		for _, c := range o.Differs {
			s := fmt.Sprintf("%s: %s. %s: %s", p.bold(c.Behaviour), c.Title, o.Name, c.Kernels)
			if c.Reason != "" {
				s += " (" + c.Reason + ")"
			}
			v := verdict.Deviation
			if c.Silent {
				v = verdict.Silent
			}
			p.item(v, s+".")
		}
	}
}

// trouble writes what was not observed, or not as expected.
func (p *printer) trouble() {
	list := asked(p.j)
	p.section(askedTitle, len(list))
	for _, s := range list {
		p.hang("  ", "      ", s)
	}
	p.section("Not supported", len(p.f.Unsupported))
	for _, x := range together(p.f.Unsupported) {
		p.item(x.Verdict, fmt.Sprintf("not on %s (%s): %s", x.Kernels, oneLine(strings.Join(x.Wrong, "; ")), p.bold(x.Subject)))
	}
	unexpected, known := p.f.unexpected()
	p.section("Known issues", len(known))
	p.unexpected(known)
	p.section("UNEXPECTED", len(unexpected))
	p.unexpected(unexpected)
	differs, _ := p.f.unlike()
	p.section(strings.ToUpper(differsTitle), len(differs))
	p.problems(differs)
	p.section("Nothing observed", len(p.f.Unobserved)+len(p.f.Cells))
	p.problems(p.f.Unobserved)
	p.problems(together(p.f.Cells))
}

// unexpected writes what is not as expected, with what was.
func (p *printer) unexpected(list []Problem) {
	for _, u := range list {
		p.problems([]Problem{u})
		if u.Expected != "" {
			p.text("      ", "expected: "+u.Expected)
		}
		if u.Got != "" {
			p.text("      ", "got:      "+oneLine(u.Got))
		}
	}
}

func countChanges(list []Change, silent bool) int {
	n := 0
	for _, c := range list {
		if c.Silent == silent {
			n++
		}
	}
	return n
}

func (p *printer) changes(silent bool) {
	for _, c := range p.f.Changes {
		if c.Silent != silent {
			continue
		}
		v := verdict.Conforms
		if silent {
			v = verdict.Silent
		}
		s := fmt.Sprintf("%s: %s. Kernels: %s", p.bold(c.Behaviour), c.Title, c.Kernels)
		if c.Reason != "" {
			s += " (" + c.Reason + ")"
		}
		p.item(v, s+".")
	}
}

func (p *printer) problems(list []Problem) {
	for _, x := range list {
		s := p.bold(x.Subject)
		if x.Kernels != "" {
			s += " on " + x.Kernels
		}
		p.item(x.Verdict, s+": "+oneLine(strings.Join(x.Wrong, "; ")))
	}
}

func (p *printer) section(title string, n int) {
	if n > 0 {
		p.line("")
		p.line(p.bold(title))
	}
}

func (p *printer) item(v verdict.Verdict, s string) {
	p.hang("  "+p.mood(v, "")+" ", "      ", s)
}

func (p *printer) text(indent, s string) { p.hang(indent, indent, s) }

// hang writes s behind first, broken at blanks to the width, later lines behind rest.
func (p *printer) hang(first, rest, s string) {
	for _, l := range Hang(p.o.Width, first, rest, s) {
		p.line(l)
	}
}

// Hang returns the lines of s behind first, broken at blanks to a width (0 for no limit),
// later lines behind rest.
func Hang(width int, first, rest, s string) []string {
	if width == 0 {
		return []string{first + s}
	}
	var lines []string
	line, indent := first, true
	for word := range strings.SplitSeq(s, " ") {
		if !indent && text.StringWidthWithoutEscSequences(line+" "+word) > width {
			lines = append(lines, line)
			line, indent = rest, true
		}
		if !indent {
			line += " "
		}
		line, indent = line+word, false
	}
	return append(lines, line)
}

// grid is a table of cells that may hold colours.
type grid struct {
	rows [][]string
	gap  int
	max  map[int]int
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// limit cuts the cells of a column to n by taking out their middle: names tend to differ at
// their ends. It leaves cells with colours alone.
func (g *grid) limit(column, n int) {
	for _, r := range g.rows {
		if len(r) <= max(1, column) {
			continue // a heading, or a row without that column
		}
		if c := []rune(r[column]); len(c) > n && c[0] != '\x1b' {
			tail := (n - 2) / 2
			r[column] = string(c[:n-2-tail]) + ".." + string(c[len(c)-tail:])
		}
	}
}

// fit limits a column to what makes the table no wider than width, but not to less than least.
func (g *grid) fit(column, least, width int) {
	if over := g.width() - width; over > 0 {
		g.limit(column, max(least, g.widths()[column]-over))
	}
}

// widths returns the width of each column. A row of a single cell is a heading and may
// run on over the columns beside it.
func (g *grid) widths() []int {
	var w []int
	for _, r := range g.rows {
		for i, c := range r {
			if i == len(w) {
				w = append(w, 0)
			}
			if len(r) > 1 {
				w[i] = max(w[i], text.StringWidthWithoutEscSequences(c))
			}
		}
	}
	return w
}

func (g *grid) width() int {
	n := 0
	for i, w := range g.widths() {
		if i > 0 {
			n += g.gap
		}
		n += w
	}
	return n
}

func (g *grid) lines() []string {
	w := g.widths()
	out := make([]string, len(g.rows))
	for k, r := range g.rows {
		for i, c := range r {
			if i > 0 {
				out[k] += strings.Repeat(" ", g.gap)
			}
			out[k] += text.Pad(c, w[i], ' ')
		}
	}
	return out
}
