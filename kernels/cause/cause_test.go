package cause

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestOf(t *testing.T) {
	dir := t.TempDir()
	_, open := os.Open(filepath.Join(dir, "none"))
	rename := os.Rename(filepath.Join(dir, "none"), filepath.Join(dir, "other"))
	_, start := exec.LookPath("pivotspec-no-such-program")
	plain := errors.New("plain")
	for _, c := range []struct {
		err  error
		want string
	}{
		{open, "no such file or directory"},
		{fmt.Errorf("wrapped: %w", open), "no such file or directory"},
		{rename, "no such file or directory"},
		{start, exec.ErrNotFound.Error()},
		{plain, "plain"},
		{&fs.PathError{Op: "read", Path: "x", Err: plain}, "plain"},
	} {
		if got := Of(c.err).Error(); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	if Of(nil) != nil {
		t.Error("nil has a cause")
	}
}
