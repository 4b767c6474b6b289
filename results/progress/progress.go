// Package progress tells a person how a run of cells is getting on.
//
// On a terminal one line is kept up to date: what is being made ready, then cells done,
// running and left, and about how long it will still take. Anywhere else nothing is written
// but what a reader of a log needs: notes, cells that did not complete, and what takes so
// long that one might wonder whether anything happens.
package progress

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

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

	// patience is how long something may take before a log is told of it.
	patience time.Duration

	write sync.Mutex // of out; on a terminal never taken while mu is held, which drawing takes

	mu      sync.Mutex
	doing   string // what is made ready, "" if nothing is
	share   float64
	since   time.Time // when doing began
	told    bool      // the log knows what is being done
	slow    *time.Timer
	reasons map[string]bool // why cells were not complete, as far as told
	running []string        // in the order of their start
	done    int
	bad     int
	rest    *estimate // of the time, nil if nothing is known of the cells
	closed  bool

	// live is set on a terminal: its last line is then this package's, without a line's end.
	live  bool
	width func() int
	shown string        // what the last line shows; guarded by write
	stop  chan struct{} // closed by Close
	ended chan struct{} // closed when nothing is drawn any more
}

const (
	// patience is how long a reader of a log is left without news of something unusual.
	patience = 2 * time.Second
	// many is how many cells make a run of which a log hears after each quarter.
	many = 20
	// refresh is how often the live line is looked at.
	refresh = 200 * time.Millisecond
	// barWidth is that of the bar in front of the live line.
	barWidth = 12
	// erase goes to the beginning of the line, wherever the cursor is (a terminal shows the
	// ^C of a user), and clears it.
	erase = "\r\x1b[K"
)

// New follows a run of total cells on f, usually the standard error. It is live if f is a
// terminal that can move its cursor. A total of 0 follows work that is not about cells.
func New(f *os.File, total int, getenv func(string) string) *Progress {
	fd := int(f.Fd())
	live := term.IsTerminal(fd) && getenv("TERM") != "dumb" && getenv("TERM") != ""
	return follow(f, total, live, time.Now, func() int {
		if w, _, err := term.GetSize(fd); err == nil && w > 0 {
			return w
		}
		return 80
	})
}

func follow(w io.Writer, total int, live bool, now func() time.Time, width func() int) *Progress {
	p := &Progress{
		total: total, now: now, out: w, patience: patience, reasons: map[string]bool{},
		live: live, width: width, stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if !live {
		close(p.ended)
		return p
	}
	go func() {
		defer close(p.ended)
		t := time.NewTicker(refresh)
		defer t.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-t.C:
				p.write.Lock()
				p.draw()
				p.write.Unlock()
			}
		}
	}()
	return p
}

// draw brings the live line up to date. Its caller holds write.
func (p *Progress) draw() {
	// The last column stays free: some terminals go to the next line behind it.
	if s := fit(p.bar(), p.line(), p.width()-1); s != p.shown {
		p.shown = s
		io.WriteString(p.out, erase+s)
	}
}

// fit joins bar and line within n columns. The bar goes first, then the end of the line.
func fit(bar, line string, n int) string {
	if bar != "" && len(bar)+1+len([]rune(line)) <= n {
		return bar + " " + line
	}
	if r := []rune(line); n > 3 && len(r) > n {
		return string(r[:n-3]) + "..."
	}
	return line
}

// bar shows the share of the cells that are done, or of what is being done.
func (p *Progress) bar() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	share := p.share
	if p.doing == "" {
		share = float64(p.done) / float64(max(p.total, 1))
	}
	if p.doing == "" && p.total == 0 || p.doing != "" && share == 0 {
		return ""
	}
	n := min(barWidth, int(share*barWidth))
	return "[" + strings.Repeat("#", n) + strings.Repeat(".", barWidth-n) + "]"
}

// Doing says what is made ready before cells can run, such as "downloading kernels", and
// how much of it is done, from 0 to 1, 0 also if that is not known. It ends with the next
// call, or when a cell starts or ends; what may be "" to end it sooner. A log hears of it
// only if it takes long, and then of each quarter.
func (p *Progress) Doing(what string, share float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if what == p.doing {
		quarter := int(share * 4)
		if p.told && quarter > int(p.share*4) && quarter < 4 {
			p.log(fmt.Sprintf("%s: %d%% done", what, quarter*25))
		}
		p.share = share
		return
	}
	p.endDoing()
	p.doing, p.share, p.since = what, share, p.now()
	if what == "" || p.live || p.closed {
		return
	}
	if p.patience <= 0 {
		p.told = true
		p.log(what)
		return
	}
	p.slow = time.AfterFunc(p.patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.doing == what && !p.told {
			p.told = true
			p.log(what)
		}
	})
}

// endDoing forgets what was being done. Its caller holds mu.
func (p *Progress) endDoing() {
	if p.slow != nil {
		p.slow.Stop()
	}
	p.doing, p.share, p.told = "", 0, false
}

// log writes a line where there is no display. Its caller may hold mu.
func (p *Progress) log(line string) {
	if !p.live {
		p.Note(line)
	}
}

// Start says that the cell of that name is running.
func (p *Progress) Start(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endDoing()
	p.running = append(p.running, name)
	if p.rest != nil {
		p.rest.start(name, p.now())
	}
}

// Expect says which cells are to be run, and how many of them at once. From then on the time that is left can
// be told. Cells that an earlier run did for this one are not among them.
func (p *Progress) Expect(cells []Expected, jobs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.rest = len(cells), newEstimate(cells, jobs)
}

// Done says that a cell has ended, whether or not it was ever started, and how. The reason
// of a cell that is not complete is written at once, and in full the first time only: a
// network that is down concerns every cell.
func (p *Progress) Done(name string, status cell.Status, reason string) {
	p.mu.Lock()
	p.endDoing()
	p.running = slices.DeleteFunc(p.running, func(s string) bool { return s == name })
	if p.rest != nil {
		p.rest.done(name, status == cell.Complete, p.now())
	}
	p.done++
	quarter := ""
	if p.total >= many && p.done < p.total && p.done*4/p.total > (p.done-1)*4/p.total {
		quarter = p.counts()
	}
	known := p.reasons[reason]
	if status != cell.Complete {
		p.bad++
		p.reasons[reason] = true
	}
	p.mu.Unlock()
	switch {
	case status == cell.Complete:
	case known:
		p.Note(fmt.Sprintf("cell %s is %s for the same reason", name, status))
	default:
		p.Note(fmt.Sprintf("cell %s is %s: %s", name, status, reason))
	}
	if quarter != "" {
		p.log(quarter)
	}
}

// Note writes one line that a person has to see, such as that there is no usable KVM.
func (p *Progress) Note(line string) {
	line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\n", " ") + "\n"
	p.write.Lock()
	defer p.write.Unlock()
	if p.shown == "" {
		io.WriteString(p.out, line)
		return
	}
	p.shown = ""
	io.WriteString(p.out, erase+line)
	p.draw()
}

// Close takes the live line away. It may be called twice.
func (p *Progress) Close() {
	p.mu.Lock()
	closed := p.closed
	p.closed = true
	p.endDoing()
	p.mu.Unlock()
	if closed || !p.live {
		return
	}
	close(p.stop)
	<-p.ended
	p.write.Lock()
	defer p.write.Unlock()
	if p.shown != "" {
		p.shown = ""
		io.WriteString(p.out, erase)
	}
}

// counts says how many cells are done and how long the others may take. Its caller holds mu.
func (p *Progress) counts() string {
	s := fmt.Sprintf("%d of %d cells done", p.done, p.total)
	if p.bad > 0 {
		s += fmt.Sprintf(" (%d not complete)", p.bad)
	}
	left := p.total - p.done - len(p.running)
	if left > 0 {
		s += fmt.Sprintf(", %d left", left)
	}
	if p.rest != nil {
		if d, ok := p.rest.left(p.now()); ok {
			s += ", " + about(d) + " to go"
		}
	}
	return s
}

// line is the live line.
func (p *Progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doing != "" {
		s := p.doing
		if p.share > 0 {
			s += fmt.Sprintf(": %.0f%%", p.share*100)
		}
		// What stands still for long could be taken for dead.
		if took := p.now().Sub(p.since); took >= p.patience {
			s += fmt.Sprintf(" (%s so far)", took.Truncate(time.Second))
		}
		return s
	}
	if p.total == 0 {
		return ""
	}
	s := p.counts()
	if len(p.running) > 0 {
		s += ", running " + strings.Join(p.running, " ")
	}
	return s
}
