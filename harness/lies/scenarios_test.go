package lies_test

import (
	"slices"
	"testing"

	"pivotspec/harness/matrix"
	"pivotspec/images"
)

// TestScenarioLies is [TestLies] in scenarios: those of one spec, for what a lie keeps the kernel
// from doing the next would miss.
func TestScenarioLies(t *testing.T) {
	all, err := images.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ series, scenario string }{
		{"7.3", "disk-pivot"}, // kernel threads stay, and the initramfs gives its memory back
		{"6.12", "erofs"},     // they follow
	} {
		if testing.Short() && tt.series != series()[0] {
			continue
		}
		t.Run(tt.scenario, func(t *testing.T) {
			b := newBench(t, tt.series)
			i := slices.IndexFunc(all, func(s images.Scenario) bool { return s.Name == tt.scenario })
			if i < 0 {
				t.Fatalf("there is no scenario %s", tt.scenario)
			}
			b.scenario = &all[i]
			j := b.run(t, []matrix.Job{b.job(t, "honest", tt.series, nil)})
			told(t, b, newHonest(t, tt.series, j[0]))
		})
	}
}
