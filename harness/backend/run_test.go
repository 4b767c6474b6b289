package backend

import (
	"errors"
	"testing"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n":                   "plain",
		"\x1b[31mred\x1b[0m":        "[31mred[0m",
		"a\tb\r":                    "a b",
		"bad \xff byte":             "bad ? byte",
		"turned \u202eround\u0085 ": "turned round",
		"  ":                        "",
		"Grüße, 漢字":                 "Grüße, 漢字",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestRunError(t *testing.T) {
	under := errors.New("under it")
	err := &RunError{Backend: "host", Text: "it stopped", Err: under}
	if err.Error() != "run the suite on host: it stopped" || err.Short() != "it stopped" || !errors.Is(err, under) {
		t.Errorf("%v, %s", err, err.Short())
	}
}
