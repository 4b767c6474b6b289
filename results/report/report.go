// Package report shows a judgement to people and programs. Each format is a file of its
// own here and one line in [Formats]; what they have in common, the findings, is worked
// out once in findings.go.
package report

import (
	"fmt"
	"io"
	"strings"

	"pivotspec/results/verdict"
)

// Options say how to draw. The zero value draws plainly and breaks no lines.
type Options struct {
	// Width is the number of columns to stay within, 0 for no limit.
	Width int
	// Colour allows colours. They only ever add to what the symbols say.
	Colour bool
	// ASCII keeps to symbols that any terminal has.
	ASCII bool
	// Edition is the one that was asked for, "" for none in particular. Reports about claims
	// have only those of that edition, else those of all.
	Edition string
	// Against is what the judgement is compared with, where a format can: another run, judged by the
	// same base. It may be nil.
	Against *verdict.Judgement
}

// Format is one way to write a judgement.
type Format struct {
	Name   string
	Render func(w io.Writer, j *verdict.Judgement, o Options) error
}

// OfCurrent is the format that there is of the current edition only.
const OfCurrent = "findings"

// Page is the format of a page to look at, which can be compared with another run.
const Page = "html"

// Formats lists the formats there are, the usual one first.
func Formats() []Format {
	return []Format{
		{"term", Term},
		{"markdown", Markdown},
		{"json", JSON},
		{OfCurrent, Inbox},
		{"claims", Claims},
		{"claims-json", ClaimsJSON},
		{Page, HTML},
		{"ktap", KTAP},
		{"junit", JUnit},
		{"jsonl", JSONL},
		{"github", GitHub},
	}
}

// Names returns the names of the formats.
func Names() []string {
	var out []string
	for _, f := range Formats() {
		out = append(out, f.Name)
	}
	return out
}

// Render writes j in the format of that name.
func Render(format string, w io.Writer, j *verdict.Judgement, o Options) error {
	for _, f := range Formats() {
		if f.Name == format {
			if err := f.Render(w, j, o); err != nil {
				return fmt.Errorf("write the %s report: %w", format, err)
			}
			return nil
		}
	}
	return fmt.Errorf("there is no report format %q: choose one of %s", format, strings.Join(Names(), ", "))
}
