package knowledge

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var (
	areaID      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	behaviourID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$`)
	claimID     = regexp.MustCompile(`^[a-z0-9]+([-./_][a-z0-9]+)*$`)
	factName    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	editionID   = regexp.MustCompile(`^[A-Za-z0-9]+([-.][A-Za-z0-9]+)*$`)
	fingerprint = regexp.MustCompile(`^[0-9a-f]{16}$`)
	commitID    = regexp.MustCompile(`^[0-9a-f]{12,40}$`)
	errnoNumber = regexp.MustCompile(`^(errno [1-9][0-9]{0,3}|exit status [1-9][0-9]{0,2})$`)
)

// sections are the headings under which editions of the page say something.
var sections = []string{
	"NAME", "LIBRARY", "SYNOPSIS", "DESCRIPTION", "RETURN VALUE", "ERRORS", "VERSIONS", "STANDARDS",
	"CONFORMING TO", "HISTORY", "NOTES", "CAVEATS", "BUGS", "EXAMPLES", "SEE ALSO",
	"QUESTION", "ANSWER", // of an edition that is no manual page
}

// outcomes are the words a demand or a ledger entry may use, beside "errno N", and beside "exit
// status N" of a program that names no errno.
func outcomes() map[string]bool {
	out := map[string]bool{"OK": true}
	for n := range unix.Errno(4096) {
		if s := unix.ErrnoName(n); s != "" {
			out[s] = true
		}
	}
	// Two names of one errno; observations use the one that the kernel uses.
	delete(out, "ENOTSUP")
	out["EOPNOTSUPP"] = true
	return out
}

// IsOutcome reports whether s is what an observation may have as its outcome: "OK", or what its error is called.
func IsOutcome(s string) bool { return outcomes()[s] || errnoNumber.MatchString(s) }

// check finds the mistakes that no single entry shows.
func (b *Base) check(m *Mistakes) {
	c := checker{Base: b, Mistakes: m, outcomes: outcomes()}
	c.checkEditions()
	c.checkAreas()
	c.checkBehaviours()
	c.checkCauses()
	c.checkClaims()
	c.checkStatements()
	c.checkLedger()
	c.checkOrders()
	c.checkWarnings()
	c.checkNotices()
	c.checkImplementations()
	c.checkDecided()
	if len(*m) == 0 { // they rest on everything else
		c.checkProposals()
	}
}

type checker struct {
	*Base
	*Mistakes
	outcomes map[string]bool
}

// unique reports IDs that are malformed or occur twice.
func (c *checker) unique(file, id string, form *regexp.Regexp, seen map[string]bool) {
	if !form.MatchString(id) {
		c.addf("%s: %q is not an ID of the form %s", file, id, form)
	}
	if seen[id] {
		c.addf("%s: %s appears twice", file, id)
	}
	seen[id] = true
}

func (c *checker) checkEditions() {
	seen, current := map[string]bool{}, []string{}
	last := ""
	for _, e := range c.Editions {
		c.unique("editions.yaml", e.ID, editionID, seen)
		if e.Title == "" || e.Source == "" {
			c.addf("editions.yaml: %s needs a title and a source", e.ID)
		}
		if e.Current {
			current = append(current, e.ID)
		}
		if e.Date == "" {
			continue
		}
		if len(e.Date) < 4 || len(e.Date) > len(time.DateOnly) {
			c.addf("editions.yaml: %s: date %q is not YYYY, YYYY-MM or YYYY-MM-DD", e.ID, e.Date)
			continue
		}
		if _, err := time.Parse(time.DateOnly[:len(e.Date)], e.Date); err != nil {
			c.addf("editions.yaml: %s: date %q is not YYYY, YYYY-MM or YYYY-MM-DD", e.ID, e.Date)
			continue
		}
		if n := min(len(last), len(e.Date)); e.Date[:n] < last[:n] {
			c.addf("editions.yaml: %s of %s comes after an edition of %s", e.ID, e.Date, last)
		}
		last = e.Date
	}
	if len(current) != 1 {
		c.addf("editions.yaml: one edition has to be current, not %d (%s)", len(current), strings.Join(current, ", "))
	}
}

func (c *checker) checkAreas() {
	seen := map[string]bool{}
	for _, a := range c.Areas {
		c.unique("areas.yaml", a.ID, areaID, seen)
		if a.Title == "" {
			c.addf("areas.yaml: %s needs a title", a.ID)
		}
		if !slices.ContainsFunc(c.Behaviours, func(b Behaviour) bool { return b.Area() == a.ID }) {
			c.addf("areas.yaml: %s has no behaviour", a.ID)
		}
	}
}

func (c *checker) checkBehaviours() {
	seen := map[string]bool{}
	for i := range c.Behaviours {
		b := &c.Behaviours[i]
		at := "behaviours.yaml: " + b.ID
		c.unique("behaviours.yaml", b.ID, behaviourID, seen)
		if !slices.ContainsFunc(c.Areas, func(a Area) bool { return a.ID == b.Area() }) {
			c.addf("%s: areas.yaml has no area %q", at, b.Area())
		}
		if b.Title == "" {
			c.addf("%s needs a title", at)
		}
		for _, f := range slices.Sorted(maps.Keys(b.Facts)) {
			if !factName.MatchString(f) {
				c.addf("%s: %q is not the name of a fact", at, f)
			}
			if b.Facts[f] == "" {
				c.addf("%s: fact %s needs a meaning", at, f)
			}
		}
		for j, f := range b.Info {
			if _, ok := b.Facts[f]; !ok {
				c.addf("%s: info names the fact %s, which is not declared", at, f)
			}
			if Universal(f) {
				c.addf("%s: %s is always compared and cannot be info", at, f)
			}
			if slices.Contains(b.Info[:j], f) {
				c.addf("%s: info names %s twice", at, f)
			}
		}
		for j, s := range b.Scenario {
			if !areaID.MatchString(s) {
				c.addf("%s: %q is not the name of a scenario", at, s)
			}
			if slices.Contains(b.Scenario[:j], s) {
				c.addf("%s: scenario names %s twice", at, s)
			}
		}
		for _, g := range b.Groups {
			if g < 1 {
				c.addf("%s: group %d: groups count from 1", at, g)
			}
		}
	}
}

func (c *checker) checkClaims() {
	seen := map[string]bool{}
	for i := range c.Claims {
		cl := &c.Claims[i]
		at := "claims.yaml: " + cl.ID
		c.unique("claims.yaml", cl.ID, claimID, seen)
		if cl.Says == "" {
			c.addf("%s needs a paraphrase in says", at)
		}
		if !slices.Contains([]Strength{Must, May, Should, Advice}, cl.Strength) {
			c.addf("%s: strength %q is none of must, may, should, advice", at, cl.Strength)
		}
		if len(cl.Editions) == 0 {
			c.addf("%s is made by no edition", at)
		}
		for _, id := range slices.Sorted(maps.Keys(cl.Editions)) {
			p := cl.Editions[id]
			if _, ok := c.Edition(id); !ok {
				c.addf("%s: there is no edition %s", at, id)
			}
			if !slices.Contains(sections, p.Section) {
				c.addf("%s: edition %s: unknown section %q", at, id, p.Section)
			}
			if p.Nth < 1 {
				c.addf("%s: edition %s: nth counts from 1", at, id)
			}
			if !fingerprint.MatchString(p.Fingerprint) {
				c.addf("%s: edition %s: fingerprint %q is not 16 hexadecimal digits", at, id, p.Fingerprint)
			}
		}
		if (len(cl.Demands) == 0) == (cl.Untestable == "") {
			c.addf("%s needs either demands or the reason why it is untestable", at)
		}
		demanded := map[string]bool{}
		for _, d := range cl.Demands {
			if demanded[d.Behaviour] {
				c.addf("%s demands something of %s twice", at, d.Behaviour)
			}
			demanded[d.Behaviour] = true
			c.expectation(at, d.Behaviour, d.Outcome, d.Facts)
		}
	}
}

// checkStatements checks that the claims of each edition whose statements are listed cover
// those, all of them and nothing else.
func (c *checker) checkStatements() {
	covered := map[string]map[Place]bool{}
	for _, id := range slices.Sorted(maps.Keys(c.editions)) {
		covered[id] = map[Place]bool{}
		for i := range c.Claims {
			if p, ok := c.Claims[i].In(id); ok {
				covered[id][p] = true
			}
		}
	}
	seen := map[[3]string]bool{}
	listed := map[string]map[Place]bool{}
	for i := range c.Statements {
		s := &c.Statements[i]
		at := fmt.Sprintf("statements: edition %s: %s", s.Edition, Place{Section: s.Section, Item: s.Item})
		if _, ok := c.Edition(s.Edition); !ok {
			c.addf("%s: there is no such edition", at)
			continue
		}
		key := [3]string{s.Edition, s.Section, s.Item}
		if seen[key] {
			c.addf("%s appears twice", at)
		}
		seen[key] = true
		if len(s.Fingerprints) == 0 {
			c.addf("%s has no statement", at)
		}
		if listed[s.Edition] == nil {
			listed[s.Edition] = map[Place]bool{}
		}
		for n, set := range s.Fingerprints {
			if len(set) == 0 {
				c.addf("%s: number %d has no fingerprint", at, n+1)
			}
		}
		for _, p := range s.Places() {
			if listed[s.Edition][p] {
				c.addf("%s: %s is listed twice at number %d", at, p.Fingerprint, p.Nth)
			}
			listed[s.Edition][p] = true
			if !covered[s.Edition][p] {
				c.addf("%s: no claim covers number %d (%s)", at, p.Nth, p.Fingerprint)
			}
		}
	}
	c.sameSentences(listed)
	for i := range c.Claims {
		cl := &c.Claims[i]
		for _, id := range slices.Sorted(maps.Keys(cl.Editions)) {
			if p := cl.Editions[id]; listed[id] != nil && !listed[id][p] {
				c.addf("claims.yaml: %s: edition %s has no statement %s (%s)", cl.ID, id, p, p.Fingerprint)
			}
		}
	}
}

// sameSentences checks that what one edition claims with a sentence is claimed by every edition
// that has the sentence in the same section and item.
func (c *checker) sameSentences(listed map[string]map[Place]bool) {
	byWords := map[Place]map[string]Place{} // without nth, which moves: by edition
	for id, places := range listed {
		for p := range places {
			words := p
			words.Nth = 0
			if byWords[words] == nil {
				byWords[words] = map[string]Place{}
			}
			byWords[words][id] = p
		}
	}
	for i := range c.Claims {
		cl := &c.Claims[i]
		missed := map[string]Place{}
		for _, p := range cl.Editions {
			p.Nth = 0
			for id, at := range byWords[p] {
				if _, ok := cl.In(id); !ok {
					missed[id] = at
				}
			}
		}
		for _, id := range slices.Sorted(maps.Keys(missed)) {
			c.addf("claims.yaml: %s: edition %s says the same at %s; add it", cl.ID, id, missed[id])
		}
	}
}

// expectation checks what claims and the ledger have in common.
func (c *checker) expectation(at, behaviour string, outcome Set, facts map[string]Set) {
	b, ok := c.Behaviour(behaviour)
	if !ok {
		c.addf("%s: there is no behaviour %q", at, behaviour)
		return
	}
	at += ": " + behaviour
	if len(outcome) == 0 {
		c.addf("%s: names no outcome", at)
	}
	for i, o := range outcome {
		if !c.outcomes[o] && !errnoNumber.MatchString(o) {
			c.addf("%s: outcome %q is neither OK nor an errno", at, o)
		}
		if slices.Contains(outcome[:i], o) {
			c.addf("%s: outcome %s is named twice", at, o)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(facts)) {
		if _, ok := b.Facts[f]; !ok && !Universal(f) {
			c.addf("%s: fact %s is not declared in behaviours.yaml", at, f)
		}
		if b.IsInfo(f) {
			c.addf("%s: fact %s is informational and never compared", at, f)
		}
		if len(facts[f]) == 0 {
			c.addf("%s: fact %s has no value", at, f)
		}
	}
}

func (c *checker) checkLedger() {
	for i := range c.Ledger {
		e := &c.Ledger[i]
		at := fmt.Sprintf("ledger.yaml: %s (%s)", e.Behaviour, e.Range())
		c.expectation(at, e.Behaviour, e.Outcome, e.Facts)
		if e.Reason == "" {
			c.addf("%s needs a reason", at)
		}
		if !e.From.IsZero() && !e.To.IsZero() && e.From.Compare(e.To) > 0 {
			c.addf("%s: the range is empty", at)
		}
		if e.Commit != "" && !commitID.MatchString(e.Commit) {
			c.addf("%s: commit %q is not 12 to 40 hexadecimal digits", at, e.Commit)
		}
		if e.NoControl != "" {
			c.addf("%s: no-control is for implementations that are not Linux", at)
		}
		for _, j := range c.ledger[e.Behaviour] {
			if o := &c.Ledger[j]; j < i && overlap(e, o) {
				c.addf("%s overlaps with the entry %s", at, o.Range())
			}
		}
		c.contradicts(at, e)
	}
}

func overlap(a, b *Entry) bool {
	before := func(x, y *Entry) bool {
		return !x.To.IsZero() && !y.From.IsZero() && x.To.Compare(y.From) < 0
	}
	if before(a, b) || before(b, a) {
		return false
	}
	return len(a.Arch) == 0 || len(b.Arch) == 0 ||
		slices.ContainsFunc(a.Arch, func(s string) bool { return slices.Contains(b.Arch, s) })
}

// contradicts checks the claims that an entry says it goes against. Nothing is checked if
// it names none, for then the field was left out.
func (c *checker) contradicts(at string, e *Entry) {
	if len(e.Contradicts) == 0 {
		return
	}
	for i, id := range e.Contradicts {
		if _, ok := c.Claim(id); !ok {
			c.addf("%s: contradicts the claim %q, which there is not", at, id)
			continue
		}
		if slices.Contains(e.Contradicts[:i], id) {
			c.addf("%s: contradicts names %s twice", at, id)
		}
		k := slices.IndexFunc(c.demands[e.Behaviour], func(d Demanded) bool { return d.Claim.ID == id })
		switch {
		case k < 0:
			c.addf("%s: contradicts %s, which demands nothing of the behaviour", at, id)
		case within(e, c.demands[e.Behaviour][k].Demand):
			c.addf("%s: contradicts %s, but everything it allows satisfies that claim", at, id)
		}
	}
	for _, d := range c.demands[e.Behaviour] {
		if outside(e, d.Demand) && !slices.Contains(e.Contradicts, d.Claim.ID) {
			c.addf("%s: goes against %s too, which contradicts leaves out", at, d.Claim.ID)
		}
	}
}

// within reports whether every observation that e allows satisfies d.
func within(e *Entry, d *Demand) bool {
	if !subset(e.Outcome, d.Outcome) {
		return false
	}
	for f, want := range d.Facts {
		if have, ok := e.Facts[f]; ok && !subset(have, want) {
			return false
		}
	}
	return true
}

// outside reports whether no observation that e allows satisfies d.
func outside(e *Entry, d *Demand) bool {
	if disjoint(e.Outcome, d.Outcome) {
		return true
	}
	for f, want := range d.Facts {
		if have, ok := e.Facts[f]; ok && disjoint(have, want) {
			return true
		}
	}
	return false
}

func subset(a, b Set) bool   { return !slices.ContainsFunc(a, func(v string) bool { return !b.Has(v) }) }
func disjoint(a, b Set) bool { return !slices.ContainsFunc(a, b.Has) }

func (c *checker) checkWarnings() {
	for _, w := range c.Warnings {
		if len(w.Match) < 8 {
			c.addf("warnings.yaml: %q is too short to tell one message from another", w.Match)
		}
		if w.Reason == "" {
			c.addf("warnings.yaml: %q needs a reason", w.Match)
		}
		if !w.From.IsZero() && !w.To.IsZero() && w.From.Compare(w.To) > 0 {
			c.addf("warnings.yaml: %q: the range is empty", w.Match)
		}
	}
}

// checkDecided checks that something decides each behaviour and each fact of it: a claim, the
// ledger or, openly, nothing.
func (c *checker) checkDecided() {
	for i := range c.Behaviours {
		b := &c.Behaviours[i]
		at := "behaviours.yaml: " + b.ID
		demands, entries := c.demands[b.ID], c.ledger[b.ID]
		switch {
		case len(demands) == 0 && b.Silent == "":
			c.addf("%s: no claim demands anything of it and it does not say why in silent", at)
		case len(demands) > 0 && b.Silent != "":
			c.addf("%s says in silent that no edition decides it, but %s does", at, demands[0].Claim.ID)
		}
		for _, f := range slices.Sorted(maps.Keys(b.Facts)) {
			named := Universal(f) || b.IsInfo(f) ||
				slices.ContainsFunc(demands, func(d Demanded) bool { return d.Demand.Facts[f] != nil }) ||
				slices.ContainsFunc(entries, func(j int) bool { return c.Ledger[j].Facts[f] != nil })
			if !named && len(demands)+len(entries) > 0 {
				c.addf("%s: fact %s is constrained by no claim and no ledger entry; name it there or in info", at, f)
			}
		}
	}
}
