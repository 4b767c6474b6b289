package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"pivotspec/harness/follow"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/change/show"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// watchable refuses what --watch makes no sense with.
func (r *runner) watchable(l *lab.Lab) error {
	switch {
	case len(r.wish.Kernels) != 1:
		return fmt.Errorf("--watch follows one kernel, and %d are named: give the one file or folder that is built anew", len(r.wish.Kernels))
	case !l.Catalogue.IsPath(r.wish.Kernels[0]):
		return fmt.Errorf("--watch: %s is a kernel by its name, which does not change: give a kernel image, a package or a build tree", r.wish.Kernels[0])
	case r.shard.Of > 0:
		return errors.New("--watch follows one kernel, and --shard shares many: leave one out")
	case r.resume:
		return errors.New("--watch runs what has changed, and --resume keeps what has not: leave one out")
	case r.view.format != "term":
		return fmt.Errorf("--watch prints what changes as it goes, and --format %s is one document: leave it out, or have it written to a file by --output %[1]s=FILE", r.view.format)
	}
	return nil
}

// follow runs the one kernel of the wish, and again whenever it was built anew, until ctx ends. It ends with the
// exit status of the last run.
func (r *runner) follow(ctx context.Context, l *lab.Lab, base *knowledge.Base) error {
	path := r.wish.Kernels[0]
	if _, err := os.Stat(path); err != nil {
		if p := (*os.PathError)(nil); errors.As(err, &p) {
			err = p.Err
		}
		return usage(fmt.Errorf("--watch: %s cannot be followed: %w; give a kernel image, a package or a build tree", path, err))
	}
	note := func(line string) { fmt.Fprintln(r.stderr, line) }
	f := &follow.Follower{
		Path: path, Identify: l.Store.FromPath, Every: follow.Every, Quiet: follow.Quiet,
		Note: func(line string) { note(line + "; waiting for it to change") },
	}
	var last error
	var before []*cell.Cell
	for {
		k, err := f.Next(ctx)
		switch {
		case ctx.Err() != nil && last == nil && before == nil:
			return failed(fmt.Errorf("interrupted before there was a kernel in %s", path))
		case ctx.Err() != nil:
			return last // that is how it ends
		case err != nil:
			return usage(fmt.Errorf("--watch: %w", err))
		}
		if before != nil {
			note(fmt.Sprintf("%s has changed: %s, %.12s", path, k.Version, k.SHA256))
		}
		cells, err := r.again(ctx, l, base, before)
		if ctx.Err() != nil || cells == nil {
			return err
		}
		if f.Changed() {
			// Whether the old or the new one ran, or the first half of the new one, nobody can tell.
			note(path + " changed while it ran: that run does not count")
			f.Again()
			continue
		}
		before, last = cells, err
		note("waiting for " + path + " to change; ^C ends")
	}
}

// again runs the wish once. It prints the report, or if there are the cells of a run before, what is otherwise
// than in them. Its cells are nil if nothing was run, and its error is what the program would end with.
func (r *runner) again(ctx context.Context, l *lab.Lab, base *knowledge.Base, before []*cell.Cell) ([]*cell.Cell, error) {
	recs, err := openRecords(r.out, lastRun(l.Dir), false)
	if err != nil {
		return nil, failed(err)
	}
	defer recs.close()
	plan, err := l.Resolve(r.wish)
	if err != nil {
		return nil, usage(err)
	}
	cells, err := r.boot(ctx, plan, recs, nil, func(*matrix.Job) {})
	if err != nil {
		return nil, err
	}
	out := r.stdout
	if before != nil {
		out = io.Discard
	}
	exit, err := r.view.show(out, base, cells)
	if err == nil && before != nil {
		err = r.compared(base, before, cells)
	}
	if err != nil {
		return nil, err
	}
	return cells, r.finish(ctx, recs, exit, "recorded")
}

// compared prints what is otherwise in cells than in those before.
func (r *runner) compared(base *knowledge.Base, before, cells []*cell.Cell) error {
	was, err := verdict.Judge(base, before, r.view.edition)
	if err != nil {
		return failed(err)
	}
	is, err := verdict.Judge(base, cells, r.view.edition)
	if err != nil {
		return failed(err)
	}
	var opts report.Options
	if f, ok := r.stdout.(*os.File); ok {
		opts = report.TermOptions(f, os.Getenv)
	}
	if err := show.Render("term", r.stdout, change.Compare(was, is), opts); err != nil {
		return unprinted(err)
	}
	return nil
}
