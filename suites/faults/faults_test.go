package faults_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"pivotspec/suites/faults"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	form := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, f := range faults.Table() {
		if seen[f.ID] || !form.MatchString(f.ID) || f.Title == "" || f.Class == "" || f.Sets == (faults.Values{}) {
			t.Errorf("%+v", f)
		}
		seen[f.ID] = true
	}
}

// TestPairs: every two faults are made together, or there is a reason why not; and
// no reason is given for what the table excludes by itself.
func TestPairs(t *testing.T) {
	n, made := len(faults.Table()), 0
	pairs := faults.Pairs(faults.Table())
	if want := n * (n - 1) / 2; len(pairs) != want {
		t.Errorf("%d pairs of %d faults, want %d", len(pairs), n, want)
	}
	reasons := map[string]int{}
	for _, p := range pairs {
		if p.Excluded != (p.Reason() != "") {
			t.Errorf("%s and %s: excluded is %v, for %q", p.A.ID, p.B.ID, p.Excluded, p.Reason())
		}
		if p.Excluded {
			reasons[p.Reason()]++
			continue
		}
		made++
	}
	if at := faults.AtOnce(faults.Table()); len(at) < 4 {
		t.Errorf("%d faults at once", len(at))
	}
	for pair, reason := range faults.Declared() {
		if reasons[reason] == 0 {
			t.Errorf("%v is declared for a reason that no pair has: misspelt, in the wrong order, or computed anyway", pair)
		}
	}
	t.Logf("%d faults, %d pairs, %d made", n, len(pairs), made)
	for r, k := range reasons {
		t.Logf("%3d excluded: %s", k, r)
	}
}

// TestExclude: what excludes, on examples that are plain to a reader.
func TestExclude(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"new-missing", "new-loop", "one look-up"},
		{"new-missing", "old-missing", ""},
		{"new-missing", "new-on-root", "cannot be looked up"},
		{"new-missing", "old-not-below", "cannot be looked up"},
		{"old-missing", "new-on-root", ""},
		{"no-cap", "child-user", "either"},
		{"no-cap", "landlock", ""},
		{"new-on-root", "old-on-root", ""},
		{"new-removed", "new-not-mount", ""},
		{"new-foreign", "new-detached", "either"},
		{"new-on-root", "new-outside", "below a root"},
		{"root-parent-shared", "root-no-parent", "either"},
	} {
		found := false
		for _, p := range faults.Pairs(faults.Table()) {
			if p.A.ID == tt.a && p.B.ID == tt.b {
				found = true
				if got := p.Reason(); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
					t.Errorf("%s and %s: excluded for %q, want %q", tt.a, tt.b, got, tt.want)
				}
			}
		}
		if !found {
			t.Errorf("there is no pair %s, %s", tt.a, tt.b)
		}
	}
}

func TestRows(t *testing.T) {
	w := faults.Winners{
		{"no-cap", ""}: "EPERM", {"no-cap", "landlock"}: "EPERM", {"no-cap", "new-missing"}: "ENOENT",
		{"no-cap", "new-loop"}: "errno-999", {"no-cap", "old-missing"}: "ENOENT", {"landlock", ""}: "EPERM",
	}
	rows := faults.Rows(w)
	if got, want := rows["no-cap"], "EPERM ENOENT=new-missing,old-missing errno-999=new-loop EPERM=landlock"; got != want || len(rows) != 2 {
		t.Errorf("got %q, want %q; %d rows", got, want, len(rows))
	}
	back := faults.Winners{}
	for id, row := range rows {
		if err := faults.ParseRow(back, id, row); err != nil {
			t.Error(err)
		}
	}
	if !maps.Equal(back, w) {
		t.Errorf("got %v, want %v", back, w)
	}
	for _, bad := range []string{"EPERM x", "EPERM =x", "EPERM E=", "EPERM E=a,a", "EPERM E=a F=a", "EPERM  E=a"} {
		if err := faults.ParseRow(faults.Winners{}, "no-cap", bad); err == nil {
			t.Errorf("%q is read without an error", bad)
		}
	}
}

func FuzzParseRow(f *testing.F) {
	f.Add("EPERM ENOENT=a,b EPERM=c")
	f.Fuzz(func(t *testing.T, row string) { _ = faults.ParseRow(faults.Winners{}, "no-cap", row) })
}
