package cell_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/suites/record"
)

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "as", "needed")
	for _, want := range fixture.Bad() {
		path, err := cell.Write(dir, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cell.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		var g, w bytes.Buffer
		if err := errors.Join(cell.Encode(&g, got), cell.Encode(&w, want)); err != nil || g.String() != w.String() {
			t.Errorf("%s: got %s\nwant %s, %v", want.Name, g.String(), w.String(), err)
		}
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o644 {
			t.Errorf("%s: mode %v, %v", path, fi.Mode(), err)
		}
	}
	cells, err := cell.ReadDir(dir)
	if err != nil || len(cells) != 11 {
		t.Errorf("got %d cells, %v, want 11", len(cells), err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// TestFormat pins the public format.
func TestFormat(t *testing.T) {
	c := fixture.Cell("7.0", "amd64")
	c.Records = c.Records[2:3]
	var out bytes.Buffer
	if err := cell.Encode(&out, c); err != nil {
		t.Fatal(err)
	}
	want := `{"schema":1,"type":"cell","cell":{"name":"7.0-amd64","series":"7.0","arch":"amd64","abi":"amd64","backend":"qemu","accel":"tcg","kernel":{"version":"7.0.9+deb13-cloud-amd64","package":"linux-image-7.0.9+deb13-cloud-amd64","package_version":"7.0.9-1","sha256":"00ff"},"status":"complete","wall_ms":2345}}
{"type":"observation","id":"lookup/name-too-long","status":"observed","outcome":"ENAMETOOLONG","facts":{"control":"OK","effect":"none"},"us":321}
`
	if out.String() != want {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
}

const head = `{"schema":1,"type":"cell","cell":{"name":"a","status":"complete"}}` + "\n"

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		records    int
		err        string
	}{
		{"header only", head, 0, ""},
		{"no newline at the end", head + `{"type":"end"}`, 1, ""},
		{"empty lines", "\n" + head + "\n\n" + `{"type":"end"}` + "\r\n\n", 1, ""},
		{"fields of the future", `{"schema":1,"type":"cell","colour":"red","cell":{"name":"a","status":"broken","mood":3}}` + "\n" + `{"type":"end","mood":[1]}`, 1, ""},
		{"records of the future", head + `{"type":"poem","verses":4}` + "\n" + `{"type":"end"}`, 2, ""},
		{"schema of the future", strings.Replace(head, `"schema":1`, `"schema":2`, 1), 0, "schema 2"},
		{"record schema of the future", head + `{"type":"plan","schema":7}`, 0, "schema 7"},
		{"empty", "", 0, "empty"},
		{"blank", "\n\n", 0, "empty"},
		{"no cell first", `{"type":"end"}`, 0, "first line"},
		{"header without a cell", `{"schema":1,"type":"cell"}`, 0, "first line"},
		{"null cell", `{"schema":1,"type":"cell","cell":null}`, 0, "first line"},
		{"no name", `{"schema":1,"type":"cell","cell":{"status":"complete"}}`, 0, "no name"},
		{"no schema", `{"type":"cell","cell":{"name":"a","status":"complete"}}`, 0, "bad schema 0"},
		{"status of the future", `{"schema":1,"type":"cell","cell":{"name":"a","status":"fine"}}`, 0, "unknown status"},
		{"cut short", head + `{"type":"observ`, 0, "line 2"},
		{"no JSON", "hello", 0, "first line"},
		{"binary", "\x00\xff\x7fELF", 0, "first line"},
		{"null", head + "null", 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := cell.Decode(strings.NewReader(tt.file))
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("got %v, want an error with %q", err, tt.err)
			case err == nil && len(c.Records) != tt.records:
				t.Errorf("got %d records, want %d", len(c.Records), tt.records)
			}
			var s *cell.SchemaError
			if errors.As(err, &s) != strings.Contains(tt.err, "schema 2") && errors.As(err, &s) != strings.Contains(tt.err, "schema 7") {
				t.Errorf("type of %v", err)
			}
		})
	}
}

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	if _, err := cell.ReadDir(dir); err == nil || !strings.Contains(err.Error(), "no records") {
		t.Errorf("empty folder: got %v", err)
	}
	if _, err := cell.ReadDir(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}
	if _, err := cell.Write(dir, fixture.Cell("7.0", "amd64")); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("README.md", "not a cell")
	put(".cell-123", "left over")
	put("6.1-amd64.jsonl", head+`{"type":`)
	cells, err := cell.ReadDir(dir)
	if err != nil || len(cells) != 2 {
		t.Fatalf("got %d cells, %v, want 2", len(cells), err)
	}
	if c := cells[0]; c.Name != "6.1-amd64" || c.Status != cell.Broken || !strings.Contains(c.Reason, "line 2") {
		t.Errorf("unreadable file gives %+v, want a broken cell", c)
	}
	put("6.12-amd64.jsonl", `{"schema":9,"type":"cell","cell":{"name":"x"}}`)
	var s *cell.SchemaError
	if _, err := cell.ReadDir(dir); !errors.As(err, &s) || s.Got != 9 || !strings.Contains(err.Error(), "6.12-amd64.jsonl") {
		t.Errorf("newer schema: got %v", err)
	}
}

func TestPlan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	cells := fixture.Good()[:3]
	if err := cell.WritePlan(dir, &cell.Plan{Cells: cell.PlanOf(cells)}); err != nil {
		t.Fatal(err)
	}
	if _, err := cell.Write(dir, cells[1]); err != nil {
		t.Fatal(err)
	}
	got, err := cell.ReadDir(dir)
	if err != nil || len(got) != 3 {
		t.Fatalf("got %d cells, %v, want 3", len(got), err)
	}
	for i, want := range []cell.Status{cell.Broken, cell.Complete, cell.Broken} {
		if c := got[i]; c.Name != cells[i].Name || c.Series != cells[i].Series || c.Arch != "amd64" || c.Status != want {
			t.Errorf("cell %d is %+v, want it %s", i, c, want)
		}
	}
	for text, want := range map[string]string{`{"schema":2}`: "schema 2", `{"sch`: "read the plan"} {
		if err := os.WriteFile(filepath.Join(dir, "plan.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := cell.ReadDir(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// TestWriteKeepsTheOld: a cell that cannot be written leaves the file there was.
func TestWriteKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	path, err := cell.Write(dir, fixture.Cell("7.0", "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	bad := fixture.Cell("7.0", "amd64")
	bad.Records = append(bad.Records, &record.Record{Type: record.TypeNote, Why: strings.Repeat("x", 1<<16)})
	limit(t, 1<<12)
	_, err = cell.Write(dir, bad)
	var w *cell.WriteError
	if !errors.As(err, &w) || !errors.Is(err, syscall.EFBIG) || w.Cell != "7.0-amd64" {
		t.Errorf("got %v, want a *WriteError with EFBIG", err)
	}
	if err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), ".cell-") || !strings.Contains(err.Error(), dir)) {
		t.Errorf("not one clear line: %q", err)
	}
	after, _ := os.ReadFile(path)
	if !bytes.Equal(before, after) {
		t.Error("the old file is damaged")
	}
	if e, _ := os.ReadDir(dir); len(e) != 1 {
		t.Errorf("%d files are left, want 1", len(e))
	}
}

// limit makes files fail beyond n bytes, as on a full disk.
func limit(t *testing.T, n uint64) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) })
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "sub"), "/proc/none", "/dev/full"} {
		for what, err := range map[string]error{
			"Prepare": cell.Prepare(dir),
			"Write":   func() error { _, err := cell.Write(dir, fixture.Cell("7.0", "amd64")); return err }(),
		} {
			var w *cell.WriteError
			if !errors.As(err, &w) || w.Dir != dir || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s(%s): got %v, want a *WriteError", what, dir, err)
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := cell.Prepare(dir); err != nil {
		t.Error(err)
	}
	if e, err := os.ReadDir(dir); err != nil || len(e) != 0 {
		t.Errorf("Prepare leaves %v, %v", e, err)
	}
}

func TestFileName(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{
		"7.0-amd64", "7.0_amd64", "7.0/amd64", "/boot/vmlinuz-6.1", "_boot_vmlinuz-6.1", "../../etc/passwd", ".hidden", "hidden",
		"", ".", "..", "ü", "ö", strings.Repeat("x", 300), strings.Repeat("x", 301), "a b", "a\nb", "host", "HOST",
	} {
		f := cell.FileName(name)
		if old, ok := seen[f]; ok {
			t.Errorf("%q and %q share the file %s", old, name, f)
		}
		seen[f] = name
		if filepath.Base(f) != f || strings.HasPrefix(f, ".") || len(f) > 120 {
			t.Errorf("%q gives the file name %q", name, f)
		}
	}
	if f := cell.FileName("7.0-amd64"); f != "7.0-amd64.jsonl" {
		t.Errorf("got %s", f)
	}
}

func TestCompare(t *testing.T) {
	cells := []*cell.Cell{
		{Name: "c", Series: "7.0", Arch: "amd64"}, {Name: "b", Series: "6.12", Arch: "arm64"},
		{Name: "a", Series: "6.12", Arch: "amd64"}, {Name: "d", Series: "6.2", Arch: "amd64"},
		{Name: "e", Series: "?", Arch: "amd64"}, {Name: "A", Series: "6.12", Arch: "amd64"},
	}
	slices.SortFunc(cells, cell.Compare)
	got := ""
	for _, c := range cells {
		got += c.Name
	}
	if got != "edAacb" {
		t.Errorf("got %s, want edAacb", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(head + `{"type":"end"}`))
	var out bytes.Buffer
	if err := cell.Encode(&out, fixture.Cell("7.0", "amd64")); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := cell.Decode(bytes.NewReader(b))
		if err != nil {
			if c != nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, %q", c, err)
			}
			return
		}
		// What was read can be written and read again, and is the same then.
		var out bytes.Buffer
		if err := cell.Encode(&out, c); err != nil {
			t.Fatal(err)
		}
		again, err := cell.Decode(&out)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := json.Marshal(c)
		y, _ := json.Marshal(again)
		if !bytes.Equal(x, y) || len(c.Records) != len(again.Records) {
			t.Errorf("got %s\nwant %s", y, x)
		}
	})
}
