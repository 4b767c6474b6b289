package report

import (
	"fmt"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/signature"
	"pivotspec/results/verdict"
	"pivotspec/suites/record"
)

// failures are the signatures of all that is not as expected in a judgement, by what it is of: the formats for
// programs that watch over kernels have them ready to be copied into a list of known issues.
type failures struct {
	results  map[*verdict.Result]string
	warnings map[*verdict.Warning]string
	cells    map[*verdict.CellResult]string
	// differences are those from the baseline.
	differences map[*verdict.Difference]string
	// traces are the kernel's messages of each cell, those of a back trace together.
	traces map[*verdict.CellResult][]signature.Found
}

func failuresOf(j *verdict.Judgement) *failures {
	f := &failures{
		results: map[*verdict.Result]string{}, warnings: map[*verdict.Warning]string{},
		cells: map[*verdict.CellResult]string{}, differences: map[*verdict.Difference]string{}, traces: map[*verdict.CellResult][]signature.Found{},
	}
	for _, x := range signature.Of(j) {
		s := x.Signature.String()
		if x.Difference != nil {
			f.differences[x.Difference] = s
		}
		if x.Result != nil {
			f.results[x.Result] = s
		}
		for _, w := range x.Warnings {
			f.warnings[w] = s
		}
		switch x.Signature.Kind {
		case signature.Cell:
			f.cells[x.Cell] = s
		case signature.Warning:
			f.traces[x.Cell] = append(f.traces[x.Cell], x)
		}
	}
	return f
}

// about says in one line which kernel a cell ran.
func about(c *verdict.CellResult) string {
	k := c.Cell.Kernel
	version := release(c)
	if version == "" {
		version = oneLine(k.Version)
	}
	if version == "" {
		version = "kernel of series " + c.Series.String()
		if c.Series.IsZero() {
			version = "unknown kernel"
		}
	}
	parts := []string{version, c.Cell.Line().String()}
	if k.Package != "" {
		parts = append(parts, strings.TrimSpace(k.Package+" "+k.PackageVersion))
	}
	if k.SHA256 != "" {
		parts = append(parts, "sha256 "+k.SHA256)
	}
	return oneLine(strings.Join(parts, ", "))
}

// reason says in one line why a cell is not complete; "" of one that is.
func reason(c *verdict.CellResult) string {
	if c.Status == cell.Complete {
		return ""
	}
	return fmt.Sprintf("%s: %s", c.Status, oneLine(c.Reason))
}

// consoleLines bounds the lines of a console that are shown: the cell's file has them all.
const consoleLines = 40

// console returns the end of the console of a cell that is not complete, line by line.
func console(c *verdict.CellResult) []string {
	if c.Status == cell.Complete || c.Cell.Console == "" {
		return nil
	}
	lines := strings.Split(strings.TrimRight(c.Cell.Console, "\n"), "\n")
	if n := len(lines) - consoleLines; n > 0 {
		lines = lines[n:]
	}
	return lines
}

// micros returns how long each behaviour took in the guest, by ID, as far as it was recorded.
func micros(c *verdict.CellResult) map[string]int64 {
	out := map[string]int64{}
	for _, r := range c.Cell.Records {
		if r.Type == record.TypeObservation {
			out[r.ID] = r.Micros
		}
	}
	return out
}

// nothing says why a judgement is worth nothing as a whole, "" if it is worth something.
func nothing(j *verdict.Judgement) string {
	switch {
	case len(j.Cells) == 0:
		return "no cell to judge"
	case !j.Observed():
		return "nothing was observed"
	}
	return ""
}

// issueWords names a known issue in one line.
func issueWords(i *verdict.Issue) string {
	return fmt.Sprintf("known issue %s (%s): %s", i.ID, i.Link, i.Why)
}

// became says in one line what became of a known issue in a judgement.
func became(i *verdict.Issue) string {
	switch {
	case i.Stale != "":
		return i.Stale
	case len(i.Happened) > 0:
		return "it happened on " + strings.Join(i.Happened, ", ")
	case len(i.Gone) > 0:
		return "it did not happen this time"
	}
	return "no cell could show it: it is listed for kernels " + i.Kernels
}
