package kernels

import (
	"errors"
	"os"
	"syscall"
)

// errNotRegular is the error of what is there and holds no bytes of its own: a pipe, a socket, a device.
var errNotRegular = errors.New("it is no regular file")

// openRegular opens the regular file at path. Anything else is refused without waiting for it: to open
// a named pipe lasts until somebody writes to it, and to open a device may do something.
func openRegular(path string) (*os.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	return regular(f, err)
}

// openRegularIn is [openRegular] within root.
func openRegularIn(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	return regular(f, err)
}

// regular closes what was opened and is no regular file.
func regular(f *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
