package pages

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pivotspec/kernels"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	cat, err := kernels.Load()
	if err != nil {
		t.Fatal(err)
	}
	k, err := kernels.OpenStore(dir, cat)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	const good = `{edition: "6.20", package: manpages-dev, version: "6.20", suites: [sid], path: usr/x.2.gz}`
	for _, tt := range []struct{ name, text, want string }{
		{"good", "- " + good, ""},
		{"no YAML", "- [", "catalogue"},
		{"unknown field", "- {name: x}", "name"},
		{"no suite", strings.Replace("- "+good, "[sid]", "[]", 1), "no suite"},
		{"a suite that would be an option", strings.Replace("- "+good, "[sid]", "[-o]", 1), `"-o" is not a plain word`},
		{"no version", strings.Replace("- "+good, `version: "6.20"`, `version: ""`, 1), `"" is not a plain word`},
		{"path that leads out", strings.Replace("- "+good, "usr/x", "usr/../../x", 1), "not a plain one"},
		{"no path", strings.Replace("- "+good, "usr/x.2.gz", `""`, 1), "not a plain one"},
		{"twice", "- " + good + "\n- " + good, "row 2 (6.20): a second one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	s := open(t, t.TempDir())
	if p, err := s.Lookup("6.20"); err != nil || p.Package != "manpages-dev" {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := s.Lookup("4.10"); err == nil || !strings.Contains(err.Error(), "5.10, 6.03, 6.9.1, 6.20") {
		t.Errorf("got %v", err)
	}
}

// TestCached: what was kept is found, without apt; what was meddled with is not.
func TestCached(t *testing.T) {
	t.Setenv("PATH", "")
	s := open(t, t.TempDir())
	f := kernels.Fetched{
		File:           kernels.File{Name: "6.20", Package: "manpages-dev", Path: "usr/share/x.2"},
		PackageVersion: "6.20-2", SHA256: "00ff", Content: []byte("text"),
	}
	if err := s.keep(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	p, _ := s.Lookup("6.20")
	r := s.Get(t.Context(), []Page{p, p}, nil)
	for _, r := range r {
		if r.Err != nil || r.Copy.PackageVersion != "6.20-2" || r.Copy.Deb != "00ff" || filepath.Base(r.Copy.File) != "x.2" {
			t.Errorf("got %+v", r)
		}
	}
	for _, meddle := range []struct{ name, text string }{{"x.2", "other"}, {metaFile, "{}"}} {
		if err := s.keep(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.kernels.Dir(), "pages/6.20", meddle.name), []byte(meddle.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if c, ok := s.Cached("6.20"); ok {
			t.Errorf("%s with %q: got %+v", meddle.name, meddle.text, c)
		}
	}
	if _, ok := s.Cached("6.03"); ok {
		t.Error("a page that was never fetched is there")
	}
}

func TestUnavailable(t *testing.T) {
	t.Setenv("PATH", "")
	s := open(t, t.TempDir())
	var u *Unavailable
	var k *kernels.Unavailable
	r := s.Get(t.Context(), s.All()[:1], nil)[0]
	if !errors.As(r.Err, &u) || !errors.As(r.Err, &k) || k.Reason != kernels.NoApt {
		t.Fatalf("got %v", r.Err)
	}
	if m := u.Error(); !strings.HasPrefix(m, "page 5.10 is not to be had: ") || strings.Contains(m, "kernel image") {
		t.Errorf("got %q", m)
	}
}
