package worlds

import (
	"errors"
	"fmt"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/suites/enumerate"
	"pivotspec/suites/record"
)

// Run is a request with the cells that were to compare its worlds.
type Run struct {
	Request enumerate.Request
	Cells   []*cell.Cell
}

// Split finds out whether cells are of runs that compared worlds, and which. It returns nil if they
// are of the suite. A cell whose guest did not get to say what it was asked for has no request of
// its own: it counts to the first run, of which it then lacks all worlds. Whole cells of
// the suite among them are an error: to account for either kind would pass over the other.
func Split(cells []*cell.Cell) ([]Run, error) {
	var runs []Run
	var mute []*cell.Cell
	for _, c := range cells {
		word, ok := asked(c)
		if !ok {
			mute = append(mute, c)
			continue
		}
		req, err := enumerate.Decode(word)
		if err != nil {
			return nil, fmt.Errorf("cell %s: %w", c.Name, err)
		}
		i := 0
		for i < len(runs) && runs[i].Request != req {
			i++
		}
		if i == len(runs) {
			runs = append(runs, Run{Request: req})
		}
		runs[i].Cells = append(runs[i].Cells, c)
	}
	if len(runs) == 0 {
		return nil, nil
	}
	for _, c := range mute {
		for _, r := range c.Records {
			if r.Type == record.TypeObservation {
				return nil, errors.New("it holds cells of the suite (" + c.Name + ") and cells of --exhaustive (" +
					runs[0].Cells[0].Name + "): give each kind a folder of its own")
			}
		}
	}
	runs[0].Cells = append(runs[0].Cells, mute...)
	return runs, nil
}

// asked returns the request that the kernel of a cell was booted with.
func asked(c *cell.Cell) (string, bool) {
	for _, r := range c.Records {
		if r.Type != record.TypeKernel || r.Kernel == nil {
			continue
		}
		for arg := range strings.FieldsSeq(r.Kernel.Cmdline) {
			if word, ok := strings.CutPrefix(arg, enumerate.Variable+"="); ok {
				return word, true
			}
		}
	}
	return "", false
}
