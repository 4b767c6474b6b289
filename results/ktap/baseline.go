package ktap

import "pivotspec/results/verdict"

// differs says in front of a test what of it is not as in a baseline, nil if nothing is, and returns how the test ends that
// would have ended with o: not ok, unless it is a known issue.
func (l *Lines) differs(depth int, prefix string, d *verdict.Difference, o Outcome, data string) (Outcome, string) {
	if d == nil {
		return o, data
	}
	l.Comment(depth, prefix+d.Line())
	switch {
	case !o.OK():
		if d.Issue != nil {
			l.Comment(depth, prefix+known(d.Issue))
		}
		return o, data
	case d.Issue == nil:
		if data != "" { // what stood behind the directive
			l.Comment(depth, prefix+data)
		}
		return Fail, ""
	case o == Expected:
		return o, data + "; " + known(d.Issue)
	}
	return Expected, known(d.Issue)
}

// Difference writes a test of what a baseline has and the run has no result of, with notes in front of it, and says whether it is ok.
func (l *Lines) Difference(depth, n int, name string, d *verdict.Difference, notes ...string) bool {
	o, data := l.differs(depth, name+": ", d, Pass, "")
	for _, note := range notes {
		l.Comment(depth, name+": "+note)
	}
	l.Test(depth, n, name, o, data)
	return o.OK()
}
