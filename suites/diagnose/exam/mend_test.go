package exam

import (
	"reflect"
	"testing"
)

func TestWords(t *testing.T) {
	for in, want := range map[string][]string{
		"mkdir -p /a":                {"mkdir", "-p", "/a"},
		"mount --bind '/a b' ./'-x'": {"mount", "--bind", "/a b", "./-x"},
		`mkdir -p 'it'\''s'`:         {"mkdir", "-p", "it's"},
		"  ":                         nil,
		"x ''":                       {"x", ""},
	} {
		if got := words(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
