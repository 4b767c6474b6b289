// Package spec says what a spec is: an ID and the code that observes one behaviour.
package spec

import (
	"errors"
	"fmt"
	"regexp"

	"pivotspec/suites/sandbox"
)

// Stage says in which surroundings a spec runs.
type Stage int

const (
	// Private specs run in a disposable thread with a mount namespace of its own.
	Private Stage = iota
	// Initial specs run as PID 1 in the initial mount namespace of a guest, after all
	// private ones, in the order in which they are listed. Each leaves the root where it
	// found it, but for the last of a scenario, after which nothing follows.
	Initial
)

// Spec observes one behaviour. What it means, what pages say of it and what kernels are known
// to do is data (package knowledge), found by the ID.
type Spec struct {
	// ID is the behaviour's permanent name: an area and, behind a slash, the condition
	// and outcome.
	ID string
	// Stage is where it runs; private unless it says otherwise.
	Stage Stage
	// Scenarios are the ways to boot in which it runs, by name; [Plain] alone if there are none.
	Scenarios []string
	// Body builds the world and calls Observe once.
	Body func(*sandbox.World)
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]*/[a-z0-9]+(-[a-z0-9]+)*$`)

// Join puts the lists of all areas together. It reports every mistake at once: an ID that
// is used twice or malformed, a spec without a body.
func Join(lists ...[]Spec) ([]Spec, error) {
	var all []Spec
	var errs []error
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			switch {
			case !idForm.MatchString(s.ID):
				errs = append(errs, fmt.Errorf("spec ID %q is not of the form area/condition", s.ID))
			case seen[s.ID]:
				errs = append(errs, fmt.Errorf("spec ID %q is used twice", s.ID))
			case s.Body == nil:
				errs = append(errs, fmt.Errorf("spec %q has no body", s.ID))
			}
			seen[s.ID] = true
			all = append(all, s)
		}
	}
	return all, errors.Join(errs...)
}
