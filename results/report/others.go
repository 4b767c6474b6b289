package report

import (
	"fmt"
	"maps"
	"slices"

	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// Other is an implementation that is not one of the kernels that were booted, such as gVisor or the
// user's own kernel, and what it does otherwise.
type Other struct {
	// Name is that of the backend and its architecture, such as "gvisor amd64".
	Name string `json:"name"`
	// Release is what it says about itself; "" if it said nothing.
	Release string `json:"release,omitempty"`
	// With is the cell that it is compared with, "" if there is none.
	With string `json:"with,omitempty"`
	// Alike is how many behaviours both showed alike.
	Alike int `json:"alike"`
	// Differs are the others, with what both do.
	Differs []Change `json:"differs"`
}

// heading returns what heads what is said of it.
func (o *Other) heading() string { return "What " + o.Name + " does otherwise" }

// words says in a sentence or two what was compared and how much of it is alike.
func (o *Other) words() string {
	s := o.Name
	if o.Release != "" {
		s += " (" + o.Release + ")"
	}
	if o.With == "" {
		return s + ": there is no kernel to compare it with."
	}
	return fmt.Sprintf("%s, compared with %s: %s alike, %d otherwise.", s, o.With, count(o.Alike, "behaviour"), len(o.Differs))
}

// others compares every cell of another backend with a kernel of the main lines, on its architecture if
// there is one: the newest, or for a Linux that of its series.
func (f *Findings) others(j *verdict.Judgement) []Other {
	var out []Other
	for i := range f.lines.other {
		m := &f.lines.other[i]
		for _, k := range m.cells {
			o := Other{Name: m.String(), Release: release(j.Cells[k])}
			if len(m.cells) > 1 {
				o.Name = oneLine(j.Cells[k].Cell.Name)
			}
			with := f.likest(j, m, k)
			if with >= 0 {
				o.With = oneLine(j.Cells[with].Cell.Name)
				f.differ(j, &o, k, with)
			}
			out = append(out, o)
		}
	}
	// Without a Linux among the cells they are the main lines; see linesOf.
	for i := range f.lines.main {
		for _, k := range f.lines.main[i].cells {
			if o, ok := f.unaccompanied(j, &f.lines.main[i], k); ok {
				out = append(out, o)
			}
		}
	}
	return out
}

// host is the backend that is a Linux of the user's own, of which the series tells what it is like.
const host = "host"

// likest returns the column to compare column k of m with, or -1.
func (f *Findings) likest(j *verdict.Judgement, m *line, k int) int {
	best, score := -1, 0
	for _, of := range f.lines.main {
		if of.Scenario != m.Scenario {
			continue
		}
		for _, i := range of.cells {
			s := 1
			if of.Arch == m.Arch {
				s += 4
			}
			if of.ABI == m.ABI && of.Flavour == "" {
				s += 2
			}
			if j.Cells[i].Cell.Covers(j.Cells[k].Cell) {
				s += 8 // of another it could not be told
			}
			// What another implementation says it is like, it is not.
			if m.Backend == host && j.Cells[i].Series == j.Cells[k].Series {
				s++
			}
			newer := best >= 0 && s == score && j.Cells[i].Series.Compare(j.Cells[best].Series) > 0
			if len(j.Cells[i].Results) > 0 && (s > score || newer) {
				best, score = i, s
			}
		}
	}
	return best
}

// differ fills in what column k shows otherwise than column with.
func (f *Findings) differ(j *verdict.Judgement, o *Other, k, with int) {
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			is, was := r.Results[k], r.Results[with]
			b, known := j.Base.Behaviour(r.ID)
			if !known || is == nil || was == nil || is.Outcome == "" || was.Outcome == "" {
				continue
			}
			facts := unlike(b, is, was)
			if is.Outcome == was.Outcome && len(facts) == 0 {
				o.Alike++
				continue
			}
			what := func(res *verdict.Result) string { return seen(res, facts) }
			c := Change{
				Behaviour: r.ID, Title: r.Title, Silent: is.Verdict == verdict.Silent,
				Kernels: what(is) + "; Linux: " + f.spans(r.linux, what),
			}
			if is.Entry != nil {
				c.Reason = is.Entry.Reason
			}
			o.Differs = append(o.Differs, c)
		}
	}
}

// unlike returns the compared facts that two results do not share.
func unlike(b *knowledge.Behaviour, x, y *verdict.Result) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.Facts)) {
		if !b.IsInfo(name) && x.Facts[name] != y.Facts[name] {
			out = append(out, name)
		}
	}
	return out
}

// release returns what a cell's kernel says about itself, or "".
func release(c *verdict.CellResult) string {
	for _, r := range c.Cell.Records {
		if r.Type == record.TypeKernel && r.Kernel != nil {
			return oneLine(r.Kernel.Release)
		}
	}
	return ""
}
