package abi

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestCommonNumbers: what an ABI adds to the common numbering is the same for every new system call.
func TestCommonNumbers(t *testing.T) {
	if got := SysFchroot - unix.SYS_LANDLOCK_CREATE_RULESET; got != 472-444 {
		t.Errorf("fchroot is %d behind landlock_create_ruleset, want 28", got)
	}
}

func TestAllSignals(t *testing.T) {
	s := AllSignals()
	if len(s)*8 != SigsetSize {
		t.Errorf("a set of %d bytes, want %d", len(s)*8, SigsetSize)
	}
	for i, word := range s {
		if word != ^uint64(0) {
			t.Errorf("word %d lacks signals: %#x", i, word)
		}
	}
}
