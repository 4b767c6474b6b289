// Package matrix boots many cells, several at a time, and turns what each brings home into
// a cell of results. No cell is lost: one that cannot be booted, dies or is never reached is
// in the outcome with its reason.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"pivotspec/harness/vm"
	"pivotspec/kernels"
	"pivotspec/results/cell"
	"pivotspec/suites/record"
)

// Job is one cell to be booted.
type Job struct {
	// Name tells the cell from every other of the run.
	Name string
	// Series and Arch describe the cell also where Kernel could not be had.
	Series, Arch string
	// Kernel is what to boot.
	Kernel kernels.Kernel
	// Err, if not nil, is why the cell cannot be booted; it is reported as unavailable.
	Err error
	// VM is how to boot it; matrix sets the fields that take the records.
	VM vm.Config
	// Scenario is the way to boot, "" the plain initramfs.
	Scenario string
	// ABI is Debian's name of that of the guest's programs, such as "i386".
	ABI string
	// Flavour is the kernel's if it is not the one that its series' name stands for.
	Flavour string
}

// Runner runs jobs.
type Runner struct {
	// Jobs is how many guests may run at once, Memory how many MiB they and their QEMUs may
	// have together, 0 for no bound; a single guest may always run.
	Jobs, Memory int
	// Boot boots one guest; nil means [vm.Run].
	Boot func(context.Context, vm.Config) (*vm.Report, error)
	// Start is called when a cell's guest is about to start, Done once for every cell when
	// it has ended or cannot begin, one call at a time. Either may be nil.
	Start func(name string)
	Done  func(*cell.Cell)
}

// Run runs all jobs and returns their cells in the order of jobs, which it does not change.
// It returns early only if ctx ends: the guests are stopped, what they had reported is kept,
// and cells that were not reached say so.
func (r *Runner) Run(ctx context.Context, jobs []Job) []*cell.Cell {
	boot := r.Boot
	if boot == nil {
		boot = vm.Run
	}
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
		if gate.enter(ctx, memory(j)) != nil {
			skip(i, errNotReached)
			continue
		}
		if r.Start != nil {
			call(func() { r.Start(j.Name) })
		}
		wg.Go(func() {
			cells[i] = one(ctx, boot, j)
			gate.leave(memory(j))
			if r.Done != nil {
				call(func() { r.Done(cells[i]) })
			}
		})
	}
	wg.Wait()
	return cells
}

var errNotReached = errors.New("interrupted before it began")

// memory is what a job takes of the machine, in MiB: the guest's own and QEMU's beside it.
func memory(j *Job) int {
	need := j.VM.Memory
	if need <= 0 && j.VM.Arch != nil {
		need = j.VM.Arch.Memory
	}
	if j.VM.Accel != nil {
		need += j.VM.Accel.Overhead
	}
	return need
}

// Cell describes the job as a cell that has not run: without status and records.
func (j *Job) Cell() *cell.Cell {
	c := &cell.Cell{
		Name: j.Name, Series: j.Series, Arch: j.Arch, ABI: j.ABI, Flavour: j.Flavour, Scenario: j.Scenario, Backend: "qemu",
		Kernel: cell.Kernel{
			Version: j.Kernel.Version, Package: j.Kernel.Package,
			PackageVersion: j.Kernel.PackageVersion, SHA256: j.Kernel.SHA256,
		},
	}
	if j.VM.Accel != nil {
		c.Accel = j.VM.Accel.Name
	}
	return c
}

// one boots one guest. A boot error makes the cell broken, unless nothing was started. So
// does a panic of the harness itself: the other cells' work is worth more than its trace,
// of which the place is kept.
func one(ctx context.Context, boot func(context.Context, vm.Config) (*vm.Report, error), j *Job) (c *cell.Cell) {
	c = j.Cell()
	defer func() {
		if v := recover(); v != nil {
			c.Status = cell.Broken
			c.Reason = line(fmt.Errorf("pivotspec itself failed: %v; report it with the console below", v))
			c.Console = string(debug.Stack())
		}
	}()
	rep, err := boot(ctx, j.VM)
	if rep != nil {
		c.Records = withFindings(rep)
		c.WallMillis = rep.Wall.Milliseconds()
	}
	switch {
	case err == nil && rep != nil:
		c.Status = cell.Complete
		return c
	case err == nil:
		err = errors.New("the boot ended without a report")
	case ctx.Err() != nil && (rep == nil || rep.Wall == 0):
		err = errNotReached
	}
	c.Status = cell.Broken
	if rep == nil || rep.Wall == 0 { // QEMU was never started
		c.Status = cell.Unavailable
	}
	c.Reason = line(err)
	if rep != nil {
		c.Console = strings.Join(rep.Console, "\n")
	}
	return c
}

// withFindings adds what the console showed to be wrong to the guest's records, except what
// the guest told of itself.
func withFindings(rep *vm.Report) []*record.Record {
	told := map[string]bool{}
	for _, r := range rep.Records {
		if r.Type == record.TypeWarning {
			told[r.Why] = true
		}
	}
	out := slices.Clone(rep.Records)
	for _, f := range rep.Findings {
		if !told[f.Text] {
			out = append(out, &record.Record{Type: record.TypeWarning, Level: 4, Why: fmt.Sprintf("%s on the console: %s", f.Kind, f.Text)})
		}
	}
	return out
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
	if b := (*vm.BootError)(nil); errors.As(err, &b) {
		text = b.Text
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
