// Package programs is what the maker of an image and the specs agree on about real programs, such
// as pivot_root(8): a list of those that the image carries, each with the files that it needs or
// the reason why it is not there.
package programs

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
)

// List is the path of the list in an image.
const List = "/programs.json"

// Program is a line of the list.
type Program struct {
	// Name is what specs call it.
	Name string `json:"name"`
	// Path in the image, absolute.
	Path string `json:"path,omitempty"`
	// Files are the paths, absolute, of what it needs, itself included: regular files and
	// symbolic links.
	Files []string `json:"files,omitempty"`
	// Package that it came from, with its version, such as "util-linux 2.41".
	Package string `json:"package,omitempty"`
	// Absent says why it is not there, for people.
	Absent string `json:"absent,omitempty"`
}

// Format writes a list down.
func Format(list []Program) ([]byte, error) {
	b, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("programs: %w", err)
	}
	return append(b, '\n'), nil
}

// Parse reads what Format wrote.
func Parse(b []byte) ([]Program, error) {
	var list []Program
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("programs: the list of programs: %w", err)
	}
	for _, p := range list {
		for _, f := range append(slices.Clone(p.Files), p.Path) {
			if f != "" && (len(f) < 2 || f[0] != '/' || !fs.ValidPath(f[1:])) {
				return nil, fmt.Errorf("programs: program %s: %q is not the path of a file", p.Name, f)
			}
		}
		if p.Absent == "" && !slices.Contains(p.Files, p.Path) {
			return nil, fmt.Errorf("programs: program %s is neither there nor absent for a reason", p.Name)
		}
	}
	return list, nil
}

// Find returns the program of that name.
func Find(list []Program, name string) (Program, bool) {
	i := slices.IndexFunc(list, func(p Program) bool { return p.Name == name })
	if i < 0 {
		return Program{}, false
	}
	return list[i], true
}
