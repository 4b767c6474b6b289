// Package kmod is what the maker of an image and its init agree on about kernel modules: a list
// of those that the suite can use, in the order in which to load them, each with its file or
// the reason why there is none.
package kmod

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Dir is the folder of the image that holds the modules, List the path of the list.
const (
	Dir  = "/modules"
	List = Dir + "/list.json"
)

// Wanted are the modules that specs can make use of, in the order in which they are loaded.
func Wanted() []string { return []string{"loop", "overlay", "squashfs", "erofs", "ext4"} }

// Module is a line of the list.
type Module struct {
	// Name is the module's own, with underscores.
	Name string `json:"name"`
	// File is its name in [Dir]; "" if there is none.
	File string `json:"file,omitempty"`
	// Needs are the modules that have to be loaded first; they are in the list, before it.
	Needs []string `json:"needs,omitempty"`
	// Absent says why there is no file, for people.
	Absent string `json:"absent,omitempty"`
	// Failed is the symbol of the errno with which the kernel refused it, set by init.
	Failed string `json:"failed,omitempty"`
}

// Name returns the module's own name for that of a file, such as "nls_cp437" for
// "nls-cp437.ko.xz": what is a dash in one place is an underscore in another.
func Name(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// Format writes a list down.
func Format(list []Module) ([]byte, error) {
	b, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("kmod: %w", err)
	}
	return append(b, '\n'), nil
}

var fileForm = regexp.MustCompile(`^[a-z0-9_]+\.ko$`)

// Parse reads what Format wrote.
func Parse(b []byte) ([]Module, error) {
	var list []Module
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("kmod: the list of modules: %w", err)
	}
	seen := map[string]bool{}
	for _, m := range list {
		if m.File != "" && !fileForm.MatchString(m.File) {
			return nil, fmt.Errorf("kmod: module %s: %q is not the name of its file", m.Name, m.File)
		}
		for _, n := range m.Needs {
			if !seen[n] {
				return nil, fmt.Errorf("kmod: module %s comes before %s, which it needs", m.Name, n)
			}
		}
		seen[m.Name] = true
	}
	return list, nil
}

// Load calls load with the file of each module in turn, and notes in the list what came of it:
// load returns "" or the symbol of an errno. A module whose needs are not met is not tried.
func Load(list []Module, load func(file string) string) {
	for i := range list {
		m := &list[i]
		for _, n := range m.Needs {
			need, _ := Find(list, n)
			if m.Absent == "" && need.Absent != "" {
				m.Absent = "it needs the module " + n + ": " + need.Absent
			}
			if m.Failed == "" && need.Failed != "" {
				m.Failed = need.Failed + " from the module " + n
			}
		}
		if m.File != "" && m.Absent == "" && m.Failed == "" {
			m.Failed = load(path.Join(Dir, m.File))
		}
	}
}

// Find returns the module of that name.
func Find(list []Module, name string) (Module, bool) {
	i := slices.IndexFunc(list, func(m Module) bool { return m.Name == name })
	if i < 0 {
		return Module{}, false
	}
	return list[i], true
}
