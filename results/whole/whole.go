// Package whole writes files that are there whole or not at all.
package whole

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Write makes the file at path, in a folder that there is, of what fill writes, for everybody to read. If it fails, or
// the machine does meanwhile, what was there stays; a temporary file in the same folder, named as
// [os.CreateTemp] makes it of temporary, may be left then. Errors are fill's and the file system's.
func Write(path, temporary string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriter(f)
	err = fill(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644) // CreateTemp gives 0600; others may read it
	}
	if err == nil {
		err = f.Sync() // a full disk may say so only now
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// Probe finds out whether files can be written in dir, and leaves none. temporary is that of [Write].
func Probe(dir, temporary string) error {
	f, err := os.CreateTemp(dir, temporary)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096)) // a full disk takes the name, not the bytes
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
