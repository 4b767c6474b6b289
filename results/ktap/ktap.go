// Package ktap writes what a guest reports, while it does, as the Kernel Test Anything Protocol
// that the kernel's own tests speak (Documentation/dev-tools/ktap.rst of the kernel): one test an
// area, with one subtest a behaviour, and a last one for the guest as a whole. Its lines, [Lines], are also
// those of the report on a run of many cells.
//
// A behaviour is ok if it is as expected on the kernel that runs, be it as the page says or a
// known deviation; a diagnostic line says which. It is skipped if it is unsupported, and not ok
// otherwise: nothing that was not seen passes.
package ktap

import (
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

// Writer turns records into KTAP. Its methods must not be called at the same time.
type Writer struct {
	*Lines
	base *knowledge.Base
	cell cell.Cell

	groups []group
	next   int // index of the group to be written next
	seen   map[string]bool
	begun  bool
	closed bool
	exit   int
	failed error // of the judgement, which comes before that of the output
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
		Lines: NewLines(out), base: base, seen: map[string]bool{},
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
			w.Comment(fmt.Sprintf("Linux %s, %s, %s endian, pages of %d bytes", r.Kernel.Release, r.Kernel.Machine, r.Kernel.Endian, r.Kernel.PageSize))
		}
	case record.TypeNote:
		w.Comment(r.Why)
	case record.TypeObservation:
		w.seen[r.ID] = true
		w.flush(false)
	}
}

// Comment writes a diagnostic line.
func (w *Writer) Comment(text string) {
	if w.begun { // the version comes first
		w.Lines.Comment(0, text)
	}
}

// Close writes what is left, and returns the exit status that the whole calls for: one of those of
// package verdict. err, if not nil, is why the guest did not report to its end. A report without
// its end, or without anything, is not ok in any case.
func (w *Writer) Close(err error) (exit int, failed error) {
	if w.closed {
		return w.exit, cmp.Or(w.failed, w.Err())
	}
	if !w.begun {
		w.plan(nil)
	}
	w.flush(true)
	w.closed = true
	w.guest(err)
	return w.exit, cmp.Or(w.failed, w.Err())
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
	w.Begin(0, len(w.groups)+1)
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
		w.failed = cmp.Or(w.failed, err)
	}
	w.Begin(1, len(g.ids))
	ok, skipped := true, true
	for i, id := range g.ids {
		r := results[id]
		if r == nil {
			r = &verdict.Result{Behaviour: id, Verdict: verdict.Missing, Wrong: []string{"not judged"}}
		}
		switch r.Verdict {
		case verdict.Unexpected:
			w.exit = verdict.ExitUnexpected
		case verdict.Broken, verdict.Missing:
			w.fail()
		}
		ok = w.Result(1, i+1, w.base, w.base.Current().ID, r) && ok
		skipped = skipped && r.Verdict == verdict.Unsupported
	}
	if ok && skipped {
		// Nothing was seen, so it must not read as a pass.
		w.Test(0, n, g.area, Skip, "all of it")
		return
	}
	w.Test(0, n, g.area, passed(ok), "")
}

// guest writes the last test.
func (w *Writer) guest(err error) {
	results, jerr := verdict.Judge(w.base, []*cell.Cell{&w.cell}, "")
	if jerr != nil {
		w.failed = cmp.Or(w.failed, jerr)
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
	case !slices.ContainsFunc(results.Cells[0].Results, func(r *verdict.Result) bool { return w.seen[r.Behaviour] && r.Verdict != verdict.Unsupported }):
		broken = "nothing was observed: all of it is unsupported"
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
	if broken != "" {
		w.fail()
	}
	var warnings []verdict.Warning
	if jerr == nil {
		warnings = results.Cells[0].Warnings
	}
	if slices.ContainsFunc(warnings, func(x verdict.Warning) bool { return x.Unknown() }) {
		w.exit = verdict.ExitUnexpected
	}
	w.GuestTest(0, len(w.groups)+1, broken, warnings, nil)
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
