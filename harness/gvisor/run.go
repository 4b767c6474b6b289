package gvisor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/harness/backend"
	"pivotspec/suites/record"
)

const (
	// memory is what a sandbox and the processes beside it take, in MiB.
	memory = 256
	// maxBytes bounds what a guest may print; a full report is below 1 MiB.
	maxBytes = 8 << 20
	// tailLines is how much of what was printed beside the records is kept.
	tailLines = 100
	// drain is how long the end of a killed runsc's output may take to come.
	drain = 10 * time.Second
)

// failure is the error of a run that brought no complete report.
func failure(text string, err error) error {
	return &backend.RunError{Backend: Name, Text: text, Err: err}
}

type guest struct {
	backend *Backend
	program backend.Program
}

// Backend implements [backend.Guest].
func (g *guest) Backend() string { return Name }

// Accel implements [backend.Guest].
func (g *guest) Accel() string { return "" }

// Memory implements [backend.Guest].
func (g *guest) Memory() int { return memory }

// Run implements [backend.Guest].
func (g *guest) Run(ctx context.Context) (*backend.Report, error) {
	runsc := g.backend.Runsc
	if runsc == "" {
		p, err := findPin(g.backend.Source)
		if err != nil {
			return nil, err
		}
		runsc = g.backend.path(p)
	}
	unmade := func(err error) error {
		return missing("the sandbox's files cannot be made", "make the cache writable, or choose another folder with --cache", err)
	}
	dir, lock, err := folder(g.program.Dir)
	if err != nil {
		return nil, unmade(err)
	}
	defer lock.Close()
	defer os.RemoveAll(dir)
	bundle := filepath.Join(dir, bundleDir)
	if err := lay(bundle, g.program.Binary, g.program.Env); err != nil {
		return nil, unmade(err)
	}
	if ctx.Err() != nil {
		return nil, failure(backend.NotBegun, context.Cause(ctx))
	}
	cmd := exec.Command(runsc,
		"--root="+filepath.Join(dir, stateDir), "--platform=systrap", "--network=none", "--ignore-cgroups",
		// What the guest writes to its root stays in the sandbox's memory.
		"--overlay2=root:memory",
		"run", "--bundle="+bundle, "pivotspec")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	// Killed with this process: runsc's own processes are armed in the same way and die with it. Mounts
	// that it makes are in a namespace of its own, and end with that.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true, Unshareflags: unix.CLONE_NEWNS}
	return watch(ctx, cmd, g.program)
}

// watch runs runsc to its end.
func watch(ctx context.Context, cmd *exec.Cmd, p backend.Program) (*backend.Report, error) {
	out := &output{stop: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	begun := time.Now()
	out.last = begun
	exited := make(chan error, 1)
	started := make(chan error, 1)
	go func() {
		// The death signal is tied to the thread that starts the child, so that thread has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			exited <- cmd.Wait()
		}
	}()
	err = <-started
	w.Close()
	if err != nil {
		return nil, failure("runsc did not start: "+err.Error(), err)
	}
	ended := make(chan struct{})
	go func() { out.read(r); close(ended) }()

	var why string
	var cause error
	kill := func(text string, err error) {
		if why == "" {
			why, cause = text, err
			_ = cmd.Process.Kill()
		}
	}
	total := time.NewTimer(p.Limits.Total)
	defer total.Stop()
	silence := time.NewTimer(p.Limits.Silence)
	defer silence.Stop()
	var status error
	done, stop := ctx.Done(), out.stop
	for waiting := true; waiting; {
		select {
		case status = <-exited:
			waiting = false
		case <-done:
			kill("interrupted", context.Cause(ctx))
			done = nil
		case <-stop:
			kill(fmt.Sprintf("the guest printed more than %d bytes; see its end for what repeats", maxBytes), nil)
			stop = nil
		case <-total.C:
			kill(fmt.Sprintf("not done after %v, the limit; run fewer guests at once if the machine is busy", p.Limits.Total), nil)
		case <-silence.C:
			quiet := out.quiet()
			if quiet >= p.Limits.Silence {
				kill(fmt.Sprintf("nothing from the guest for %v, the limit", p.Limits.Silence), nil)
			} else {
				silence.Reset(p.Limits.Silence - quiet)
			}
		}
	}
	// All that is left of the sandbox dies with runsc; the pipe says when the last of it is gone.
	stuck := false
	select {
	case <-ended:
	case <-time.After(drain):
		stuck = true
		r.SetReadDeadline(time.Now())
		<-ended
	}
	rep := &backend.Report{Records: out.coll.Records(), Console: out.tail, Wall: time.Since(begun)}
	if stuck {
		return rep, failure("the sandbox's processes could not be killed and may still run: look for runsc with ps", cause)
	}
	return rep, out.judge(rep, why, cause, status)
}

// judge says what is wrong with a run that has ended: why it was killed, "" if it was not, and
// with what status runsc ended.
func (o *output) judge(rep *backend.Report, why string, cause, status error) error {
	err := o.coll.Err()
	switch {
	case err == nil && (status != nil || why != ""):
		if why == "" {
			why = "runsc failed: " + status.Error()
		}
		rep.Records = append(rep.Records, &record.Record{Type: record.TypeWarning, Level: 4, Why: "after the guest's last record: " + why})
		return nil
	case err == nil:
		return nil
	case why != "":
		return failure(why, cause)
	case status != nil && len(o.tail) > 0 && len(rep.Records) == 0:
		return failure(fmt.Sprintf("runsc failed (%v): %s", status, o.tail[len(o.tail)-1]), err)
	case status != nil:
		return failure(fmt.Sprintf("runsc failed (%v): %v", status, err), err)
	}
	return failure("the guest stopped too early: "+err.Error(), err)
}

// output takes what a sandbox prints.
type output struct {
	coll record.Collector
	tail []string
	stop chan struct{} // closed once there is too much

	mu   sync.Mutex
	last time.Time
}

// read takes lines until the end.
func (o *output) read(r io.Reader) {
	b := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	n, flood := 0, false
	for {
		part, err := b.ReadSlice('\n')
		o.mu.Lock()
		o.last = time.Now()
		o.mu.Unlock()
		if n += len(part); n > maxBytes {
			if !flood {
				close(o.stop)
			}
			flood = true
		} else if len(line)+len(part) <= record.MaxFrame {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if !flood {
			o.line(line)
		}
		line = line[:0]
		if err != nil {
			return
		}
	}
}

func (o *output) line(line []byte) {
	if o.coll.Line(line); len(line) == 0 {
		return
	}
	if _, _, err := record.ParseLine(line); errors.Is(err, record.ErrNoFrame) {
		if text := backend.Clean(string(line)); text != "" {
			o.tail = append(o.tail, text)
			o.tail = o.tail[max(0, len(o.tail)-tailLines):]
		}
	}
}

func (o *output) quiet() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Since(o.last)
}
