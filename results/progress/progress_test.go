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

func TestQuiet(t *testing.T) {
	var out bytes.Buffer
	p := follow(&out, 3, false, time.Now)
	p.Start("5.10-amd64")
	p.Done("5.10-amd64", cell.Complete, "")
	p.Note("KVM opens but runs no guest\nusing emulation")
	p.Done("6.1-amd64", cell.Unavailable, "no network")
	p.Close()
	p.Close()
	want := "KVM opens but runs no guest using emulation\ncell 6.1-amd64 is unavailable: no network\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestLine(t *testing.T) {
	clock := time.Unix(0, 0)
	p := follow(io.Discard, 11, false, func() time.Time { return clock })
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
	check("1 of 11 cells done (1 not complete), 9 left, about 50s, running 5.10")
	for i := range 10 {
		p.Done(fmt.Sprint(i), cell.Complete, "")
	}
	p.Done("5.10", cell.Complete, "")
	check("12 of 11 cells done (1 not complete)")
}

// TestLive finds deadlocks between writers and the display, and lost lines.
func TestLive(t *testing.T) {
	var out bytes.Buffer
	p := follow(&out, 40, true, time.Now)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			name := fmt.Sprintf("cell-%02d", i)
			p.Start(name)
			p.Note("note " + name)
			p.Done(name, cell.Complete, "")
		})
	}
	wg.Wait()
	p.Close()
	p.Note("after the end")
	for i := range 40 {
		if line := fmt.Sprintf("note cell-%02d\n", i); !strings.Contains(out.String(), line) {
			t.Errorf("%q is lost", line)
		}
	}
	if !strings.Contains(out.String(), "after the end") {
		t.Error("the line after Close is lost")
	}
}
