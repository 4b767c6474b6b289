package progress

import (
	"strings"
	"time"
)

// Expected is a cell that is to be run.
type Expected struct {
	Name string
	// Like says what other cells take about the same time: those with the same word.
	Like string
	// Wall is how long it took in an earlier run, 0 if that is not known.
	Wall time.Duration
}

// estimate says how long a run will still take.
type estimate struct {
	jobs  int // how many cells run at once
	cells map[string]*expected
	began map[string]time.Time
}

type expected struct {
	Expected
	took time.Duration // 0 before it is done
	over bool
}

func newEstimate(cells []Expected, jobs int) *estimate {
	e := &estimate{jobs: max(jobs, 1), cells: map[string]*expected{}, began: map[string]time.Time{}}
	for _, c := range cells {
		e.cells[c.Name] = &expected{Expected: c}
	}
	return e
}

func (e *estimate) start(name string, now time.Time) { e.began[name] = now }

// done notes the end of a cell. One that was never started took no time, and one that is not whole says
// nothing of what others take: it may have hung, or died at once.
func (e *estimate) done(name string, whole bool, now time.Time) {
	c := e.cells[name]
	if c == nil {
		return
	}
	c.over = true
	if t, ok := e.began[name]; ok && whole {
		c.took = now.Sub(t)
	}
}

// left returns how long the run will still take, and whether that can be said. It is what the cells
// that are not done need together, shared among those that run at once, but no less than the longest
// of them needs alone.
func (e *estimate) left(now time.Time) (time.Duration, bool) {
	pace := e.pace()
	var sum, longest time.Duration
	open := 0
	for _, c := range e.cells {
		if c.over {
			continue
		}
		need, ok := e.needs(c, pace)
		if !ok {
			return 0, false
		}
		if t, runs := e.began[c.Name]; runs {
			need = max(0, need-now.Sub(t)) // what takes longer than was thought is about to end
		}
		open++
		sum += need
		longest = max(longest, need)
	}
	if open == 0 {
		return 0, false
	}
	return max(longest, sum/time.Duration(min(e.jobs, open))), true
}

// pace is how much longer than in earlier runs cells take in this one, 1 as long as nothing is known.
func (e *estimate) pace() float64 {
	var now, then time.Duration
	for _, c := range e.cells {
		if c.took > 0 && c.Wall > 0 {
			now += c.took
			then += c.Wall
		}
	}
	if then == 0 {
		return 1
	}
	return float64(now) / float64(then)
}

// needs returns how long a cell takes altogether: what it took in an earlier run, at this run's pace; else what
// cells like it took in this run, or as a last resort all cells; else what they took in earlier runs.
func (e *estimate) needs(c *expected, pace float64) (time.Duration, bool) {
	if c.Wall > 0 {
		return time.Duration(float64(c.Wall) * pace), true
	}
	for _, of := range []func(*expected) (time.Duration, bool){
		func(o *expected) (time.Duration, bool) { return o.took, o.Like == c.Like },
		func(o *expected) (time.Duration, bool) {
			return time.Duration(float64(o.Wall) * pace), o.Like == c.Like
		},
		func(o *expected) (time.Duration, bool) { return o.took, true },
		func(o *expected) (time.Duration, bool) { return time.Duration(float64(o.Wall) * pace), true },
	} {
		var sum time.Duration
		n := 0
		for _, o := range e.cells {
			if d, ok := of(o); ok && d > 0 {
				sum += d
				n++
			}
		}
		if n > 0 {
			return sum / time.Duration(n), true
		}
	}
	return 0, false
}

// about returns a duration for a reader, who is not helped by more digits than are true.
func about(d time.Duration) string {
	grain := time.Minute
	switch {
	case d < 10*time.Second:
		grain = time.Second
	case d < time.Minute:
		grain = 5 * time.Second
	case d < 10*time.Minute:
		grain = 10 * time.Second
	}
	s := max(time.Second, d.Round(grain)).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return "about " + s
}
