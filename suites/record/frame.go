package record

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
)

// A frame is one console line:
//
//	@pivotspec SEQ CRC JSON
//
// SEQ counts from 0 in decimal, CRC is the IEEE CRC-32 of "SEQ JSON" in eight
// hexadecimal digits. A frame may begin anywhere in a line, since a kernel message may have
// been printed in front of it; one with a message in its middle fails its checksum.
var mark = []byte("@pivotspec ")

// MaxFrame is the longest frame, in bytes, that a reader accepts.
const MaxFrame = 1 << 20

// AppendFrame appends r, framed as number seq and ended by a newline, to dst.
func AppendFrame(dst []byte, seq int, r *Record) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return dst, fmt.Errorf("record: encode frame %d: %w", seq, err)
	}
	return AppendEncoded(dst, seq, body), nil
}

// AppendEncoded is [AppendFrame] for a record that is JSON already, on one line.
func AppendEncoded(dst []byte, seq int, body []byte) []byte {
	// Room for the mark, a number of any length, the checksum and what is between them.
	dst = slices.Grow(dst, len(body)+48)
	dst = append(dst, mark...)
	dst = strconv.AppendInt(dst, int64(seq), 10)
	dst = append(dst, ' ')
	sum := binary.BigEndian.AppendUint32(nil, checksum(seq, body))
	dst = hex.AppendEncode(dst, sum)
	dst = append(dst, ' ')
	dst = append(dst, body...)
	return append(dst, '\n')
}

func checksum(seq int, body []byte) uint32 {
	head := append(strconv.AppendInt(nil, int64(seq), 10), ' ')
	return crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, body)
}

// ErrNoFrame is returned by [ParseLine] for a line that holds no frame.
var ErrNoFrame = errors.New("record: no frame in this line")

// ParseLine returns the frame in one console line. A line without the mark of a
// frame gives ErrNoFrame; a damaged frame gives another error. Where the mark occurs more than
// once, the first whole frame counts: one may begin behind the remains of another, and a
// record's own text may quote the mark.
func ParseLine(line []byte) (seq int, r *Record, err error) {
	err = ErrNoFrame
	for {
		at := bytes.Index(line, mark)
		if at < 0 {
			return seq, nil, err
		}
		line = line[at:]
		s, r, e := parseFrame(line)
		if e == nil {
			return s, r, nil
		}
		if errors.Is(err, ErrNoFrame) {
			seq, err = s, e
		}
		line = line[len(mark):]
	}
}

// parseFrame is ParseLine for a line that begins with the mark.
func parseFrame(line []byte) (seq int, r *Record, err error) {
	rest := bytes.TrimRight(line[len(mark):], "\r\n")
	num, rest, ok1 := bytes.Cut(rest, []byte(" "))
	sum, body, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok1 || !ok2 {
		return 0, nil, fmt.Errorf("record: frame cut short: %.40q", line)
	}
	seq, err = strconv.Atoi(string(num))
	if err != nil || seq < 0 {
		return 0, nil, fmt.Errorf("record: bad frame number %.20q", num)
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil {
		return seq, nil, fmt.Errorf("record: frame %d: bad checksum field %.20q", seq, sum)
	}
	if got := checksum(seq, body); got != uint32(want) {
		return seq, nil, fmt.Errorf("record: frame %d: checksum %08x, want %08x", seq, got, want)
	}
	r = new(Record)
	if err := json.Unmarshal(body, r); err != nil {
		return seq, nil, fmt.Errorf("record: frame %d: %w", seq, err)
	}
	return seq, r, nil
}

// Collector gathers the frames of one cell from its console. The zero value is ready.
// A frame that arrives twice counts once: the guest repeats its frames when it has reason
// to think that a kernel message went through one.
type Collector struct {
	frames  map[int]*Record
	damaged map[int]error
	next    int
	ended   bool
}

// Line takes one console line. It returns the record of a new frame, or nil.
func (c *Collector) Line(line []byte) *Record {
	seq, r, err := ParseLine(line)
	if errors.Is(err, ErrNoFrame) {
		return nil
	}
	if c.frames == nil {
		c.frames, c.damaged = map[int]*Record{}, map[int]error{}
	}
	if err != nil {
		c.damaged[seq] = err
		return nil
	}
	if _, seen := c.frames[seq]; seen {
		return nil
	}
	c.frames[seq] = r
	delete(c.damaged, seq)
	if seq >= c.next {
		c.next = seq + 1
	}
	if r.Type == TypeEnd {
		c.ended = true
	}
	return r
}

// Read feeds every line of r to the collector.
func (c *Collector) Read(r io.Reader) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, MaxFrame)
	for s.Scan() {
		c.Line(s.Bytes())
	}
	return s.Err()
}

// Records returns what arrived, in the order of sending.
func (c *Collector) Records() []*Record {
	out := make([]*Record, 0, len(c.frames))
	for i := range c.next {
		if r := c.frames[i]; r != nil {
			out = append(out, r)
		}
	}
	return out
}

// Err says what is wrong with the report as a whole: no plan, a gap in the numbers,
// a frame that never arrived intact, no end. It is nil for a complete report.
func (c *Collector) Err() error {
	switch {
	case c.next == 0:
		return errors.New("the guest sent no record")
	case c.frames[0] == nil || c.frames[0].Type != TypePlan:
		return errors.New("the guest's report does not begin with its plan")
	}
	for i := range c.next {
		if c.frames[i] == nil {
			if err := c.damaged[i]; err != nil {
				return fmt.Errorf("record %d of the guest's report is damaged: %w", i, err)
			}
			return fmt.Errorf("record %d of the guest's report never arrived", i)
		}
	}
	if !c.ended {
		return fmt.Errorf("the guest's report stops after record %d without its end", c.next-1)
	}
	return nil
}
