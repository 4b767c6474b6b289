package baseline

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"

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
	var cells []*cell.Cell
	for _, name := range files {
		f, err := recorded.Open(name)
		if err != nil {
			return nil, err
		}
		c, err := cell.Decode(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("baseline: %s: %w", name, err)
		}
		cells = append(cells, c)
	}
	slices.SortStableFunc(cells, cell.Compare)
	return cells, nil
}
