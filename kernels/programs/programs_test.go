package programs

import (
	"errors"
	"strings"
	"testing"

	"pivotspec/kernels"
)

func TestParse(t *testing.T) {
	const good = `{name: tools, suites: [trixie], packages: [busybox-static], programs: {busybox: usr/bin/busybox}}`
	for _, tt := range []struct{ name, text, want string }{
		{"good", "- " + good, ""},
		{"no YAML", "- [", "catalogue"},
		{"unknown field", "- {set: x}", "set"},
		{"no suite", strings.Replace("- "+good, "[trixie]", "[]", 1), "no suite"},
		{"no package", strings.Replace("- "+good, "[busybox-static]", "[]", 1), "no package"},
		{"a package that would be an option", strings.Replace("- "+good, "[busybox-static]", "[-o]", 1), `"-o" is not a plain word`},
		{"a path that leads out", strings.Replace("- "+good, "usr/bin", "usr/../../bin", 1), "not a plain one"},
		{"twice", "- " + good + "\n- " + good, "row 2 (tools): a second one"},
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
	s, err := Lookup("tools")
	if err != nil || s.Programs["pivot_root"] != "usr/sbin/pivot_root" {
		t.Errorf("got %+v, %v", s, err)
	}
	if _, err := Lookup("nothing"); err == nil {
		t.Error("a set that is not there is found")
	}
}

// TestUnavailable: what is missing is named in one line, with what to do about it.
func TestUnavailable(t *testing.T) {
	t.Setenv("PATH", "")
	cat, err := kernels.Load()
	if err != nil {
		t.Fatal(err)
	}
	store, err := kernels.OpenStore(t.TempDir(), cat)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Lookup("tools")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.Get(t.Context(), store, "amd64", nil) {
		var u *Unavailable
		if !errors.As(d.Err, &u) || u.Cause.Reason != kernels.NoApt {
			t.Fatalf("%s: got %v", d.Package.Name, d.Err)
		}
		if msg := d.Err.Error(); strings.Contains(msg, "\n") || !strings.Contains(msg, "package "+d.Package.Name+" for amd64") || !strings.Contains(msg, "copy the cache") {
			t.Errorf("got %q", msg)
		}
	}
}
