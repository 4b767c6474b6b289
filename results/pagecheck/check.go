// Package pagecheck says of each statement of a manual page whether it is a known claim, and
// what kernels have to say to it: of which it is true, which claim it may be in other words,
// what no spec decides, what is gone, and what kernels do that the page does not speak of.
//
// A statement is known by the fingerprint of its words at a place (section and item) where
// an edition makes it. Words that are not known are compared by sketches with the sentences
// of the editions that the page lacks. Anything else is unknown: a false alarm costs a look,
// a statement wrongly taken for a known one is believed.
package pagecheck

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/page"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Schema is the version of the document that [Report] makes as JSON. Fields are only ever added.
const Schema = 1

// Exit statuses that a report calls for.
const (
	ExitOK         = 0 // every statement is a known claim and observed
	ExitLook       = 1 // something needs a look: changed, unknown, vanished, left out or unexpected
	ExitUnobserved = 3 // the records do not say whether a known claim is true
)

// Status of a statement.
type Status string

// The statuses of a statement.
const (
	Known   Status = "known"   // these words at this place are known claims
	Changed Status = "changed" // it seems to be a claim in other words or at another place
	Unknown Status = "unknown" // no edition says so and no spec decides it
)

// Report is what there is to say of a page.
type Report struct {
	Schema  int     `json:"schema"`
	Page    Page    `json:"page"`
	Edition Edition `json:"edition"`
	Exit    int     `json:"exit"`
	Counts  Counts  `json:"counts"`
	// Kernels are the cells whose records were judged.
	Kernels    []string    `json:"kernels"`
	Statements []Statement `json:"statements"`
	// Vanished are the claims of the edition that the page does not make.
	Vanished []Claim `json:"vanished"`
	// Silent are the behaviours of kernels that no claim of the page decides.
	Silent []Silence `json:"silent"`
	// booted is how many kernels that makes, each counted once however it was booted.
	booted int
	// Skipped is what was left out of the text because mandoc does not know it.
	Skipped []string `json:"skipped"`
}

// Page is the page that was checked.
type Page struct {
	File    string `json:"file"`
	Name    string `json:"name"`
	Section string `json:"section"`
	Date    string `json:"date"`
	Source  string `json:"source"`
}

// Edition is the one that the page was compared with.
type Edition struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Same is how many of the page's statements the edition has word for word.
	Same int `json:"same"`
	// Chosen is whether the user chose it, not the likeness.
	Chosen bool `json:"chosen"`
}

// Counts of the report's parts.
type Counts struct {
	Known    int `json:"known"`
	Changed  int `json:"changed"`
	Unknown  int `json:"unknown"`
	Vanished int `json:"vanished"`
	Silent   int `json:"silent"`
	// Contradicted are the known and changed statements that some kernel contradicts.
	Contradicted int `json:"contradicted"`
	// Unexpected and Unobserved are the claims of the page of which a kernel's records hold
	// something unexpected, or not all that is needed.
	Unexpected int `json:"unexpected"`
	Unobserved int `json:"unobserved"`
}

// Statement is one of the page.
type Statement struct {
	Line        int    `json:"line"`
	Section     string `json:"section"`
	Item        string `json:"item,omitempty"`
	Nth         int    `json:"nth"`
	Text        string `json:"text"`
	Fingerprint string `json:"fingerprint"`
	Status      Status `json:"status"`
	// Claims are those that it makes (known) or seems to make in other words (changed).
	Claims []Claim `json:"claims"`
	// Was is the sentence that it seems to replace, if changed.
	Was *Was `json:"was,omitempty"`

	place string
}

// Was is a sentence of an edition that a changed statement seems to replace.
type Was struct {
	Edition     string `json:"edition"`
	Place       string `json:"place"`
	Fingerprint string `json:"fingerprint"`
	// Similarity is the part of the words in common, 1 if only the place is another.
	Similarity float64 `json:"similarity"`
	// New are the words that it has and the other has not.
	New []string `json:"new"`
}

// Claim is a claim with what kernels have to say to it.
type Claim struct {
	ID   string `json:"id"`
	Says string `json:"says"`
	// Editions that make it, in time order.
	Editions []string `json:"editions"`
	// Where is the place in the edition compared with, else in the last that makes it.
	Where string `json:"where"`
	// Untestable is why nothing is observed; "" if something is.
	Untestable string `json:"untestable,omitempty"`
	// Verdicts by kernel, in the order of the report's kernels.
	Verdicts []KernelVerdict `json:"verdicts"`
	// Kernels sums the verdicts up: "5.10–6.19 holds; does not hold since 7.0".
	Kernels string `json:"kernels"`
	// Reasons are what the ledger says about the kernels of which it does not hold.
	Reasons []string `json:"reasons"`
}

// Truth of a claim on a kernel.
type Truth string

// What may be said of a claim on a kernel.
const (
	Holds       Truth = "holds"
	Fails       Truth = "does not hold"
	Unexpected  Truth = "unexpected result"
	Unobserved  Truth = "not observed"
	Unsupported Truth = "not supported"
)

// KernelVerdict is the truth of a claim on one kernel.
type KernelVerdict struct {
	Kernel string `json:"kernel"`
	Truth  Truth  `json:"truth"`
	// Because names the behaviours that decide, with what was seen; those that hold are not named.
	Because []string `json:"because,omitempty"`
}

// Silence is a behaviour that the page does not speak of.
type Silence struct {
	Behaviour string `json:"behaviour"`
	Title     string `json:"title"`
	// Kernels says what which kernels do; "" if nothing was observed.
	Kernels string `json:"kernels"`
	// Differs is whether kernels differ in what they do.
	Differs bool `json:"differs"`
	// Claims of other editions decide it; none for one that every edition passes over.
	Claims []string `json:"claims"`
	// Why no edition decides it.
	Why string `json:"why,omitempty"`
}

// Check compares a page with an edition, or with the one that it is most like if edition is
// "". The verdicts are those of the cells' records.
func Check(base *knowledge.Base, sketches map[string]knowledge.Sketch, p *page.Page, cells []*cell.Cell, edition string) (*Report, error) {
	c := &checker{base: base, sketches: sketches, page: p, cells: ofLinux(cells), made: map[string]bool{}, judged: map[string]*verdict.Judgement{}}
	c.index()
	r := &Report{
		Schema: Schema, Kernels: []string{}, Statements: []Statement{}, Vanished: []Claim{}, Silent: []Silence{},
		Page: Page{p.File, p.Name, p.Section, p.Date, p.Source}, Skipped: append([]string{}, p.Skipped...),
	}
	if err := c.choose(r, edition); err != nil {
		return nil, err
	}
	j, err := c.judge(r.Edition.ID)
	if err != nil {
		return nil, err
	}
	booted := map[string]bool{}
	for _, k := range j.Cells {
		r.Kernels = append(r.Kernels, k.Cell.Name)
		booted[k.Cell.Arch+" "+cmp.Or(k.Cell.Kernel.Version, k.Cell.Name)] = true
	}
	r.booted = len(booted)
	c.match(r)
	for i := range r.Statements {
		s := &r.Statements[i]
		for _, id := range c.claimsOf(s) {
			claim, err := c.claim(id)
			if err != nil {
				return nil, err
			}
			s.Claims = append(s.Claims, claim)
			c.made[id] = true
		}
	}
	for i := range base.Claims {
		cl := &base.Claims[i]
		if _, ok := cl.In(c.edition); !ok || c.made[cl.ID] {
			continue
		}
		claim, err := c.claim(cl.ID)
		if err != nil {
			return nil, err
		}
		r.Vanished = append(r.Vanished, claim)
	}
	c.silent(r, j)
	r.count()
	return r, nil
}

// sentence is one of an edition's.
type sentence struct {
	edition string
	place   knowledge.Place
}

// ofLinux returns the cells of kernels that were booted, which the page is about. Of another implementation it
// says nothing, unless there is nothing else to judge by.
func ofLinux(cells []*cell.Cell) []*cell.Cell {
	booted := slices.DeleteFunc(slices.Clone(cells), func(c *cell.Cell) bool { return c.Line().Backend != "" })
	if len(booted) == 0 {
		return cells
	}
	return booted
}

type checker struct {
	base     *knowledge.Base
	sketches map[string]knowledge.Sketch
	page     *page.Page
	cells    []*cell.Cell
	edition  string
	// known are the sentences of all editions by fingerprint, in time order.
	known map[string][]sentence
	// claims by fingerprint, in file order.
	claims map[string][]*knowledge.Claim
	// made are the claims that the page makes.
	made   map[string]bool
	judged map[string]*verdict.Judgement
}

func (c *checker) index() {
	c.known, c.claims = map[string][]sentence{}, map[string][]*knowledge.Claim{}
	for _, e := range c.base.Editions {
		for i := range c.base.Claims {
			cl := &c.base.Claims[i]
			p, ok := cl.In(e.ID)
			if !ok {
				continue
			}
			if s := (sentence{e.ID, p}); !slices.Contains(c.known[p.Fingerprint], s) {
				c.known[p.Fingerprint] = append(c.known[p.Fingerprint], s)
			}
			if !slices.Contains(c.claims[p.Fingerprint], cl) {
				c.claims[p.Fingerprint] = append(c.claims[p.Fingerprint], cl)
			}
		}
	}
}

// choose finds the edition to compare with: the one that has most in common with the page,
// measured by what is in one of them only, too; of equals that of the page's date, then the
// current one, then the latest.
func (c *checker) choose(r *Report, edition string) error {
	here := map[string]bool{}
	for _, s := range c.page.Statements {
		here[s.Fingerprint] = true
	}
	type choice struct {
		likeness float64
		tie      int
		Edition
	}
	var best *choice
	for _, e := range c.base.Editions {
		if edition != "" && edition != e.ID {
			continue
		}
		same, total := 0, len(here)
		for fp, list := range c.known {
			if slices.ContainsFunc(list, func(s sentence) bool { return s.edition == e.ID }) {
				if here[fp] {
					same++
				} else {
					total++
				}
			}
		}
		now := choice{likeness: float64(same) / float64(max(1, total)), Edition: Edition{ID: e.ID, Title: e.Title, Same: same, Chosen: edition != ""}}
		switch {
		case e.Date != "" && e.Date == c.page.Date:
			now.tie = 2
		case e.Current:
			now.tie = 1
		}
		if best == nil || cmp.Or(cmp.Compare(now.likeness, best.likeness), cmp.Compare(now.tie, best.tie)) >= 0 {
			best = &now
		}
	}
	if best == nil {
		return fmt.Errorf("there is no edition %q of the page", edition)
	}
	r.Edition, c.edition = best.Edition, best.ID
	return nil
}

func (c *checker) judge(edition string) (*verdict.Judgement, error) {
	if j, ok := c.judged[edition]; ok {
		return j, nil
	}
	j, err := verdict.Judge(c.base, c.cells, edition)
	if err != nil {
		return nil, err
	}
	c.judged[edition] = j
	return j, nil
}

// Similarity from which a sentence is taken for another in new words. Of two sentences at
// the same place less is asked. Different sentences of the editions about the same subject
// reach a third; those with a few words replaced a half.
const (
	likeHere  = 0.40
	likeElse  = 0.55
	herePlus  = 0.15 // what the same place counts in the choice between two
	precision = 100  // similarities are told in hundredths
)

// match gives each statement its status, and changed ones what they seem to replace.
func (c *checker) match(r *Report) {
	present := map[string]bool{}
	for i := range c.page.Statements {
		s := &c.page.Statements[i]
		out := Statement{
			Line: s.Line, Section: s.Section, Item: s.Item, Nth: s.Nth, Text: s.Text, Fingerprint: s.Fingerprint,
			Status: Unknown, Claims: []Claim{}, place: s.Place(),
		}
		if list := c.known[s.Fingerprint]; len(list) > 0 {
			// The same words under another heading or errno may mean something else.
			if slices.ContainsFunc(list, func(k sentence) bool { return samePlace(k.place, &out) }) {
				out.Status = Known
				present[s.Fingerprint] = true
			}
		}
		r.Statements = append(r.Statements, out)
	}
	for i := range r.Statements {
		s := &r.Statements[i]
		if list := c.known[s.Fingerprint]; s.Status == Unknown && len(list) > 0 {
			c.replace(s, c.preferred(list), 1)
			present[s.Fingerprint] = true
		}
	}
	// Quotations of what an edition said are no statements of this page. What nobody said is.
	for i := range c.page.Quoted {
		if s := &c.page.Quoted[i]; len(c.known[s.Fingerprint]) == 0 {
			r.Statements = append(r.Statements, Statement{
				Line: s.Line, Section: s.Section, Item: s.Item, Text: s.Text, Fingerprint: s.Fingerprint,
				Status: Unknown, Claims: []Claim{}, place: knowledge.Place{Section: s.Section, Item: s.Item}.String() + ", indented",
			})
		}
	}
	slices.SortStableFunc(r.Statements, func(a, b Statement) int { return cmp.Compare(a.Line, b.Line) })
	// The edition's own sentences first: those of others are likely to say the same.
	c.pair(r.Statements, present, func(s sentence) bool { return s.edition == c.edition })
	c.pair(r.Statements, present, func(s sentence) bool { return s.edition != c.edition })
}

// samePlace compares without the number: an entry before it moves that.
func samePlace(p knowledge.Place, s *Statement) bool {
	return p.Section == s.Section && p.Item == s.Item
}

// preferred returns the sentence of the edition compared with, else the latest.
func (c *checker) preferred(list []sentence) sentence {
	if i := slices.IndexFunc(list, func(s sentence) bool { return s.edition == c.edition }); i >= 0 {
		return list[i]
	}
	return list[len(list)-1]
}

func (c *checker) replace(s *Statement, by sentence, similarity float64) {
	s.Status = Changed
	s.Was = &Was{
		Edition: by.edition, Place: by.place.String(), Fingerprint: by.place.Fingerprint,
		Similarity: math.Round(similarity*precision) / precision,
		New:        append([]string{}, c.sketches[by.place.Fingerprint].Lacks(s.Text)...),
	}
	if similarity == 1 {
		s.Was.New = []string{}
	}
}

// pair matches unknown statements with sentences that the page lacks, the most similar
// first, each with one at most.
func (c *checker) pair(statements []Statement, present map[string]bool, of func(sentence) bool) {
	type pairing struct {
		statement         int
		with              sentence
		similarity, score float64
	}
	var list []pairing
	for i := range statements {
		s := &statements[i]
		if s.Status != Unknown {
			continue
		}
		sketch := knowledge.SketchOf(s.Text)
		for _, fp := range slices.Sorted(maps.Keys(c.known)) {
			if present[fp] {
				continue
			}
			similarity := sketch.Similarity(c.sketches[fp])
			for _, k := range slices.Backward(c.known[fp]) {
				if !of(k) {
					continue
				}
				p := pairing{i, k, similarity, similarity}
				least := likeElse
				if samePlace(k.place, s) {
					least, p.score = likeHere, similarity+herePlus
				}
				if similarity >= least {
					list = append(list, p)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b pairing) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.statement, b.statement))
	})
	for _, p := range list {
		if s := &statements[p.statement]; s.Status == Unknown && !present[p.with.place.Fingerprint] {
			c.replace(s, p.with, p.similarity)
			present[p.with.place.Fingerprint] = true
		}
	}
}

// claimsOf returns the claims that a statement makes or seems to make.
func (c *checker) claimsOf(s *Statement) []string {
	var out []string
	fp := s.Fingerprint
	if s.Was != nil {
		fp = s.Was.Fingerprint
	}
	for _, cl := range c.claims[fp] {
		// What the words claim may depend on where they stand.
		makes := func(p knowledge.Place) bool {
			if p.Fingerprint != fp {
				return false
			}
			return s.Was != nil || samePlace(p, s)
		}
		for _, e := range slices.Sorted(maps.Keys(cl.Editions)) {
			if makes(cl.Editions[e]) {
				out = append(out, cl.ID)
				break
			}
		}
	}
	return out
}

// claim says what kernels have to say to a claim.
func (c *checker) claim(id string) (Claim, error) {
	cl, _ := c.base.Claim(id)
	out := Claim{ID: id, Says: cl.Says, Untestable: cl.Untestable, Editions: []string{}, Verdicts: []KernelVerdict{}, Reasons: []string{}}
	edition := ""
	for _, e := range c.base.Editions {
		if _, ok := cl.In(e.ID); ok {
			out.Editions = append(out.Editions, e.ID)
			if edition != c.edition {
				edition = e.ID
			}
		}
	}
	out.Where = cl.Editions[edition].String()
	if cl.Untestable != "" {
		return out, nil
	}
	// An edition that makes the claim, for its verdicts to name it.
	j, err := c.judge(edition)
	if err != nil {
		return Claim{}, err
	}
	verdicts := make([]*KernelVerdict, len(j.Cells))
	for i, k := range j.Cells {
		if !report.Concerns(c.base, cl, k.Cell.Scenario) {
			continue
		}
		v, reasons := truth(cl, k)
		verdicts[i] = &v
		out.Verdicts = append(out.Verdicts, v)
		for _, r := range reasons {
			if !slices.Contains(out.Reasons, r) {
				out.Reasons = append(out.Reasons, r)
			}
		}
	}
	out.Kernels = report.Spans(j, func(i int) string {
		v := verdicts[i]
		if v == nil {
			return ""
		}
		if n := len(v.Because); n > 2 {
			return fmt.Sprintf("%s (%s and %d more)", v.Truth, v.Because[0], n-1)
		} else if n > 0 {
			return fmt.Sprintf("%s (%s)", v.Truth, strings.Join(v.Because, ", "))
		}
		return string(v.Truth)
	})
	return out, nil
}

// truth decides a claim on a kernel, and says what the ledger has to say where it fails. It
// holds only if all that it demands was observed and is so, but for what the kernel lacks
// the feature for, if that is not all.
func truth(cl *knowledge.Claim, k *verdict.CellResult) (KernelVerdict, []string) {
	because := map[Truth][]string{}
	var reasons []string
	held := false
	for i := range cl.Demands {
		id := cl.Demands[i].Behaviour
		r := k.Result(id)
		if r == nil && len(k.Results) > 0 {
			continue // it is of another scenario, whose cells decide it
		}
		switch {
		case r == nil || r.Verdict == verdict.Missing || r.Verdict == verdict.Broken:
			because[Unobserved] = append(because[Unobserved], id)
		case r.Verdict == verdict.Unsupported:
			because[Unsupported] = append(because[Unsupported], id)
		case r.Verdict == verdict.Unexpected:
			because[Unexpected] = append(because[Unexpected], id)
		case slices.ContainsFunc(r.Violated, func(d knowledge.Demanded) bool { return d.Claim.ID == cl.ID }):
			because[Fails] = append(because[Fails], id+" "+r.Outcome)
			if r.Entry != nil {
				reasons = append(reasons, r.Entry.Range()+": "+r.Entry.Reason)
			}
		default:
			held = true
		}
	}
	out := KernelVerdict{Kernel: k.Cell.Name, Truth: Holds}
	for _, t := range []Truth{Fails, Unexpected, Unobserved, Unsupported} {
		if len(because[t]) > 0 && (t != Unsupported || !held) {
			out.Truth, out.Because = t, because[t]
			break
		}
	}
	return out, reasons
}

// silent lists the behaviours that no claim of the page decides.
func (c *checker) silent(r *Report, j *verdict.Judgement) {
	for _, a := range report.Find(j).Areas {
		for _, row := range a.Rows {
			b, ok := c.base.Behaviour(row.ID)
			if !ok {
				continue
			}
			s := Silence{Behaviour: b.ID, Title: b.Title, Why: b.Silent, Claims: []string{}}
			decided := false
			for i := range c.base.Claims {
				cl := &c.base.Claims[i]
				if slices.ContainsFunc(cl.Demands, func(d knowledge.Demand) bool { return d.Behaviour == b.ID }) {
					s.Claims = append(s.Claims, cl.ID)
					decided = decided || c.made[cl.ID]
				}
			}
			if decided {
				continue
			}
			seen := map[string]bool{}
			s.Kernels = report.Spans(j, func(i int) string {
				res := row.Results[i]
				if res == nil || res.Outcome == "" {
					return ""
				}
				text := res.Outcome
				for _, f := range row.Varying {
					if v, ok := res.Facts[f]; ok {
						text += " " + f + "=" + v
					}
				}
				seen[text] = true
				return text
			})
			s.Differs = len(seen) > 1
			r.Silent = append(r.Silent, s)
		}
	}
}

// count sums the report up and decides its exit status.
func (r *Report) count() {
	n := &r.Counts
	unexpected, unobserved := map[string]bool{}, map[string]bool{}
	for i := range r.Statements {
		s := &r.Statements[i]
		switch s.Status {
		case Known:
			n.Known++
		case Changed:
			n.Changed++
		case Unknown:
			n.Unknown++
		}
		if s.contradicted() {
			n.Contradicted++
		}
		for _, cl := range s.Claims {
			for _, v := range cl.Verdicts {
				switch v.Truth {
				case Unexpected:
					unexpected[cl.ID] = true
				case Unobserved:
					unobserved[cl.ID] = true
				}
			}
			if cl.Untestable == "" && len(cl.Verdicts) == 0 {
				unobserved[cl.ID] = true
			}
		}
	}
	n.Vanished, n.Silent = len(r.Vanished), len(r.Silent)
	n.Unexpected, n.Unobserved = len(unexpected), len(unobserved)
	switch {
	case n.Changed+n.Unknown+n.Vanished+n.Unexpected+len(r.Skipped) > 0:
		r.Exit = ExitLook
	case n.Unobserved > 0:
		r.Exit = ExitUnobserved
	}
}

// contradicted reports whether a kernel contradicts one of the statement's claims.
func (s *Statement) contradicted() bool {
	return slices.ContainsFunc(s.Claims, func(c Claim) bool {
		return slices.ContainsFunc(c.Verdicts, func(v KernelVerdict) bool { return v.Truth == Fails })
	})
}
