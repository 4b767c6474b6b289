package cell

import (
	"cmp"
	"strings"
)

// Line is what tells a cell from others except for its kernel: the cells of one line are the same
// machine, booted in the same way, with one kernel after the other. Only along a line can it be said
// since when a kernel does something. The zero value of each field but Arch stands for the usual.
type Line struct {
	// Backend is what runs the guests; "" is Linux under QEMU.
	Backend string
	// Scenario is the way to boot; "" is the plain initramfs.
	Scenario string
	// Arch is Debian's name of the architecture.
	Arch string
	// ABI is that of the guest's programs if it is not the kernel's own, else "".
	ABI string
	// Flavour is the kernel's if it is not the one that its series' name stands for, else "".
	Flavour string
}

// qemu is the backend that is not worth mention.
const qemu = "qemu"

// Line returns the line to which the cell belongs.
func (c *Cell) Line() Line {
	l := Line{c.Backend, c.Scenario, c.Arch, c.ABI, c.Flavour}
	if l.Backend == qemu {
		l.Backend = ""
	}
	if l.ABI == l.Arch {
		l.ABI = ""
	}
	return l
}

// Compare orders lines for reports: Linux under QEMU before other backends, the plain initramfs before other
// scenarios, then by architecture with a kernel's own ABI and its usual flavour first.
func (l Line) Compare(o Line) int {
	return cmp.Or(
		cmp.Compare(l.Backend, o.Backend), cmp.Compare(l.Scenario, o.Scenario),
		cmp.Compare(l.Arch, o.Arch), cmp.Compare(l.ABI, o.ABI), cmp.Compare(l.Flavour, o.Flavour),
	)
}

// String returns the line for a reader, such as "arm64", "amd64/i386", "arm64 16k", "amd64 disk" or "gvisor amd64".
func (l Line) String() string {
	s := l.Arch
	if l.ABI != "" {
		s += "/" + l.ABI
	}
	// Debian's flavours have the architecture in their names: rt-arm64, arm64-16k.
	flavour := strings.TrimSuffix(strings.TrimPrefix(l.Flavour, l.Arch+"-"), "-"+l.Arch)
	for _, word := range []string{flavour, l.Scenario} {
		if word != "" {
			s += " " + word
		}
	}
	if l.Backend != "" {
		s = l.Backend + " " + s
	}
	return strings.TrimSpace(s)
}
