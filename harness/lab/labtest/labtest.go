// Package labtest makes things that pass for those that a lab works with, for tests.
package labtest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Kernel is the least that passes for a bzImage of a release for amd64. It holds nothing.
func Kernel(release string) []byte {
	b := make([]byte, 5*512+16)
	le := binary.LittleEndian
	b[0x1f1] = 4               // sectors of the setup
	le.PutUint32(b[0x1f4:], 1) // 16 bytes of kernel
	copy(b[0x1fe:], "\x55\xaa")
	copy(b[0x202:], "HdrS")
	le.PutUint16(b[0x206:], 0x20f) // protocol
	le.PutUint16(b[0x20e:], 0x100) // where the release is, less 0x200
	b[0x211] = 1                   // loaded high
	le.PutUint16(b[0x236:], 1)     // 64 bits
	copy(b[0x300:], release+" (test@test) #1 SMP\x00")
	return b
}

// Guest is the least that passes for a static program, and enough to fill a small disk.
func Guest() []byte {
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, h); err != nil {
		panic(err)
	}
	return append(b.Bytes(), make([]byte, 32<<10)...)
}
