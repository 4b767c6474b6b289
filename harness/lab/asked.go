package lab

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/harness/arch"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/knowledge/choose"
	"pivotspec/suites/spec"
)

// asked is what of the suite a wish asks for.
type asked struct {
	base *knowledge.Base
	// words are what the user named.
	words []string
	// ids are the behaviours, in the order of the base; none is all.
	ids []string
}

// ask finds out which behaviours the wish names.
func ask(w Wish) (asked, error) {
	if len(w.Behaviours) == 0 {
		return asked{}, nil
	}
	base, err := knowledge.LoadToJudge()
	if err != nil {
		return asked{}, err
	}
	ids, err := choose.Behaviours(base, w.Behaviours)
	return asked{base, w.Behaviours, ids}, err
}

// In returns the scenario in which a behaviour is asked for where none is named: the plain one if it belongs there, else
// the first of its own.
func In(b *knowledge.Behaviour) string {
	if b.In(spec.Plain) {
		return spec.Plain
	}
	return b.Scenario[0]
}

// scenarios returns the names of the scenarios that the wish means, of which named are those that it names.
func (a *asked) scenarios(named []string) []string {
	if len(named) > 0 {
		return named
	}
	var out []string
	for _, id := range a.ids {
		b, _ := a.base.Behaviour(id)
		if s := In(b); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// check says what of the behaviours cannot be observed in any of the scenarios, and which scenario that was named has none
// of them. Of an area it leaves what belongs to them, and where every scenario is meant those that have some.
func (a *asked) check(scenarios []images.Scenario, named []string) ([]images.Scenario, error) {
	if len(a.ids) == 0 {
		return scenarios, nil
	}
	away := func(id string) bool {
		b, _ := a.base.Behaviour(id)
		return !slices.ContainsFunc(scenarios, func(s images.Scenario) bool { return b.In(s.Name) })
	}
	a.ids = slices.DeleteFunc(a.ids, away)
	for _, w := range a.words {
		b, single := a.base.Behaviour(w)
		if single && away(w) {
			return nil, fmt.Errorf("%s belongs to %s, and not to %s: name its own with --scenario, or leave that out", w, scenarioWords(scenariosOf(b)), scenarioWords(named))
		}
		if !single && !slices.ContainsFunc(a.ids, func(id string) bool { return strings.HasPrefix(id, w) }) {
			return nil, fmt.Errorf("of the area %s nothing belongs to %s: name another with --scenario, or leave that out", w, scenarioWords(named))
		}
	}
	var out []images.Scenario
	for _, s := range scenarios {
		switch ids := a.in(s.Name); {
		case len(ids) > 0:
			out = append(out, s)
		case !slices.Contains(named, AllArchs):
			return nil, fmt.Errorf("of the behaviours that are asked for none belongs to the scenario %s: leave that out", s.Name)
		}
	}
	return out, nil
}

// scenariosOf returns the scenarios of a behaviour.
func scenariosOf(b *knowledge.Behaviour) []string {
	if len(b.Scenario) == 0 {
		return []string{spec.Plain}
	}
	return b.Scenario
}

// scenarioWords names scenarios.
func scenarioWords(names []string) string {
	if len(names) == 1 {
		return "the scenario " + names[0]
	}
	return "the scenarios " + strings.Join(names, ", ")
}

// unbooted says which behaviours cannot be observed where nothing is booted, which is as good as the plain scenario: one that
// is named, unless there are others that are booted, or all of them.
func (a *asked) unbooted(name string, others bool) error {
	if len(a.ids) == 0 {
		return nil
	}
	away := ""
	for _, w := range a.words {
		if b, single := a.base.Behaviour(w); single && !b.In(spec.Plain) && away == "" && !others {
			away = w
		}
	}
	if away == "" && len(a.in(spec.Plain)) == 0 {
		away = a.ids[0]
	}
	if away == "" {
		return nil
	}
	b, _ := a.base.Behaviour(away)
	return fmt.Errorf("%s belongs to %s, which is a way to boot, and %s is not booted: name a kernel that is, or leave the behaviour out",
		away, scenarioWords(scenariosOf(b)), name)
}

// in returns the IDs of the behaviours that are asked for in a scenario, sorted.
func (a *asked) in(scenario string) []string {
	var out []string
	for _, id := range a.ids {
		if b, _ := a.base.Behaviour(id); b.In(scenario) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// part returns the same, nil if they are all of the scenario.
func (a *asked) part(scenario string) []string {
	ids := a.in(scenario)
	if len(ids) == len(a.all(scenario)) {
		return nil
	}
	return ids
}

// all returns the IDs of all behaviours of a scenario.
func (a *asked) all(scenario string) []string {
	if a.base == nil {
		return nil
	}
	var out []string
	for i := range a.base.Behaviours {
		if b := &a.base.Behaviours[i]; b.In(scenario) {
			out = append(out, b.ID)
		}
	}
	return out
}

// environment returns the environment by which a guest knows what it is asked for.
func (a *asked) environment(scenario string) ([]string, error) {
	ids := a.part(scenario)
	if len(ids) == 0 {
		return nil, nil
	}
	text, err := spec.Ask(a.all(scenario), ids)
	if err != nil {
		return nil, err
	}
	return []string{spec.AskedVariable + "=" + text}, nil
}

// fits says that a list of behaviours is too long for the kernels of an architecture of the catalogue that the plan names;
// of a kernel in a file the architecture is not known yet.
func (p *Plan) fits() error {
	if len(p.asked.ids) == 0 {
		return nil
	}
	slowest, err := p.lab.Table.Accel(slowest)
	if err != nil {
		return err
	}
	for _, e := range p.Entries() {
		a, err := p.lab.Table.Arch(e.Arch)
		if err != nil {
			continue // which is told of its cells
		}
		for i := range p.scenarios {
			s := &p.scenarios[i]
			env, err := p.asked.environment(s.Name)
			if err != nil {
				return err
			}
			cfg := vm.Config{Arch: a, Accel: slowest, Cmdline: slices.Concat(scenarioArgs(s), p.wish.evidence(), env)}
			if n := len(cfg.CommandLine()); n > a.CommandLine {
				return tooLong(a, len(p.asked.in(s.Name)), n-a.CommandLine)
			}
		}
	}
	return nil
}

// slowest is the accelerator with the longest arguments for the kernel.
const slowest = "tcg"

func tooLong(a *arch.Arch, behaviours, over int) error {
	return fmt.Errorf("the list of %d behaviours is too long for the command line of kernels of %s, by %d letters: ask for fewer, for whole areas, or for all",
		behaviours, a.Name, over)
}

// tell gives a job that has its image the list of the behaviours that it is asked for.
func (p *Plan) tell(j *matrix.Job) error {
	env, err := p.asked.environment(j.Scenario)
	if err != nil || len(env) == 0 {
		return err
	}
	j.VM.Cmdline = append(j.VM.Cmdline, env...)
	if n := len(j.VM.CommandLine()); n > j.VM.Arch.CommandLine {
		return tooLong(j.VM.Arch, len(j.Asked), n-j.VM.Arch.CommandLine)
	}
	return nil
}
