package change

import (
	"regexp"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// volatile is what differs between two logs of the same message: addresses, numbers, times.
var volatile = regexp.MustCompile(`0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8,}\b|[0-9]+`)

// warnings compares what the two kernels logged while the suite ran, but for what is known to be harmless.
func (p *Pair) warnings() {
	was, is := unknown(p.Old), unknown(p.New)
	// What a cell that was cut short did not log it may yet have logged.
	for _, w := range is {
		if p.Old.Status == cell.Complete && !has(was, w) {
			p.Changes = append(p.Changes, Change{
				Title: "kernel log", Kind: Warns, Stops: true, New: w,
				Says: "the kernel warned of nothing of the kind, and logs now: " + w, Unexpected: []string{"the warning is not known to be harmless"},
			})
		}
	}
	for _, w := range was {
		if p.New.Status == cell.Complete && !has(is, w) {
			p.Changes = append(p.Changes, Change{Title: "kernel log", Kind: Quiet, Old: w, Says: "the kernel no longer logs: " + w})
		}
	}
}

// unknown returns the messages of a cell that are not known to be harmless, each once.
func unknown(c *verdict.CellResult) []string {
	var out []string
	for _, w := range c.Warnings {
		if text := oneLine(w.Text); w.Known == nil && !has(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// has says whether a list has a message, whatever its numbers.
func has(list []string, text string) bool {
	for _, l := range list {
		if volatile.ReplaceAllString(l, "#") == volatile.ReplaceAllString(text, "#") {
			return true
		}
	}
	return false
}
