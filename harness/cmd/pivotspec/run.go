package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"pivotspec/harness/accel"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/results/cell"
	"pivotspec/results/progress"
)

func runCommand(o *options) *cobra.Command {
	var r runner
	cmd := &cobra.Command{
		Use:   "run [KERNEL ...]",
		Short: "Boot kernels, run the suite in each, print the matrix",
		Long: `Boot kernels, run the suite in each, print the matrix.

KERNEL is a name of the catalogue such as 6.12, 7.3/arm64 or 6.12/amd64/i386, programs of i386 on a
kernel of amd64 (see pivotspec kernels list), a kernel image, a Debian or RPM package, or a folder
with one kernel in it, such as a build tree; packages that one kernel is split into are given together
or in a folder. What a file is, is told by its content. host is the kernel that is running, without QEMU and without a change to the machine,
and gvisor is gVisor's. Without KERNEL, the
default matrix. The records of each cell are kept in the folder that --out names, beside
those of other cells that are there, or in the cache for pivotspec report.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.wish.Kernels = args
			r.cache, r.stdout, r.stderr = o.cache, cmd.OutOrStdout(), cmd.ErrOrStderr()
			if r.jobs < 0 {
				return usage(fmt.Errorf("--jobs %d: want a positive number, or 0 for one guest a processor", r.jobs))
			}
			req, err := r.exhaustive.request()
			if err != nil {
				return usage(err)
			}
			if r.exhaustive.on {
				return r.compare(cmd.Context(), req)
			}
			return r.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&r.wish.Archs, "arch", nil, "`ARCH`,... or ARCH/ABI,... of the kernels that are named without one, or all")
	f.StringSliceVar(&r.wish.Scenarios, "scenario", nil, "`NAME`,... of ways to boot, or all (default: the plain initramfs; see pivotspec scenarios)")
	f.IntVar(&r.jobs, "jobs", 0, "how many guests run at once (0: one a processor)")
	f.StringVar(&r.wish.Accel, "accel", accel.Auto, "`ACCELERATOR`: auto, kvm or tcg")
	f.StringVar(&r.out, "out", "", "`DIR` for the records (default: the last run's folder in the cache)")
	f.StringVar(&r.wish.Guest, "guest", "", "guest binary `FILE` to use instead of building one")
	r.view.flags(cmd)
	r.exhaustive.flags(cmd)
	return cmd
}

// lastRun is where a run without --out keeps its records.
func lastRun(cache string) string { return filepath.Join(cache, "last") }

// runner is one run, as the command line asks for it.
type runner struct {
	wish           lab.Wish
	jobs           int
	cache, out     string
	view           view
	exhaustive     exhaustive
	stdout, stderr io.Writer
}

func (r *runner) run(ctx context.Context) error {
	base, err := r.view.check()
	if err != nil {
		return err
	}
	l, err := lab.Open(r.cache, sourceTree())
	if err != nil {
		return failed(err)
	}
	plan, err := l.Resolve(r.wish)
	if err != nil {
		return usage(err)
	}
	recs, err := openRecords(r.out, lastRun(l.Dir))
	if err != nil {
		return failed(err)
	}
	defer recs.close()

	cells, err := r.boot(ctx, plan, recs, func(*matrix.Job) {})
	if err != nil {
		return failed(err)
	}
	exit, err := r.view.show(r.stdout, base, cells)
	if err != nil {
		return err
	}
	return r.finish(ctx, recs, exit, "recorded")
}

// finish tells what of the records was lost and whether the run was interrupted, and ends with
// the exit status that all calls for. done is what the run did with its cells, for the reader.
func (r *runner) finish(ctx context.Context, recs *records, exit int, done string) error {
	for _, err := range recs.lost {
		complain(r.stderr, err)
		exit = worse(exit, exitHarness)
	}
	if ctx.Err() != nil {
		complain(r.stderr, fmt.Errorf("interrupted; what was %s until then is in %s: see it with `pivotspec report %[2]s`", done, recs.dir))
		exit = worse(exit, exitHarness)
	}
	return ended(exit)
}

// boot makes the planned cells ready, runs them as adjusted and keeps their records.
func (r *runner) boot(ctx context.Context, plan *lab.Plan, recs *records, adjust func(*matrix.Job)) ([]*cell.Cell, error) {
	p := progress.New(file(r.stderr), plan.Len(), os.Getenv)
	defer p.Close()
	if err := recs.plan(plan.Identify(ctx)); err != nil {
		return nil, err
	}
	jobs := plan.Ready(ctx, watch(p))
	for i := range jobs {
		adjust(&jobs[i])
	}
	m := &matrix.Runner{
		Jobs: r.jobs, Memory: matrix.FreeMemory(),
		Start: p.Start,
		Done: func(c *cell.Cell) {
			recs.keep(c)
			p.Done(c.Name, c.Status, c.Reason)
		},
	}
	if m.Jobs == 0 {
		m.Jobs = runtime.NumCPU()
	}
	return m.Run(ctx, jobs), nil
}

// sourceTree returns a folder in the source tree from which guests can be built: that from
// which the program itself was built, if it is still there, else the working directory.
func sourceTree() string {
	_, file, _, ok := runtime.Caller(0)
	if dir := filepath.Dir(file); ok && filepath.IsAbs(dir) {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return ""
}
