package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/report"
	"pivotspec/suites/all"
	"pivotspec/suites/knowledge"
)

func explainer(t testing.TB) *Explainer {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	x := &Explainer{Base: base, Cells: baseline.Recorded, Scenarios: []Scenario{{"plain", "the usual"}, {"disk", "a disk"}}, Sources: map[string]string{}}
	specs, err := all.Specs()
	if err != nil {
		t.Fatal(err)
	}
	for i := range specs {
		x.Sources[specs[i].ID] = specs[i].Source()
	}
	return x
}

// told returns what is said of a word.
func told(t *testing.T, x *Explainer, word string) string {
	t.Helper()
	list, err := x.Explain(word)
	if err != nil {
		t.Fatalf("%s: %v", word, err)
	}
	var b bytes.Buffer
	if err := Term(&b, list, report.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEveryWord: whatever can be explained is, and of each behaviour it is said what kernels do, where its spec
// is, and how to repeat it.
func TestEveryWord(t *testing.T) {
	x := explainer(t)
	for _, w := range x.Words() {
		list, err := x.Explain(w.ID)
		if err != nil {
			t.Errorf("%s: %v", w.ID, err)
			continue
		}
		for _, e := range list {
			if e.Title == "" || e.ID == "" || e.Kind == "" {
				t.Errorf("%s: an explanation without a name: %+v", w.ID, e)
			}
			if e.Kind != "behaviour" {
				continue
			}
			for _, about := range []string{"kernels", "page " + x.Base.Current().ID, "spec", "repeat"} {
				if !slices.ContainsFunc(e.Parts, func(p Part) bool { return p.About == about }) {
					t.Errorf("%s: nothing is said about its %s", w.ID, about)
				}
			}
		}
	}
}

func TestExplain(t *testing.T) {
	x := explainer(t)
	for _, c := range []struct{ word, want string }{
		{"rootfs/pivot", "rootfs/pivot (behaviour): "},
		{"rootfs/pivot", "5.10–6.19 EINVAL; OK since 7.0"},
		{"rootfs/pivot", "  repeat          pivotspec run 6.19 7.0\n"},
		{"rootfs/pivot", `pivot_root("/world", "/world/old") = OK`},
		{"rootfs/pivot", "suites/rootfs/rootfs.go:"},
		{"success/put-old-mode-000", "gVisor: EACCES: "},
		{"success/put-old-mode-000", "pivotspec run 7.3 gvisor"},
		{"boot/pivot-to-disk", "--scenario disk-pivot"},
		{"errors/einval-rootfs", "went stale in 7.0 (true up to 6.19)"},
		{"EBUSY", "new_root is on the root mount (new-on-root)"},
		{"EBUSY", "ebusy/both-are-slash: "},
		{"einval", "einval (area): EINVAL"},
		{"6.20", "its claims decide"},
		{"6.1", "The kernel supports it now"}, // nothing else is new
		{"6.12", "order/pairs: "},
		{"6.5", " on i386, as recorded"},
		{"6.18", "nothing that the suite observes"},
		{"7.0", "rootfs/pivot: a pivot from the initramfs, in a private mount namespace. 6.19: EINVAL; 7.0: OK"},
		{"5.10", "5.10 (kernel): Linux 5.10"},
		{"5.10", "5.10 (edition): "},
		{"gvisor", "search permission is asked of put_old itself, not only of the way to it: success/put-old-mode-000 (EACCES)"},
		{"new-missing", "since 7.0: ENOENT; wins over put_old look-up, capability"},
		{"disk", "boot/switch-root: "},
		{"≠", "known deviation (word): "},
		{"#", "known deviation (word): "},
		{"Broken", "broken (word): "},
		{"known issue", "known issue (word): "},
		{"known issue a is out of date: it no longer happens on 7.0-amd64: remove it, or end its range", "known-issue (line): "},
		{"exit  status 3", "exit status 3 (word): "},
		{"initramfs-can-be-pivoted", "  proposed "},
		{"hrtimer: interrupt took 1234 ns", "known warning"},
		{"pivotspec: not as in the baseline: 7.0-amd64 rootfs/pivot: was EINVAL, is OK", "baseline-difference (line): "},
		{"pivotspec: not as in the baseline: 7.0-amd64 rootfs/pivot: was EINVAL, is OK", "rootfs/pivot (behaviour): "},
		{"pivotspec: not as in the baseline: 3 differences, which the report has", "baseline-difference (line): "},
		{"  ✗ rootfs/pivot on 7.0: was EINVAL effect=none, is OK effect=pivoted", "baseline-difference (line): "},
		{"  ✗ 6.18-amd64: gone: complete", "baseline-difference (line): "},
		{"signature: baseline rootfs/pivot OK effect=pivoted -> EINVAL effect=none", "baseline-difference (line): "},
		{"baseline cell complete -> (none)", "baseline-difference (line): "},
		{"1 of 1 cell complete, 334 behaviours, 2 NOT AS IN THE BASELINE", "baseline-difference (line): "},
		{"Δ", "not as in the baseline (word): "},
		{"  ✗ rootfs/pivot on 7.0: outcome is EIO, not OK (ledger since 7.0)", "wrong-outcome (line): "},
	} {
		if got := told(t, x, c.word); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in\n%s", c.word, c.want, got)
		}
	}
}

func TestUnknown(t *testing.T) {
	x := explainer(t)
	for _, c := range []struct{ word, near string }{
		{"rootfs/pivo", "rootfs/pivot"},
		{"ENIVAL", "EINVAL"},
		{"unexpectd", "unexpected"},
		{"put-old-mode", "success/put-old-mode-000"},
		{"quite another thing", ""},
		{"", ""},
	} {
		_, err := x.Explain(c.word)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || c.near == "" && len(unknown.Near) > 0 || c.near != "" && !slices.Contains(unknown.Near, c.near) {
			t.Errorf("%q: %v, want near it %q", c.word, err, c.near)
		}
	}
}

// TestWithoutRecords: what is not about kernels is explained without the recorded runs.
func TestWithoutRecords(t *testing.T) {
	x := explainer(t)
	x.Cells = nil
	for _, w := range []string{"broken", "disk", "new-missing", "gvisor", "unknown kernel \"9\""} {
		told(t, x, w)
	}
}

// TestFailure: records that cannot be read are an error, not a word that is unknown.
func TestFailure(t *testing.T) {
	x := explainer(t)
	bad := errors.New("bad records")
	x.Cells = func() ([]*cell.Cell, error) { return nil, bad }
	for _, w := range []string{"rootfs/pivot", "EINVAL", "einval", "errors/einval-rootfs", "6.20", "a line about rootfs/pivot"} {
		if _, err := x.Explain(w); !errors.Is(err, bad) {
			t.Errorf("%s: %v", w, err)
		}
	}
}

func TestJSON(t *testing.T) {
	x := explainer(t)
	list, err := x.Explain("broken")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Render("json", &b, "broken", list, report.Options{}); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Schema   int
		Word     string
		Meanings []Explanation
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil || d.Schema != Schema || d.Word != "broken" || len(d.Meanings) != 1 || d.Meanings[0].Kind != "word" {
		t.Errorf("%v: %s", err, b.String())
	}
}

// TestDrawing: lines stay within the width, ASCII is ASCII, and without colours there is no escape.
func TestDrawing(t *testing.T) {
	x := explainer(t)
	list, err := x.Explain("rootfs/pivot")
	if err != nil {
		t.Fatal(err)
	}
	var narrow, colour bytes.Buffer
	if err := errors.Join(Term(&narrow, list, report.Options{Width: 80, ASCII: true}), Term(&colour, list, report.Options{Colour: true})); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(narrow.String()) {
		if len(l) > 81 && strings.Contains(strings.TrimSpace(l), " ") {
			t.Errorf("too long: %q", l)
		}
	}
	if strings.IndexFunc(narrow.String(), func(r rune) bool { return r > '~' || r == 0x1b }) >= 0 {
		t.Errorf("not ASCII: %s", narrow.String())
	}
	if !strings.Contains(colour.String(), "\x1b[1mrootfs/pivot\x1b[0m") {
		t.Errorf("no bold name: %s", colour.String())
	}
}

// TestKinds: the kinds have all that is needed, and IDs of their own.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range kinds() {
		if k.ID == "" || k.Means == "" || seen[k.ID] || k.match.MatchString("") {
			t.Errorf("%+v: needs an ID of its own, a meaning, and to match something in particular", k)
		}
		seen[k.ID] = true
	}
	for _, w := range terms() {
		if w.Word == "" || w.Means == "" || seen[w.Word] {
			t.Errorf("%+v: needs a word of its own and a meaning", w)
		}
		seen[w.Word] = true
	}
	if got := Kinds("cell 6.12-s390x is unavailable: booting s390x needs qemu-system-s390x, which is not installed"); !slices.Equal(got, []string{"cell-unavailable", "no-qemu"}) {
		t.Errorf("kinds %v", got)
	}
}

// TestNothingRecorded: of a behaviour that no run has seen yet, it is said so, and how to see it.
func TestNothingRecorded(t *testing.T) {
	x := explainer(t)
	x.Cells = func() ([]*cell.Cell, error) { return nil, nil }
	for _, c := range []struct{ word, want string }{
		{"rootfs/pivot", "nothing is recorded of it"},
		{"rootfs/pivot", "repeat          pivotspec run\n"},
		{"boot/pivot-to-disk", "pivotspec run --scenario disk-pivot\n"},
		{"errors/einval-rootfs", "undecided: there is no kernel"},
	} {
		if got := told(t, x, c.word); !strings.Contains(got, c.want) {
			t.Errorf("%s: no %q in\n%s", c.word, c.want, got)
		}
	}
}
