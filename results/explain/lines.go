package explain

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed terms.yaml
var termsYAML []byte

//go:embed lines.yaml
var linesYAML []byte

// term is a word that is explained here.
type term struct {
	Word    string   `yaml:"word"`
	Symbols []string `yaml:"symbols"`
	Means   string   `yaml:"means"`
	Do      string   `yaml:"do"`
}

// kind is a kind of line.
type kind struct {
	ID    string `yaml:"id"`
	Match string `yaml:"match"`
	Means string `yaml:"means"`
	Do    string `yaml:"do"`

	match *regexp.Regexp
}

// terms returns the words of terms.yaml. The tests read the file too, so it is right.
var terms = sync.OnceValue(func() []term { return read[term](termsYAML) })

// kinds returns the kinds of lines.yaml.
var kinds = sync.OnceValue(func() []kind {
	list := read[kind](linesYAML)
	for i := range list {
		list[i].match = regexp.MustCompile(list[i].Match)
	}
	return list
})

func read[T any](b []byte) []T {
	var out []T
	if err := yaml.UnmarshalWithOptions(b, &out, yaml.Strict()); err != nil {
		panic("explain: " + yaml.FormatError(err, false, true))
	}
	return out
}

func (t *term) explain() *Explanation {
	e := &Explanation{Kind: "word", ID: t.Word, Title: t.Means}
	e.add("written", strings.Join(t.Symbols, "  "))
	e.add("do", t.Do)
	return e
}

// Kinds returns the IDs of the kinds of which a line is; none if nothing is known of it.
func Kinds(line string) []string {
	var out []string
	for _, k := range of(bare(line)) {
		out = append(out, k.ID)
	}
	return out
}

func of(line string) []kind {
	return slices.DeleteFunc(slices.Clone(kinds()), func(k kind) bool { return !k.match.MatchString(line) })
}

// bare takes from a line what the program puts before every error, and blanks.
func bare(line string) string {
	return strings.TrimPrefix(strings.Join(strings.Fields(line), " "), "pivotspec: ")
}

// line explains a line of the program: which kinds it is of, and the words in it.
func (x *Explainer) line(text string) ([]*Explanation, error) {
	text = bare(text)
	var out []*Explanation
	for _, k := range of(text) {
		e := &Explanation{Kind: "line", ID: k.ID, Title: strings.Join(strings.Fields(k.Means), " ")}
		e.add("do", k.Do)
		out = append(out, e)
	}
	// A known warning is one by what it contains.
	for _, w := range x.Base.Warnings {
		if strings.Contains(text, w.Match) {
			out = append(out, &Explanation{Kind: "known warning", ID: w.Match, Title: "a harmless message of the kernel: " + w.Reason})
		}
	}
	found, err := x.words(text)
	return append(out, found...), err
}

// words explains the IDs of a line. In one that lists many they would be a book, so only the first
// few are explained.
func (x *Explainer) words(text string) ([]*Explanation, error) {
	const most = 3
	var out []*Explanation
	var seen []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;:()`\"'", r) }) {
		_, behaviour := x.Base.Behaviour(w)
		_, claim := x.Base.Claim(w)
		if (!behaviour && !claim) || slices.Contains(seen, w) {
			continue
		}
		if seen = append(seen, w); len(seen) > most {
			continue
		}
		e, err := x.named(w)
		if err != nil {
			return nil, err
		}
		out = append(out, e...)
	}
	if n := len(seen) - most; n > 0 {
		out = append(out, &Explanation{Kind: "line", ID: "more", Title: fmt.Sprintf("and %d more, each to be explained by its name: %s", n, strings.Join(seen[most:], ", "))})
	}
	return out, nil
}
