package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// Inbox writes, in Markdown, what a maintainer of the page would want in the inbox: every
// matter in which the judged edition is wrong, stale, contradicts itself or is silent, with the
// evidence per kernel, steps that reproduce it and a proposal. It is about the current edition, for
// which the proposals are made; an older one gets an error.
func Inbox(w io.Writer, j *verdict.Judgement, _ Options) error {
	if cur := j.Base.Current().ID; j.Edition.ID != cur {
		return fmt.Errorf("there are proposals for the current edition only, %s; judge that one", cur)
	}
	in := &inbox{Findings: Find(j), j: j}
	in.matters()
	in.write()
	_, err := io.WriteString(w, in.b.String())
	return err
}

// inbox is the document as it grows.
type inbox struct {
	*Findings
	j    *verdict.Judgement
	open []matter // with a proposal
	none []matter // for which the page need not say anything
	b    strings.Builder
}

// matter is a proposal with what was found out about it.
type matter struct {
	*knowledge.Proposal
	kind   string
	claims []claimFound
	rows   []Row // behaviours to show
}

// claimFound is a claim with the kernels on which it was seen to hold and to fail.
type claimFound struct {
	claim               *knowledge.Claim
	where               string
	holds, fails, blind string
	kind                string
}

// Kinds of matter, the worst first.
const (
	kindContradiction = "in contradiction with itself"
	kindWrong         = "wrong"
	kindStale         = "stale"
	kindEarly         = "not true of all kernels"
	kindSilent        = "silent"
	kindFine          = "nothing wrong"
	kindUnseen        = "not looked at"
)

func (in *inbox) matters() {
	rows := map[string]Row{}
	for _, a := range in.Areas {
		for _, r := range a.Rows {
			rows[r.ID] = r
		}
	}
	for i := range in.j.Base.Proposals {
		m := matter{Proposal: &in.j.Base.Proposals[i]}
		show := map[string]bool{}
		add := func(id string) {
			if r, ok := rows[id]; ok && !show[id] {
				show[id] = true
				m.rows = append(m.rows, r)
			}
		}
		for _, id := range m.Claims {
			c, _ := in.j.Base.Claim(id)
			m.claims = append(m.claims, in.claim(c))
			for _, d := range c.Demands {
				if in.deviates(rows[d.Behaviour], c) {
					add(d.Behaviour)
				}
			}
		}
		for _, b := range in.j.Base.Silence(m.Proposal) {
			add(b.ID)
		}
		for _, id := range m.Behaviours {
			add(id)
		}
		m.kind = m.worst()
		if m.kind == kindFine && len(parts(in.j)) > 0 && m.unseen() {
			m.kind = kindUnseen
		}
		if m.None != "" {
			in.none = append(in.none, m)
		} else {
			in.open = append(in.open, m)
		}
	}
	kinds := []string{kindContradiction, kindWrong, kindStale, kindEarly, kindSilent, kindFine, kindUnseen}
	slices.SortStableFunc(in.open, func(a, b matter) int {
		return slices.Index(kinds, a.kind) - slices.Index(kinds, b.kind)
	})
}

// deviates says whether any kernel goes against what claim c demands of the row's behaviour.
func (in *inbox) deviates(r Row, c *knowledge.Claim) bool {
	return slices.ContainsFunc(r.Results, func(res *verdict.Result) bool {
		return res != nil && slices.ContainsFunc(res.Violated, func(d knowledge.Demanded) bool { return d.Claim == c })
	})
}

func (m *matter) worst() string {
	if len(m.Between) > 0 {
		return kindContradiction
	}
	for _, k := range []string{kindWrong, kindStale, kindEarly} {
		if slices.ContainsFunc(m.claims, func(c claimFound) bool { return c.kind == k }) {
			return k
		}
	}
	if slices.ContainsFunc(m.rows, func(r Row) bool { return slices.ContainsFunc(r.Results, silent) }) {
		return kindSilent
	}
	return kindFine
}

// unseen says whether no kernel showed anything of the matter.
func (m *matter) unseen() bool {
	return !slices.ContainsFunc(m.claims, func(c claimFound) bool { return c.holds+c.fails != "" }) &&
		!slices.ContainsFunc(m.rows, func(r Row) bool {
			return slices.ContainsFunc(r.Results, func(res *verdict.Result) bool { return res != nil && res.Outcome != "" })
		})
}

func silent(r *verdict.Result) bool { return r != nil && r.Verdict == verdict.Silent }

// claim finds out on which kernels a claim of the judged edition holds.
func (in *inbox) claim(c *knowledge.Claim) claimFound {
	place, _ := c.In(in.j.Edition.ID)
	f := claimFound{claim: c, where: place.String(), kind: kindFine}
	h := history(in.j, in.Findings, c)
	of, truth := in.lines.truths(&h)
	on := func(t verdict.Truth) string {
		return in.lines.ranges(of, func(i int) bool { return truth(i) == t }, func(i int) bool { return truth(i) != "" })
	}
	f.holds, f.fails, f.blind = on(verdict.True), on(verdict.False), on(verdict.Undecided)
	switch h.State {
	case NeverTrue:
		f.kind = kindWrong
	case Stale:
		f.kind = kindStale
	case CameTrue, Varies:
		f.kind = kindEarly
	}
	return f
}

func (in *inbox) write() {
	b := &in.b
	fmt.Fprintf(b, "# Where page %s and the kernels part ways\n\n", in.j.Edition.ID)
	b.WriteString("Generated from recorded runs by `make findings`; do not edit it. What is proposed stands in\n" +
		"`suites/knowledge/proposals.yaml`, what kernels did in `results/baseline`.\n\n")
	if in.lines.plain() {
		fmt.Fprintf(b, "Kernels: %s.\n\n", in.kernels())
	} else {
		b.WriteString("Cells that were recorded; a range of kernels that names no architecture holds on all that have some of them:\n\n")
		in.mdRecorded(b, looks())
	}
	fmt.Fprintf(b, "%s.\n\n", md(in.Summary))
	b.WriteString("| | the page is | matter |\n|---|---|---|\n")
	for i, m := range in.open {
		fmt.Fprintf(b, "| %d | %s | [%s](#%s) |\n", i+1, m.kind, md(m.Title), anchor(i, m))
	}
	b.WriteString("\n## How to repeat what is shown\n\n" +
		"Each block is what was done on a kernel that shows the matter, one step a line, as root in a mount namespace of\n" +
		"its own in which everything is private, as after `unshare --mount --propagation private`. Steps are written as in a\n" +
		"shell where a tool exists for them; `pivot_root(\"/new\", \"/new/old\") = OK` is the system call with its outcome, and a step that begins with\n" +
		"a name and a colon is another task's. `/world` is any empty directory. After the observed call, most blocks show the same call once\n" +
		"more with the one fault mended, which succeeds.\n")
	for i, m := range in.open {
		in.section(i, m)
	}
	in.rest()
	in.mdOthers(b)
	mdProblems(b, in.Findings)
}

// anchor is the name that Markdown gives a section's heading.
func anchor(i int, m matter) string {
	s := strings.ToLower(fmt.Sprintf("%d. %s", i+1, m.Title))
	s = strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return -1
	}, s)
	return s
}

func (in *inbox) kernels() string {
	var out []string
	for _, c := range in.j.Cells {
		out = append(out, strings.TrimSpace(release(c)+" "+oneLine(c.Cell.Arch)))
	}
	return md(strings.Join(out, ", "))
}

func (in *inbox) section(i int, m matter) {
	b := &in.b
	fmt.Fprintf(b, "\n## %d. %s\n\nThe page is **%s**.", i+1, md(m.Title), m.kind)
	if len(m.Between) > 0 {
		b.WriteString(" These statements cannot all be true: ")
		for k, id := range m.Between {
			if k > 0 {
				b.WriteString(" and ")
			}
			fmt.Fprintf(b, "`%s`", id)
		}
		b.WriteString(".")
	}
	b.WriteString("\n")
	if len(m.claims) > 0 {
		b.WriteString("\nWhat it says, in other words:\n\n")
	}
	for _, c := range m.claims {
		fmt.Fprintf(b, "- %s (%s; `%s`): %s.\n", md(c.claim.Says), md(c.where), c.claim.ID, c.verdict())
	}
	fmt.Fprintf(b, "\n| behaviour | kernels | why |\n|---|---|---|\n")
	for _, r := range m.rows {
		all := func(*verdict.Result) bool { return true }
		fmt.Fprintf(b, "| `%s`: %s | %s | %s |\n", r.ID, md(r.Title),
			md(in.spans(r.linux, func(res *verdict.Result) string { return seen(res, r.Varying) })), md(reasons(r.linux, all)))
	}
	in.steps(m)
	fmt.Fprintf(b, "\n**Proposal.** %s\n", strings.TrimSpace(m.Propose))
}

func (c *claimFound) verdict() string {
	var parts []string
	if c.claim.Untestable != "" {
		return "not tested (" + md(c.claim.Untestable) + ")"
	}
	for _, p := range []struct{ words, kernels string }{{"true on", c.holds}, {"**false** on", c.fails}, {"undecided on", c.blind}} {
		if p.kernels != "" {
			parts = append(parts, p.words+" "+p.kernels)
		}
	}
	return strings.Join(parts, ", ")
}

// steps shows how the matter was seen: on the newest kernel of the first line that deviates, or that observed it.
func (in *inbox) steps(m matter) {
	for _, deviating := range []bool{true, false} {
		for _, l := range in.lines.main {
			for _, i := range slices.Backward(l.cells) {
				res := in.j.Cells[i].Result(m.Show)
				if res == nil || res.Outcome == "" || deviating && res.Verdict != verdict.Deviation {
					continue
				}
				// Baselines keep the steps of one architecture; see package baseline.
				if r := in.j.Cells[i].Cell.Observation(m.Show); r != nil && len(r.Steps) > 0 {
					in.show(m, i, r)
					return
				}
			}
		}
	}
}

// show writes the steps of record r of column i.
func (in *inbox) show(m matter, i int, r *record.Record) {
	on := in.Columns[i]
	if !in.lines.plain() {
		on += " " + oneLine(in.j.Cells[i].Cell.Line().String())
	}
	fmt.Fprintf(&in.b, "\n`%s` on %s:\n\n```\n", m.Show, md(on))
	for _, s := range r.Steps {
		for _, line := range sandbox.Expand(s, "/world") {
			fmt.Fprintf(&in.b, "%s\n", oneLine(line))
		}
	}
	in.b.WriteString("```\n")
	facts := maps.Clone(r.Facts)
	delete(facts, knowledge.FactControl)
	delete(facts, knowledge.FactEffect)
	if len(facts) > 0 {
		in.b.WriteString("\nSeen then:")
		for k, f := range slices.Sorted(maps.Keys(facts)) {
			if k > 0 {
				in.b.WriteString(",")
			}
			fmt.Fprintf(&in.b, " %s %s", f, md(oneLine(facts[f])))
		}
		in.b.WriteString(".\n")
	}
}

// rest lists what has no proposal: matters that need none, and what nobody has looked at.
func (in *inbox) rest() {
	b := &in.b
	if len(in.none) > 0 {
		b.WriteString("\n## What the page need not say\n\n")
		for _, m := range in.none {
			fmt.Fprintf(b, "- %s: %s.\n", md(m.Title), md(strings.TrimSuffix(strings.TrimSpace(m.None), ".")))
			for _, g := range gather(m.rows, func(r Row) (string, string) {
				return r.ID, in.spans(r.linux, func(res *verdict.Result) string { return seen(res, r.Varying) })
			}) {
				fmt.Fprintf(b, "  - %s: %s\n", md(g.says), g.mdIDs())
			}
		}
	}
	proposed := map[string]bool{}
	for _, m := range slices.Concat(in.open, in.none) {
		for _, id := range m.Claims {
			proposed[id] = true
		}
	}
	var missing []string
	for _, d := range in.Deviations {
		for _, p := range d.Page {
			if !proposed[p.Claim] {
				missing = append(missing, fmt.Sprintf("- `%s` (%s): %s\n", p.Claim, d.Behaviour, md(p.Says)))
			}
		}
	}
	for _, e := range in.j.Base.Uncovered() {
		missing = append(missing, fmt.Sprintf("- `%s`: %s\n", e.ID, md(e.Title)))
	}
	slices.Sort(missing)
	if missing = slices.Compact(missing); len(missing) > 0 {
		b.WriteString("\n## " + headUnproposed + "\n\n" + strings.Join(missing, ""))
	}
}

// headUnproposed heads what proposals.yaml has nothing about.
const headUnproposed = "Without a proposal yet"
