package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestErrnoName(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, "OK"},
		{unix.Errno(0), "OK"},
		{unix.EINVAL, "EINVAL"},
		{fmt.Errorf("mount: %w", unix.EPERM), "EPERM"},
		{unix.Errno(999), "errno 999"},
		{NotZero, "OK, but not 0"},
		{unix.EOPNOTSUPP, "EOPNOTSUPP"},
		{errors.New("no errno"), "no errno"},
	} {
		if got := ErrnoName(tt.err); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.want)
		}
	}
}

// TestZeroOr: success is 0 and nothing else.
func TestZeroOr(t *testing.T) {
	for _, tt := range []struct {
		result uintptr
		errno  unix.Errno
		want   string
	}{
		{0, 0, "OK"},
		{1, 0, "OK, but not 0"},
		{4096, 0, "OK, but not 0"},
		{^uintptr(0), unix.EBUSY, "EBUSY"},
		{uintptr(unix.EBUSY), unix.EBUSY, "EBUSY"}, // as MIPS has it
	} {
		if got := ErrnoName(zeroOr(tt.result, tt.errno)); got != tt.want {
			t.Errorf("%d, %v: got %q, want %q", tt.result, tt.errno, got, tt.want)
		}
	}
}

func TestResult(t *testing.T) {
	for _, tt := range []struct {
		outcome, effect, want string
	}{
		{"OK", Pivoted, "OK"},
		{"OK", None, "OK, but none"},
		{"OK", "root moved to elsewhere", "OK, but root moved to elsewhere"},
		{"EINVAL", None, "EINVAL"},
		{"EINVAL", Pivoted, "EINVAL, but pivoted"},
		{"OK, but not 0", Pivoted, "OK, but not 0, but pivoted"},
		{"OK", "", "OK"}, // not a pivot_root
		{"EBUSY", "", "EBUSY"},
	} {
		if got := (Call{Outcome: tt.outcome, Effect: tt.effect}).Result(); got != tt.want {
			t.Errorf("%s, %q: got %q, want %q", tt.outcome, tt.effect, got, tt.want)
		}
	}
}

func TestArg(t *testing.T) {
	for _, tt := range []struct {
		arg  Arg
		want string
	}{
		{Path("/new"), `"/new"`},
		{Path(""), `""`},
		{BadAddress(), "(bad address)"},
		{Path(strings.Repeat("/", 4096)), `"////////////////"... (4096 bytes)`},
	} {
		if got := tt.arg.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if p, keep := BadAddress().pointer(); p == 0 || keep != nil {
		t.Error("a bad address is NULL or memory of ours")
	}
	if p, keep := Path("x").pointer(); p == 0 || string(keep) != "x\x00" {
		t.Errorf("a path is passed as %q", keep)
	}
}
