//go:build !s390x

package abi

// Clone returns the first two arguments of clone(2) for a child that goes on with its parent's
// stack pointer: the flags, and no stack.
func Clone(flags uintptr) (first, second uintptr) { return flags, 0 }
