package kernels

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// addPage puts a package with one file into a suite.
func (a *fakeArchive) addPage(suite, version, path, text string) {
	a.add(suite, "amd64", "pages", version, fakeDeb(a.t, tarFile{name: "./usr/other", content: []byte("x")}, tarFile{name: "./" + path, content: []byte(text)}))
}

func TestFiles(t *testing.T) {
	a, s := openFake(t)
	a.addPage("old", "5.10-1", "usr/page", "old text")
	a.addPage("now", "6.20-1", "usr/page", "first revision")
	a.addPage("now", "6.20-2", "usr/page", "second revision")
	a.addPage("now", "6.201-1", "usr/page", "another version")
	a.addPage("new", "7.0-1", "usr/elsewhere", "text")
	a.add("new", "amd64", "pages", "7.1-1", nil)
	a.add("new", "amd64", "pages", "7.2-1", []byte("no package"))
	a.add("new", "amd64", "pages-extra", "7.3-1", []byte("another package"))
	file := func(version string, suites ...string) File {
		return File{Name: version, Package: "pages", Version: version, Suites: suites, Path: "usr/page"}
	}
	got := s.Files(t.Context(), []File{
		file("5.10", "now", "old"), file("6.20", "now"), file("7.0", "new"), file("7.1", "new"), file("7.2", "new"), file("7.3", "new"), file("8.0", "gone", "now"),
	}, nil)
	for i, want := range []struct {
		text, version string
		reason        Reason
		happened      string
	}{
		{"old text", "5.10-1", "", ""},
		{"second revision", "6.20-2", "", ""},
		{"", "", BadPackage, "package pages 7.0-1: no usr/page in it"},
		{"", "", BadDownload, "download of pages 7.1-1: "},
		{"", "", BadPackage, "package pages 7.2-1: "},
		{"", "", NoPackage, "suite new carries no pages of version 7.3"},
		{"", "", NoSuite, "the package list of suite gone could not be fetched: "},
	} {
		f := got[i]
		var u *Unavailable
		if errors.As(f.Err, &u); u == nil {
			u = &Unavailable{}
		}
		if string(f.Content) != want.text || f.PackageVersion != want.version || u.Reason != want.reason || !strings.HasPrefix(u.Happened, want.happened) {
			t.Errorf("%s: got %q of %q, %v, want %+v", f.File.Name, f.Content, f.PackageVersion, f.Err, want)
		}
		if u.Reason != "" && u.Name != f.File.Name {
			t.Errorf("%s: the error names %q", f.File.Name, u.Name)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(s.Dir(), "tmp", "fetch")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	// The kernels' names are as they were.
	want(t, s.Get(t.Context(), s.cat.All(), nil), "ok", "ok", "ok")
}

func TestFilesFromADamagedMirror(t *testing.T) {
	a, s := openFake(t)
	a.addPage("now", "6.20-1", "usr/page", "text")
	a.write("pool/pages_6.20-1_amd64.deb", "more")
	f := s.Files(t.Context(), []File{{Name: "6.20", Package: "pages", Version: "6.20", Suites: []string{"now"}, Path: "usr/page"}}, nil)[0]
	var u *Unavailable
	if !errors.As(f.Err, &u) || u.Reason != BadHash || f.Content != nil {
		t.Errorf("got %q, %v", f.Content, f.Err)
	}
}

func TestKeep(t *testing.T) {
	_, s := openFake(t)
	for _, text := range []string{"first", "second"} {
		if err := s.Keep(t.Context(), "pages/x", map[string][]byte{"a": []byte(text), "b": nil}); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(s.Dir(), "pages/x/a")); err != nil || string(b) != text {
			t.Errorf("got %q, %v", b, err)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(s.Dir(), "tmp", "keep")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(filepath.Join(s.Dir(), "blocked"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var u *Unavailable
	if err := s.Keep(t.Context(), "blocked/x", map[string][]byte{"a": nil}); !errors.As(err, &u) || u.Reason != Unwritable {
		t.Errorf("got %v", err)
	}
}
