package matrix_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/kernels"
	"pivotspec/results/cell"
	"pivotspec/suites/record"
)

// boots is a fake of vm.Run: what it does is told by the name of the kernel's file.
type boots struct {
	running, most atomic.Int32
	memory, heavy atomic.Int32 // of the running guests, and the most there was, in MiB
	// begun gets the name of each guest that has begun, if it is not nil.
	begun chan string
	// hold keeps guests running until it is closed, if it is not nil.
	hold chan struct{}
}

func (b *boots) run(ctx context.Context, c vm.Config) (*vm.Report, error) {
	if err := ctx.Err(); err != nil {
		return &vm.Report{Reason: vm.ReasonInterrupted}, &vm.BootError{Reason: vm.ReasonInterrupted, Text: backend.NotBegun, Err: err}
	}
	b.enter(c)
	defer b.leave(c)
	if b.begun != nil {
		b.begun <- c.Kernel
	}
	if b.hold != nil {
		<-b.hold
	}
	if c.Kernel == "wait" {
		<-ctx.Done()
	}
	rep := &vm.Report{Wall: time.Second, Console: []string{"one", "two"}, Records: []*record.Record{{Type: record.TypePlan}}}
	switch {
	case c.Kernel == "wait":
		rep.Reason = vm.ReasonInterrupted
		return rep, &vm.BootError{Reason: rep.Reason, Kernel: c.Kernel, Accel: "tcg", Text: "interrupted", Err: ctx.Err()}
	case c.Kernel == "hang":
		rep.Reason = vm.ReasonHang
		return rep, &vm.BootError{Reason: rep.Reason, Kernel: c.Kernel, Accel: "tcg", Text: "nothing on the console\nfor long"}
	case c.Kernel == "no-qemu":
		return nil, &arch.NoQEMUError{Arch: "amd64", Binary: "qemu", Package: "qemu-package", Err: os.ErrNotExist}
	case c.Kernel == "no-start":
		return &vm.Report{Reason: vm.ReasonQEMU}, &vm.BootError{Reason: vm.ReasonQEMU, Text: "QEMU did not start"}
	case c.Kernel == "nothing":
		return nil, nil
	case c.Kernel == "panic":
		panic("the harness has a bug\nhere")
	}
	return rep, nil
}

// guest is a fake of vm.Guest.
type guest struct {
	vm.Guest
	boots *boots
}

func (g *guest) Run(ctx context.Context) (*backend.Report, error) {
	rep, err := g.boots.run(ctx, g.Config)
	if rep == nil {
		return nil, err
	}
	return &backend.Report{Records: rep.Records, Console: rep.Console, Wall: rep.Wall}, err
}

// with returns the jobs with the fake as what runs them.
func (b *boots) with(jobs ...matrix.Job) []matrix.Job {
	jobs = slices.Clone(jobs)
	for i := range jobs {
		jobs[i].Guest = &guest{vm.Guest{Config: jobs[i].VM}, b}
	}
	return jobs
}

func (b *boots) enter(c vm.Config) {
	raise(&b.most, b.running.Add(1))
	raise(&b.heavy, b.memory.Add(weight(c)))
}

func (b *boots) leave(c vm.Config) {
	b.running.Add(-1)
	b.memory.Add(-weight(c))
}

func weight(c vm.Config) int32 { return int32(c.Memory + c.Accel.Overhead) }

// raise makes top at least n.
func raise(top *atomic.Int32, n int32) {
	for {
		old := top.Load()
		if n <= old || top.CompareAndSwap(old, n) {
			return
		}
	}
}

// job makes a job of 100 MiB for its guest and 20 for QEMU beside it.
func job(name, kernel string) matrix.Job {
	return matrix.Job{
		Name: name, Series: "7.0", Arch: "amd64", ABI: "amd64",
		Kernel: kernels.Kernel{Version: "7.0.1", SHA256: "00ff"},
		VM:     vm.Config{Kernel: kernel, Memory: 100, Accel: &arch.Accel{Name: "tcg", Overhead: 20}},
	}
}

func many(n int, kernel string) []matrix.Job {
	var jobs []matrix.Job
	for i := range n {
		jobs = append(jobs, job(fmt.Sprintf("cell-%02d", i), kernel))
	}
	return jobs
}

// calls notes Start and Done, and that no two of them are at the same time.
type calls struct {
	t    *testing.T
	busy atomic.Bool
	mu   sync.Mutex
	list []string
}

func (c *calls) note(s string) {
	if c.busy.Swap(true) {
		c.t.Errorf("%s was called while another call was on", s)
	}
	time.Sleep(time.Millisecond) // an overlap would show
	c.mu.Lock()
	c.list = append(c.list, s)
	c.mu.Unlock()
	c.busy.Store(false)
}

func (c *calls) runner() *matrix.Runner {
	return &matrix.Runner{
		Start: func(name string) { c.note("start " + name) },
		Done:  func(x *cell.Cell) { c.note("done " + x.Name) },
	}
}

// once checks that Done was called just once for each job, and Start never after it.
func (c *calls) once(jobs []matrix.Job) {
	c.t.Helper()
	for _, j := range jobs {
		n := 0
		for _, s := range c.list {
			if s == "done "+j.Name {
				n++
			}
		}
		if n != 1 {
			c.t.Errorf("Done was called %d times for %s: %q", n, j.Name, c.list)
		}
		if slices.Index(c.list, "start "+j.Name) > slices.Index(c.list, "done "+j.Name) {
			c.t.Errorf("%s was done before it started: %q", j.Name, c.list)
		}
	}
}

func names(cells []*cell.Cell) (out []string) {
	for _, c := range cells {
		out = append(out, c.Name)
	}
	return out
}

func TestOrder(t *testing.T) {
	jobs := many(12, "ok")
	c := &calls{t: t}
	r := c.runner()
	r.Jobs = 4
	cells := r.Run(t.Context(), new(boots).with(jobs...))
	var want []string
	for i, j := range jobs {
		want = append(want, j.Name)
		if cells[i].Status != cell.Complete || cells[i].WallMillis != 1000 || len(cells[i].Records) != 1 {
			t.Errorf("%+v", cells[i])
		}
	}
	if got := names(cells); !slices.Equal(got, want) {
		t.Errorf("cells: got %q, want %q", got, want)
	}
	var started []string
	for _, s := range c.list {
		if name, ok := strings.CutPrefix(s, "start "); ok {
			started = append(started, name)
		}
	}
	if !slices.Equal(started, want) {
		t.Errorf("started: got %q, want %q", started, want)
	}
	c.once(jobs)
}

// TestBounds: as many guests run as may, and no more.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		name         string
		jobs, memory int
		want         int // guests at once
	}{
		{"one by one", 1, 0, 1},
		{"no number is one", 0, 0, 1},
		{"three", 3, 0, 3},
		{"memory with what QEMU takes beside the guest", 8, 300, 2},
		{"just enough memory", 8, 360, 3},
		{"too little memory for one runs one", 8, 50, 1},
		{"more than there are", 100, 0, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &boots{begun: make(chan string, 8), hold: make(chan struct{})}
			done := make(chan []*cell.Cell)
			go func() {
				done <- (&matrix.Runner{Jobs: c.jobs, Memory: c.memory}).Run(t.Context(), b.with(many(8, "ok")...))
			}()
			for range c.want {
				<-b.begun // would block for ever if fewer were let in
			}
			close(b.hold)
			for _, x := range <-done {
				if x.Status != cell.Complete {
					t.Errorf("%s is %s: %s", x.Name, x.Status, x.Reason)
				}
			}
			if got := int(b.most.Load()); got > c.want {
				t.Errorf("%d guests ran at once, want at most %d", got, c.want)
			}
			if got := int(b.heavy.Load()); c.memory > 0 && c.want > 1 && got > c.memory {
				t.Errorf("guests had %d MiB, want at most %d", got, c.memory)
			}
		})
	}
}

// TestOutcomes: no cell is lost, whatever becomes of it, and none passes that did not.
func TestOutcomes(t *testing.T) {
	unavailable := job("unavailable", "ok")
	unavailable.Err = &kernels.Unavailable{Name: "7.0", Reason: kernels.NoNetwork, Happened: "no route", Do: "plug it in"}
	lost := job("lines", "ok")
	lost.Err = errors.New("two\n  lines")
	jobs := []matrix.Job{
		job("ok", "ok"), unavailable, job("hang", "hang"), job("no-qemu", "no-qemu"), job("no-start", "no-start"),
		job("panic", "panic"), job("nothing", "nothing"), lost, job("last", "ok"),
	}
	before := slices.Clone(jobs)
	c := &calls{t: t}
	r := c.runner()
	r.Jobs = 2
	cells := r.Run(t.Context(), new(boots).with(jobs...))
	for i, want := range []struct {
		status cell.Status
		reason string
	}{
		{cell.Complete, ""},
		// without the kernel's name, so that cells with the same trouble say the same
		{cell.Unavailable, "kernel is not to be had: no route; plug it in"},
		{cell.Broken, "nothing on the console for long"},
		{cell.Unavailable, "install the package qemu-package"},
		{cell.Unavailable, "QEMU did not start"},
		{cell.Broken, "pivotspec itself failed: the harness has a bug here; report it"},
		{cell.Unavailable, "the guest ended without a report"},
		{cell.Unavailable, "two lines"},
		{cell.Complete, ""},
	} {
		got := cells[i]
		if got == nil || got.Name != jobs[i].Name {
			t.Fatalf("cell %d: %+v, want %s", i, got, jobs[i].Name)
		}
		if got.Status != want.status || !strings.Contains(got.Reason, want.reason) || (want.reason == "") != (got.Reason == "") {
			t.Errorf("%s: %s %q, want %s %q", got.Name, got.Status, got.Reason, want.status, want.reason)
		}
		if strings.Contains(got.Reason, "\n") {
			t.Errorf("%s: the reason is several lines: %q", got.Name, got.Reason)
		}
		if got.Series != "7.0" || got.Arch != "amd64" || got.Kernel.SHA256 != "00ff" || got.Accel != "tcg" || got.Backend != "qemu" {
			t.Errorf("%s: described as %+v", got.Name, got)
		}
	}
	if cells[2].Console != "one\ntwo" || len(cells[2].Records) != 1 {
		t.Errorf("a broken cell keeps its console and records: %+v", cells[2])
	}
	if !strings.Contains(cells[5].Console, "goroutine") {
		t.Errorf("a panic keeps its place: %q", cells[5].Console)
	}
	c.once(jobs)
	// What will be lacking is told before anything starts.
	if want := []string{"done unavailable", "done lines", "start ok"}; !slices.Equal(c.list[:3], want) {
		t.Errorf("calls: got %q, want them to begin with %q", c.list, want)
	}
	for i := range jobs {
		if !errors.Is(jobs[i].Err, before[i].Err) {
			t.Errorf("the job %s was changed: %v", jobs[i].Name, jobs[i].Err)
		}
	}
}

func TestCancelledBefore(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	jobs := many(5, "ok")
	c := &calls{t: t}
	for _, x := range c.runner().Run(ctx, new(boots).with(jobs...)) {
		if x.Status != cell.Unavailable || x.Reason != backend.NotBegun {
			t.Errorf("%s is %s: %s", x.Name, x.Status, x.Reason)
		}
	}
	c.once(jobs)
}

// TestCancelledWhile: what was done stays, what runs is broken, the rest was never there.
func TestCancelledWhile(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	jobs := append([]matrix.Job{job("first", "ok")}, many(5, "wait")...)
	b := &boots{begun: make(chan string)}
	go func() {
		// With two at once the third begins when the first is done.
		for range 3 {
			<-b.begun
		}
		stop()
	}()
	c := &calls{t: t}
	r := c.runner()
	r.Jobs = 2
	var got []string
	for _, x := range r.Run(ctx, b.with(jobs...)) {
		got = append(got, string(x.Status)+" "+x.Reason)
	}
	want := []string{"complete ", "broken interrupted", "broken interrupted"}
	for range 3 {
		want = append(want, "unavailable "+backend.NotBegun)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	c.once(jobs)
}

func TestFreeMemory(t *testing.T) {
	if _, err := os.Stat("/proc/meminfo"); err != nil {
		t.Skip("this machine does not say how much memory it has")
	}
	if got := matrix.FreeMemory(); got < 1 {
		t.Errorf("got %d MiB", got)
	}
}
