package page

import (
	"cmp"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode"

	"pivotspec/suites/knowledge"
)

// headings are the names under which claims know sections that pages name otherwise.
var headings = map[string]string{"RETURN VALUES": "RETURN VALUE", "EXAMPLE": "EXAMPLES", "NOTE": "NOTES", "BUG": "BUGS", "CAVEAT": "CAVEATS"}

// unspoken are the sections without statements: references, and words about the page itself.
var unspoken = []string{"SEE ALSO", "COLOPHON", "AUTHOR", "AUTHORS", "COPYRIGHT", "LICENSE", "REPORTING BUGS"}

// noHeading is the section of what stands before any.
const noHeading = "(no heading)"

// statements collects the sentences of a page, and those that it quotes.
func statements(d *document) (said, quoted []Statement) {
	w := walker{counts: map[[2]string]int{}}
	w.walk(d.root.children)
	w.flush()
	return w.out, w.quoted
}

// walker goes through the tree in the order of the page.
type walker struct {
	out, quoted []Statement
	counts      map[[2]string]int // by section and item
	// quoting is whether the text is a quotation: its sentences do not count.
	quoting bool

	section, sub string
	// level of indentation: nested lists are part of the outermost list's items.
	level int
	// item is the open item of the outermost list, nil outside of lists.
	item *item
	// tags are those of the items that wait for a text to share.
	tags []string
	// list is the name of the untagged list that the last sentence announced.
	list string
	// colon is whether the last text ended with one: it announces what follows.
	colon bool

	para paragraph
}

// item of a list.
type item struct {
	level int
	name  string
	// nth is that of all sentences of an item with a tag, 0 if sentences are counted.
	nth int
}

// paragraph is text in the making.
type paragraph struct {
	strings.Builder
	// lines say on which line of the source the text from an offset on stands.
	lines []lineAt
	// glued is whether the next text follows without a space.
	glued bool
}

type lineAt struct{ offset, line int }

func (p *paragraph) add(text string, line int, glue bool) {
	if text == "" {
		return
	}
	if p.Len() > 0 && !glue && !p.glued {
		p.WriteByte(' ')
	}
	p.glued = false
	p.lines = append(p.lines, lineAt{p.Len(), line})
	p.WriteString(text)
}

// lineOf returns the line on which the text at an offset stands.
func (p *paragraph) lineOf(offset int) int {
	i := sort.Search(len(p.lines), func(i int) bool { return p.lines[i].offset > offset })
	return p.lines[max(i-1, 0)].line
}

// flush makes statements of the text so far.
func (w *walker) flush() {
	text := w.para.String()
	for _, s := range split(text) {
		w.state(strings.Join(strings.Fields(text[s.from:s.to]), " "), w.para.lineOf(s.from))
	}
	w.para = paragraph{}
}

// state adds a sentence.
func (w *walker) state(text string, line int) {
	w.colon = strings.HasSuffix(text, ":")
	w.list = announced(text)
	if slices.Contains(unspoken, w.section) || !strings.ContainsFunc(text, unicode.IsLetter) {
		return
	}
	// What ends otherwise there is a declaration that the page did not mark as code.
	if w.section == "SYNOPSIS" && !strings.HasSuffix(strings.TrimRight(text, `)"'`), ".") {
		return
	}
	s := Statement{Section: cmp.Or(w.section, noHeading), Item: w.sub, Text: text, Fingerprint: knowledge.Fingerprint(text), Line: line}
	if w.item != nil {
		s.Item = cmp.Or(w.item.name, w.sub)
	}
	if w.quoting {
		w.quoted = append(w.quoted, s)
		return
	}
	if w.item != nil && w.item.nth > 0 {
		s.Nth = w.item.nth
	} else {
		s.Nth = w.count(s.Item)
	}
	w.out = append(w.out, s)
}

func (w *walker) count(item string) int {
	k := [2]string{w.section, item}
	w.counts[k]++
	return w.counts[k]
}

var following = regexp.MustCompile(`(?i)\bfollowing ([a-z]+)\b.*:$`)

// announced returns the name of the list that a sentence ending with a colon announces:
// "The following restrictions apply:" says that it is one of restrictions.
func announced(text string) string {
	if m := following.FindStringSubmatch(text); m != nil {
		return strings.ToLower(m[1])
	}
	return ""
}

// begin starts an item of a list with a tag, or with a bullet or number if tag is "".
func (w *walker) begin(tag string) {
	w.flush()
	if w.item != nil && w.item.level < w.level {
		return // nested: part of the outer item
	}
	if tag != "" {
		w.item = &item{level: w.level, name: tag, nth: w.count(tag)}
		return
	}
	// A bullet goes on with the list that the first of them belongs to.
	if w.item == nil || w.item.nth > 0 {
		w.item = &item{level: w.level, name: w.list}
	}
}

// leave ends the list if it is one of the level or deeper.
func (w *walker) leave(level int) {
	w.flush()
	if w.item != nil && w.item.level >= level {
		w.item = nil
	}
}

func (w *walker) walk(nodes []*node) {
	for _, n := range nodes {
		w.node(n)
	}
}

// body walks what is in a block.
func (w *walker) body(n *node) {
	for _, c := range n.children {
		if c.kind == kindBody {
			w.walk(c.children)
		}
	}
}

func (w *walker) node(n *node) {
	if n.code {
		// A sentence may go on after it.
		if text := strings.TrimSpace(w.para.String()); text != "" && strings.ContainsAny(text[len(text)-1:], ".:!?") {
			w.flush()
		}
		return
	}
	switch n.kind {
	case kindText:
		text, joins := renderJoin(n.name)
		w.para.add(text, n.line, n.closes)
		w.para.glued = w.para.glued || joins || n.opens
	case kindTable:
		w.row(n)
	case kindElem:
		w.elem(n)
	case kindBlock:
		w.block(n)
	case kindHead, kindBody: // of a block that mandoc broke into pieces
		w.walk(n.children)
	}
}

// block handles the macros that enclose others.
func (w *walker) block(n *node) {
	head := n.child(kindHead)
	switch n.name {
	case "SH", "Sh":
		w.leave(0)
		w.level, w.sub, w.list, w.colon = 0, "", "", false
		w.section = strings.ToUpper(plain(head))
		if known, ok := headings[w.section]; ok {
			w.section = known
		}
		w.body(n)
		w.leave(0)
		w.sub = ""
	case "SS", "Ss":
		w.leave(0)
		w.level, w.sub, w.list, w.colon = 0, plain(head), "", false
		w.body(n)
		w.leave(0)
	case "PP", "P", "LP", "HP":
		w.leave(w.level)
		w.body(n)
	case "TP", "TQ":
		w.tagged(plain(afterWidth(head)), n)
	case "IP":
		if head == nil || len(head.children) == 0 {
			w.flush() // goes on with the item
			w.body(n)
			return
		}
		w.tagged(render(head.children[0].name), n)
	case "RS":
		w.flush()
		if w.colon && !lists(n) {
			w.quote(n)
			return
		}
		w.level++
		w.body(n)
		w.leave(w.level)
		w.level--
	case "SY":
	case "UR", "MT":
		w.link(n)
	case "Bl":
		w.flush()
		w.level++
		w.body(n)
		w.leave(w.level)
		w.level--
	case "It":
		w.it(n)
	case "Bd":
		w.flush()
		switch {
		case !strings.Contains(n.args, "-ragged") && !strings.Contains(n.args, "-filled") && !strings.Contains(n.args, "-centered"):
			// code
		case w.colon && !lists(n):
			w.quote(n)
		default:
			w.body(n)
			w.flush()
		}
	case "D1", "Dl", "Rs":
	default:
		w.inline(n)
	}
}

// quote walks an indented text that the sentence before it announces. It is part of no item
// and ends none.
func (w *walker) quote(n *node) {
	item, level := w.item, w.level
	w.quoting, w.level = true, level+1
	w.body(n)
	w.flush()
	w.item, w.level, w.quoting, w.colon, w.list = item, level, false, false, ""
}

// enclosures are what mdoc's macros put around a text.
var enclosures = map[string][2]string{
	"Dq": {"“", "”"}, "Do": {"“", "”"}, "Qq": {`"`, `"`}, "Qo": {`"`, `"`}, "Sq": {"‘", "’"}, "So": {"‘", "’"}, "Ql": {"‘", "’"},
	"Pq": {"(", ")"}, "Po": {"(", ")"}, "Bq": {"[", "]"}, "Bo": {"[", "]"}, "Op": {"[", "]"}, "Oo": {"[", "]"},
	"Brq": {"{", "}"}, "Bro": {"{", "}"}, "Aq": {"<", ">"}, "Ao": {"<", ">"},
}

// inline is a block within a line of text, such as a quotation in mdoc.
func (w *walker) inline(n *node) {
	e := enclosures[n.name]
	if n.name == "Nd" {
		e[0] = "-"
	}
	w.para.add(e[0], n.line, false)
	w.para.glued = w.para.glued || e[0] != "" && n.name != "Nd"
	for _, c := range n.children {
		w.walk(c.children)
	}
	w.para.add(e[1], n.line, true)
}

// link is a text with an address; an address alone is its own text.
func (w *walker) link(n *node) {
	if body := n.child(kindBody); body != nil && len(body.children) > 0 {
		w.walk(body.children)
		return
	}
	w.para.add(plain(n.child(kindHead)), n.line, false)
}

// tagged is an item of a list in man(7).
func (w *walker) tagged(tag string, n *node) {
	tag = w.tag(tag)
	body := n.child(kindBody)
	if tag != "" && (body == nil || len(body.children) == 0) {
		w.flush()
		w.tags = append(w.tags, tag)
		return
	}
	if tag != "" {
		tag = strings.Join(append(w.tags, tag), ", ")
	}
	w.tags = nil
	w.begin(tag)
	w.body(n)
	w.flush()
}

// it is an item of a list in mdoc(7).
func (w *walker) it(n *node) {
	head := n.child(kindHead)
	var bodies []*node
	for _, c := range n.children {
		if c.kind == kindBody {
			bodies = append(bodies, c)
		}
	}
	tag := plain(head)
	if tag == "" && len(bodies) > 1 { // a row of columns
		tag, bodies = plain(bodies[0]), bodies[1:]
	}
	w.begin(w.tag(tag))
	for _, b := range bodies {
		w.walk(b.children)
	}
	w.flush()
}

// row of a table: the first cell is the tag of the others.
func (w *walker) row(n *node) {
	if len(n.children) == 0 {
		return
	}
	tag := ""
	if len(n.children) > 1 {
		tag = w.tag(render(n.children[0].name))
	}
	open := w.item
	w.begin(tag)
	for _, c := range n.children[min(1, len(n.children)-1):] {
		w.para.add(render(c.name), n.line, false)
	}
	w.flush()
	w.item = open
}

var (
	enumerator = regexp.MustCompile(`^[(\[]?([0-9]+|[a-zA-Z]|[ivxIVX]+)?[.)\]:]?$`)
	errnoTag   = regexp.MustCompile(`^\[?(E[A-Z0-9]{1,15})\]?(?: ?\(.*\))?$`)
)

// tag returns the name that claims know an item by, "" for a bullet or a number.
func (w *walker) tag(tag string) string {
	tag = strings.Join(strings.Fields(tag), " ")
	if m := errnoTag.FindStringSubmatch(tag); m != nil {
		return m[1]
	}
	if !strings.ContainsFunc(tag, unicode.IsLetter) || enumerator.MatchString(tag) || tag == "o" {
		return ""
	}
	return tag
}

// lists reports whether there is a list in n.
func lists(n *node) bool {
	switch n.name {
	case "IP", "TP", "Bl":
		if n.kind == kindBlock {
			return true
		}
	}
	return n.kind == kindTable || slices.ContainsFunc(n.children, lists)
}

// afterWidth returns the head of a TP without the width that stands on the macro's own line.
func afterWidth(head *node) *node {
	if head == nil {
		return nil
	}
	i := slices.IndexFunc(head.children, func(c *node) bool { return c.first })
	if i < 0 {
		return head
	}
	rest := *head
	rest.children = head.children[i:]
	return &rest
}

// plain returns the text of a node on one line.
func plain(n *node) string {
	if n == nil {
		return ""
	}
	w := walker{counts: map[[2]string]int{}}
	w.walk(n.children)
	return strings.Join(strings.Fields(w.para.String()), " ")
}

// elem handles the macros that take a line.
func (w *walker) elem(n *node) {
	switch n.name {
	case "BR", "RB", "BI", "IB", "IR", "RI":
		w.joined(n)
	case "br", "sp", "Pp", "Lp":
		if n.name == "Pp" || n.name == "Lp" {
			w.flush()
		}
	case "in", "nf", "fi", "EX", "EE", "ft", "ti", "ne", "PD", "DT", "ad", "na", "hy", "nh", "ta", "ll", "ps", "vs", "ce", "AT", "UC", "OP", "YS",
		"Dd", "Dt", "Os", "Sm", "Bk", "Ek", "Tg", "In", "Fd", "Ft", "Vt", "Bt", "Ud":
		if n.name == "Vt" && w.section != "SYNOPSIS" {
			w.walk(n.children)
		}
	case "Ns":
		w.para.glued = true
	case "Ap":
		w.para.add("'", n.line, true)
		w.para.glued = true
	case "Pf":
		w.walk(n.children)
		w.para.glued = true
	case "Fn":
		w.function(n)
	case "Xr":
		w.walk(n.children[:min(1, len(n.children))])
		if len(n.children) > 1 {
			w.para.add("("+render(n.children[1].name)+")", n.line, true)
		}
	case "Lk", "Mt":
		// With a name, the address is no part of the sentence.
		w.walk(n.children[max(0, len(n.children)-1):])
	default:
		w.walk(n.children)
	}
}

// joined is a macro of man(7) that alternates two fonts without spaces.
func (w *walker) joined(n *node) {
	glue := false
	for _, c := range n.children {
		text, joins := renderJoin(c.name)
		if text != "" {
			w.para.add(text, c.line, glue)
			glue = true
		}
		w.para.glued = w.para.glued || joins
	}
}

// function is mdoc's Fn: a name and its arguments. In the synopsis it is a declaration.
func (w *walker) function(n *node) {
	if len(n.children) == 0 || w.section == "SYNOPSIS" {
		return
	}
	var args []string
	for _, c := range n.children[1:] {
		args = append(args, render(c.name))
	}
	w.para.add(render(n.children[0].name)+"("+strings.Join(args, ", ")+")", n.line, false)
}
