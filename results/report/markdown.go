package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pivotspec/results/verdict"
)

// Markdown writes the matrix as a table and the findings as lists.
func Markdown(w io.Writer, j *verdict.Judgement, _ Options) error {
	f, looks := Find(j), looks()
	var b strings.Builder
	fmt.Fprintf(&b, "# pivot_root(2), page %s\n\n%s.\n\n", j.Edition.ID, md(f.Summary))
	fmt.Fprintf(&b, "| behaviour | %s |\n|---|%s\n", strings.Join(f.Columns, " | "), strings.Repeat("---|", len(f.Columns)))
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			fmt.Fprintf(&b, "| `%s` |", r.ID)
			for _, res := range r.Results {
				s := ""
				switch {
				case res == nil:
				case res.Verdict == verdict.Conforms:
					s = res.Outcome
				default:
					s = strings.TrimSpace(looks[res.Verdict].symbol + " " + res.Outcome)
				}
				fmt.Fprintf(&b, " %s |", md(s))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
	for i, v := range verdict.All()[1:] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s", md(looks[v].symbol), looks[v].meaning)
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
	mdProblems(&b, f)
	_, err := io.WriteString(w, b.String())
	return err
}

// mdProblems writes what was not observed or not expected, under headings of the second level.
func mdProblems(b *strings.Builder, f *Findings) {
	for _, s := range []struct {
		title string
		lists [][]Problem
	}{
		{"Not supported", [][]Problem{together(f.Unsupported)}},
		{"Unexpected", [][]Problem{f.Unexpected, f.Warnings}},
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
