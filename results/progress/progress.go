// Package progress tells a person how a run of cells is getting on.
//
// On a terminal one line is kept up to date: cells done, running and left, and about how
// long it will still take. Anywhere else nothing is written but what a reader of a log
// needs: notes, and cells that did not complete.
package progress

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"pivotspec/results/cell"
)

// Progress follows one run. Its methods may be called from several goroutines. Make one
// with [New] and call Close at the end, also after a failure: until then the terminal's
// last line is in use.
type Progress struct {
	total int
	now   func() time.Time
	out   io.Writer

	write sync.Mutex // of out; never taken together with mu, which the display needs to draw

	mu      sync.Mutex
	begun   time.Time
	running []string // in the order of their start
	done    int
	bad     int
	closed  bool

	live *mpb.Progress // nil if not on a terminal
	bar  *mpb.Bar
}

// New follows a run of total cells on f, usually the standard error. It is live if f is a
// terminal that can move its cursor.
func New(f *os.File, total int, getenv func(string) string) *Progress {
	return follow(f, total, term.IsTerminal(int(f.Fd())) && getenv("TERM") != "dumb", time.Now)
}

func follow(w io.Writer, total int, live bool, now func() time.Time) *Progress {
	p := &Progress{total: total, now: now, out: w, begun: now()}
	if live {
		p.live = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh(), mpb.WithRefreshRate(200*time.Millisecond))
		// One more than there is keeps the bar from completing, which would redraw it for
		// good; Close takes it away.
		p.bar = p.live.New(int64(total)+1,
			mpb.BarStyle().Lbound("[").Filler("#").Tip("").Padding(".").Rbound("]"),
			mpb.BarWidth(12), mpb.BarFillerTrim(),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return " " + trim(p.line(), s.AvailableWidth-1) })))
	}
	return p
}

func trim(s string, n int) string {
	if n < 4 || len(s) <= n {
		return s
	}
	return s[:n-3] + "..."
}

// Start says that the cell of that name is running.
func (p *Progress) Start(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, name)
}

// Done says that a cell has ended, whether or not it was ever started, and how. The reason
// of a cell that is not complete is written at once.
func (p *Progress) Done(name string, status cell.Status, reason string) {
	p.mu.Lock()
	p.running = slices.DeleteFunc(p.running, func(s string) bool { return s == name })
	p.done++
	if status != cell.Complete {
		p.bad++
	}
	p.mu.Unlock()
	if p.bar != nil {
		p.bar.Increment()
	}
	if status != cell.Complete {
		p.Note(fmt.Sprintf("cell %s is %s: %s", name, status, reason))
	}
}

// Note writes one line that a person has to see, such as that there is no usable KVM.
func (p *Progress) Note(line string) {
	b := []byte(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\n", " ") + "\n")
	p.write.Lock()
	defer p.write.Unlock()
	if p.live != nil {
		if _, err := p.live.Write(b); err == nil {
			return
		}
		// The display is closed and takes nothing more; the line must not be lost.
	}
	p.out.Write(b)
}

// Close takes the live line away. It may be called twice.
func (p *Progress) Close() {
	p.mu.Lock()
	closed := p.closed
	p.closed = true
	p.mu.Unlock()
	if closed || p.live == nil {
		return
	}
	p.bar.Abort(true)
	p.live.Wait()
}

// line is the live line.
func (p *Progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := fmt.Sprintf("%d of %d cells done", p.done, p.total)
	if p.bad > 0 {
		s += fmt.Sprintf(" (%d not complete)", p.bad)
	}
	left := p.total - p.done - len(p.running)
	if left > 0 {
		s += fmt.Sprintf(", %d left", left)
	}
	if p.done > 0 && p.done < p.total {
		each := p.now().Sub(p.begun) / time.Duration(p.done)
		rest := each * time.Duration(p.total-p.done)
		s += fmt.Sprintf(", about %s", rest.Round(time.Second))
	}
	if len(p.running) > 0 {
		s += ", running " + strings.Join(p.running, " ")
	}
	return s
}
