package knowledge

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"pivotspec/suites/faults"
)

// Order is in which order kernels of a range check for faults, and so which of two wins.
type Order struct {
	// From and To are the first and last kernel series for which it holds; a zero value
	// leaves that side open.
	From Series `yaml:"from"`
	To   Series `yaml:"to"`
	// Reason says what is peculiar to these kernels.
	Reason string `yaml:"reason"`
	// Commit is the kernel commit that made it so, if known.
	Commit string `yaml:"commit"`
	// Order lists groups of faults by the errno that each gives. Those of an earlier group win
	// over those of a later one; within a group no errno tells.
	Order []map[string][]string `yaml:"order"`
}

// Range returns the kernels of the order for a reader: "since 7.0".
func (o *Order) Range() string { return (&Entry{From: o.From, To: o.To}).Range() }

// Winners returns what every fault gives, and every two that can be true at once. have says
// which of the faults there are; those of which the order says nothing there are not.
func (o *Order) Winners(have func(*faults.Fault) bool) faults.Winners {
	at := o.places()
	table := slices.DeleteFunc(faults.Table(), func(f faults.Fault) bool {
		_, ok := at[f.ID]
		return !ok || !have(&f)
	})
	w := faults.Winners{}
	for _, f := range table {
		w[[2]string{f.ID, ""}] = at[f.ID].errno
	}
	for _, p := range faults.Pairs(table) {
		if p.Excluded {
			continue
		}
		first := at[p.A.ID]
		if second := at[p.B.ID]; second.group < first.group {
			first = second
		}
		w[[2]string{p.A.ID, p.B.ID}] = first.errno
	}
	return w
}

// Rows returns the winners as the facts of an observation; a fault that there is not is absent.
func (o *Order) Rows(have func(*faults.Fault) bool) map[string]string {
	w := o.Winners(have)
	for _, f := range faults.Table() {
		if key := [2]string{f.ID, ""}; w[key] == "" {
			w[key] = faults.Absent
		}
	}
	return faults.Rows(w)
}

// place is where an order has a fault.
type place struct {
	group int
	errno string
}

func (o *Order) places() map[string]place {
	at := map[string]place{}
	for i, group := range o.Order {
		for errno, list := range group {
			for _, id := range list {
				at[id] = place{i, errno}
			}
		}
	}
	return at
}

// First returns the errno of the first of some faults that can be true at once, if the order knows any.
func (o *Order) First(list []*faults.Fault) (errno string, ok bool) {
	at := o.places()
	var first place
	for _, f := range list {
		if p, known := at[f.ID]; known && (!ok || p.group < first.group) {
			first, ok = p, true
		}
	}
	return first.errno, ok
}

// decodeOrders reads orders.yaml, which there need not be.
func decodeOrders(fsys fs.FS, m *Mistakes) []Order {
	if _, err := fs.Stat(fsys, "orders.yaml"); err != nil {
		return nil
	}
	return decode[Order](fsys, "orders", m)
}

// Order returns the order that holds for a kernel series, or nil.
func (b *Base) Order(s Series) *Order {
	if b.as != nil {
		return b.linux.Order(b.as.Like)
	}
	for i := range b.Orders {
		if o := &b.Orders[i]; inRange(s, o.From, o.To) {
			return o
		}
	}
	return nil
}

// checkOrders checks that each order names every fault at most once, leaves out none that need no
// feature, and decides every pair.
func (c *checker) checkOrders() {
	if _, ok := c.Behaviour(faults.Behaviour); ok != (len(c.Orders) > 0) {
		c.addf("orders.yaml: there are orders if and only if there is the behaviour %s", faults.Behaviour)
	}
	table := faults.Table()
	for i := range c.Orders {
		o := &c.Orders[i]
		at := fmt.Sprintf("orders.yaml: %s", o.Range())
		if o.Reason == "" {
			c.addf("%s needs a reason", at)
		}
		if o.Commit != "" && !commitID.MatchString(o.Commit) {
			c.addf("%s: commit %q is not 12 to 40 hexadecimal digits", at, o.Commit)
		}
		if !o.From.IsZero() && !o.To.IsZero() && o.From.Compare(o.To) > 0 {
			c.addf("%s: the range is empty", at)
		}
		for _, p := range c.Orders[:i] {
			if overlap(&Entry{From: o.From, To: o.To}, &Entry{From: p.From, To: p.To}) {
				c.addf("%s overlaps with the order %s", at, p.Range())
			}
		}
		errno, group := map[string]string{}, map[string]int{}
		for g, list := range o.Order {
			for _, e := range slices.Sorted(maps.Keys(list)) {
				if !c.outcomes[e] || e == "OK" {
					c.addf("%s: %q is not an errno", at, e)
				}
				for _, id := range list[e] {
					if !slices.ContainsFunc(table, func(f faults.Fault) bool { return f.ID == id }) {
						c.addf("%s: there is no fault %q", at, id)
					}
					if errno[id] != "" {
						c.addf("%s: %s is named twice", at, id)
					}
					errno[id], group[id] = e, g
				}
			}
		}
		for _, f := range table {
			if errno[f.ID] == "" && f.Needs == "" {
				c.addf("%s: leaves out the fault %s", at, f.ID)
			}
		}
		for _, p := range faults.Pairs(table) {
			a, b := p.A.ID, p.B.ID
			if !p.Excluded && errno[a] != "" && errno[b] != "" && group[a] == group[b] && errno[a] != errno[b] {
				c.addf("%s: %s gives %s and %s, of the same group, gives %s: one of them has to come first", at, a, errno[a], b, errno[b])
			}
		}
	}
}
