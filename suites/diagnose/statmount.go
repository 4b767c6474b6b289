package diagnose

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/abi"
)

// What statmount(2), since Linux 6.8, is asked for; see include/uapi/linux/mount.h.
const (
	statmountMntBasic = 0x2
	statmountMntPoint = 0x10
	statmountFSType   = 0x20
)

// Offsets in struct statmount.
const (
	smSize        = 0
	smMask        = 8
	smFSType      = 36
	smMntID       = 40
	smParentID    = 48
	smMntIDOld    = 56
	smParentOld   = 60
	smPropagation = 72
	smMntPoint    = 108
	smStrings     = 512
)

var errStatmount = errors.New("statmount: not of the form that include/uapi/linux/mount.h gives")

// statmounted is what statmount(2) tells of a mount.
type statmounted struct {
	listed
	// unique and uniqueParent are IDs that are never used again.
	unique, uniqueParent uint64
}

// parseStatmount reads struct statmount.
func parseStatmount(b []byte) (s statmounted, err error) {
	if len(b) < smStrings {
		return s, errStatmount
	}
	size := binary.NativeEndian.Uint32(b[smSize:])
	mask := binary.NativeEndian.Uint64(b[smMask:])
	if size < smStrings || uint64(size) > uint64(len(b)) || mask&statmountMntBasic == 0 {
		return s, errStatmount
	}
	b = b[:size]
	text := func(asked uint64, at int) (string, error) {
		if mask&asked == 0 {
			return "", nil
		}
		off := uint64(smStrings) + uint64(binary.NativeEndian.Uint32(b[at:]))
		if off >= uint64(len(b)) {
			return "", errStatmount
		}
		end := bytes.IndexByte(b[off:], 0)
		if end < 0 {
			return "", errStatmount
		}
		return string(b[off : off+uint64(end)]), nil
	}
	if s.kind, err = text(statmountFSType, smFSType); err != nil {
		return s, err
	}
	if s.point, err = text(statmountMntPoint, smMntPoint); err != nil {
		return s, err
	}
	s.unique = binary.NativeEndian.Uint64(b[smMntID:])
	s.uniqueParent = binary.NativeEndian.Uint64(b[smParentID:])
	s.id = uint64(binary.NativeEndian.Uint32(b[smMntIDOld:]))
	s.parent = uint64(binary.NativeEndian.Uint32(b[smParentOld:]))
	s.shared = binary.NativeEndian.Uint64(b[smPropagation:])&unix.MS_SHARED != 0
	return s, nil
}

// statmount asks for a mount of the calling thread's namespace by its unique ID.
func statmount(unique uint64) (statmounted, error) {
	// struct mnt_id_req of its first version.
	req := struct {
		size, spare uint32
		id, param   uint64
	}{24, 0, unique, statmountMntBasic | statmountMntPoint | statmountFSType}
	// The names in it are paths: one page each is the most that there can be.
	buf := make([]byte, smStrings+3*4096)
	_, _, e := unix.Syscall6(abi.SysStatmount, uintptr(unsafe.Pointer(&req)),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0, 0)
	if e != 0 {
		return statmounted{}, fmt.Errorf("statmount: %w", e)
	}
	return parseStatmount(buf)
}
