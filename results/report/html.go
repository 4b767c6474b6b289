package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// The page is one file: its text, its style and its program. See html/page.js for how they go together.
var (
	//go:embed html/page.html
	pageHTML string
	//go:embed html/style.css
	pageCSS string
	//go:embed html/page.js
	pageJS string
)

// HTML writes one page that needs nothing else: no server, no network, and no program for the matrix and the
// findings. All text of kernels and guests is foreign: it comes into the page escaped, and the page
// allows no other program and style than its own, and nothing from elsewhere.
func HTML(w io.Writer, j *verdict.Judgement, o Options) error {
	f := Find(j)
	data, err := dataOf(j, f, o.Against)
	if err != nil {
		return err
	}
	b, err := json.Marshal(data) // which writes <, > and & as escapes, so that nothing ends the element
	if err != nil {
		return err
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"style":  func() template.CSS { return template.CSS(pageCSS) },
		"script": func() template.JS { return template.JS(pageJS) },
	}).Parse(pageHTML)
	if err != nil {
		return err
	}
	p := page{
		Policy: policy(), Data: template.JS(b), Edition: j.Edition.ID, Summary: f.Summary, Exit: j.Exit(),
		Findings: f, Together: together(f.Unsupported), Cells: together(f.Cells), Timeline: f.timeline(), OrdersTitle: ordersTitle,
	}
	p.Unexpected, p.Known = f.unexpected()
	p.Differing, _ = f.unlike()
	p.Unlike = len(data.Baseline)
	p.matrices(j, f, data)
	p.legend(j)
	for _, c := range data.Cells {
		if c.Run == 0 {
			p.Booted = append(p.Booted, c)
		}
	}
	for _, c := range f.Changes {
		if c.Silent {
			p.Silent = append(p.Silent, c)
		} else {
			p.Allowed = append(p.Allowed, c)
		}
	}
	for _, s := range p.Timeline {
		p.Most = max(p.Most, len(s.Turns))
	}
	var out bytes.Buffer
	if err := t.Execute(&out, p); err != nil {
		return err
	}
	// What of the findings reorders text; nothing of the page's own does.
	_, err = io.WriteString(w, visible(out.String()))
	return err
}

// policy is the page's content security policy: its own style and program, by their hashes.
func policy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; script-src " + hash(pageJS) + "; style-src " + hash(pageCSS) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}

// page is what the template shows.
type page struct {
	Policy      string
	Data        template.JS
	Edition     string
	Summary     string
	Exit        int
	Findings    *Findings
	Unexpected  []Problem
	Known       []Problem // issues
	Differing   []Problem // from the baseline
	Unlike      int       // how many results of the matrix are marked for it
	Together    []Problem // unsupported
	Cells       []Problem // not complete
	Silent      []Change
	Allowed     []Change
	Timeline    []Station
	Most        int // turns of one station
	OrdersTitle string
	Matrices    []pageMatrix
	Legend      []pageCount
	Booted      []htmlCell
}

// Bar is how long the bar of a station is, in twentieths.
func (p page) Bar(s Station) int {
	if p.Most == 0 {
		return 0
	}
	return (len(s.Turns)*20 + p.Most - 1) / p.Most
}

// Letter names a verdict in classes of the style.
func (p page) Letter(v verdict.Verdict) string { return letters()[v] }

// Symbol shows a verdict.
func (p page) Symbol(v verdict.Verdict) string { return looks()[v].symbol }

// Wrong joins what is wrong for a reader.
func (p page) Wrong(list []string) string { return visible(strings.Join(list, "; ")) }

// IDs cuts the subject of several problems.
func (p page) IDs(subject string) []string { return strings.Split(subject, ", ") }

// pageCount is a line of the legend.
type pageCount struct {
	Letter, Symbol, Meaning string
	N                       int
}

func (p *page) legend(j *verdict.Judgement) {
	n := j.Counts()
	l := looks()
	for _, v := range verdict.All() {
		p.Legend = append(p.Legend, pageCount{letters()[v], l[v].symbol, l[v].meaning, n[v]})
	}
}

// pageMatrix is one matrix; its cells are indices of the data's.
type pageMatrix struct {
	Scenario string
	Columns  []pageColumn
	Areas    []pageArea
}

// Span is how many columns there are, with that of the names.
func (m pageMatrix) Span() int { return len(m.Columns) + 1 }

type pageColumn struct {
	Label  string
	Cells  string // indices, by blanks
	Apart  bool
	Broken string // what to say of cells that are not complete
}

type pageArea struct {
	ID, Title string
	Rows      []pageRow
}

type pageRow struct {
	Index     int // of the behaviour
	ID, Name  string
	Title     string
	Below     bool
	CellsText string // indices by column, "-" for none
	Cells     []pageCell
}

type pageCell struct {
	Letter, Symbol, Text string
	// Unlike says that it is not as in the baseline.
	Unlike bool
}

// matrices takes the tables of the findings, as the terminal shows them.
func (p *page) matrices(j *verdict.Judgement, f *Findings, data *htmlData) {
	index := map[string]int{}
	for i, b := range data.Behaviours {
		index[b.ID] = i
	}
	at := map[*verdict.Result]int{}
	for i, c := range j.Cells {
		for _, r := range c.Results {
			at[r] = i
		}
	}
	place := map[*verdict.CellResult]int{}
	for i, c := range j.Cells {
		place[c] = i
	}
	l := looks()
	for _, t := range f.tables() {
		m := pageMatrix{Scenario: visible(t.scenario)}
		for _, c := range t.columns {
			var cells []string
			for _, x := range c.cells {
				cells = append(cells, fmt.Sprint(place[x]))
			}
			col := pageColumn{Label: c.label, Cells: strings.Join(cells, " "), Apart: c.apart}
			if s := c.worst(); s != cell.Complete {
				col.Broken = string(s)
			}
			m.Columns = append(m.Columns, col)
		}
		for _, a := range t.areas {
			area := pageArea{ID: a.id}
			if k := slices.IndexFunc(f.Areas, func(o Area) bool { return o.ID == a.id }); k >= 0 {
				area.Title = f.Areas[k].Title
			}
			for _, r := range a.rows {
				row := pageRow{Index: index[visible(r.id)], ID: r.id, Name: r.name, Below: r.below}
				if known := data.Behaviours[row.Index]; known.ID == r.id {
					row.Title = known.Title
				}
				var cells []string
				var left *verdict.Result
				for i, res := range r.results {
					if t.columns[i].apart {
						left = nil
					}
					if res == nil {
						cells = append(cells, "-")
						pc := pageCell{}
						if !r.below && t.columns[i].status() != cell.Complete && !t.columns[i].unasked(r.id) {
							pc = pageCell{Letter: "m", Symbol: l[verdict.Missing].symbol}
						}
						row.Cells = append(row.Cells, pc)
						continue
					}
					cells = append(cells, fmt.Sprint(at[res]))
					pc := pageCell{Letter: letters()[res.Verdict], Symbol: l[res.Verdict].symbol, Unlike: res.Baseline != nil}
					if res.Outcome != "" {
						switch {
						case left == nil || left.Outcome != res.Outcome:
							pc.Text = oneLine(res.Outcome)
						case otherFacts(res, left, r.varying):
							pc.Text = oneLine(res.Outcome) + factMark
						}
						left = res
					}
					row.Cells = append(row.Cells, pc)
				}
				row.CellsText = strings.Join(cells, " ")
				area.Rows = append(area.Rows, row)
			}
			m.Areas = append(m.Areas, area)
		}
		p.Matrices = append(p.Matrices, m)
	}
}
