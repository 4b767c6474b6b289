package baseline_test

import (
	"slices"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/known"
	"pivotspec/results/signature"
	"pivotspec/results/verdict"
)

func applied(t *testing.T, recorded, cells []*cell.Cell, planned bool) *verdict.Judgement {
	t.Helper()
	j, err := verdict.Judge(fixture.Base(t), cells, "")
	if err != nil {
		t.Fatal(err)
	}
	baseline.Apply(j, recorded, planned)
	return j
}

// TestApply: each kind of difference is in the judgement where reports look for it, has its signature, and fails the run
// unless it is a known issue.
func TestApply(t *testing.T) {
	for _, d := range fixture.Differing() {
		j := applied(t, d.Baseline, d.Cells, false)
		if got := j.Exit(); got != d.Exit {
			t.Errorf("%s: exit status %d, want %d", d.Name, got, d.Exit)
		}
		var signatures []string
		for _, f := range signature.Of(j) {
			s := f.Signature.String()
			signatures = append(signatures, s)
			if again, err := signature.Parse(s); err != nil || again != f.Signature {
				t.Errorf("%s: %q comes back as %q, %v", d.Name, s, again, err)
			}
		}
		if !slices.Equal(signatures, d.Signatures) {
			t.Errorf("%s: signatures %q, want %q", d.Name, signatures, d.Signatures)
		}
		all := j.Differences()
		if d.Subject == "" {
			if len(all) != 0 {
				t.Errorf("%s: %s", d.Name, all[0].Line())
			}
			continue
		}
		if len(all) != 1 {
			t.Errorf("%s: %d differences, want one", d.Name, len(all))
			continue
		}
		x := all[0]
		subject := x.Behaviour
		if subject == "" {
			subject = x.Cell.Cell.Name
		}
		if subject != d.Subject || x.Was != d.Was || x.Is != d.Is {
			t.Errorf("%s: %s: was %q, is %q; want %s, %q and %q", d.Name, subject, x.Was, x.Is, d.Subject, d.Was, d.Is)
		}
		issue := "- {id: x, link: \"https://example.org\", why: x, from: \"7.0\", signature: '" + d.Signatures[len(d.Signatures)-1] + "'}"
		list, err := known.Parse("list", []byte(issue), j.Base)
		if err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		list.Apply(j)
		if got := j.Exit(); x.Issue == nil || got != d.Excused && j.Issues[0].Stale == "" {
			t.Errorf("%s: as a known issue: %+v, exit status %d, want %d", d.Name, x.Issue, got, d.Excused)
		}
		// What the list has of a run without a baseline, or that is as the baseline, is out of date only in the latter.
		none, err := verdict.Judge(j.Base, fixture.Good()[7:8], "")
		if err != nil {
			t.Fatal(err)
		}
		if list.Apply(none); none.Exit() != 0 {
			t.Errorf("%s: %s although the run is compared with nothing", d.Name, none.Issues[0].Stale)
		}
		again := applied(t, fixture.Good()[7:8], fixture.Good()[7:8], false)
		able := d.Name != "a behaviour that nobody knows now" // of which there never is a result
		if list.Apply(again); (again.Exit() == 1) != able {
			t.Errorf("%s: exit status %d where it does not happen: %+v", d.Name, again.Exit(), again.Issues[0])
		}
	}
}

// TestApplyToPlanned: what a run did not plan is no difference, and is counted.
func TestApplyToPlanned(t *testing.T) {
	j := applied(t, fixture.Good(), fixture.Good()[7:8], true)
	if b := j.Baseline; b.Cells != 11 || b.Left != 10 || len(j.Differences()) != 0 || j.Exit() != 0 {
		t.Errorf("got %+v, exit status %d", b, j.Exit())
	}
	if j := applied(t, fixture.Good(), fixture.Good()[7:8], false); len(j.Baseline.Gone) != 10 || j.Exit() != 1 {
		t.Errorf("%d cells are gone, exit status %d; want 10 and 1", len(j.Baseline.Gone), j.Exit())
	}
	// Of nothing judged nothing is said.
	if j := applied(t, fixture.Good(), nil, true); len(j.Differences()) != 0 || j.Baseline.Left != 11 {
		t.Errorf("got %+v", j.Baseline)
	}
}

// TestApplyToOther: a kernel of the user's own is compared with the recorded one of its series.
func TestApplyToOther(t *testing.T) {
	c := fixture.Cell("7.0", "amd64")
	c.Name = "bzImage"
	fixture.Replace(c, fixture.Observed("rootfs/umount-root", "EINVAL", "effect", ""))
	j := applied(t, fixture.Good(), []*cell.Cell{c}, true)
	all := j.Differences()
	if len(all) != 1 || all[0].Cell.Cell.Name != "bzImage" || all[0].Was != "OK" || j.Cells[0].Result("rootfs/umount-root").Baseline != all[0] {
		t.Errorf("got %+v", all)
	}
}
