package exam_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
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

func TestExam(t *testing.T) {
	for i, c := range boots(t, series()) {
		t.Run(series()[i], func(t *testing.T) {
			for _, r := range c.Records {
				if r.Type == record.TypeWarning || r.Type == record.TypeObservation && r.Status == record.Broken {
					t.Logf("%s %s: %s", r.Type, r.ID, r.Why)
				}
			}
			if c.Status != cell.Complete {
				t.Errorf("the cell is %s: %s", c.Status, c.Reason)
			}
			list := answers(t, c)
			if dir := os.Getenv(answersVariable); dir != "" {
				var b strings.Builder
				for _, a := range list {
					line, _ := json.Marshal(a)
					b.Write(append(line, '\n'))
				}
				if err := os.WriteFile(filepath.Join(dir, series()[i]+".jsonl"), []byte(b.String()), 0o644); err != nil {
					t.Error(err)
				}
			}
			wrong := 0
			for _, a := range list {
				if a.Real != a.Said {
					wrong++
					t.Errorf("%+v", a)
				}
			}
			t.Logf("%d calls, %d wrong", len(list), wrong)
		})
	}
}
