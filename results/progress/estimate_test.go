package progress

import (
	"testing"
	"time"
)

// TestEstimate: the time that is left, second by second of runs whose end is known.
func TestEstimate(t *testing.T) {
	type event struct {
		at    int // seconds from the start
		start string
		done  string
		whole bool
		want  int // seconds that are left then; -1 if nothing can be said
	}
	cells := func(of ...Expected) []Expected { return of }
	s := func(n int) time.Duration { return time.Duration(n) * time.Second }
	for _, c := range []struct {
		name   string
		cells  []Expected
		jobs   int
		events []event
	}{
		{"nothing is known before the first has ended", cells(Expected{Name: "a"}, Expected{Name: "b"}, Expected{Name: "c"}), 1, []event{
			{0, "a", "", false, -1},
			{4, "", "a", true, 8},
			{4, "b", "", false, 8},
			{6, "", "", false, 6},
			{10, "", "", false, 4}, // b is late: it is about to end
			{12, "", "b", true, 6},
			{12, "c", "", false, 6},
			{13, "", "c", true, -1},
		}},
		{"an earlier run says how long, and this one is slower", cells(Expected{"a", "", s(5)}, Expected{"b", "", s(10)}, Expected{"c", "", s(20)}), 1, []event{
			{0, "", "", false, 35},
			{0, "a", "", false, 35},
			{10, "", "a", true, 60},
		}},
		{"several at once", cells(Expected{"a", "", s(10)}, Expected{"b", "", s(10)}, Expected{"c", "", s(10)}, Expected{"d", "", s(10)}), 2, []event{
			{0, "a", "", false, 20},
			{0, "b", "", false, 20},
			{5, "", "", false, 15},
		}},
		{"no less than the longest alone", cells(Expected{"a", "", s(60)}, Expected{"b", "", s(2)}), 8, []event{{0, "", "", false, 60}}},
		{"what is like it says more than what is not", cells(Expected{"a", "amd64", s(5)}, Expected{"b", "s390x", s(50)}, Expected{Name: "c", Like: "s390x"}), 1, []event{
			{0, "", "", false, 105},
			{0, "", "b", false, 55},
		}},
		{"what broke says nothing", cells(Expected{Name: "a"}, Expected{Name: "b"}), 1, []event{
			{0, "a", "", false, -1},
			{60, "", "a", false, -1},
		}},
		{"what never began took no time", cells(Expected{Name: "a"}, Expected{Name: "b"}, Expected{Name: "c"}), 1, []event{
			{0, "", "a", false, -1},
			{0, "b", "", false, -1},
			{7, "", "b", true, 7},
		}},
		{"an unknown name is no harm", nil, 0, []event{{0, "x", "", false, -1}, {1, "", "x", true, -1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEstimate(c.cells, c.jobs)
			zero := time.Unix(0, 0)
			for _, v := range c.events {
				now := zero.Add(s(v.at))
				if v.start != "" {
					e.start(v.start, now)
				}
				if v.done != "" {
					e.done(v.done, v.whole, now)
				}
				got, ok := e.left(now)
				if want := s(v.want); ok != (v.want >= 0) || ok && got != want || got < 0 {
					t.Errorf("%+v: got %v, %v", v, got, ok)
				}
			}
		})
	}
}

func TestAbout(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "about 1s", -time.Hour: "about 1s", 3400 * time.Millisecond: "about 3s", 9600 * time.Millisecond: "about 10s",
		12 * time.Second: "about 10s", 58 * time.Second: "about 1m", 63 * time.Second: "about 1m", 66 * time.Second: "about 1m10s",
		11*time.Minute + 20*time.Second: "about 11m", time.Hour: "about 1h", 70 * time.Minute: "about 1h10m",
	} {
		if got := about(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
