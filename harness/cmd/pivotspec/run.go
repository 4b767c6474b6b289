package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"pivotspec/harness/accel"
	"pivotspec/harness/arch"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/kernels"
	"pivotspec/results/cell"
	"pivotspec/results/progress"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// memoryShare is the part of the free memory that guests may have together.
const memoryShare = 0.5

func runCommand(o *options) *cobra.Command {
	var wish lab.Wish
	var jobs int
	var out, format, edition string
	cmd := &cobra.Command{
		Use:   "run [KERNEL ...]",
		Short: "Boot kernels, run the suite in each, print the matrix",
		Long: `Boot kernels, run the suite in each, print the matrix.

KERNEL is a name of the catalogue such as 6.12 or 6.12/amd64 (see pivotspec kernels list),
a kernel image, a Debian package, or a folder with one kernel in it. Without KERNEL, the
default matrix. The records of each cell are kept in the folder that --out names, or in the
cache for pivotspec report.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			wish.Kernels = args
			if jobs < 0 {
				return usage(fmt.Errorf("--jobs %d: want a positive number, or 0 for one guest a processor", jobs))
			}
			if err := knownFormat(format); err != nil {
				return err
			}
			return runKernels(cmd.Context(), o, wish, jobs, out, format, edition, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&wish.Archs, "arch", nil, "`ARCH`,... of the kernels that are named without one")
	f.IntVar(&jobs, "jobs", 0, "how many guests run at once (0: one a processor)")
	f.StringVar(&wish.Accel, "accel", accel.Auto, "accelerator: auto, kvm or tcg")
	f.StringVar(&out, "out", "", "`DIR` for the records (default: the last run's folder in the cache)")
	f.StringVar(&wish.Guest, "guest", "", "guest binary `FILE` to use instead of building one")
	reportFlags(cmd, &format, &edition)
	return cmd
}

func reportFlags(cmd *cobra.Command, format, edition *string) {
	cmd.Flags().StringVar(format, "format", "term", "`FORMAT` of the report: "+strings.Join(report.Names(), ", "))
	cmd.Flags().StringVar(edition, "edition", "", "`EDITION` of the manual page to judge (default: the newest)")
}

func knownFormat(format string) error {
	for _, n := range report.Names() {
		if n == format {
			return nil
		}
	}
	return usage(fmt.Errorf("--format %s: there is no such format; there are %s", format, strings.Join(report.Names(), ", ")))
}

// lastRun is where a run without --out keeps its records.
func lastRun(cache string) string { return filepath.Join(cache, "last") }

func runKernels(ctx context.Context, o *options, wish lab.Wish, parallel int, out, format, edition string, stdout, stderr io.Writer) error {
	base, err := knowledge.Load()
	if err != nil {
		return failed(err)
	}
	if _, ok := base.Edition(edition); edition != "" && !ok {
		return usage(unknownEdition(base, edition))
	}
	l, err := lab.Open(o.cache, sourceTree())
	if err != nil {
		return failed(err)
	}
	if _, _, err := l.Resolve(wish); err != nil {
		return usage(err)
	}
	own := out == ""
	if own {
		out = lastRun(l.Dir)
		if err := os.RemoveAll(out); err != nil {
			return failed(fmt.Errorf("the last run's records %s cannot be removed: %w; remove them or give another folder with --out", out, err))
		}
	}
	if err := cell.Prepare(out); err != nil {
		return failed(err)
	}

	entries, paths, _ := l.Resolve(wish)
	p := progress.New(stderrFile(stderr), len(entries)+len(paths), os.Getenv)
	defer p.Close()
	jobs, err := l.Jobs(ctx, wish, fetchProgress(p), p.Note)
	var unknown *arch.UnknownError
	switch {
	case errors.As(err, &unknown):
		return usage(err)
	case err != nil:
		return failed(err)
	}
	if parallel == 0 {
		parallel = runtime.NumCPU()
	}
	var unwritten []error
	r := &matrix.Runner{
		Jobs: parallel, Memory: freeMemory(),
		Start: p.Start,
		Done: func(c *cell.Cell) {
			if _, err := cell.Write(out, c); err != nil {
				unwritten = append(unwritten, err)
			}
			p.Done(c.Name, c.Status, c.Reason)
		},
	}
	cells := r.Run(ctx, jobs)
	p.Close()
	exit, err := judge(base, cells, edition, format, stdout)
	if err != nil {
		return err
	}
	for _, err := range unwritten {
		fmt.Fprintln(stderr, "pivotspec:", err)
	}
	if len(unwritten) > 0 && exit == 0 {
		exit = exitHarness
	}
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "pivotspec: interrupted; what had been recorded is in %s\n", out)
		if exit == 0 {
			exit = exitHarness
		}
	}
	if exit != 0 {
		return &exitError{status: exit}
	}
	return nil
}

// judge prints the report and returns the exit status that it calls for.
func judge(base *knowledge.Base, cells []*cell.Cell, edition, format string, stdout io.Writer) (int, error) {
	j, err := verdict.Judge(base, cells, edition)
	if err != nil {
		return 0, usage(err)
	}
	var opts report.Options
	if f, ok := stdout.(*os.File); ok {
		opts = report.TermOptions(f, os.Getenv)
	}
	if err := report.Render(format, stdout, j, opts); err != nil {
		return 0, failed(fmt.Errorf("the report could not be written: %w", err))
	}
	return j.Exit(), nil
}

func unknownEdition(base *knowledge.Base, edition string) error {
	var ids []string
	for _, e := range base.Editions {
		ids = append(ids, e.ID)
	}
	return fmt.Errorf("--edition %s: there is no such edition; there are %s", edition, strings.Join(ids, ", "))
}

func stderrFile(w io.Writer) *os.File {
	if f, ok := w.(*os.File); ok {
		return f
	}
	return os.Stderr
}

// fetchProgress shows what is done only once per kind of work for all kernels; the rest would be noise.
func fetchProgress(p *progress.Progress) func(kernels.Event) {
	told := map[kernels.Stage]bool{}
	return func(e kernels.Event) {
		if told[e.Stage] {
			return
		}
		told[e.Stage] = true
		switch e.Stage {
		case kernels.StageWait:
			p.Note("waiting for another pivotspec that is filling the cache")
		case kernels.StageUpdate:
			p.Note("reading the archive's package lists")
		case kernels.StageDownload:
			if e.Bytes > 0 {
				p.Note(fmt.Sprintf("downloading kernels: %d MB", (e.Bytes+999_999)/1_000_000))
			} else {
				p.Note("downloading kernels")
			}
		}
	}
}

// freeMemory returns how many MiB guests may use together, 0 for no bound where the machine
// does not say.
func freeMemory() int {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 {
			return int(float64(kib/1024) * memoryShare)
		}
	}
	return 0
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
