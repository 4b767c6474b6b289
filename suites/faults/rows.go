package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Absent stands for the errno of a fault that there is not, for want of the feature that it needs.
const Absent = "absent"

// Winners are the errnos of calls: of one fault alone under its ID and "", of two at once
// under the IDs in the order of the table.
type Winners map[[2]string]string

// Rows writes winners as the facts of an observation, one for each fault, named by its ID: the errno
// of the fault alone and, for each errno, the later faults of the table that gave it together
// with this one, such as "ENOENT EPERM=landlock ENOENT=old-shared,new-foreign". It is that
// short because each byte costs a microsecond of the guest's console.
func Rows(w Winners) map[string]string {
	table := Table()
	at := make(map[string]int, len(table))
	for i := range table {
		at[table[i].ID] = i
	}
	// By index: a table of numbers costs the guest a fraction of what looking up names does.
	rows := make([][]string, len(table)) // errnos by row, then column + 1
	for key, errno := range w {
		i, ok := at[key[0]]
		if !ok {
			continue
		}
		k, ok := at[key[1]]
		if !ok {
			k = i
		}
		if rows[i] == nil {
			rows[i] = make([]string, len(table))
		}
		rows[i][k] = errno
	}
	out := make(map[string]string, len(table))
	b := make([]byte, 0, 1024)
	for i, row := range rows {
		if row == nil {
			continue
		}
		b = append(b[:0], word(row[i])...)
		for k := i + 1; k < len(row); k++ {
			errno := row[k]
			if errno == "" {
				continue
			}
			b = append(append(append(b, ' '), word(errno)...), '=')
			for m := k; m < len(row); m++ {
				if row[m] == errno {
					b = append(append(b, table[m].ID...), ',')
					row[m] = ""
				}
			}
			b = b[:len(b)-1]
		}
		out[table[i].ID] = string(b)
	}
	return out
}

// word makes one word of an outcome such as "errno 999" or "OK, but none".
func word(s string) string {
	if !strings.ContainsAny(s, " ,=") {
		return s
	}
	return strings.NewReplacer(" ", "-", ",", "", "=", "-").Replace(s)
}

// ParseRow adds to w what [Rows] wrote of one fault.
func ParseRow(w Winners, fault, row string) error {
	parts := strings.Split(row, " ")
	w[[2]string{fault, ""}] = parts[0]
	for _, p := range parts[1:] {
		errno, list, ok := strings.Cut(p, "=")
		if !ok || errno == "" {
			return fmt.Errorf("fault %s: %q is not of the form ERRNO=FAULT,FAULT", fault, p)
		}
		for id := range strings.SplitSeq(list, ",") {
			key := [2]string{fault, id}
			if _, twice := w[key]; twice || id == "" {
				return fmt.Errorf("fault %s: %q names the fault %q twice or not at all", fault, row, id)
			}
			w[key] = errno
		}
	}
	return nil
}

// Differ says in a few words what two observations show differently: what the first shows, and
// what the second does.
func Differ(a, b map[string]string) (was, is string) {
	v, w := Winners{}, Winners{}
	for _, f := range Table() {
		for _, x := range []struct {
			rows map[string]string
			to   Winners
		}{{a, v}, {b, w}} {
			if row, ok := x.rows[f.ID]; ok && ParseRow(x.to, f.ID, row) != nil {
				x.to[[2]string{f.ID, ""}] = row
			}
		}
	}
	const most = 4
	var out [2][]string
	n := 0
	for _, f := range Table() {
		for _, g := range append([]Fault{{}}, Table()...) {
			key := [2]string{f.ID, g.ID}
			if v[key] == w[key] {
				continue
			}
			if n++; n > most {
				continue
			}
			name := strings.TrimSuffix(f.ID+"+"+g.ID, "+")
			for i, errno := range []string{v[key], w[key]} {
				if errno == "" {
					errno = "nothing"
				}
				out[i] = append(out[i], name+"="+errno)
			}
		}
	}
	for i := range out {
		if n > most {
			out[i] = append(out[i], fmt.Sprintf("and %d more", n-most))
		}
	}
	return strings.Join(out[0], " "), strings.Join(out[1], " ")
}

// Beats returns who won over whom, where the errno tells.
func Beats(w Winners) map[[2]string]bool {
	out := map[[2]string]bool{}
	for k, e := range w {
		a, b := w[[2]string{k[0], ""}], w[[2]string{k[1], ""}]
		switch {
		case k[1] == "" || a == b:
		case e == a:
			out[[2]string{k[0], k[1]}] = true
		case e == b:
			out[[2]string{k[1], k[0]}] = true
		}
	}
	return out
}

// Changes says in whose favour pairs went that went otherwise before, by class, and which faults
// alone give another errno.
func Changes(before, now Winners) []string {
	class, order := map[string]string{}, map[string]int{}
	var out []string
	for i, f := range Table() {
		class[f.ID], order[f.Class] = f.Class, i
		key := [2]string{f.ID, ""}
		a, b := before[key], now[key]
		if a != b && a != "" && b != "" && a != Absent && b != Absent {
			out = append(out, fmt.Sprintf("%s gives %s, not %s", f.ID, b, a))
		}
	}
	losers := map[string]map[string]bool{}
	was, is := Beats(before), Beats(now)
	for k := range is {
		if was[[2]string{k[1], k[0]}] {
			if losers[class[k[1]]] == nil {
				losers[class[k[1]]] = map[string]bool{}
			}
			losers[class[k[1]]][class[k[0]]] = true
		}
	}
	byOrder := func(a, b string) int { return order[a] - order[b] }
	for _, loser := range slices.SortedFunc(maps.Keys(losers), byOrder) {
		winner := slices.SortedFunc(maps.Keys(losers[loser]), byOrder)
		out = append(out, fmt.Sprintf("%s behind %s", loser, strings.Join(winner, ", ")))
	}
	return out
}
