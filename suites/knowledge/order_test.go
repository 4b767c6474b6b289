package knowledge_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
)

// TestOrderMistakes makes one mistake at a time in the real orders.
func TestOrderMistakes(t *testing.T) {
	text, err := os.ReadFile("orders.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"none", "", "", ""},
		{"no fault", "[new-loop]", "[new-lop]", `no fault "new-lop"`},
		{"left out", "new-missing, ", "", "leaves out the fault new-missing"},
		{"twice", "[new-loop]", "[new-loop, new-loop]", "new-loop is named twice"},
		{"no errno", "ELOOP: [new-loop]", "ELOP: [new-loop]", `"ELOP" is not an errno`},
		{"success", "ELOOP: [new-loop]", "OK: [new-loop]", `"OK" is not an errno`},
		{"undecided", "{ENOENT: [new-removed]}\n    - &busy {EBUSY: [new-on-root, old-on-root]}",
			"{ENOENT: [new-removed], EBUSY: [old-on-root]}\n    - &busy {EBUSY: [new-on-root]}", "one of them has to come first"},
		{"overlap", `from: "7.0"`, `from: "6.19"`, "overlaps with the order 6.12 to 6.19"},
		{"empty range", `from: "6.12"`, `from: "6.20"`, "the range is empty"},
		{"no reason", "reason: the capability is asked for after both look-ups", "commit: 0123456789ab", "needs a reason"},
		{"bad commit", "reason: the capability is asked for after", "commit: 012\n  reason: after", "not 12 to 40"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(string(text), tt.old) {
				t.Fatalf("orders.yaml does not contain %q", tt.old)
			}
			changed := strings.Replace(string(text), tt.old, tt.new, 1)
			m := good()
			m["orders.yaml"] = changed
			m["areas.yaml"] += "- {id: order, title: order}\n"
			m["behaviours.yaml"] += "- {id: " + faults.Behaviour + ", title: pairs, silent: nobody says}\n"
			_, err := knowledge.LoadFS(files(m))
			var mistakes knowledge.Mistakes
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (!errors.As(err, &mistakes) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want a mistake with %q", err, tt.want)
			}
		})
	}
	m := good()
	m["orders.yaml"] = string(text)
	if _, err := knowledge.LoadFS(files(m)); err == nil || !strings.Contains(err.Error(), "if and only if") {
		t.Errorf("orders without the behaviour: got %v", err)
	}
}

// TestWinners: who wins follows from the order, on examples.
func TestWinners(t *testing.T) {
	b, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ series, a, b, want string }{
		{"6.19", "no-cap", "new-missing", "EPERM"},
		{"7.0", "no-cap", "new-missing", "ENOENT"},
		{"7.0", "no-cap", "new-removed", "EPERM"},
		{"7.3", "new-missing", "old-loop", "ENOENT"},
		{"5.10", "new-locked", "root-no-parent", "EINVAL"},
		{"7.0", "new-locked", "root-no-parent", ""},
		{"7.0", "new-missing", "new-on-root", ""},
		{"6.1", "old-unmounted", "", "EINVAL"},
		{"6.12", "old-unmounted", "", "ENOENT"},
	} {
		s, err := knowledge.ParseSeries(tt.series)
		if err != nil {
			t.Fatal(err)
		}
		w := b.Order(s).Winners(func(*faults.Fault) bool { return true })
		if got := w[[2]string{tt.a, tt.b}]; got != tt.want {
			t.Errorf("%s: %s and %s: got %q, want %q", tt.series, tt.a, tt.b, got, tt.want)
		}
	}
}
