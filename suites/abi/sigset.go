//go:build !mips && !mipsle && !mips64 && !mips64le

package abi

// SigsetSize is the size of the kernel's sigset_t in bytes, for 64 signals.
const SigsetSize = 8
