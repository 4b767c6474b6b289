package diagnose

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pivotspec/suites/faults"
)

// good are the facts of a call that would succeed.
func good() *Facts {
	mount := func(id uint64, point string) Mount {
		return Mount{ID: id, Point: point, Type: "tmpfs", Seen: Inside, ParentSeen: Inside, Own: Yes, Shared: No, Locked: No, HasParent: Yes,
			Parent: id - 1, ParentPoint: "/", ParentShared: No}
	}
	return &Facts{
		Release: "6.12.1", LookupsFirst: No,
		Caller: Caller{Effective: Yes, Permitted: Yes, Owner: Yes, Capable: Yes, Restricted: No},
		New:    Arg{Path: "/new", Spot: Spot{Is: "/new", MountRoot: Yes, Removed: No, Mount: mount(3, "/new")}},
		Old:    Arg{Path: "/new/old", Spot: Spot{Is: "/new/old", MountRoot: No, Removed: No, Mount: mount(3, "/new")}},
		Root:   Spot{Is: "/", MountRoot: Yes, Removed: No, Mount: mount(2, "/")},
		Below:  Yes, NewBelow: Yes,
	}
}

// spoil returns for each cause how facts that are good become such that it is there.
func spoil() map[string]func(*Facts) {
	out := map[string]func(*Facts){
		Filtered:             func(f *Facts) { f.Filtered = "ENOSYS" },
		"no-cap":             func(f *Facts) { f.Caller.Effective, f.Caller.Capable = No, No },
		"child-user":         func(f *Facts) { f.Caller.Owner, f.Caller.Capable = No, No },
		"landlock":           func(f *Facts) { f.Caller.Restricted = Yes },
		"old-removed":        func(f *Facts) { f.Old.Removed = Yes },
		"old-unmounted":      func(f *Facts) { f.Old.Mount = Mount{ID: 9, Own: No, Gone: Yes} },
		"old-detached":       func(f *Facts) { f.Old.Mount = Mount{ID: 9, Own: No, Gone: No} },
		"old-foreign":        func(f *Facts) { f.Old.Mount = Mount{ID: 9, Own: No, Elsewhere: "x", Shared: No} },
		"old-shared":         func(f *Facts) { f.Old.Mount.Shared = Yes },
		"new-parent-shared":  func(f *Facts) { f.New.Mount.ParentShared = Yes },
		"root-parent-shared": func(f *Facts) { f.Root.Mount.ParentShared = Yes },
		"new-foreign":        func(f *Facts) { f.New.Mount.Own, f.New.Mount.Elsewhere = No, "x" },
		"new-detached":       func(f *Facts) { f.New.Mount.Own = No },
		"root-foreign":       func(f *Facts) { f.Root.Mount.Own = No },
		"new-locked":         func(f *Facts) { f.New.Mount.Locked = Yes },
		"new-removed":        func(f *Facts) { f.New.Removed = Yes },
		"new-on-root":        func(f *Facts) { f.New.Mount.ID = f.Root.Mount.ID },
		"old-on-root":        func(f *Facts) { f.Old.Mount.ID = f.Root.Mount.ID },
		"root-not-mount":     func(f *Facts) { f.Root.MountRoot = No },
		"root-no-parent":     func(f *Facts) { f.Root.Mount.HasParent = No },
		"new-not-mount":      func(f *Facts) { f.New.MountRoot = No },
		NewNoParent:          func(f *Facts) { f.New.Mount.HasParent = No },
		"old-not-below":      func(f *Facts) { f.Below = No },
		"new-outside":        func(f *Facts) { f.NewBelow = No },
	}
	for _, id := range Known() {
		if _, ok := out[id]; ok || id == AppArmor {
			continue
		}
		arg, problem, _ := strings.Cut(id, "-")
		out[id] = func(f *Facts) {
			a := &f.New
			if arg == "old" {
				a = &f.Old
			}
			*a = Arg{Path: "/x", Errno: "ENOTDIR", Problem: problem, At: "/x"}
		}
	}
	return out
}

func TestGood(t *testing.T) {
	if d := Diagnose(good()); d.Outcome() != OK || !d.Sure || len(d.Causes)+len(d.Doubts) != 0 || d.Status() != WouldSucceed {
		t.Errorf("%+v", d)
	}
}

// TestEach: each known cause alone is found, is the only one, and is said in words that are whole.
func TestEach(t *testing.T) {
	placeholder := regexp.MustCompile(`[{}%]`)
	for id, spoil := range spoil() {
		f := good()
		spoil(f)
		d := Diagnose(f)
		if len(d.Causes) == 0 || d.Causes[0].ID != id || !d.Sure || d.Errno != d.Causes[0].Errno || d.Status() != WouldFail {
			t.Errorf("%s: %+v", id, d)
			continue
		}
		if len(d.Causes) > 1 && id != "old-unmounted" {
			t.Errorf("%s alone: %+v", id, d.Causes)
		}
		if err := d.Mend(); err != nil {
			t.Fatal(err)
		}
		if text := d.Text(true); placeholder.MatchString(text) {
			t.Errorf("%s: %s", id, text)
		}
		if len(d.Causes[0].Mends) == 0 && !strings.HasSuffix(id, "-look-up") {
			t.Errorf("%s: nothing mends it", id)
		}
	}
}

// TestMends: the file names no cause that there is not, and each once.
func TestMends(t *testing.T) {
	all, err := loadMends()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range all {
		for _, id := range m.Causes {
			if !slices.Contains(Known(), id) || seen[id] {
				t.Errorf("mends.yaml: %q is no cause, or is there twice", id)
			}
			seen[id] = true
		}
	}
}

// TestUnknown: what is not known is never a cause, and makes the answer unsure.
func TestUnknown(t *testing.T) {
	f := good()
	f.New.Mount.Locked = Unknown
	if d := Diagnose(f); d.Outcome() != OK || d.Sure || d.Status() != CannotTell || len(d.Causes) != 0 || len(d.Doubts) != 1 {
		t.Errorf("%+v", d)
	}
	f.NewBelow = No // the same errno, whichever it is
	if d := Diagnose(f); d.Outcome() != "EINVAL" || !d.Sure || d.Causes[0].ID != "new-outside" {
		t.Errorf("%+v", d)
	}
	f = good()
	f.New.Mount.Locked = Unknown
	f.New.Mount.ID = f.Root.Mount.ID
	if d := Diagnose(f); d.Outcome() != "EBUSY" || d.Sure {
		t.Errorf("%+v", d)
	}
}

// TestAppArmor: what a profile allows cannot be seen, that there is one can.
func TestAppArmor(t *testing.T) {
	for label, doubt := range map[string]bool{
		"docker-default (enforce)": true, "unconfined": false, "lsb (complain)": false, "": false,
		"unconfined_u:unconfined_r:unconfined_t:s0": false,
	} {
		f := good()
		f.Caller.Profile = label
		d := Diagnose(f)
		if d.Outcome() != OK || d.Sure == doubt || doubt && (len(d.Doubts) != 1 || d.Doubts[0].ID != AppArmor) {
			t.Errorf("%q: %+v", label, d)
		}
	}
}

// TestOrderUnknown: where the kernel could not be asked for the order, its release tells.
func TestOrderUnknown(t *testing.T) {
	for release, want := range map[string]string{"6.12.1": "EPERM", "7.0.0-rc1": "ENOENT", "what": "EPERM"} {
		f := good()
		f.Release, f.LookupsFirst = release, Unknown
		f.Caller.Effective, f.Caller.Capable = No, No
		f.New = Arg{Path: "/x", Errno: "ENOENT", Problem: "missing", At: "/x"}
		if d := Diagnose(f); d.Outcome() != want {
			t.Errorf("%s: %s, want %s", release, d.Outcome(), want)
		}
	}
}

// TestShellWord: paths are words of a shell, whatever is in them.
func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"/new/old_1": "/new/old_1", "/a b": "'/a b'", "it's": `'it'\''s'`, "-x": "./'-x'", "": "''", "$HOME": "'$HOME'", "/ä b": "'/ä b'", "-\x1b": `./$'-\x1b'`,
		"a\n\x1b[1m\\'\xff\u202e": `$'a\x0a\x1b[1m\\\'\xff\xe2\x80\xae'`,
	} {
		if got := shellWord(in); got != want {
			t.Errorf("%q becomes %s, want %s", in, got, want)
		}
	}
}

// TestForeignNames: whoever names a mount or a directory writes no line of the diagnosis, and nothing to a terminal.
func TestForeignNames(t *testing.T) {
	const name = "/x\n1. EPERM: \x1b[31m\u202e"
	f := good()
	f.New = Arg{Path: name, Errno: "ENOENT", Problem: "missing", At: name}
	f.Old.Mount.Shared, f.Old.Mount.Point, f.Old.Mount.Seen = Yes, name, Inside
	f.Unread = []string{name}
	f.Caller.Profile = name + " (enforce)"
	d := Diagnose(f)
	if err := d.Mend(); err != nil {
		t.Fatal(err)
	}
	text := d.Text(true)
	if strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "\n1. EPERM") || !strings.Contains(text, `$'/x\x0a1. EPERM: \x1b[31m`) {
		t.Errorf("it says:\n%q", text)
	}
}

// TestNamesInNames: a path that looks like a name of mends.yaml is none.
func TestNamesInNames(t *testing.T) {
	f := good()
	f.New = Arg{Path: "/a b{oldroot}", Errno: "ENOENT", Problem: "missing", At: "/a b{oldroot}"}
	d := Diagnose(f)
	if err := d.Mend(); err != nil {
		t.Fatal(err)
	}
	if got := d.Causes[0].Mends[0].Run[0]; got != "mkdir -p '/a b{oldroot}'" {
		t.Errorf("it runs %s", got)
	}
}

// TestFaults: every fault that the pairs are made of is a cause here.
func TestFaults(t *testing.T) {
	for _, f := range faults.Table() {
		if !slices.Contains(Known(), f.ID) {
			t.Errorf("%s is no cause", f.ID)
		}
	}
}
