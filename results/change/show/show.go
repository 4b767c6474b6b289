// Package show writes a comparison of package change for people and programs. What the formats have in common, who
// is told what in which words, is worked out once here.
package show

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"pivotspec/results/change"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Format is one way to write a comparison.
type Format struct {
	Name   string
	Render func(w io.Writer, c *change.Comparison, o report.Options) error
}

// Formats lists the formats there are, the usual one first.
func Formats() []Format {
	return []Format{{"term", Term}, {"markdown", Markdown}, {"json", JSON}}
}

// Names returns the names of the formats.
func Names() []string {
	var out []string
	for _, f := range Formats() {
		out = append(out, f.Name)
	}
	return out
}

// Render writes c in the format of that name.
func Render(format string, w io.Writer, c *change.Comparison, o report.Options) error {
	for _, f := range Formats() {
		if f.Name == format {
			if err := f.Render(w, c, o); err != nil {
				return fmt.Errorf("write the %s comparison: %w", format, err)
			}
			return nil
		}
	}
	return fmt.Errorf("there is no format %q: choose one of %s", format, strings.Join(Names(), ", "))
}

// page is a comparison as it is told.
type page struct {
	// heads say what was compared with what, one line a pair.
	heads []string
	// groups by who notices, the most likely first.
	groups []*group
	// gaps are what could not be compared, those first that may have stopped working.
	gaps    []*cluster
	alone   []string // cells with nothing to compare them with
	summary string
}

// group is what one audience is likely to notice in one grade.
type group struct {
	grade    knowledge.Grade
	audience string
	rank     int
	clusters []*cluster
}

// cluster is changes of which the same is to be said.
type cluster struct {
	kind       change.Kind
	stops      bool
	says, why  string
	unexpected []string
	// also are the others who may notice, with their grades.
	also  string
	items []*item
}

// item is one behaviour of a cluster.
type item struct {
	id, title string
	on        []string // the pairs of which it is true
}

// logged is the audience of what the kernel logs.
const logged = "who reads the kernel's log"

// nobody is the audience of what the knowledge names none for.
const nobody = "nobody known"

// lay works out what is told of a comparison.
func lay(c *change.Comparison) *page {
	p := &page{}
	labels := labels(c)
	for i, pair := range c.Pairs {
		p.heads = append(p.heads, head(pair.Old)+" -> "+head(pair.New))
		for k := range pair.Changes {
			p.add(&pair.Changes[k], labels[i])
		}
		for k := range pair.Gaps {
			p.gap(&pair.Gaps[k], labels[i])
		}
	}
	slices.SortStableFunc(p.groups, func(a, b *group) int {
		grades := knowledge.Grades()
		return cmp.Or(cmp.Compare(slices.Index(grades, a.grade), slices.Index(grades, b.grade)), cmp.Compare(a.rank, b.rank))
	})
	kinds := change.Kinds()
	for _, g := range p.groups {
		slices.SortStableFunc(g.clusters, func(a, b *cluster) int {
			return cmp.Or(-compareBool(a.stops, b.stops), cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)))
		})
		everywhere(g.clusters, len(c.Pairs))
	}
	slices.SortStableFunc(p.gaps, func(a, b *cluster) int { return -compareBool(a.stops, b.stops) })
	everywhere(p.gaps, len(c.Pairs))
	for _, x := range c.OnlyOld {
		p.alone = append(p.alone, "only on the old side: "+head(x))
	}
	for _, x := range c.OnlyNew {
		p.alone = append(p.alone, "only on the new side: "+head(x))
	}
	p.summary = summary(c)
	return p
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// head names a cell and its kernel.
func head(c *verdict.CellResult) string {
	s := c.Cell.Name
	if v := c.Cell.Kernel.Version; v != "" && !strings.HasPrefix(s, v) {
		s += " (" + v + ")"
	}
	return change.OneLine(s)
}

// labels tell the pairs apart in few words.
func labels(c *change.Comparison) []string {
	out := make([]string, len(c.Pairs))
	seen := map[string]int{}
	for i, p := range c.Pairs {
		out[i] = p.New.Cell.Line().String()
		seen[out[i]]++
	}
	for i, p := range c.Pairs {
		if seen[out[i]] > 1 {
			out[i] = p.New.Cell.Name
			if p.Old.Cell.Name != p.New.Cell.Name {
				out[i] = p.Old.Cell.Name + " -> " + out[i]
			}
		}
		out[i] = change.OneLine(out[i])
	}
	return out
}

// everywhere takes the pairs away from items that are true of all of them.
func everywhere(clusters []*cluster, pairs int) {
	for _, c := range clusters {
		for _, i := range c.items {
			if len(i.on) == pairs {
				i.on = nil
			}
		}
	}
}

func (p *page) add(c *change.Change, label string) {
	who, rank := nobody, math.MaxInt // behind all others
	switch {
	case len(c.Noticed) > 0:
		who = c.Noticed[0].Audience.Title
		rank = c.Noticed[0].Rank
	case c.Behaviour == "":
		who = logged
	}
	i := slices.IndexFunc(p.groups, func(g *group) bool { return g.grade == c.Grade() && g.audience == who })
	if i < 0 {
		i = len(p.groups)
		p.groups = append(p.groups, &group{grade: c.Grade(), audience: who, rank: rank})
	}
	g := p.groups[i]
	g.clusters = put(g.clusters, cluster{
		kind: c.Kind, stops: c.Stops, says: change.OneLine(c.Says), why: c.Why, unexpected: c.Unexpected, also: also(c),
	}, item{id: change.OneLine(c.Behaviour), title: change.OneLine(c.Title)}, label)
}

func (p *page) gap(g *change.Gap, label string) {
	says := string(g.Reason) + ". Old: " + g.Old + ". New: " + g.New
	switch {
	case g.Reason == change.NoModule && g.Open:
		says += ". Give the package that has it, too"
	case g.Reason == change.OtherSuite && g.Open:
		says += ". Run the older one again with this pivotspec"
	}
	p.gaps = put(p.gaps, cluster{stops: g.Open, says: change.OneLine(says)}, item{id: change.OneLine(g.Behaviour), title: change.OneLine(g.Title)}, label)
}

// put adds an item to the cluster that says the same.
func put(list []*cluster, c cluster, it item, label string) []*cluster {
	i := slices.IndexFunc(list, func(o *cluster) bool {
		return o.kind == c.kind && o.stops == c.stops && o.says == c.says && o.why == c.why && o.also == c.also && slices.Equal(o.unexpected, c.unexpected)
	})
	if i < 0 {
		i = len(list)
		list = append(list, &c)
	}
	to := list[i]
	k := slices.IndexFunc(to.items, func(o *item) bool { return o.id == it.id && o.title == it.title })
	if k < 0 {
		k = len(to.items)
		to.items = append(to.items, &it)
	}
	to.items[k].on = append(to.items[k].on, label)
	return list
}

// also names the audiences behind the first.
func also(c *change.Change) string {
	var out []string
	for _, grade := range knowledge.Grades() {
		var who []string
		for i, n := range c.Noticed {
			if i > 0 && n.Grade == grade {
				who = append(who, short(n.Audience.Title))
			}
		}
		if len(who) > 0 {
			out = append(out, string(grade)+": "+strings.Join(who, ", "))
		}
	}
	return strings.Join(out, "; ")
}

// short leaves the examples out of an audience's title.
func short(title string) string {
	s, _, _ := strings.Cut(title, " (")
	return s
}

// counts are how many changes there are of each kind, over all pairs, and what else the summary tells.
type counts struct {
	kinds                         map[change.Kind]int
	stops, alike, neither, gaps   int
	unasked                       int
	open, cells, onlyOld, onlyNew int
}

func count(c *change.Comparison) counts {
	n := counts{kinds: map[change.Kind]int{}, cells: len(c.Pairs), onlyOld: len(c.OnlyOld), onlyNew: len(c.OnlyNew)}
	for _, p := range c.Pairs {
		for i := range p.Changes {
			n.kinds[p.Changes[i].Kind]++
			if p.Changes[i].Stops {
				n.stops++
			}
		}
		for i := range p.Gaps {
			n.gaps++
			if p.Gaps[i].Open {
				n.open++
			}
		}
		n.alike += p.Alike
		n.neither += p.Neither
		n.unasked += p.Unasked
	}
	return n
}

// summary is one line with counts.
func summary(c *change.Comparison) string {
	n := count(c)
	if n.cells == 0 {
		return "nothing was compared"
	}
	var s string
	switch {
	case n.stops == 1:
		s = "1 thing that worked STOPS WORKING"
	case n.stops > 1:
		s = fmt.Sprintf("%d things that worked STOP WORKING", n.stops)
	case n.open > 0:
		s = "nothing seen that worked stops working"
	default:
		s = "nothing that worked stops working"
	}
	var kinds []string
	for _, k := range change.Kinds() {
		if n.kinds[k] > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", n.kinds[k], plural(k, n.kinds[k])))
		}
	}
	if len(kinds) == 0 {
		kinds = []string{"no change"}
	}
	s += ": " + strings.Join(kinds, ", ") + fmt.Sprintf("; %d alike", n.alike)
	if n.neither > 0 {
		s += fmt.Sprintf(", %d observed on neither side", n.neither)
	}
	if n.unasked > 0 {
		s += fmt.Sprintf(", %d left out, for not both sides were asked for them", n.unasked)
	}
	if n.gaps > 0 {
		s += fmt.Sprintf(", %d NOT COMPARED", n.gaps)
		if n.open > 0 {
			s += fmt.Sprintf(" (%d may have stopped working)", n.open)
		}
	}
	if n.onlyOld > 0 {
		s += fmt.Sprintf(", %d cells only on the old side", n.onlyOld)
	}
	if n.onlyNew > 0 {
		s += fmt.Sprintf(", %d cells only on the new side", n.onlyNew)
	}
	return s
}

// plural is a kind as the verb of a number of behaviours.
func plural(k change.Kind, n int) string {
	if n == 1 {
		return string(k)
	}
	switch k {
	case change.Fails:
		return "fail now"
	case change.Otherwise:
		return "work otherwise"
	case change.OtherError:
		return "fail with another error"
	case change.Works:
		return "work now"
	case change.Warns:
		return "warnings that there were not"
	case change.Quiet:
		return "warnings that there are no more"
	}
	return string(k)
}

// heading of a group.
func (g *group) heading() string {
	switch g.grade {
	case knowledge.Likely:
		return "Likely to notice: " + g.audience
	case knowledge.Possible:
		return "May notice: " + g.audience
	}
	return "Unlikely to notice: " + g.audience
}

// symbol marks a change in a way that needs no colour.
func (c *cluster) symbol() string {
	switch {
	case c.stops:
		return "!"
	case c.kind == change.Works || c.kind == change.Gained || c.kind == change.Quiet:
		return "+"
	}
	return "~"
}

// line is what is said of a cluster.
func (c *cluster) line() string {
	s := c.says
	if c.stops {
		s = "STOPS WORKING: " + s
	}
	if c.why != "" {
		s += " - " + c.why
	}
	if len(c.unexpected) > 0 {
		s += " - UNEXPECTED: " + change.OneLine(strings.Join(c.unexpected, "; "))
	}
	return s
}

// behind is what stands behind the title of a behaviour: the pairs of which it is true, if not all.
func (i *item) behind() string {
	if len(i.on) == 0 {
		return ""
	}
	return " [" + strings.Join(i.on, ", ") + "]"
}
