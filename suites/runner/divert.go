package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// over ends what is diverted. No frame holds such a byte: JSON writes it otherwise.
const over = 0x04 // EOT

// divert returns a file whose content read gets, and a function that ends it and waits until
// read is done and the console has sent everything. The end is told by a byte: children that are parked hold the pipe open.
func divert(console *os.File, read func(frames io.Reader, console io.Writer)) (out *os.File, end func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("pipe: %w", err)
	}
	done := make(chan struct{})
	go func() {
		read(&untilOver{r: r}, console)
		close(done)
		// Whoever writes still must not wait.
		_, _ = io.Copy(io.Discard, r)
	}()
	return w, sync.OnceFunc(func() {
		_, _ = w.Write([]byte{'\n', over})
		<-done
		drain(console)
	}), nil
}

// untilOver is a reader that ends at the first byte over.
type untilOver struct {
	r    io.Reader
	done bool
}

func (u *untilOver) Read(p []byte) (int, error) {
	if u.done {
		return 0, io.EOF
	}
	n, err := u.r.Read(p)
	if i := bytes.IndexByte(p[:n], over); i >= 0 {
		n, err, u.done = i, nil, true
		if n == 0 {
			err = io.EOF
		}
	}
	return n, err
}

// drain is tcdrain(3). What is no terminal has nothing to drain.
func drain(f *os.File) {
	err := unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1)
	for errors.Is(err, unix.EINTR) {
		err = unix.IoctlSetInt(int(f.Fd()), unix.TCSBRK, 1)
	}
}
