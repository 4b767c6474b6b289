// Package matrix runs many cells, several at a time, and turns what each brings home into a
// cell of results. No cell is lost: one that cannot be run, dies or is never reached is in the
// outcome with its reason. What runs a cell is behind the interface of package backend.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"pivotspec/harness/backend"
	"pivotspec/harness/vm"
	"pivotspec/kernels"
	"pivotspec/results/cell"
)

// Job is one cell to be run.
type Job struct {
	// Name tells the cell from every other of the run.
	Name string
	// Series and Arch describe the cell also where Kernel could not be had.
	Series, Arch string
	// ABI is Debian's name of that of the guest's programs, such as "i386".
	ABI string
	// Flavour is the kernel's if it is not the one that its series' name stands for.
	Flavour string
	// Scenario is the way to boot, "" the plain initramfs.
	Scenario string
	// Asked are the behaviours that the guest is asked for, as [cell.Cell] has them.
	Asked []string
	// Kernel is what the cell runs on.
	Kernel kernels.Kernel
	// Err, if not nil, is why the cell cannot be run; it is reported as unavailable.
	Err error
	// VM is how to boot it under QEMU, which is what runs a cell that has no Guest.
	VM vm.Config
	// Guest, if not nil, runs the cell.
	Guest backend.Guest
	// Program is the hash of the guest program, as [cell.Cell] has it; "" before it is built.
	Program string
}

// Runner runs jobs.
type Runner struct {
	// Jobs is how many guests may run at once, Memory how many MiB they and their QEMUs may
	// have together, 0 for no bound; a single guest may always run.
	Jobs, Memory int
	// Start is called when a cell's guest is about to start, Done once for every cell when
	// it has ended or cannot begin, one call at a time. Either may be nil.
	Start func(name string)
	Done  func(*cell.Cell)
}

// Run runs all jobs and returns their cells in the order of jobs, which it does not change.
// It returns early only if ctx ends: the guests are stopped, what they had reported is kept,
// and cells that were not reached say so.
func (r *Runner) Run(ctx context.Context, jobs []Job) []*cell.Cell {
	var calls sync.Mutex
	call := func(f func()) {
		calls.Lock()
		defer calls.Unlock()
		f()
	}
	cells := make([]*cell.Cell, len(jobs))
	skip := func(i int, err error) {
		cells[i] = jobs[i].Cell()
		cells[i].Status, cells[i].Reason = cell.Unavailable, line(err)
		if r.Done != nil {
			call(func() { r.Done(cells[i]) })
		}
	}
	// Before any guest starts: who waits for the others wants to know now what will be lacking.
	for i := range jobs {
		if jobs[i].Err != nil {
			skip(i, jobs[i].Err)
		}
	}
	gate := newGate(max(r.Jobs, 1), r.Memory)
	var wg sync.WaitGroup
	for i := range jobs {
		j := &jobs[i]
		if j.Err != nil {
			continue
		}
		// Taken here and not in the goroutine, so that cells start in order.
		if gate.enter(ctx, j.guest().Memory()) != nil {
			skip(i, backend.ErrNotBegun)
			continue
		}
		if r.Start != nil {
			call(func() { r.Start(j.Name) })
		}
		wg.Go(func() {
			cells[i] = one(ctx, j)
			gate.leave(j.guest().Memory())
			if r.Done != nil {
				call(func() { r.Done(cells[i]) })
			}
		})
	}
	wg.Wait()
	return cells
}

// guest returns what runs the job.
func (j *Job) guest() backend.Guest {
	if j.Guest != nil {
		return j.Guest
	}
	return &vm.Guest{Config: j.VM}
}

// Cell describes the job as a cell that has not run: without status and records.
func (j *Job) Cell() *cell.Cell {
	g := j.guest()
	return &cell.Cell{
		Name: j.Name, Series: j.Series, Arch: j.Arch, ABI: j.ABI, Flavour: j.Flavour, Scenario: j.Scenario, Asked: j.Asked,
		Backend: g.Backend(), Accel: g.Accel(), Guest: j.Program, Inputs: j.inputs(),
		Kernel: cell.Kernel{
			Version: j.Kernel.Version, Package: j.Kernel.Package,
			PackageVersion: j.Kernel.PackageVersion, SHA256: j.Kernel.SHA256,
		},
	}
}

// one runs one guest. Its error makes the cell broken, unless nothing was started. So
// does a panic of the harness itself: the other cells' work is worth more than its trace,
// of which the place is kept.
func one(ctx context.Context, j *Job) (c *cell.Cell) {
	c = j.Cell()
	defer func() {
		if v := recover(); v != nil {
			c.Status = cell.Broken
			c.Reason = line(fmt.Errorf("pivotspec itself failed: %v; report it with the console below", v))
			c.Console = string(debug.Stack())
		}
	}()
	rep, err := j.guest().Run(ctx)
	if rep != nil {
		c.Records = rep.Records
		c.WallMillis = rep.Wall.Milliseconds()
		c.Console = strings.Join(rep.Console, "\n")
	}
	switch {
	case err == nil && rep != nil:
		c.Status = cell.Complete
		return c
	case err == nil:
		err = errors.New("the guest ended without a report")
	case ctx.Err() != nil && (rep == nil || rep.Wall == 0):
		err = backend.ErrNotBegun
	}
	c.Status = cell.Broken
	if rep == nil || rep.Wall == 0 { // nothing was ever started
		c.Status = cell.Unavailable
	}
	c.Reason = line(err)
	return c
}

// line returns an error as one line. What the cell says of itself, the name of a kernel that
// is not to be had and what was booted how, is left out: so reasons that several cells share
// read the same, and can be told once.
func line(err error) string {
	text := err.Error()
	if u := (*kernels.Unavailable)(nil); errors.As(err, &u) {
		common := *u
		common.Name = ""
		text = common.Error()
	}
	if b := (interface{ Short() string })(nil); errors.As(err, &b) {
		text = b.Short()
	}
	return strings.Join(strings.Fields(text), " ")
}

// gate bounds how many guests run at once and how much memory they have.
type gate struct {
	mu           sync.Mutex
	free         *sync.Cond
	jobs, memory int
	bounded      bool
	running      int
}

func newGate(jobs, memory int) *gate {
	g := &gate{jobs: jobs, memory: memory, bounded: memory > 0}
	g.free = sync.NewCond(&g.mu)
	return g
}

func (g *gate) enter(ctx context.Context, need int) error {
	stop := context.AfterFunc(ctx, func() {
		// With the lock held, or the call may come between the look at ctx and the wait below.
		g.mu.Lock()
		defer g.mu.Unlock()
		g.free.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.running > 0 && (g.jobs == 0 || g.bounded && g.memory < need) && ctx.Err() == nil {
		g.free.Wait()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.jobs--
	g.memory -= need
	g.running++
	return nil
}

func (g *gate) leave(need int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.jobs++
	g.memory += need
	g.running--
	g.free.Broadcast()
}
