package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/results/worlds"
	"pivotspec/suites/enumerate"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/model"
)

// exhaustive is what the command line says of a run that compares worlds with the model.
type exhaustive struct {
	on      bool
	world   string
	size    int
	random  int
	seed    uint64
	changed func(flag string) bool
}

func (e *exhaustive) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&e.on, "exhaustive", false, "compare the kernels with the model of the call, in every small world, instead of running the suite")
	f.StringVar(&e.world, "world", "", "with --exhaustive: compare only the world with this `TEXT`")
	f.IntVar(&e.size, "size", enumerate.Default().Size, "with --exhaustive: list all worlds with up to `N` oddities")
	f.IntVar(&e.random, "worlds", 0, "with --exhaustive: compare `N` random worlds, beyond those that are listed")
	f.Uint64Var(&e.seed, "seed", 1, "with --exhaustive: the random worlds' `SEED`")
	e.changed = f.Changed
}

// request returns what the flags ask for, and refuses those that make no sense together.
func (e *exhaustive) request() (enumerate.Request, error) {
	if !e.on {
		for _, f := range []string{"world", "size", "worlds", "seed"} {
			if e.changed(f) {
				return enumerate.Request{}, fmt.Errorf("--%s is about the worlds of --exhaustive: give that too", f)
			}
		}
		return enumerate.Request{}, nil
	}
	for _, f := range []string{"output", "known-issues", "baseline"} {
		if e.changed(f) {
			return enumerate.Request{}, fmt.Errorf("--%s is about runs of the suite, and --exhaustive is none: leave it out", f)
		}
	}
	for _, f := range []string{"format", "edition"} {
		if e.changed(f) {
			return enumerate.Request{}, fmt.Errorf("--%s is about the manual page, which --exhaustive does not look at: leave it out", f)
		}
	}
	if e.changed("scenario") {
		return enumerate.Request{}, errors.New("--scenario is about ways to boot that have specs of their own, and --exhaustive runs none: leave it out")
	}
	if e.changed("behaviour") {
		return enumerate.Request{}, errors.New("--behaviour is about what the specs observe, and --exhaustive runs none: leave it out")
	}
	for _, f := range []string{"evidence", "shard", "resume", "watch"} {
		if e.changed(f) {
			return enumerate.Request{}, fmt.Errorf("--%s is about runs of the suite, and --exhaustive runs none: leave it out", f)
		}
	}
	if e.changed("world") {
		for _, f := range []string{"size", "worlds", "seed"} {
			if e.changed(f) {
				return enumerate.Request{}, fmt.Errorf("--world is one world, and --%s asks for others: leave one out", f)
			}
		}
		w, err := model.Parse(e.world)
		if err != nil {
			return enumerate.Request{}, fmt.Errorf("--world: %w; a world is written like 'root=0:/ cwd=0:/ new=/ old=/'", err)
		}
		return enumerate.Request{World: w.String()}, nil
	}
	req := enumerate.Request{Bounds: enumerate.Default(), Random: e.random, Seed: e.seed}
	if req.Bounds.Size = e.size; e.changed("size") {
		req.Bounds.Sample = 0
	}
	if err := req.Check(); err != nil {
		return enumerate.Request{}, fmt.Errorf("--size %d, --worlds %d: %w", e.size, e.random, err)
	}
	if e.changed("seed") && e.random == 0 {
		return enumerate.Request{}, errors.New("--seed is for random worlds, of which there are none: give --worlds too, or leave it out")
	}
	return req, nil
}

// Time that the worlds of a guest may take together, for each: hundreds of times what they need,
// so that a busy machine does not end a run that gets on.
const perWorld = 50 * time.Millisecond

// compare runs a request in the kernels of the wish and prints what came of it.
func (r *runner) compare(ctx context.Context, req enumerate.Request) error {
	base, err := knowledge.Load()
	if err != nil {
		return failed(err)
	}
	word, err := req.Encode()
	if err != nil {
		return failed(err)
	}
	l, err := lab.Open(r.cache, sourceTree())
	if err != nil {
		return failed(err)
	}
	plan, err := l.Resolve(r.wish)
	if err != nil {
		return usage(err)
	}
	if b := plan.Backends(); len(b) > 0 {
		return usage(fmt.Errorf("--exhaustive compares kernels that are booted for it, and %s is none: leave it out", strings.Join(b, " and ")))
	}
	recs, err := openRecords(r.out, filepath.Join(l.Dir, "last-exhaustive"), false)
	if err != nil {
		return failed(err)
	}
	defer recs.close()
	n := req.Count()
	cells, err := r.boot(ctx, plan, recs, nil, func(j *matrix.Job) {
		j.VM.Cmdline = append(j.VM.Cmdline, enumerate.Variable+"="+word)
		if j.VM.Arch != nil && j.VM.Accel != nil {
			j.VM.Limits.Total = j.VM.Arch.Limits.Scale(j.VM.Accel.Scale).Total + time.Duration(n)*perWorld
		}
	})
	if err != nil {
		return err
	}
	exit, err := showWorlds(r.stdout, r.wish.Kernels, worlds.Judge(req, cells, base.Warnings))
	if err != nil {
		return err
	}
	return r.finish(ctx, recs, exit, "compared")
}

// maxProblems bounds the problems that are printed of a cell; the records have all.
const maxProblems = 10

// showWorlds prints what came of every cell, and returns the exit status that is due.
func showWorlds(out io.Writer, kernels []string, results []*worlds.Result) (int, error) {
	exit := 0
	w := new(bytes.Buffer)
	for _, r := range results {
		name := r.Cell.Name
		fmt.Fprintf(w, "%-16s %d of %d worlds compared, %d agree, %d disagree", name, r.Agreed+r.Disagreed, r.Planned, r.Agreed, r.Disagreed)
		if r.PerSecond > 0 {
			fmt.Fprintf(w, ", %.0f a second", r.PerSecond)
		}
		if r.Era != nil {
			fmt.Fprintf(w, " (era since %d.%d: %s)", r.Era.Since[0], r.Era.Since[1], r.Era.Name)
		}
		fmt.Fprintln(w)
		for i, p := range r.Problems {
			if i == maxProblems {
				fmt.Fprintf(w, "  ! and %d more\n", len(r.Problems)-i)
				break
			}
			fmt.Fprintf(w, "  ! %s\n", strings.Join(strings.Fields(p), " "))
		}
		for _, p := range r.Warnings {
			fmt.Fprintf(w, "  ✗ the kernel warns: %s\n", p)
		}
		for _, d := range r.Disagreements {
			fmt.Fprintf(w, "  ✗ %s\n    the model says   %s\n    the kernel does  %s\n", d.ID, d.Facts["model"], d.Facts["kernel"])
			for _, s := range d.Steps {
				fmt.Fprintf(w, "      %s\n", s)
			}
			fmt.Fprintf(w, "    again: pivotspec run %s --exhaustive --world '%s'\n", again(kernels, r.Cell), d.ID)
		}
		if r.Disagreed > 0 || len(r.Disagreements) > 0 || len(r.Warnings) > 0 {
			exit = worse(exit, verdict.ExitUnexpected)
		}
		if len(r.Problems) > 0 {
			exit = worse(exit, exitHarness)
		}
	}
	if _, err := out.Write(w.Bytes()); err != nil {
		return 0, unprinted(err)
	}
	return exit, nil
}

// again names a cell's kernel as the command line takes it.
func again(kernels []string, c *cell.Cell) string {
	if len(kernels) == 1 {
		return kernels[0]
	}
	return c.Series + "/" + c.Arch
}
