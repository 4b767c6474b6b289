// Package host runs the suite on the kernel that is running, without QEMU: the guest program is
// the first process of namespaces of its own, its records come over a pipe, and the machine stays
// as it is. Package contain, in the guest, does the keeping apart.
package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/harness/backend"
	"pivotspec/kernels/cause"
	"pivotspec/results/cell"
	"pivotspec/suites/contain"
	"pivotspec/suites/record"
)

// Name is what users call the running kernel.
const Name = cell.HostBackend

// memory is what the suite takes of the machine, in MiB: its heap and some hundred mount
// namespaces.
const memory = 128

// Backend runs guests on the running kernel.
type Backend struct{}

var _ backend.Backend = Backend{}

// Name implements [backend.Backend].
func (Backend) Name() string { return Name }

// Find tries whether the namespaces can be had.
func (Backend) Find(ctx context.Context) (backend.Kernel, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return backend.Kernel{}, fmt.Errorf("uname: %w", err)
	}
	k := backend.Kernel{Version: unix.ByteSliceToString(u.Release[:])}
	if _, err := os.Stat("/proc/self/ns/pid"); err != nil {
		return k, &backend.MissingError{Backend: Name, What: "the kernel has no PID namespaces, or /proc is not mounted", Err: cause.Of(err)}
	}
	if !contain.Rooted() {
		return k, &backend.MissingError{Backend: Name, What: "the suite cannot be kept apart from this machine: the root", Err: contain.ErrNotRooted, Do: "run pivotspec outside of it"}
	}
	return k, nil
}

// Guest implements [backend.Backend].
func (Backend) Guest(p backend.Program) backend.Guest { return &Guest{Program: p} }

// Guest is one run of the suite on the running kernel.
type Guest struct {
	backend.Program
	// User asks for a user namespace although the caller is privileged.
	User bool
	// OnRecord, if not nil, is called for each record as it arrives, in order.
	OnRecord func(*record.Record)
}

var _ backend.Guest = (*Guest)(nil)

// Backend implements [backend.Guest].
func (*Guest) Backend() string { return Name }

// Accel implements [backend.Guest]: there is none.
func (*Guest) Accel() string { return "" }

// Memory implements [backend.Guest].
func (*Guest) Memory() int { return memory }

// failure is the error of a run that brought no complete report.
func failure(text string, err error) error {
	return &backend.RunError{Backend: Name, Text: text, Err: err}
}

// maxTail bounds, in bytes, what is kept of what the program prints beside its records.
const maxTail = 16 << 10

// Run implements [backend.Guest]. Everything runs in a PID namespace whose first process is the
// program, so that the end of that process, which the end of the harness brings about too, is the
// end of all.
func (g *Guest) Run(ctx context.Context) (*backend.Report, error) {
	rep := &backend.Report{}
	if err := ctx.Err(); err != nil {
		return rep, failure(backend.NotBegun, context.Cause(ctx))
	}
	if _, err := os.Stat(g.Binary); err != nil {
		return rep, failure("the guest program cannot be used: "+cause.Of(err).Error(), err)
	}
	// The signal that ends the program with the harness is that of the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	user := g.User || !contain.Privileged()
	cmd := exec.Command(g.Binary, contain.Arg)
	cmd.SysProcAttr = contain.Attributes(user)
	cmd.Env = append(os.Environ(), g.Env...)
	cmd.Dir = "/"
	var stderr tail
	cmd.Stderr = &stderr
	// Never written to; see [contain.Arg].
	leash, err := cmd.StdinPipe()
	if err != nil {
		return rep, failure("pipe: "+err.Error(), err)
	}
	defer leash.Close()
	frames, err := cmd.StdoutPipe()
	if err != nil {
		return rep, failure("pipe: "+err.Error(), err)
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return rep, refusal(user, err)
	}
	limit, cancel := ctx, func() {}
	if g.Limits.Total > 0 {
		limit, cancel = context.WithTimeout(ctx, g.Limits.Total)
	}
	defer cancel()
	// The first process of a PID namespace takes all others with it.
	stop := context.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer stop()

	coll := collect(frames, g.OnRecord)
	werr := cmd.Wait()
	rep.Records, rep.Console = coll.Records(), stderr.lines()
	rep.Wall = time.Since(begun)
	var exit *exec.ExitError
	switch {
	case coll.Err() == nil:
		return rep, nil
	case ctx.Err() != nil:
		return rep, failure("interrupted", context.Cause(ctx))
	case limit.Err() != nil:
		return rep, failure(fmt.Sprintf("not done after %v, the limit", g.Limits.Total), limit.Err())
	case errors.As(werr, &exit) && exit.ExitCode() == contain.ExitRefused:
		rep.Wall = 0 // nothing of the suite ran
		return rep, &backend.MissingError{Backend: Name, What: "the suite could not be kept apart from this machine", Err: errors.New(stderr.last()), Do: advice(user)}
	case werr != nil:
		return rep, failure(fmt.Sprintf("the guest failed (%v): %v", werr, coll.Err()), werr)
	}
	return rep, failure("the guest stopped too early: "+coll.Err().Error(), coll.Err())
}

// collect gathers records until the other end of the pipe is closed. A line that is too long is
// damage like any other; what follows it is read and dropped, or the guest would wait for ever.
func collect(r io.Reader, on func(*record.Record)) *record.Collector {
	coll := new(record.Collector)
	s := bufio.NewScanner(r)
	s.Buffer(nil, record.MaxFrame)
	for s.Scan() {
		if rec := coll.Line(s.Bytes()); rec != nil && on != nil {
			on(rec)
		}
	}
	_, _ = io.Copy(io.Discard, r)
	return coll
}

// refusal says why the namespaces could not be had.
func refusal(user bool, err error) error {
	what := "the kernel refused new namespaces"
	if user {
		what = "not root, and the kernel refused a user namespace"
	}
	return &backend.MissingError{Backend: Name, What: what, Err: cause.Of(err), Do: advice(user)}
}

func advice(user bool) string {
	if user {
		return "run it as root, or where unprivileged user namespaces are allowed"
	}
	return "run it as root outside of containers"
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > maxTail {
		t.b = bytes.Clone(t.b[len(t.b)-maxTail:])
	}
	return len(p), nil
}

// lines returns what is kept, without control characters.
func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for line := range strings.Lines(string(t.b)) {
		if line = backend.Clean(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// last returns the last line, which says why the program gave up.
func (t *tail) last() string {
	lines := t.lines()
	if len(lines) == 0 {
		return "it did not say why"
	}
	return lines[len(lines)-1]
}
