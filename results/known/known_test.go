package known_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/known"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

func judge(t *testing.T, list string, cells ...*cell.Cell) *verdict.Judgement {
	t.Helper()
	base := fixture.Base(t)
	j, err := verdict.Judge(base, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := known.Parse("list", []byte(list), base)
	if err != nil {
		t.Fatal(err)
	}
	l.Apply(j)
	return j
}

// entry makes an entry of a list.
func entry(signature string, more ...string) string {
	text := "- id: x\n  link: https://example.org/1\n  why: because\n  signature: " + signature + "\n"
	for _, m := range more {
		text += "  " + m + "\n"
	}
	return text
}

func kernel(series string, records ...*record.Record) *cell.Cell {
	c := fixture.Cell(series, "amd64")
	for _, r := range records {
		if r.Type == record.TypeObservation {
			fixture.Replace(c, r)
		} else {
			c.Records = slices.Insert(c.Records, len(c.Records)-1, r)
		}
	}
	return c
}

func broken(c *cell.Cell, reason string) *cell.Cell {
	c.Status, c.Reason = cell.Broken, reason
	c.Records = c.Records[:6]
	return c
}

// TestApply: what an entry excuses, and what it does not.
func TestApply(t *testing.T) {
	const id = "einval/put-old-mount-shared"
	odd := fixture.Observed(id, "OK")
	failed := &record.Record{Type: record.TypeObservation, ID: id, Status: record.Broken, Why: "mount tmpfs: EPERM"}
	lacking := &record.Record{Type: record.TypeObservation, ID: "eperm/landlock", Status: record.Unsupported, Why: "no Landlock"}
	warning := &record.Record{Type: record.TypeWarning, Level: 4, Why: "hrtimer: interrupt took 12 ns"}
	unwatched := &record.Record{Type: record.TypeNote, Why: "cannot open /dev/kmsg: kernel warnings were not watched"}
	lost := kernel("6.1")
	fixture.Remove(lost, func(r *record.Record) bool { return r.ID == id })
	away := kernel("6.1")
	away.Status, away.Reason, away.Records = cell.Unavailable, "no network", nil
	arm := fixture.Cell("6.1", "arm64")
	host := kernel("6.1")
	host.Backend = cell.HostBackend
	for _, tt := range []struct {
		name, list string
		cells      []*cell.Cell
		exit       int
		happened   string
		stale      string // part; "" for none
	}{
		{"it happens", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{kernel("6.1", odd)}, 0, "6.1-amd64", ""},
		{"nothing listed", "# nothing\n", []*cell.Cell{kernel("6.1", odd)}, 1, "", ""},
		{"another failure", entry("unexpected "+id+" EIO", `from: "6.1"`), []*cell.Cell{kernel("6.1", odd)}, 1, "", "no longer happens on 6.1-amd64: remove it"},
		{"another kernel", entry("unexpected "+id+" OK", `to: "6.0"`), []*cell.Cell{kernel("6.1", odd)}, 1, "", ""},
		{"another architecture", entry("unexpected "+id+" OK", `from: "6.1"`, "arch: arm64"), []*cell.Cell{kernel("6.1", odd)}, 1, "", ""},
		{"another scenario", entry("unexpected "+id+" OK", `from: "6.1"`, "scenario: [disk]"), []*cell.Cell{kernel("6.1", odd)}, 1, "", ""},
		{"another flavour", entry("unexpected "+id+" OK", `from: "6.1"`, "flavour: rt-amd64"), []*cell.Cell{kernel("6.1", odd)}, 1, "", ""},
		{"one of two failures", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{kernel("6.1", odd, warning)}, 1, "6.1-amd64", ""},
		{"it stopped", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{kernel("6.1")}, 1, "", "no longer happens on 6.1-amd64: remove it"},
		{"it stopped, now and then", entry("unexpected "+id+" OK", `from: "6.1"`, "intermittent: true"), []*cell.Cell{kernel("6.1")}, 0, "", ""},
		{"it stopped on a newer kernel", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{kernel("6.1", odd), kernel("7.0")}, 1, "6.1-amd64", "no longer happens on 7.0-amd64: shorten"},
		{"not on every architecture", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{kernel("6.1", odd), arm}, 0, "6.1-amd64", ""},
		{"not observed", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{kernel("6.1", failed)}, 3, "", ""},
		{"not reported", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{lost}, 3, "", ""},
		{"unsupported", entry("unexpected eperm/landlock OK", `from: "6.1"`), []*cell.Cell{kernel("6.1", lacking)}, 0, "", ""},
		{"no cell of its range", entry("unexpected "+id+" OK", `from: "7.1"`), []*cell.Cell{kernel("6.1")}, 0, "", ""},
		{"the cell died", entry("unexpected "+id+" OK", `from: "6.1"`), []*cell.Cell{broken(kernel("6.1"), "hang")}, 3, "", ""},

		{"a broken set-up stays one", entry("broken "+id+" mount tmpfs EPERM", `from: "6.1"`), []*cell.Cell{kernel("6.1", failed)}, 3, "6.1-amd64", ""},
		{"and is mended", entry("broken "+id+" mount tmpfs EPERM", `from: "6.1"`), []*cell.Cell{kernel("6.1")}, 1, "", "no longer happens"},
		{"a missing one stays so", entry("missing "+id, `from: "6.1"`), []*cell.Cell{lost}, 3, "6.1-amd64", ""},
		{"and is back, if broken", entry("missing "+id, `from: "6.1"`), []*cell.Cell{kernel("6.1", failed)}, 1, "", "no longer happens"},

		{"a warning", entry("warning hrtimer interrupt took N ns", `from: "6.1"`), []*cell.Cell{kernel("6.1", warning)}, 0, "6.1-amd64", ""},
		{"as the log has it", entry(`"warning [    1.5] hrtimer: interrupt took 7 ns"`, `from: "6.1"`), []*cell.Cell{kernel("6.1", warning)}, 0, "6.1-amd64", ""},
		{"no warning", entry("warning hrtimer interrupt took N ns", `from: "6.1"`), []*cell.Cell{kernel("6.1")}, 1, "", "no longer happens"},
		{"warnings are not watched", entry("warning hrtimer interrupt took N ns", `from: "6.1"`), []*cell.Cell{kernel("6.1", unwatched)}, 0, "", ""},
		{"nor are they here", entry("warning hrtimer interrupt took N ns", `from: "6.1"`), []*cell.Cell{host}, 0, "", ""},

		{"a dead cell stays one", entry("cell broken hang after N", `from: "6.1"`), []*cell.Cell{broken(kernel("6.1"), "hang after 60s"), kernel("7.0")}, 1, "6.1-amd64", "on 7.0-amd64: shorten"},
		{"a dead cell of another reason", entry("cell broken hang", `from: "6.1"`), []*cell.Cell{broken(kernel("6.1"), "flood")}, 3, "", ""},
		{"a cell that is not to be had", entry("cell unavailable no network", `from: "6.1"`), []*cell.Cell{away}, 3, "6.1-amd64", ""},
		{"and is, if it dies", entry("cell unavailable no network", `from: "6.1"`), []*cell.Cell{broken(kernel("6.1"), "hang")}, 1, "", "no longer happens"},
	} {
		j := judge(t, tt.list, tt.cells...)
		if got := j.Exit(); got != tt.exit {
			t.Errorf("%s: exit status %d, want %d", tt.name, got, tt.exit)
		}
		if len(j.Issues) == 0 {
			continue
		}
		i := j.Issues[0]
		if strings.Join(i.Happened, " ") != tt.happened || (i.Stale == "") != (tt.stale == "") || !strings.Contains(i.Stale, tt.stale) {
			t.Errorf("%s: got %+v", tt.name, i)
		}
	}
}

// TestPanic: the messages of the panic by which a cell died are part of that failure.
func TestPanic(t *testing.T) {
	const why = "Kernel panic - not syncing: Attempted to kill init!"
	c := broken(kernel("6.1"), "the kernel panicked: "+why)
	c.Records = append(c.Records, &record.Record{Type: record.TypeWarning, Why: "panic on the console: " + why})
	j := judge(t, entry("cell broken the kernel panicked Kernel panic - not syncing Attempted to kill init!", `from: "6.1"`), c)
	if j.Exit() != 3 || j.Cells[0].Issue == nil || j.Cells[0].Warnings[0].Issue != j.Cells[0].Issue {
		t.Errorf("exit status %d, %+v", j.Exit(), j.Cells[0])
	}
}

// TestImplementation: what is not Linux is in no range.
func TestImplementation(t *testing.T) {
	j := judge(t, entry("unexpected rootfs/pid1-pivot OK", `from: "1.0"`), kernel("6.1", fixture.Observed("rootfs/pid1-pivot", "OK")))
	if j.Exit() != 0 {
		t.Errorf("exit status %d", j.Exit())
	}
	base := fixture.Base(t)
	k, err := verdict.Judge(base, []*cell.Cell{kernel("6.1", fixture.Observed("rootfs/pid1-pivot", "OK"))}, "")
	if err != nil {
		t.Fatal(err)
	}
	k.Cells[0].Implementation = &knowledge.Implementation{ID: "other"}
	l, err := known.Parse("list", []byte(entry("unexpected rootfs/pid1-pivot OK", `from: "1.0"`)), base)
	if err != nil {
		t.Fatal(err)
	}
	if l.Apply(k); k.Exit() != 1 || len(k.Issues[0].Happened) > 0 {
		t.Errorf("exit status %d, %+v", k.Exit(), k.Issues[0])
	}
}

// TestExample: the list that is an example for users is free of mistakes, and about what the fixture shows.
func TestExample(t *testing.T) {
	b, err := os.ReadFile("testdata/known-issues.yaml")
	if err != nil {
		t.Fatal(err)
	}
	j := judge(t, string(b), fixture.Bad()...)
	want := map[string]string{
		"put-old-shared": "6.1-amd64 6.12-amd64 | ",
		"stays-behind":   "6.17-amd64 | 6.16-amd64 6.18-amd64 6.19-amd64 7.0-amd64 7.1-amd64",
		"warns":          "7.1-amd64 | 7.0-amd64",
		"dies":           "7.2-amd64 | ",
	}
	for _, i := range j.Issues {
		if got := strings.Join(i.Happened, " ") + " | " + strings.Join(i.Gone, " "); got != want[i.ID] {
			t.Errorf("%s: got %s, want %s", i.ID, got, want[i.ID])
		}
		if (i.Stale != "") != (i.ID == "stays-behind") {
			t.Errorf("%s: %s", i.ID, i.Stale)
		}
	}
}

// TestMistakes: every mistake is told, each with its line, all at once.
func TestMistakes(t *testing.T) {
	base := fixture.Base(t)
	const good = "- id: a\n  link: https://example.org/1\n  why: w\n  signature: missing moves/kernel-thread\n"
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"- id: a\n", []string{"line 1: a lacks its link", "line 1: a lacks its why", "line 1: a lacks its signature", "line 1: a lacks its range"}},
		{good + "  from: 6.1\n", []string{"line 5: from: want a kernel series in quotes"}},
		{good + "  from: \"six\"\n", []string{"line 5: from: want a kernel series in quotes"}},
		{good + "  from: \"6.10\"\n  to: \"6.9\"\n", []string{"line 5: the range of a ends before it begins: 6.10 is newer than 6.9"}},
		{good + "  since: \"6.10\"\n", []string{`line 5: "since" is no field`, "lacks its range"}},
		{good + "  to: \"6.10\"\n  id: b\n", []string{`line 6: mapping key "id" already defined at [1:3]`}},
		{good + "  to: \"6.10\"\n  arch: []\n  scenario: A B\n  intermittent: maybe\n", []string{"line 6: arch: want one name", `line 7: scenario: "A B" is no name`, "line 8: intermittent: want true or false"}},
		{good + "  to: \"6.10\"\n" + good + "  from: \"6.10\"\n", []string{"line 6: there is an entry a already, in line 1", "line 6: a has the signature of a in line 1"}},
		{strings.Replace(good, "https://example.org/1", "bug 1", 1) + "  to: \"6.10\"\n", []string{`line 2: link: "bug 1": want an address`}},
		{strings.Replace(good, "id: a", "id: a b", 1) + "  to: \"6.10\"\n", []string{`line 1: id: "a b": want letters`}},
		{strings.Replace(good, "why: w", "why:", 1) + "  to: \"6.10\"\n", []string{"line 3: why: want a text"}},
		{strings.Replace(good, "why: w", "why: [w]", 1) + "  to: \"6.10\"\n", []string{"line 3: why: want a text"}},
		{strings.Replace(good, "missing moves/kernel-thread", "missing moves/nothing", 1) + "  to: \"6.10\"\n", []string{"line 4: signature: there is no behaviour moves/nothing"}},
		{strings.Replace(good, "missing moves/kernel-thread", "gone moves/nothing", 1) + "  to: \"6.10\"\n", []string{`line 4: signature: no signature: "gone moves/nothing"`}},
		{strings.Replace(good, "missing moves/kernel-thread", "baseline moves/nothing OK -> EIO", 1) + "  to: \"6.10\"\n", []string{"line 4: signature: there is no behaviour moves/nothing"}},
		{"id: a\n", []string{"line 1: want a list"}},
		{"- a\n- [b]\n", []string{"line 1: want an entry", "line 2: want an entry"}},
		{"- a: [\n", []string{""}},
		{"- \x00\n", []string{""}},
	} {
		_, err := known.Parse("list", []byte(tt.text), base)
		e := (*known.Error)(nil)
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v", tt.text, err)
			continue
		}
		ok := len(e.Mistakes) == len(tt.want)
		for i := range e.Mistakes {
			ok = ok && strings.Contains(e.Mistakes[i], tt.want[i])
		}
		if !ok || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %q, want %q", tt.text, e.Mistakes, tt.want)
		}
	}
	// Disjoint ranges or architectures are no duplicates.
	other := strings.Replace(good, "id: a", "id: b", 1)
	for _, text := range []string{
		good + "  to: \"6.10\"\n" + other + "  from: \"6.11\"\n",
		good + "  to: \"6.10\"\n  arch: amd64\n" + other + "  to: \"6.10\"\n  arch: [arm64]\n",
		// What the baseline alone has, or the run alone, may have another pivotspec's name.
		strings.Replace(good, "missing moves/kernel-thread", "baseline moves/nothing OK -> (none)", 1) + "  to: \"6.10\"\n",
		"", "# nothing\n", "---\n",
	} {
		if _, err := known.Parse("list", []byte(text), base); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := known.Load("nowhere", base); err == nil || !strings.Contains(err.Error(), "known issues nowhere cannot be read: no such file") {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: a list of any content is either free of mistakes or says what they are in one line.
func FuzzParse(f *testing.F) {
	base := fixture.Base(f)
	b, err := os.ReadFile("testdata/known-issues.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("- id: a\n- ? [b]\n  : c\n- &x {id: *x}\n- <<: *x\n"))
	f.Add([]byte("- *x\n---\n- {signature: 1, from: null, arch: ~}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := known.Parse("list", b, base)
		if (l == nil) != (err != nil) {
			t.Fatalf("%v and %v", l, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("several lines: %q", err)
		}
	})
}
