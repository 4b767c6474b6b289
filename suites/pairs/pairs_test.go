package pairs_test

import (
	"os"
	"testing"

	"pivotspec/suites/faults"
	"pivotspec/suites/pairs"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// TestEveryPair: whatever kernel runs the test, every pair is made whose faults there are, and every fault
// fails alone. What they give is for booted kernels to say.
func TestEveryPair(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a world needs root: a mount namespace of its own, mounts, chroot")
	}
	env, err := sandbox.Open(sandbox.Honest{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if r := env.Run("probe/probe", func(w *sandbox.World) { w.JailWithout(); w.Unsupported("") }); r.Status == record.Broken {
		t.Skipf("no world can be made here, as root: %s", r.Why)
	}
	for _, s := range pairs.Specs() {
		r := env.Run(s.ID, s.Body)
		if r.Status != record.Observed || r.Outcome == record.OK || r.Facts["control"] != record.OK || r.Facts["effect"] != sandbox.None {
			t.Fatalf("%s: %s %s %v", r.Status, r.Why, r.Outcome, r.Facts)
		}
		w := faults.Winners{}
		for _, f := range faults.Table() {
			if err := faults.ParseRow(w, f.ID, r.Facts[f.ID]); err != nil {
				t.Error(err)
			}
		}
		there := func(f *faults.Fault) bool {
			errno := w[[2]string{f.ID, ""}]
			if errno == record.OK || errno == faults.Absent && f.Needs == "" {
				t.Errorf("%s alone gives %s", f.ID, errno)
			}
			return errno != faults.Absent
		}
		n := 0
		for _, p := range faults.Pairs(faults.Table()) {
			_, made := w[[2]string{p.A.ID, p.B.ID}]
			if due := !p.Excluded && there(p.A) && there(p.B); made != due {
				t.Errorf("%s and %s: made %v, due %v", p.A.ID, p.B.ID, made, due)
			}
			if made {
				n++
			}
		}
		t.Logf("%d pairs in %d us", n, r.Micros)
	}
}
