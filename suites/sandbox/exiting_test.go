package sandbox

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFlushHolder: each request gets the answer that the kernel expects in length, and a close none
// before the spec ends.
func TestFlushHolder(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	order := binary.NativeEndian
	request := func(opcode uint32) []byte {
		b := make([]byte, 56)
		order.PutUint32(b, uint32(len(b)))
		order.PutUint32(b[4:], opcode)
		order.PutUint64(b[8:], 1<<40|7)
		order.PutUint64(b[16:], 1) // the node
		return b
	}
	const notImplemented = 99
	for _, tt := range []struct {
		name   string
		opcode uint32
		size   int
		errno  unix.Errno
		flush  bool
	}{
		{"init", fuseInit, 80, 0, false},
		{"lookup", fuseLookup, 144, 0, false},
		{"getattr", fuseGetattr, 120, 0, false},
		{"open", fuseOpen, 32, 0, false},
		{"flush", fuseFlush, 16, 0, true},
		{"another", notImplemented, 16, unix.ENOSYS, false},
	} {
		w := &World{}
		h := &FlushHolder{world: w, dev: fds[0]}
		if flush := h.answer(request(tt.opcode)); flush != tt.flush {
			t.Errorf("%s: flush is %v", tt.name, flush)
		}
		got := make([]byte, 1024)
		if tt.flush {
			if _, err := unix.Read(fds[1], got); err != unix.EAGAIN {
				t.Errorf("%s: answered before the spec ends (%v)", tt.name, err)
			}
		}
		for _, end := range w.cleanup {
			end()
		}
		n, err := unix.Read(fds[1], got)
		if err != nil || n != tt.size || int(order.Uint32(got)) != n || -int32(order.Uint32(got[4:])) != int32(tt.errno) || order.Uint64(got[8:]) != 1<<40|7 {
			t.Errorf("%s: answered %d bytes (%v): %v", tt.name, n, err, got[:16])
		}
	}
}

// TestFlushHolderBroken: what is no request, and what is no FUSE, end the spec.
func TestFlushHolderBroken(t *testing.T) {
	for name, do := range map[string]func(*FlushHolder){
		"short request": func(h *FlushHolder) { h.answer(make([]byte, 39)) },
		"no FUSE":       func(h *FlushHolder) { h.await() },
	} {
		func() {
			defer func() {
				if _, stopped := recover().(stop); !stopped {
					t.Errorf("%s: the spec goes on", name)
				}
			}()
			do(&FlushHolder{world: &World{}, dev: 1 << 20})
		}()
	}
}
