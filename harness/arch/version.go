package arch

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"time"
)

// OldQEMUError says that the QEMU of an architecture is there and too old to boot it.
type OldQEMUError struct {
	// Arch is Debian's name of the architecture.
	Arch string
	// QEMU is its row, which says what is needed; Have is the version that is there.
	QEMU QEMU
	Have string
}

func (e *OldQEMUError) Error() string {
	return fmt.Sprintf("booting %s needs %s %s or newer, and this machine's is %s; install the package %s%s",
		e.Arch, e.QEMU.Binary, e.QEMU.Least, e.Have, e.QEMU.Package, e.QEMU.newer())
}

// newer says where a QEMU is that is new enough, to be put behind the name of the package.
func (q QEMU) newer() string {
	if q.Least == "" {
		return ""
	}
	return fmt.Sprintf(" of version %s or newer, which %s have, or put an unpacked one first in PATH", q.Least, q.Newer)
}

// versionLine is how QEMU begins what it says of its version.
var versionLine = regexp.MustCompile(`^QEMU emulator version ([0-9]{1,4}(\.[0-9]{1,4})+)`)

// versionForm is the form of a version in the table.
var versionForm = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,4})+$`)

// version asks the QEMU at path for its version.
func version(path string) (string, error) {
	// It prints a line and ends; a program of that name that is something else may not.
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", err
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return "", errors.New("it is no QEMU")
	}
	return string(m[1]), nil
}

// older says whether version a comes before b. Both are numbers with points between them.
func older(a, b string) bool { return slices.Compare(numbers(a), numbers(b)) < 0 }

func numbers(v string) []int {
	var out []int
	n := 0
	for _, c := range v + "." {
		if c == '.' {
			out, n = append(out, n), 0
			continue
		}
		n = n*10 + int(c-'0')
	}
	return out
}
