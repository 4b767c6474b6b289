package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInitrd(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, two, three := put("one", "12345"), put("two", "1234"), put("three", "1")
	for _, tt := range []struct {
		archives []string
		want     string
	}{
		{nil, "12345"},
		{[]string{two}, "12345\x00\x00\x001234"},
		{[]string{three, two}, "12345\x00\x00\x001\x00\x00\x001234"},
	} {
		path, done, err := initrd(one, tt.archives)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != tt.want {
			t.Errorf("%d archives: %q, %v, want %q", len(tt.archives), got, err, tt.want)
		}
		done()
		if _, err := os.Stat(path); (err == nil) != (path == one) {
			t.Errorf("%s afterwards: %v", path, err)
		}
	}
	if _, _, err := initrd(one, []string{filepath.Join(dir, "gone")}); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("an archive that is not there: %v", err)
	}
	cfg, err := fakeConfig(t.TempDir(), "ok")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Archives = []string{two}
	rep, err := Run(t.Context(), *cfg)
	if err != nil {
		t.Fatal(err)
	}
	if want := cfg.Initramfs + " + " + two; !strings.Contains(strings.Join(rep.Command, " "), want) {
		t.Errorf("the command %q does not have %q", rep.Command, want)
	}
}
