package report

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// htmlData is what the page's program knows. Names are short because there are many of them, and what
// is the same in many cells is there once: a result is one of its behaviour's, by index.
type htmlData struct {
	Editions   []htmlEdition       `json:"editions"`
	Edition    int                 `json:"edition"` // the one that was asked for
	Verdicts   []htmlVerdict       `json:"verdicts"`
	Cells      []htmlCell          `json:"cells"`
	Behaviours []htmlBehaviour     `json:"behaviours"`
	Claims     []htmlClaim         `json:"claims"`
	Mounts     []string            `json:"mounts"`
	Expand     map[string][]string `json:"expand"` // what stands for several steps
	// Pairs are the cells that were compared, with those of another run; only where one was given.
	Pairs []htmlPair `json:"pairs,omitempty"`
	// Baseline is what is not as in the baseline, of the cells that were judged.
	Baseline []htmlDifference `json:"baseline,omitempty"`
}

// htmlPair is what differs between two cells.
type htmlPair struct {
	Old     int          `json:"old"`
	New     int          `json:"new"`
	Alike   int          `json:"alike"`
	Unasked int          `json:"unasked,omitempty"` // of which not both were asked for
	Changes []htmlChange `json:"changes"`
	Gaps    []htmlChange `json:"gaps,omitempty"`
}

// htmlChange is a change, or what could not be compared.
type htmlChange struct {
	// Behaviour is -1 for what is of the cell.
	Behaviour int    `json:"b"`
	Kind      string `json:"kind"`
	// Stops says that something that worked stops working, or may.
	Stops bool   `json:"stops,omitempty"`
	Says  string `json:"says"`
	Why   string `json:"why,omitempty"`
	Who   string `json:"who,omitempty"`
}

type htmlEdition struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Date   string `json:"date,omitempty"`
	Source string `json:"source,omitempty"`
}

type htmlVerdict struct {
	Letter  string          `json:"l"`
	ID      verdict.Verdict `json:"id"`
	Symbol  string          `json:"s"`
	Meaning string          `json:"m"`
}

type htmlCell struct {
	Name     string      `json:"name"`
	Label    string      `json:"label"`
	Line     string      `json:"line"`
	Scenario string      `json:"scenario,omitempty"`
	Kernel   string      `json:"kernel,omitempty"`
	Status   cell.Status `json:"status"`
	Reason   string      `json:"reason,omitempty"`
	Console  string      `json:"console,omitempty"`
	Warnings []string    `json:"warnings,omitempty"`
	// Part says of how much of the suite it is, if not of all.
	Part string `json:"part,omitempty"`
	// Run is 1 for a cell that is compared with.
	Run int `json:"run,omitempty"`
	// Again is the kernel as `pivotspec run` takes it.
	Again string `json:"again"`
}

type htmlBehaviour struct {
	ID     string            `json:"id"`
	Title  string            `json:"title,omitempty"`
	Facts  map[string]string `json:"facts,omitempty"`
	Needs  string            `json:"needs,omitempty"`
	Silent string            `json:"silent,omitempty"`
	// Vary are the compared facts that differ between kernels, Info those that are never compared.
	Vary []string `json:"vary,omitempty"`
	Info []string `json:"info,omitempty"`
	// Results are those that there are, Of which cell has which.
	Results []htmlResult `json:"r"`
	Of      byCell       `json:"of"`
	// Steps are the sequences of steps, StepsOf which cell took which.
	Steps   [][]string `json:"s,omitempty"`
	StepsOf byCell     `json:"sof"`
	// Evidence is the calls' mount tables, EvidenceOf which cell showed which.
	Evidence   [][]htmlCall `json:"e,omitempty"`
	EvidenceOf byCell       `json:"eof"`
}

type htmlResult struct {
	// Verdicts has a letter for each edition.
	Verdicts string            `json:"v"`
	Outcome  string            `json:"o,omitempty"`
	Facts    map[string]string `json:"f,omitempty"`
	Wrong    []string          `json:"w,omitempty"`
	Expected string            `json:"e,omitempty"`
	// Claims are those of any edition that it goes against, by index.
	Claims []int `json:"x,omitempty"`
	// Issue is the known issue that it is.
	Issue string `json:"i,omitempty"`
	// Ledger says what is known of it.
	Ledger string `json:"n,omitempty"`
}

type htmlCall struct {
	Step   int   `json:"s"`
	Before []int `json:"b"`
	After  []int `json:"a"`
}

type htmlClaim struct {
	ID       string         `json:"id"`
	Says     string         `json:"says"`
	Strength string         `json:"strength"`
	In       map[int]string `json:"in"` // the place by edition
	// Order places it within an edition.
	Order   map[int]int `json:"order"`
	About   []int       `json:"about,omitempty"` // behaviours
	Truth   string      `json:"truth"`           // a letter for each cell
	Summary string      `json:"summary"`
}

// byCell is an index for each cell, -1 for none. It is written as one number where all are the same.
type byCell []int

// MarshalJSON implements [json.Marshaler].
func (c byCell) MarshalJSON() ([]byte, error) {
	if len(c) > 0 && !slices.ContainsFunc(c, func(i int) bool { return i != c[0] }) {
		return json.Marshal(c[0])
	}
	return json.Marshal([]int(c))
}

// factWins stands for the facts of [faults.Behaviour].
const factWins = "who-wins"

// letters are how results name their verdicts.
func letters() map[verdict.Verdict]string {
	return map[verdict.Verdict]string{
		verdict.Conforms: "c", verdict.Deviation: "d", verdict.Silent: "s", verdict.Unsupported: "u",
		verdict.Unexpected: "x", verdict.Broken: "b", verdict.Missing: "m",
	}
}

// truths are how claims name what is true of them.
func truths() map[verdict.Truth]string {
	return map[verdict.Truth]string{verdict.True: "t", verdict.False: "f", verdict.Undecided: "-", verdict.Untestable: "n"}
}

// intern gives each text its place in a list.
type intern struct {
	list []string
	at   map[string]int
}

func (n *intern) place(s string) int {
	i, ok := n.at[s]
	if !ok {
		if n.at == nil {
			n.at = map[string]int{}
		}
		i = len(n.list)
		n.at[s], n.list = i, append(n.list, s)
	}
	return i
}

// dataOf gathers what the page shows of a judgement, and of another that it is compared with if any.
func dataOf(j *verdict.Judgement, f *Findings, against *verdict.Judgement) (*htmlData, error) {
	d := &htmlData{Edition: slices.IndexFunc(j.Base.Editions, func(e knowledge.Edition) bool { return e.ID == j.Edition.ID }), Expand: map[string][]string{}}
	for _, e := range j.Base.Editions {
		d.Editions = append(d.Editions, htmlEdition{e.ID, e.Title, e.Date, e.Source})
	}
	l, k := looks(), letters()
	for _, v := range verdict.All() {
		d.Verdicts = append(d.Verdicts, htmlVerdict{k[v], v, l[v].symbol, l[v].meaning})
	}
	for _, s := range []string{sandbox.StepJail, sandbox.StepEmptyJail, sandbox.StepTopJail} {
		d.Expand[s] = sandbox.Expand(s, "/world")
	}
	runs := []*verdict.Judgement{j}
	if against != nil {
		runs = append(runs, against)
	}
	g := gatherer{d: d, base: j.Base, behaviours: map[string]int{}, claims: map[string]int{}}
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			i := g.behaviour(r.ID, r.Title)
			if r.ID == faults.Behaviour {
				d.Behaviours[i].Vary = []string{factWins}
			} else {
				d.Behaviours[i].Vary = r.Varying
			}
		}
	}
	g.pages(j, f)
	for n, run := range runs {
		cells := make([]*cell.Cell, len(run.Cells))
		for i, c := range run.Cells {
			cells[i] = c.Cell
		}
		byEdition := make([]*verdict.Judgement, len(j.Base.Editions))
		for i, e := range j.Base.Editions {
			if e.ID == run.Edition.ID {
				byEdition[i] = run
				continue
			}
			other, err := verdict.Judge(j.Base, cells, e.ID)
			if err != nil {
				return nil, err
			}
			byEdition[i] = other
		}
		labels := f.Columns
		if n > 0 {
			labels = columns(run)
		}
		for i := range run.Cells {
			g.cell(n, labels[i], run, byEdition, i)
		}
	}
	if against != nil {
		g.pairs(j, against)
	}
	g.differences(j)
	d.Mounts = g.mounts.list
	g.complete()
	return d, nil
}

// gatherer fills in the data, cell by cell.
type gatherer struct {
	d          *htmlData
	base       *knowledge.Base
	behaviours map[string]int // by ID
	claims     map[string]int // by ID
	mounts     intern
	// By behaviour: which results, steps and evidence there are, as JSON.
	results, steps, evidence []intern
}

func (g *gatherer) behaviour(id, title string) int {
	i, ok := g.behaviours[id]
	if ok {
		return i
	}
	i = len(g.d.Behaviours)
	b := htmlBehaviour{ID: visible(id), Title: title, Results: []htmlResult{}}
	if known, ok := g.base.Behaviour(id); ok {
		b.Title, b.Needs, b.Silent, b.Facts, b.Info = known.Title, known.Needs, known.Silent, known.Facts, known.Info
		if id == faults.Behaviour {
			b.Facts = map[string]string{factWins: "a number for who wins of two faults; the findings have the order"}
		}
	}
	g.behaviours[id], g.d.Behaviours = i, append(g.d.Behaviours, b)
	g.results, g.steps, g.evidence = append(g.results, intern{}), append(g.steps, intern{}), append(g.evidence, intern{})
	return i
}

// pages adds the claims in the order of the knowledge.
func (g *gatherer) pages(j *verdict.Judgement, f *Findings) {
	order := map[string]map[knowledge.Place]int{}
	for _, e := range j.Base.Editions {
		order[e.ID] = map[knowledge.Place]int{}
		for n, p := range j.Base.Places(e.ID) {
			if _, ok := order[e.ID][p]; !ok {
				order[e.ID][p] = n + 1
			}
		}
	}
	for _, h := range Histories(j, "") {
		c := htmlClaim{
			ID: h.Claim.ID, Says: h.Claim.Says, Strength: string(h.Claim.Strength), Summary: h.Summary,
			In: map[int]string{}, Order: map[int]int{},
		}
		for i, e := range j.Base.Editions {
			if p, ok := h.Claim.In(e.ID); ok {
				c.In[i], c.Order[i] = p.String(), order[e.ID][p]
			}
		}
		for _, dem := range h.Claim.Demands {
			if i, ok := g.behaviours[dem.Behaviour]; ok && !slices.Contains(c.About, i) {
				c.About = append(c.About, i)
			}
		}
		g.claims[c.ID] = len(g.d.Claims)
		g.d.Claims = append(g.d.Claims, c)
	}
}

// cell adds cell i of the nth run, which is judged by each edition.
func (g *gatherer) cell(n int, label string, run *verdict.Judgement, byEdition []*verdict.Judgement, i int) {
	is := run.Cells[i]
	c, l := is.Cell, is.Cell.Line()
	here := len(g.d.Cells)
	out := htmlCell{
		Name: visible(c.Name), Label: visible(label), Scenario: visible(l.Scenario), Kernel: visible(c.Kernel.Version),
		Status: is.Status, Reason: visible(is.Reason), Console: visible(c.Console), Run: n, Again: visible(again(c)),
		Part: part(is),
	}
	if c.Kernel.Package != "" {
		out.Kernel += visible(fmt.Sprintf(" (%s %s)", c.Kernel.Package, c.Kernel.PackageVersion))
	}
	l.Scenario = ""
	out.Line = visible(l.String())
	if is.Issue != nil {
		out.Reason += visible(" (" + issue(is.Issue) + ")")
	}
	for _, w := range is.Warnings {
		s := w.Text
		if w.Known != nil {
			s += " (known: " + w.Known.Reason + ")"
		}
		if w.Issue != nil {
			s += " (" + issue(w.Issue) + ")"
		}
		out.Warnings = append(out.Warnings, visible(s))
	}
	g.d.Cells = append(g.d.Cells, out)
	for k := range g.d.Claims {
		claim, _ := g.base.Claim(g.d.Claims[k].ID)
		g.d.Claims[k].Truth += truths()[is.Stands(claim).Truth]
	}
	for k, r := range is.Results {
		b := g.behaviour(r.Behaviour, "")
		g.set(&g.d.Behaviours[b].Of, here, g.result(b, r, byEdition, i, k))
	}
	for _, r := range c.Records {
		switch {
		case r.Type == record.TypeObservation && len(r.Steps) > 0:
			if b, ok := g.behaviours[r.ID]; ok {
				steps := make([]string, len(r.Steps))
				for n, s := range r.Steps {
					steps[n] = visible(s)
				}
				at := g.steps[b].place(strings.Join(steps, "\n"))
				if at == len(g.d.Behaviours[b].Steps) {
					g.d.Behaviours[b].Steps = append(g.d.Behaviours[b].Steps, steps)
				}
				g.set(&g.d.Behaviours[b].StepsOf, here, at)
			}
		case r.Type == record.TypeEvidence && r.Evidence != nil:
			g.exhibits(here, r.Evidence)
		}
	}
}

// exhibits adds the evidence of a cell's calls.
func (g *gatherer) exhibits(here int, e *record.Evidence) {
	calls := map[int][]htmlCall{}
	for _, c := range e.Calls {
		b, ok := g.behaviours[c.ID]
		if !ok {
			continue
		}
		before, after := e.Tables(c)
		places := func(lines []string) []int {
			out := make([]int, len(lines))
			for i, s := range lines {
				out[i] = g.mounts.place(visible(s))
			}
			return out
		}
		calls[b] = append(calls[b], htmlCall{c.Step, places(before), places(after)})
	}
	for _, b := range slices.Sorted(maps.Keys(calls)) {
		at := g.evidence[b].place(fmt.Sprint(calls[b]))
		if at == len(g.d.Behaviours[b].Evidence) {
			g.d.Behaviours[b].Evidence = append(g.d.Behaviours[b].Evidence, calls[b])
		}
		g.set(&g.d.Behaviours[b].EvidenceOf, here, at)
	}
}

// result returns the place of r, which is result k of cell i, among those of a behaviour.
func (g *gatherer) result(b int, r *verdict.Result, byEdition []*verdict.Judgement, i, k int) int {
	out := htmlResult{Outcome: visible(r.Outcome), Expected: visible(r.Expected), Issue: visible(issue(r.Issue))}
	for _, s := range r.Wrong {
		out.Wrong = append(out.Wrong, visible(s))
	}
	if len(r.Facts) > 0 {
		out.Facts = map[string]string{}
	}
	table := crc32.NewIEEE()
	for _, f := range slices.Sorted(maps.Keys(r.Facts)) {
		// Who wins of two faults is a table of ten thousand bytes, which the orders sum up.
		if r.Behaviour == faults.Behaviour && !knowledge.Universal(f) {
			fmt.Fprintf(table, "%s=%s\n", f, r.Facts[f])
			out.Facts[factWins] = fmt.Sprintf("%08x", table.Sum32())
			continue
		}
		out.Facts[visible(f)] = visible(r.Facts[f])
	}
	if r.Entry != nil {
		out.Ledger = r.Entry.Range() + ": " + r.Entry.Reason
		if r.Entry.Commit != "" {
			out.Ledger += fmt.Sprintf(" (commit %.12s)", r.Entry.Commit)
		}
	}
	for _, j := range byEdition {
		of := j.Cells[i].Results[k]
		out.Verdicts += letters()[of.Verdict]
		violated := of.Violated
		if of.Verdict == verdict.Unexpected && of.Outcome != "" { // package verdict asks no further then
			for _, d := range g.base.Demands(r.Behaviour, j.Edition.ID) {
				if !d.Demand.Met(of.Outcome, of.Facts) {
					violated = append(violated, d)
				}
			}
		}
		for _, v := range violated {
			if c, ok := g.claims[v.Claim.ID]; ok && !slices.Contains(out.Claims, c) {
				out.Claims = append(out.Claims, c)
			}
		}
	}
	slices.Sort(out.Claims)
	key, err := json.Marshal(out)
	if err != nil {
		panic(err) // strings and numbers
	}
	at := g.results[b].place(string(key))
	if at == len(g.d.Behaviours[b].Results) {
		g.d.Behaviours[b].Results = append(g.d.Behaviours[b].Results, out)
	}
	return at
}

// pairs compares the cells of both runs.
func (g *gatherer) pairs(j, against *verdict.Judgement) {
	at := map[*verdict.CellResult]int{}
	for i, c := range j.Cells {
		at[c] = i
	}
	for i, c := range against.Cells {
		at[c] = len(j.Cells) + i
	}
	place := func(id string) int {
		if id == "" {
			return -1
		}
		return g.behaviour(id, "")
	}
	g.d.Pairs = []htmlPair{}
	for _, p := range change.Compare(against, j).Pairs {
		out := htmlPair{Old: at[p.Old], New: at[p.New], Alike: p.Alike, Unasked: p.Unasked, Changes: []htmlChange{}}
		for i := range p.Changes {
			c := &p.Changes[i]
			var who []string
			for _, n := range c.Noticed {
				who = append(who, n.Audience.Title+": "+string(n.Grade))
			}
			out.Changes = append(out.Changes, htmlChange{
				place(c.Behaviour), string(c.Kind), c.Stops, visible(c.Says),
				visible(strings.Join(append(slices.Clone(c.Unexpected), c.Why), "\n")), strings.Join(who, "; "),
			})
		}
		for _, x := range p.Gaps {
			out.Gaps = append(out.Gaps, htmlChange{
				Behaviour: place(x.Behaviour), Kind: string(x.Reason), Stops: x.Open, Says: visible("old: " + x.Old + "; new: " + x.New),
			})
		}
		g.d.Pairs = append(g.d.Pairs, out)
	}
}

// set notes an index for a cell.
func (g *gatherer) set(c *byCell, cell, index int) {
	for len(*c) <= cell {
		*c = append(*c, -1)
	}
	(*c)[cell] = index
}

// complete gives every behaviour an index for every cell.
func (g *gatherer) complete() {
	last := len(g.d.Cells) - 1
	for i := range g.d.Behaviours {
		b := &g.d.Behaviours[i]
		for _, c := range []*byCell{&b.Of, &b.StepsOf, &b.EvidenceOf} {
			if len(*c) <= last {
				g.set(c, last, -1)
			}
		}
	}
}

// again returns how `pivotspec run` is asked for a cell's kernel.
func again(c *cell.Cell) string {
	l := c.Line()
	if l.Backend != "" {
		return l.Backend
	}
	name := c.Series + "/" + c.Arch
	if l.Flavour != "" {
		name = c.Series + "-" + l.Flavour
	}
	if l.ABI != "" {
		name += "/" + l.ABI
	}
	if c.Kernel.Package == "" {
		name = "KERNEL"
	}
	if l.Scenario != "" {
		name += " --scenario " + l.Scenario
	}
	return name
}

// visible returns text of a guest or a kernel as a reader is to see it: what would control a terminal,
// or reorder text, is named instead.
func visible(s string) string {
	odd := func(r rune) bool {
		switch {
		case r == '\n' || r == '\t':
			return false
		case r < ' ' || r >= 0x7f && r < 0xa0, r == utf8.RuneError,
			r == 0x61c, r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff:
			return true
		}
		return false
	}
	if !strings.ContainsFunc(s, odd) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if odd(r) {
			fmt.Fprintf(&b, "[U+%04X]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
