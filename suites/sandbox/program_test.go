package sandbox

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestErrnoText(t *testing.T) {
	for _, tt := range []struct {
		said, text string
		errno      unix.Errno
		outcome    string // with exit status 1
	}{
		{"", Nothing, 0, "exit status 1"},
		{"pivot_root: failed to change root from `.' to `mnt': Invalid argument\n", "Invalid argument", unix.EINVAL, "EINVAL"},
		{"pivot_root: pivot_root: Device or resource busy", "Device or resource busy", unix.EBUSY, "EBUSY"},
		{"switch_root: failed to mount moving /plain to /: Invalid argument\nswitch_root: failed. Sorry.\n", "Invalid argument", unix.EINVAL, "EINVAL"},
		{"Usage: switch_root NEW_ROOT NEW_INIT: none\n", NoErrno, 0, "exit status 1"},
		{"Invalid arguments", NoErrno, 0, "exit status 1"},
	} {
		r := ran{exit: "1", said: tt.said}
		text, errno := r.errnoText()
		if text != tt.text || errno != tt.errno || r.outcome() != tt.outcome {
			t.Errorf("%q: got %q, %v, %s", tt.said, text, errno, r.outcome())
		}
		if r.exit = "0"; r.outcome() != "OK" {
			t.Errorf("%q with exit status 0: got %s", tt.said, r.outcome())
		}
	}
}

func TestKeptPages(t *testing.T) {
	const text = `Node 0, zone      DMA
  pages free     1234
  pagesets
    cpu: 0
              count:    17
              high:     42
    cpu: 1
              count:    5
Node 0, zone    DMA32
    cpu: 0
              count:    100
`
	if n, err := keptPages(text); n != 122 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := keptPages("  count: many\n"); err == nil {
		t.Error("a count that is no number is taken")
	}
}
