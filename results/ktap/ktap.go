// Package ktap writes what a guest reports, while it does, as the Kernel Test Anything Protocol
// that the kernel's own tests speak (Documentation/dev-tools/ktap.rst of the kernel): one test an
// area, with one subtest a behaviour, and a last one for the guest as a whole.
//
// A behaviour is ok if it is as expected on the kernel that runs, be it as the page says or a
// known deviation; a diagnostic line says which. It is skipped if it is unsupported, and not ok
// otherwise: nothing that was not seen passes.
package ktap

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// Version is the first line of each level.
const Version = "KTAP version 1"

// Guest is the name of the last test: whether the guest reported to its end, and whether the
// kernel warned of nothing that is not known.
const Guest = "guest"

const indent = "  "

// Writer turns records into KTAP. Its methods must not be called at the same time.
type Writer struct {
	out  io.Writer
	base *knowledge.Base
	cell cell.Cell

	groups []group
	next   int // index of the group to be written next
	seen   map[string]bool
	begun  bool
	closed bool
	exit   int
	err    error
}

// group is the behaviours of an area that are planned.
type group struct {
	area string
	ids  []string
}

// New returns a writer that has records judged by what is known. arch is Debian's name of the
// architecture.
func New(out io.Writer, base *knowledge.Base, arch string) *Writer {
	return &Writer{
		out: out, base: base, seen: map[string]bool{},
		// Whatever machine it is, it is not pivotspec's.
		cell: cell.Cell{Name: "here", Arch: arch, Backend: cell.HostBackend, Status: cell.Complete},
	}
}

// Record takes the next record.
func (w *Writer) Record(r *record.Record) {
	if w.closed {
		return
	}
	w.cell.Records = append(w.cell.Records, r)
	switch r.Type {
	case record.TypePlan:
		w.plan(r.Plan)
	case record.TypeKernel:
		if r.Kernel != nil {
			w.comment("", fmt.Sprintf("Linux %s, %s, %s endian, pages of %d bytes", r.Kernel.Release, r.Kernel.Machine, r.Kernel.Endian, r.Kernel.PageSize))
		}
	case record.TypeNote:
		w.comment("", r.Why)
	case record.TypeObservation:
		w.seen[r.ID] = true
		w.flush(false)
	}
}

// Comment writes a diagnostic line.
func (w *Writer) Comment(text string) { w.comment("", text) }

// Close writes what is left, and returns the exit status that the whole calls for: one of those of
// package verdict. err, if not nil, is why the guest did not report to its end. A report without
// its end, or without anything, is not ok in any case.
func (w *Writer) Close(err error) (exit int, failed error) {
	if w.closed {
		return w.exit, w.err
	}
	if !w.begun {
		w.plan(nil)
	}
	w.flush(true)
	w.closed = true
	w.guest(err)
	return w.exit, w.err
}

// plan begins the output.
func (w *Writer) plan(ids []string) {
	if w.begun {
		return
	}
	w.begun = true
	at := map[string]int{}
	for i := range w.base.Areas {
		at[w.base.Areas[i].ID] = i
	}
	byArea := map[string][]string{}
	for _, id := range ids {
		area, _, _ := strings.Cut(id, "/")
		byArea[area] = append(byArea[area], id)
	}
	for area, ids := range byArea {
		w.groups = append(w.groups, group{area, ids})
	}
	rank := func(g group) int {
		if i, ok := at[g.area]; ok {
			return i
		}
		return len(at)
	}
	slices.SortFunc(w.groups, func(a, b group) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.area, b.area)) })
	order := map[string]int{}
	for i := range w.base.Behaviours {
		order[w.base.Behaviours[i].ID] = i + 1
	}
	for _, g := range w.groups {
		slices.SortFunc(g.ids, func(a, b string) int { return cmp.Or(cmp.Compare(order[a], order[b]), cmp.Compare(a, b)) })
	}
	w.print("%s\n1..%d\n", Version, len(w.groups)+1)
}

// flush writes the groups in turn of which everything is reported, or all of them.
func (w *Writer) flush(all bool) {
	for ; w.next < len(w.groups); w.next++ {
		g := w.groups[w.next]
		if !all && slices.ContainsFunc(g.ids, func(id string) bool { return !w.seen[id] }) {
			return
		}
		w.group(w.next+1, g)
	}
}

// group writes the test of an area.
func (w *Writer) group(n int, g group) {
	results, err := w.judge(g)
	if err != nil {
		w.err = cmp.Or(w.err, err)
	}
	w.print("%s%s\n%s1..%d\n", indent, Version, indent, len(g.ids))
	ok, skipped := true, true
	for i, id := range g.ids {
		r := results[id]
		if r == nil {
			r = &verdict.Result{Behaviour: id, Verdict: verdict.Missing, Wrong: []string{"not judged"}}
		}
		pass, skip := w.result(i+1, r)
		ok, skipped = ok && pass, skipped && skip
	}
	switch {
	case !ok:
		w.print("not ok %d %s\n", n, g.area)
	case skipped:
		// Nothing was seen, so it must not read as a pass.
		w.print("ok %d %s # SKIP all of it\n", n, g.area)
	default:
		w.print("ok %d %s\n", n, g.area)
	}
}

// result writes the test of a behaviour.
func (w *Writer) result(n int, r *verdict.Result) (pass, skip bool) {
	why := text(strings.Join(r.Wrong, "; "))
	switch r.Verdict {
	case verdict.Conforms, verdict.Silent:
	case verdict.Deviation:
		w.comment(indent, fmt.Sprintf("%s: known deviation from page %s: %s%s", r.Behaviour, w.base.Current().ID, r.Outcome, reasonOf(r.Entry)))
	case verdict.Unsupported:
		w.print("%sok %d %s # SKIP %s\n", indent, n, r.Behaviour, why)
		return true, true
	case verdict.Unexpected:
		w.exit = verdict.ExitUnexpected
		for _, line := range r.Wrong {
			w.comment(indent, r.Behaviour+": unexpected: "+line)
		}
		if r.Expected != "" {
			w.comment(indent, r.Behaviour+": expected "+r.Expected)
		}
		w.print("%snot ok %d %s\n", indent, n, r.Behaviour)
		return false, false
	default:
		w.fail()
		w.print("%snot ok %d %s # ERROR %s: %s\n", indent, n, r.Behaviour, r.Verdict, why)
		return false, false
	}
	w.print("%sok %d %s\n", indent, n, r.Behaviour)
	return true, false
}

// guest writes the last test.
func (w *Writer) guest(err error) {
	results, jerr := verdict.Judge(w.base, []*cell.Cell{&w.cell}, "")
	if jerr != nil {
		w.err = cmp.Or(w.err, jerr)
	}
	broken := ""
	switch {
	case err != nil:
		broken = err.Error()
	case jerr != nil:
		broken = jerr.Error()
	case results.Cells[0].Status != cell.Complete:
		broken = results.Cells[0].Reason
	case len(w.seen) == 0:
		broken = "nothing was reported"
	default:
		// What was not planned has no test of its own.
		for _, r := range results.Cells[0].Results {
			planned := func(g group) bool { return slices.Contains(g.ids, r.Behaviour) }
			if w.seen[r.Behaviour] && !slices.ContainsFunc(w.groups, planned) {
				broken = r.Behaviour + " was reported and not planned"
				break
			}
		}
	}
	ok := true
	if jerr == nil {
		for _, x := range results.Cells[0].Warnings {
			if x.Known == nil {
				ok = false
				w.exit = verdict.ExitUnexpected
				w.comment("", "the kernel warns: "+x.Text)
			}
		}
	}
	n := len(w.groups) + 1
	switch {
	case broken != "":
		w.fail()
		w.print("not ok %d %s # ERROR %s\n", n, Guest, text(broken))
	case !ok:
		w.print("not ok %d %s\n", n, Guest)
	default:
		w.print("ok %d %s\n", n, Guest)
	}
}

// fail notes that something could not be done, which something unexpected wins over.
func (w *Writer) fail() {
	if w.exit == verdict.ExitOK {
		w.exit = verdict.ExitBroken
	}
}

// judge returns the verdicts on a group.
func (w *Writer) judge(g group) (map[string]*verdict.Result, error) {
	wanted := map[string]bool{}
	for _, id := range g.ids {
		wanted[id] = true
	}
	// Without those of other areas: what is not there costs next to nothing.
	c := w.cell
	c.Records = nil
	for _, r := range w.cell.Records {
		switch r.Type {
		case record.TypePlan:
			part := *r
			part.Plan = g.ids
			c.Records = append(c.Records, &part)
		case record.TypeKernel:
			c.Records = append(c.Records, r)
		case record.TypeObservation:
			if wanted[r.ID] {
				c.Records = append(c.Records, r)
			}
		}
	}
	j, err := verdict.Judge(w.base, []*cell.Cell{&c}, "")
	if err != nil {
		return nil, err
	}
	out := map[string]*verdict.Result{}
	for _, r := range j.Cells[0].Results {
		out[r.Behaviour] = r
	}
	return out, nil
}

func reasonOf(e *knowledge.Entry) string {
	if e == nil {
		return ""
	}
	return " " + e.Range() + ": " + e.Reason
}

func (w *Writer) comment(indent, s string) {
	if !w.begun {
		return // the version comes first
	}
	w.print("%s# %s\n", indent, text(s))
}

// text makes s fit for a line: printable, without what begins a directive.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '#':
			return '%'
		case r < ' ' || r == 0x7f:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return cmp.Or(strings.Join(strings.Fields(s), " "), "no reason given")
}

// print writes; the first error is kept.
func (w *Writer) print(format string, args ...any) {
	var b bytes.Buffer
	fmt.Fprintf(&b, format, args...)
	if _, err := w.out.Write(b.Bytes()); err != nil && w.err == nil {
		w.err = err
	}
}
