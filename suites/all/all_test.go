package all_test

import (
	"strings"
	"testing"

	"pivotspec/suites/all"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/spec"
)

// TestSpecsAndBehaviours: each spec observes a behaviour of the data, and each behaviour of the
// data is observed by a spec.
func TestSpecsAndBehaviours(t *testing.T) {
	specs, err := all.Specs()
	if err != nil {
		t.Fatal(err)
	}
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	observed := map[string]bool{}
	for _, s := range specs {
		observed[s.ID] = true
		b, ok := base.Behaviour(s.ID)
		if !ok {
			t.Errorf("the spec %s observes a behaviour that behaviours.yaml does not have", s.ID)
			continue
		}
		for _, name := range append(base.Scenarios(), s.Scenarios...) {
			if s.In(name) != b.In(name) {
				t.Errorf("%s: in the scenario %s the spec runs: %v; the behaviour is observed there: %v", s.ID, name, s.In(name), b.In(name))
			}
		}
	}
	for _, b := range base.Behaviours {
		if !observed[b.ID] {
			t.Errorf("behaviours.yaml has %s, which no spec observes", b.ID)
		}
	}
}

// TestStages: PID 1 ends with the one spec behind which the initramfs is gone, and what is
// said of PID 1 takes place there.
func TestStages(t *testing.T) {
	specs, err := all.Specs()
	if err != nil {
		t.Fatal(err)
	}
	plain := spec.Of(specs, "")
	if last := plain[len(plain)-1]; last.ID != "rootfs/pid1-dot-dot" || last.Stage != spec.Initial {
		t.Errorf("the last spec is %s", last.ID)
	}
	for _, s := range specs {
		if strings.Contains(s.ID, "/pid1-") && s.Stage != spec.Initial {
			t.Errorf("%s is not run by PID 1", s.ID)
		}
	}
}
