package cell

import "pivotspec/suites/record"

// Observation returns what the guest reported of a behaviour, or nil.
func (c *Cell) Observation(behaviour string) *record.Record {
	for _, r := range c.Records {
		if r.Type == record.TypeObservation && r.ID == behaviour {
			return r
		}
	}
	return nil
}
