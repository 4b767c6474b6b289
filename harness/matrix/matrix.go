// Package matrix boots many cells, several at a time, and turns what each brings home into
// a cell of results. No cell is lost: one that cannot be booted, dies or is never reached is
// in the outcome with its reason.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"pivotspec/harness/arch"
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
	// ABI is the GOARCH of the guest binary.
	ABI string
}

// Runner runs jobs.
type Runner struct {
	// Jobs is how many guests may run at once, Memory how many MiB they may have together;
	// a single guest may always run.
	Jobs, Memory int
	// Boot boots one guest; nil means [vm.Run].
	Boot func(context.Context, vm.Config) (*vm.Report, error)
	// Start is called when a cell's guest is about to start, Done when a cell has ended,
	// one call at a time. Either may be nil.
	Start func(name string)
	Done  func(*cell.Cell)
}

// Run runs all jobs and returns their cells in the order of jobs. It returns early only if
// ctx ends: the guests are stopped, what they had reported is kept, and cells that were not
// reached say so.
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
	gate := newGate(max(r.Jobs, 1), r.Memory)
	cells := make([]*cell.Cell, len(jobs))
	var wg sync.WaitGroup
	for i := range jobs {
		j := &jobs[i]
		if j.Err == nil {
			// Taken here and not in the goroutine, so that cells start in order.
			if err := gate.enter(ctx, memory(j)); err != nil {
				j.Err = fmt.Errorf("not reached: %w", err)
			}
		}
		wg.Go(func() {
			if j.Err == nil {
				if r.Start != nil {
					call(func() { r.Start(j.Name) })
				}
				cells[i] = one(ctx, boot, j)
				gate.leave(memory(j))
			} else {
				cells[i] = describe(j)
				cells[i].Status, cells[i].Reason = cell.Unavailable, line(j.Err)
			}
			if r.Done != nil {
				call(func() { r.Done(cells[i]) })
			}
		})
	}
	wg.Wait()
	return cells
}

func memory(j *Job) int {
	if j.VM.Memory > 0 || j.VM.Arch == nil {
		return j.VM.Memory
	}
	return j.VM.Arch.Memory
}

func describe(j *Job) *cell.Cell {
	c := &cell.Cell{
		Name: j.Name, Series: j.Series, Arch: j.Arch, ABI: j.ABI, Backend: "qemu",
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

// one boots one guest. A boot error makes the cell broken, unless nothing was started.
func one(ctx context.Context, boot func(context.Context, vm.Config) (*vm.Report, error), j *Job) *cell.Cell {
	c := describe(j)
	rep, err := boot(ctx, j.VM)
	if rep != nil {
		c.Records = withFindings(rep)
		c.WallMillis = rep.Wall.Milliseconds()
	}
	var missing *arch.NoQEMUError
	switch {
	case err == nil:
		c.Status = cell.Complete
		return c
	case errors.As(err, &missing), rep == nil:
		c.Status = cell.Unavailable
	default:
		c.Status = cell.Broken
	}
	c.Reason = line(err)
	if rep != nil {
		c.Console = strings.Join(rep.Console, "\n")
	}
	return c
}

// withFindings adds what the console showed to be wrong to the guest's records, except what
// the guest told of itself. Nothing is added to a report without an end: the cell is broken.
func withFindings(rep *vm.Report) []*record.Record {
	told := map[string]bool{}
	for _, r := range rep.Records {
		if r.Type == record.TypeWarning {
			told[r.Why] = true
		}
	}
	out := rep.Records
	for _, f := range rep.Findings {
		if !told[f.Text] {
			out = append(out, &record.Record{Type: record.TypeWarning, Level: 4, Why: fmt.Sprintf("%s on the console: %s", f.Kind, f.Text)})
		}
	}
	return out
}

// line returns an error as one line.
func line(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

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
	stop := context.AfterFunc(ctx, g.free.Broadcast)
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
