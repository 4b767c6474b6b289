package knowledge

import (
	"io/fs"
	"slices"
	"strings"
)

// LoadToJudge is [Load] for who only judges observations, and has little time: without the
// proposals and the statements, which are about the page and three quarters of the work.
func LoadToJudge() (*Base, error) { return LoadFS(without{data, []string{"proposals", "statements"}}) }

// without is a file system without some kinds of data.
type without struct {
	fs.FS
	kinds []string
}

// Open implements [fs.FS].
func (w without) Open(name string) (fs.File, error) {
	kind, _, _ := strings.Cut(name, "/")
	if slices.Contains(w.kinds, strings.TrimSuffix(kind, ".yaml")) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return w.FS.Open(name)
}
