package report

import (
	"maps"
	"slices"
	"strings"

	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
)

// Order is in which order kernels check for faults, worked out from who won where two were there
// at once and from nothing else.
type Order struct {
	// Kernels are those that it explains: "5.10–6.1".
	Kernels string `json:"kernels"`
	// Line is the order: "a > b = c > ~d". What stands to the left wins; "=" joins what no errno tells
	// apart, and what "~" marks may as well stand further to the right.
	Line string `json:"line"`
	// Groups are the same with the faults themselves.
	Groups [][]string `json:"groups"`
	// Changes say what is not as with the kernels before: "since 7.0 a wins over b".
	Changes []string `json:"changes"`
	// Contradictions are faults each of which wins over the next and the last over the first:
	// no order explains those.
	Contradictions []string `json:"contradictions"`
	// Absent says which faults some of the kernels lack: "landlock on 5.10".
	Absent []string `json:"absent"`
	// Pairs is how many pairs of faults were made, on those kernels together.
	Pairs int `json:"pairs"`
}

// orders works out the orders of a judgement's kernels. Kernels that stand beside each other and
// disagree in nothing share one, and so do those of other lines that disagree in nothing with the
// kernel of their series, or else with any.
func (f *Findings) orders(j *verdict.Judgement) []Order {
	shown := make([]faults.Winners, len(j.Cells))
	results := make([]*verdict.Result, len(j.Cells))
	for i, c := range j.Cells {
		if shown[i] = winners(c); shown[i] != nil {
			results[i] = c.Result(faults.Behaviour)
		}
	}
	results = f.lines.masked(results)
	of := f.lines.concerned(results)
	// The line with the most kernels knows the boundaries best.
	first := 0
	for i := range of {
		if n := func(m line) int {
			return len(slices.DeleteFunc(slices.Clone(m.cells), func(k int) bool { return shown[k] == nil }))
		}; n(of[i]) > n(of[first]) {
			first = i
		}
	}
	var found []*ordered
	for k := range of {
		m := of[(first+k)%len(of)]
		var before *ordered
		for _, i := range m.cells {
			if shown[i] == nil {
				continue
			}
			o := f.alike(j, found, before, i, shown[i])
			if o == nil {
				o = &ordered{winners: shown[i], before: before}
				found = append(found, o)
			} else {
				next := maps.Clone(shown[i])
				maps.Copy(next, filter(o.winners, func(_ [2]string, e string) bool { return e != faults.Absent }))
				o.winners = next
			}
			o.columns = append(o.columns, i)
			before = o
		}
	}
	known := func(i int) bool { return shown[i] != nil }
	var out []Order
	for _, a := range found {
		o := explain(a.winners)
		o.Kernels = f.lines.ranges(of, func(i int) bool { return slices.Contains(a.columns, i) }, known)
		for _, x := range faults.Table() {
			lacks := func(i int) bool { return slices.Contains(a.columns, i) && results[i].Facts[x.ID] == faults.Absent }
			if slices.ContainsFunc(a.columns, lacks) {
				o.Absent = append(o.Absent, x.ID+" on "+f.lines.ranges(of, lacks, known))
			}
		}
		if a.before != nil {
			o.Changes = faults.Changes(a.before.winners, a.winners)
		}
		out = append(out, o)
	}
	return out
}

// ordered is kernels that disagree in nothing.
type ordered struct {
	winners faults.Winners
	columns []int
	// before is what the kernels before them show, nil for the oldest.
	before *ordered
}

// alike returns the one of found that column i, which shows w, belongs to, or nil: that of the kernel before it
// on its line, that of its series on another line, or any from another line.
func (f *Findings) alike(j *verdict.Judgement, found []*ordered, before *ordered, i int, w faults.Winners) *ordered {
	mine := j.Cells[i].Cell.Line()
	var series, other *ordered
	for _, o := range found {
		if !agree(o.winners, w) {
			continue
		}
		for _, k := range o.columns {
			switch {
			case j.Cells[k].Cell.Line() == mine:
			case j.Cells[k].Series == j.Cells[i].Series:
				series = o
			case other == nil:
				other = o
			}
		}
	}
	switch {
	case series != nil:
		return series
	case before != nil && agree(before.winners, w):
		return before
	}
	return other
}

// winners returns what a cell shows of the pairs, or nil.
func winners(c *verdict.CellResult) faults.Winners {
	r := c.Result(faults.Behaviour)
	if r == nil || r.Outcome == "" {
		return nil
	}
	w := faults.Winners{}
	for _, f := range faults.Table() {
		if row, ok := r.Facts[f.ID]; ok {
			// What cannot be read is unexpected, and said there.
			_ = faults.ParseRow(w, f.ID, row)
		}
	}
	if len(w) == 0 {
		return nil
	}
	return w
}

func filter(w faults.Winners, keep func(key [2]string, errno string) bool) faults.Winners {
	out := faults.Winners{}
	for k, e := range w {
		if keep(k, e) {
			out[k] = e
		}
	}
	return out
}

// agree says whether two kernels show the same of all that both show.
func agree(a, b faults.Winners) bool {
	for k, e := range a {
		if o, ok := b[k]; ok && e != o && e != faults.Absent && o != faults.Absent {
			return false
		}
	}
	return true
}

// explain finds the order that explains the winners.
func explain(w faults.Winners) Order {
	o := Order{}
	over := faults.Beats(w)
	var left []string
	class := map[string]string{}
	for _, f := range faults.Table() {
		class[f.ID] = f.Class
		if e, ok := w[[2]string{f.ID, ""}]; ok && e != faults.Absent {
			left = append(left, f.ID)
		}
	}
	for k := range w {
		if k[1] != "" {
			o.Pairs++
		}
	}
	// Each fault as early as those that win over it allow.
	early := map[string]int{}
	for n := 0; len(left) > 0; n++ {
		group := slices.DeleteFunc(slices.Clone(left), func(x string) bool {
			return slices.ContainsFunc(left, func(y string) bool { return over[[2]string{y, x}] })
		})
		if len(group) == 0 {
			o.Contradictions = append(o.Contradictions, circle(left, over))
			group = left // beyond this there is no order
		}
		for _, x := range group {
			early[x] = n
		}
		left = slices.DeleteFunc(left, func(x string) bool { return slices.Contains(group, x) })
		o.Groups = append(o.Groups, group)
	}
	// And as late as those that it wins over allow.
	late := map[string]int{}
	for n := len(o.Groups) - 1; n >= 0; n-- {
		for _, x := range o.Groups[n] {
			late[x] = len(o.Groups) - 1
			for y, at := range late {
				if over[[2]string{x, y}] {
					late[x] = min(late[x], at-1)
				}
			}
		}
	}
	members := map[string]int{}
	for x := range early {
		members[class[x]]++
	}
	var parts []string
	for n, group := range o.Groups {
		var names []string
		for _, loose := range []bool{false, true} {
			in := slices.DeleteFunc(slices.Clone(group), func(x string) bool { return (late[x] > n) != loose })
			names = append(names, short(in, class, members, loose)...)
		}
		parts = append(parts, strings.Join(names, " = "))
	}
	o.Line = strings.Join(parts, " > ")
	return o
}

// short names faults by their class where all of it are among them.
func short(list []string, class map[string]string, members map[string]int, loose bool) []string {
	var out []string
	mark := ""
	if loose {
		mark = "~"
	}
	for _, x := range list {
		n := 0
		for _, y := range list {
			if class[x] == class[y] {
				n++
			}
		}
		name := mark + class[x]
		if n < members[class[x]] {
			name = mark + x
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// circle finds faults each of which wins over the next, and the last over the first. list is
// such that every one of it is beaten by another of it.
func circle(list []string, over map[[2]string]bool) string {
	path := []string{list[0]}
	for {
		x := path[len(path)-1]
		i := slices.IndexFunc(list, func(y string) bool { return over[[2]string{y, x}] })
		if k := slices.Index(path, list[i]); k >= 0 {
			path = append(path[k:], list[i])
			slices.Reverse(path)
			return strings.Join(path, " > ")
		}
		path = append(path, list[i])
	}
}

// notes says in one line each what is to be said of an order besides itself.
func (o *Order) notes() []string {
	var out []string
	if len(o.Changes) > 0 {
		out = append(out, "new: "+strings.Join(o.Changes, "; "))
	}
	if len(o.Absent) > 0 {
		out = append(out, "no such fault: "+strings.Join(o.Absent, "; "))
	}
	for _, c := range o.Contradictions {
		out = append(out, "CONTRADICTION, no order explains: "+c)
	}
	return out
}

// ordersTitle heads the orders in reports for readers.
const ordersTitle = "Order of the checks (left wins; = no errno tells; ~ may stand further right)"
