package cell

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"pivotspec/results/whole"
	"pivotspec/suites/record"
)

// Extension ends the name of every cell file.
const Extension = ".jsonl"

// maxLine is the longest line, in bytes, that a reader accepts: a header with a console
// tail, or a record.
const maxLine = 4 << 20

const typeCell record.Type = "cell"

// header is the first line of a file.
type header struct {
	Schema int         `json:"schema"`
	Type   record.Type `json:"type"`
	Cell   *Cell       `json:"cell"`
}

// FileName returns the name of the file for the cell of that name. Names that differ give
// file names that differ.
func FileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._+-", r):
			return r
		}
		return '_'
	}, name)
	safe = strings.TrimLeft(safe, ".")
	if safe != name || safe == "" || len(safe) > 100 {
		sum := sha256.Sum256([]byte(name))
		safe = fmt.Sprintf("%.100s-%s", safe, hex.EncodeToString(sum[:4]))
	}
	return safe + Extension
}

// Encode writes c in the file format.
func Encode(w io.Writer, c *Cell) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(header{Schema, typeCell, c}); err != nil {
		return err
	}
	for _, r := range c.Records {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// Decode reads one cell in the file format. Types of record and fields that it does not
// know are let pass. A file of a newer schema gives a *[SchemaError].
func Decode(r io.Reader) (*Cell, error) {
	next := lines(r)
	c, err := decodeHeader(next)
	if err != nil {
		return nil, err
	}
	c.Asked = ordered(c.Asked)
	for n := 2; ; n++ {
		rec := new(record.Record)
		ok, err := next(rec)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if !ok {
			return c, nil
		}
		if rec.Schema > record.Schema {
			return nil, &SchemaError{"record", rec.Schema, record.Schema}
		}
		c.Records = append(c.Records, rec)
	}
}

// lines returns a function that decodes one line of r after the other, and says whether there was one.
func lines(r io.Reader) func(any) (bool, error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	return func(v any) (bool, error) {
		for s.Scan() {
			line := bytes.TrimSpace(s.Bytes())
			if len(line) == 0 {
				continue
			}
			return true, json.Unmarshal(line, v)
		}
		return false, s.Err()
	}
}

// decodeHeader makes of the first line the cell without its records.
func decodeHeader(next func(any) (bool, error)) (*Cell, error) {
	var h header
	switch ok, err := next(&h); {
	case err != nil:
		return nil, fmt.Errorf("first line: %w", err)
	case !ok:
		return nil, errors.New("the file is empty")
	case h.Type != typeCell || h.Cell == nil:
		return nil, fmt.Errorf("first line: want a record of type %q, got %.40q", typeCell, h.Type)
	case h.Schema > Schema:
		return nil, &SchemaError{"cell file", h.Schema, Schema}
	case h.Schema < 1:
		return nil, fmt.Errorf("first line: bad schema %d", h.Schema)
	case h.Cell.Name == "":
		return nil, errors.New("first line: the cell has no name")
	}
	c := h.Cell
	c.ABI = DebianABI(c.ABI)
	switch c.Status {
	case Complete, Broken, Unavailable:
	default:
		return nil, fmt.Errorf("first line: unknown status %.40q", c.Status)
	}
	return c, nil
}

// DebianABI returns Debian's name of an ABI, also for the name that the Go toolchain gives its
// architecture, which guests report and older files have: no name is one ABI's here and another's there.
func DebianABI(name string) string {
	switch name {
	case "386":
		return "i386"
	case "arm":
		return "armhf"
	case "ppc64le":
		return "ppc64el"
	case "mips64le":
		return "mips64el"
	}
	return name
}

// WriteError says that the records of a cell did not reach the disk.
type WriteError struct {
	Cell string // name of the cell, "" if none was being written
	Dir  string
	Err  error
}

func (e *WriteError) Error() string {
	// The path within the error below is that of a temporary file: of no use to a reader.
	cause := e.Err
	if p := (*os.PathError)(nil); errors.As(cause, &p) {
		cause = p.Err
	}
	if l := (*os.LinkError)(nil); errors.As(cause, &l) {
		cause = l.Err
	}
	what := "records"
	if e.Cell != "" {
		what = "the records of cell " + e.Cell
	}
	do := "name another folder"
	if errors.Is(cause, syscall.ENOSPC) || errors.Is(cause, syscall.EDQUOT) {
		do = "free some space or " + do
	}
	return fmt.Sprintf("cannot write %s into %s: %v; %s", what, e.Dir, cause, do)
}

func (e *WriteError) Unwrap() error { return e.Err }

// Prepare makes the folder, if need be, and finds out whether files can be written there,
// so that no kernel boots in vain. Its error is a *[WriteError].
func Prepare(dir string) error {
	err := os.MkdirAll(dir, 0o777)
	if err == nil {
		err = whole.Probe(dir, ".probe-*")
	}
	if err != nil {
		return &WriteError{Dir: dir, Err: err}
	}
	return nil
}

// Write stores c in dir under [FileName]: whole, or not at all, leaving what was there.
// It returns the path. Its error is a *[WriteError]; c is still in memory then.
func Write(dir string, c *Cell) (string, error) {
	path := filepath.Join(dir, FileName(c.Name))
	if err := write(path, func(w io.Writer) error { return Encode(w, c) }); err != nil {
		return "", &WriteError{Cell: c.Name, Dir: dir, Err: err}
	}
	return path, nil
}

// WriteEncoded is [Write] of a cell that was encoded before.
func WriteEncoded(dir, name string, content []byte) error {
	err := write(filepath.Join(dir, FileName(name)), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return &WriteError{Cell: name, Dir: dir, Err: err}
	}
	return nil
}

// write makes a file whole or not at all, and its folder if need be.
func write(path string, encode func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return whole.Write(path, ".cell-*", encode)
}

// Read reads one cell file.
func Read(path string) (*Cell, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cell: %w", err)
	}
	defer f.Close()
	c, err := Decode(f)
	if err != nil {
		return nil, fmt.Errorf("cell: %s: %w", path, err)
	}
	return c, nil
}

// Headers reads what the cell files in dir say of their cells, without the records. Files that cannot be
// read are left out: it is for what is of use and not for what is judged.
func Headers(dir string) []*Cell {
	files, err := filepath.Glob(filepath.Join(escape(dir), "*"+Extension))
	if err != nil {
		return nil
	}
	var out []*Cell
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if c, err := decodeHeader(lines(f)); err == nil {
			out = append(out, c)
		}
		f.Close()
	}
	return out
}

// ReadTree reads like [ReadDir], or if dir has neither cells nor a plan of its own, the cells in all folders
// directly below it that have some.
func ReadTree(dir string) ([]*Cell, error) {
	flat, err := Flat(dir)
	if err != nil {
		return nil, err
	}
	if flat {
		return ReadDir(dir)
	}
	below, err := filepath.Glob(filepath.Join(escape(dir), "*", "*"+Extension))
	if err != nil || len(below) == 0 {
		return ReadDir(dir) // which says what is wrong
	}
	var cells []*Cell
	for i, file := range below {
		if i > 0 && filepath.Dir(file) == filepath.Dir(below[i-1]) {
			continue
		}
		some, err := ReadDir(filepath.Dir(file))
		if err != nil {
			return nil, err
		}
		cells = append(cells, some...)
	}
	slices.SortStableFunc(cells, Compare)
	return cells, nil
}

// Flat says whether dir has cells of its own, or the plan of a run. A folder that there is not has none.
func Flat(dir string) (bool, error) {
	planned, err := Planned(dir)
	if err != nil || planned {
		return planned, err
	}
	own, err := filepath.Glob(filepath.Join(escape(dir), "*"+Extension))
	return len(own) > 0, err
}

// escape makes a path a pattern of [filepath.Glob] that matches it alone.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// ReadDir reads every cell file in dir, ordered by [Compare]. No file is passed over in
// silence: one that cannot be read becomes a broken cell that says why, and so does a cell
// of the [Plan] that has no file. A folder without any cell is an error unless it is that of a shard, and so is
// a file of a newer schema, which only a newer program can judge.
func ReadDir(dir string) ([]*Cell, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cell: read records: %w", err)
	}
	var cells []*Cell
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || strings.HasPrefix(name, ".") || filepath.Ext(name) != Extension {
			continue
		}
		c, err := Read(filepath.Join(dir, name))
		if s := (*SchemaError)(nil); errors.As(err, &s) {
			return nil, err
		}
		if err != nil {
			c = &Cell{Name: strings.TrimSuffix(name, Extension), Status: Broken, Reason: err.Error()}
		}
		cells = append(cells, c)
	}
	p, err := ReadPlan(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cells = append(cells, lost(p, cells)...)
	if len(cells) == 0 && (p == nil || p.Shard == nil) { // a shard may well have none
		return nil, fmt.Errorf("cell: no records (*%s) in %s: run `pivotspec run --out %s` first", Extension, dir, dir)
	}
	slices.SortStableFunc(cells, Compare)
	return cells, nil
}
