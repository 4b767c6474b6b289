package page

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// document is mandoc's syntax tree of a page.
type document struct {
	// meta are the lines above the tree, such as title and sec.
	meta map[string]string
	root node
}

// kind of a node, in mandoc's words.
type kind string

const (
	kindBlock kind = "block"
	kindHead  kind = "head"
	kindBody  kind = "body"
	kindElem  kind = "elem"
	kindText  kind = "text"
	kindTable kind = "tbl" // one row; its children are texts, the cells
)

// node of the tree.
type node struct {
	kind kind
	// name is the macro's, or the text with its escapes.
	name string
	// args are the options of a block such as "-bullet", as mandoc prints them.
	args string
	line int
	// first marks the first node of an input line, code that lines are kept as they are.
	first, code bool
	// opens and closes mark delimiters: no space goes after, or before.
	opens, closes bool
	children      []*node
}

// child returns the first child of that kind, or nil.
func (n *node) child(k kind) *node {
	for _, c := range n.children {
		if c.kind == k {
			return c
		}
	}
	return nil
}

var (
	metaLine = regexp.MustCompile(`^([a-z]+) *= "(.*)"$`)
	// nodeLine is how mandoc's tree.c prints a node: indentation, name, kind, options, where it
	// begins with marks around that, flags. A text may hold anything, also what looks like a
	// node; the last such place is the real one, for no flag does.
	nodeLine = regexp.MustCompile(`^( *)(.*) \((block|head|body|body-end|tail|elem|text|comment|eqn)\)( .*)? (\(?)(\*?)([0-9]+):[0-9]+(\)?)\.?((?: [A-Z][A-Za-z0-9_=.()-]*)*)$`)
	// rowLine is a row of a table.
	rowLine = regexp.MustCompile(`^( *).* \(tbl\) ([0-9]+):[0-9]+$`)
	// cellStart is the beginning of a cell: its column, alignment and bracket.
	cellStart = regexp.MustCompile(`(?:^| )[0-9]+[A-Z^]([\[{])`)
)

// parseTree reads what `mandoc -T tree` prints. Lines of no known form are passed over: the
// format has no specification, and what matters is checked where it is used.
func parseTree(out []byte) *document {
	d := &document{meta: map[string]string{}}
	stack := []open{{&d.root, -childIndent}}
	inTree := false
	for line := range bytes.Lines(out) {
		text := strings.ToValidUTF8(strings.TrimSuffix(string(line), "\n"), "")
		if !inTree {
			if m := metaLine.FindStringSubmatch(text); m != nil {
				d.meta[m[1]] = m[2]
				continue
			}
			if strings.TrimSpace(text) == "" {
				inTree = true
				continue
			}
		}
		n, spaces := parseNode(text)
		if n == nil {
			continue
		}
		// Children are printed 4 columns further in than their parent, in a block 2. A text may
		// begin with spaces of its own, which then look like more of that.
		top := len(stack) - 1
		for top > 0 && (stack[top].childIndent() > spaces || !stack[top].takes(n)) {
			top--
		}
		stack = stack[:top+1]
		parent := stack[top]
		parent.children = append(parent.children, n)
		if n.kind == kindText {
			n.name = strings.Repeat(" ", max(0, spaces-parent.childIndent())) + n.name
		} else if n.kind != kindTable {
			stack = append(stack, open{n, spaces})
		}
	}
	return d
}

// open is a node that may get more children, with the column at which it was printed.
type open struct {
	*node
	indent int
}

// childIndent is by how many columns mandoc's tree.c indents children of all but blocks.
const childIndent = 4

func (o open) childIndent() int {
	if o.kind == kindBlock {
		return o.indent + childIndent/2
	}
	return o.indent + childIndent
}

// takes reports whether n can be a child: a macro that has its arguments takes no text from
// a later line.
func (o open) takes(n *node) bool {
	return o.kind != kindElem || !n.first || n.kind != kindText || len(o.children) == 0
}

// parseNode reads one line of the tree; nil if it is no node that matters.
func parseNode(text string) (n *node, spaces int) {
	if m := nodeLine.FindStringSubmatch(text); m != nil {
		line, err := strconv.Atoi(m[7])
		if err != nil {
			return nil, 0
		}
		k := kind(m[3])
		if k == "comment" || k == "eqn" || k == "body-end" || k == "tail" {
			return nil, 0
		}
		return &node{
			kind: k, name: m[2], args: strings.TrimSpace(m[4]), line: line - preludeLines,
			opens: m[5] != "", first: m[6] != "", closes: m[8] != "",
			code: strings.Contains(" "+m[9]+" ", " NOFILL "),
		}, len(m[1])
	}
	if m := rowLine.FindStringSubmatch(text); m != nil {
		line, err := strconv.Atoi(m[2])
		if err != nil {
			return nil, 0
		}
		n := &node{kind: kindTable, line: line - preludeLines}
		for _, c := range cells(strings.TrimSpace(text[:strings.LastIndex(text, " (tbl) ")])) {
			n.children = append(n.children, &node{kind: kindText, name: c, line: n.line})
		}
		return n, len(m[1])
	}
	return nil, 0
}

// cells takes a row apart: "LL 0L[EINVAL] 1L{no mount point}".
func cells(row string) []string {
	var out []string
	starts := cellStart.FindAllStringSubmatchIndex(row, -1)
	for i, s := range starts {
		end := len(row)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		closing := "]"
		if row[s[2]] == '{' {
			closing = "}"
		}
		out = append(out, strings.TrimSuffix(row[s[1]:end], closing))
	}
	return out
}
