package spec_test

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/suites/spec"
)

// ids returns the IDs of specs, in their order.
func ids(specs []spec.Spec) []string {
	var out []string
	for _, s := range specs {
		out = append(out, s.ID)
	}
	return out
}

func TestAsk(t *testing.T) {
	// In the order of the guest, which is not that of the list.
	specs := []spec.Spec{{ID: "b/b"}, {ID: "a/a"}, {ID: "b/a"}, {ID: "a/c"}, {ID: "a/b"}}
	for _, tt := range []struct {
		asked, places, want string
	}{
		{"a/a", "0", "a/a"},
		{"b/b a/a", "0,4", "b/b a/a"},
		{"a/c a/b", "1-2", "a/c a/b"},
		{"a/a a/b a/c b/b", "0-2,4", "b/b a/a a/c a/b"},
		{"a/a a/b a/c b/a b/b", "0-4", "b/b a/a b/a a/c a/b"},
		{"a/a a/a", "0", "a/a"},
	} {
		text, err := spec.Ask(ids(specs), strings.Fields(tt.asked))
		if _, places, _ := strings.Cut(text, ":"); err != nil || places != tt.places {
			t.Errorf("%s: got %q, %v, want the places %s", tt.asked, text, err, tt.places)
		}
		got, err := spec.Asked(specs, text)
		if err != nil || strings.Join(ids(got), " ") != tt.want {
			t.Errorf("%s: got %v, %v, want %s", text, ids(got), err, tt.want)
		}
	}
	if _, err := spec.Ask(ids(specs), []string{"a/a", "c/c"}); err == nil || !strings.Contains(err.Error(), "no c/c among the 5") {
		t.Errorf("an ID that there is not: %v", err)
	}
	if got, err := spec.Asked(specs, ""); err != nil || len(got) != len(specs) {
		t.Errorf("nothing in particular: %d specs, %v", len(got), err)
	}
}

// TestAskedRefuses: what is not of this guest, or not whole, runs nothing.
func TestAskedRefuses(t *testing.T) {
	specs := []spec.Spec{{ID: "a/a"}, {ID: "a/b"}, {ID: "a/c"}}
	text, err := spec.Ask(ids(specs), []string{"a/b"})
	if err != nil {
		t.Fatal(err)
	}
	list, _, _ := strings.Cut(text, ":")
	for _, tt := range []struct{ text, says string }{
		{"00000000:1", "another guest"}, {list, "a colon"}, {list + ":", "no place"}, {list + ":3", "no place"},
		{list + ":-1", "no place"}, {list + ":2-1", "no place"}, {list + ":0,", "no place"}, {list + ":0-", "no place"}, {list + ":x", "no place"},
	} {
		if got, err := spec.Asked(specs, tt.text); err == nil || !strings.Contains(err.Error(), tt.says) || got != nil {
			t.Errorf("%s: got %v, %v, want an error with %q", tt.text, ids(got), err, tt.says)
		}
	}
	if got, err := spec.Asked(append(specs, spec.Spec{ID: "a/d"}), text); err == nil || !strings.Contains(err.Error(), "another guest") {
		t.Errorf("a guest with a behaviour more: got %v, %v", ids(got), err)
	}
}

// FuzzAsked: whatever text asks for is some of the specs in their order, and can be asked for again.
func FuzzAsked(f *testing.F) {
	specs := []spec.Spec{{ID: "b/b"}, {ID: "a/a"}, {ID: "b/a"}, {ID: "a/c"}, {ID: "a/b"}}
	text, err := spec.Ask(ids(specs), []string{"a/a", "b/a", "b/b"})
	if err != nil {
		f.Fatal(err)
	}
	list, _, _ := strings.Cut(text, ":")
	for _, s := range []string{text, "", list + ":0-4", list + ":4,0,0-1", list + ":5", ":", list + ":99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := spec.Asked(specs, text)
		if err != nil {
			if len(got) > 0 || strings.Contains(text, "\n") == false && strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v, %v", text, ids(got), err)
			}
			return
		}
		again, err := spec.Ask(ids(specs), ids(got))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := spec.Asked(specs, again); err != nil || !slices.Equal(ids(back), ids(got)) {
			t.Errorf("%q: %v became %q: %v, %v", text, ids(got), again, ids(back), err)
		}
	})
}
