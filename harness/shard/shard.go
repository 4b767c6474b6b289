// Package shard shares the cells of one run among machines. Which part of the whole a machine has is
// said outright, or by the variables that a CI system gives to each of the jobs that it makes of one.
package shard

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pivotspec/results/cell"
)

// Shard is the part Index, from 1, of Of parts.
type Shard struct{ Index, Of int }

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Auto asks for what the environment says.
const Auto = "auto"

// most bounds how many shards there can be: more is a slip of the pen.
const most = 100_000

// Variable and Count are the project's own variables: the first holds a shard as the command line
// has it, the second the number of shards where a system gives the index alone.
const (
	Variable = "PIVOTSPEC_SHARD"
	Count    = "PIVOTSPEC_SHARDS"
)

// system is where a CI system says which of its parallel jobs one is.
type system struct {
	name         string
	index, count string // variables
	first        int    // the index of the first job
}

// systems are those that are known.
func systems() []system {
	return []system{
		{"a Kubernetes indexed Job", "JOB_COMPLETION_INDEX", Count, 0},
		{"GitLab's parallel jobs", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1},
		{"CircleCI's parallelism", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0},
		{"Buildkite's parallel steps", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0},
	}
}

// Parse reads what a user says: I/N, or [Auto], for which getenv is asked.
func Parse(text string, getenv func(string) string) (Shard, error) {
	if text == Auto {
		return fromEnv(getenv)
	}
	i, n, ok := strings.Cut(text, "/")
	s := Shard{number(i), number(n)}
	if !ok || s.Index < 1 || s.Of < 1 || s.Of > most {
		return Shard{}, fmt.Errorf("%q is no shard: want I/N, the part I of N, such as 1/4, or %s", text, Auto)
	}
	if s.Index > s.Of {
		return Shard{}, fmt.Errorf("shard %s: there is no part %d of %d; the first is 1/%[3]d, the last %[3]d/%[3]d", text, s.Index, s.Of)
	}
	return s, nil
}

// number returns the number that text is in plain digits, -1 if it is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(n) != text {
		return -1
	}
	return n
}

// fromEnv finds the one system whose variables are set.
func fromEnv(getenv func(string) string) (Shard, error) {
	var found []string
	var shards []Shard
	if v := getenv(Variable); v == Auto {
		return Shard{}, fmt.Errorf("%s=%s asks for itself: give it I/N, or unset it", Variable, v)
	} else if v != "" {
		s, err := Parse(v, getenv)
		if err != nil {
			return Shard{}, fmt.Errorf("%s: %w", Variable, err)
		}
		found, shards = append(found, Variable+"="+v), append(shards, s)
	}
	for _, y := range systems() {
		index, count := getenv(y.index), getenv(y.count)
		if index == "" {
			continue
		}
		if count == "" {
			return Shard{}, fmt.Errorf("%s=%s says which job this is, but not of how many: set %s to their number", y.index, index, y.count)
		}
		s := Shard{number(index) + 1 - y.first, number(count)}
		if number(index) < y.first || s.Of < 1 || s.Of > most || s.Index > s.Of {
			return Shard{}, fmt.Errorf("%s=%s and %s=%s: %s counts from %d, and there is no such job of so many; mend them, or give the shard as I/N",
				y.index, index, y.count, count, y.name, y.first)
		}
		found, shards = append(found, fmt.Sprintf("%s=%s of %s=%s", y.index, index, y.count, count)), append(shards, s)
	}
	switch distinct := slices.Compact(slices.Clone(shards)); {
	case len(shards) == 0:
		var names []string
		for _, y := range systems() {
			names = append(names, y.index+" and "+y.count)
		}
		return Shard{}, fmt.Errorf("the environment does not say which shard this is: there is no %s, and none of %s; set one, or give the shard as I/N", Variable, strings.Join(names, ", "))
	case len(distinct) > 1:
		return Shard{}, fmt.Errorf("the environment says two things: %s; unset one, or give the shard as I/N", strings.Join(found, ", and "))
	}
	return shards[0], nil
}

// Deal returns the indices of the cells that are the shard's own, in order. What all shards have
// together is every cell, once. It depends on nothing but the list.
//
// Cells of one line cost about the same, those of two may not: architectures differ in what it takes
// to emulate them, and ways to boot in how much there is to boot. So they are dealt out like cards,
// line by line.
func (s Shard) Deal(cells []cell.PlannedCell) []int {
	order := make([]int, len(cells))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := cells[a], cells[b]
		return cmp.Or(cmp.Compare(x.Backend, y.Backend), cmp.Compare(x.Arch, y.Arch), cmp.Compare(x.ABI, y.ABI),
			cmp.Compare(x.Flavour, y.Flavour), cmp.Compare(x.Scenario, y.Scenario))
	})
	own := []int{}
	for n, i := range order {
		if n%s.Of == s.Index-1 {
			own = append(own, i)
		}
	}
	slices.Sort(own)
	return own
}
