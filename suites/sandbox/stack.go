package sandbox

// room is how much of its stack a goroutine that runs a spec needs, in bytes; stacks are powers of
// two, and this makes it 8 KiB. What needs more grows as ever.
const room = 6 << 10

// Room grows the stack of the calling goroutine at once. Each spec runs on two new goroutines, one
// of Ginkgo's and one of its world, whose stacks begin with 2 KiB and double when they are full,
// and for each doubling the runtime looks at every frame that is on the stack by then: that took
// a fifth of what the program itself costs an emulated cell. Called first, with hardly a frame
// there, Room costs next to nothing.
func Room() { reserve(-1) }

// reserve has a frame of that size. It uses none of it unless at is an index, for what is not
// touched takes no memory.
//
//go:noinline
func reserve(at int) byte {
	if at < 0 {
		return 0
	}
	var frame [room]byte
	frame[at%room] = 1
	return frame[at/2%room]
}
