package whole

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	put := func(text string, err error) error {
		return Write(path, ".new-*", func(w io.Writer) error {
			io.WriteString(w, text)
			return err
		})
	}
	if err := put("first", nil); err != nil {
		t.Fatal(err)
	}
	odd := errors.New("odd")
	if err := put("second", odd); !errors.Is(err, odd) {
		t.Errorf("got %v, want the error of what fills the file", err)
	}
	if b, err := os.ReadFile(path); string(b) != "first" {
		t.Errorf("what was there is %q, %v", b, err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v; want 0644", st.Mode(), err)
	}
	if err := Probe(dir, ".new-*"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("the folder has %v, %v; want the file alone", left, err)
	}
	if err := Probe(filepath.Join(dir, "none"), ".new-*"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
	if err := Write(filepath.Join(dir, "none", "file"), ".new-*", func(io.Writer) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}
