package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
)

// console sends frames over the guest's console and keeps them in memory that init and the
// suite share. So the suite sends its records itself, without waking init for each (under
// emulation a change of process costs more than most specs), and init knows, whatever
// becomes of the suite, which frame is next and in which spec it was.
type console struct {
	mu    sync.Mutex
	out   *os.File
	state *state
	keep  []byte // frames, state.used of them valid
}

// state is the head of the shared memory.
type state struct {
	next    atomic.Int64 // number of the next frame
	used    atomic.Int64 // bytes of frames kept
	current atomic.Int64 // index of the private spec that runs, noSpec if none does
	ended   atomic.Bool
}

const noSpec = -1

// sharedSize bounds how many frames can be sent again; a run takes about 100 KiB.
const sharedSize = 4 << 20

// newShared returns a descriptor of new shared memory, for [openConsole].
func newShared() (int, error) {
	fd, err := unix.MemfdCreate("records", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	if err := unix.Ftruncate(fd, sharedSize); err != nil {
		return -1, fmt.Errorf("size the shared memory: %w", err)
	}
	return fd, nil
}

// openConsole returns the console that writes to out and keeps its frames in shared.
func openConsole(out *os.File, shared int) (*console, error) {
	mem, err := unix.Mmap(shared, 0, sharedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the shared memory: %w", err)
	}
	const head = int(unsafe.Sizeof(state{}))
	return &console{out: out, state: (*state)(unsafe.Pointer(unsafe.SliceData(mem))), keep: mem[head:]}, nil
}

// send sends one record.
func (c *console) send(r *record.Record) {
	body, err := json.Marshal(r)
	if err != nil {
		body = fmt.Appendf(nil, `{"type":"note","why":%q}`, "cannot encode a record: "+err.Error())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.ended.Load() {
		return
	}
	f := record.AppendEncoded(nil, int(c.state.next.Load()), body)
	if used := c.state.used.Load(); int(used)+len(f) <= len(c.keep) {
		copy(c.keep[used:], f)
		c.state.used.Store(used + int64(len(f)))
	}
	c.state.next.Add(1)
	c.write(f)
}

// sendAll sends records one by one.
func (c *console) sendAll(records []*record.Record) {
	for _, r := range records {
		c.send(r)
	}
}

// write sends bytes. An error cannot be told to anyone: the host sees the gap.
func (c *console) write(b []byte) { _, _ = c.out.Write(b) }

// end sends the last record, after all frames once more if again is set because they may be
// damaged, and waits until the terminal has sent everything.
func (c *console) end(again bool) {
	if again {
		c.mu.Lock()
		c.write([]byte("\n"))
		c.write(c.keep[:c.state.used.Load()])
		c.mu.Unlock()
	}
	c.send(&record.Record{Type: record.TypeEnd})
	c.state.ended.Store(true)
	c.drain()
}

func (c *console) drain() { drain(c.out) }
