package page

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// abbreviations end with a dot that ends no sentence, whatever follows.
var abbreviations = words("e.g i.e cf viz vs ca approx resp esp incl fig figs sect sec ver vers dr mr mrs ms prof st")

// mayEnd are abbreviations that often are the last word of a sentence, so that it depends on
// what follows: a capital begins another.
var mayEnd = words("etc al inc ltd co jr sr a.m p.m a.k.a u.s")

// numbered are words that are abbreviations before a number only.
var numbered = words("no nos p pp vol ch art eq v")

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// Sentences splits running text, such as a paragraph, into its sentences. Each is returned
// on one line with single spaces. The same text gives the same sentences however its lines
// are broken. What stands in parentheses within a sentence belongs to it.
func Sentences(text string) []string {
	var out []string
	for _, s := range split(text) {
		out = append(out, strings.Join(strings.Fields(text[s.from:s.to]), " "))
	}
	return out
}

// span is a piece of a text, as offsets in bytes.
type span struct{ from, to int }

// split finds the sentences of a text; none begins or ends with a space or is empty.
func split(text string) []span {
	var out []span
	closes := parentheses(text)
	var open []int // offsets of the parentheses around the place
	from := skipSpace(text, 0)
	for i := from; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case c == '(' && closes[i]:
			open = append(open, i)
		case c == ')' && closes[i]:
			open = open[:len(open)-1]
		}
		if !isTerminator(c) {
			i += size
			continue
		}
		end := i
		for end < len(text) {
			c, size := utf8.DecodeRuneInString(text[end:])
			if !isTerminator(c) && !strings.ContainsRune(`)]}"'”’»`, c) {
				break
			}
			if c == ')' && closes[end] {
				open = open[:len(open)-1]
			}
			end += size
		}
		next := skipSpace(text, end)
		inside := len(open) > 0 && open[len(open)-1] > from
		if next == len(text) || next > end && !inside && ends(text[from:i], text[i:end], text[next:]) {
			out = append(out, span{from, end})
			from = next
			i = next
			continue
		}
		i = end
	}
	if end := len(strings.TrimRightFunc(text, unicode.IsSpace)); end > from {
		out = append(out, span{from, end})
	}
	return out
}

func isTerminator(c rune) bool { return c == '.' || c == '!' || c == '?' }

func skipSpace(text string, i int) int {
	return len(text) - len(strings.TrimLeftFunc(text[i:], unicode.IsSpace))
}

// parentheses returns the offsets of those that come in pairs.
func parentheses(text string) map[int]bool {
	paired := map[int]bool{}
	var open []int
	for i := range len(text) {
		switch text[i] {
		case '(':
			open = append(open, i)
		case ')':
			if n := len(open); n > 0 {
				paired[open[n-1]], paired[i] = true, true
				open = open[:n-1]
			}
		}
	}
	return paired
}

// ends reports whether a sentence ends where before is followed by the terminator (with
// what closes after it), space, and after.
func ends(before, terminator, after string) bool {
	word := before
	if i := strings.LastIndexFunc(before, unicode.IsSpace); i >= 0 {
		_, size := utf8.DecodeRuneInString(before[i:])
		word = before[i+size:]
	}
	word = strings.TrimLeft(word, `([{"'“‘«`)
	next, _ := utf8.DecodeRuneInString(after)
	if terminator == "." {
		low := strings.ToLower(word)
		switch {
		case abbreviations[low]:
			return false
		case mayEnd[low] && !unicode.IsUpper(next) && next != '(':
			return false
		case numbered[low] && unicode.IsDigit(next):
			return false
		case len(word) == 1 && unicode.IsUpper(rune(word[0])): // an initial
			return false
		}
	}
	if !unicode.IsLower(next) {
		return true
	}
	// Small letters begin a sentence only in a name of the programmer's: new_root, stat(2).
	name, _, _ := strings.Cut(after, " ")
	if i := strings.IndexFunc(after, unicode.IsSpace); i >= 0 {
		name = after[:i]
	}
	return strings.ContainsAny(name, "_(/")
}
