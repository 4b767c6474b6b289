package report

import "pivotspec/results/verdict"

// LegendEntry is how the matrix shows a verdict.
type LegendEntry struct {
	Verdict         verdict.Verdict
	Symbol, Meaning string
}

// Legend lists how the matrix shows verdicts, in the order in which reports count them.
func Legend() []LegendEntry {
	var out []LegendEntry
	for _, v := range verdict.All() {
		l := looks()[v]
		out = append(out, LegendEntry{v, l.symbol, l.meaning})
	}
	return out
}
