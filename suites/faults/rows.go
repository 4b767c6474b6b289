package faults

import (
	"fmt"
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
	out := map[string]string{}
	table := Table()
	for i, a := range table {
		var errnos []string
		with := map[string][]string{}
		for _, b := range table[i+1:] {
			e, ok := w[[2]string{a.ID, b.ID}]
			if !ok {
				continue
			}
			if e = word(e); !slices.Contains(errnos, e) {
				errnos = append(errnos, e)
			}
			with[e] = append(with[e], b.ID)
		}
		alone, ok := w[[2]string{a.ID, ""}]
		if !ok && len(errnos) == 0 {
			continue
		}
		row := word(alone)
		for _, e := range errnos {
			row += " " + e + "=" + strings.Join(with[e], ",")
		}
		out[a.ID] = row
	}
	return out
}

// word makes one word of an outcome such as "errno 999" or "OK, but none".
func word(s string) string {
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
