//go:build amd64 || arm64

package sandbox

import "golang.org/x/sys/unix"

// shared is the flag of clone(2) by which a child shares the memory of the suite, so that neither is a
// copy: under emulation, copying the tables of the memory, and then each page that one of the two
// writes to, was a third of what the suite took. The child needs no stack of its own, for it has none.
const shared = unix.CLONE_VM

// spawn is clone(2) with its first two arguments, for a child that makes the system calls of n steps, noting each
// errno, and ends its process after the last. A call that fails ends nothing: the parent reads what
// happened. The child never touches a stack, nor memory but the steps and errnos. r is what the
// call gave the parent: the child's ID, or an errno as a negative number.
//
// What the steps are and point to has to stay for as long as the child may go on; so they must not be
// taken for what does not escape.
func spawn(first, second uintptr, steps *rawStep, n int, errs *int32) (r uintptr)
