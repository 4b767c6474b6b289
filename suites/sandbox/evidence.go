package sandbox

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// Evidence collects the mount tables around the calls under test, for people who want to see what
// a verdict is about. It is what the running kernel shows, also where a lying one stands in front of
// it, and no verdict rests on it: where a table cannot be read, the call has no evidence.
//
// It is kept in memory and told at the end, because a console is slow. The zero value is ready;
// it serves one world at a time.
type Evidence struct {
	lines map[string]int
	told  record.Evidence
	buf   []byte
}

const (
	// maxEvidence bounds the calls of one behaviour that have evidence. Most make one or two.
	maxEvidence = 4
	// maxTable is the longest table, in bytes, that is kept.
	maxTable = 16 << 10
	// maxEvidenceRecord is how many lines a record of evidence has at most; it keeps a
	// frame well below the longest that is read.
	maxEvidenceRecord = 2000
)

// Records returns what was collected, and forgets it. Of nil there is nothing.
func (e *Evidence) Records() []*record.Record {
	var out []*record.Record
	if e == nil {
		return out
	}
	if len(e.told.Calls) > 0 {
		told := e.told
		out = append(out, &record.Record{Type: record.TypeEvidence, Evidence: &told})
	}
	e.told, e.lines = record.Evidence{}, nil
	return out
}

// exhibit is the evidence of one world.
type exhibit struct {
	of     *Evidence
	calls  int
	mounts map[string]string // numbers of mounts, by the kernel's
	groups map[string]string // the same of peer groups
}

// witness reads the mount table of the task that is about to make a call. The function that it
// returns reads it again when the call is made and has been noted as the world's last step.
func (w *World) witness(task int) (done func()) {
	x := w.exhibit
	if x == nil || x.calls == maxEvidence {
		return func() {}
	}
	before, ok := w.table(task)
	return func() {
		if !ok {
			return
		}
		after, ok := w.table(task)
		if !ok {
			return
		}
		x.calls++
		x.of.told.Calls = append(x.of.told.Calls, record.EvidenceOfCall{
			ID: w.id, Step: len(w.steps) - 1, Before: before, After: after,
		})
	}
}

// table returns a task's mount table as indices of the lines that are kept.
func (w *World) table(task int) (lines []int, ok bool) {
	e := w.exhibit.of
	if e.buf == nil {
		e.buf = make([]byte, maxTable)
	}
	fd, err := unix.Openat(w.proc, strconv.Itoa(task)+"/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	n := 0
	for {
		k, err := unix.Read(fd, e.buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n+k == len(e.buf) {
			return nil, false
		}
		if k == 0 {
			break
		}
		n += k
	}
	lines = []int{} // an empty table is one, too
	for line := range strings.Lines(string(e.buf[:n])) {
		text, ok := w.exhibit.line(line)
		if !ok {
			return nil, false
		}
		at, known := e.lines[text]
		if !known {
			if len(e.told.Mounts) == maxEvidenceRecord {
				return nil, false
			}
			if e.lines == nil {
				e.lines = map[string]int{}
			}
			at = len(e.told.Mounts)
			e.lines[text], e.told.Mounts = at, append(e.told.Mounts, text)
		}
		lines = append(lines, at)
	}
	return lines, true
}

// line returns a line of mountinfo in the form of [record.Evidence].
func (x *exhibit) line(line string) (string, bool) {
	f := strings.Fields(line)
	if len(f) < 9 {
		return "", false
	}
	if x.mounts == nil {
		x.mounts, x.groups = map[string]string{}, map[string]string{}
	}
	out := make([]string, 0, len(f))
	// The parent first: it is there before what is mounted on it.
	parent := number(x.mounts, f[1])
	out = append(out, number(x.mounts, f[0]), parent, f[3], f[4], f[5])
	rest := f[6:]
	for len(rest) > 0 && rest[0] != "-" {
		if kind, group, ok := strings.Cut(rest[0], ":"); ok {
			out = append(out, kind+":"+number(x.groups, group))
		} else {
			out = append(out, rest[0])
		}
		rest = rest[1:]
	}
	if len(rest) < 3 {
		return "", false
	}
	return strings.Join(append(out, rest[:3]...), " "), true
}

// number returns the number that stands for the kernel's own.
func number(numbers map[string]string, own string) string {
	n, ok := numbers[own]
	if !ok {
		n = strconv.Itoa(len(numbers) + 1)
		numbers[own] = n
	}
	return n
}
