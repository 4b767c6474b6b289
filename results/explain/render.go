package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"pivotspec/results/report"
)

// Schema is the version of the document of [JSON]. Fields are only ever added.
const Schema = 1

// Formats are the names of the ways to write explanations, the usual one first.
func Formats() []string { return []string{"term", "json"} }

// Render writes what a word means, in a format of [Formats].
func Render(format string, w io.Writer, word string, list []*Explanation, o report.Options) error {
	switch format {
	case "json":
		return JSON(w, word, list)
	case "term":
		return Term(w, list, o)
	}
	return fmt.Errorf("there is no format %q: choose one of %s", format, strings.Join(Formats(), ", "))
}

// JSON writes explanations for programs.
func JSON(w io.Writer, word string, list []*Explanation) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Schema   int            `json:"schema"`
		Word     string         `json:"word"`
		Meanings []*Explanation `json:"meanings"`
	}{Schema, word, list})
}

// Term writes explanations for people.
func Term(w io.Writer, list []*Explanation, o report.Options) error {
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString("\n")
		}
		text(&b, e, o)
	}
	s := b.String()
	if o.ASCII {
		s = strings.NewReplacer("–", "-", "≠", "#", "·", ".", "✗", "X").Replace(s)
	}
	_, err := io.WriteString(w, s)
	return err
}

// text writes one explanation: what the parts are about on the left, their lines beside that.
func text(b *strings.Builder, e *Explanation, o report.Options) {
	put := func(first, rest, s string) {
		for _, l := range report.Hang(o.Width, first, rest, s) {
			b.WriteString(strings.TrimRight(l, " ") + "\n")
		}
	}
	put("", "    ", bold(o, e.ID)+" ("+e.Kind+"): "+e.Title)
	wide := 0
	for _, p := range e.Parts {
		wide = max(wide, len(p.About))
	}
	indent := strings.Repeat(" ", wide+4)
	for _, p := range e.Parts {
		for i, l := range p.Lines {
			first := indent
			if i == 0 {
				first = "  " + bold(o, p.About) + strings.Repeat(" ", wide-len(p.About)+2)
			}
			put(first, indent+"  ", l)
		}
	}
}

func bold(o report.Options, s string) string {
	if !o.Colour {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}
