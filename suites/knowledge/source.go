package knowledge

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
)

// Location is a line of a file of this repository.
type Location struct {
	// File is its path from the root of the repository, with slashes.
	File string
	// Line counts from 1.
	Line int
}

var entryStart = regexp.MustCompile(`^- \{?id: "?([^\s",}]+)`)

// Sources returns by ID where each behaviour that is built into this program is declared.
func Sources() map[string]Location {
	out := map[string]Location{}
	for _, name := range dataFiles(data, "behaviours") {
		b, err := fs.ReadFile(data, name)
		if err != nil {
			continue // without it there is no behaviour either, which is Load's to say
		}
		n := 0
		for line := range bytes.Lines(b) {
			n++
			if m := entryStart.FindSubmatch(line); m != nil {
				out[string(m[1])] = Location{path.Join("suites/knowledge", name), n}
			}
		}
	}
	return out
}
