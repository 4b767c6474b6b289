package report

import (
	"strings"
	"testing"

	"pivotspec/results/verdict"
)

// TestCourse: t, f and u stand for true, false and undecided on the kernels from old to new.
func TestCourse(t *testing.T) {
	columns := []string{"5.10", "6.1", "6.12", "6.19", "7.0"}
	for _, tt := range []struct {
		truths string
		state  State
		want   string
	}{
		{"ttttt", AlwaysTrue, "true on all"},
		{"fffff", NeverTrue, "false from the start (5.10)"},
		{"tttff", Stale, "went stale in 6.19 (true up to 6.12)"},
		{"fffft", CameTrue, "came true in 7.0 (false up to 6.19)"},
		{"ftttf", Varies, "true on 6.1–6.19; false on 5.10, 7.0"},
		{"uuuuu", NotDecided, "undecided on 5.10–7.0"},
		{"tttut", NotDecided, "true on 5.10–6.12, 7.0; undecided on 6.19"},
		{"utttt", NotDecided, "true on 6.1–7.0; undecided on 5.10"},
		{"ffuff", NeverTrue, "false on 5.10, 6.1, 6.19, 7.0; undecided on 6.12"},
		{"uffff", NeverTrue, "false on 6.1–7.0; undecided on 5.10"},
		{"ttuff", Stale, "went stale in 6.19 or before (true up to 6.1); undecided on 6.12"},
		{"futtt", CameTrue, "came true in 6.12 or before (false up to 5.10); undecided on 6.1"},
		{"tffuu", Stale, "went stale in 6.1 (true up to 5.10); undecided on 6.19, 7.0"},
		{"tftfu", Varies, "true on 5.10, 6.12; false on 6.1, 6.19; undecided on 7.0"},
		{"t", AlwaysTrue, "true on all"},
		{"f", NeverTrue, "false on 5.10"},
	} {
		var s []verdict.Truth
		for _, r := range tt.truths {
			s = append(s, map[rune]verdict.Truth{'t': verdict.True, 'f': verdict.False, 'u': verdict.Undecided}[r])
		}
		state, got := course(columns[:len(s)], s, func(int) bool { return false })
		if state != tt.state || got != tt.want {
			t.Errorf("%s: got %s, %q, want %s, %q", tt.truths, state, got, tt.state, tt.want)
		}
	}
}

func TestOverall(t *testing.T) {
	for in, want := range map[string]State{
		"": NotDecided, "true true": AlwaysTrue, "true undecided": NotDecided, "false undecided": NeverTrue,
		"true false": Varies, "stale true": Varies, "stale stale": Stale, "stale undecided": Varies, "true false undecided": Varies,
	} {
		var states []State
		for _, s := range strings.Fields(in) {
			states = append(states, State(s))
		}
		if got := overall(states); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestCourseOverAGap: what changed where a line has no kernel changed somewhere there.
func TestCourseOverAGap(t *testing.T) {
	gap := func(i int) bool { return i == 2 } // between 6.1 and 7.2
	columns := []string{"5.10", "6.1", "7.2", "7.3"}
	for _, tt := range []struct{ truths, want string }{
		{"ttff", "went stale between 6.1 and 7.2 (true up to 6.1)"},
		{"ffft", "came true in 7.3 (false up to 7.2)"},
		{"tttu", "true on 5.10, 6.1, 7.2; undecided on 7.3"},
		{"tttt", "true on all"},
	} {
		var s []verdict.Truth
		for _, r := range tt.truths {
			s = append(s, map[rune]verdict.Truth{'t': verdict.True, 'f': verdict.False, 'u': verdict.Undecided}[r])
		}
		if _, got := course(columns, s, gap); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.truths, got, tt.want)
		}
	}
}
