//go:build mips || mipsle || mips64 || mips64le

package abi

// SigsetSize is the size of the kernel's sigset_t in bytes: MIPS has 128 signals.
const SigsetSize = 16
