package verdict

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// order expects what follows from the order in which the kernel checks: of each fault alone, of
// every two, and of as many as can be there at once. Without an order for the kernel nothing
// is expected, and so anything is unexpected.
func (e *expectation) order(base *knowledge.Base, s knowledge.Series, r *record.Record) {
	o := base.Order(s)
	if o == nil {
		return
	}
	by := "orders.yaml " + o.Range()
	// A fault that needs a feature may be absent, if the guest says so.
	there := func(f *faults.Fault) bool { return f.Needs == "" || r.Facts[f.ID] != faults.Absent }
	for f, row := range o.Rows(there) {
		e.facts[f] = []rule{{knowledge.Set{row}, by}}
	}
	if first, ok := o.First(faults.AtOnce(faults.Table())); ok {
		e.outcome = append(e.outcome, rule{knowledge.Set{first}, by})
	}
}

// isRow reports whether a fact of an observation says who won over a fault.
func isRow(b *knowledge.Behaviour, fact string) bool {
	return b.ID == faults.Behaviour && slices.ContainsFunc(faults.Table(), func(f faults.Fault) bool { return f.ID == fact })
}

// rowWrong says in a few words where a row differs from what was expected of it.
func rowWrong(fault, got, want, by string) string {
	have, should := faults.Winners{}, faults.Winners{}
	if err := faults.ParseRow(have, fault, got); err != nil {
		return fmt.Sprintf("%v (%s)", err, by)
	}
	_ = faults.ParseRow(should, fault, want) // made by Rows
	var wrong []string
	for _, f := range append([]faults.Fault{{}}, faults.Table()...) {
		key := [2]string{fault, f.ID}
		g, w := have[key], should[key]
		delete(have, key)
		if g == w {
			continue
		}
		who := fault
		if f.ID != "" {
			who += " with " + f.ID
		} else {
			who += " alone"
		}
		wrong = append(wrong, fmt.Sprintf("%s gives %s, not %s", who, orNothing(g), orNothing(w)))
	}
	if len(have) > 0 {
		wrong = append(wrong, fmt.Sprintf("%s is reported with %d faults that there are not", fault, len(have)))
	}
	if len(wrong) == 0 {
		wrong = []string{fmt.Sprintf("%s is %q, which is not as it has to be written", fault, got)}
	}
	const most = 4
	if n := len(wrong) - most; n > 0 {
		wrong = append(wrong[:most], fmt.Sprintf("and %d more", n))
	}
	return fmt.Sprintf("%s (%s)", strings.Join(wrong, ", "), by)
}

func orNothing(errno string) string {
	if errno == "" {
		return "nothing"
	}
	return errno
}
