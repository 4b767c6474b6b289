package spec_test

import (
	"strings"
	"testing"

	"pivotspec/suites/spec"
)

func TestScenarios(t *testing.T) {
	specs := append([]spec.Spec{{ID: "a/a"}, {ID: "a/b", Scenarios: []string{"disk"}}},
		spec.Also([]spec.Spec{{ID: "a/c"}, {ID: "a/d", Scenarios: []string{"disk"}}}, "ramfs")...)
	for scenario, want := range map[string]string{
		"": "a/a a/c", spec.Plain: "a/a a/c", "disk": "a/b a/d", "ramfs": "a/c a/d", "nowhere": "",
	} {
		var got []string
		for _, s := range spec.Of(specs, scenario) {
			got = append(got, s.ID)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q: got %q, want %q", scenario, text, want)
		}
	}
}
