package knowledge

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestSketchSimilarity(t *testing.T) {
	const s = "The old root is mounted on put_old."
	for _, c := range []struct {
		other    string
		min, max float64
	}{
		{s, 1, 1},
		{"the OLD root -- is mounted on “put_old”", 1, 1},
		{"The old root is then mounted at put_old.", 0.5, 0.9},
		{"The old root is not mounted on put_old.", 0.8, 0.99},
		{"put_old on mounted is root old The", 0.4, 0.6}, // words count, and their order
		{"Nothing of that kind.", 0, 0.1},
		{"", 0, 0},
	} {
		a, b := SketchOf(s), SketchOf(c.other)
		if got := a.Similarity(b); got < c.min || got > c.max || got != b.Similarity(a) {
			t.Errorf("%q: %v, want %v to %v", c.other, got, c.min, c.max)
		}
	}
	if got := Sketch(nil).Similarity(nil); got != 0 {
		t.Errorf("nothing is like nothing: %v", got)
	}
}

func TestSketchLacks(t *testing.T) {
	if got := SketchOf("The root moves.").Lacks("No root moves the root, no."); !slices.Equal(got, []string{"no"}) {
		t.Errorf("got %q", got)
	}
}

func TestParseSketch(t *testing.T) {
	s := SketchOf("The root moves.")
	got, err := ParseSketch(s.String())
	if err != nil || !slices.Equal(got, s) {
		t.Errorf("got %v, %v, want %v", got, err, s)
	}
	for _, bad := range []string{"", "12", "123", "xyz0", "00020001", "00010001"} {
		if _, err := ParseSketch(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestReadSketches(t *testing.T) {
	want := map[string]Sketch{Fingerprint("a b"): SketchOf("a b"), Fingerprint("c"): SketchOf("c")}
	b := AppendSketches(nil, want)
	got, err := readSketches(bytes.NewReader(b))
	if err != nil || len(got) != 2 || !slices.Equal(got[Fingerprint("a b")], want[Fingerprint("a b")]) {
		t.Errorf("got %v, %v", got, err)
	}
	for bad, say := range map[string]string{
		"x: '0001'\n":                "not a fingerprint",
		"'0123456789abcdef': '01'\n": "four for each",
		"- a\n":                      sketchesFile,
		"'0123456789abcdef': [\n":    sketchesFile,
	} {
		if _, err := readSketches(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: got %v, want %q in it", bad, err, say)
		}
	}
}

func FuzzParseSketch(f *testing.F) {
	f.Add("00010002")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseSketch(text); err == nil && s.String() != strings.ToLower(text) {
			t.Errorf("%q became %q", text, s)
		}
	})
}
