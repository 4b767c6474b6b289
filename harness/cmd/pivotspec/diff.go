package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pivotspec/harness/accel"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/harness/side"
	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/change/show"
	"pivotspec/results/progress"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

func diffCommand(o *options) *cobra.Command {
	var d differ
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changes for programs from one kernel to another, and who will notice",
		Long: `Say what changes for programs from one kernel to another, and who will notice.

OLD and NEW are each a kernel as run takes it, which is booted: a name of the catalogue, an image, a
package (several packages of one kernel with commas between them), a folder; a folder of records, or one file
of it; or baseline:KERNEL, a run that was recorded when this program was made. Two kernels are
compared with one another, and of folders with several each with its like.

Exit status: 0 nothing that worked stops working; 1 something does; 2 wrong usage; 3 something could
not be compared that may have stopped working. 1 wins over 3.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(fmt.Errorf("%s takes two kernels, OLD and NEW, and got %d; see `%s --help`", cmd.CommandPath(), len(args), cmd.CommandPath()))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			d.cache, d.stdout, d.stderr = o.cache, cmd.OutOrStdout(), cmd.ErrOrStderr()
			if formats := diffFormats(); !slices.Contains(formats, d.format) {
				return usage(fmt.Errorf("--format %s: there is no such format; there are %s", d.format, strings.Join(formats, ", ")))
			}
			if d.jobs < 0 {
				return usage(fmt.Errorf("--jobs %d: want a positive number, or 0 for one guest a processor", d.jobs))
			}
			return d.run(cmd.Context(), args[0], args[1])
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&d.wish.Archs, "arch", nil, "`ARCH`,... or ARCH/ABI,... of the kernels that are named without one, and of records")
	f.StringSliceVar(&d.wish.Scenarios, "scenario", nil, "`NAME`,... of ways to boot, or all (default: the plain initramfs, and all that there are records of)")
	f.IntVar(&d.jobs, "jobs", 0, "how many guests run at once (0: one a processor)")
	f.StringVar(&d.wish.Accel, "accel", accel.Auto, "`ACCELERATOR`: auto, kvm or tcg")
	f.StringVar(&d.out, "out", "", "`DIR` for the records, in its folders old and new (default: the last comparison's folder in the cache)")
	f.StringVar(&d.wish.Guest, "guest", "", "guest binary `FILE` to use instead of building one")
	f.StringVar(&d.format, "format", "term", "`FORMAT` of the report: "+strings.Join(diffFormats(), ", "))
	return cmd
}

// diffFormats lists what a comparison can be written as.
func diffFormats() []string { return append(show.Names(), report.Page) }

// differ is one comparison, as the command line asks for it.
type differ struct {
	wish           lab.Wish
	jobs           int
	cache, out     string
	format         string
	stdout, stderr io.Writer
}

func (d *differ) run(ctx context.Context, before, after string) error {
	base, err := knowledge.LoadToJudge()
	if err != nil {
		return failed(err)
	}
	l, err := lab.Open(d.cache, sourceTree())
	if err != nil {
		return failed(err)
	}
	var sides [2]*side.Side
	for i, ref := range []string{before, after} {
		if sides[i], err = side.Open(ctx, l, ref, d.wish); err != nil {
			return unopened(ref, err)
		}
		if m := sides[i].Missing; len(m) > 0 {
			fmt.Fprintf(d.stderr, "%s was not recorded as %s, and is compared without\n", ref, strings.Join(m, ", "))
		}
	}
	exit := 0
	if sides[0].Plan != nil || sides[1].Plan != nil {
		if exit, err = d.boot(ctx, l, sides); err != nil {
			return err
		}
	}
	for i, s := range sides {
		if left := s.Narrow(sides[1-i]); left > 0 {
			fmt.Fprintf(d.stderr, "of %s %d cells are left out: the other side has nothing like them\n", s.Ref, left)
		}
	}
	var judged [2]*verdict.Judgement
	for i, s := range sides {
		if judged[i], err = verdict.Judge(base, s.Cells, ""); err != nil {
			return failed(err)
		}
	}
	c := change.Compare(judged[0], judged[1])
	if len(c.Pairs) == 0 {
		complain(d.stderr, fmt.Errorf("nothing of %s can be compared with anything of %s: they have neither a kernel nor a way to boot in common; name one kernel on either side", before, after))
	}
	var opts report.Options
	if f, ok := d.stdout.(*os.File); ok {
		opts = report.TermOptions(f, os.Getenv)
	}
	if d.format == report.Page {
		opts.Against = judged[0]
		err = report.HTML(d.stdout, judged[1], opts)
	} else {
		err = show.Render(d.format, d.stdout, c, opts)
	}
	if err != nil {
		return unprinted(err)
	}
	return ended(worse(exit, c.Exit()))
}

// unopened says why a side cannot be compared. What names nothing is wrong usage; records that cannot be read
// are none.
func unopened(ref string, err error) error {
	err = fmt.Errorf("%s cannot be compared: %w", ref, err)
	if p := (*fs.PathError)(nil); errors.As(err, &p) || errors.As(err, new(*cell.SchemaError)) {
		return failed(err)
	}
	return usage(err)
}

// boot boots the sides that are kernels, together, and keeps their records.
func (d *differ) boot(ctx context.Context, l *lab.Lab, sides [2]*side.Side) (exit int, err error) {
	n := 0
	for _, s := range sides {
		if s.Plan != nil {
			n += s.Plan.Len()
		}
	}
	p := progress.New(file(d.stderr), n, os.Getenv)
	defer p.Close()
	var recs [2]*records
	var jobs [2][]matrix.Job
	for i, name := range []string{"old", "new"} {
		if sides[i].Plan == nil {
			continue
		}
		dir := d.out
		if dir != "" {
			dir = filepath.Join(dir, name)
		}
		if recs[i], err = openRecords(dir, filepath.Join(l.Dir, "last-diff", name), false); err != nil {
			return 0, failed(err)
		}
		defer recs[i].close()
		jobs[i] = sides[i].Plan.Identify(ctx)
	}
	side.Distinct(jobs[0], jobs[1])
	// What is to be said of both sides is said once.
	w := watch(p)
	note, noted := w.Note, map[string]bool{}
	w.Note = func(line string) {
		if !noted[line] {
			note(line)
		}
		noted[line] = true
	}
	of := map[string]*records{}
	for i, r := range recs {
		if r == nil {
			continue
		}
		intent := (&runner{wish: sides[i].Wish}).intent(sides[i].Plan, jobs[i])
		if err := r.plan(intent, nil); err != nil {
			return 0, failed(err)
		}
		jobs[i] = sides[i].Plan.Ready(ctx, w)
	}
	side.Distinct(jobs[0], jobs[1])
	for i := range jobs {
		for _, j := range jobs[i] {
			of[j.Name] = recs[i]
		}
	}
	m := &matrix.Runner{
		Jobs: d.jobs, Memory: matrix.FreeMemory(),
		Start: p.Start,
		Done: func(c *cell.Cell) {
			of[c.Name].keep(c)
			p.Done(c.Name, c.Status, c.Reason)
		},
	}
	if m.Jobs == 0 {
		m.Jobs = runtime.NumCPU()
	}
	all := slices.Concat(jobs[0], jobs[1])
	p.Expect(expected(all, nil), m.Jobs)
	cells := m.Run(ctx, all)
	for i, s := range sides {
		if s.Plan != nil {
			s.Cells, cells = cells[:len(jobs[i])], cells[len(jobs[i]):]
		}
	}
	for _, r := range recs {
		if r == nil {
			continue
		}
		for _, err := range r.lost {
			complain(d.stderr, err)
			exit = exitHarness
		}
	}
	if ctx.Err() != nil {
		complain(d.stderr, errors.New("interrupted; what is compared is what was observed until then"))
		exit = exitHarness
	}
	return exit, nil
}
