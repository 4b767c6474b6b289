package change

import (
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/signature"
	"pivotspec/results/verdict"
)

// warnings compares what the two kernels logged while the suite ran, but for what is known to be harmless. Messages
// are the same if their signatures are: addresses, numbers and times are none of them.
func (p *Pair) warnings() {
	was, is := logged(p.Old), logged(p.New)
	// What a cell that was cut short did not log it may yet have logged.
	for _, w := range is {
		if p.Old.Status == cell.Complete && !has(was, w) {
			text := text(w)
			if !p.Old.Cell.Covers(p.New.Cell) {
				p.Gaps = append(p.Gaps, Gap{Title: "the kernel's log", Reason: NotAsked, Old: "fewer behaviours", New: text, Open: true})
				continue
			}
			p.Changes = append(p.Changes, Change{
				Title: "the kernel's log", Kind: Warns, Stops: true, New: text,
				Says: "the kernel logs a warning now: " + text, Unexpected: []string{"the warning is not known to be harmless"},
			})
		}
	}
	// Where nobody looks at the log, as on a machine of somebody else's, there is nothing in it to be missed.
	for _, w := range was {
		if p.New.Status == cell.Complete && p.New.Watched() && !has(is, w) {
			text := text(w)
			if !p.New.Cell.Covers(p.Old.Cell) {
				p.Gaps = append(p.Gaps, Gap{Title: "the kernel's log", Reason: NotAsked, Old: text, New: "fewer behaviours"})
				continue
			}
			p.Changes = append(p.Changes, Change{Title: "the kernel's log", Kind: Quiet, Old: text, Says: "the kernel no longer logs: " + text})
		}
	}
}

// logged returns the warnings of a cell that are not known to be harmless, each once.
func logged(c *verdict.CellResult) []signature.Found {
	var out []signature.Found
	for _, f := range signature.OfCell(c) {
		if f.Signature.Kind == signature.Warning && !has(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func has(list []signature.Found, f signature.Found) bool {
	return slices.ContainsFunc(list, func(o signature.Found) bool { return o.Signature == f.Signature })
}

// text is the warning as it was logged, in one line.
func text(f signature.Found) string {
	var lines []string
	for _, w := range f.Warnings {
		lines = append(lines, OneLine(w.Text))
	}
	const most = 3
	if len(lines) > most {
		lines = append(lines[:most], "...")
	}
	return strings.Join(lines, "; ")
}
