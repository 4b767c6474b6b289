package show

import (
	"bytes"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"pivotspec/results/change"
	"pivotspec/results/report"
)

// Term writes the comparison for a terminal.
func Term(w io.Writer, c *change.Comparison, o report.Options) error {
	p := lay(c)
	var b bytes.Buffer
	line := func(first, rest, s string) {
		for _, l := range report.Hang(o.Width, first, rest, s) {
			b.WriteString(strings.TrimRight(l, " ") + "\n")
		}
	}
	paint := func(colours text.Colors, s string) string {
		if !o.Colour {
			return s
		}
		return colours.EscapeSeq() + s + text.EscapeReset
	}
	for _, h := range p.heads {
		line("", "    ", h)
	}
	told := func(k *cluster) {
		symbol := k.symbol()
		colours := map[string]text.Colors{"!": {text.Bold, text.FgRed}, "+": {text.FgGreen}, "~": {text.FgYellow}}[symbol]
		line("  "+paint(colours, symbol)+" ", "      ", k.line())
		for _, i := range k.items {
			line("      ", "          ", named(i))
		}
		if k.also != "" {
			line("      ", "          ", "("+k.also+")")
		}
	}
	for _, g := range p.groups {
		b.WriteString("\n")
		line("", "    ", paint(text.Colors{text.Bold}, g.heading()))
		for _, k := range g.clusters {
			told(k)
		}
	}
	if len(p.gaps) > 0 {
		b.WriteString("\n")
		line("", "    ", paint(text.Colors{text.Bold}, "Not compared"))
		for _, k := range p.gaps {
			symbol := "?"
			if !k.stops {
				symbol = "-"
			}
			line("  "+symbol+" ", "      ", k.says)
			for _, i := range k.items {
				line("      ", "          ", named(i))
			}
		}
	}
	for _, a := range p.alone {
		line("", "    ", a)
	}
	b.WriteString("\n")
	line("", "    ", p.summary)
	_, err := w.Write(b.Bytes())
	return err
}

// named is a behaviour in one line.
func named(i *item) string {
	s := i.title
	if i.id != "" {
		s += " (" + i.id + ")"
	}
	return s + i.behind()
}
