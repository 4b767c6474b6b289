package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Findings are what a judgement comes to, in words, in the order of the behaviours.
type Findings struct {
	// Columns are the labels of the judgement's cells: the series, or the cell's name
	// where that would not tell those of an architecture apart.
	Columns []string
	// Areas are the rows of the matrix.
	Areas []Area
	// Deviations are the known ones, by behaviour.
	Deviations []Deviation
	// Changes are the behaviours on which kernels differ without going against the page.
	Changes []Change
	// Orders are in which order kernels check for faults.
	Orders []Order
	// Unexpected, Unobserved and Unsupported name behaviours and kernels.
	Unexpected, Unobserved, Unsupported []Problem
	// Warnings are unknown messages of kernels, and known issues about which their list is out of date; Cells those
	// that are not complete.
	Warnings, Cells []Problem
	// Differences are what is not as in the baseline that the judgement was held against.
	Differences []Problem
	// Others are the other implementations and the kernels of the user's own, each apart.
	Others []Other
	// Summary is one line with counts.
	Summary string

	lines *lines
}

// Area is a group of rows of the matrix.
type Area struct {
	ID, Title string
	Rows      []Row
}

// Row is one behaviour of the matrix with a result for each column; nil where there is none.
type Row struct {
	ID, Name, Title string
	Results         []*verdict.Result
	// Varying are the compared facts that differ between the results.
	Varying []string

	// linux are the results of the lines that ranges of kernels are about, with nil for the others.
	linux []*verdict.Result
}

// PageText is a claim as a report cites it.
type PageText struct {
	Claim string `json:"claim"`
	Says  string `json:"says"`
	Where string `json:"where"`
}

// Deviation says where the page and kernels part ways.
type Deviation struct {
	Behaviour string     `json:"behaviour"`
	Title     string     `json:"title"`
	Page      []PageText `json:"page"`
	// Kernels says what which kernels do: "5.10–6.19 EINVAL; OK since 7.0".
	Kernels string `json:"kernels"`
	// Since says for which kernels it is known: "since 7.0".
	Since string `json:"since"`
	// Reason is the ledger's, with the commit if known.
	Reason string `json:"reason"`
}

// Change says how kernels differ where the page allows it or is silent.
type Change struct {
	Behaviour string `json:"behaviour"`
	Title     string `json:"title"`
	Silent    bool   `json:"silent"`
	Kernels   string `json:"kernels"`
	Reason    string `json:"reason"`
}

// Problem is one thing wrong, on some kernels.
type Problem struct {
	Verdict verdict.Verdict `json:"verdict,omitempty"`
	// Subject is a behaviour's ID or a cell's name.
	Subject string `json:"subject"`
	// Kernels are those concerned: "5.10–6.12, 7.0"; empty for a cell.
	Kernels  string   `json:"kernels,omitempty"`
	Wrong    []string `json:"wrong"`
	Expected string   `json:"expected,omitempty"`
	Got      string   `json:"got,omitempty"`
	// Issue names the known issue that it is, with its link; "" if it is none.
	Issue string `json:"known_issue,omitempty"`
}

// Find works out the findings of a judgement.
func Find(j *verdict.Judgement) *Findings {
	l := linesOf(j)
	f := &Findings{Columns: l.columns, lines: l}
	f.Areas = areas(j, l)
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			f.row(j, r)
		}
	}
	f.Orders = f.orders(j)
	f.cells(j)
	f.Differences = f.differences(j)
	f.Others = f.others(j)
	f.Summary = summary(j, f)
	return f
}

func columns(j *verdict.Judgement) []string {
	type key struct {
		cell.Line
		series string
	}
	n := map[key]int{}
	for _, c := range j.Cells {
		n[key{c.Cell.Line(), c.Series.String()}]++
	}
	out := make([]string, len(j.Cells))
	for i, c := range j.Cells {
		out[i] = c.Series.String()
		if n[key{c.Cell.Line(), out[i]}] > 1 || out[i] == "" {
			out[i] = oneLine(c.Cell.Name)
		}
	}
	return out
}

func areas(j *verdict.Judgement, l *lines) []Area {
	results := make([]map[string]*verdict.Result, len(j.Cells))
	unknown := map[string]bool{}
	for i, c := range j.Cells {
		results[i] = map[string]*verdict.Result{}
		for _, r := range c.Results {
			results[i][r.Behaviour] = r
			if _, ok := j.Base.Behaviour(r.Behaviour); !ok {
				unknown[r.Behaviour] = true
			}
		}
	}
	row := func(id, name, title string) Row {
		r := Row{ID: id, Name: name, Title: title, Results: make([]*verdict.Result, len(j.Cells))}
		for i := range j.Cells {
			r.Results[i] = results[i][id]
		}
		if b, ok := j.Base.Behaviour(id); ok {
			r.linux = l.masked(r.Results)
			r.Varying = varying(b, r.linux)
		}
		return r
	}
	// What is only to be seen in other scenarios, or was not asked for, is no row.
	var scenarios []string
	for _, c := range j.Cells {
		scenarios = append(scenarios, c.Cell.Scenario)
	}
	if len(scenarios) == 0 {
		scenarios = []string{""}
	}
	slices.Sort(scenarios)
	scenarios = slices.Compact(scenarios)
	var out []Area
	for _, a := range j.Base.Areas {
		area := Area{ID: a.ID, Title: a.Title}
		for i := range j.Base.Behaviours {
			if b := &j.Base.Behaviours[i]; b.Area() == a.ID && slices.ContainsFunc(scenarios, b.In) && asks(j, b.ID, b.In) {
				area.Rows = append(area.Rows, row(b.ID, b.Condition(), b.Title))
			}
		}
		out = append(out, area)
	}
	if len(unknown) > 0 {
		area := Area{ID: "unknown", Title: "reported and not known"}
		for _, id := range slices.Sorted(maps.Keys(unknown)) {
			r := row(id, oneLine(id), "")
			r.ID = r.Name // it comes from the guest, and is going to a terminal
			area.Rows = append(area.Rows, r)
		}
		out = append(out, area)
	}
	return out
}

// row sorts what one behaviour shows into the findings.
func (f *Findings) row(j *verdict.Judgement, r Row) {
	var deviates, silent, wrong bool
	for i, res := range r.Results {
		if res == nil {
			continue
		}
		switch res.Verdict {
		case verdict.Deviation:
			deviates = deviates || r.linux != nil && r.linux[i] != nil
		case verdict.Silent:
			silent = silent || r.linux != nil && r.linux[i] != nil
		case verdict.Unexpected:
			wrong = true
			f.Unexpected = f.problem(f.Unexpected, j, r, i)
		case verdict.Broken:
			f.Unobserved = f.problem(f.Unobserved, j, r, i)
		case verdict.Missing:
			// What a broken cell did not get to is said once, of the cell.
			if j.Cells[i].Status == cell.Complete {
				f.Unobserved = f.problem(f.Unobserved, j, r, i)
			}
		case verdict.Unsupported:
			f.Unsupported = f.problem(f.Unsupported, j, r, i)
		}
	}
	_, known := j.Base.Behaviour(r.ID)
	switch {
	case !known:
	case deviates:
		f.Deviations = append(f.Deviations, f.deviation(j, r))
	case !wrong:
		if what := func(res *verdict.Result) string { return seen(res, r.Varying) }; differs(r.linux, what) {
			f.Changes = append(f.Changes, Change{
				Behaviour: r.ID, Title: r.Title, Silent: silent,
				Kernels: f.spans(r.linux, what), Reason: reasons(r.linux, func(*verdict.Result) bool { return true }),
			})
		}
	}
}

// problem adds the result of column i to a list, to the problem that it shares with other kernels if any.
func (f *Findings) problem(list []Problem, j *verdict.Judgement, r Row, i int) []Problem {
	res := r.Results[i]
	p := Problem{Verdict: res.Verdict, Subject: r.ID, Wrong: res.Wrong, Expected: res.Expected, Got: got(j, res)}.known(res.Issue)
	same := func(o *verdict.Result) bool {
		return o != nil && o.Verdict == p.Verdict && slices.Equal(o.Wrong, res.Wrong) && o.Expected == p.Expected && got(j, o) == p.Got && o.Issue == res.Issue
	}
	if slices.IndexFunc(r.Results, same) < i {
		return list // an earlier column has said it for all
	}
	known := func(k int) bool {
		return r.Results[k] != nil && (r.Results[k].Verdict != verdict.Missing || j.Cells[k].Status == cell.Complete)
	}
	p.Kernels = f.lines.ranges(f.lines.concerned(r.Results), func(k int) bool { return known(k) && same(r.Results[k]) }, known)
	return append(list, p)
}

// got says what was observed, without the informational facts.
func got(j *verdict.Judgement, r *verdict.Result) string { return oneLine(r.Got(j.Base)) }

// seen says the outcome and some facts.
func seen(r *verdict.Result, facts []string) string {
	s := r.Outcome
	for _, f := range facts {
		if v, ok := r.Facts[f]; ok {
			s += " " + f + "=" + v
		}
	}
	return oneLine(s)
}

// varying returns the compared facts that differ between the results.
func varying(b *knowledge.Behaviour, results []*verdict.Result) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.Facts)) {
		if !b.IsInfo(name) && differs(results, func(r *verdict.Result) string { return r.Facts[name] }) {
			out = append(out, name)
		}
	}
	return out
}

func differs(results []*verdict.Result, key func(*verdict.Result) string) bool {
	var first *verdict.Result
	for _, r := range results {
		switch {
		case r == nil || r.Outcome == "":
		case first == nil:
			first = r
		case key(r) != key(first):
			return true
		}
	}
	return false
}

func (f *Findings) deviation(j *verdict.Judgement, r Row) Deviation {
	d := Deviation{Behaviour: r.ID, Title: r.Title}
	var facts, since []string
	for _, res := range r.linux {
		if res == nil || res.Verdict != verdict.Deviation {
			continue
		}
		for _, v := range res.Violated {
			place, _ := v.Claim.In(j.Edition.ID)
			page := PageText{v.Claim.ID, v.Claim.Says, place.String()}
			if !slices.Contains(d.Page, page) {
				d.Page = append(d.Page, page)
			}
			for name, want := range v.Demand.Facts {
				if !want.Has(res.Facts[name]) && !slices.Contains(facts, name) {
					facts = append(facts, name)
				}
			}
		}
		s := "from this page, in keeping with page " + j.Base.Current().ID
		if res.Entry != nil {
			s = res.Entry.Range()
		}
		if !slices.Contains(since, s) {
			since = append(since, s)
		}
	}
	slices.Sort(facts)
	d.Since = strings.Join(since, ", ")
	d.Kernels = f.spans(r.linux, func(res *verdict.Result) string { return seen(res, facts) })
	d.Reason = reasons(r.linux, func(res *verdict.Result) bool { return res.Verdict == verdict.Deviation })
	return d
}

// reasons gathers what the ledger says about the results, each with its kernels if there
// is more than one reason.
func reasons(results []*verdict.Result, of func(*verdict.Result) bool) string {
	var entries []*knowledge.Entry
	for _, r := range results {
		if r != nil && r.Entry != nil && of(r) && !slices.Contains(entries, r.Entry) {
			entries = append(entries, r.Entry)
		}
	}
	var out []string
	for _, e := range entries {
		s := e.Reason
		if e.Commit != "" {
			s += fmt.Sprintf(" (commit %.12s)", e.Commit)
		}
		if len(entries) > 1 {
			s = e.Range() + ", " + s
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// dash joins the ends of a range of kernels.
const dash = "–"

// spans says what which kernels do: "5.10–6.19 EINVAL; OK since 7.0". Kernels that showed
// nothing are passed over.
func (f *Findings) spans(results []*verdict.Result, what func(*verdict.Result) string) string {
	return f.lines.spans(f.lines.concerned(results), func(i int) string {
		if r := results[i]; r != nil && r.Outcome != "" {
			return what(r)
		}
		return ""
	})
}

// Spans says what is to be said of which of the judgement's kernels, such as "5.10–6.19
// EINVAL; OK since 7.0". what returns it for a column, or "" for nothing. Where it is not alike on
// all architectures they are named. Other implementations and kernels of the user's own are left out.
func Spans(j *verdict.Judgement, what func(column int) string) string {
	l := linesOf(j)
	said := map[string]bool{}
	for _, m := range l.main {
		said[m.Scenario] = said[m.Scenario] || slices.ContainsFunc(m.cells, func(i int) bool { return what(i) != "" })
	}
	return l.spans(slices.DeleteFunc(slices.Clone(l.main), func(m line) bool { return !said[m.Scenario] }), what)
}

func (f *Findings) cells(j *verdict.Judgement) {
	for _, c := range j.Cells {
		for _, w := range c.Warnings {
			if w.Known == nil {
				f.Warnings = append(f.Warnings, Problem{
					Verdict: verdict.Unexpected, Subject: oneLine(c.Cell.Name), Wrong: []string{"the kernel warned: " + w.Text},
				}.known(w.Issue))
			}
		}
		if c.Status == cell.Complete {
			continue
		}
		v, missing := verdict.Broken, 0
		if c.Status == cell.Unavailable {
			v = verdict.Missing
		}
		for _, r := range c.Results {
			if r.Verdict == verdict.Missing {
				missing++
			}
		}
		reason := string(c.Status) + ": " + oneLine(c.Reason)
		if missing > 0 {
			reason += fmt.Sprintf(" (%s missing)", count(missing, "behaviour"))
		}
		f.Cells = append(f.Cells, Problem{Verdict: v, Subject: oneLine(c.Cell.Name), Wrong: []string{reason}}.known(c.Issue))
	}
	for _, i := range stale(j) {
		f.Warnings = append(f.Warnings, Problem{
			Verdict: verdict.Unexpected, Subject: "known issue " + i.ID,
			Wrong: []string{fmt.Sprintf("%s (%s; signature: %s)", i.Stale, i.Link, i.Signature)},
		})
	}
}

// known returns the problem as one that is a known issue, unless i is nil.
func (p Problem) known(i *verdict.Issue) Problem {
	if i != nil {
		p.Issue = issue(i)
		p.Wrong = append(slices.Clone(p.Wrong), p.Issue)
	}
	return p
}

// issue names a known issue, or returns "" for nil.
func issue(i *verdict.Issue) string {
	if i == nil {
		return ""
	}
	return oneLine(issueWords(i))
}

// unexpected returns what is neither as expected nor a known issue, and known what is one, also of the differences from
// a baseline.
func (f *Findings) unexpected() (unexpected, known []Problem) {
	for _, p := range slices.Concat(f.Unexpected, f.Warnings) {
		if p.Issue == "" {
			unexpected = append(unexpected, p)
		} else {
			known = append(known, p)
		}
	}
	_, listed := f.unlike()
	return unexpected, append(known, listed...)
}

// stale returns the known issues about which their list is out of date.
func stale(j *verdict.Judgement) []*verdict.Issue {
	return slices.DeleteFunc(slices.Clone(j.Issues), func(i *verdict.Issue) bool { return i.Stale == "" })
}

// oneLine makes a single line of text from the kernel or the guest, without control
// characters that could play tricks on a terminal.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func summary(j *verdict.Judgement, f *Findings) string {
	whole := 0
	for _, c := range j.Cells {
		if c.Status == cell.Complete {
			whole++
		}
	}
	behaviours := 0
	for _, a := range f.Areas {
		behaviours += len(a.Rows)
	}
	n := j.Counts()
	s := fmt.Sprintf("%d of %s complete%s, %s, page %s: %d conform, %s in %s, %d silent",
		whole, count(len(j.Cells), "cell"), f.lines.onArchs(), wanted(j, behaviours), j.Edition.ID,
		n[verdict.Conforms], count(n[verdict.Deviation], "known deviation"), count(len(f.Deviations), "behaviour"), n[verdict.Silent])
	for _, v := range []verdict.Verdict{verdict.Unsupported, verdict.Broken, verdict.Missing} {
		if n[v] > 0 {
			s += fmt.Sprintf(", %d %s", n[v], v)
		}
	}
	// An unknown warning is as unexpected as a wrong outcome.
	odd, listed := 0, 0
	for _, c := range j.Cells {
		for i := range c.Warnings {
			switch w := &c.Warnings[i]; {
			case w.Unknown():
				odd++
			case w.Issue != nil:
				listed++
			}
		}
		for _, r := range c.Results {
			switch {
			case r.Verdict == verdict.Unexpected && r.Issue == nil:
				odd++
			case r.Verdict == verdict.Unexpected:
				listed++
			}
		}
	}
	issues, unexpected := "", ""
	unlike, fine, more := compared(j)
	if listed += more; listed > 0 {
		issues = ", " + count(listed, "known issue")
	}
	if odd > 0 {
		unexpected = fmt.Sprintf(", %d UNEXPECTED", odd)
	}
	unexpected += unlike
	if n := len(stale(j)); n > 0 {
		unexpected += fmt.Sprintf(", %d of the known issues OUT OF DATE", n)
	}
	switch {
	case len(j.Cells) == 0:
		return "no cell to judge"
	case !observed(j):
		s := fmt.Sprintf("0 of %s complete%s", count(len(j.Cells), "cell"), f.lines.onArchs())
		if len(parts(j)) > 0 {
			s += ", " + wanted(j, behaviours)
		}
		s += ": nothing was observed"
		return s + unexpected
	}
	if s += issues; unexpected != "" {
		return s + unexpected
	}
	if !j.Observed() {
		return s + ": nothing was observed"
	}
	if whole < len(j.Cells) {
		return s + ", nothing unexpected in what was observed" + fine
	}
	return s + ", nothing unexpected" + fine
}

// observed says whether any cell showed anything.
func observed(j *verdict.Judgement) bool {
	return slices.ContainsFunc(j.Cells, func(c *verdict.CellResult) bool {
		return c.Status == cell.Complete || showed(c)
	})
}

// together joins the problems of subjects that are in the same trouble, for people: one that
// concerns every cell, such as a network that is down, is one line, and so is what a kernel lacks
// that many behaviours need.
func together(list []Problem) []Problem {
	var out []Problem
	for _, p := range list {
		i := slices.IndexFunc(out, func(o Problem) bool {
			return o.Verdict == p.Verdict && o.Kernels == p.Kernels && o.Issue == p.Issue && slices.Equal(o.Wrong, p.Wrong)
		})
		if i < 0 {
			out = append(out, p)
		} else {
			out[i].Subject += ", " + p.Subject
		}
	}
	return out
}
