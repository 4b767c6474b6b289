package exam_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pivotspec/harness/accel"
	"pivotspec/harness/arch"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/results/cell"
	"pivotspec/suites/diagnose/exam"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// kernelsVariable is the environment variable that names the kernels to examine on, by series, instead
// of one on each side of 7.0.
const kernelsVariable = "PIVOTSPEC_EXAM_KERNELS"

// answersVariable is the environment variable that names a folder in which all answers are left, for
// whoever wants to read them.
const answersVariable = "PIVOTSPEC_EXAM_ANSWERS"

func series() []string {
	if s := strings.Fields(os.Getenv(kernelsVariable)); len(s) > 0 {
		return s
	}
	if testing.Short() {
		return []string{"7.3"}
	}
	return []string{"6.12", "7.3"}
}

// boots boots the examining guest on each kernel and returns what it reports.
func boots(t *testing.T, series []string) []*cell.Cell {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("the examination needs QEMU, Go and kernels: %v; `make test` installs and fetches them", err)
		}
	}
	l, err := lab.Open("", "")
	must(err)
	a, err := l.Table.Arch("amd64")
	must(err)
	_, err = a.FindQEMU()
	must(err)
	var entries []kernels.Entry
	for _, s := range series {
		e, err := l.Catalogue.Lookup(s, a.Name)
		must(err)
		entries = append(entries, e)
	}
	abi, err := a.ABI("")
	must(err)
	target := images.Target{Name: abi.Name, Env: abi.Environ()}
	build := &images.Builder{Dir: t.TempDir(), Package: "pivotspec/suites/diagnose/guest"}
	img, err := build.Guest(t.Context(), target)
	must(err)
	var jobs []matrix.Job
	var chosen *arch.Accel
	for i, r := range l.Store.Get(t.Context(), entries, nil) {
		if r.Kernel.Boot == "" {
			must(r.Err)
		}
		if chosen == nil {
			c, err := l.Chooser.Choose(t.Context(), accel.Auto, a, func(ctx context.Context) (accel.Boot, error) {
				off, err := l.Images.Powerdown(ctx, target)
				if err != nil {
					return accel.Boot{}, err
				}
				return accel.Boot{Kernel: r.Kernel.Boot, Initramfs: off.Path}, nil
			})
			must(err)
			chosen = c.Accel
		}
		modules, err := build.Modules(t.Context(), r.Kernel.Modules, r.Kernel.NoModules)
		must(err)
		jobs = append(jobs, matrix.Job{
			Name: series[i], Series: series[i], Arch: a.Name, Kernel: r.Kernel,
			VM: vm.Config{Arch: a, Accel: chosen, Kernel: r.Kernel.Boot, Initramfs: img.Path, Dir: build.Dir,
				Archives: []string{modules.Path}, Memory: 512, Limits: arch.Limits{Silence: 4 * time.Minute, Total: 9 * time.Minute}},
		})
	}
	runner := matrix.Runner{Jobs: 2}
	return runner.Run(t.Context(), jobs)
}

// answers returns what the diagnosis said in a cell, in the order of the calls.
func answers(t *testing.T, c *cell.Cell) []exam.Answer {
	t.Helper()
	var out []exam.Answer
	for _, r := range c.Records {
		if r.Type != record.TypeNote {
			continue
		}
		a, ok, err := exam.Parse(r.Why)
		switch {
		case err != nil:
			t.Errorf("a diagnosis that is none: %v: %q", err, r.Why)
		case !ok:
			t.Logf("%s: %s", r.ID, r.Why)
		default:
			out = append(out, a)
		}
	}
	return out
}

// TestExam holds what the diagnosis says of every call of the suite against what the call does: it has
// to give the errno, of the call that a behaviour is about the cause too, and never to be sure of what
// is not so.
func TestExam(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range boots(t, series()) {
		t.Run(series()[i], func(t *testing.T) {
			s, err := knowledge.ParseSeries(series()[i])
			if err != nil {
				t.Fatal(err)
			}
			if c.Status != cell.Complete {
				t.Errorf("the cell is %s: %s", c.Status, c.Reason)
			}
			list := answers(t, c)
			if dir := os.Getenv(answersVariable); dir != "" {
				leave(t, filepath.Join(dir, series()[i]+".jsonl"), list)
			}
			observed := map[string]*exam.Answer{}
			unsure, named := 0, 0
			mended := map[string]int{}
			for k := range list {
				a := &list[k]
				b, ok := base.Behaviour(a.Spec)
				if !ok {
					t.Errorf("there is no behaviour %s", a.Spec)
					continue
				}
				mark(t, b, a)
				if !a.Sure {
					unsure++
				}
				if a.Trial != nil {
					for _, id := range a.Trial.Mended {
						mended[id]++
					}
				}
				if a.Observed {
					observed[a.Spec] = a
				}
			}
			for _, r := range c.Records {
				if r.Type != record.TypeObservation {
					continue
				}
				if r.Status == record.Broken {
					t.Errorf("%s: %s", r.ID, r.Why)
				}
				b, ok := base.Behaviour(r.ID)
				if !ok || r.ID == faults.Behaviour || r.Status != record.Observed || r.Outcome == record.OK || b.NoEffect {
					continue
				}
				cause(t, b, s, observed[r.ID])
				named++
			}
			pairs(t, list)
			for _, id := range []string{
				"new-missing", "old-missing", "old-removed", "old-shared", "new-parent-shared", "root-parent-shared", "new-locked",
				"new-on-root", "old-on-root", "root-not-mount", "new-not-mount", "old-not-below",
			} {
				if mended[id] == 0 {
					t.Errorf("%s was never mended", id)
				}
			}
			t.Logf("%d calls, not sure of %d; the causes of %d behaviours; mended: %v", len(list), unsure, named, mended)
		})
	}
}

// mark checks what was said of a call.
func mark(t *testing.T, b *knowledge.Behaviour, a *exam.Answer) {
	t.Helper()
	switch {
	case a.Failed != "":
		t.Errorf("%s: no diagnosis: %s", a.Spec, a.Failed)
	case a.Said == a.Real:
	case a.Sure:
		t.Errorf("%s: it is sure of what is not so: %+v", a.Spec, a)
	case b.Untold == "" || !a.Observed:
		t.Errorf("%s: wrong: %+v", a.Spec, a)
	}
	if tr := a.Trial; tr != nil && (tr.Failed != "" || len(tr.Stayed) > 0 || tr.Left == "" && tr.Real != record.OK) {
		t.Errorf("%s: the mends of %v do not mend: %+v", a.Spec, a.Causes, tr)
	}
	// Of its own thread it can find out everything, but how a mount is shared that is mounted nowhere.
	if !a.Sure && a.By == "" && a.Spec != faults.Behaviour {
		t.Errorf("%s: it is not sure: %+v", a.Spec, a)
	}
}

// cause checks that the cause of a failed call was named, the one that a behaviour is about.
func cause(t *testing.T, b *knowledge.Behaviour, s knowledge.Series, a *exam.Answer) {
	t.Helper()
	switch {
	case a == nil:
		t.Errorf("%s: the observed call was not diagnosed", b.ID)
		return
	case b.Untold != "":
		if a.Sure {
			t.Errorf("%s: that cannot be told, says the data, and the diagnosis is sure: %+v", b.ID, a)
		}
		return
	}
	want := b.Cause.Of(s, a.Real)
	if len(want) == 0 {
		t.Errorf("%s: behaviours.yaml gives no cause for %s; the diagnosis says %v", b.ID, a.Real, a.Causes)
		return
	}
	if len(a.Causes) == 0 || !slices.ContainsFunc(append(a.Or, a.Causes[0]), want.Has) {
		t.Errorf("%s: the cause is %s, and not %v", b.ID, want, a.Causes)
	}
}

// pairs checks that every fault of which pairs are made was named as a first cause.
func pairs(t *testing.T, list []exam.Answer) {
	t.Helper()
	first, n := map[string]bool{}, 0
	for _, a := range list {
		if a.Spec != faults.Behaviour {
			continue
		}
		n++
		for _, id := range append(a.Or, a.Causes...)[:min(1, len(a.Causes))+len(a.Or)] {
			first[id] = true
		}
	}
	if n < 500 {
		t.Errorf("%d calls with pairs of faults", n)
	}
	for _, f := range faults.Table() {
		if f.Needs == "" && !first[f.ID] {
			t.Errorf("no call with pairs of faults was found to fail for %s", f.ID)
		}
	}
}

// leave writes answers down.
func leave(t *testing.T, path string, list []exam.Answer) {
	t.Helper()
	var b []byte
	for _, a := range list {
		line, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, line...), '\n')
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
