package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// What of a run is not as in a baseline is told by every format; here is what they share.

// differsTitle heads what is not as in the baseline.
const differsTitle = "Not as in the baseline"

// differsShort is the same within a line.
const differsShort = "not as in the baseline"

// unlikeMark stands in a matrix behind what is not as in the baseline.
const unlikeMark = "Δ"

// baselineTest names the tests of what the baseline has of cells and the run has not.
const baselineTest = "baseline"

// of returns the signatures of a result: of what is not as expected, and of what is not as in the baseline.
func (f *failures) of(r *verdict.Result) []string {
	return f.both(f.results[r], r.Baseline)
}

// ofCell returns those of a cell as a whole.
func (f *failures) ofCell(c *verdict.CellResult) []string {
	return f.both(f.cells[c], c.Whole())
}

func (f *failures) both(own string, d *verdict.Difference) []string {
	var out []string
	if own != "" {
		out = append(out, own)
	}
	if d != nil {
		out = append(out, f.differences[d])
	}
	return out
}

// gone returns the cells that only the baseline has.
func (f *failures) gone(j *verdict.Judgement) []*verdict.Difference {
	if j.Baseline == nil {
		return nil
	}
	return j.Baseline.Gone
}

// differences returns what is not as in the baseline as problems, each with the kernels that share it: of cells, then
// of behaviours in the order of the rows, then of behaviours without a row, then of the cells that are gone.
func (f *Findings) differences(j *verdict.Judgement) []Problem {
	if j.Baseline == nil {
		return nil
	}
	var cells, lost, gone []Problem
	whole := func(d *verdict.Difference) Problem {
		return problemOf(d, oneLine(d.Cell.Cell.Name))
	}
	for _, c := range j.Cells {
		if d := c.Whole(); d != nil {
			cells = append(cells, whole(d))
		}
		for _, d := range c.Lost() {
			p := problemOf(d, oneLine(d.Behaviour))
			p.Kernels = oneLine(c.Cell.Name)
			lost = append(lost, p)
		}
	}
	for _, d := range j.Baseline.Gone {
		gone = append(gone, whole(d))
	}
	out := together(cells)
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			out = append(out, f.differing(r)...)
		}
	}
	return slices.Concat(out, lost, together(gone))
}

// differing returns what of a row is not as in the baseline.
func (f *Findings) differing(r Row) []Problem {
	var out []Problem
	for i, res := range r.Results {
		if res == nil || res.Baseline == nil {
			continue
		}
		d := res.Baseline
		same := func(o *verdict.Result) bool {
			return o != nil && o.Baseline != nil && o.Baseline.Words() == d.Words() && o.Baseline.Issue == d.Issue
		}
		if slices.IndexFunc(r.Results, same) < i {
			continue // an earlier column has said it for all
		}
		p := problemOf(d, r.ID)
		p.Kernels = f.lines.ranges(f.lines.concerned(r.Results), func(k int) bool { return same(r.Results[k]) }, func(k int) bool {
			o := r.Results[k]
			return o != nil && (o.Verdict != verdict.Missing || o.Baseline != nil || f.lines.j.Cells[k].Status == cell.Complete)
		})
		out = append(out, p)
	}
	return out
}

// problemOf is a difference as a problem. Its verdict is that of something unexpected.
func problemOf(d *verdict.Difference, subject string) Problem {
	words := d.Words()
	if d.Issue != nil {
		words = d.Line() // it is listed among others
	}
	return Problem{Verdict: verdict.Unexpected, Subject: subject, Wrong: []string{oneLine(words)}}.known(d.Issue)
}

// unlike returns the differences from the baseline that are no known issues, and those that are some.
func (f *Findings) unlike() (news, known []Problem) {
	for _, p := range f.Differences {
		if p.Issue == "" {
			news = append(news, p)
		} else {
			known = append(known, p)
		}
	}
	return news, known
}

// unlike returns the mark of a result that is not as in the baseline, or "".
func (p *printer) unlike(r *verdict.Result) string {
	if r.Baseline == nil {
		return ""
	}
	p.marked = true
	return p.unlikeMark()
}

func (p *printer) unlikeMark() string {
	s := unlikeMark
	if p.o.ASCII {
		s = "^"
	}
	return p.paint(text.Colors{text.Bold, text.FgRed}, s)
}

// compared says for the summary what came of the baseline: what is not as in it, in capitals as all that fails a run, or
// that nothing is. listed is how many differences are known issues.
func compared(j *verdict.Judgement) (unexpected, fine string, listed int) {
	if j.Baseline == nil {
		return "", "", 0
	}
	n, listed := j.Differing()
	switch {
	case n > 0:
		return fmt.Sprintf(", %d NOT AS IN THE BASELINE", n), "", listed
	case listed > 0:
		return "", "", listed
	}
	var but []string
	if b := j.Baseline; b.Left > 0 {
		but = append(but, fmt.Sprintf("%d of its %s", b.Cells-b.Left, count(b.Cells, "cell")))
	}
	if n := j.Baseline.Unasked; n > 0 {
		but = append(but, fmt.Sprintf("without %s that not both runs asked for", count(n, "observation")))
	}
	if len(but) > 0 {
		return "", ", as in the baseline (" + strings.Join(but, ", ") + ")", 0
	}
	return "", ", as in the baseline", 0
}

// documentBaseline is in a document what holding the run against a baseline came to.
type documentBaseline struct {
	// Cells is how many cells the baseline has, and Left how many of them are not part of the run.
	Cells int `json:"cells"`
	Left  int `json:"left"`
	// Unasked is how many observations are left out because not both runs asked for them.
	Unasked int `json:"unasked,omitempty"`
	// Differences are all, cell by cell, with the cells that the run lacks last.
	Differences []documentDifference `json:"differences"`
}

// documentDifference is one thing that is not as in the baseline; see [verdict.Difference].
type documentDifference struct {
	Cell string `json:"cell"`
	// Behaviour is not there if it is about the cell as a whole.
	Behaviour string                 `json:"behaviour,omitempty"`
	Kind      verdict.DifferenceKind `json:"kind"`
	// Was is not there if it is new, and Is if it is gone.
	Was       string `json:"was,omitempty"`
	Is        string `json:"is,omitempty"`
	Signature string `json:"signature"`
	Issue     string `json:"known_issue,omitempty"`
}

// documentOf returns nil if the judgement was held against no baseline.
func documentOf(j *verdict.Judgement) *documentBaseline {
	if j.Baseline == nil {
		return nil
	}
	out := &documentBaseline{j.Baseline.Cells, j.Baseline.Left, j.Baseline.Unasked, []documentDifference{}}
	f := failuresOf(j)
	for _, d := range j.Differences() {
		out.Differences = append(out.Differences, documentDifference{
			d.Cell.Cell.Name, d.Behaviour, d.Kind, d.Was, d.Is, f.differences[d], issue(d.Issue),
		})
	}
	return out
}

// linesOfDifferences returns a line for each difference.
func linesOfDifferences(list []*verdict.Difference, f *failures) []JSONLine {
	var out []JSONLine
	for _, d := range list {
		c := d.Cell
		l := JSONLine{
			Schema: SchemaJSONL, Type: LineDifference, Cell: c.Cell.Name, Series: c.Series.String(), Arch: c.Cell.Arch,
			Behaviour: d.Behaviour, Kind: d.Kind, Was: d.Was, Is: d.Is, Signature: f.differences[d],
		}
		if d.Issue != nil {
			l.Issue, l.Link = d.Issue.ID, d.Issue.Link
		}
		out = append(out, l)
	}
	return out
}

// junitDiffers makes a case fail, or say so if it does, because it is not as in the baseline; d may be nil.
func (x *junitCase) junitDiffers(d *verdict.Difference, signature string) {
	if d == nil {
		return
	}
	line := d.Line()
	detail := []string{line}
	if d.Issue != nil {
		detail = append(detail, issueWords(d.Issue))
	}
	detail = append(detail, "signature: "+signature)
	switch {
	case x.Failure != nil:
		x.Failure.add(detail...)
	case x.Error != nil:
		x.Error.add(detail...)
	case d.Issue != nil && x.Skipped != nil && x.Skipped.Type == knownIssue:
		x.Skipped.add(detail...)
	case d.Issue != nil:
		skipped := problem(knownIssue, issueWords(d.Issue), line, "signature: "+signature)
		skipped.also(x.Skipped)
		x.Skipped = skipped
	default:
		x.Failure = problem(baselineTest, line, detail[1:]...)
		x.Failure.also(x.Skipped)
		x.Skipped = nil
	}
}

// add adds lines to what is said of a problem.
func (p *junitProblem) add(lines ...string) {
	for _, l := range lines {
		p.Text += xmlLine(l) + "\n"
	}
}

// also adds what another problem of the case says; it may be nil.
func (p *junitProblem) also(o *junitProblem) {
	if o != nil {
		p.Text += o.Type + ": " + o.Message + "\n" + o.Text
	}
}

// differenceKey tells differences apart of which the same is to be said.
func (f *failures) differenceKey(d *verdict.Difference) string {
	return strings.Join(append([]string{f.differences[d]}, f.differenceLines(d)...), "\n")
}

// differenceLines are what an annotation says of a difference.
func (f *failures) differenceLines(d *verdict.Difference) []string {
	lines := []string{d.Line()}
	if d.Issue != nil {
		lines = append(lines, issueWords(d.Issue))
	}
	return append(lines, "signature: "+f.differences[d])
}

// annotateDifference adds an annotation of a difference, nil for none, of what is as it is expected to be. subject is the
// behaviour, or "" for the cell.
func (f *failures) annotateDifference(d *verdict.Difference, subject string, at knowledge.Location,
	add func(c *verdict.CellResult, key, level, title string, where knowledge.Location, lines ...string)) {
	if d == nil {
		return
	}
	if subject != "" {
		subject += ": "
	}
	level, title := "error", subject+differsShort
	if d.Issue != nil {
		level, title = "notice", subject+"known issue "+d.Issue.ID
	}
	add(d.Cell, f.differenceKey(d), level, title, at, f.differenceLines(d)...)
}

// sayDifference writes a difference, nil for none, to the log of a workflow.
func (f *failures) sayDifference(b *strings.Builder, subject string, d *verdict.Difference) {
	if d != nil {
		say(b, subject+": "+strings.Join(f.differenceLines(d), "; "))
	}
}

// htmlDifference is what of a result is not as in the baseline.
type htmlDifference struct {
	Cell      int    `json:"c"`
	Behaviour int    `json:"b"`
	Says      string `json:"says"`
	Issue     string `json:"i,omitempty"`
}

// differences gathers those that results of the judged run have; the findings have the others.
func (g *gatherer) differences(j *verdict.Judgement) {
	for i, c := range j.Cells {
		for _, r := range c.Results {
			if d := r.Baseline; d != nil {
				g.d.Baseline = append(g.d.Baseline, htmlDifference{i, g.behaviour(r.Behaviour, ""), visible(d.Line()), visible(issue(d.Issue))})
			}
		}
	}
}
