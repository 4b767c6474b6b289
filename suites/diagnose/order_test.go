package diagnose_test

import (
	"testing"

	"pivotspec/suites/diagnose"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
)

// TestOrder: of every two faults the one wins that the kernel's order says, on each range of kernels.
func TestOrder(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	// The places of put_old that no other fault may be set before.
	first := map[string]bool{"old-unmounted": true, "old-detached": true, "old-foreign": true}
	spoil := diagnose.Spoil()
	n := 0
	for _, o := range base.Orders {
		series := o.From
		if series.IsZero() {
			series = o.To
		}
		winners := o.Winners(func(*faults.Fault) bool { return true })
		for key, errno := range winners {
			f := diagnose.Good()
			f.Release = series.String() + ".0"
			if series.Major >= 7 {
				f.LookupsFirst = diagnose.Yes
			}
			a, b := key[0], key[1]
			if first[b] {
				a, b = b, a
			}
			spoil[a](f)
			if b != "" {
				spoil[b](f)
			}
			if old := &f.Old.Mount; old.Gone == diagnose.Yes && series.Compare(knowledge.Series{Major: 6, Minor: 12}) < 0 {
				old.Gone = diagnose.Unknown
			}
			// The paths of a pair differ in what is wrong with them, not in their errno.
			for _, arg := range []*diagnose.Arg{&f.New, &f.Old} {
				if arg.Errno != "" {
					arg.Errno = winners[[2]string{prefix(f, arg) + arg.Problem, ""}]
				}
			}
			if d := diagnose.Diagnose(f); d.Errno != errno {
				t.Errorf("%s: %v: %s (%+v), want %s", o.Range(), key, d.Outcome(), d.Causes, errno)
			}
			n++
		}
	}
	if n < 2000 {
		t.Errorf("only %d pairs", n)
	}
}

func prefix(f *diagnose.Facts, arg *diagnose.Arg) string {
	if arg == &f.New {
		return "new-"
	}
	return "old-"
}
