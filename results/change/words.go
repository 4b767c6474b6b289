package change

import (
	"regexp"
	"slices"
	"strings"

	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// says puts a change into one sentence without its subject, the behaviour's title.
func says(c *Change, b *knowledge.Behaviour, was, is *side) string {
	switch c.Kind {
	case Fails:
		return "fails with " + c.New + " now, and worked" + and(c)
	case Works:
		return "works now, and failed with " + c.Old + and(c)
	case OtherError:
		return "fails with " + c.New + " now, not " + c.Old + and(c)
	case Lost:
		return "the kernel no longer supports it (" + c.New + "); before, it " + came(was.Outcome, "succeeded", "failed")
	case Gained:
		return "the kernel supports it now, and did not (" + c.Old + "); it " + came(is.Outcome, "succeeds", "fails")
	}
	return strings.TrimPrefix(and(c), "; ")
}

// came says how a call came out.
func came(outcome, succeeds, fails string) string {
	if outcome == record.OK {
		return succeeds
	}
	return fails + " with " + outcome
}

// and puts the facts of a change into words, behind those of its outcome.
func and(c *Change) string {
	// Facts that change alike are said together: a task's root and its cwd.
	type alike struct {
		how   string
		whose []string
	}
	var groups []*alike
	for _, f := range c.Facts {
		whose, how := words(f)
		i := slices.IndexFunc(groups, func(g *alike) bool { return g.how == how })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &alike{how: how})
		}
		groups[i].whose = append(groups[i].whose, whose)
	}
	var out []string
	for _, g := range groups {
		out = append(out, strings.Replace(g.how, whoseMark, list(g.whose), 1))
	}
	return prefixed(out)
}

func prefixed(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, "; ")
}

// whereabouts is the form of the meaning of a fact that says where something is: "where the task's cwd is".
var whereabouts = regexp.MustCompile(`^where (.+?) (?:is|are|was)\b(.*)$`)

// whoseMark stands for what a fact is about in the words for how it changed.
const whoseMark = "{}"

// words returns what a fact is about, and how it changed.
func words(f Fact) (whose, how string) {
	between := " (" + orNothing(f.Old) + " before, " + orNothing(f.New) + " now)"
	if m := whereabouts.FindStringSubmatch(f.Meaning); m != nil && !strings.HasPrefix(m[2], " before") {
		switch "new_root" {
		case f.Old:
			return m[1], "moves no longer: " + whoseMark + between
		case f.New:
			return m[1], "moves now: " + whoseMark + between
		}
		return m[1], "is elsewhere: " + whoseMark + between
	}
	whose = f.Name
	switch {
	case f.Name == FactChecks:
		return f.Meaning, whoseMark + ": " + f.New
	case f.Name == knowledge.FactControl:
		whose = "the same call without the fault"
	case f.Name == knowledge.FactEffect:
		whose = "what the call does to the caller's root"
	case f.Name == knowledge.FactAfterControl:
		whose = "what the same call without the fault does to the caller's root"
	case f.Meaning != "":
		whose = strings.TrimPrefix(strings.TrimPrefix(f.Meaning, "where "), "outcome of ")
	}
	switch record.OK {
	case f.Old:
		return whose, "fails now: " + whoseMark + between
	case f.New:
		return whose, "succeeds now: " + whoseMark + between
	}
	return whose, "is otherwise: " + whoseMark + between
}

func orNothing(value string) string {
	if value == "" {
		return "not reported"
	}
	return value
}

// list joins what several facts are about.
func list(whose []string) string {
	if n := len(whose); n > 1 {
		return strings.Join(whose[:n-1], ", ") + " and " + whose[n-1]
	}
	return whose[0]
}

func sorted(s []string) []string { slices.Sort(s); return s }

// OneLine makes a single line of what came from a kernel or a file, without control characters that could play
// tricks on a terminal.
func OneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.Join(strings.Fields(s), " ")
}
