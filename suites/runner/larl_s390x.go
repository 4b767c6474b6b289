package runner

import (
	"debug/elf"
	"encoding/binary"
	"errors"
)

// larl returns how far an address is that the processor was told to compute 2 GiB ahead: the
// distance of two instructions, of which the first is 6 bytes before the second.
func larl() int64

const larlSize = 6 // bytes of the instruction

// misrun says why a module must not be loaded although the kernel would take it, or "".
//
// QEMU 7.2 wraps a distance of 2 GiB or more around. A module lies that far from the kernel's
// per-CPU variables, its own among them, and Linux 7.2 (6.12 does not yet) computes their addresses
// so: the first use is an oops.
func misrun(file string) string {
	if larl() == 1<<31-larlSize {
		return ""
	}
	// What cannot be read is for the kernel to refuse.
	if by, err := perCPUByDistance(file); err != nil || !by {
		return ""
	}
	return "this QEMU miscomputes the addresses of its per-CPU variables (larl beyond 2 GiB)"
}

// perCPUByDistance reports whether a module computes the address of a per-CPU variable of its own
// from where it is.
func perCPUByDistance(file string) (bool, error) {
	f, err := elf.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, s := range f.Sections {
		if s.Type != elf.SHT_RELA {
			continue
		}
		b, err := s.Data()
		if err != nil {
			return false, err
		}
		const size = 24 // of an Elf64_Rela: offset, info, addend
		for ; len(b) >= size; b = b[size:] {
			info := binary.BigEndian.Uint64(b[8:])
			i := int(elf.R_SYM64(info)) - 1 // the symbol of number 0 is left out
			if elf.R_390(elf.R_TYPE64(info)) != elf.R_390_PC32DBL || i < 0 || i >= len(symbols) {
				continue
			}
			n := int(symbols[i].Section)
			if n < len(f.Sections) && f.Sections[n].Name == ".data..percpu" {
				return true, nil
			}
		}
	}
	return false, nil
}
