package exhaust

import (
	"bytes"
	"fmt"
	"strconv"

	"pivotspec/suites/model"
)

// listed is one line of /proc/PID/mountinfo.
type listed struct {
	id, parent  uint64
	root, point []byte
	propagation []byte // the optional fields
}

// parseMountinfo reads mountinfo; see proc(5).
func parseMountinfo(text []byte) ([]listed, error) {
	var out []listed
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		front, _, ok := bytes.Cut(line, []byte(" - "))
		if !ok {
			return nil, fmt.Errorf("mountinfo: no separator in %q", line)
		}
		var f [6][]byte
		for i := range f {
			if len(front) == 0 {
				return nil, fmt.Errorf("mountinfo: too few fields in %q", line)
			}
			f[i], front, _ = bytes.Cut(front, []byte{' '})
		}
		id, err1 := strconv.ParseUint(string(f[0]), 10, 64)
		parent, err2 := strconv.ParseUint(string(f[1]), 10, 64)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("mountinfo: bad mount ID in %q", line)
		}
		out = append(out, listed{id, parent, f[3], f[4], front})
	}
	return out, nil
}

// elsewhere is a place that is none of the world's.
var elsewhere = model.Pos{Mount: model.Elsewhere}

// hangs returns where a listed mount is attached.
func (l *Lab) hangs(list []listed, m *listed) model.Pos {
	if m.parent == m.id {
		return model.Pos{Mount: model.None}
	}
	if m.parent == l.beyond {
		return model.Pos{Mount: model.Nullfs}
	}
	for i, id := range l.ids {
		if id != m.parent {
			continue
		}
		for j := range list {
			if p := &list[j]; p.id == id {
				return l.inside(int8(i), p, m)
			}
		}
	}
	return elsewhere
}

// inside returns the directory of the parent p, mount i of the world, that m is attached to.
func (l *Lab) inside(i int8, p, m *listed) model.Pos {
	prefix := bytes.TrimSuffix(p.point, []byte{'/'})
	rel, ok := bytes.CutPrefix(m.point, prefix)
	if !ok {
		return elsewhere
	}
	dir := string(bytes.TrimSuffix(p.root, []byte{'/'})) + string(bytes.TrimSuffix(rel, []byte{'/'}))
	for _, d := range model.Dirs() {
		if d != model.X && (dir == d.String() || dir == "" && d == model.Top) {
			return model.Pos{Mount: i, Dir: d}
		}
	}
	return elsewhere
}
