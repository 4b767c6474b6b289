// Package known reads a list of known issues and holds a judgement against it.
//
// The list is a YAML file. Each entry is a failure that somebody follows up, recognised by its signature, so
// that a run fails only for what is new:
//
//   - id: umount-warns                    # its name in reports
//     link: https://example.org/bug/1     # where it is followed up
//     why: a warning when a tree of locked mounts is taken down
//     signature: warning WARNING fs/namespace.c umount_tree
//     from: "6.9"                         # first and last series; one of them may be left out
//     to: "6.12"
//     arch: [amd64]                       # all if left out; so are scenario and flavour
//     scenario: [plain, disk]
//     flavour: [rt-amd64]
//     intermittent: true                  # it need not happen in each run
//
// What is listed is told as a known issue with its link wherever it happens, and makes no run fail by itself: it is
// not unexpected. But what was not observed (a signature of a kind that is broken, missing or cell) stays so: such
// an entry says whose fault it is, and the exit status is still that of a harness that could not do its
// work. So no entry makes a pass of what nobody has seen.
//
// The other way round, an entry that is no longer true would hide the same failure when it comes back. Where a
// cell of its kernels was able to show the failure and did not, the entry is stale: it is reported, and the exit status is 1 until
// it is removed or its range is ended. Cells of one series speak together, for a failure may need one
// architecture or flavour: the entry is stale where none of the cells of a series shows the failure and
// one was able to. Able to is a complete cell that has a result of the behaviour, or in which the kernel's messages were watched. An
// entry that is intermittent is never stale; where it did not happen is told all the same.
//
// So it takes a whole run to tell what is stale: of shards, hold the merged run against the list.
//
// A difference from a baseline (a signature of the kind baseline) is a failure of its own: the entry for an unexpected outcome
// does not excuse it. Of a run that is compared with no baseline, and of a cell that is in none, such an entry says nothing.
//
// Kernels that are not Linux have no series and so are in no range: what they do otherwise is in their own ledger.
package known

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"pivotspec/results/cell"
	"pivotspec/results/signature"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// List is a list of known issues that is free of mistakes. It is read-only.
type List struct{ entries []entry }

// Len returns the number of entries.
func (l *List) Len() int { return len(l.entries) }

// entry is one known issue.
type entry struct {
	line          int
	id, link, why string
	signature     signature.Signature
	from, to      knowledge.Series
	// The cells that it is about; empty for all.
	arch, scenario, flavour knowledge.Set
	intermittent            bool
}

// Error are all the mistakes in a list, found at once.
type Error struct {
	// File is the path of the list.
	File string
	// Mistakes say in one line each what is wrong, each with its line.
	Mistakes []string
}

func (e *Error) Error() string {
	what := "a mistake"
	if n := len(e.Mistakes); n > 1 {
		what = fmt.Sprintf("%d mistakes", n)
	}
	return fmt.Sprintf("the list of known issues %s has %s: %s", e.File, what, strings.Join(e.Mistakes, "; "))
}

// Load reads a list from a file, as Parse does.
func Load(path string, base *knowledge.Base) (*List, error) {
	b, err := os.ReadFile(path)
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	if err != nil {
		return nil, fmt.Errorf("the list of known issues %s cannot be read: %w", path, err)
	}
	return Parse(path, b, base)
}

// Parse reads a list; path is what its mistakes call it. base tells which behaviours there are. The error for
// a list with mistakes is an *[Error], which names all of them.
func Parse(path string, b []byte, base *knowledge.Base) (*List, error) {
	r := &reader{base: base}
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		text := strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " ")
		return nil, &Error{path, []string{place.ReplaceAllString(text, "line $1: ")}}
	}
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		case *ast.SequenceNode:
			for _, n := range body.Values {
				r.entry(n)
			}
		default:
			r.mistake(line(body), "want a list of entries, each beginning with a dash")
		}
	}
	r.duplicates()
	if len(r.mistakes) > 0 {
		return nil, &Error{path, r.mistakes}
	}
	return &List{r.entries}, nil
}

// place is what the YAML library puts before its errors.
var place = regexp.MustCompile(`^\[([0-9]+):[0-9]+\] `)

// reader gathers entries and mistakes.
type reader struct {
	base     *knowledge.Base
	entries  []entry
	mistakes []string
}

func (r *reader) mistake(line int, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Sprintf("line %d: %s", line, fmt.Sprintf(format, args...)))
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}

var (
	idForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	wordForm = regexp.MustCompile(`^[a-z0-9][a-z0-9+._-]*$`)
)

// entry reads one entry. One with mistakes is kept as well: duplicates of it are mistakes, too.
func (r *reader) entry(n ast.Node) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.mistake(line(n), "want an entry with an id, a link, a why, a signature and a range")
		return
	}
	e := entry{line: line(n)}
	if len(values) > 0 {
		e.line = line(values[0].Key)
	}
	given := map[string]int{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		at := line(v.Key)
		given[key] = at
		r.field(&e, key, at, v.Value)
	}
	for _, key := range []string{"id", "link", "why", "signature"} {
		if given[key] == 0 {
			r.mistake(e.line, "%s lacks its %s", e.name(), key)
		}
	}
	switch {
	case given["from"] == 0 && given["to"] == 0:
		r.mistake(e.line, `%s lacks its range: give from, to or both, such as from: "6.9"`, e.name())
	case !e.from.IsZero() && !e.to.IsZero() && e.from.Compare(e.to) > 0:
		r.mistake(given["from"], "the range of %s ends before it begins: %s is newer than %s", e.name(), e.from, e.to)
	}
	r.entries = append(r.entries, e)
}

func (e *entry) name() string {
	if e.id == "" {
		return "the entry"
	}
	return e.id
}

// field reads one field of an entry.
func (r *reader) field(e *entry, key string, at int, n ast.Node) {
	wrong := func(format string, args ...any) {
		r.mistake(at, "%s: %s", key, fmt.Sprintf(format, args...))
	}
	text := func() string {
		var s string
		err := yaml.NodeToValue(n, &s)
		if _, ok := n.(ast.ScalarNode); !ok || err != nil || n.Type() == ast.NullType {
			wrong("want a text")
			return ""
		}
		if s = strings.Join(strings.Fields(s), " "); s == "" {
			wrong("it is empty")
		}
		return s
	}
	series := func(to *knowledge.Series) {
		if err := yaml.NodeToValue(n, to); err != nil {
			wrong(`want a kernel series in quotes, such as "6.12"`)
		}
	}
	words := func(to *knowledge.Set) {
		if err := yaml.NodeToValue(n, to); err != nil || len(*to) == 0 {
			wrong("want one name or a list of them")
		}
		for _, w := range *to {
			if !wordForm.MatchString(w) {
				wrong("%.40q is no name", w)
			}
		}
	}
	switch key {
	case "id":
		if e.id = text(); e.id != "" && !idForm.MatchString(e.id) {
			wrong("%.40q: want letters, digits, dots and dashes", e.id)
		}
	case "link":
		e.link = text()
		if u, err := url.Parse(e.link); e.link != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			wrong("%.80q: want an address such as https://example.org/bug/1", e.link)
		}
	case "why":
		e.why = text()
	case "signature":
		s := text()
		if s == "" {
			return
		}
		var err error
		if e.signature, err = signature.Parse(s); err != nil {
			wrong("%v", err)
			return
		}
		switch e.signature.Kind {
		case signature.Unexpected, signature.Broken, signature.Missing:
			if _, ok := r.base.Behaviour(e.signature.Subject); !ok && !strings.HasSuffix(e.signature.Text, unknownBehaviour) {
				wrong("there is no behaviour %s", e.signature.Subject)
			}
		case signature.Baseline:
			was, is := e.signature.Sides()
			_, ok := r.base.Behaviour(e.signature.Subject)
			if !ok && e.signature.Subject != signature.WholeCell && was != signature.Nothing && is != signature.Nothing {
				wrong("there is no behaviour %s", e.signature.Subject)
			}
		}
	case "from":
		series(&e.from)
	case "to":
		series(&e.to)
	case "arch":
		words(&e.arch)
	case "scenario":
		words(&e.scenario)
	case "flavour":
		words(&e.flavour)
	case "intermittent":
		if err := yaml.NodeToValue(n, &e.intermittent); err != nil || n.Type() != ast.BoolType {
			wrong("want true or false")
		}
	default:
		r.mistake(at, "%.40q is no field of a known issue: there are id, link, why, signature, from, to, arch, scenario, flavour and intermittent", key)
	}
}

// unknownBehaviour ends the signature of a behaviour that only another pivotspec knows.
const unknownBehaviour = "(unknown behaviour)"

// duplicates refuses two entries of one name, and two for the same failure in the same cell: which of them it is, nobody could say.
func (r *reader) duplicates() {
	for i := range r.entries {
		e := &r.entries[i]
		for k := range r.entries[:i] {
			o := &r.entries[k]
			if e.id != "" && e.id == o.id {
				r.mistake(e.line, "there is an entry %s already, in line %d", e.id, o.line)
			}
			if e.signature != (signature.Signature{}) && e.signature == o.signature && e.meets(o) {
				r.mistake(e.line, "%s has the signature of %s in line %d, and kernels of both are the same: %s", e.name(), o.name(), o.line, e.signature)
			}
		}
	}
}

// meets says whether a cell may be one of both entries.
func (e *entry) meets(o *entry) bool {
	before := func(a, b *entry) bool { return !a.to.IsZero() && !b.from.IsZero() && a.to.Compare(b.from) < 0 }
	apart := func(a, b knowledge.Set) bool {
		return len(a) > 0 && len(b) > 0 && !slices.ContainsFunc(a, b.Has)
	}
	return !before(e, o) && !before(o, e) && !apart(e.arch, o.arch) && !apart(e.scenario, o.scenario) && !apart(e.flavour, o.flavour)
}

// covers says whether an entry is about a cell.
func (e *entry) covers(c *verdict.CellResult) bool {
	if c.Series.IsZero() || c.Implementation != nil {
		return false
	}
	in := knowledge.Entry{From: e.from, To: e.to, Arch: e.arch}
	return in.Holds(c.Series, c.Cell.Arch) &&
		(len(e.scenario) == 0 || e.scenario.Has(c.Cell.ScenarioName())) &&
		(len(e.flavour) == 0 || e.flavour.Has(c.Cell.Flavour))
}

// kernels returns what an entry is about, for a reader.
func (e *entry) kernels() string {
	s := (&knowledge.Entry{From: e.from, To: e.to, Arch: e.arch}).Range()
	for _, set := range []knowledge.Set{e.flavour, e.scenario} {
		if len(set) > 0 {
			s += ", " + strings.Join(set, " or ")
		}
	}
	return s
}

// able says whether a cell could have shown the failure of an entry, so that its absence says something. compared says
// whether the run was held against a baseline.
func (e *entry) able(c *verdict.CellResult, compared bool) bool {
	if e.signature.Kind == signature.Cell && e.signature.Subject == string(cell.Unavailable) {
		return c.Status != cell.Unavailable
	}
	if e.signature.Kind == signature.Baseline && !compared {
		return false
	}
	if c.Status != cell.Complete {
		return false
	}
	switch e.signature.Kind {
	case signature.Cell:
		return !c.Cell.IsPart() // what was not asked for may be what brings it about
	case signature.Warning:
		return c.Watched() && !c.Cell.IsPart()
	case signature.Baseline:
		if e.signature.Subject == signature.WholeCell {
			return true
		}
		if d := c.Whole(); d != nil && d.Kind == verdict.Added {
			return false // the baseline has nothing of it
		}
	}
	r := c.Result(e.signature.Subject)
	if r == nil {
		return false // it does not belong to the cell's scenario, or was not asked for
	}
	switch r.Verdict {
	case verdict.Conforms, verdict.Deviation, verdict.Silent, verdict.Unexpected:
		return true
	case verdict.Missing:
		return false
	}
	// Unsupported or broken: it was reported, if not observed.
	_, is := e.signature.Sides()
	return e.signature.Kind == signature.Missing || is == signature.Nothing
}

// Apply holds a judgement against the list: it marks in it what is a known issue, and notes what became of each
// entry. A judgement is held against one list only, and against a baseline before that.
func (l *List) Apply(j *verdict.Judgement) {
	cells := slices.Clone(j.Cells)
	found := make([][]signature.Found, len(cells))
	for i, c := range cells {
		found[i] = signature.OfCell(c)
	}
	for _, f := range signature.Gone(j) {
		cells, found = append(cells, f.Cell), append(found, []signature.Found{f})
	}
	for k := range l.entries {
		e := &l.entries[k]
		issue := &verdict.Issue{ID: e.id, Link: e.link, Why: e.why, Signature: e.signature.String(), Kernels: e.kernels()}
		shown := map[knowledge.Series]bool{}
		var gone []*verdict.CellResult
		for i, c := range cells {
			if !e.covers(c) {
				continue
			}
			happened := false
			for _, f := range found[i] {
				if f.Signature == e.signature {
					happened = true
					mark(f, issue)
				}
			}
			switch {
			case happened:
				shown[c.Series] = true
				issue.Happened = append(issue.Happened, c.Cell.Name)
			case i < len(j.Cells) && e.able(c, j.Baseline != nil):
				gone = append(gone, c)
				issue.Gone = append(issue.Gone, c.Cell.Name)
			}
		}
		var stale []string
		for _, c := range gone {
			if !shown[c.Series] && !e.intermittent {
				stale = append(stale, c.Cell.Name)
			}
		}
		switch {
		case len(stale) == 0:
		case len(issue.Happened) == 0:
			issue.Stale = "it no longer happens on " + strings.Join(stale, ", ") + ": remove it, or end its range"
		default:
			issue.Stale = "it no longer happens on " + strings.Join(stale, ", ") + ": shorten its range"
		}
		j.Issues = append(j.Issues, issue)
	}
}

// mark notes in the judgement that a failure is a known issue.
func mark(f signature.Found, issue *verdict.Issue) {
	switch {
	case f.Difference != nil:
		f.Difference.Issue = issue
	case f.Result != nil:
		f.Result.Issue = issue
	case f.Signature.Kind == signature.Cell:
		f.Cell.Issue = issue
	}
	for _, w := range f.Warnings {
		w.Issue = issue
	}
}
