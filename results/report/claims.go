package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// State is what became of a claim from the oldest kernel judged to the newest.
type State string

const (
	// Stale: true of the older kernels and false of the newer.
	Stale State = "stale"
	// CameTrue: false of the older kernels and true of the newer.
	CameTrue State = "came-true"
	// Varies: true and false by turns, or not alike on all architectures.
	Varies State = "varies"
	// NeverTrue: false of every kernel that decides it.
	NeverTrue State = "false"
	// NotDecided: false of none, and some kernel does not decide it.
	NotDecided State = "undecided"
	// AlwaysTrue: true of every kernel.
	AlwaysTrue State = "true"
	// NotTestable: nothing observable is demanded.
	NotTestable State = "untestable"
)

// states lists the states in the order of reports, with a heading and a word for a column.
func states() []struct {
	state         State
	heading, word string
	symbol        verdict.Verdict
} {
	return []struct {
		state         State
		heading, word string
		symbol        verdict.Verdict
	}{
		{Stale, "Went stale", "stale", verdict.Deviation},
		{CameTrue, "Came true", "came true", verdict.Deviation},
		{Varies, "True on some", "varies", verdict.Deviation},
		{NeverTrue, "False on all", "false", verdict.Deviation},
		{NotDecided, "Undecided", "undecided", verdict.Missing},
		{AlwaysTrue, "True on all", "true", verdict.Conforms},
		{NotTestable, "Untestable", "untestable", verdict.Silent},
	}
}

// ClaimHistory is one claim over the editions that make it and the kernels judged.
type ClaimHistory struct {
	Claim *knowledge.Claim
	State State
	// Summary says the state with the kernels: "went stale in 7.0 (true up to 6.19)".
	Summary string
	// Standings by column.
	Standings []verdict.Standing
}

// Histories works out the claims of an edition, or of all if edition is "", in the order of
// the knowledge.
func Histories(j *verdict.Judgement, edition string) []ClaimHistory {
	l := linesOf(j)
	f := &Findings{Columns: l.columns, lines: l}
	var out []ClaimHistory
	for i := range j.Base.Claims {
		c := &j.Base.Claims[i]
		if _, made := c.In(edition); edition != "" && !made {
			continue
		}
		out = append(out, history(j, f, c))
	}
	return out
}

// history works out one claim.
func history(j *verdict.Judgement, f *Findings, c *knowledge.Claim) ClaimHistory {
	h := ClaimHistory{Claim: c}
	for _, col := range j.Cells {
		h.Standings = append(h.Standings, col.Stands(c))
	}
	h.sum(j, f)
	return h
}

// sum works out state and summary.
func (h *ClaimHistory) sum(j *verdict.Judgement, f *Findings) {
	if h.Claim.Untestable != "" {
		h.State, h.Summary = NotTestable, "untestable: "+h.Claim.Untestable
		return
	}
	l := f.lines
	of, truth := l.truths(h)
	groups, _ := l.group(of, func(i int) string { return string(truth(i)) })
	var found []State
	for _, g := range groups {
		state, _ := l.course(g)
		found = append(found, state)
	}
	h.Summary = l.compose(groups, nil, func(g *group) string { _, text := l.course(g); return text })
	if h.Summary == "" {
		h.Summary = "undecided: there is no kernel"
	}
	h.State = overall(found)
}

// Concerns reports whether something that a claim demands is observed in cells of a scenario:
// another says nothing of the claim.
func Concerns(base *knowledge.Base, c *knowledge.Claim, scenario string) bool {
	return slices.ContainsFunc(c.Demands, func(d knowledge.Demand) bool {
		b, ok := base.Behaviour(d.Behaviour)
		return ok && b.In(scenario)
	})
}

// overall returns the state over all architectures.
func overall(found []State) State {
	slices.Sort(found)
	found = slices.Compact(found)
	switch {
	case len(found) == 0:
		return NotDecided
	case len(found) == 1:
		return found[0]
	case len(found) == 2 && found[0] == AlwaysTrue && found[1] == NotDecided:
		return NotDecided
	case len(found) == 2 && found[0] == NeverTrue && found[1] == NotDecided:
		return NeverTrue
	}
	return Varies
}

// deciding returns the main lines that can decide a claim: those of the scenarios that it concerns.
func (l *lines) deciding(c *knowledge.Claim) []line {
	return slices.DeleteFunc(slices.Clone(l.main), func(m line) bool { return !Concerns(l.j.Base, c, m.Scenario) })
}

// truths returns the lines that can decide a claim and what it comes to on their kernels; "" for a cell that
// is told with another. A kernel is one however it was booted: what one scenario shows to be false is
// false of it, and what one does not decide is not decided, so it is told of the first of its lines.
func (l *lines) truths(h *ClaimHistory) ([]line, func(column int) verdict.Truth) {
	type kernel struct {
		cell.Line
		label string
	}
	of := l.deciding(h.Claim)
	first, truth := map[kernel]int{}, make([]verdict.Truth, len(l.j.Cells))
	for _, m := range of {
		for _, i := range m.cells {
			k := kernel{m.Line, l.columns[i]}
			k.Scenario = ""
			is := h.Standings[i].Truth
			at, again := first[k]
			switch {
			case !again:
				first[k], truth[i] = i, is
			case is == verdict.False || is == verdict.Undecided && truth[at] == verdict.True:
				truth[at] = is
			}
		}
	}
	of = slices.DeleteFunc(of, func(m line) bool {
		return !slices.ContainsFunc(m.cells, func(i int) bool { return truth[i] != "" })
	})
	return of, func(i int) verdict.Truth { return truth[i] }
}

// course says what became of a claim along the kernels of a group, of which points have the truth.
func (l *lines) course(g *group) (State, string) {
	columns, truths := make([]string, len(g.points)), make([]verdict.Truth, len(g.points))
	for i, p := range g.points {
		columns[i], truths[i] = p.label, verdict.Truth(p.text)
	}
	return course(columns, truths, func(i int) bool { return l.gap(g, g.points[i-1], g.points[i]) })
}

// course says what became of a claim along kernels. gap says whether there is a kernel between that
// of an index and the one before it, of which nothing is known.
func course(columns []string, truths []verdict.Truth, gap func(i int) bool) (State, string) {
	is := func(t verdict.Truth) func(int) bool {
		return func(i int) bool { return truths[i] == t }
	}
	var decided []int
	changes := 0
	for i, t := range truths {
		if t != verdict.True && t != verdict.False {
			continue
		}
		if n := len(decided); n > 0 && truths[decided[n-1]] != t {
			changes++
		}
		decided = append(decided, i)
	}
	whole := len(decided) == len(columns)
	undecided := ""
	if !whole {
		undecided = "undecided on " + runs(columns, gap, is(verdict.Undecided))
	}
	and := func(s string) string {
		if undecided == "" {
			return s
		}
		return s + "; " + undecided
	}
	if len(decided) == 0 {
		return NotDecided, undecided
	}
	first := truths[decided[0]]
	// the kernels on both sides of the change
	turn := func() (before, after string) { // "in 7.0" or "between 6.12 and 7.2"
		k := slices.IndexFunc(decided, func(i int) bool { return truths[i] != first })
		before, after = columns[decided[k-1]], columns[decided[k]]
		switch {
		case decided[k]-decided[k-1] > 1:
			return before, "in " + after + " or before"
		case gap(decided[k]):
			return before, "between " + before + " and " + after
		}
		return before, "in " + after
	}
	switch {
	case changes == 0 && first == verdict.True && whole:
		return AlwaysTrue, "true on all"
	case changes == 0 && first == verdict.True:
		return NotDecided, and("true on " + runs(columns, gap, is(verdict.True)))
	case changes == 0 && whole && len(columns) > 1:
		// which is as far back as was looked, so say where that is
		return NeverTrue, "false from the start (" + columns[0] + ")"
	case changes == 0:
		return NeverTrue, and("false on " + runs(columns, gap, is(verdict.False)))
	case changes == 1 && first == verdict.True:
		before, after := turn()
		return Stale, and(fmt.Sprintf("went stale %s (true up to %s)", after, before))
	case changes == 1:
		before, after := turn()
		return CameTrue, and(fmt.Sprintf("came true %s (false up to %s)", after, before))
	}
	return Varies, and(fmt.Sprintf("true on %s; false on %s", runs(columns, gap, is(verdict.True)), runs(columns, gap, is(verdict.False))))
}

// runs names the columns for which in holds: "5.10–6.12, 7.0". gap is that of [course].
func runs(columns []string, gap, in func(int) bool) string {
	var parts []string
	for i := 0; i < len(columns); i++ {
		if !in(i) {
			continue
		}
		first := i
		for i+1 < len(columns) && in(i+1) && !gap(i+1) {
			i++
		}
		switch i - first {
		case 0:
			parts = append(parts, columns[i])
		case 1:
			parts = append(parts, columns[first], columns[i])
		default:
			parts = append(parts, columns[first]+dash+columns[i])
		}
	}
	return strings.Join(parts, ", ")
}

// Claims writes, for people, which claims of which editions are true of which kernels: of
// the edition asked for, or of all.
func Claims(w io.Writer, j *verdict.Judgement, o Options) error {
	p := &printer{o: o, j: j, f: Find(j), looks: looks()}
	histories := Histories(j, o.Edition)
	if len(j.Cells) > 0 {
		p.editions(histories)
		for _, s := range states() {
			p.claims(s.heading, s.symbol, histories, s.state)
		}
	}
	p.trouble()
	p.line("")
	p.text("", p.bold(p.claimSummary(histories)))
	_, err := w.Write(p.out.Bytes())
	return err
}

// editions counts the states of the claims of each edition.
func (p *printer) editions(histories []ClaimHistory) {
	g := &grid{gap: 2}
	head := []string{p.bold("edition")}
	for _, s := range states() {
		head = append(head, p.bold(s.word))
	}
	g.add(head...)
	for i := range p.j.Base.Editions {
		e := &p.j.Base.Editions[i]
		if p.o.Edition != "" && e.ID != p.o.Edition {
			continue
		}
		n := stateCounts(histories, e.ID)
		row := []string{e.ID}
		for _, s := range states() {
			count := ""
			if n[s.state] > 0 {
				count = fmt.Sprint(n[s.state])
			}
			row = append(row, count)
		}
		g.add(row...)
	}
	for _, line := range g.lines() {
		p.line(line)
	}
}

// stateCounts counts the claims that an edition makes by their states.
func stateCounts(histories []ClaimHistory, edition string) map[State]int {
	n := map[State]int{}
	for i := range histories {
		if _, ok := histories[i].Claim.In(edition); ok {
			n[histories[i].State]++
		}
	}
	return n
}

func (p *printer) claims(heading string, symbol verdict.Verdict, histories []ClaimHistory, state State) {
	n := 0
	for i := range histories {
		h := &histories[i]
		if h.State != state {
			continue
		}
		if n++; n == 1 {
			p.line("")
			p.line(p.bold(heading))
		}
		s := p.bold(h.Claim.ID)
		switch state {
		case AlwaysTrue:
			s += ": " + h.Claim.Says
		case NotTestable:
			s += ": " + h.Claim.Says + ". " + strings.TrimSuffix(h.Claim.Untestable, ".")
		default:
			s += ", " + h.Summary + ": " + h.Claim.Says
		}
		p.item(symbol, s+".")
		p.hang("      said by ", "        ", MadeBy(p.j.Base, h.Claim))
		for _, b := range because(p.j, p.f, h) {
			p.hang("      ", "        ", b)
		}
	}
}

// MadeBy names the editions that make a claim, in time order, with the place: "4.10 (BUGS)".
// Neighbours that have it at the same place share one.
func MadeBy(base *knowledge.Base, c *knowledge.Claim) string {
	type group struct{ first, last, where string }
	var groups []group
	neighbour := false
	for _, e := range base.Editions {
		place, ok := c.In(e.ID)
		if !ok {
			neighbour = false
			continue
		}
		if n := len(groups); neighbour && groups[n-1].where == place.String() {
			groups[n-1].last = e.ID
		} else {
			groups = append(groups, group{e.ID, e.ID, place.String()})
		}
		neighbour = true
	}
	parts := make([]string, len(groups))
	for i, g := range groups {
		name := g.first
		if g.last != g.first {
			name += " to " + g.last
		}
		parts[i] = fmt.Sprintf("%s (%s)", name, g.where)
	}
	return strings.Join(parts, ", ")
}

// because says of each demand that some kernel goes against, or that some kernel does not
// decide, what is demanded, what was observed and why.
func because(j *verdict.Judgement, f *Findings, h *ClaimHistory) []string {
	var out []string
	for k := range h.Claim.Demands {
		d := &h.Claim.Demands[k]
		results := make([]*verdict.Result, len(j.Cells))
		var facts []string
		unmet := make([]bool, len(j.Cells))
		for i, c := range j.Cells {
			if !Concerns(j.Base, h.Claim, c.Cell.Scenario) {
				continue
			}
			results[i] = c.Result(d.Behaviour)
			if slices.Contains(h.Standings[i].Unknown, d) {
				results[i] = nil // nothing to rely on: see below
			}
			if unmet[i] = slices.Contains(h.Standings[i].Unmet, d); !unmet[i] {
				continue
			}
			for name, want := range d.Facts {
				if !want.Has(results[i].Facts[name]) && !slices.Contains(facts, name) {
					facts = append(facts, name)
				}
			}
		}
		slices.Sort(facts)
		if slices.Contains(unmet, true) {
			want := d.Outcome.String()
			for _, name := range facts {
				want += " " + name + "=" + d.Facts[name].String()
			}
			s := fmt.Sprintf("%s: not %s: %s", d.Behaviour, want,
				f.spans(f.lines.masked(results), func(r *verdict.Result) string { return seen(r, facts) }))
			against := func(r *verdict.Result) bool { return unmet[slices.Index(results, r)] }
			if why := reasons(results, against); why != "" {
				s += " (" + why + ")"
			}
			out = append(out, s)
		}
		out = append(out, unknown(j, f, h, d)...)
	}
	return out
}

// unknown says on which kernels a demand is not decided, and why.
func unknown(j *verdict.Judgement, f *Findings, h *ClaimHistory, d *knowledge.Demand) []string {
	why := func(i int) string {
		switch r := j.Cells[i].Result(d.Behaviour); {
		case !slices.Contains(h.Standings[i].Unknown, d), !Concerns(j.Base, h.Claim, j.Cells[i].Cell.Scenario):
			return ""
		case r == nil && slices.Contains(j.Cells[i].Unasked, d.Behaviour):
			return "not asked for"
		case r == nil:
			return fmt.Sprintf("%s (%s)", j.Cells[i].Status, oneLine(j.Cells[i].Reason))
		default:
			return fmt.Sprintf("%s (%s)", r.Verdict, oneLine(strings.Join(r.Wrong, "; ")))
		}
	}
	var out, said []string
	for i := range j.Cells {
		s := why(i)
		if s == "" || slices.Contains(said, s) {
			continue
		}
		said = append(said, s)
		// What cannot be read is of no kernel that is known, and told of the cell.
		if on := f.lines.ranges(f.lines.deciding(h.Claim), func(k int) bool { return why(k) == s }, all); on != "" {
			out = append(out, fmt.Sprintf("%s: %s on %s", d.Behaviour, s, on))
		}
	}
	return out
}

func (p *printer) claimSummary(histories []ClaimHistory) string {
	if len(p.j.Cells) == 0 {
		return "no cell to judge"
	}
	whole := 0
	for _, c := range p.j.Cells {
		if c.Status == cell.Complete {
			whole++
		}
	}
	of := fmt.Sprintf("%s of %s", count(len(histories), "claim"), count(len(p.j.Base.Editions), "edition"))
	if p.o.Edition != "" {
		of = fmt.Sprintf("%s of edition %s", count(len(histories), "claim"), p.o.Edition)
	}
	n := map[State]int{}
	for i := range histories {
		n[histories[i].State]++
	}
	var words []string
	for _, s := range states() {
		if n[s.state] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[s.state], s.word))
		}
	}
	if n := len(parts(p.j)); n > 0 {
		of += fmt.Sprintf(", of %s only some behaviours asked for", count(n, "cell"))
	}
	return fmt.Sprintf("%d of %s complete%s, %s: %s", whole, count(len(p.j.Cells), "cell"), p.f.lines.onArchs(), of, strings.Join(words, ", "))
}

// SchemaClaims is the version of the document that [ClaimsJSON] writes. Fields are only ever added.
const SchemaClaims = 1

type claimsDocument struct {
	Schema     int             `json:"schema"`
	Edition    string          `json:"edition,omitempty"`
	Exit       int             `json:"exit"`
	Editions   []claimsEdition `json:"editions"`
	Cells      []documentCell  `json:"cells"`
	Claims     []claimsClaim   `json:"claims"`
	Unexpected []Problem       `json:"unexpected"`
	Unobserved []Problem       `json:"unobserved"`
	Issues     []documentIssue `json:"known_issues,omitempty"`
	// Baseline is there if the run was held against one: the exit status comes of it, too.
	Baseline *documentBaseline `json:"baseline,omitempty"`
}

type claimsEdition struct {
	ID     string        `json:"id"`
	Title  string        `json:"title"`
	Date   string        `json:"date,omitempty"`
	Counts map[State]int `json:"counts"`
}

type claimsClaim struct {
	ID         string                    `json:"id"`
	Says       string                    `json:"says"`
	Strength   knowledge.Strength        `json:"strength"`
	Editions   []claimsPlace             `json:"editions"`
	State      State                     `json:"state"`
	Summary    string                    `json:"summary"`
	Untestable string                    `json:"untestable,omitempty"`
	Because    []string                  `json:"because,omitempty"`
	Cells      map[string]claimsStanding `json:"cells,omitempty"`
}

type claimsPlace struct {
	Edition     string `json:"edition"`
	Section     string `json:"section"`
	Item        string `json:"item,omitempty"`
	Nth         int    `json:"nth"`
	Fingerprint string `json:"fingerprint"`
}

type claimsStanding struct {
	Truth verdict.Truth `json:"truth"`
	// Unmet and Unknown are the behaviours that decide against it, and those that were not observed.
	Unmet   []string `json:"unmet,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
}

// ClaimsJSON writes what [Claims] says as one document.
func ClaimsJSON(w io.Writer, j *verdict.Judgement, o Options) error {
	f := Find(j)
	histories := Histories(j, o.Edition)
	d := claimsDocument{
		Schema: SchemaClaims, Edition: o.Edition, Exit: j.Exit(), Editions: []claimsEdition{}, Cells: []documentCell{}, Claims: []claimsClaim{},
		Unexpected: list(append(f.Unexpected, f.Warnings...)), Unobserved: list(append(f.Unobserved, f.Cells...)),
		Issues: documentIssues(j), Baseline: documentOf(j),
	}
	for _, e := range j.Base.Editions {
		if o.Edition == "" || e.ID == o.Edition {
			d.Editions = append(d.Editions, claimsEdition{e.ID, e.Title, e.Date, stateCounts(histories, e.ID)})
		}
	}
	for _, c := range j.Cells {
		d.Cells = append(d.Cells, describe(c))
	}
	for i := range histories {
		h := &histories[i]
		c := claimsClaim{
			ID: h.Claim.ID, Says: h.Claim.Says, Strength: h.Claim.Strength, State: h.State, Summary: h.Summary,
			Untestable: h.Claim.Untestable, Because: because(j, f, h), Cells: map[string]claimsStanding{},
		}
		for _, e := range j.Base.Editions {
			if p, ok := h.Claim.In(e.ID); ok {
				c.Editions = append(c.Editions, claimsPlace{e.ID, p.Section, p.Item, p.Nth, p.Fingerprint})
			}
		}
		for k, s := range h.Standings {
			if s.Truth != verdict.Untestable && Concerns(j.Base, h.Claim, j.Cells[k].Cell.Scenario) {
				c.Cells[j.Cells[k].Cell.Name] = claimsStanding{s.Truth, behaviours(s.Unmet), behaviours(s.Unknown)}
			}
		}
		d.Claims = append(d.Claims, c)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func behaviours(demands []*knowledge.Demand) []string {
	var out []string
	for _, d := range demands {
		out = append(out, d.Behaviour)
	}
	return out
}
