package baseline

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"pivotspec/results/cell"
)

//go:embed */*.jsonl
var recorded embed.FS

// Recorded returns the baselines of all architectures that are built into this program, in
// the order of [cell.Compare].
func Recorded() ([]*cell.Cell, error) {
	files, err := fs.Glob(recorded, "*/*"+cell.Extension)
	if err != nil {
		return nil, err
	}
	cells, errs := make([]*cell.Cell, len(files)), make([]error, len(files))
	var wait sync.WaitGroup
	for i, name := range files {
		wait.Go(func() { cells[i], errs[i] = open(name) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortStableFunc(cells, cell.Compare)
	return cells, nil
}

// open reads a cell that is built in.
func open(name string) (*cell.Cell, error) {
	f, err := recorded.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := cell.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("baseline: %s: %w", name, err)
	}
	return c, nil
}
