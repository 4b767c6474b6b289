// Package cause finds what is behind an error for a line that says the rest already: which file it was
// about, and what was to be done with it.
package cause

import (
	"errors"
	"os"
	"os/exec"
)

// Of returns the cause of an error of the file system, or of the start of a program, without operation and
// name; any other error as it is.
func Of(err error) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	if l := (*os.LinkError)(nil); errors.As(err, &l) {
		return l.Err
	}
	if e := (*exec.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
