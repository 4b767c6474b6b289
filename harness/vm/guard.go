package vm

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// guard returns the path of a program that starts QEMU in such a way that the kernel kills
// it together with the harness, and a function that removes what was made for it.
//
// The pseudo-terminal that pkg/qemu gives QEMU is closed when the harness dies, and the
// SIGHUP of that ends a QEMU whose main loop is alive, be it stopped or its guest hung; one
// whose main loop is stuck only takes note of it. So setpriv(1) arms PR_SET_PDEATHSIG first.
// pkg/qemu takes one path and no arguments before its own, hence a script. It is the second
// line of defence: where there is no setpriv that can do this, or no script can be written,
// QEMU is started directly.
//
// The signal is tied to the thread that started QEMU, not to the process. The Go runtime
// ends a thread only if a goroutine ends while locked to it; the harness has none such.
func guard(dir, qemu string) (path string, remove func()) {
	nothing := func() {}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		return qemu, nothing
	}
	text := "#!/bin/sh\nexec " + quote(setpriv) + " --pdeathsig KILL -- " + quote(qemu) + ` "$@"` + "\n"
	remove = nothing
	if dir == "" {
		if dir, err = os.MkdirTemp("", "pivotspec-vm-"); err != nil {
			return qemu, nothing
		}
		remove = func() { os.RemoveAll(dir) }
	}
	path = filepath.Join(dir, fmt.Sprintf("%s-%.6x", filepath.Base(qemu), sha256.Sum256([]byte(text))))
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return path, remove
	}
	// Not every setpriv knows the option.
	if exec.Command(setpriv, "--pdeathsig", "KILL", "--", setpriv, "--version").Run() != nil ||
		writeStarter(dir, path, text) != nil {
		remove()
		return qemu, nothing
	}
	return path, remove
}

func writeStarter(dir, path, text string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// While a file is open for writing nobody can execute it. A process that another
	// goroutine forks now would hold it open until it executes something itself, and our
	// own start would fail with ETXTBSY.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	f, err := os.CreateTemp(dir, ".starter-")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if e := f.Chmod(0o755); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// quote quotes s for sh.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// closeOnExec keeps the descriptors that this process inherited from its own parent (a
// make's job server, a shell's redirections) from QEMU. All that Go opens is marked so
// already. A kernel older than 5.11 cannot do it at once; there they are marked one by one.
func closeOnExec() {
	if unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range fds {
		var fd int
		if _, err := fmt.Sscan(e.Name(), &fd); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
