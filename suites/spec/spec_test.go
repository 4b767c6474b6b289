package spec_test

import (
	"regexp"
	"strings"
	"testing"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

func TestJoin(t *testing.T) {
	body := func(*sandbox.World) {}
	ok := func(id string) spec.Spec { return spec.Spec{ID: id, Body: body} }
	for _, tt := range []struct {
		name  string
		lists [][]spec.Spec
		n     int
		errs  []string // all of them, in any order
	}{
		{"nothing", nil, 0, nil},
		{"good", [][]spec.Spec{{ok("a/b"), ok("a/c-d")}, {ok("b/b")}}, 3, nil},
		{"twice in one list", [][]spec.Spec{{ok("a/b"), ok("a/b")}}, 2, []string{`"a/b" is used twice`}},
		{"twice over lists", [][]spec.Spec{{ok("a/b")}, {ok("a/b")}}, 2, []string{`"a/b" is used twice`}},
		{"no body", [][]spec.Spec{{{ID: "a/b"}}}, 1, []string{`"a/b" has no body`}},
		{"every mistake at once", [][]spec.Spec{{ok("a"), ok("A/b"), ok("a/"), ok("/b"), ok("a/b/c"), ok("a/b "), ok("a/-b"), ok("")}, {ok("x/y"), ok("x/y"), {ID: "x/z"}}}, 11, []string{
			`"a" is not`, `"A/b" is not`, `"a/" is not`, `"/b" is not`, `"a/b/c" is not`, `"a/b " is not`, `"a/-b" is not`, `"" is not`,
			`"x/y" is used twice`, `"x/z" has no body`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := spec.Join(tt.lists...)
			if len(got) != tt.n || (err == nil) != (len(tt.errs) == 0) {
				t.Fatalf("%d specs, %v", len(got), err)
			}
			if err == nil {
				return
			}
			if n := len(strings.Split(err.Error(), "\n")); n != len(tt.errs) {
				t.Errorf("%d mistakes, want %d:\n%v", n, len(tt.errs), err)
			}
			for _, want := range tt.errs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
		})
	}
}

// FuzzID: an ID is of its form if and only if the regular expression says so.
func FuzzID(f *testing.F) {
	form := regexp.MustCompile(`^[a-z][a-z0-9-]*/[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, id := range []string{
		"", "/", "a", "a/", "/a", "a/b", "a/b/c", "a-/b", "-a/b", "a--b/c", "a/b-", "a/-b", "a/b--c", "a/b-c-d",
		"1a/b", "a1/2b", "A/b", "a/B", "a/b\n", "a/b ", "a_b/c", "a/b_c", "ä/b", "a/ä", "a`/b", "a/b{", "a:/b", "a/b@",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		_, err := spec.Join([]spec.Spec{{ID: id, Body: func(*sandbox.World) {}}})
		if want := form.MatchString(id); (err == nil) != want {
			t.Errorf("%q: %v, want %v", id, err, want)
		}
	})
}
