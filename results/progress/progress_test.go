package progress

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"pivotspec/results/cell"
)

func wide() int { return 120 }

func TestQuiet(t *testing.T) {
	var out bytes.Buffer
	p := follow(&out, 3, false, time.Now, wide)
	p.Start("5.10-amd64")
	p.Done("5.10-amd64", cell.Complete, "")
	p.Note("KVM opens but runs no guest\nusing emulation")
	p.Done("6.1-amd64", cell.Unavailable, "no network")
	p.Done("6.12-amd64", cell.Unavailable, "no network")
	p.Close()
	p.Close()
	want := "KVM opens but runs no guest using emulation\ncell 6.1-amd64 is unavailable: no network\n" +
		"cell 6.12-amd64 is unavailable for the same reason\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestLine(t *testing.T) {
	clock := time.Unix(0, 0)
	p := follow(io.Discard, 9, false, func() time.Time { return clock }, wide)
	cells := []Expected{{Name: "5.10"}, {Name: "6.1"}}
	for i := range 9 {
		cells = append(cells, Expected{Name: fmt.Sprint(i)})
	}
	p.Expect(cells, 2)
	check := func(want string) {
		t.Helper()
		if got := p.line(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	check("0 of 11 cells done, 11 left")
	p.Start("5.10")
	p.Start("6.1")
	check("0 of 11 cells done, 9 left, running 5.10 6.1")
	clock = clock.Add(5 * time.Second)
	p.Done("6.1", cell.Broken, "panic")
	check("1 of 11 cells done (1 not complete), 9 left, running 5.10")
	p.Done("5.10", cell.Complete, "")
	check("2 of 11 cells done (1 not complete), 9 left, about 25s to go")
	for i := range 9 {
		p.Done(fmt.Sprint(i), cell.Complete, "")
	}
	check("11 of 11 cells done (1 not complete)")
}

// TestMany: a log hears of each quarter of a long run, and cells that never start take no time.
func TestMany(t *testing.T) {
	var out bytes.Buffer
	clock := time.Unix(0, 0)
	p := follow(&out, 80, false, func() time.Time { return clock }, wide)
	var cells []Expected
	for i := range 80 {
		cells = append(cells, Expected{Name: fmt.Sprint("gone", i)})
		if i >= 10 {
			cells[i].Name = fmt.Sprint(i - 10)
		}
	}
	p.Expect(cells, 1)
	for i := range 10 {
		p.Done(fmt.Sprint("gone", i), cell.Unavailable, "not in the archive")
	}
	out.Reset()
	for i := range 70 {
		name := fmt.Sprint(i)
		p.Start(name)
		clock = clock.Add(3 * time.Second)
		p.Done(name, cell.Complete, "")
	}
	want := "20 of 80 cells done (10 not complete), 60 left, about 3m to go\n40 of 80 cells done (10 not complete), 40 left, about 2m to go\n" +
		"60 of 80 cells done (10 not complete), 20 left, about 1m to go\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

// TestDoing shows what a log is told of work that takes long, and that nothing is told of
// what does not.
func TestDoing(t *testing.T) {
	work := func(p *Progress) {
		p.Doing("reading lists", 0)
		p.Doing("downloading kernels", 0)
		for i := range 101 {
			p.Doing("downloading kernels", float64(i)/100)
		}
		p.Doing("building the guest", 0)
		p.Doing("building the guest", 0)
		p.Start("5.10")
	}
	var out bytes.Buffer
	p := follow(&out, 1, false, time.Now, wide)
	p.patience = 0
	work(p)
	want := "reading lists\ndownloading kernels\ndownloading kernels: 25% done\n" +
		"downloading kernels: 50% done\ndownloading kernels: 75% done\nbuilding the guest\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
	out.Reset()
	p = follow(&out, 1, false, time.Now, wide)
	p.patience = time.Hour
	work(p)
	p.Close()
	if out.Len() > 0 {
		t.Errorf("got %q of work that was quick, want nothing", out.String())
	}
}

// TestDoingLate: the line comes by itself once patience has run out.
func TestDoingLate(t *testing.T) {
	r, w := io.Pipe()
	p := follow(w, 1, false, time.Now, wide)
	p.patience = time.Millisecond
	p.Doing("building the guest", 0)
	b := make([]byte, 100)
	n, err := r.Read(b)
	if got := string(b[:n]); err != nil || got != "building the guest\n" {
		t.Errorf("got %q, %v", got, err)
	}
	p.Close()
}

func TestDoingLine(t *testing.T) {
	clock := time.Unix(0, 0)
	p := follow(io.Discard, 2, false, func() time.Time { return clock }, wide)
	for _, c := range []struct {
		what  string
		share float64
		took  time.Duration
		want  string
	}{
		{"building the guest", 0, 0, "building the guest"},
		{"building the guest", 0, time.Second, "building the guest"},
		{"building the guest", 0, 22 * time.Second, "building the guest (23s so far)"},
		{"downloading kernels", 0.456, 0, "downloading kernels: 46%"},
		{"", 0, 0, "0 of 2 cells done, 2 left"},
	} {
		p.Doing(c.what, c.share)
		clock = clock.Add(c.took)
		if got := p.line(); got != c.want {
			t.Errorf("Doing(%q, %v): got %q, want %q", c.what, c.share, got, c.want)
		}
	}
	if got := follow(io.Discard, 0, false, time.Now, wide).line(); got != "" {
		t.Errorf("a follower of no cells speaks of them: %q", got)
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		bar, line string
		n         int
		want      string
	}{
		{"[##..]", "0 of 3", 80, "[##..] 0 of 3"},
		{"[##..]", "0 of 3", 13, "[##..] 0 of 3"},
		{"[##..]", "0 of 3", 12, "0 of 3"},
		{"", "0 of 3", 6, "0 of 3"},
		{"[##..]", "running \u00fc 7.0", 11, "running ..."},
		{"", "0 of 3", 2, "0 of 3"}, // too narrow to be of use
	} {
		if got := fit(c.bar, c.line, c.n); got != c.want {
			t.Errorf("fit(%q, %q, %d): got %q, want %q", c.bar, c.line, c.n, got, c.want)
		}
	}
}

func TestBar(t *testing.T) {
	p := follow(io.Discard, 4, false, time.Now, wide)
	check := func(want string) {
		t.Helper()
		if got := p.bar(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check("[............]")
	p.Doing("building", 0)
	check("")
	p.Doing("downloading", 0.5)
	check("[######......]")
	p.Done("a", cell.Complete, "")
	check("[###.........]")
	for range 3 {
		p.Done("b", cell.Complete, "")
	}
	check("[############]")
}

// TestLive finds deadlocks between writers and the display, and lost or damaged lines.
func TestLive(t *testing.T) {
	var out bytes.Buffer
	p := follow(&out, 40, true, time.Now, wide)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			name := fmt.Sprintf("cell-%02d", i)
			p.Doing("work "+name, 0.5)
			p.Start(name)
			p.Note("note " + name)
			p.Done(name, cell.Complete, "")
		})
	}
	p.write.Lock()
	p.draw()
	p.write.Unlock()
	wg.Wait()
	p.Note("last")
	p.Close()
	p.Close()
	p.Note("after the end")
	screen := show(out.String())
	for i := range 40 {
		if line := fmt.Sprintf("note cell-%02d", i); !strings.Contains(screen, line+"\n") {
			t.Errorf("%q is lost", line)
		}
	}
	if !strings.HasSuffix(screen, "\nlast\nafter the end\n") {
		t.Errorf("the live line was not taken away: %q", screen)
	}
}

// show returns what a terminal shows of s.
func show(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(line[strings.LastIndex(line, erase)+1:])
	}
	return strings.ReplaceAll(b.String(), erase[1:], "")
}
