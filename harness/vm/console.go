package vm

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"pivotspec/suites/record"
)

const (
	// tailLines and tailWidth (bytes) bound what is kept of a console.
	tailLines = 100
	tailWidth = 500
	// maxFindings bounds the findings of one guest; a kernel that warns in a loop is told
	// by the first of them.
	maxFindings = 50
	// maxLine is the longest console line, in bytes, that is looked at as a whole: a frame
	// and what may stand in front of it.
	maxLine = record.MaxFrame + 4096
)

// event tells Run what the console showed.
type event int

const (
	eventEnd   event = iota // the guest sent its last record
	eventFatal              // the kernel or the accelerator gave up
	eventFlood              // more bytes than allowed
)

// console reads what a guest prints on its serial port, and what QEMU itself says. It is the
// io.WriteCloser that pkg/qemu tees QEMU's own output to: Write and Close come from one goroutine, the other
// methods from any.
type console struct {
	patterns patterns
	onRecord func(*record.Record)
	onLine   func(string)
	max      int64         // bytes until the console counts as a flood
	events   chan event    // buffered for one of each
	closed   chan struct{} // closed by Close: QEMU is gone and all it printed was read
	stop     chan struct{} // closed by Run just before it kills QEMU

	said, printed line // of Write and Close alone, and of the port's reader alone until it is done
	port          *serial

	turn sync.Mutex // held by who ends a line
	sent [3]bool    // under turn

	mu       sync.Mutex
	coll     record.Collector
	tail     []string // ring of the last tailLines lines
	at       int      // next place in the ring
	findings []Finding
	fatal    *Finding
	bytes    int64
	ended    bool      // the last record arrived
	last     time.Time // of the last byte
	damaged  int       // frames that arrived damaged
	spoke    bool      // a frame or a line that is not the firmware's was seen
	off      bool      // the kernel said that it powers off
}

// line is the line so far of one of those who write.
type line struct {
	text     []byte
	overlong bool // it was longer than maxLine
}

// newConsole returns a console that reads the serial port, if there is one, until that ends.
func newConsole(p patterns, max int64, port *serial, onRecord func(*record.Record), onLine func(string)) *console {
	c := &console{
		patterns: p, onRecord: onRecord, onLine: onLine, max: max, port: port,
		events: make(chan event, 3), closed: make(chan struct{}), stop: make(chan struct{}),
		last: time.Now(),
	}
	if port != nil {
		port.read(func(p []byte) { c.take(&c.printed, p) })
	}
	return c
}

// send tells Run once. The caller has the turn.
func (c *console) send(e event) {
	if !c.sent[e] {
		c.sent[e] = true
		c.events <- e
	}
}

// Write takes what QEMU said.
func (c *console) Write(p []byte) (int, error) {
	c.take(&c.said, p)
	return len(p), nil
}

// take adds to a line. After a flood it waits for Run to kill QEMU, because the library keeps all that it
// reads in memory.
func (c *console) take(l *line, p []byte) {
	n := len(p)
	if n == 0 {
		return
	}
	c.mu.Lock()
	c.bytes += int64(n)
	c.last = time.Now()
	flood := c.bytes > c.max
	c.mu.Unlock()
	if flood {
		c.turn.Lock()
		c.send(eventFlood)
		c.turn.Unlock()
		<-c.stop
		return
	}
	for len(p) > 0 {
		part, rest, whole := bytes.Cut(p, []byte{'\n'})
		p = rest
		if room := maxLine - len(l.text); len(part) > room {
			part, l.overlong = part[:room], true
		}
		l.text = append(l.text, part...)
		if whole {
			c.end(l)
		}
	}
}

// Close is called when QEMU is gone.
func (c *console) Close() error {
	if c.port != nil {
		c.port.end()
	}
	for _, l := range []*line{&c.printed, &c.said} {
		if len(l.text) > 0 {
			c.end(l)
		}
	}
	close(c.closed)
	return nil
}

var frameMark = []byte("@pivotspec ")

// end takes note of a line that is whole.
func (c *console) end(l *line) {
	c.turn.Lock()
	defer c.turn.Unlock()
	line := l.text
	overlong := l.overlong
	l.text, l.overlong = l.text[:0], false

	_, _, err := record.ParseLine(line)
	isFrame := err == nil && !overlong
	damaged := !isFrame && !errors.Is(err, record.ErrNoFrame)
	text := line
	if isFrame {
		// A kernel message may stand in front of a frame.
		text = line[:bytes.LastIndex(line, frameMark)]
	}
	var shown []string
	for _, part := range messages(text) {
		if s := sanitise(part); s != "" {
			shown = append(shown, s)
		}
	}

	c.mu.Lock()
	// A line that is too long was cut, so its checksum fails and the collector notes
	// the damage.
	r := c.coll.Line(line)
	if r != nil && r.Type == record.TypeEnd {
		c.ended = true
	}
	if damaged {
		c.damaged++
	}
	var fatal bool
	for _, s := range shown {
		c.keep(s)
		// Also in a damaged frame: what damaged it may be the message.
		fatal = c.classify(s) || fatal
		c.spoke = c.spoke || !firmware.MatchString(s)
	}
	c.spoke = c.spoke || isFrame
	c.mu.Unlock()

	if c.onLine != nil {
		for _, s := range shown {
			c.onLine(s)
		}
	}
	if r != nil {
		if c.onRecord != nil {
			c.onRecord(r)
		}
		if r.Type == record.TypeEnd {
			c.send(eventEnd)
		}
	}
	if fatal {
		c.send(eventFatal)
	}
}

// messages cuts a line before each time stamp of a kernel message: neither SeaBIOS nor a
// program that the kernel interrupts ends its line first.
func messages(line []byte) [][]byte {
	var out [][]byte
	from := 0
	for _, at := range stamp.FindAllIndex(line, -1) {
		if at[0] > from {
			out = append(out, line[from:at[0]])
			from = at[0]
		}
	}
	return append(out, line[from:])
}

// firmware matches what the firmware prints before a kernel runs; seeing nothing else is
// the same as seeing nothing.
var firmware = regexp.MustCompile(`^(SeaBIOS|Booting from |iPXE|Machine UUID|qboot|Probing EDD)`)

// powerDown is what every kernel prints last of all, at the level of an emergency
// (kernel_power_off in kernel/reboot.c).
const powerDown = "reboot: Power down"

// classify notes the finding in a line, if it shows one, and says whether it is the end.
func (c *console) classify(line string) (fatal bool) {
	p, text := c.patterns.match(line)
	c.off = c.off || strings.HasSuffix(line, powerDown)
	if p == nil {
		return false
	}
	f := Finding{Kind: p.Kind, Text: text}
	if len(c.findings) < maxFindings {
		c.findings = append(c.findings, f)
	}
	if p.Fatal && c.fatal == nil {
		c.fatal = &f
	}
	return p.Fatal
}

func (c *console) keep(line string) {
	if len(line) > tailWidth {
		line = strings.ToValidUTF8(line[:tailWidth], "") + " [cut]"
	}
	if len(c.tail) < tailLines {
		c.tail = append(c.tail, line)
		return
	}
	c.tail[c.at] = line
	c.at = (c.at + 1) % tailLines
}

// state is what a console showed so far.
type state struct {
	records  []*record.Record
	err      error // of the collector
	tail     []string
	findings []Finding
	fatal    *Finding
	bytes    int64
	damaged  int
	ended    bool
	spoke    bool
	off      bool
}

func (c *console) state() state {
	c.mu.Lock()
	defer c.mu.Unlock()
	return state{
		records: c.coll.Records(), err: c.coll.Err(),
		tail:     append(append([]string(nil), c.tail[c.at:]...), c.tail[:c.at]...),
		findings: append([]Finding(nil), c.findings...),
		fatal:    c.fatal, bytes: c.bytes, damaged: c.damaged, ended: c.ended, spoke: c.spoke, off: c.off,
	}
}

func (c *console) lastByte() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// escape matches the terminal sequences of ECMA-48 (and ESC c, the reset that SeaBIOS sends).
var escape = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])`)

// sanitise makes a console line fit to be shown and stored: no terminal sequences, no
// control characters, valid UTF-8, no white space at the end.
func sanitise(line []byte) string {
	s := string(line)
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = escape.ReplaceAllString(s, "")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20 || (r >= 0x7f && r < 0xa0):
			return -1
		case r == utf8.RuneError:
			return '?'
		// Marks that reorder text, and separators of lines: they could make a
		// report read otherwise than it is.
		case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, s)
	return strings.TrimRight(s, " ")
}
