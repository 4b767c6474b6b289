package spec

import (
	"slices"

	"pivotspec/suites/record"
)

// Plain is the name of the scenario in which every spec runs that names none: the kernel's
// initramfs as it comes.
const Plain = record.Plain

// ScenarioVariable is the environment variable that tells a guest its scenario; without it, that
// is [Plain]. The kernel passes arguments of its own command line that it does not know to init as
// variables.
const ScenarioVariable = "pivotspec_scenario"

// In reports whether the spec runs in a scenario; "" is [Plain].
func (s *Spec) In(scenario string) bool {
	if scenario == "" {
		scenario = Plain
	}
	if len(s.Scenarios) == 0 {
		return scenario == Plain
	}
	return slices.Contains(s.Scenarios, scenario)
}

// Of returns the specs that run in a scenario, in their order.
func Of(specs []Spec, scenario string) []Spec {
	var out []Spec
	for i := range specs {
		if specs[i].In(scenario) {
			out = append(out, specs[i])
		}
	}
	return out
}

// Also returns the specs with further scenarios for each.
func Also(specs []Spec, scenarios ...string) []Spec {
	out := slices.Clone(specs)
	for i := range out {
		own := out[i].Scenarios
		if len(own) == 0 {
			own = []string{Plain}
		}
		out[i].Scenarios = slices.Concat(own, scenarios)
	}
	return out
}
