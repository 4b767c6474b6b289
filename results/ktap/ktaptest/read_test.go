package ktaptest_test

import (
	"reflect"
	"strings"
	"testing"

	"pivotspec/results/ktap/ktaptest"
)

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		err        string // part; "" for none
	}{
		{"two digits", "KTAP version 1\n1..10\nok 1 a", "end after 1 of 10"},
		{"flat", "KTAP version 1\n1..2\nok 1 a\nnot ok 2 b # ERROR no", ""},
		{"nested", "KTAP version 1\n1..2\n  KTAP version 1\n  1..2\n  ok 1 a\n  ok 2 b # SKIP no luck\nok 1 x\nok 2 y", ""},
		{"unknown lines", "Booting\nKTAP version 1\n[ 0.1] x\n1..1\n   hm\n# note\nok 1 a\nreboot: Power down", ""},
		{"nothing", "hello", "no version line"},
		{"no plan", "KTAP version 1\nok 1 a", "before the plan"},
		{"plan late", "KTAP version 1\n1..1\n1..1", "does not follow"},
		{"too few", "KTAP version 1\n1..2\nok 1 a", "end after 1 of 2"},
		{"too many", "KTAP version 1\n1..1\nok 1 a\nok 2 b", "depth 0, where 0"},
		{"wrong number", "KTAP version 1\n1..2\nok 2 a", "want number 1"},
		{"too few subtests", "KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a\nok 1 x", "its 2 subtests are 1"},
		{"no indentation", "KTAP version 1\n1..1\nKTAP version 1\n1..1\nok 1 a", "version line at depth 0"},
		{"odd indentation", "KTAP version 1\n1..1\n ok 1 a", "two spaces"},
		{"parent ok", "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 a\nok 1 x", "although its subtest a is not"},
		{"ok with an error", "KTAP version 1\n1..1\nok 1 a # ERROR x", "ok with the directive"},
		{"hash in the name", "KTAP version 1\n1..1\nok 1 a#b", "no result line"},
		{"twice", "KTAP version 1\n1..1\nok 1 a\nKTAP version 1\n1..1\nok 1 a", "behind the last"},
	} {
		_, err := ktaptest.Read(strings.Split(tt.text, "\n"))
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.err)
		}
	}
	got, err := ktaptest.Read(strings.Split("KTAP version 1\n# kernel\n1..2\n  KTAP version 1\n  1..2\n  # why\n  ok 1 a\n  ok 2 b # SKIP no luck\nok 1 x\nnot ok 2 y z # rc=1", "\n"))
	want := []ktaptest.Test{
		{Name: "x", OK: true, Notes: []string{"kernel"}, Tests: []ktaptest.Test{
			{Name: "a", OK: true, Notes: []string{"why"}}, {Name: "b", OK: true, Directive: "SKIP", Data: "no luck"},
		}},
		{Name: "y z", Data: "rc=1"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

// FuzzRead: whatever the text, the reader comes to an end, and says what it is.
func FuzzRead(f *testing.F) {
	f.Add("KTAP version 1\n1..2\n  KTAP version 1\n  1..1\n  ok 1 a\nok 1 x\nok 2 y # SKIP z")
	f.Add("KTAP version 1\n1..1\n    ok 1 a")
	f.Fuzz(func(t *testing.T, text string) {
		tests, err := ktaptest.Read(strings.Split(text, "\n"))
		if (err == nil) != (tests != nil) {
			t.Errorf("got %v and %v", tests, err)
		}
	})
}
