package knowledge_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/knowledge"
)

// TestCauses: every behaviour of an area that is called after an errno says what is wrong with its
// call, or why that cannot be told. Those of other areas are held to it where they are seen to fail, by
// package harness/exam.
func TestCauses(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	errnos := map[string]bool{}
	for n := range unix.Errno(200) {
		errnos[strings.ToLower(unix.ErrnoName(n))] = true
	}
	delete(errnos, "")
	n := 0
	for i := range base.Behaviours {
		b := &base.Behaviours[i]
		if len(b.Cause) > 0 || b.Untold != "" {
			n++
		} else if errnos[b.Area()] || b.Area() == "eopnotsupp" {
			t.Errorf("%s has no cause", b.ID)
		}
	}
	if n < 150 {
		t.Errorf("%d behaviours have a cause", n)
	}
}

// TestCausesOf: the first entry that fits counts.
func TestCausesOf(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := base.Behaviour("einval/new-root-is-the-namespaces-root")
	for series, want := range map[string]string{"5.10": "new-locked", "6.16": "new-locked", "6.18": "new-no-parent", "7.3": "new-outside"} {
		s, err := knowledge.ParseSeries(series)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Cause.Of(s, "EINVAL"); got.String() != want {
			t.Errorf("%s: %s, want %s", series, got, want)
		}
	}
	b, _ = base.Behaviour("order/capability-or-new-root-missing")
	for errno, want := range map[string]string{"EPERM": "no-cap", "ENOENT": "new-missing", "EBUSY": ""} {
		if got := b.Cause.Of(knowledge.Series{Major: 7}, errno); got.String() != want {
			t.Errorf("%s: %s, want %s", errno, got, want)
		}
	}
}
