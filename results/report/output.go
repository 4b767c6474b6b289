package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pivotspec/results/verdict"
	"pivotspec/results/whole"
)

// temporary is the pattern of the names of reports that are being written.
const temporary = ".report-*"

// Output is a file that a report goes to.
type Output struct {
	// Format is one of [Names].
	Format string
	// Path is that of the file.
	Path string
}

// ParseOutputs reads "FORMAT=FILE" from each of list. No two may name the same file. Its error says in one line what
// is wrong.
func ParseOutputs(list []string) ([]Output, error) {
	var out []Output
	for _, s := range list {
		format, path, ok := strings.Cut(s, "=")
		switch {
		case !ok || path == "":
			return nil, fmt.Errorf("%q names no file: want FORMAT=FILE, such as junit=report.xml", s)
		case !slices.Contains(Names(), format):
			return nil, fmt.Errorf("%s: there is no such format; there are %s", s, strings.Join(Names(), ", "))
		case path == "-":
			return nil, fmt.Errorf("%s: the standard output is for the format that --format names", s)
		}
		o := Output{format, path}
		if i := slices.IndexFunc(out, func(x Output) bool { return filepath.Clean(x.Path) == filepath.Clean(path) }); i >= 0 {
			return nil, fmt.Errorf("%s and %s=%s are the same file", s, out[i].Format, out[i].Path)
		}
		out = append(out, o)
	}
	return out, nil
}

// OutputError says that a report did not reach its file.
type OutputError struct {
	Output
	Err error
}

func (e *OutputError) Error() string {
	// The path within the error below may be that of a temporary file: of no use to a reader.
	cause := e.Err
	if p := (*os.PathError)(nil); errors.As(cause, &p) {
		cause = p.Err
	}
	if l := (*os.LinkError)(nil); errors.As(cause, &l) {
		cause = l.Err
	}
	return fmt.Sprintf("cannot write the %s report to %s: %v; name another file", e.Format, e.Path, cause)
}

func (e *OutputError) Unwrap() error { return e.Err }

// direct says whether the file is one that is written to as it is, such as a pipe or a terminal: it cannot be replaced.
func (o Output) direct() (bool, error) {
	i, err := os.Stat(o.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case i.IsDir():
		return false, errors.New("it is a folder")
	}
	return !i.Mode().IsRegular(), nil
}

// target returns the file that is written: what a symbolic link leads to is replaced, not the link.
func (o Output) target() string {
	path := o.Path
	for range 40 { // more links than a kernel follows
		to, err := os.Readlink(path)
		if err != nil {
			break // it is no link
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}

// Check finds out whether the file can be written, so that no kernel boots in vain. It leaves what is there. Its error is
// an *[OutputError].
func (o Output) Check() error {
	direct, err := o.direct()
	if err == nil && !direct {
		err = whole.Probe(filepath.Dir(o.target()), temporary)
	}
	if err != nil {
		return &OutputError{o, err}
	}
	return nil
}

// Clear removes an earlier report: should this run be killed, it must not stand for it. Its error is an *[OutputError].
func (o Output) Clear() error {
	direct, err := o.direct()
	if err == nil && !direct {
		if err = os.Remove(o.target()); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	if err != nil {
		return &OutputError{o, err}
	}
	return nil
}

// Write writes a judgement to the file: whole, or not at all, leaving what was there. Its error is an *[OutputError].
func (o Output) Write(j *verdict.Judgement, opts Options) error {
	var b bytes.Buffer
	err := Render(o.Format, &b, j, opts)
	if err == nil {
		err = o.replace(b.Bytes())
	}
	if err != nil {
		return &OutputError{o, err}
	}
	return nil
}

func (o Output) replace(b []byte) error {
	direct, err := o.direct()
	if err != nil {
		return err
	}
	if direct {
		f, err := os.OpenFile(o.Path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		return errors.Join(err, f.Close())
	}
	return whole.Write(o.target(), temporary, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
