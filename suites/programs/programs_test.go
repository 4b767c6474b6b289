package programs

import (
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	list := []Program{
		{Name: "busybox", Path: "/usr/bin/busybox", Files: []string{"/usr/bin/busybox"}, Package: "busybox-static 1"},
		{Name: "pivot_root", Absent: "no package has it"},
	}
	b, err := Format(list)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(b)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	if p, ok := Find(got, "pivot_root"); !ok || p.Absent == "" {
		t.Errorf("got %+v, %v", p, ok)
	}
	if _, ok := Find(got, "switch_root"); ok {
		t.Error("a program that is not in the list is found")
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                               "list of programs",
		`[{"name":"x"}]`:                  "neither there nor absent",
		`[{"name":"x","path":"/a/../b"}]`: "not the path",
		`[{"name":"x","path":"/a","files":["/a","b"]}]`: "not the path",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"name":"x","path":"/a","files":["/a"]}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Format(list)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}
