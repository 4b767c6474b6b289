package pagecheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"pivotspec/results/report"
)

// Names returns the names of the formats of [Render], the usual one first.
func Names() []string { return []string{"term", "json"} }

// Render writes a report in the format of that name.
func Render(format string, w io.Writer, r *Report, o report.Options) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	case "term":
		return Term(w, r, o)
	}
	return fmt.Errorf("there is no format %q: choose one of %s", format, strings.Join(Names(), ", "))
}

// Term writes a report for people: every statement in the order of the page, then what needs
// a look and what the page does not say.
func Term(w io.Writer, r *Report, o report.Options) error {
	p := &printer{o: o}
	p.known(r)
	p.changed(r)
	p.unknown(r)
	p.vanished(r)
	p.silent(r)
	p.skipped(r)
	p.summary(r)
	_, err := w.Write(p.out.Bytes())
	return err
}

type printer struct {
	o   report.Options
	out bytes.Buffer
}

// mark is what stands before an item: all kernels agree, some contradict, and so on.
type mark struct {
	symbol, ascii string
	colour        text.Colors
}

// The marks are those of the matrix, where they mean the same.
var (
	markHolds    = mark{"·", ".", text.Colors{text.Faint}}
	markFails    = mark{"≠", "#", text.Colors{text.Bold, text.FgYellow}}
	markSilent   = mark{"~", "~", text.Colors{text.FgCyan}}
	markUntested = mark{"-", "-", text.Colors{text.Faint}}
	markLook     = mark{"✗", "X", text.Colors{text.Bold, text.FgHiWhite, text.BgRed}}
	markMissing  = mark{"?", "?", text.Colors{text.Bold, text.FgMagenta}}
)

func (p *printer) paint(c text.Colors, s string) string {
	if !p.o.Colour || s == "" {
		return s
	}
	return c.EscapeSeq() + s + text.EscapeReset
}

func (p *printer) bold(s string) string { return p.paint(text.Colors{text.Bold}, s) }

func (p *printer) title(s string) {
	if p.out.Len() > 0 {
		p.out.WriteByte('\n')
	}
	p.out.WriteString(p.bold(s) + "\n")
}

func (p *printer) item(m mark, s string) {
	symbol := m.symbol
	if p.o.ASCII {
		symbol = m.ascii
	}
	p.hang("  "+p.paint(m.colour, symbol)+" ", "      ", s)
}

func (p *printer) more(s string) { p.hang("      ", "        ", s) }

func (p *printer) hang(first, rest, s string) {
	for _, l := range report.Hang(p.o.Width, first, rest, clean(s)) {
		if p.o.ASCII {
			l = plain.Replace(l)
		}
		p.out.WriteString(strings.TrimRight(l, " ") + "\n")
	}
}

var plain = strings.NewReplacer("–", "-", "“", `"`, "”", `"`, "‘", "'", "’", "'")

// clean keeps what a page says from commanding the terminal: control characters are left
// out, but for the escapes of our own colours.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\x1b' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// worst returns the mark for a statement's claims.
func worst(claims []Claim) mark {
	seen := map[Truth]bool{}
	tested := false
	for _, c := range claims {
		tested = tested || c.Untestable == ""
		for _, v := range c.Verdicts {
			seen[v.Truth] = true
		}
	}
	switch {
	case seen[Unexpected]:
		return markLook
	case seen[Fails]:
		return markFails
	case seen[Unobserved] || tested && len(seen) == 0:
		return markMissing
	case !tested || !seen[Holds]:
		return markUntested
	}
	return markHolds
}

func (p *printer) place(s *Statement) string { return fmt.Sprintf("line %d, %s", s.Line, s.place) }

// claim says what there is to say of one claim.
func (p *printer) claim(c *Claim) {
	s := c.ID + ": " + c.Says + ". "
	switch {
	case c.Untestable != "":
		s += "Not tested: " + strings.TrimRight(c.Untestable, ".") + "."
	case c.Kernels == "":
		s += "Not observed."
	default:
		s += "Kernels: " + c.Kernels + "."
	}
	if len(c.Reasons) > 0 {
		s += " Known " + strings.Join(c.Reasons, "; ") + "."
	}
	p.more(s)
}

func (p *printer) known(r *Report) {
	if r.Counts.Known == 0 {
		return
	}
	p.title("Known statements")
	for i := range r.Statements {
		s := &r.Statements[i]
		if s.Status != Known {
			continue
		}
		p.item(worst(s.Claims), p.bold(p.place(s))+": “"+s.Text+"”")
		for j := range s.Claims {
			p.claim(&s.Claims[j])
		}
	}
}

func (p *printer) changed(r *Report) {
	if r.Counts.Changed == 0 {
		return
	}
	p.title("CHANGED wording: read whether it still says what the claim says")
	for i := range r.Statements {
		s := &r.Statements[i]
		if s.Status != Changed {
			continue
		}
		p.item(markLook, p.bold(p.place(s))+": “"+s.Text+"”")
		switch {
		case s.Was.Similarity == 1:
			p.more(fmt.Sprintf("the same words stand in page %s in another place: %s", s.Was.Edition, s.Was.Place))
		case len(s.Was.New) > 0:
			p.more(fmt.Sprintf("like page %s, %s (%.0f %%); new words: %s", s.Was.Edition, s.Was.Place, 100*s.Was.Similarity, strings.Join(s.Was.New, ", ")))
		default:
			p.more(fmt.Sprintf("like page %s, %s (%.0f %%); no new words: some are gone or in another order", s.Was.Edition, s.Was.Place, 100*s.Was.Similarity))
		}
		for j := range s.Claims {
			p.claim(&s.Claims[j])
		}
	}
}

func (p *printer) unknown(r *Report) {
	if r.Counts.Unknown == 0 {
		return
	}
	p.title("UNKNOWN statements: no claim, so no spec decides them")
	for i := range r.Statements {
		if s := &r.Statements[i]; s.Status == Unknown {
			p.item(markLook, p.bold(p.place(s))+": “"+s.Text+"”")
		}
	}
}

func (p *printer) vanished(r *Report) {
	if len(r.Vanished) == 0 {
		return
	}
	p.title("VANISHED: claims of page " + r.Edition.ID + " that this one does not make")
	for i := range r.Vanished {
		c := &r.Vanished[i]
		p.item(markLook, p.bold(c.Where))
		p.claim(c)
	}
}

func (p *printer) silent(r *Report) {
	for _, part := range []struct {
		title   string
		differs bool
	}{
		{"Where kernels differ and the page is silent", true},
		{"What kernels do and the page does not say", false},
	} {
		titled := false
		for _, b := range r.Silent {
			if b.Differs != part.differs {
				continue
			}
			if !titled {
				p.title(part.title)
				titled = true
			}
			p.silence(&b)
		}
	}
}

func (p *printer) silence(b *Silence) {
	s := p.bold(b.Behaviour) + ": " + b.Title + ". "
	if b.Kernels == "" {
		s += "Nothing recorded."
	} else {
		s += "Kernels: " + b.Kernels + "."
	}
	if len(b.Claims) > 0 {
		s += " Other pages decide it: " + strings.Join(b.Claims, ", ") + "."
	}
	p.item(markSilent, s)
}

func (p *printer) skipped(r *Report) {
	if len(r.Skipped) == 0 {
		return
	}
	p.title("NOT READ: mandoc does not know it")
	for _, s := range r.Skipped {
		p.item(markLook, s)
	}
}

func (p *printer) summary(r *Report) {
	n := r.Counts
	how := "the nearest edition"
	if r.Edition.Chosen {
		how = "as asked"
	}
	name := r.Page.Name + "(" + r.Page.Section + ")"
	for _, s := range []string{r.Page.Source, r.Page.Date} {
		if s != "" {
			name += ", " + s
		}
	}
	p.out.WriteByte('\n')
	p.hang("", "", p.bold(fmt.Sprintf("%s, compared with page %s (%s, %d of %s word for word) on %s: %d known, %d of the statements contradicted by some kernel, %d changed, %d unknown, %s vanished, silent on %s",
		name, r.Edition.ID, how, r.Edition.Same, count(len(r.Statements), "statement"), count(r.booted, "kernel"),
		n.Known, n.Contradicted, n.Changed, n.Unknown, count(n.Vanished, "claim"), count(n.Silent, "behaviour"))))
	if n.Unexpected > 0 {
		p.hang("", "", fmt.Sprintf("The records hold unexpected results for %s: `pivotspec report` tells them.", count(n.Unexpected, "claim")))
	}
	if n.Unobserved > 0 {
		p.hang("", "", fmt.Sprintf("The records do not say all about %s: `pivotspec run --out DIR` and --results DIR do.", count(n.Unobserved, "claim")))
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
