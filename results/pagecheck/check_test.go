package pagecheck

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jedib0t/go-pretty/v6/text"

	"pivotspec/kernels"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/page"
	"pivotspec/results/report"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

var ofSentence = regexp.MustCompile(`"of: ([^"]*)"`)

// invented returns the fixture's knowledge with the claims of invented pages.
func invented(t *testing.T) (*knowledge.Base, map[string]knowledge.Sketch) {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(fixture.Files(t), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fixture.Files(t), path)
		files[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := os.ReadFile("testdata/claims.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sketches := map[string]knowledge.Sketch{}
	claims = ofSentence.ReplaceAllFunc(claims, func(m []byte) []byte {
		s := string(ofSentence.FindSubmatch(m)[1])
		fp := knowledge.Fingerprint(s)
		sketches[fp] = knowledge.SketchOf(s)
		return fmt.Appendf(nil, "%q", fp)
	})
	files["claims.yaml"] = &fstest.MapFile{Data: claims}
	base, err := knowledge.LoadFS(files)
	if err != nil {
		t.Fatal(err)
	}
	return base, sketches
}

func source(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func check(t *testing.T, src, edition string, cells []*cell.Cell) *Report {
	t.Helper()
	p, err := page.Parse(t.Context(), "FILE", strings.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	base, sketches := invented(t)
	r, err := Check(base, sketches, p, cells, edition)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// gist says what a report comes to, without what is known and without the silence.
func gist(r *Report) []string {
	var out []string
	for _, s := range r.Statements {
		var ids []string
		for _, c := range s.Claims {
			ids = append(ids, c.ID)
		}
		switch s.Status {
		case Changed:
			out = append(out, fmt.Sprintf("changed %s %s: %s", s.place, s.Was.Place, strings.Join(ids, " ")))
		case Unknown:
			out = append(out, "unknown "+s.place)
		}
	}
	for _, c := range r.Vanished {
		out = append(out, "vanished "+c.ID)
	}
	for range r.Skipped {
		out = append(out, "skipped")
	}
	return append(out, fmt.Sprintf("%s exit %d", r.Edition.ID, r.Exit))
}

// broken returns cells of which one did not observe a behaviour.
func broken(id string) []*cell.Cell {
	cells := fixture.Good()
	fixture.Replace(cells[3], &record.Record{Type: record.TypeObservation, ID: id, Status: record.Broken, Why: "no luck"})
	return cells
}

func TestCheck(t *testing.T) {
	odd := fixture.Good()
	fixture.Replace(odd[5], fixture.Observed("eperm/no-cap-sys-admin", "EIO", "control", "OK"))
	for _, c := range []struct {
		name     string
		old, new string // replaced in new.2
		edition  string
		cells    []*cell.Cell
		want     []string
	}{
		{name: "as it is", want: []string{"6.20 exit 0"}},
		{name: "fonts and line breaks", old: "The caller has no\n.BR CAP_SYS_ADMIN .", new: "The\ncaller has\\~no \\fICAP_SYS_ADMIN\\fP.", want: []string{"6.20 exit 0"}},
		{name: "reworded", old: "The events of\n.I put_old\nare shared with other mounts.", new: "The events of\n.I put_old\nreach other mounts.",
			want: []string{"changed ERRORS, EINVAL 2 ERRORS, EINVAL 2: errors/einval-shared", "6.20 exit 1"}},
		{name: "reworded out of sight", old: "The events of\n.I put_old\nare shared with other mounts.", new: "Wholly new.",
			want: []string{"unknown ERRORS, EINVAL 2", "vanished errors/einval-shared", "6.20 exit 1"}},
		{name: "negated", old: "The caller has no\n", new: "The caller has\n",
			want: []string{"changed ERRORS, EPERM 1 ERRORS, EPERM: errors/eperm", "6.20 exit 1"}},
		{name: "added before others of its name", old: ".TP\n.B EINVAL\nOne", new: ".TP\n.B EINVAL\nIt rains.\n.TP\n.B EINVAL\nOne",
			want: []string{"unknown ERRORS, EINVAL 1", "6.20 exit 1"}},
		{name: "added to an entry", old: "The machine still", new: "It rains.\nThe machine still",
			want: []string{"unknown ERRORS, EINVAL 3", "6.20 exit 1"}},
		{name: "removed", old: ".TP\n.B EPERM\nThe caller has no\n.BR CAP_SYS_ADMIN .\n", new: "",
			want: []string{"vanished errors/eperm", "6.20 exit 1"}},
		{name: "another errno", old: ".B EPERM\n", new: ".B EACCES\n",
			want: []string{"changed ERRORS, EACCES 1 ERRORS, EPERM: errors/eperm", "6.20 exit 1"}},
		{name: "another section", old: ".SH SEE ALSO", new: ".SH NOTES\nThe machine still runs from its initramfs.\n.SH SEE ALSO",
			want: []string{"changed NOTES 1 ERRORS, EINVAL 3: errors/einval-rootfs", "6.20 exit 1"}},
		{name: "quoting another edition", old: ".SH SEE ALSO", new: ".PP\nThe machine still runs from its initramfs:\n.RS\nThere is a mount on\n.IR put_old .\n.RE\n.SH SEE ALSO",
			want: []string{"changed ERRORS 2 ERRORS, EINVAL 3: errors/einval-rootfs", "6.20 exit 1"}},
		{name: "hidden in an indented text", old: "already.\n", new: "already:\n.RS\nIt rains.\n.RE\n",
			want: []string{"unknown ERRORS, EBUSY, indented", "6.20 exit 1"}},
		{name: "said twice", old: "The machine still runs", new: "The machine still runs from its initramfs.\nThe machine still runs",
			want: []string{"6.20 exit 0"}},
		{name: "wording of another edition", old: "The mount of\n.I new_root\nis that of the root already.", new: "There is a mount on\n.IR put_old .",
			want: []string{"vanished errors/ebusy", "6.20 exit 1"}},
		{name: "near the wording of another edition", old: "The mount of\n.I new_root\nis that of the root already.", new: "There is one more mount on\n.IR put_old .",
			want: []string{"changed ERRORS, EBUSY 1 ERRORS, EBUSY: errors/ebusy-mounted", "vanished errors/ebusy", "6.20 exit 1"}},
		{name: "an edition that is asked for", edition: "4.10",
			want: []string{"vanished description/may-move", "vanished errors/ebusy-mounted", "4.10 exit 1"}},
		{name: "something is not read", old: ".SH SEE ALSO", new: ".XX lost\n.SH SEE ALSO", want: []string{"skipped", "6.20 exit 1"}},
		{name: "not all is observed", cells: broken("eperm/no-cap-sys-admin"), want: []string{"6.20 exit 3"}},
		{name: "not observed, but not asked for", cells: broken("rootfs/umount-root"), want: []string{"6.20 exit 0"}},
		{name: "something unexpected", cells: odd, want: []string{"6.20 exit 1"}},
		{name: "no records", cells: []*cell.Cell{}, want: []string{"6.20 exit 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := source(t, "new.2")
			if !strings.Contains(src, c.old) {
				t.Fatalf("new.2 has no %q", c.old)
			}
			if c.old != "" {
				src = strings.Replace(src, c.old, c.new, 1)
			}
			cells := c.cells
			if cells == nil {
				cells = fixture.Good()
			}
			if got := gist(check(t, src, c.edition, cells)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestTruth checks what is said of claims on kernels, where a false word would be believed.
func TestTruth(t *testing.T) {
	cells := broken("eperm/no-cap-sys-admin")
	fixture.Replace(cells[0], &record.Record{Type: record.TypeObservation, ID: "einval/put-old-mount-shared", Status: record.Unsupported, Why: "no"})
	r := check(t, source(t, "new.2"), "", cells)
	got := map[string]string{}
	for _, s := range r.Statements {
		for _, c := range s.Claims {
			got[c.ID] = c.Kernels
		}
	}
	for id, want := range map[string]string{
		"errors/ebusy":         "holds on 5.10–7.3",
		"errors/einval-rootfs": "5.10–6.19 holds; does not hold (rootfs/pid1-pivot OK) since 7.0",
		"description/moves":    "5.10–7.2 holds; does not hold (moves/kernel-thread OK) since 7.3",
		"errors/eperm":         "5.10–6.12 holds; 6.16 not observed (eperm/no-cap-sys-admin); holds since 6.17",
		// It is not known to need anything, so that this is no excuse.
		"errors/einval-shared": "5.10 unexpected result (einval/put-old-mount-shared); holds since 6.1",
		"name/swaps":           "",
	} {
		if got[id] != want {
			t.Errorf("%s: got %q, want %q", id, got[id], want)
		}
	}
	if n := r.Counts; n.Contradicted != 2 || n.Unobserved != 1 || n.Unexpected != 1 {
		t.Errorf("counts %+v", n)
	}
}

// TestManyCells: other architectures that agree change no verdict, and what is no Linux
// is no evidence.
func TestManyCells(t *testing.T) {
	base, _ := invented(t)
	cells := fixture.Many(base, fixture.Good())
	fixture.Replace(fixture.Find(cells, "gvisor-amd64"), fixture.Observed("einval/put-old-mount-shared", "OK"))
	few, many := check(t, source(t, "new.2"), "", fixture.Good()), check(t, source(t, "new.2"), "", cells)
	if few.Counts != many.Counts || few.Exit != many.Exit {
		t.Errorf("got %+v, exit %d, want %+v, exit %d", many.Counts, many.Exit, few.Counts, few.Exit)
	}
	var out bytes.Buffer
	if err := Render("term", &out, many, report.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"on 48 kernels", "OK since 7.0, on all architectures"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
}

func TestCheckUnknownEdition(t *testing.T) {
	base, sketches := invented(t)
	if _, err := Check(base, sketches, &page.Page{}, nil, "7.77"); err == nil {
		t.Error("no error")
	}
}

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name, page, format string
		o                  report.Options
	}{
		{"new.txt", "new.2", "term", report.Options{}},
		{"mdoc.txt", "mdoc.2", "term", report.Options{}},
		{"edited-80.txt", "edited.2", "term", report.Options{Width: 80}},
		{"edited-80-ascii.txt", "edited.2", "term", report.Options{Width: 80, ASCII: true}},
		{"edited-120-colour.txt", "edited.2", "term", report.Options{Width: 120, Colour: true}},
		{"edited.json", "edited.2", "json", report.Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Render(c.format, &out, check(t, source(t, c.page), "", fixture.Good()), c.o); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", c.name)
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := source(t, c.name); want != out.String() {
				t.Errorf("%s differs: look at it with go test -update and git diff. Got:\n%s", golden, out.String())
			}
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if w := text.StringWidthWithoutEscSequences(line); c.o.Width > 0 && w > c.o.Width {
					t.Errorf("%d columns wide, want at most %d: %s", w, c.o.Width, line)
				}
				if c.o.ASCII && strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e }) {
					t.Errorf("not ASCII: %s", line)
				}
			}
		})
	}
}

func TestRenderUnknownFormat(t *testing.T) {
	if err := Render("odt", &bytes.Buffer{}, &Report{}, report.Options{}); err == nil {
		t.Error("no error")
	}
}

// TestEditions checks the editions themselves, as far as they are in the cache of kernels,
// against what is known of them: every statement is a claim of theirs and none is gone.
func TestEditions(t *testing.T) {
	dir, err := kernels.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "pages", "*", "pivot_root.2*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no page in the cache: `pivotspec page fetch` brings them")
	}
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	sketches, err := knowledge.Sketches()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		edition := filepath.Base(filepath.Dir(path))
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := page.Parse(t.Context(), path, f)
		f.Close()
		if err != nil {
			t.Error(err)
			continue
		}
		r, err := Check(base, sketches, p, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := gist(r); !slices.Equal(got, []string{edition + " exit 3"}) { // 3: there are no records
			t.Errorf("%s: %s", edition, strings.Join(got, "\n"))
		}
		// Every claim stands where it is said to.
		places := map[knowledge.Place]bool{}
		for _, s := range p.Statements {
			places[knowledge.Place{Section: s.Section, Item: s.Item, Nth: s.Nth, Fingerprint: s.Fingerprint}] = true
		}
		for i := range base.Claims {
			if at, ok := base.Claims[i].In(edition); ok && !places[at] {
				t.Errorf("%s: %s: the page has no %s (%s)", edition, base.Claims[i].ID, at, at.Fingerprint)
			}
		}
	}
}
