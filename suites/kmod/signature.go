package kmod

import (
	"bytes"
	"encoding/binary"
)

// What ends a signed module: the signature, then its description, of which the last four bytes are the
// signature's length, big-endian, then the mark (include/linux/module_signature.h).
const (
	mark        = "~Module signature appended~\n"
	description = 12
	length      = 4
)

// Unsigned returns the part of a module before the signature that is appended to it: all of it if there
// is none, or none that can be understood.
func Unsigned(module []byte) []byte {
	rest, signed := bytes.CutSuffix(module, []byte(mark))
	end := len(rest) - description
	if !signed || end < 0 {
		return module
	}
	if n := binary.BigEndian.Uint32(rest[len(rest)-length:]); uint64(n) <= uint64(end) {
		return rest[:end-int(n)]
	}
	return module
}
