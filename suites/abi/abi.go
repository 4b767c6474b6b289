// Package abi holds what differs between architectures in the system calls that the suite makes by
// hand, and that golang.org/x/sys/unix has no name for.
package abi

import "golang.org/x/sys/unix"

// Sigset is a set of signals as the system calls take it, with the size [SigsetSize].
type Sigset [SigsetSize / 8]uint64

// AllSignals is the set of all signals.
func AllSignals() (s Sigset) {
	for i := range s {
		s[i] = ^uint64(0)
	}
	return s
}

// firstCommon is the lowest number of a system call that every architecture took up from the
// common numbering of new ones (include/uapi/asm-generic/unistd.h), pidfd_send_signal(2), and
// commonBase what the ABI adds to each: 0 for most, thousands on MIPS.
const (
	firstCommon = 424
	commonBase  = unix.SYS_PIDFD_SEND_SIGNAL - firstCommon
)

// SysFchroot is the number of fchroot(2), since Linux 7.3: 472 in the common numbering.
const SysFchroot = commonBase + 472

// SysStatmount is the number of statmount(2), since Linux 6.8: 457 in the common numbering.
const SysStatmount = commonBase + 457
