package lies_test

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/results/cell"
	"pivotspec/results/worlds"
	"pivotspec/suites/enumerate"
	worldlies "pivotspec/suites/exhaust/lies"
	"pivotspec/suites/model"
	"pivotspec/suites/record"
)

// TestWorlds compares few worlds on real kernels, and on one whose answers are lies: every lie
// has to be found, in a world made small, and nothing else.
func TestWorlds(t *testing.T) {
	series := []string{"6.19", "7.3"}
	if testing.Short() {
		series = series[1:]
	}
	b := newBench(t, series...)
	req := enumerate.Request{Bounds: enumerate.Bounds{Size: 1, Mounts: 2}, Random: 100, Seed: 1}
	word, err := req.Encode()
	if err != nil {
		t.Fatal(err)
	}
	guest := func(pkg string) string {
		img, err := (&images.Builder{Dir: b.dir, Package: pkg}).Guest(t.Context(), b.target)
		if err != nil {
			t.Fatal(err)
		}
		return img.Path
	}
	job := func(name, series, initramfs string, args ...string) matrix.Job {
		return matrix.Job{
			Name: name, Series: series, Arch: b.arch.Name, Kernel: b.kernel[series],
			VM: vm.Config{
				Arch: b.arch, Accel: b.accel, Kernel: b.kernel[series].Boot, Initramfs: initramfs, Dir: b.dir,
				Cmdline: append([]string{enumerate.Variable + "=" + word}, args...),
			},
		}
	}
	honest, liar := guest("pivotspec/suites/guest"), guest("pivotspec/suites/exhaust/liar")
	var jobs []matrix.Job
	for _, s := range series {
		jobs = append(jobs, job("honest "+s, s, honest))
	}
	last := series[len(series)-1]
	table := worldlies.Table()
	for _, l := range table {
		jobs = append(jobs, job(l.Name, last, liar, worldlies.Variable+"="+l.Name))
	}
	cells := (&matrix.Runner{Jobs: parallel}).Run(t.Context(), jobs)
	results := worlds.Judge(req, cells, b.base.Warnings)
	for _, r := range results[:len(series)] {
		if r.Agreed != req.Count() || len(r.Problems)+len(r.Disagreements) > 0 {
			t.Errorf("%s: %d of %d agree; %q, %v", r.Cell.Name, r.Agreed, r.Planned, r.Problems, texts(r.Disagreements))
		}
	}
	for i, r := range results[len(series):] {
		l := table[i]
		if l.Deadly {
			if len(r.Problems) == 0 || r.Agreed == r.Planned {
				t.Errorf("%s: nobody notices: %d of %d agree", l.Name, r.Agreed, r.Planned)
			}
			if !slices.ContainsFunc(r.Problems, func(p string) bool { return strings.Contains(p, "died") }) {
				t.Errorf("%s: no world is named: %q", l.Name, r.Problems)
			}
			continue
		}
		if r.Cell.Status != cell.Complete || r.Disagreed == 0 || r.Agreed == 0 || len(r.Disagreements) == 0 || len(r.Problems) > 0 {
			t.Errorf("%s: %s: %d agree, %d disagree, %d told: %q", l.Name, r.Cell.Status, r.Agreed, r.Disagreed, len(r.Disagreements), r.Problems)
			continue
		}
		for _, d := range r.Disagreements[:1] {
			w, err := model.Parse(d.ID)
			if err != nil || len(w.Mounts) > 3 || len(w.Tasks) > l.Tasks || len(d.Steps) == 0 {
				t.Errorf("%s: %q is not small, or has no steps (%v)", l.Name, d.ID, err)
			}
			t.Logf("%s: %s; found as %s", l.Name, d.ID, d.Facts["found"])
		}
	}
}

func texts(records []*record.Record) (out []string) {
	for _, r := range records {
		out = append(out, r.ID)
	}
	return out
}
