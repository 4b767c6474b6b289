package record

// Evidence shows the mount tables of tasks before and after the calls that they made. The same lines
// occur in the tables of many behaviours, so that each is told once.
type Evidence struct {
	// Mounts are the lines of all tables. Each is one of /proc/PID/mountinfo (see
	// proc_pid_mountinfo(5)) without the device and the options of the filesystem:
	//
	//	ID PARENT ROOT POINT OPTIONS [PROPAGATION...] - TYPE SOURCE
	//
	// IDs of mounts and of peer groups are counted anew in each behaviour, from 1 in the order in
	// which they are first seen there, for the kernel's own differ from boot to boot.
	Mounts []string `json:"mounts"`
	// Calls are in the order in which they were made.
	Calls []EvidenceOfCall `json:"calls"`
}

// EvidenceOfCall is the evidence of one call.
type EvidenceOfCall struct {
	// ID is the behaviour's.
	ID string `json:"id"`
	// Step says which of the observation's steps is the call, counted from 0.
	Step int `json:"step"`
	// Before and After are the mounts that the caller's root reached, in the order of the file,
	// as indices of Mounts.
	Before []int `json:"before"`
	After  []int `json:"after"`
}

// Tables returns the lines of the two tables of c. An index that is out of range, as only a
// damaged record has, gives an empty line.
func (e *Evidence) Tables(c EvidenceOfCall) (before, after []string) {
	lines := func(at []int) []string {
		out := make([]string, len(at))
		for i, k := range at {
			if k >= 0 && k < len(e.Mounts) {
				out[i] = e.Mounts[k]
			}
		}
		return out
	}
	return lines(c.Before), lines(c.After)
}
