package images

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml"

	"pivotspec/suites/spec"
)

//go:embed scenarios.yaml
var scenariosYAML []byte

// Scenario is a way to boot: a row of scenarios.yaml, which says what the fields mean.
type Scenario struct {
	Name string `yaml:"name"`
	Says string `yaml:"says"`
	// Cmdline holds kernel arguments.
	Cmdline []string `yaml:"cmdline"`
	// Initramfs is how the initramfs is compressed.
	Initramfs Compression `yaml:"initramfs"`
	// Modules are loaded in this order, behind those of every guest.
	Modules []string `yaml:"modules"`
	Disks   []Disk   `yaml:"disks"`
	// Programs is the set of real programs in the image, "" for none.
	Programs string `yaml:"programs"`
	// Dracut has the initramfs made by dracut out of the set, and the guest run in its shell.
	Dracut bool `yaml:"dracut"`
}

// Disk is a block device of a guest.
type Disk struct {
	// Content names what is on it, which is its serial number, too.
	Content string `yaml:"content"`
}

// Scenarios returns every scenario, the plain one first.
func Scenarios() ([]Scenario, error) { return parseScenarios(scenariosYAML) }

var scenarioName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func parseScenarios(b []byte) ([]Scenario, error) {
	var all []Scenario
	if err := yaml.UnmarshalWithOptions(b, &all, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("images: scenarios.yaml: %s", strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	var errs []error
	bad := func(s Scenario, format string, args ...any) {
		errs = append(errs, fmt.Errorf("images: scenarios.yaml: %s: %s", s.Name, fmt.Sprintf(format, args...)))
	}
	for i, s := range all {
		switch {
		case !scenarioName.MatchString(s.Name):
			bad(s, "%q is not the name of a scenario", s.Name)
		case slices.ContainsFunc(all[:i], func(o Scenario) bool { return o.Name == s.Name }):
			bad(s, "there is another one of that name")
		}
		if s.Says == "" {
			bad(s, "it needs to say what it is")
		}
		if !slices.Contains(compressions(), s.Initramfs) {
			bad(s, "the initramfs cannot be %q", s.Initramfs)
		}
		if s.Dracut && (s.Programs == "" || s.Initramfs.Config() != "" || len(s.Modules) > 0 || len(s.Disks) > 0) {
			bad(s, "dracut needs a set of programs, and its image has no modules, disks or compression of ours")
		}
		for _, m := range s.Modules {
			if !moduleName.MatchString(m) {
				bad(s, "%q is not the name of a module", m)
			}
		}
		for j, d := range s.Disks {
			if _, ok := diskMakers()[d.Content]; !ok {
				bad(s, "nothing makes a disk with the content %q", d.Content)
			}
			if slices.Contains(s.Disks[:j], d) {
				bad(s, "the disk %s is there twice", d.Content)
			}
		}
	}
	if len(all) == 0 || all[0].Name != spec.Plain {
		errs = append(errs, fmt.Errorf("images: scenarios.yaml: the first scenario has to be %s", spec.Plain))
	}
	return all, errors.Join(errs...)
}

// UnknownScenarioError says that there is no scenario of a name.
type UnknownScenarioError struct {
	Name string
	// Known are the names that there are, Near that of them which may be meant, or "".
	Known []string
	Near  string
}

func (e *UnknownScenarioError) Error() string {
	s := fmt.Sprintf("unknown scenario %q", e.Name)
	if e.Near != "" {
		return s + ": did you mean " + e.Near + "?"
	}
	return s + "; known: " + strings.Join(e.Known, ", ")
}

// Choose returns the scenarios of those names in the order in which they are listed, each once:
// the plain one for no name, every one for "all". Its error is an *[UnknownScenarioError].
func Choose(all []Scenario, names []string) ([]Scenario, error) {
	if len(names) == 0 {
		names = []string{spec.Plain}
	}
	for _, n := range names {
		if n != allScenarios && !slices.ContainsFunc(all, func(s Scenario) bool { return s.Name == n }) {
			e := &UnknownScenarioError{Name: n, Known: []string{allScenarios}}
			for _, s := range all {
				e.Known = append(e.Known, s.Name)
			}
			e.Near = near(n, e.Known)
			return nil, e
		}
	}
	var out []Scenario
	for _, s := range all {
		if slices.Contains(names, s.Name) || slices.Contains(names, allScenarios) {
			out = append(out, s)
		}
	}
	return out, nil
}

// allScenarios stands for every scenario.
const allScenarios = "all"

// near returns the first of the words that begins with word, or else the one that differs from it
// the least, in at most two letters; "" if there is none.
func near(word string, words []string) string {
	if word == "" {
		return ""
	}
	best, least := "", 3
	for _, w := range words {
		if strings.HasPrefix(w, word) {
			return w
		}
		if d := levenshtein.ComputeDistance(word, w); d < least {
			best, least = w, d
		}
	}
	return best
}
