package backend

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RunError says that a run of the suite without a boot did not bring a complete report.
type RunError struct {
	// Backend is the name of what ran it.
	Backend string
	// Text says in one line what happened and, where there is something, what to do.
	Text string
	// Err is the cause, nil if Text says all.
	Err error
}

func (e *RunError) Error() string { return fmt.Sprintf("run the suite on %s: %s", e.Backend, e.Text) }

// Short is Text; see [Guest].
func (e *RunError) Short() string { return e.Text }

func (e *RunError) Unwrap() error { return e.Err }

// Clean makes a line that a guest printed fit to be shown: what could command a terminal or reorder text is
// left out.
func Clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError:
			return '?'
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s))
}
