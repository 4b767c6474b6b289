// Package signature says what failed, apart from which kernel it failed on: the same failure in two builds has
// the same signature, and different failures have different ones. By it a bisection knows that it follows one
// failure and not another, and a list of known issues recognises what it lists. It is pure.
//
// A signature is one line of text:
//
//	unexpected BEHAVIOUR OUTCOME [FACT=VALUE ...]   what was observed, and is not as expected
//	unexpected BEHAVIOUR (TEXT)                     reported, and should not have been, or not so
//	broken BEHAVIOUR TEXT                           the set-up failed
//	missing BEHAVIOUR                               planned or known, and never reported
//	warning TEXT                                    a message of the kernel, or the head of its back trace
//	cell STATUS TEXT                                the cell as a whole is "broken" or "unavailable"
//	baseline BEHAVIOUR WAS -> IS                    what is not as in the baseline of a run
//	baseline cell WAS -> IS                         the same of the cell as a whole
//
// WAS and IS are OUTCOME [FACT=VALUE ...] with the facts that differ, of which another outcome leaves only those that every
// observation has; (TEXT) if nothing was observed, as in (unsupported); or (none) on the side that has nothing. Of a cell they
// are its status: "baseline cell complete -> (none)" is one that is gone.
//
// TEXT is normalised: see [Normalise]. No signature needs quotes in YAML or has a hash sign in it, and in
// a shell a pair of single quotes around it will do.
package signature

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Kind is what kind of failure a signature is of.
type Kind string

const (
	// Unexpected: a behaviour was observed, and not as expected.
	Unexpected Kind = "unexpected"
	// Broken: the set-up of a behaviour failed.
	Broken Kind = "broken"
	// Missing: a cell that is complete has no report of a behaviour.
	Missing Kind = "missing"
	// Warning: the kernel logged a message that is not known to be harmless.
	Warning Kind = "warning"
	// Cell: the cell as a whole is not complete.
	Cell Kind = "cell"
	// Baseline: a behaviour or a cell is not as in the baseline that the run was held against.
	Baseline Kind = "baseline"
)

// Kinds lists the kinds in the order in which [OfCell] returns them.
func Kinds() []Kind { return []Kind{Unexpected, Broken, Missing, Warning, Cell, Baseline} }

// Signature is what failed. Signatures of the same failure are equal.
type Signature struct {
	Kind Kind
	// Subject is the behaviour's ID, of a Cell its status, and of a Warning ""; of a Baseline it may be [WholeCell].
	Subject string
	// Text is what else tells the failure from others; "" of a Missing one.
	Text string
}

// String returns the signature as one line, which [Parse] reads.
func (s Signature) String() string {
	line := string(s.Kind)
	for _, word := range []string{s.Subject, s.Text} {
		if word != "" {
			line += " " + word
		}
	}
	return line
}

// Compare orders signatures by kind, in the order of [Kinds], then by subject and text.
func (s Signature) Compare(t Signature) int {
	return cmp.Or(
		cmp.Compare(slices.Index(Kinds(), s.Kind), slices.Index(Kinds(), t.Kind)),
		cmp.Compare(s.Subject, t.Subject), cmp.Compare(s.Text, t.Text),
	)
}

// Found is a failure in one cell.
type Found struct {
	Signature Signature
	// Cell is that in which it is. A cell that is gone is the baseline's.
	Cell *verdict.CellResult
	// Result is that of the behaviour; nil for a Warning, a Cell and a Baseline.
	Result *verdict.Result
	// Difference is that of a Baseline; else nil.
	Difference *verdict.Difference
	// Warnings are the kernel's messages, which are among those of the cell: those of one back trace together, and with
	// a Cell those of the panic that ended it.
	Warnings []*verdict.Warning
}

// Of returns every failure in a judgement, cell by cell.
func Of(j *verdict.Judgement) []Found {
	var out []Found
	for _, c := range j.Cells {
		out = append(out, OfCell(c)...)
	}
	return append(out, Gone(j)...)
}

// Set returns the signatures of failures, sorted, each once.
func Set(found []Found) []Signature {
	var out []Signature
	for _, f := range found {
		out = append(out, f.Signature)
	}
	slices.SortFunc(out, Signature.Compare)
	return slices.Compact(out)
}

// OfCell returns all in a cell that is not as expected. What a cell that is not complete did not get to is part
// of that failure and no further one: how far it got may be chance. So is the message by which the kernel
// panicked.
func OfCell(c *verdict.CellResult) []Found {
	var out []Found
	for _, kind := range []Kind{Unexpected, Broken, Missing} {
		for _, r := range c.Results {
			s := Signature{Kind: kind, Subject: subject(r.Behaviour)}
			switch {
			case kind == Unexpected && r.Verdict == verdict.Unexpected:
				s.Text = observed(r)
			case kind == Broken && r.Verdict == verdict.Broken:
				s.Text = text(strings.Join(r.Wrong, ", "))
			case kind == Missing && r.Verdict == verdict.Missing && c.Status == cell.Complete:
			default:
				continue
			}
			out = append(out, Found{Signature: s, Cell: c, Result: r})
		}
	}
	whole := Signature{Kind: Cell, Subject: string(c.Status), Text: text(c.Reason)}
	at := len(out)
	var panicked []*verdict.Warning
	for _, g := range Traces(c.Warnings) {
		s := Signature{Kind: Warning, Text: g.Head}
		if c.Status != cell.Complete && strings.HasPrefix(g.Head, "Kernel panic ") && strings.HasSuffix(whole.Text, g.Head) {
			panicked = append(panicked, g.Warnings...)
			continue
		}
		out = append(out, Found{Signature: s, Cell: c, Warnings: g.Warnings})
	}
	// The order of messages may be chance.
	slices.SortStableFunc(out[at:], func(a, b Found) int { return a.Signature.Compare(b.Signature) })
	if c.Status != cell.Complete {
		out = append(out, Found{Signature: whole, Cell: c, Warnings: panicked})
	}
	return append(out, Baselines(c)...)
}

// text is Normalise of what may say nothing.
func text(s string) string { return cmp.Or(Normalise(s), "no reason given") }

// subject returns an ID, or a word for what is none: a guest may make up any.
func subject(id string) string {
	if idForm.MatchString(id) {
		return id
	}
	return "unknown/" + digest(id)
}

// observed says what of an observation is not as expected, and not what was expected: that changes from kernel to
// kernel. Facts that go with a wrong outcome are left out, for which of them are compared changes, too, except for
// those that are asked of every observation.
func observed(r *verdict.Result) string {
	if r.Outcome == "" || !r.OddOutcome && len(r.OddFacts) == 0 {
		why := Normalise(strings.Join(r.Wrong, ", "))
		why = strings.NewReplacer("(", "", ")", "").Replace(why)
		if r.Outcome == "" {
			return "(" + cmp.Or(why, "no reason given") + ")"
		}
		return value(r.Outcome) + " (" + cmp.Or(why, "no reason given") + ")"
	}
	var facts []string
	for _, f := range r.OddFacts {
		if r.OddOutcome && !knowledge.Universal(f) {
			continue
		}
		got, reported := r.Facts[f]
		if !reported {
			facts = append(facts, value(f)+"="+absent)
			continue
		}
		facts = append(facts, value(f)+"="+value(got))
	}
	return strings.Join(append([]string{value(r.Outcome)}, few(facts)...), " ")
}

// few sorts facts and leaves the first of many, with a digest of all.
func few(facts []string) []string {
	slices.Sort(facts)
	facts = slices.Compact(facts)
	const most = 6
	if n := len(facts) - most; n > 0 {
		all := strings.Join(facts, " ")
		facts = append(facts[:most], fmt.Sprintf("and-%d-more=~%s", n, digest(all)))
	}
	return facts
}

// absent stands for the value of a fact that was not reported.
const absent = "(none)"

// longest is how long a value may be, in bytes, to stand as it is.
const longest = 60

// value makes one word of what a guest reported: blanks become underscores, and of a long value a part and a digest are
// left.
func value(s string) string {
	word := strings.Map(func(r rune) rune {
		switch r {
		case '#', '=', '(', ')', '\'', '"', '`':
			return '%'
		}
		return r
	}, strings.Join(strings.Fields(clean(s)), "_"))
	word = strings.TrimRight(word, ":") // a colon and a blank are YAML's
	switch {
	case word == "":
		return "%"
	case len(word) > longest:
		return strings.ToValidUTF8(word[:20], "") + "~" + digest(s)
	}
	return word
}

// digest stands for a long text.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

// ErrMalformed is wrapped by the errors of [Parse].
var ErrMalformed = errors.New("no signature")

var (
	idForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*$`)
	restForm = regexp.MustCompile(`^and-[0-9]+-more=~`)
	// factForm is what observed writes behind the outcome.
	factForm = regexp.MustCompile(`^[^\s=()#]+=(\(none\)|[^\s=()#]+)$`)
)

// Parse reads the text form. Text that is not normalised yet, such as a line copied from a kernel's log, is
// normalised. Its error says in one line what is wrong and wraps [ErrMalformed].
func Parse(line string) (Signature, error) {
	fail := func(format string, args ...any) (Signature, error) {
		return Signature{}, fmt.Errorf("%w: %.80q: %s", ErrMalformed, line, fmt.Sprintf(format, args...))
	}
	if strings.ContainsAny(line, "\n\r") {
		return fail("it has more than one line")
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return fail("it is empty; want %s", form)
	}
	s := Signature{Kind: Kind(words[0])}
	rest := words[1:]
	switch s.Kind {
	case Warning:
		if s.Text = Normalise(strings.Join(rest, " ")); s.Text == "" {
			return fail("want the kernel's message behind %q", Warning)
		}
		return s, nil
	case Cell:
		if len(rest) < 2 || rest[0] != string(cell.Broken) && rest[0] != string(cell.Unavailable) {
			return fail("want %q or %q behind %q, and then the reason", cell.Broken, cell.Unavailable, Cell)
		}
	case Unexpected, Broken, Missing, Baseline:
		if len(rest) == 0 || !idForm.MatchString(rest[0]) && (s.Kind != Baseline || rest[0] != WholeCell) {
			return fail("want a behaviour's ID such as einval/put-old-not-below-new-root behind %q", s.Kind)
		}
	default:
		return fail("it begins with %.20q; want %s", words[0], form)
	}
	s.Subject, rest = rest[0], rest[1:]
	tail := strings.Join(rest, " ")
	switch s.Kind {
	case Missing:
		if tail != "" {
			return fail("nothing goes behind the behaviour of %q", Missing)
		}
	case Unexpected:
		return s.parseObserved(rest, fail)
	case Baseline:
		return s.parseBaseline(rest, fail)
	default:
		if s.Text = Normalise(tail); s.Text == "" {
			return fail("want the reason behind %q", s.Subject)
		}
	}
	return s, nil
}

// parseObserved reads what observed wrote.
func (s Signature) parseObserved(words []string, fail func(string, ...any) (Signature, error)) (Signature, error) {
	if len(words) == 0 {
		return fail("want the outcome that was observed behind %q, such as EINVAL", s.Subject)
	}
	outcome := ""
	if !strings.HasPrefix(words[0], "(") {
		if strings.ContainsAny(words[0], "=()#") {
			return fail("want the outcome that was observed behind %q, such as EINVAL, and then facts", s.Subject)
		}
		outcome, words = words[0], words[1:]
	}
	if len(words) > 0 && strings.HasPrefix(words[0], "(") {
		why := strings.Join(words, " ")
		inner := strings.TrimSuffix(strings.TrimPrefix(why, "("), ")")
		if len(inner)+2 != len(why) || strings.ContainsAny(inner, "()") || Normalise(inner) == "" {
			return fail("want a text in one pair of brackets")
		}
		s.Text = strings.TrimSpace(outcome + " (" + Normalise(inner) + ")")
		return s, nil
	}
	seen := map[string]bool{}
	for _, w := range words {
		name, _, _ := strings.Cut(w, "=")
		switch {
		case !factForm.MatchString(w):
			return fail("%.40q is no fact: want NAME=VALUE", w)
		case seen[name]:
			return fail("the fact %.40s stands there twice", name)
		}
		seen[name] = true
	}
	// In the order of observed: the rest comes last.
	slices.SortFunc(words, func(a, b string) int {
		ra, rb := restForm.MatchString(a), restForm.MatchString(b)
		if ra != rb {
			return map[bool]int{true: 1, false: -1}[ra]
		}
		return cmp.Compare(a, b)
	})
	s.Text = strings.Join(append([]string{outcome}, words...), " ")
	return s, nil
}

const form = "unexpected, broken, missing or baseline and a behaviour, warning and a message, or cell and a status"
