// Package ktaptest reads KTAP as strictly as the kernel's Documentation/dev-tools/ktap.rst allows,
// for tests of what writes it. A reader of results should be more forgiving.
package ktaptest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Test is one test with its subtests.
type Test struct {
	Name string
	OK   bool
	// Directive is "" or one of SKIP, TODO, XFAIL, TIMEOUT, ERROR, and Data what follows it.
	Directive, Data string
	// Notes are the diagnostic lines since the test before.
	Notes []string
	Tests []Test
}

var (
	resultForm = regexp.MustCompile(`^(ok|not ok) ([1-9][0-9]*)(?: ([^# ][^#]*?))?(?: # ?(.*))?$`)
	planForm   = regexp.MustCompile(`^1\.\.(0|[1-9][0-9]*)$`)
	// What has one of these forms is no unknown line, wherever it stands.
	known = regexp.MustCompile(`^ *(ok|not ok|K?TAP version|1\.\.[0-9]+)\b`)
)

// level is one set of results that is being read.
type level struct {
	plan  int // -1 until it is read
	tests []Test
	notes []string
}

// Read reads lines without their ends. Unknown lines, such as a kernel's messages, are allowed
// anywhere, and influence nothing. Its error says what is not as the format has it.
func Read(lines []string) ([]Test, error) {
	var open []*level // of each depth
	done := []Test(nil)
	for n, line := range lines {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("line %d, %q: %s", n+1, line, fmt.Sprintf(format, args...))
		}
		body := strings.TrimLeft(line, " ")
		if !known.MatchString(line) {
			if note, ok := strings.CutPrefix(body, "# "); ok && len(open) > 0 {
				l := open[len(open)-1]
				l.notes = append(l.notes, note)
			}
			continue
		}
		indent := len(line) - len(body)
		if indent%2 != 0 {
			return nil, fail("an indentation is two spaces")
		}
		depth := indent / 2
		switch {
		case body == "KTAP version 1":
			if depth != len(open) {
				return nil, fail("a version line at depth %d, where %d sets are open", depth, len(open))
			}
			if depth > 0 && open[depth-1].plan < 0 {
				return nil, fail("a subtest before the plan of its parent")
			}
			if done != nil {
				return nil, fail("results behind the last")
			}
			open = append(open, &level{plan: -1})
		case planForm.MatchString(body):
			if depth != len(open)-1 || open[depth].plan >= 0 || len(open[depth].tests) > 0 {
				return nil, fail("a plan that does not follow its version line")
			}
			open[depth].plan, _ = strconv.Atoi(body[3:])
		default:
			m := resultForm.FindStringSubmatch(body)
			if m == nil {
				return nil, fail("no result line")
			}
			var below []Test
			var notes []string
			if depth == len(open)-2 {
				l := open[depth+1]
				if len(l.tests) != l.plan {
					return nil, fail("its %d subtests are %d", l.plan, len(l.tests))
				}
				below, notes, open = l.tests, l.notes, open[:depth+1]
			}
			if depth != len(open)-1 {
				return nil, fail("a result at depth %d, where %d sets are open", depth, len(open))
			}
			l := open[depth]
			t := Test{OK: m[1] == "ok", Name: strings.TrimSpace(m[3]), Notes: append(l.notes, notes...), Tests: below}
			l.notes = nil
			if err := t.direct(m[4]); err != nil {
				return nil, fail("%v", err)
			}
			if l.plan < 0 {
				return nil, fail("a result before the plan")
			}
			if number, _ := strconv.Atoi(m[2]); number != len(l.tests)+1 || number > l.plan {
				return nil, fail("want number %d of %d", len(l.tests)+1, l.plan)
			}
			for _, b := range below {
				if !b.OK && t.OK {
					return nil, fail("ok, although its subtest %s is not", b.Name)
				}
			}
			if l.tests = append(l.tests, t); depth == 0 && len(l.tests) == l.plan {
				done, open = l.tests, nil
			}
		}
	}
	switch {
	case done != nil:
		return done, nil
	case len(open) == 0:
		return nil, fmt.Errorf("no version line in %d lines", len(lines))
	}
	return nil, fmt.Errorf("the results end after %d of %d tests", len(open[0].tests), open[0].plan)
}

// direct sets what stands behind the hash sign.
func (t *Test) direct(text string) error {
	if text == "" {
		return nil
	}
	word, data, _ := strings.Cut(text, " ")
	switch word {
	case "SKIP", "TODO", "XFAIL":
	case "TIMEOUT", "ERROR":
		if t.OK {
			return fmt.Errorf("ok with the directive %s", word)
		}
	default:
		t.Data = text
		return nil
	}
	t.Directive, t.Data = word, data
	return nil
}
