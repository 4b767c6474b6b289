package kernels

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packageStore is a store with the packages of a fake archive.
func packageStore(t *testing.T, a *fakeArchive) *Store {
	t.Helper()
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), testCatalogue(t, a.path("key.gpg"), `{series: "7.0", arch: amd64, flavour: cloud-amd64, suites: [trixie], layout: whole}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPackages(t *testing.T) {
	a := newFakeArchive(t)
	deb := fakeDeb(t, tarFile{name: "./usr/bin/x", content: []byte("x")})
	a.add("trixie", "amd64", "tool", "1.9-1", deb)
	a.add("trixie", "amd64", "tool", "1.10-1", deb)
	a.add("sid", "amd64", "newer", "3-1", deb)
	a.add("trixie", "amd64", "damaged", "1-1", nil)
	s := packageStore(t, a)
	want := func(name string, suites ...string) Package {
		return Package{Name: name, Arch: "amd64", Suites: suites}
	}
	list := []Package{want("tool", "trixie", "sid"), want("newer", "trixie", "sid"), want("gone", "trixie"), want("damaged", "trixie"), want("../x", "trixie")}
	got := s.Packages(t.Context(), list, nil)
	if d := got[0]; d.Err != nil || d.Version != "1.10-1" || d.Suite != "trixie" {
		t.Errorf("tool: got %+v", d)
	}
	if d := got[1]; d.Err != nil || d.Suite != "sid" {
		t.Errorf("newer: got %+v", d)
	}
	for i, reason := range map[int]Reason{2: NoPackage, 3: BadDownload, 4: Failed} {
		var u *Unavailable
		if !errors.As(got[i].Err, &u) || u.Reason != reason {
			t.Errorf("%s: got %v, want %v", list[i].Name, got[i].Err, reason)
		}
	}
	var names []string
	if err := ReadPackage(got[0].File, func(m Member) error { names = append(names, m.Path); return nil }); err != nil || len(names) != 1 || names[0] != "usr/bin/x" {
		t.Errorf("got %v, %v", names, err)
	}

	// From the cache nothing is run; what was meddled with is fetched again.
	before := a.log()
	if d := s.Packages(t.Context(), list[:2], nil); d[0].Err != nil || a.log() != before {
		t.Errorf("got %+v; apt-get was called: %s", d[0], strings.TrimPrefix(a.log(), before))
	}
	if err := os.WriteFile(got[0].File, []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.CachedPackage(list[0]); ok {
		t.Error("a package that was meddled with is taken")
	}
	if d := s.Packages(t.Context(), list[:1], nil); d[0].Err != nil {
		t.Errorf("got %+v", d[0])
	}
}
