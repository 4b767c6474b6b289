// Package page reads the source of a manual page and finds its statements.
//
// The source, in the man(7) or mdoc(7) macros, is parsed by mandoc(1), whose syntax tree is
// what [Parse] takes the sentences from. Sentences are counted as claims count them: within
// the item of a section, the sentences of running text, or the entries of that name in a
// list. Package pagecheck matches them with the claims of all editions.
package page

import (
	"context"
	"fmt"
	"io"
)

// Page is a manual page as parsed.
type Page struct {
	// File is what the page was read from, as the caller names it.
	File string
	// Name and Section are those of the title line, such as "pivot_root" and "2".
	Name, Section string
	// Date and Source are what the title line says of the version; either may be "".
	Date, Source string
	// Statements in the order of the page.
	Statements []Statement
	// Quoted are the sentences of indented texts that a sentence with a colon announces, such
	// as what an older page said. They have no number.
	Quoted []Statement
	// Skipped says in one line each what mandoc left out because it does not know it, such
	// as a macro. What it would have printed is in no statement.
	Skipped []string
}

// Statement is one sentence of the page's text. Code and lists of references are none.
type Statement struct {
	// Section is the heading, such as "ERRORS".
	Section string
	// Item is the tag of the list item, what an untagged list is said to be a list of
	// ("the following restrictions" makes "restrictions"), or the subsection; may be "".
	Item string
	// Nth counts from 1 the entries of that name in a list with tags, else the sentences.
	Nth int
	// Text is the sentence as rendered, on one line.
	Text string
	// Fingerprint of the text, as [knowledge.Fingerprint] makes it.
	Fingerprint string
	// Line of the source, from 1, on which the sentence begins.
	Line int
}

// Place returns the place for a reader, such as "ERRORS, EINVAL 2".
func (s *Statement) Place() string {
	p := s.Section
	if s.Item != "" {
		p += ", " + s.Item
	}
	return fmt.Sprintf("%s %d", p, s.Nth)
}

// InputError says why something cannot be read as a manual page.
type InputError struct {
	// File is the input, Happened what is wrong with it, Do what to do about it.
	File, Happened, Do string
	// Err is the cause; may be nil.
	Err error
}

func (e *InputError) Error() string {
	s := fmt.Sprintf("cannot read %s as a manual page: %s", e.File, e.Happened)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s + "; " + e.Do
}

func (e *InputError) Unwrap() error { return e.Err }

// ToolError says that mandoc could not be run, whatever the page.
type ToolError struct{ Err error }

func (e *ToolError) Error() string {
	return fmt.Sprintf("cannot parse manual pages: mandoc does not run: %v; install Debian's package mandoc (`make setup` does)", e.Err)
}

func (e *ToolError) Unwrap() error { return e.Err }

// maxStatements is far above what any page about a system call has, such as the 550 of ptrace(2).
const maxStatements = 4000

// giveSource is what to do about most that is no page.
const giveSource = "give the source of a page, such as pivot_root.2 or pivot_root.2.gz"

// Parse reads a page's source, compressed or not (gzip, xz, zstd, bzip2). file is its name
// for messages. It fails with an [InputError] for what is no page, and within some seconds
// for what never ends; with a [ToolError] without mandoc.
func Parse(ctx context.Context, file string, r io.Reader) (*Page, error) {
	src, err := unpack(ctx, file, r)
	if err != nil {
		return nil, err
	}
	if err := plausible(file, src); err != nil {
		return nil, err
	}
	tree, skipped, err := mandoc(ctx, file, src)
	if err != nil {
		return nil, err
	}
	doc := parseTree(tree)
	if doc.meta["title"] == "" || doc.meta["sec"] == "" {
		return nil, &InputError{File: file, Happened: "it has no title with a section (.TH or .Dt)", Do: giveSource}
	}
	p := &Page{
		File: file, Name: render(doc.meta["title"]), Section: doc.meta["sec"],
		Date: doc.meta["date"], Source: render(doc.meta["os"]), Skipped: skipped,
	}
	if p.Source == noSource {
		p.Source = ""
	}
	if name := doc.meta["name"]; name != "" { // mdoc: .Nm keeps the case that .Dt lost
		p.Name = render(name)
	}
	p.Statements, p.Quoted = statements(doc)
	if n := len(p.Statements) + len(p.Quoted); n > maxStatements {
		return nil, &InputError{File: file, Happened: fmt.Sprintf("it has %d sentences, and no page about a system call has %d", n, maxStatements), Do: giveSource}
	}
	if len(p.Statements) == 0 {
		return nil, &InputError{File: file, Happened: "it has a title and not one sentence", Do: giveSource}
	}
	return p, nil
}
