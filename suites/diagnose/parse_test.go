package diagnose

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseMountinfo(t *testing.T) {
	text := "22 27 0:21 / /proc rw,relatime shared:5 master:2 - proc proc rw\n" +
		`63 22 0:40 /gone//deleted /with\040blank\011\134 rw - fuse.x some\040source rw` + "\n" +
		"1 1 0:2 / / rw - rootfs rootfs rw\n"
	got, err := parseMountinfo([]byte(text))
	want := []listed{
		{id: 22, parent: 27, point: "/proc", shared: true, kind: "proc", source: "proc"},
		{id: 63, parent: 22, point: "/with blank\t\\", removed: true, kind: "fuse.x", source: "some source"},
		{id: 1, parent: 1, point: "/", kind: "rootfs", source: "rootfs"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"\n", "1 2 0:1 / /\n", "x 2 0:1 / / rw - a b c\n", "1 2 0:1 / / rw - a\n"} {
		if got, err := parseMountinfo([]byte(bad)); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

func FuzzParseMountinfo(f *testing.F) {
	f.Add([]byte("22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw\n"))
	f.Add([]byte(`1 2 3 4\0 5\777 6 - \1`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseMountinfo(b)
		if err == nil && len(list) != bytes.Count(b, []byte{'\n'}) && bytes.HasSuffix(b, []byte{'\n'}) {
			t.Errorf("%d mounts of %q", len(list), b)
		}
	})
}

// statmountOf is what statmount(2) would give of a mount.
func statmountOf(kind, point string) []byte {
	b := make([]byte, smStrings)
	binary.NativeEndian.PutUint64(b[smMask:], statmountMntBasic|statmountMntPoint|statmountFSType)
	binary.NativeEndian.PutUint64(b[smMntID:], 1<<31+5)
	binary.NativeEndian.PutUint64(b[smParentID:], 1<<31+4)
	binary.NativeEndian.PutUint32(b[smMntIDOld:], 28)
	binary.NativeEndian.PutUint32(b[smParentOld:], 27)
	binary.NativeEndian.PutUint64(b[smPropagation:], unix.MS_SHARED)
	binary.NativeEndian.PutUint32(b[smMntPoint:], uint32(len(kind)+1))
	b = append(b, kind+"\x00"+point+"\x00"...)
	binary.NativeEndian.PutUint32(b[smSize:], uint32(len(b)))
	return b
}

func TestParseStatmount(t *testing.T) {
	got, err := parseStatmount(statmountOf("tmpfs", "/new"))
	want := statmounted{listed{id: 28, parent: 27, point: "/new", shared: true, kind: "tmpfs"}, 1<<31 + 5, 1<<31 + 4}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	short := statmountOf("tmpfs", "/new")
	for _, bad := range [][]byte{nil, short[:smStrings-1], short[:len(short)-1], append(bytes.Clone(short[:len(short)-1]), 'x')} {
		if got, err := parseStatmount(bad); err == nil {
			t.Errorf("%d bytes are read as %+v", len(bad), got)
		}
	}
}

func FuzzParseStatmount(f *testing.F) {
	f.Add(statmountOf("tmpfs", "/new"))
	f.Add(statmountOf("", ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseStatmount(b); err == nil && len(s.point)+len(s.kind) > 2*len(b) {
			t.Errorf("%d bytes give %+v", len(b), s)
		}
	})
}
