// Package explain says of any word of this project what it is: of a behaviour, a claim, an edition, an
// errno, a verdict, or a line that the program printed. All of it comes from the knowledge and from the recorded
// runs that are built into the program; only what lines and verdicts mean is written down here, in terms.yaml
// and lines.yaml.
package explain

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"

	"pivotspec/results/cell"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
)

// Scenario is a way to boot.
type Scenario struct{ Name, Says string }

// Explainer explains words. Set the fields before the first use.
type Explainer struct {
	Base *knowledge.Base
	// Cells returns the runs by which it is said what kernels do. It is asked once, and only for words that
	// are about kernels.
	Cells func() ([]*cell.Cell, error)
	// Scenarios are the ways to boot.
	Scenarios []Scenario
	// Sources gives by behaviour the place of its spec in the source tree, as file:line.
	Sources map[string]string

	once      sync.Once
	judgement *verdict.Judgement
	histories map[string]*report.ClaimHistory
	matters   map[string][]*knowledge.Proposal // by behaviour
	err       error
}

// Explanation is what is to be said of one meaning of a word.
type Explanation struct {
	// Kind is what the word stands for: "behaviour", "claim", "errno", ...
	Kind string `json:"kind"`
	// ID is the word as it is written properly.
	ID string `json:"id"`
	// Title says in one line what it is.
	Title string `json:"title"`
	Parts []Part `json:"parts"`
}

// Part is one thing that is to be said.
type Part struct {
	// About is what the lines are about, such as "kernels".
	About string   `json:"about"`
	Lines []string `json:"lines"`
}

func (e *Explanation) add(about string, lines ...string) {
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
	if len(lines) > 0 {
		e.Parts = append(e.Parts, Part{about, lines})
	}
}

// UnknownError says that a word means nothing here.
type UnknownError struct {
	Word string
	// Near are words that may be meant, the likeliest first.
	Near []string
}

func (e *UnknownError) Error() string {
	if len(e.Near) > 0 {
		return fmt.Sprintf("nothing is known of %q: did you mean %s?", e.Word, strings.Join(e.Near, " or "))
	}
	return fmt.Sprintf("nothing is known of %q: give a behaviour such as rootfs/pivot, a claim such as errors/einval-rootfs, an errno, or a line that pivotspec printed", e.Word)
}

// Word is a word that can be explained.
type Word struct{ ID, Title string }

// Words lists what can be explained beside lines, in the order of the knowledge; each ID once.
func (x *Explainer) Words() []Word {
	var out []Word
	seen := map[string]bool{}
	add := func(id, title string) {
		if !seen[id] {
			seen[id] = true
			out = append(out, Word{id, title})
		}
	}
	for _, b := range x.Base.Behaviours {
		add(b.ID, b.Title)
	}
	for _, c := range x.Base.Claims {
		add(c.ID, c.Says)
	}
	for _, a := range x.Base.Areas {
		add(a.ID, "the behaviours of "+a.Title)
	}
	for _, p := range x.Base.Proposals {
		add(p.ID, p.Title)
	}
	for _, e := range x.Base.Editions {
		add(e.ID, "an edition of the page: "+e.Title)
	}
	for _, s := range x.Scenarios {
		add(s.Name, s.Says)
	}
	for _, i := range x.Base.Implementations {
		add(i.ID, i.Title)
	}
	for _, f := range faults.Table() {
		add(f.ID, "a fault: "+f.Title)
	}
	for _, t := range terms() {
		add(t.Word, firstSentence(t.Means))
	}
	for _, e := range x.errnos() {
		add(e, "what gives this error")
	}
	return out
}

func firstSentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if i := strings.IndexAny(s, ".;:"); i > 0 {
		return s[:i]
	}
	return s
}

// errnos lists the errnos that the knowledge has, sorted.
func (x *Explainer) errnos() []string {
	var out []string
	add := func(s knowledge.Set) {
		for _, o := range s {
			if errnoForm.MatchString(o) {
				out = append(out, o)
			}
		}
	}
	for _, e := range x.Base.Ledger {
		add(e.Outcome)
	}
	for _, c := range x.Base.Claims {
		for _, d := range c.Demands {
			add(d.Outcome)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var errnoForm = regexp.MustCompile(`^E[A-Z0-9]{2,}$`)

// Explain says what a word means: all that it may mean. Its error is an [*UnknownError] if it means
// nothing, or that of the recorded runs.
func (x *Explainer) Explain(word string) ([]*Explanation, error) {
	word = strings.Join(strings.Fields(word), " ")
	out, err := x.named(word)
	if err != nil || len(out) > 0 {
		return out, err
	}
	if out, err = x.line(word); err != nil || len(out) > 0 {
		return out, err
	}
	return nil, &UnknownError{Word: word, Near: x.near(word)}
}

// named explains what is named by the word as a whole.
func (x *Explainer) named(word string) ([]*Explanation, error) {
	var out []*Explanation
	var errs error
	add := func(e *Explanation, err error) {
		if err != nil && errs == nil {
			errs = err
		}
		if err == nil {
			out = append(out, e)
		}
	}
	if b, ok := x.Base.Behaviour(word); ok {
		add(x.behaviour(b))
	}
	if c, ok := x.Base.Claim(word); ok {
		add(x.claim(c))
	}
	if e, ok := x.Base.Edition(word); ok {
		add(x.edition(e))
	}
	if s, err := knowledge.ParseSeries(word); err == nil {
		if e, err := x.kernel(s); err != nil || e != nil {
			add(e, err)
		}
	}
	if i := slices.IndexFunc(x.Base.Areas, func(a knowledge.Area) bool { return a.ID == strings.TrimSuffix(word, "/") }); i >= 0 {
		add(x.area(&x.Base.Areas[i]))
	}
	if i := slices.IndexFunc(x.Base.Proposals, func(p knowledge.Proposal) bool { return p.ID == word }); i >= 0 {
		add(x.proposal(&x.Base.Proposals[i]), nil)
	}
	if i := slices.IndexFunc(x.Scenarios, func(s Scenario) bool { return s.Name == word }); i >= 0 {
		add(x.scenario(x.Scenarios[i]), nil)
	}
	if i, ok := x.Base.Implementation(word); ok {
		add(x.implementation(i), nil)
	}
	if table := faults.Table(); true {
		if i := slices.IndexFunc(table, func(f faults.Fault) bool { return f.ID == word }); i >= 0 {
			add(x.fault(&table[i]), nil)
		}
	}
	for _, t := range terms() {
		if strings.EqualFold(t.Word, word) || slices.Contains(t.Symbols, word) {
			add(t.explain(), nil)
		}
	}
	if slices.Contains(x.errnos(), word) {
		add(x.errno(word))
	}
	if e := x.commit(word); e != nil {
		add(e, nil)
	}
	return out, errs
}

// near returns the words that may be meant: those of which word is a part, else those that differ from it in
// few letters.
func (x *Explainer) near(word string) []string {
	const most = 5
	lower := strings.ToLower(word)
	type candidate struct {
		id       string
		distance int
	}
	var parts, like []candidate
	for _, w := range x.Words() {
		id := strings.ToLower(w.ID)
		_, condition, _ := strings.Cut(id, "/")
		if len(lower) > 2 && strings.Contains(id, lower) {
			parts = append(parts, candidate{w.ID, len(id) - len(lower)})
			continue
		}
		d := levenshtein.ComputeDistance(lower, id)
		if condition != "" {
			d = min(d, levenshtein.ComputeDistance(lower, condition))
		}
		// A third of the letters wrong is a slip of the finger; more is another word.
		if d <= max(1, len(lower)/3) {
			like = append(like, candidate{w.ID, d})
		}
	}
	var out []string
	for _, list := range [][]candidate{parts, like} {
		slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
		for _, c := range list[:min(most, len(list))] {
			out = append(out, c.id)
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// judged returns the judgement on the recorded runs by the current edition.
func (x *Explainer) judged() (*verdict.Judgement, error) {
	x.once.Do(func() {
		var cells []*cell.Cell
		if cells, x.err = x.Cells(); x.err != nil {
			return
		}
		if x.judgement, x.err = verdict.Judge(x.Base, cells, ""); x.err != nil {
			return
		}
		x.histories = map[string]*report.ClaimHistory{}
		all := report.Histories(x.judgement, "")
		for i := range all {
			x.histories[all[i].Claim.ID] = &all[i]
		}
		x.matters = matters(x.Base)
	})
	return x.judgement, x.err
}

// matters returns by behaviour the proposals that concern it.
func matters(base *knowledge.Base) map[string][]*knowledge.Proposal {
	out := map[string][]*knowledge.Proposal{}
	for i := range base.Proposals {
		p := &base.Proposals[i]
		of := append(slices.Clone(p.Behaviours), p.Show)
		for _, b := range base.Silence(p) {
			of = append(of, b.ID)
		}
		for _, id := range p.Claims {
			if c, ok := base.Claim(id); ok {
				for _, d := range c.Demands {
					of = append(of, d.Behaviour)
				}
			}
		}
		slices.Sort(of)
		for _, id := range slices.Compact(of) {
			out[id] = append(out[id], p)
		}
	}
	return out
}

// demand says what a demand or an entry of the ledger wants to be observed: "OK cwd=new_root".
func demand(outcome knowledge.Set, facts map[string]knowledge.Set) string {
	s := outcome.String()
	for _, f := range sorted(facts) {
		s += " " + f + "=" + facts[f].String()
	}
	return s
}

func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// because returns a reason with the kernel commit, if that is known.
func because(reason, commit string) string {
	if commit != "" {
		return fmt.Sprintf("%s (commit %.12s)", reason, commit)
	}
	return reason
}
