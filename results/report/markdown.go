package report

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// number is the version at the beginning of a release.
var number = regexp.MustCompile(`^[0-9]+([.-][0-9]+)*(-rc[0-9]+)?`)

// Markdown writes the matrix as a table and the findings as lists.
func Markdown(w io.Writer, j *verdict.Judgement, _ Options) error {
	f, looks := Find(j), looks()
	var b strings.Builder
	fmt.Fprintf(&b, "# pivot_root(2), page %s\n\n%s.\n\n", j.Edition.ID, md(f.Summary))
	if !f.lines.plain() {
		f.mdRecorded(&b, looks)
	}
	tables := f.tables()
	for i := range tables {
		if t := &tables[i]; len(tables) > 1 && t.scenario != "" {
			fmt.Fprintf(&b, "## Scenario %s\n\n", md(oneLine(t.scenario)))
		}
		mdTable(&b, &tables[i], looks)
	}
	for i, v := range verdict.All()[1:] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s", md(looks[v].symbol), looks[v].meaning)
	}
	if len(f.Differences) > 0 {
		fmt.Fprintf(&b, ", %s %s", unlikeMark, differsShort)
	}
	b.WriteString("\n")
	section := func(title string, n int) {
		if n > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n", title)
		}
	}
	section("Deviations", len(f.Deviations))
	for _, d := range f.Deviations {
		fmt.Fprintf(&b, "- `%s`:", d.Behaviour)
		for i, c := range d.Page {
			if i > 0 {
				b.WriteString(";")
			}
			fmt.Fprintf(&b, " %s (%s)", md(c.Says), md(c.Where))
		}
		fmt.Fprintf(&b, ". Kernels: %s. Deviates %s", md(d.Kernels), md(d.Since))
		if d.Reason != "" {
			fmt.Fprintf(&b, ": %s", md(d.Reason))
		}
		b.WriteString(".\n")
	}
	section("Changes between kernels that go against nothing the page says", len(f.Changes))
	for _, c := range f.Changes {
		fmt.Fprintf(&b, "- `%s`: %s. Kernels: %s", c.Behaviour, md(c.Title), md(c.Kernels))
		if c.Reason != "" {
			fmt.Fprintf(&b, " (%s)", md(c.Reason))
		}
		b.WriteString(".\n")
	}
	section(ordersTitle, len(f.Orders))
	for _, o := range f.Orders {
		fmt.Fprintf(&b, "- %s (%s): %s", o.Kernels, count(o.Pairs, "pair"), md(o.Line))
		for _, n := range o.notes() {
			fmt.Fprintf(&b, ". %s", md(n))
		}
		b.WriteString(".\n")
	}
	f.mdOthers(&b)
	f.mdAsked(&b)
	mdProblems(&b, f)
	_, err := io.WriteString(w, b.String())
	return err
}

// mdTable writes a matrix.
func mdTable(b *strings.Builder, t *table, looks map[verdict.Verdict]look) {
	labels := make([]string, len(t.columns))
	for i := range t.columns {
		labels[i] = t.columns[i].label
	}
	fmt.Fprintf(b, "| behaviour | %s |\n|---|%s\n", strings.Join(labels, " | "), strings.Repeat("---|", len(labels)))
	for _, a := range t.areas {
		for _, r := range a.rows {
			fmt.Fprintf(b, "| `%s`", r.id)
			if r.below {
				fmt.Fprintf(b, " on %s", md(r.name))
			}
			b.WriteString(" |")
			for _, res := range r.results {
				s := ""
				switch {
				case res == nil:
				case res.Verdict == verdict.Conforms:
					s = res.Outcome
				default:
					s = strings.TrimSpace(looks[res.Verdict].symbol + " " + res.Outcome)
				}
				if res != nil && res.Baseline != nil {
					s += " " + unlikeMark
				}
				fmt.Fprintf(b, " %s |", md(s))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
}

// mdRecorded writes which cells there are, with what their kernels say they are.
func (f *Findings) mdRecorded(b *strings.Builder, looks map[verdict.Verdict]look) {
	rec := f.recorded()
	fmt.Fprintf(b, "| cells | %s |\n|---|%s\n", strings.Join(rec.labels, " | "), strings.Repeat("---|", len(rec.labels)))
	for _, r := range rec.rows {
		fmt.Fprintf(b, "| %s |", md(r.name))
		for _, c := range r.cells {
			s := ""
			switch {
			case c == nil:
			case c.Status == cell.Complete:
				s = number.FindString(release(c)) // the rest is the distribution's
			case c.Status == cell.Unavailable:
				s = looks[verdict.Missing].symbol + " " + string(c.Status)
			default:
				s = looks[verdict.Broken].symbol + " " + string(c.Status)
			}
			fmt.Fprintf(b, " %s |", md(s))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, i := range f.lines.lost {
		fmt.Fprintf(b, "- %s: %s\n", md(f.Columns[i]), f.lines.j.Cells[i].Status)
	}
	if len(f.lines.lost) > 0 {
		b.WriteString("\n")
	}
}

// mdAsked writes of which cells only a part was asked, under a heading of the second level.
func (f *Findings) mdAsked(b *strings.Builder) {
	list := asked(f.lines.j)
	if len(list) > 0 {
		fmt.Fprintf(b, "\n## %s\n\n", askedTitle)
	}
	for _, s := range list {
		fmt.Fprintf(b, "- %s\n", md(s))
	}
}

// mdOthers writes what other implementations do otherwise, under headings of the second level.
func (f *Findings) mdOthers(b *strings.Builder) {
	for _, o := range f.Others {
		fmt.Fprintf(b, "\n## %s\n\n%s\n", md(o.heading()), md(o.words()))
		if len(o.Differs) > 0 {
			b.WriteString("\n")
		}
		// One reason tends to be behind many, and then what is done is often the same.
		for _, why := range gather(o.Differs, func(c Change) (string, string) { return c.Behaviour, cmp.Or(c.Reason, "without a reason on record") }) {
			fmt.Fprintf(b, "- %s:\n", md(why.says))
			of := slices.DeleteFunc(slices.Clone(o.Differs), func(c Change) bool { return !slices.Contains(why.ids, c.Behaviour) })
			for _, g := range gather(of, func(c Change) (string, string) { return c.Behaviour, c.Kernels }) {
				fmt.Fprintf(b, "  - %s: %s\n", md(g.says), g.mdIDs())
			}
		}
	}
}

// mdProblems writes what was not observed or not expected, under headings of the second level.
func mdProblems(b *strings.Builder, f *Findings) {
	unexpected, known := f.unexpected()
	differs, _ := f.unlike()
	for _, s := range []struct {
		title string
		lists [][]Problem
	}{
		{"Not supported", [][]Problem{together(f.Unsupported)}},
		{"Known issues", [][]Problem{known}},
		{"Unexpected", [][]Problem{unexpected}},
		{differsTitle, [][]Problem{differs}},
		{"Nothing observed", [][]Problem{f.Unobserved, together(f.Cells)}},
	} {
		problems := slices.Concat(s.lists...)
		if len(problems) > 0 {
			fmt.Fprintf(b, "\n## %s\n\n", s.title)
		}
		for _, p := range problems {
			on := ""
			if p.Kernels != "" {
				on = " on " + p.Kernels
			}
			fmt.Fprintf(b, "- `%s`%s: %s", strings.ReplaceAll(p.Subject, ", ", "`, `"), on, md(oneLine(strings.Join(p.Wrong, "; "))))
			if p.Expected != "" {
				fmt.Fprintf(b, ". Expected: %s", md(p.Expected))
			}
			if p.Got != "" {
				fmt.Fprintf(b, ". Got: %s", md(oneLine(p.Got)))
			}
			b.WriteString("\n")
		}
	}
}

// md escapes what Markdown would take for its own.
func md(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "'").Replace(s)
}
