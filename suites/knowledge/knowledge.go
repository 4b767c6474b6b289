// Package knowledge holds what is known about pivot_root(2): the behaviours a kernel can
// show, what each edition of the manual page claims about them, and the ledger of what
// kernels are known to do although a page says otherwise or says nothing.
//
// All of it is data, in the YAML files beside this one; see README.md there for their form.
// The guest never imports this package. Verdicts are made on the host, so that old records
// can be judged again by newer knowledge.
package knowledge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pivotspec/suites/record"
)

// Base is everything known, loaded and found free of contradictions. It is read-only.
type Base struct {
	// Editions of the manual page in time order.
	Editions []Edition
	// Areas in the order in which reports show them.
	Areas []Area
	// Behaviours ordered by area, then as the file has them.
	Behaviours []Behaviour
	// Claims as the file has them.
	Claims []Claim
	// Ledger as the file has it.
	Ledger []Entry
	// Orders are in which order kernels check for faults, as the file has them.
	Orders []Order
	// Warnings are the kernel messages known to be harmless.
	Warnings []KnownWarning
	// Proposals for the page's maintainer, as the file has them.
	Proposals []Proposal
	// Implementations are what is known of those that are not Linux.
	Implementations []Implementation
	// Statements are the sentences of the editions as the files have them.
	Statements []Statements
	// Audiences and Notices are who can notice a change and of what, as the files have them.
	Audiences []Audience
	Notices   []Notice

	behaviours map[string]int
	claims     map[string]int
	editions   map[string]int
	demands    map[string][]Demanded // by behaviour, in file order
	ledger     map[string][]int      // by behaviour
	as         *Implementation       // see Of
	linux      *Base                 // what Of was made from
}

// Edition is one version of the manual page.
type Edition struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Date is the page's own date, as much of YYYY-MM-DD as is known; "" if it has none.
	Date string `yaml:"date"`
	// Source says where the text comes from, such as a Debian package.
	Source string `yaml:"source"`
	// Current marks the one edition whose claims decide what is expected of a kernel.
	Current bool `yaml:"current"`
}

// Area is a heading under which behaviours are shown.
type Area struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
}

// Behaviour is one named thing that a kernel does. One spec observes one behaviour.
type Behaviour struct {
	// ID is permanent, "area/condition".
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Facts gives the meaning of each fact that a spec may report of the behaviour.
	// The universal facts need no mention; see [Universal].
	Facts map[string]string `yaml:"facts"`
	// Info names facts that are for people to read and never compared, such as mount IDs.
	Info []string `yaml:"info"`
	// Groups are the numbers of the paragraphs of the project's list of behaviours.
	Groups []int `yaml:"groups"`
	// Silent says why no edition decides the behaviour. It is given if and only if no
	// claim of any edition demands something of it.
	Silent string `yaml:"silent"`
	// NoEffect marks a behaviour whose observed call is no pivot_root, or whose effect
	// cannot be told, so that it may be observed without the fact "effect".
	NoEffect bool `yaml:"no-effect"`
	// NoControl says why an errno is observed without the fact "control". Without that
	// reason the control has to be reported: an errno alone may be the set-up's fault.
	NoControl string `yaml:"no-control"`
	// Cause says what is wrong where the observed call, a pivot_root, fails: what a diagnosis of
	// it has to name.
	Cause Causes `yaml:"cause"`
	// Untold says why no diagnosis can name the cause.
	Untold string `yaml:"untold"`
	// Needs names the kernel feature without which the behaviour cannot be observed.
	// A spec may report "unsupported" only for a behaviour that needs something.
	Needs string `yaml:"needs"`
	// Scenario names the ways to boot in which it is observed; [Plain] alone if there are none.
	Scenario Set `yaml:"scenario"`
}

// Plain is the name of the scenario of cells and behaviours that name none.
const Plain = record.Plain

// In reports whether the behaviour is observed in cells of a scenario; "" is [Plain].
func (b *Behaviour) In(scenario string) bool {
	if scenario == "" {
		scenario = Plain
	}
	if len(b.Scenario) == 0 {
		return scenario == Plain
	}
	return b.Scenario.Has(scenario)
}

// Scenarios returns the names of the scenarios in which behaviours are observed, sorted.
func (b *Base) Scenarios() []string {
	seen := map[string]bool{Plain: true}
	for i := range b.Behaviours {
		for _, s := range b.Behaviours[i].Scenario {
			seen[s] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Area returns the part of the ID before the slash.
func (b *Behaviour) Area() string { area, _, _ := strings.Cut(b.ID, "/"); return area }

// Condition returns the part of the ID after the slash.
func (b *Behaviour) Condition() string { _, c, _ := strings.Cut(b.ID, "/"); return c }

// IsInfo reports whether the fact is informational only.
func (b *Behaviour) IsInfo(fact string) bool { return slices.Contains(b.Info, fact) }

// Names of the universal facts, which any observation may carry and which are compared
// by rules of their own unless a claim or a ledger entry demands something of them.
const (
	// FactControl is the outcome of the positive control: the same world with the one
	// fault mended. It has to be "OK".
	FactControl = "control"
	// FactEffect is what the observed call did to the caller's root: "pivoted" or "none"
	// are the values that go with success and failure.
	FactEffect = "effect"
	// FactAfterControl is the effect of the positive control: it has to be "pivoted".
	FactAfterControl = "after-control"
)

// Values of [FactEffect] and [FactAfterControl].
const (
	Pivoted  = "pivoted"
	NoChange = "none"
)

// Universal reports whether fact is one that needs no declaration.
func Universal(fact string) bool {
	return fact == FactControl || fact == FactEffect || fact == FactAfterControl
}

// Strength is how firmly a claim is made.
type Strength string

// The strengths of a claim.
const (
	Must   Strength = "must"
	May    Strength = "may"
	Should Strength = "should"
	Advice Strength = "advice"
)

// Claim is one statement of the manual page, in one edition or several.
type Claim struct {
	// ID is permanent.
	ID string `yaml:"id"`
	// Says is a paraphrase, never the page's own sentence.
	Says     string   `yaml:"says"`
	Strength Strength `yaml:"strength"`
	// Editions gives by edition's ID where the statement is made.
	Editions map[string]Place `yaml:"editions"`
	// Demands are what has to be observed for the claim to hold, all of them.
	Demands []Demand `yaml:"demands"`
	// Untestable says why nothing is demanded.
	Untestable string `yaml:"untestable"`
}

// In returns where edition makes the claim.
func (c *Claim) In(edition string) (Place, bool) { p, ok := c.Editions[edition]; return p, ok }

// Place is where an edition makes a claim.
type Place struct {
	// Section is the heading, such as "ERRORS".
	Section string `yaml:"section"`
	// Item is the tag of the list item or the subsection, such as "EINVAL"; may be "".
	Item string `yaml:"item"`
	// Nth counts from 1 the items of that name, or the sentences if there is no item.
	Nth int `yaml:"nth"`
	// Fingerprint of the sentence, as made by [Fingerprint].
	Fingerprint string `yaml:"fingerprint"`
}

// String returns the place for a reader, such as "ERRORS, EINVAL 2".
func (p Place) String() string {
	s := p.Section
	if p.Item != "" {
		s += ", " + p.Item
	}
	if p.Nth > 1 {
		s += fmt.Sprintf(" %d", p.Nth)
	}
	return s
}

// Statements are the sentences of one section, or of one item of a section, of an edition.
// Together those of an edition are all that it says: each has to be covered by a claim, so
// that no sentence drops out in silence.
type Statements struct {
	Edition string `yaml:"edition"`
	Section string `yaml:"section"`
	Item    string `yaml:"item"`
	// Fingerprints has at Nth-1 those of the nth statement: one of a sentence of running
	// text, one or more of an entry of a list, which may hold several sentences.
	Fingerprints []Set `yaml:"fingerprints"`
}

// Places returns the place of each sentence, in order.
func (s *Statements) Places() []Place {
	var out []Place
	for i, set := range s.Fingerprints {
		for _, f := range set {
			out = append(out, Place{s.Section, s.Item, i + 1, f})
		}
	}
	return out
}

// Places returns the place of every sentence of an edition, in order; none if the edition's
// statements are not listed.
func (b *Base) Places(edition string) []Place {
	var out []Place
	for i := range b.Statements {
		if s := &b.Statements[i]; s.Edition == edition {
			out = append(out, s.Places()...)
		}
	}
	return out
}

// Demand is what a claim demands of one behaviour: one of the outcomes and, together with
// that, one of the values of each fact.
type Demand struct {
	Behaviour string         `yaml:"behaviour"`
	Outcome   Set            `yaml:"outcome"`
	Facts     map[string]Set `yaml:"facts"`
}

// Met reports whether an observation is what the demand asks for.
func (d *Demand) Met(outcome string, facts map[string]string) bool {
	if !d.Outcome.Has(outcome) {
		return false
	}
	for f, want := range d.Facts {
		if got, ok := facts[f]; !ok || !want.Has(got) {
			return false
		}
	}
	return true
}

// Demanded is a demand together with the claim that makes it.
type Demanded struct {
	Claim  *Claim
	Demand *Demand
}

// Entry is one line of the ledger: what is true of a behaviour on a range of kernels.
type Entry struct {
	Behaviour string `yaml:"behaviour"`
	// From and To are the first and last kernel series for which the entry holds;
	// a zero value leaves that side open.
	From Series `yaml:"from"`
	To   Series `yaml:"to"`
	// Arch limits the entry to some architectures, by Debian's names; empty means all.
	Arch []string `yaml:"arch"`
	// Outcome is what is observed. It is a set where backports make it vary within a series.
	Outcome Set            `yaml:"outcome"`
	Facts   map[string]Set `yaml:"facts"`
	// Reason is shown to readers of reports.
	Reason string `yaml:"reason"`
	// Commit is the kernel commit that made it so, if known.
	Commit string `yaml:"commit"`
	// Contradicts names the claims that the entry goes against. It may be left out; if
	// it is given it has to be complete.
	Contradicts []string `yaml:"contradicts"`
	// NoControl, in the ledger of an implementation, says why its errno can be trusted where the spec
	// makes no positive control: it expects of Linux that the call succeeds.
	NoControl string `yaml:"no-control"`

	of string // the title of the implementation in whose ledger it is, "" for Linux
}

// Holds reports whether the entry holds for a kernel series on an architecture.
func (e *Entry) Holds(s Series, arch string) bool {
	return inRange(s, e.From, e.To) && (len(e.Arch) == 0 || slices.Contains(e.Arch, arch))
}

// Range returns the kernels of the entry for a reader: "since 7.0", "up to 6.19",
// "6.16 to 6.18", "on 6.19" or "always"; or the implementation of which it holds: "on gVisor".
func (e *Entry) Range() string {
	var s string
	switch {
	case e.of != "":
		return "on " + e.of
	case e.From.IsZero() && e.To.IsZero():
		s = "always"
	case e.From.IsZero():
		s = "up to " + e.To.String()
	case e.To.IsZero():
		s = "since " + e.From.String()
	case e.From == e.To:
		s = "on " + e.From.String()
	default:
		s = e.From.String() + " to " + e.To.String()
	}
	if len(e.Arch) > 0 {
		s += " on " + strings.Join(e.Arch, ", ")
	}
	return s
}

// KnownWarning is a kernel message that may appear while the suite runs.
type KnownWarning struct {
	// Match is a part of the message.
	Match  string   `yaml:"match"`
	From   Series   `yaml:"from"`
	To     Series   `yaml:"to"`
	Arch   []string `yaml:"arch"`
	Reason string   `yaml:"reason"`
}

// Covers reports whether the message is known on that kernel.
func (k *KnownWarning) Covers(message string, s Series, arch string) bool {
	return strings.Contains(message, k.Match) && inRange(s, k.From, k.To) &&
		(len(k.Arch) == 0 || slices.Contains(k.Arch, arch))
}

// Behaviour returns the behaviour of that ID.
func (b *Base) Behaviour(id string) (*Behaviour, bool) {
	i, ok := b.behaviours[id]
	if !ok {
		return nil, false
	}
	return &b.Behaviours[i], true
}

// Claim returns the claim of that ID.
func (b *Base) Claim(id string) (*Claim, bool) {
	i, ok := b.claims[id]
	if !ok {
		return nil, false
	}
	return &b.Claims[i], true
}

// Edition returns the edition of that ID.
func (b *Base) Edition(id string) (*Edition, bool) {
	i, ok := b.editions[id]
	if !ok {
		return nil, false
	}
	return &b.Editions[i], true
}

// Current returns the edition that decides what is expected.
func (b *Base) Current() *Edition {
	for i := range b.Editions {
		if b.Editions[i].Current {
			return &b.Editions[i]
		}
	}
	return nil // a loaded base has exactly one
}

// Demands returns what the claims of an edition demand of a behaviour, in file order.
func (b *Base) Demands(behaviour, edition string) []Demanded {
	var out []Demanded
	for _, d := range b.demands[behaviour] {
		if _, ok := d.Claim.In(edition); ok {
			out = append(out, d)
		}
	}
	return out
}

// Entry returns the ledger's entry for a behaviour on a kernel, or nil.
func (b *Base) Entry(behaviour string, s Series, arch string) *Entry {
	if b.as != nil {
		if e := b.as.Own(behaviour); e != nil {
			return e
		}
		return b.linux.Entry(behaviour, b.as.Like, arch)
	}
	for _, i := range b.ledger[behaviour] {
		if e := &b.Ledger[i]; e.Holds(s, arch) {
			return e
		}
	}
	return nil
}
