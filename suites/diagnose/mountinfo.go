package diagnose

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// listed is a mount as mountinfo or statmount(2) has it.
type listed struct {
	id, parent uint64
	point      string // from the root of whoever read it
	seen       Seen   // whose that is, "" if it is nobody's who could say the name
	shared     bool
	// removed says that the directory that the mount shows as its root was removed.
	removed      bool
	kind, source string
}

// parseMountinfo reads /proc/PID/mountinfo; see proc_pid_mountinfo(5).
func parseMountinfo(text []byte) ([]listed, error) {
	var out []listed
	for line := range bytes.Lines(text) {
		front, back, ok := bytes.Cut(bytes.TrimSuffix(line, []byte{'\n'}), []byte(" - "))
		f, b := bytes.Split(front, []byte{' '}), bytes.Split(back, []byte{' '})
		if !ok || len(f) < 6 || len(b) < 2 {
			return nil, fmt.Errorf("mountinfo: cannot read the line %q", line)
		}
		id, err1 := strconv.ParseUint(string(f[0]), 10, 64)
		parent, err2 := strconv.ParseUint(string(f[1]), 10, 64)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("mountinfo: bad mount ID in the line %q", line)
		}
		m := listed{id: id, parent: parent, point: unescape(string(f[4])), removed: bytes.HasSuffix(f[3], []byte("//deleted")), kind: unescape(string(b[0])), source: unescape(string(b[1]))}
		for _, opt := range f[6:] {
			m.shared = m.shared || bytes.HasPrefix(opt, []byte("shared:"))
		}
		out = append(out, m)
	}
	return out, nil
}

// unescape undoes how the kernel writes blanks and the like in names: a backslash and three octal
// digits.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
