package vm

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// What was written before the end is taken, all of it and in order, also if it is more than one look
// finds.
func TestSerial(t *testing.T) {
	s, err := openSerial()
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	s.read(func(p []byte) { got.Write(p) })
	w, err := os.OpenFile(strings.TrimPrefix(s.path(), "file:"), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	for i := range 300_000 {
		want.WriteByte(byte(i % 251))
	}
	if _, err := w.Write(want.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.end()
	s.end() // of a console that is closed twice
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes arrived of %d, or others", got.Len(), want.Len())
	}
}
