package lies_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pivotspec/suites/lies"
	"pivotspec/suites/sandbox"
)

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range append(lies.Table(), lies.Accidents()...) {
		if seen[l.Name] || l.Name == "" || strings.ContainsAny(l.Name, " \n") || l.Says == "" {
			t.Errorf("%q: %q", l.Name, l.Says)
		}
		seen[l.Name] = true
		if got, ok := lies.Find(l.Name); !ok || got.Name != l.Name {
			t.Errorf("%s is not found", l.Name)
		}
	}
	for _, l := range lies.Table() {
		if l.Touches == nil {
			t.Errorf("%s touches nothing", l.Name)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"einval/x\n":                        "does not name a spec and a lie",
		"einval/x refusal refusal\n":        "does not name a spec and a lie",
		"einval/x refusal\neinval/y what\n": `no lie "what"`,
	} {
		if _, err := lies.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	text := lies.Format(map[string]string{"einval/y": "refusal", "einval/x": "success-without-pivot"})
	if want := "einval/x success-without-pivot\neinval/y refusal\n"; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	k, err := lies.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]unix.Errno{"einval/x": 0, "einval/y": unix.EINVAL, "einval/z": unix.EXDEV} {
		if got := k.Begin(spec).Call(sandbox.Syscall{Name: "pivot_root"}, func() unix.Errno { return unix.EXDEV }); got != want {
			t.Errorf("%s: answers %v, want %v", spec, got, want)
		}
	}
}

// TestMemory: a lie about a second call begins anew with each spec.
func TestMemory(t *testing.T) {
	k, err := lies.Parse("a/b second-pivot-fails\na/c second-pivot-fails\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"a/b", "a/c", "a/b"} {
		one := k.Begin(spec)
		for i, want := range []unix.Errno{0, unix.EINVAL, 0} {
			if got := one.Call(sandbox.Syscall{Name: "pivot_root"}, func() unix.Errno { return 0 }); got != want {
				t.Errorf("%s: call %d: answers %v, want %v", spec, i+1, got, want)
			}
		}
	}
}
