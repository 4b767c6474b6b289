package vm

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// serial is what a guest's serial port writes to: a pipe that QEMU opens by its path below /proc, as a
// file.
//
// QEMU writes byte by byte. On the pseudo-terminal that is its standard output each byte wakes
// whoever reads, which costs the machine more than the guest needed to send it. Nobody waits at this
// pipe: it is looked at now and then, and takes as much in between as the guest can send.
type serial struct {
	r, w int
	once sync.Once
	over chan struct{} // closed by end
	done chan struct{} // closed when all was read
}

const (
	// pace is how long the pipe is left alone: hardly noticed by a person, and short beside each limit.
	pace = 10 * time.Millisecond
	// pipeSize is what is asked for, the most that anybody gets: a guest under KVM needs some of it. With
	// less, QEMU waits.
	pipeSize = 1 << 20
)

// openSerial makes a serial port's pipe.
func openSerial() (*serial, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("vm: make a pipe for the console: %w", err)
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
	return &serial{r: fds[0], w: fds[1], over: make(chan struct{}), done: make(chan struct{})}, nil
}

// path is the value of QEMU's -serial.
func (s *serial) path() string { return fmt.Sprintf("file:/proc/%d/fd/%d", os.Getpid(), s.w) }

// read calls take with all that QEMU writes, from another goroutine, until [serial.end].
func (s *serial) read(take func([]byte)) {
	go func() {
		defer close(s.done)
		buf := make([]byte, 1<<16)
		for last := false; ; {
			n, err := unix.Read(s.r, buf)
			switch {
			case n > 0:
				take(buf[:n])
				if n == len(buf) {
					continue
				}
			case errors.Is(err, unix.EINTR):
				continue
			case last:
				return
			}
			select {
			case <-s.over:
				last = true
			case <-time.After(pace):
			}
		}
	}()
}

// end is called when QEMU is gone, or was not started, and returns when all that it wrote was taken.
func (s *serial) end() {
	s.once.Do(func() {
		close(s.over)
		<-s.done
		unix.Close(s.r)
		unix.Close(s.w)
	})
}
