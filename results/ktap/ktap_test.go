package ktap_test

import (
	"errors"
	"strings"
	"testing"

	"pivotspec/results/ktap"
	"pivotspec/results/ktap/ktaptest"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

func seen(id, outcome string, facts ...string) *record.Record {
	r := &record.Record{Type: record.TypeObservation, ID: id, Status: record.Observed, Outcome: outcome, Facts: map[string]string{}}
	for i := 0; i+1 < len(facts); i += 2 {
		r.Facts[facts[i]] = facts[i+1]
	}
	return r
}

func unseen(id string, status record.Status, beyond record.Beyond, why string) *record.Record {
	return &record.Record{Type: record.TypeObservation, ID: id, Status: status, Beyond: beyond, Why: why}
}

func plan(ids ...string) *record.Record {
	return &record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: ids}
}

var (
	kernel = &record.Record{Type: record.TypeKernel, Kernel: &record.Kernel{Release: "6.18.1-test", Machine: "x86_64", PageSize: 4096, Endian: "little"}}
	end    = &record.Record{Type: record.TypeEnd}
)

// missing is what the kernel answers to a new_root that is not there, and its control.
func missing() *record.Record {
	return seen("enoent/new-root-missing", "ENOENT", "control", "OK", "effect", "none", "after-control", "pivoted")
}

func TestWriter(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	const id = "enoent/new-root-missing"
	deviation := seen("success/new-root-shared-put-old-on-private-mount", "OK", "effect", "pivoted")
	wrong := missing()
	wrong.Outcome = "EINVAL"
	for _, tt := range []struct {
		name    string
		records []*record.Record
		err     error
		exit    int
		want    []string // lines in this order, among others
	}{
		{"as expected", []*record.Record{plan(id), kernel, missing(), end}, nil, verdict.ExitOK,
			[]string{"KTAP version 1", "1..2", "# Linux 6.18.1-test, x86_64, little endian, pages of 4096 bytes",
				"  KTAP version 1", "  1..1", "  ok 1 " + id, "ok 1 enoent", "ok 2 guest"}},
		{"deviation", []*record.Record{plan(deviation.ID), kernel, deviation, end}, nil, verdict.ExitOK,
			[]string{"  ok 1 " + deviation.ID, "ok 1 success", "ok 2 guest"}},
		{"unexpected", []*record.Record{plan(id), kernel, wrong, end}, nil, verdict.ExitUnexpected,
			[]string{"  not ok 1 " + id, "not ok 1 enoent", "ok 2 guest"}},
		{"broken", []*record.Record{plan(id), kernel, unseen(id, record.Broken, "", "mount: #1\nEPERM"), end}, nil, verdict.ExitBroken,
			[]string{"  not ok 1 " + id + " # ERROR broken: mount: %1 EPERM", "not ok 1 enoent", "ok 2 guest"}},
		{"skipped", []*record.Record{plan(id), kernel, unseen(id, record.Unsupported, record.BeyondMachine, "no luck"), end}, nil, verdict.ExitBroken,
			[]string{"  ok 1 " + id + " # SKIP no luck", "ok 1 enoent # SKIP all of it", "not ok 2 guest # ERROR nothing was observed: all of it is unsupported"}},
		{"unsupported without a reason to be", []*record.Record{plan(id), kernel, unseen(id, record.Unsupported, "", "no luck"), end}, nil, verdict.ExitUnexpected,
			[]string{"  not ok 1 " + id, "not ok 1 enoent"}},
		{"missing", []*record.Record{plan(id), kernel, end}, nil, verdict.ExitBroken,
			[]string{"  not ok 1 " + id + " # ERROR missing: planned and not reported", "not ok 1 enoent", "not ok 2 guest # ERROR nothing was reported"}},
		{"no end", []*record.Record{plan(id), kernel, missing()}, nil, verdict.ExitBroken,
			[]string{"  ok 1 " + id, "ok 1 enoent", "not ok 2 guest # ERROR its records stop before the end"}},
		{"died", []*record.Record{plan(id), kernel}, errors.New("it died"), verdict.ExitBroken,
			[]string{"  not ok 1 " + id + " # ERROR missing: planned and not reported", "not ok 1 enoent", "not ok 2 guest # ERROR it died"}},
		{"nothing at all", nil, errors.New("refused"), verdict.ExitBroken, []string{"1..1", "not ok 1 guest # ERROR refused"}},
		{"an empty plan", []*record.Record{plan(), kernel, end}, nil, verdict.ExitBroken, []string{"1..1", "not ok 1 guest # ERROR nothing was reported"}},
		{"not planned", []*record.Record{plan("zoo/lion"), kernel, seen("zoo/lion", "OK"), missing(), end}, nil, verdict.ExitUnexpected,
			[]string{"not ok 1 zoo", "not ok 2 guest # ERROR " + id + " was reported and not planned"}},
		{"not planned and as expected", []*record.Record{plan(), kernel, missing(), end}, nil, verdict.ExitBroken,
			[]string{"1..1", "not ok 1 guest # ERROR " + id + " was reported and not planned"}},
		{"a warning", []*record.Record{plan(id), kernel, missing(), {Type: record.TypeWarning, Level: 4, Why: "WARNING: at fs/namespace.c"}, end}, nil, verdict.ExitUnexpected,
			[]string{"ok 1 enoent", "# the kernel warns: WARNING: at fs/namespace.c", "not ok 2 guest"}},
		{"unknown", []*record.Record{plan("zoo/lion", id), kernel, seen("zoo/lion", "OK", "effect", "pivoted"), missing(), end}, nil, verdict.ExitUnexpected,
			[]string{"ok 1 enoent", "  not ok 1 zoo/lion", "not ok 2 zoo", "ok 3 guest"}},
		{"unexpected wins over broken", []*record.Record{plan(id, "enoent/put-old-missing"), kernel, wrong, end}, nil, verdict.ExitUnexpected,
			[]string{"  not ok 1 " + id, "not ok 1 enoent", "ok 2 guest"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			w := ktap.New(&out, base, "amd64")
			for _, r := range tt.records {
				w.Record(r)
			}
			exit, err := w.Close(tt.err)
			if err != nil || exit != tt.exit {
				t.Errorf("exit status %d, %v; want %d", exit, err, tt.exit)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			at := 0
			for _, l := range lines {
				if at < len(tt.want) && l == tt.want[at] {
					at++
				}
			}
			if at < len(tt.want) {
				t.Errorf("no line %q in its place in\n%s", tt.want[at], out.String())
			}
			if _, err := ktaptest.Read(lines); err != nil {
				t.Errorf("not KTAP: %v\n%s", err, out.String())
			}
		})
	}
}

// TestStream: an area is written as soon as it is whole, and not before.
func TestStream(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	w := ktap.New(&out, base, "amd64")
	w.Record(plan("enoent/new-root-missing", "enotdir/new-root-regular-file"))
	w.Record(kernel)
	if strings.Contains(out.String(), "enoent") {
		t.Errorf("too early:\n%s", out.String())
	}
	w.Record(missing())
	if !strings.Contains(out.String(), "\nok 1 enoent\n") {
		t.Errorf("too late:\n%s", out.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestFull(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := ktap.New(full{}, base, "amd64")
	w.Record(plan())
	if _, err := w.Close(nil); err == nil || err.Error() != "full" {
		t.Errorf("got %v", err)
	}
}
