package kmod_test

import (
	"reflect"
	"strings"
	"testing"

	"pivotspec/suites/kmod"
)

func TestName(t *testing.T) {
	for file, want := range map[string]string{
		"loop.ko": "loop", "kernel/fs/nls/nls-cp437.ko.xz": "nls_cp437", "a_b.ko.zst": "a_b",
	} {
		if got := kmod.Name(file); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	list := []kmod.Module{{Name: "b", File: "b.ko"}, {Name: "c", Absent: "gone"}, {Name: "a", File: "a.ko", Needs: []string{"b", "c"}}}
	b, err := kmod.Format(list)
	if err != nil {
		t.Fatal(err)
	}
	got, err := kmod.Parse(b)
	if err != nil || !reflect.DeepEqual(got, list) {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":  "the list of modules",
		"{": "the list of modules",
		`[{"name":"a","file":"../../etc/passwd"}]`:                              "is not the name of its file",
		`[{"name":"a","file":"a.ko","needs":["b"]},{"name":"b","file":"b.ko"}]`: "comes before b, which it needs",
	} {
		if _, err := kmod.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	list := []kmod.Module{
		{Name: "a", File: "a.ko"},
		{Name: "bad", File: "bad.ko"},
		{Name: "gone", Absent: "no package"},
		{Name: "needs_a", File: "needs_a.ko", Needs: []string{"a"}},
		{Name: "needs_bad", File: "needs_bad.ko", Needs: []string{"a", "bad"}},
		{Name: "needs_gone", File: "needs_gone.ko", Needs: []string{"gone"}},
		{Name: "needs_that", File: "needs_that.ko", Needs: []string{"needs_gone"}},
	}
	var loaded []string
	kmod.Load(list, func(file string) string {
		loaded = append(loaded, file)
		if file == "/modules/bad.ko" {
			return "ENOEXEC"
		}
		return ""
	})
	if got := strings.Join(loaded, " "); got != "/modules/a.ko /modules/bad.ko /modules/needs_a.ko" {
		t.Errorf("loaded %s", got)
	}
	for name, want := range map[string][2]string{
		"a": {"", ""}, "bad": {"ENOEXEC", ""}, "needs_a": {"", ""}, "needs_bad": {"ENOEXEC from the module bad", ""},
		"gone": {"", "no package"}, "needs_gone": {"", "it needs the module gone: no package"},
		"needs_that": {"", "it needs the module needs_gone: it needs the module gone: no package"},
	} {
		m, ok := kmod.Find(list, name)
		if !ok || m.Failed != want[0] || m.Absent != want[1] {
			t.Errorf("%s: %+v, want %q", name, m, want)
		}
	}
	if _, ok := kmod.Find(list, "other"); ok {
		t.Error("found what is not there")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"name":"a","file":"a.ko","needs":[]}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := kmod.Parse(b)
		if err != nil {
			return
		}
		again, err := kmod.Format(list)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kmod.Parse(again); err != nil {
			t.Fatal(err)
		}
	})
}
