package report

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
)

// made makes winners of "FAULT ERRNO" and "FAULT FAULT ERRNO".
func made(lines ...string) faults.Winners {
	w := faults.Winners{}
	for _, l := range lines {
		f := strings.Fields(l)
		if len(f) == 2 {
			w[[2]string{f[0], ""}] = f[1]
		} else {
			w[[2]string{f[0], f[1]}] = f[2]
		}
	}
	return w
}

func TestExplain(t *testing.T) {
	alone := []string{"no-cap EPERM", "new-missing ENOENT", "old-loop ELOOP", "old-on-root EBUSY", "new-outside EINVAL"}
	for _, tt := range []struct {
		name           string
		pairs          []string
		line           string
		contradictions []string
	}{
		{"a chain", []string{
			"no-cap new-missing EPERM", "new-missing old-loop ENOENT", "old-loop old-on-root ELOOP", "old-on-root new-outside EBUSY",
		}, "capability > new_root look-up > put_old look-up > root mount > positions", nil},
		{"nothing tells", nil, "capability = new_root look-up = put_old look-up = root mount = positions", nil},
		{"one that may stand further right", []string{
			"new-missing old-loop ENOENT", "old-loop old-on-root ELOOP", "no-cap new-outside EPERM", "old-on-root new-outside EBUSY",
		}, "new_root look-up = ~capability > put_old look-up > root mount > positions", nil},
		{"a circle", []string{
			"no-cap new-missing EPERM", "new-missing old-loop ENOENT", "no-cap old-loop ELOOP", "old-on-root new-outside EBUSY",
		}, "root mount > positions > capability = new_root look-up = put_old look-up", []string{"no-cap > new-missing > old-loop > no-cap"}},
		{"an errno of neither", []string{"no-cap new-missing EIO"}, "capability = new_root look-up = put_old look-up = root mount = positions", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := explain(made(append(alone, tt.pairs...)...))
			if o.Line != tt.line && tt.name != "a circle" {
				t.Errorf("got  %s\nwant %s", o.Line, tt.line)
			}
			if len(o.Contradictions) != len(tt.contradictions) {
				t.Errorf("contradictions are %q, want %q", o.Contradictions, tt.contradictions)
			}
			for i := range o.Contradictions {
				got := strings.Split(o.Contradictions[i], " > ")
				want := strings.Split(tt.contradictions[i], " > ")
				slices.Sort(got)
				slices.Sort(want)
				if got[0] == want[0] && len(got) == len(want) {
					continue
				}
				t.Errorf("the circle is %q, want %q", o.Contradictions[i], tt.contradictions[i])
			}
			if o.Pairs != len(tt.pairs) {
				t.Errorf("%d pairs, want %d", o.Pairs, len(tt.pairs))
			}
		})
	}
}

// TestOrders: kernels that do as the real data says show a line for each order, and what is new.
func TestOrders(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	cells := fixture.Ideal(base)
	for _, r := range cells[0].Records { // 5.10 has no Landlock
		if r.ID == faults.Behaviour {
			w := faults.Winners{}
			for f, row := range r.Facts {
				if f != knowledge.FactControl && f != knowledge.FactEffect {
					if err := faults.ParseRow(w, f, row); err != nil {
						t.Fatal(err)
					}
				}
			}
			for key := range w {
				if slices.Contains(key[:], "landlock") {
					delete(w, key)
				}
			}
			w[[2]string{"landlock", ""}] = faults.Absent
			for f, row := range faults.Rows(w) {
				r.Facts[f] = row
			}
		}
	}
	j, err := verdict.Judge(base, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	if r := j.Cells[0].Result(faults.Behaviour); r.Verdict != verdict.Silent {
		t.Errorf("without Landlock 5.10 is %s: %v", r.Verdict, r.Wrong)
	}
	orders := Find(j).Orders
	var kernels []string
	for _, o := range orders {
		kernels = append(kernels, o.Kernels)
		if len(o.Contradictions) > 0 {
			t.Errorf("%s: %q", o.Kernels, o.Contradictions)
		}
	}
	if got, want := strings.Join(kernels, "; "), "5.10, 6.1; 6.12–6.19; 7.0–7.3"; got != want {
		t.Fatalf("orders of %s, want %s", got, want)
	}
	if got := strings.Join(orders[0].Absent, "; "); got != "landlock on 5.10" {
		t.Errorf("absent: %s", got)
	}
	if !strings.HasPrefix(orders[1].Line, "capability > new_root look-up > put_old look-up > Landlock > ") ||
		!strings.HasPrefix(orders[2].Line, "new_root look-up > put_old look-up > capability = Landlock > ") {
		t.Errorf("lines are\n%s\n%s", orders[1].Line, orders[2].Line)
	}
	if got := strings.Join(orders[2].Changes, "; "); got != "capability behind new_root look-up, put_old look-up" {
		t.Errorf("new in 7.0: %s", got)
	}
}
