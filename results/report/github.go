package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// MaxAnnotations is how many annotations of each level GitHub shows of one step; it drops any further one in silence.
const MaxAnnotations = 10

// annotation is one workflow command that makes an annotation.
type annotation struct {
	level, title, message string
	at                    knowledge.Location
	// cells are the names of those that it is about; none if it is about the run.
	cells []string
}

// GitHub writes what a workflow of GitHub Actions prints to its log: workflow commands that become annotations, and behind
// them, folded, all that is to be said of each cell.
//
// An error is what is unexpected, not as in a baseline or was not observed, a warning a known issue that is out of date, a notice a known
// issue that happened, and what is skipped. What several cells share is one annotation. Where a behaviour is known,
// the annotation is at the place in this repository that declares it; in other repositories GitHub
// shows it without the file. GitHub shows [MaxAnnotations] of each level: the last says how many are left
// out, and which; the log has them all.
func GitHub(w io.Writer, j *verdict.Judgement, _ Options) error {
	var b strings.Builder
	f := failuresOf(j)
	all := annotations(j, f)
	for _, level := range []string{"error", "warning", "notice"} {
		list := slices.DeleteFunc(slices.Clone(all), func(a *annotation) bool { return a.level != level })
		if n := len(list) - MaxAnnotations; n > 0 {
			var titles []string
			for _, a := range list[MaxAnnotations-1:] {
				titles = append(titles, a.heading())
			}
			list = append(list[:MaxAnnotations-1], &annotation{
				level: level, title: fmt.Sprintf("and %d more", n+1),
				message: fmt.Sprintf("GitHub shows %d annotations of a level; left out, and in the log: %s", MaxAnnotations, strings.Join(titles, "; ")),
			})
		}
		for _, a := range list {
			a.write(&b)
		}
	}
	for _, c := range j.Cells {
		githubCell(&b, j, c, f)
	}
	if len(j.Issues) > 0 {
		fold(&b, "known issues")
		for _, i := range j.Issues {
			say(&b, i.ID+": "+i.Why+", "+i.Link+": "+became(i))
		}
		b.WriteString("::endgroup::\n")
	}
	if gone := f.gone(j); len(gone) > 0 {
		fold(&b, "cells that only the baseline has")
		for _, d := range gone {
			f.sayDifference(&b, oneLine(d.Cell.Cell.Name), d)
		}
		b.WriteString("::endgroup::\n")
	}
	say(&b, Find(j).Summary)
	_, err := io.WriteString(w, b.String())
	return err
}

// annotations returns what is to be annotated, cell by cell, and then what is of the run.
func annotations(j *verdict.Judgement, f *failures) []*annotation {
	var out []*annotation
	at := knowledge.Sources()
	shared := map[string]*annotation{}
	// add adds an annotation, or a cell to the one that another cell has for the same reason.
	add := func(c *verdict.CellResult, key, level, title string, where knowledge.Location, lines ...string) {
		key = level + " " + key
		a := shared[key]
		if a == nil {
			for i := range lines {
				lines[i] = oneLine(lines[i])
			}
			a = &annotation{level: level, title: oneLine(title), message: strings.Join(lines, "\n"), at: where}
			shared[key] = a
			out = append(out, a)
		}
		if name := oneLine(c.Cell.Name); !slices.Contains(a.cells, name) {
			a.cells = append(a.cells, name)
		}
	}
	for _, c := range j.Cells {
		for _, r := range c.Results {
			s, why := f.results[r], strings.Join(r.Wrong, "; ")
			if r.Verdict == verdict.Unsupported {
				add(c, "unsupported "+why, "notice", "unsupported: "+why, knowledge.Location{}, "skipped: "+why)
			}
			if s == "" {
				// As expected, or part of what is wrong with the cell.
				f.annotateDifference(r.Baseline, r.Behaviour, at[r.Behaviour], add)
				continue
			}
			level, title, lines := "error", r.Behaviour+": "+string(r.Verdict), []string{why}
			if r.Issue != nil {
				lines = append([]string{issueWords(r.Issue)}, lines...)
				if r.Verdict == verdict.Unexpected {
					level, title = "notice", r.Behaviour+": known issue "+r.Issue.ID
				}
			}
			if r.Expected != "" {
				lines = append(lines, "expected: "+r.Expected)
			}
			if g := got(j, r); g != "" {
				lines = append(lines, "observed: "+g)
			}
			lines = append(lines, "signature: "+s)
			if d := r.Baseline; d != nil {
				// Two failures, one annotation: the one that is no known issue counts.
				if d.Issue == nil && level == "notice" {
					level, title = "error", r.Behaviour+": "+differsShort
				}
				lines, s = append(lines, f.differenceLines(d)...), s+"\n"+f.differenceKey(d)
			}
			add(c, s, level, title, at[r.Behaviour], lines...)
		}
		for _, d := range c.Lost() {
			f.annotateDifference(d, d.Behaviour, at[d.Behaviour], add)
		}
		for _, t := range f.traces[c] {
			s := t.Signature.String()
			level, title := "error", "the kernel warns"
			var lines []string
			if i := t.Warnings[0].Issue; i != nil {
				level, title, lines = "notice", "known issue "+i.ID, []string{issueWords(i)}
			}
			for _, x := range t.Warnings {
				lines = append(lines, x.Text)
			}
			add(c, s, level, title, knowledge.Location{}, append(lines, "signature: "+s)...)
		}
		if c.Status != cell.Complete {
			lines := []string{c.Reason}
			if c.Issue != nil {
				lines = append(lines, issueWords(c.Issue))
			}
			key := f.cells[c]
			lines = append(lines, "signature: "+key)
			if d := c.Whole(); d != nil {
				lines, key = append(lines, f.differenceLines(d)...), key+"\n"+f.differenceKey(d)
			}
			add(c, key, "error", string(c.Status), knowledge.Location{}, lines...)
		} else {
			f.annotateDifference(c.Whole(), "", knowledge.Location{}, add)
		}
	}
	for _, d := range f.gone(j) {
		f.annotateDifference(d, "", knowledge.Location{}, add)
	}
	for _, i := range j.Issues {
		if i.Stale != "" {
			out = append(out, &annotation{level: "warning", title: "known issue " + i.ID + " is out of date", message: i.Stale + "\n" + issueWords(i)})
		}
	}
	if why := nothing(j); why != "" {
		out = append(out, &annotation{level: "error", title: why, message: "so nothing passes"})
	}
	return out
}

// heading returns the title with the cells, or how many they are.
func (a *annotation) heading() string {
	names := a.cells
	if n := len(names) - 2; n > 1 {
		names = append(slices.Clone(names[:2]), fmt.Sprintf("%d more", n))
	}
	if len(names) == 0 {
		return a.title
	}
	return a.title + " on " + strings.Join(names, ", ")
}

// write writes the command.
func (a *annotation) write(b *strings.Builder) {
	var properties []string
	if a.at.File != "" {
		properties = append(properties, "file="+escapeProperty(a.at.File), fmt.Sprintf("line=%d", a.at.Line))
	}
	properties = append(properties, "title="+escapeProperty(a.heading()))
	fmt.Fprintf(b, "::%s %s::%s\n", a.level, strings.Join(properties, ","), escapeData(a.message))
}

// escapeData and escapeProperty escape as @actions/core does, which the runner undoes.
func escapeData(s string) string {
	s = strings.ToValidUTF8(s, "?")
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", older, harmless).Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}

func fold(b *strings.Builder, title string) { fmt.Fprintf(b, "::group::%s\n", escapeData(title)) }

// older begins a command of the older form, which the runner takes from anywhere in a line, and harmless is not one.
const older, harmless = "##[", "## ["

// say writes one line of the log. The runner takes a line that begins with two colons for a command, blanks before them or
// not; see ActionCommand of actions/runner.
func say(b *strings.Builder, s string) {
	s = oneLine(strings.ToValidUTF8(s, "?"))
	if strings.HasPrefix(s, "::") {
		s = "| " + s
	}
	b.WriteString(strings.ReplaceAll(s, older, harmless) + "\n")
}

// githubCell writes all that is to be said of a cell.
func githubCell(b *strings.Builder, j *verdict.Judgement, c *verdict.CellResult, f *failures) {
	n := map[verdict.Verdict]int{}
	for _, r := range c.Results {
		n[r.Verdict]++
	}
	title := oneLine(c.Cell.Name) + ": " + string(c.Status)
	for _, v := range verdict.All() {
		if n[v] > 0 {
			title += fmt.Sprintf(", %d %s", n[v], v)
		}
	}
	if s := part(c); s != "" {
		title += ", " + s
	}
	fold(b, title)
	say(b, about(c))
	for _, r := range c.Results {
		line := r.Behaviour + ": " + string(r.Verdict)
		if r.Issue != nil {
			line += ", " + issueWords(r.Issue)
		}
		switch r.Verdict {
		case verdict.Conforms, verdict.Silent:
			if r.Baseline == nil {
				continue
			}
			line += ": " + r.Outcome
		case verdict.Deviation:
			line += ": " + r.Outcome
			if r.Entry != nil {
				line += " " + r.Entry.Range() + ": " + r.Entry.Reason
			}
		default:
			line += ": " + strings.Join(r.Wrong, "; ")
			if r.Expected != "" {
				line += "; expected " + r.Expected
			}
			if g := got(j, r); g != "" {
				line += "; observed " + g
			}
		}
		if s := f.results[r]; s != "" {
			line += "; signature: " + s
		}
		say(b, line)
		f.sayDifference(b, r.Behaviour, r.Baseline)
	}
	for _, d := range c.Lost() {
		f.sayDifference(b, d.Behaviour, d)
	}
	f.sayDifference(b, oneLine(c.Cell.Name), c.Whole())
	for i := range c.Warnings {
		w := &c.Warnings[i]
		switch {
		case w.Known != nil:
			say(b, "the kernel warns, known and harmless ("+w.Known.Reason+"): "+w.Text)
		case w.Issue != nil:
			say(b, "the kernel warns, "+issueWords(w.Issue)+": "+w.Text)
		default:
			say(b, "the kernel warns: "+w.Text)
		}
	}
	if c.Status != cell.Complete {
		say(b, reason(c)+"; signature: "+f.cells[c])
		if c.Issue != nil {
			say(b, issueWords(c.Issue))
		}
		for _, line := range console(c) {
			say(b, "| "+line)
		}
	}
	b.WriteString("::endgroup::\n")
}
