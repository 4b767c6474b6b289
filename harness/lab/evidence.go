package lab

import "pivotspec/suites/spec"

// evidence returns the environment by which a guest knows whether it is to collect evidence.
func (w *Wish) evidence() []string {
	if w.Evidence {
		return []string{spec.EvidenceVariable + "=1"}
	}
	return nil
}
