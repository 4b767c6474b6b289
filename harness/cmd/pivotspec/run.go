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
	"pivotspec/harness/shard"
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
those of other cells that are there, or in the cache for pivotspec report.

--behaviour asks for some behaviours only, such as rootfs/pivot, or eperm/ for all of that area, which takes a boot and
little more; without --scenario each is run in a way to boot that it belongs to. Of the others nothing is known then: the
records and every report say that the cell is a part, and it makes no baseline.

--shard I/N runs the part I of N of the cells, for as many machines as there are to share them;
pivotspec merge makes one run of what they recorded. --shard auto takes I and N from the environment:
PIVOTSPEC_SHARD=I/N, JOB_COMPLETION_INDEX (Kubernetes) with PIVOTSPEC_SHARDS=N, CI_NODE_INDEX and
CI_NODE_TOTAL (GitLab), and the like of CircleCI and Buildkite.

--resume goes on with the run whose records are in the folder: cells that are complete, of the same
kernel and the same guest, are kept, and all others run. Without KERNEL it runs what that run did.

--watch runs one kernel, given as a file or folder, and whenever its image has changed, as in a build
tree, runs it again and prints what is otherwise than the time before, until it is interrupted.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.wish.Kernels = args
			r.cache, r.stdout, r.stderr = o.cache, cmd.OutOrStdout(), cmd.ErrOrStderr()
			if r.jobs < 0 {
				return usage(fmt.Errorf("--jobs %d: want a positive number, or 0 for one guest a processor", r.jobs))
			}
			req, err := r.exhaustive.request()
			if err == nil && cmd.Flags().Changed("shard") {
				r.shard, err = shard.Parse(r.shardText, os.Getenv)
			}
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
	f.StringSliceVar(&r.wish.Behaviours, "behaviour", nil, "`ID`,... of the behaviours to ask for, or AREA/ for all of an area (default: all; may be given again)")
	f.IntVar(&r.jobs, "jobs", 0, "how many guests run at once (0: one a processor)")
	f.StringVar(&r.wish.Accel, "accel", accel.Auto, "`ACCELERATOR`: auto, kvm or tcg")
	f.StringVar(&r.out, "out", "", "`DIR` for the records (default: the last run's folder in the cache)")
	f.StringVar(&r.wish.Guest, "guest", "", "guest binary `FILE` to use instead of building one")
	f.BoolVar(&r.wish.Evidence, "evidence", false, "also record the mount tables before and after each call, for --format html; a tenth slower")
	f.StringVar(&r.shardText, "shard", "", "`I/N`: run only the part I of N of the cells, or auto: what the environment says")
	f.BoolVar(&r.resume, "resume", false, "go on with the run in the folder: keep its cells that are complete and unchanged")
	f.BoolVar(&r.watch, "watch", false, "run the one kernel, a file or folder, again whenever it was built anew")
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
	shardText      string
	shard          shard.Shard // the zero value is no shard
	resume, watch  bool
	view           view
	exhaustive     exhaustive
	stdout, stderr io.Writer
}

func (r *runner) run(ctx context.Context) error {
	base, err := r.view.check()
	if err != nil {
		return err
	}
	if err := r.view.baseline.read(); err != nil {
		return err
	}
	r.view.baseline.planned = true
	l, err := lab.Open(r.cache, sourceTree())
	if err != nil {
		return failed(err)
	}
	// What is asked for is looked at before a folder is made, unless the folder says what that is.
	if _, err := l.Resolve(r.wish); err != nil {
		return usage(err)
	}
	if r.watch {
		if err := r.watchable(l); err != nil {
			return usage(err)
		}
		return r.follow(ctx, l, base)
	}
	recs, err := openRecords(r.out, lastRun(l.Dir), r.resume)
	if err != nil {
		return failed(err)
	}
	defer recs.close()
	former, err := r.former(recs.dir)
	if err != nil {
		return err
	}
	plan, err := l.Resolve(r.wish)
	if err != nil {
		return usage(err)
	}
	cells, err := r.boot(ctx, plan, recs, former, func(*matrix.Job) {})
	if err != nil {
		return err
	}
	out := r.stdout
	empty := len(cells) == 0 && r.shard.Of > 0 // there are more shards than cells, and that was said
	if empty && r.view.format == "term" {
		out = io.Discard
	}
	exit, err := r.view.show(out, base, cells)
	if err != nil {
		return err
	}
	if empty {
		exit = 0
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

// boot makes the planned cells ready, runs them as adjusted and keeps their records. Of former, which
// may be nil, it keeps the cells that would be the same.
func (r *runner) boot(ctx context.Context, plan *lab.Plan, recs *records, former *cell.Plan, adjust func(*matrix.Job)) ([]*cell.Cell, error) {
	p := progress.New(file(r.stderr), plan.Len(), os.Getenv)
	defer p.Close()
	jobs := plan.Identify(ctx)
	intent := r.intent(plan, jobs)
	if s := intent.Shard; s != nil {
		jobs = plan.Keep(r.shard.Deal(s.Whole))
	}
	kept := map[string]*cell.Cell{}
	if former == nil {
		if err := recs.plan(intent, nil); err != nil {
			return nil, failed(err)
		}
	} else if err := continues(former, intent); err != nil {
		return nil, usage(fmt.Errorf("--resume: the run in %s %w; give the same as then, or leave --resume out", recs.dir, err))
	}
	if s := intent.Shard; s != nil {
		p.Note(fmt.Sprintf("shard %v: %d of %s", s, len(jobs), count(s.Whole)))
	}
	jobs = plan.Ready(ctx, watch(p))
	for i := range jobs {
		adjust(&jobs[i])
	}
	if former != nil {
		if ctx.Err() != nil {
			return nil, failed(fmt.Errorf("interrupted before anything ran again; the records in %s are as they were", recs.dir))
		}
		var again []string
		kept, again = unchanged(recs.dir, jobs)
		if err := recs.plan(intent, names(kept)); err != nil {
			return nil, failed(err)
		}
		p.Note(resumed(len(jobs), len(kept), again))
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
	var left []matrix.Job
	for _, j := range jobs {
		if kept[j.Name] == nil {
			left = append(left, j)
		}
	}
	p.Expect(expected(left, recs.before), m.Jobs)
	ran := m.Run(ctx, left)
	cells := make([]*cell.Cell, 0, len(jobs))
	for _, j := range jobs {
		if c := kept[j.Name]; c != nil {
			cells = append(cells, c)
			continue
		}
		cells, ran = append(cells, ran[0]), ran[1:]
	}
	return cells, nil
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
