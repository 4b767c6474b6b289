// Package spec says what a spec is: an ID and the code that observes one behaviour.
package spec

import (
	"errors"
	"fmt"
	"strings"

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

// isID reports whether id is of the form [a-z][a-z0-9-]*/[a-z0-9]+(-[a-z0-9]+)*. It does without a
// regular expression because each guest checks all IDs, as init and as the suite, and each check
// took as long as a system call.
func isID(id string) bool {
	area, name, ok := strings.Cut(id, "/")
	if !ok || area == "" || area[0] < 'a' || area[0] > 'z' {
		return false
	}
	for i := range len(area) {
		if !isLetter(area[i]) && area[i] != '-' {
			return false
		}
	}
	dash := true // a name neither begins nor ends with one, and has no two in a row
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && (c != '-' || dash) {
			return false
		}
		dash = name[i] == '-'
	}
	return !dash
}

// isLetter reports whether c is one of the letters of words in IDs.
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// Join puts the lists of all areas together. It reports every mistake at once: an ID that
// is used twice or malformed, a spec without a body.
func Join(lists ...[]Spec) ([]Spec, error) {
	var all []Spec
	var errs []error
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			switch {
			case !isID(s.ID):
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
