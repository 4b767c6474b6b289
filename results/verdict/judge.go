package verdict

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"pivotspec/results/cell"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// Judge judges cells by an edition, the current one if edition is "". What is expected of
// a kernel is what the ledger says or else what the current edition claims, whichever
// edition is judged: an old page is not a kernel's fault. It fails only for an unknown edition.
func Judge(base *knowledge.Base, cells []*cell.Cell, edition string) (*Judgement, error) {
	ed := base.Current()
	if edition != "" {
		var ok bool
		if ed, ok = base.Edition(edition); !ok {
			ids := make([]string, len(base.Editions))
			for i, e := range base.Editions {
				ids[i] = e.ID
			}
			return nil, fmt.Errorf("there is no edition %q of the page: choose one of %s", edition, knowledge.Set(ids))
		}
	}
	j := &Judgement{Base: base, Edition: ed}
	cells = slices.Clone(cells)
	slices.SortStableFunc(cells, cell.Compare)
	j.Cells = make([]*CellResult, len(cells))
	var wait sync.WaitGroup
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, c := range cells {
		wait.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			j.Cells[i] = judgeCell(base, ed, c)
		})
	}
	wait.Wait()
	return j, nil
}

// report is a guest's records by kind.
type report struct {
	plan     map[string]bool
	kernel   *record.Kernel
	observed map[string]*record.Record
	clash    map[string]bool // reported twice, differently
	warnings []*record.Record
	planned  bool
	ended    bool
	borrowed bool // see [cell.Cell.Borrowed]
}

func sortRecords(records []*record.Record) report {
	p := report{plan: map[string]bool{}, observed: map[string]*record.Record{}, clash: map[string]bool{}}
	for _, r := range records {
		switch r.Type {
		case record.TypePlan:
			p.planned = true
			for _, id := range r.Plan {
				p.plan[id] = true
			}
		case record.TypeKernel:
			if r.Kernel != nil {
				p.kernel = r.Kernel
			}
		case record.TypeObservation:
			if old := p.observed[r.ID]; old != nil && !same(old, r) {
				p.clash[r.ID] = true
			}
			p.observed[r.ID] = r
		case record.TypeWarning:
			p.warnings = append(p.warnings, r)
		case record.TypeEnd:
			p.ended = true
		}
	}
	return p
}

func same(a, b *record.Record) bool {
	return a.Status == b.Status && a.Outcome == b.Outcome && maps.Equal(a.Facts, b.Facts)
}

func judgeCell(base *knowledge.Base, ed *knowledge.Edition, c *cell.Cell) *CellResult {
	p := sortRecords(c.Records)
	p.borrowed = c.Borrowed()
	out := &CellResult{Cell: c, Status: c.Status, Reason: c.Reason}
	var wrongKernel string
	if i, ok := base.Implementation(c.Backend); ok {
		out.Implementation, base = i, base.Of(i)
		wrongKernel = foreign(i, p.kernel)
	} else {
		out.Series, wrongKernel = series(c, p.kernel)
	}
	if wrongKernel == "" {
		wrongKernel = otherPrograms(c, p.kernel)
	}
	// The records have the last word on whether the cell is complete.
	if c.Status == cell.Complete {
		switch {
		case wrongKernel != "":
			out.Status, out.Reason = cell.Broken, wrongKernel
		case !slices.Contains(base.Scenarios(), c.ScenarioName()):
			// Without a behaviour there is nothing that could be missing.
			out.Status, out.Reason = cell.Broken, fmt.Sprintf("no behaviour belongs to its scenario, %s", c.ScenarioName())
		case !p.planned:
			out.Status, out.Reason = cell.Broken, "its records hold no plan"
		case !p.ended:
			out.Status, out.Reason = cell.Broken, "its records stop before the end"
		}
	}
	if why := c.Strayed(); out.Status == cell.Complete && why != "" {
		out.Status, out.Reason = cell.Broken, why
	}
	if out.Status != cell.Complete && out.Reason == "" {
		out.Reason = "no reason recorded"
	}
	for _, w := range p.warnings {
		out.Warnings = append(out.Warnings, judgeWarning(base, out.Series, c.Arch, w))
	}
	for i := range base.Behaviours {
		if b := &base.Behaviours[i]; b.In(c.Scenario) && !c.Asks(b.ID) {
			out.Unasked = append(out.Unasked, b.ID)
		}
	}
	if out.Status == cell.Unavailable && len(c.Records) == 0 {
		return out
	}
	judge := func(id string) {
		out.Results = append(out.Results, judgeBehaviour(base, ed, out.Series, c, id, p, wrongKernel))
	}
	for i := range base.Behaviours {
		if base.Behaviours[i].In(c.Scenario) && c.Asks(base.Behaviours[i].ID) {
			judge(base.Behaviours[i].ID)
		}
	}
	unknown := map[string]bool{}
	for _, ids := range []map[string]bool{p.plan, keys(p.observed)} {
		for id := range ids {
			// What is known and was not asked for breaks the cell as a whole.
			if b, ok := base.Behaviour(id); !ok || !b.In(c.Scenario) {
				unknown[id] = true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(unknown)) {
		judge(id)
	}
	if why := out.empty(); out.Status == cell.Complete && why != "" {
		out.Status, out.Reason = cell.Broken, why
	}
	return out
}

// empty says why a cell that reported to its end is worth nothing all the same: on the plain initramfs, or a machine
// of somebody else's, each behaviour is unsupported, which is no failure of one, but of all of them together. It
// returns "" for any other cell. A scenario may be about a single behaviour, or a guest be asked for one, and a kernel may
// well lack what it needs.
func (c *CellResult) empty() string {
	reasons := map[string]int{}
	most := ""
	for _, r := range c.Results {
		if r.Verdict != Unsupported {
			return ""
		}
		why := strings.Join(r.Wrong, "; ")
		reasons[why]++
		if most == "" || reasons[why] > reasons[most] {
			most = why
		}
	}
	if len(c.Results) == 0 || c.Cell.ScenarioName() != knowledge.Plain || c.Cell.IsPart() {
		return ""
	}
	s := fmt.Sprintf("nothing was observed: each of its %d behaviours is unsupported (%s", len(c.Results), most)
	if len(reasons) > 1 {
		s += "; and other reasons"
	}
	return s + "); run it where the suite may do more"
}

func keys(m map[string]*record.Record) map[string]bool {
	out := make(map[string]bool, len(m))
	for k := range m {
		out[k] = true
	}
	return out
}

// series finds the series by which a cell is judged and says what is wrong with it. A
// kernel that is not the one asked for would be judged by the wrong ledger entries.
func series(c *cell.Cell, k *record.Kernel) (knowledge.Series, string) {
	booted, berr := knowledge.Series{}, error(nil)
	if k != nil {
		booted, berr = knowledge.SeriesOf(k.Release)
	}
	if c.Series == "" && k != nil {
		if berr != nil {
			return knowledge.Series{}, "its kernel has no known series: " + berr.Error()
		}
		return booted, ""
	}
	want, err := knowledge.ParseSeries(c.Series)
	switch {
	case err != nil:
		return knowledge.Series{}, "its kernel has no known series: " + err.Error()
	case k == nil:
		return want, ""
	case berr != nil || booted != want:
		return want, fmt.Sprintf("a kernel of series %s was wanted and %s ran", want, k.Release)
	}
	return want, ""
}

// foreign says what is wrong with the kernel of a cell of an implementation that is not Linux.
func foreign(i *knowledge.Implementation, k *record.Kernel) string {
	if k != nil && !strings.Contains(k.Release, i.Release) {
		return fmt.Sprintf("the kernel of %s was wanted and %s ran", i.Title, k.Release)
	}
	return ""
}

// otherPrograms says that the guest's programs were of another ABI than the cell says: 32-bit
// programs are what a cell of i386 on a kernel of amd64 is about.
func otherPrograms(c *cell.Cell, k *record.Kernel) string {
	if k == nil || k.ABI == "" || c.ABI == "" {
		return ""
	}
	if ran := cell.DebianABI(k.ABI); ran != c.ABI {
		return fmt.Sprintf("programs of %s were wanted and those of %s ran", c.ABI, ran)
	}
	return ""
}

func judgeWarning(base *knowledge.Base, s knowledge.Series, arch string, w *record.Record) Warning {
	out := Warning{Level: w.Level, Text: w.Why}
	for i := range base.Warnings {
		if base.Warnings[i].Covers(w.Why, s, arch) {
			out.Known = &base.Warnings[i]
			break
		}
	}
	return out
}

func judgeBehaviour(base *knowledge.Base, ed *knowledge.Edition, s knowledge.Series, c *cell.Cell, id string, p report, wrongKernel string) *Result {
	out := &Result{Behaviour: id}
	give := func(v Verdict, wrong ...string) *Result {
		out.Verdict, out.Wrong = v, wrong
		return out
	}
	b, known := base.Behaviour(id)
	r := p.observed[id]
	if r != nil && r.Status == record.Observed {
		out.Outcome, out.Facts = r.Outcome, r.Facts
	}
	switch {
	case !known && r != nil:
		return give(Unexpected, "unknown behaviour")
	case known && !b.In(c.Scenario):
		return give(Unexpected, fmt.Sprintf("planned or reported in the scenario %s, to which it does not belong", c.ScenarioName()))
	case r == nil && p.plan[id]:
		return give(Missing, "planned and not reported")
	case r == nil:
		return give(Missing, "neither planned nor reported")
	case p.clash[id]:
		return give(Broken, "reported twice with different results")
	case r.Status == record.Broken:
		return give(Broken, orUnsaid(r.Why))
	case r.Status == record.Unsupported && r.Beyond != "" && !p.borrowed:
		return give(Unexpected, fmt.Sprintf("reported as beyond a machine that is not its own (%s), and this one was", orUnsaid(r.Why)))
	case r.Status == record.Unsupported && r.Beyond == "" && b.Needs == "":
		return give(Unexpected, fmt.Sprintf("reported as unsupported (%s), and it is not known to need anything", orUnsaid(r.Why)))
	case r.Status == record.Unsupported:
		return give(Unsupported, orUnsaid(r.Why))
	case r.Status != record.Observed:
		return give(Broken, fmt.Sprintf("reported with the unknown status %q", r.Status))
	case r.Outcome == "":
		return give(Broken, "reported as observed without an outcome")
	case wrongKernel != "":
		return give(Broken, wrongKernel)
	}
	if why := base.Unjudged(id); why != "" {
		out.Outcome, out.Facts = "", nil
		return give(Unsupported, why)
	}
	out.Entry = base.Entry(id, s, c.Arch)
	e := expect(base, b, out.Entry, r.Outcome)
	if id == faults.Behaviour {
		e.order(base, s, p.kernel, r)
	}
	out.Expected = e.words()
	if wrong := e.compare(b, r, out); len(wrong) > 0 {
		return give(Unexpected, wrong...)
	}
	claims := base.Demands(id, ed.ID)
	for _, d := range claims {
		if !d.Demand.Met(r.Outcome, r.Facts) {
			out.Violated = append(out.Violated, d)
		}
	}
	switch {
	case len(claims) == 0:
		return give(Silent)
	case len(out.Violated) > 0:
		return give(Deviation)
	}
	return give(Conforms)
}

func orUnsaid(why string) string {
	if why == "" {
		return "no reason given"
	}
	return why
}

// universal marks the rules that hold for every observation.
const universal = "asked of every observation"

// rule is one thing demanded of an observation, and who demands it.
type rule struct {
	want knowledge.Set
	by   string
}

// expectation is all that is demanded of one observation.
type expectation struct {
	outcome []rule
	facts   map[string][]rule
	entry   *knowledge.Entry
	page    []knowledge.Demanded // claims of the current edition
	rows    map[string]string    // the facts that say who wins over a fault; see order
}

// expect gathers what is expected where a behaviour came out as outcome. The ledger's entry
// overrides the claims of the current edition in what it names: the outcome and some facts.
// The facts of a claim go with its outcomes, so they count only where the outcome is one of
// those; where it is not, either the outcome is wrong already or the ledger allows it.
func expect(base *knowledge.Base, b *knowledge.Behaviour, entry *knowledge.Entry, outcome string) *expectation {
	e := &expectation{facts: map[string][]rule{}, entry: entry, page: base.Demands(b.ID, base.Current().ID)}
	if entry != nil {
		by := "the ledger " + base.Holder(entry)
		e.outcome = []rule{{entry.Outcome, by}}
		for f, want := range entry.Facts {
			e.facts[f] = []rule{{want, by}}
		}
	}
	for _, d := range e.page {
		by := "claim " + d.Claim.ID
		if entry == nil {
			e.outcome = append(e.outcome, rule{d.Demand.Outcome, by})
		}
		if !d.Demand.Outcome.Has(outcome) {
			continue
		}
		for f, want := range d.Demand.Facts {
			if entry == nil || entry.Facts[f] == nil {
				e.facts[f] = append(e.facts[f], rule{want, by})
			}
		}
	}
	effect := knowledge.NoChange
	if outcome == record.OK {
		effect = knowledge.Pivoted
	}
	for fact, want := range map[string]string{
		knowledge.FactControl: record.OK, knowledge.FactAfterControl: knowledge.Pivoted, knowledge.FactEffect: effect,
	} {
		if e.facts[fact] == nil {
			e.facts[fact] = []rule{{knowledge.Set{want}, universal}}
		}
	}
	return e
}

// words says what is expected, leaving out what is expected of every observation, and rows: what is
// wrong with one says what was expected of it.
func (e *expectation) words() string {
	var parts []string
	for _, r := range e.outcome {
		parts = append(parts, fmt.Sprintf("%s by %s", r.want, r.by))
	}
	for _, f := range slices.Sorted(maps.Keys(e.facts)) {
		for _, r := range e.facts[f] {
			if r.by != universal && !e.isRow(f) {
				parts = append(parts, fmt.Sprintf("%s=%s by %s", f, r.want, r.by))
			}
		}
	}
	return strings.Join(parts, ", ")
}

// compare says what of an observation is not as expected, and notes in out which parts of it those are. Every
// fact that was reported is either compared or declared to be informational: none passes unseen.
func (e *expectation) compare(b *knowledge.Behaviour, r *record.Record, out *Result) []string {
	if len(e.outcome) == 0 {
		wrong := []string{"nothing is known about it on this kernel: neither a claim of the current edition nor the ledger"}
		for _, f := range slices.Sorted(maps.Keys(e.facts)) { // but for what is asked of every observation
			for _, rule := range e.facts[f] {
				if got, reported := r.Facts[f]; reported && !rule.want.Has(got) && rule.by == universal {
					wrong, out.OddFacts = append(wrong, fmt.Sprintf("%s is %s, not %s (%s)", f, got, rule.want, rule.by)), append(out.OddFacts, f)
				}
			}
		}
		return wrong
	}
	var wrong []string
	for _, o := range e.outcome {
		if !o.want.Has(r.Outcome) {
			wrong = append(wrong, fmt.Sprintf("outcome is %s, not %s (%s)", r.Outcome, o.want, o.by))
		}
	}
	rightOutcome := len(wrong) == 0 // facts of a wrong outcome would only be noise
	out.OddOutcome = !rightOutcome
	odd := func(fact, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf(format, args...))
		out.OddFacts = append(out.OddFacts, fact)
	}
	if _, controlled := r.Facts[knowledge.FactControl]; rightOutcome && !controlled && r.Outcome != record.OK && b.NoControl == "" && (e.entry == nil || e.entry.NoControl == "") {
		odd(knowledge.FactControl, "fact control is not reported: without the positive control the errno may be the set-up's fault")
	}
	unreported := 0
	for _, f := range keysOf(e.facts, r.Facts) {
		got, reported := r.Facts[f]
		rules := e.facts[f]
		_, declared := b.Facts[f]
		switch {
		case !declared && !knowledge.Universal(f) && !e.isRow(f):
			odd(f, "fact %s=%s is not known", f, got)
		case b.IsInfo(f):
		case !reported && (!rightOutcome || optional(f, rules, b)):
		case !reported && e.isRow(f):
			unreported++
			out.OddFacts = append(out.OddFacts, f)
		case !reported:
			odd(f, "fact %s is not reported, want %s (%s)", f, rules[0].want, rules[0].by)
		case len(rules) == 0 && rightOutcome:
			odd(f, "fact %s=%s goes with the outcome %s and nothing says what it should be", f, got, r.Outcome)
		}
		for _, rule := range rules {
			if reported && !rule.want.Has(got) && e.isRow(f) {
				odd(f, "%s", rowWrong(f, got, rule.want[0], rule.by))
			} else if reported && !rule.want.Has(got) {
				odd(f, "%s is %s, not %s (%s)", f, got, rule.want, rule.by)
			}
		}
	}
	if unreported > 0 {
		wrong = append(wrong, fmt.Sprintf("of %d faults nothing is reported", unreported))
	}
	if e.entry != nil && !(&knowledge.Demand{Outcome: e.entry.Outcome, Facts: e.entry.Facts}).Met(r.Outcome, r.Facts) && len(e.page) > 0 &&
		!slices.ContainsFunc(e.page, func(d knowledge.Demanded) bool { return !d.Demand.Met(r.Outcome, r.Facts) }) {
		wrong = append(wrong, "it is what the page says: the kernel stopped deviating, or the ledger is wrong")
	}
	slices.Sort(out.OddFacts) // several rules may speak of one
	out.OddFacts = slices.Compact(out.OddFacts)
	return wrong
}

// optional reports whether an observation may lack a fact: one that only the rules for
// every observation ask for, except for the effect of a call that has one.
func optional(fact string, rules []rule, b *knowledge.Behaviour) bool {
	if len(rules) != 1 || rules[0].by != universal {
		return false
	}
	return fact != knowledge.FactEffect || b.NoEffect
}

func keysOf(rules map[string][]rule, facts map[string]string) []string {
	var out []string
	for f := range rules {
		out = append(out, f)
	}
	for f := range facts {
		if rules[f] == nil {
			out = append(out, f)
		}
	}
	sort.Strings(out)
	return out
}
