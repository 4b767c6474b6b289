package diagnose

import "pivotspec/suites/faults"

// Known returns the IDs of all causes: the faults of package faults, then those that it does not have.
func Known() []string {
	var out []string
	for _, f := range faults.Table() {
		out = append(out, f.ID)
	}
	out = append(out, Filtered, NewNoParent, AppArmor)
	for _, arg := range []string{"new-", "old-"} {
		for _, p := range []string{problemNoFollow, problemProtected, problemFailfs, problemUntraceable, problemOther} {
			out = append(out, arg+p)
		}
	}
	return out
}
