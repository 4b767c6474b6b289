package show

import (
	"io"
	"strings"

	"pivotspec/results/change"
	"pivotspec/results/report"
)

// Markdown writes the comparison for a pull request or a ticket.
func Markdown(w io.Writer, c *change.Comparison, _ report.Options) error {
	p := lay(c)
	var b strings.Builder
	b.WriteString("# What changes for pivot_root(2)\n\n")
	for _, h := range p.heads {
		b.WriteString("- " + md(h) + "\n")
	}
	b.WriteString("\n**" + md(p.summary) + "**\n")
	section := func(title string, list []*cluster) {
		b.WriteString("\n## " + md(title) + "\n\n")
		for _, k := range list {
			says := md(k.line())
			if k.stops && k.kind != "" {
				says = "**" + says + "**"
			}
			if k.also != "" {
				says += " (" + md(k.also) + ")"
			}
			b.WriteString("- " + says + "\n")
			for _, i := range k.items {
				id := ""
				if i.id != "" {
					id = " (`" + strings.ReplaceAll(i.id, "`", "'") + "`)"
				}
				b.WriteString("    - " + md(i.title) + id + md(i.behind()) + "\n")
			}
		}
	}
	for _, g := range p.groups {
		section(g.heading(), g.clusters)
	}
	if len(p.gaps) > 0 {
		open := make([]*cluster, len(p.gaps))
		for i, k := range p.gaps {
			open[i] = &cluster{says: k.says, items: k.items}
		}
		section("Not compared", open)
	}
	if len(p.alone) > 0 {
		b.WriteString("\n")
		for _, a := range p.alone {
			b.WriteString("- " + md(a) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// md escapes what Markdown would take for its own.
func md(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "[", `\[`, "`", "'").Replace(s)
}
