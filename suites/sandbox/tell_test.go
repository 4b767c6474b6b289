package sandbox

import (
	"encoding/binary"
	"testing"
)

// event is a fanotify event about a mount, with the info's type given.
func event(mask uint64, info byte, mount uint64) []byte {
	b := make([]byte, 40)
	binary.NativeEndian.PutUint32(b, 40)
	binary.NativeEndian.PutUint16(b[6:], 24)
	binary.NativeEndian.PutUint64(b[8:], mask)
	b[24] = info
	binary.NativeEndian.PutUint16(b[26:], 16)
	binary.NativeEndian.PutUint64(b[32:], mount)
	return b
}

func TestParseMountEvent(t *testing.T) {
	long := event(fanMntAttach, fanInfoTypeMnt, 1)
	binary.NativeEndian.PutUint32(long, 41)
	for _, tt := range []struct {
		name  string
		b     []byte
		what  string
		mount uint64
	}{
		{"attach", event(fanMntAttach, fanInfoTypeMnt, 7), "attach", 7},
		{"detach", event(fanMntDetach, fanInfoTypeMnt, 1<<40), "detach", 1 << 40},
		{"both", event(fanMntAttach|fanMntDetach, fanInfoTypeMnt, 7), "move", 7},
		{"more behind it", append(event(fanMntAttach, fanInfoTypeMnt, 7), 1, 2, 3), "attach", 7},
		{"another event", event(1, fanInfoTypeMnt, 7), "", 0},
		{"another info", event(fanMntAttach, 1, 7), "", 0},
		{"cut short", event(fanMntAttach, fanInfoTypeMnt, 7)[:39], "", 0},
		{"longer than the buffer", long, "", 0},
		{"head only", event(fanMntAttach, fanInfoTypeMnt, 7)[:10], "", 0},
		{"nothing", nil, "", 0},
	} {
		e, size, err := parseMountEvent(tt.b)
		if e.what != tt.what || e.mount != tt.mount || (err == nil) != (tt.what != "") || err == nil && size != 40 {
			t.Errorf("%s: got %+v, %d, %v", tt.name, e, size, err)
		}
	}
}

func FuzzParseMountEvent(f *testing.F) {
	f.Add(event(fanMntAttach, fanInfoTypeMnt, 7))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, size, err := parseMountEvent(b); err == nil && (size <= 0 || size > len(b)) {
			t.Errorf("an event of %d bytes in %d", size, len(b))
		}
	})
}
