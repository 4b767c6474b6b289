package shard

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, env string
		want      Shard
		err       string
	}{
		{"1/1", "", Shard{1, 1}, ""},
		{"3/12", "", Shard{3, 12}, ""},
		// Outright is outright, whatever the environment says.
		{"1/2", "PIVOTSPEC_SHARD=2/2 CI_NODE_INDEX=2 CI_NODE_TOTAL=2", Shard{1, 2}, ""},
		{"auto", "PIVOTSPEC_SHARD=2/3", Shard{2, 3}, ""},
		{"auto", "JOB_COMPLETION_INDEX=0 PIVOTSPEC_SHARDS=3", Shard{1, 3}, ""},
		{"auto", "JOB_COMPLETION_INDEX=2 PIVOTSPEC_SHARDS=3", Shard{3, 3}, ""},
		{"auto", "CI_NODE_INDEX=3 CI_NODE_TOTAL=3", Shard{3, 3}, ""},
		{"auto", "CIRCLE_NODE_INDEX=0 CIRCLE_NODE_TOTAL=2", Shard{1, 2}, ""},
		{"auto", "BUILDKITE_PARALLEL_JOB=1 BUILDKITE_PARALLEL_JOB_COUNT=2", Shard{2, 2}, ""},
		{"auto", "PIVOTSPEC_SHARD=2/2 CI_NODE_INDEX=2 CI_NODE_TOTAL=2", Shard{2, 2}, ""},
		{"auto", "", Shard{}, "does not say which shard this is"},
		// GitLab sets the total of a job that is not parallel, too.
		{"auto", "CI_NODE_TOTAL=1", Shard{}, "does not say which shard this is"},
		{"auto", "JOB_COMPLETION_INDEX=0", Shard{}, "not of how many: set PIVOTSPEC_SHARDS"},
		{"auto", "CI_NODE_INDEX=1", Shard{}, "not of how many: set CI_NODE_TOTAL"},
		{"auto", "JOB_COMPLETION_INDEX=3 PIVOTSPEC_SHARDS=3", Shard{}, "counts from 0"},
		{"auto", "JOB_COMPLETION_INDEX=-1 PIVOTSPEC_SHARDS=3", Shard{}, "counts from 0"},
		{"auto", "CI_NODE_INDEX=0 CI_NODE_TOTAL=3", Shard{}, "counts from 1"},
		{"auto", "CI_NODE_INDEX=x CI_NODE_TOTAL=3", Shard{}, "counts from 1"},
		{"auto", "JOB_COMPLETION_INDEX=x PIVOTSPEC_SHARDS=3", Shard{}, "counts from 0"},
		{"auto", "CI_NODE_INDEX=1 CI_NODE_TOTAL=two", Shard{}, "CI_NODE_TOTAL=two"},
		{"auto", "PIVOTSPEC_SHARD=1/2 CI_NODE_INDEX=2 CI_NODE_TOTAL=2", Shard{}, "says two things: PIVOTSPEC_SHARD=1/2, and CI_NODE_INDEX=2 of"},
		{"auto", "PIVOTSPEC_SHARD=auto", Shard{}, "asks for itself"},
		{"auto", "PIVOTSPEC_SHARD=0/2", Shard{}, `PIVOTSPEC_SHARD: "0/2" is no shard`},
		{"0/2", "", Shard{}, "is no shard: want I/N"},
		{"3/2", "", Shard{}, "no part 3 of 2; the first is 1/2, the last 2/2"},
		{"1", "", Shard{}, "want I/N"},
		{"1/2/3", "", Shard{}, "want I/N"},
		{"+1/2", "", Shard{}, "want I/N"},
		{"01/2", "", Shard{}, "want I/N"},
		{" 1/2", "", Shard{}, "want I/N"},
		{"1/0", "", Shard{}, "want I/N"},
		{"-1/-1", "", Shard{}, "want I/N"},
		{"1/99999999999999999999", "", Shard{}, "want I/N"},
		{"1/1000000", "", Shard{}, "want I/N"},
		{"", "", Shard{}, "want I/N"},
	} {
		env := map[string]string{}
		for _, v := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		got, err := Parse(c.text, func(s string) string { return env[s] })
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q with %q: got %v, %v, want %v %q", c.text, c.env, got, err, c.want, c.err)
		}
	}
}

// FuzzParse: whatever is taken for a shard is one, and reads the same again.
func FuzzParse(f *testing.F) {
	f.Add("1/2")
	f.Add("12/")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text, func(string) string { return "" })
		if err == nil && (s.Index < 1 || s.Index > s.Of || s.String() != text) {
			t.Errorf("%q is shard %v", text, s)
		}
	})
}

// plan makes the plan of kernels on architectures in several ways to boot, kernel by kernel.
func plan(kernels int, archs, scenarios []string) (out []cell.PlannedCell) {
	for _, a := range archs {
		for k := range kernels {
			for _, s := range scenarios {
				out = append(out, cell.PlannedCell{Name: fmt.Sprint(k, a, s), Arch: a, Scenario: s})
			}
		}
	}
	return out
}

// TestDeal: every cell is in just one shard, whatever the number of shards; shards differ by one cell
// at most, in each line of cells and altogether.
func TestDeal(t *testing.T) {
	for _, p := range [][]cell.PlannedCell{
		nil, plan(1, []string{"amd64"}, []string{""}), plan(11, []string{"amd64"}, []string{""}),
		plan(3, []string{"amd64", "arm64", "s390x"}, []string{"", "disk", "initrd", "tools"}),
	} {
		for of := 1; of <= len(p)+3; of++ {
			seen := map[int]int{}
			lines := map[string][]int{}
			var sizes []int
			for i := 1; i <= of; i++ {
				own := Shard{i, of}.Deal(p)
				if !slices.IsSorted(own) || !slices.Equal(own, Shard{i, of}.Deal(slices.Clone(p))) {
					t.Errorf("%d of %d: %v is not in the order of the plan, or not always the same", i, of, own)
				}
				sizes = append(sizes, len(own))
				for _, k := range own {
					seen[k]++
					line := p[k].Arch + " " + p[k].Scenario
					if lines[line] == nil {
						lines[line] = make([]int, of)
					}
					lines[line][i-1]++
				}
			}
			for k := range p {
				if seen[k] != 1 {
					t.Errorf("%d shards: the cell %s is in %d of them", of, p[k].Name, seen[k])
				}
			}
			lines["all"] = sizes
			for line, n := range lines {
				if slices.Max(n)-slices.Min(n) > 1 {
					t.Errorf("%d shards have %v cells of %s", of, n, line)
				}
			}
		}
	}
}
