package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pivotspec/harness/accel"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/kernels"
	"pivotspec/results/bisect"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// Exit statuses of the command that git bisect run(1) asks. From 128 on it stops: what is wrong with
// the way it was called, or with this machine, must not be taken for a verdict on a commit.
const (
	exitGood        = 0
	exitBad         = 1
	exitUntold      = 125
	exitBisectUsage = 128
	exitBisectStop  = 255
)

func bisectCommand(o *options) *cobra.Command {
	var b bisector
	cmd := &cobra.Command{
		Use:   "bisect [PATH]",
		Short: "Tell git bisect run on which side of a change the kernel of this commit is",
		Long: `Tell git bisect run on which side of a change the kernel of this commit is.

    git bisect run pivotspec bisect --build 'make -j2 bzImage' --behaviour rootfs/pivot --old EINVAL --new OK
    git bisect run pivotspec bisect --build 'make -j2 bzImage' --signature 'unexpected rootfs/pivot EINVAL'

The kernel in PATH, a build tree or a file (default: the working directory), is booted, after the command of
--build if there is one. What is sought is one failure by its signature, as reports print it, or a behaviour that
comes out as --bad says, such as 'EINVAL' or 'OK, task-root=old_root'. Good is a kernel on which it comes out as
--good says; without --good, as is expected of that kernel. --old and --new are other words for --good and --bad.

Only the behaviour that is sought is run, which takes a boot and little more; for a warning, a missing behaviour or
a broken cell all are. --whole runs all in any case: give it if a failure shows with the whole suite and not with its
behaviour alone, for it may come of what another one left behind. A kernel that panics in another behaviour cannot be told
with --whole, and can be without.

Exit status: 0 good; 1 bad; 125 cannot tell: it was not built, does not boot, or shows neither; 128 wrong
usage; 255 this machine could not do its work. From 128 on git stops.`,
		Args: func(cmd *cobra.Command, args []string) error {
			return stop(atMost(1, "one build tree or kernel")(cmd, args))
		},
		// The nearest one runs: in the place of the root's.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return stop(noEmptyFlag(cmd)) },
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			// Go's own exit status for a program that breaks down is 2, which git takes for bad: in other
			// goroutines, and where memory ends, it ends by a signal instead, at which git stops.
			debug.SetTraceback("crash")
			defer func() {
				if v := recover(); v != nil {
					err = &exitError{exitBisectStop, fmt.Errorf("pivotspec itself failed: %v", v)}
				}
			}()
			b.path = "."
			if len(args) > 0 {
				b.path = args[0]
			}
			b.cache, b.stderr = o.cache, cmd.ErrOrStderr()
			return stop(b.run(cmd.Context()))
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return stop(flagError(cmd, err)) })
	f := cmd.Flags()
	f.StringVar(&b.build, "build", "", "`COMMAND` of a shell that builds the kernel, run in PATH")
	f.StringVar(&b.signature, "signature", "", "`SIGNATURE` of the failure that is sought")
	f.StringVar(&b.behaviour, "behaviour", "", "`ID` of the behaviour that is sought")
	f.StringVar(&b.bad, "bad", "", "`OUTCOME[, FACT=VALUE ...]` of the behaviour on a bad kernel")
	f.StringVar(&b.good, "good", "", "`OUTCOME[, FACT=VALUE ...]` on a good one (default: as expected of the kernel)")
	f.StringVar(&b.new, "new", "", "the same as --bad")
	f.StringVar(&b.old, "old", "", "the same as --good")
	f.StringVar(&b.scenario, "scenario", "", "`NAME` of the way to boot (default: one that the behaviour belongs to)")
	f.BoolVar(&b.whole, "whole", false, "run all behaviours, not only the one that is sought")
	f.StringVar(&b.accel, "accel", accel.Auto, "`ACCELERATOR`: auto, kvm or tcg")
	f.StringVar(&b.guest, "guest", "", "guest binary `FILE` to use instead of building one")
	f.StringVar(&b.out, "out", "", "`DIR` for the records, in a folder for each commit (default: bisect in the cache)")
	return cmd
}

// stop makes the statuses of errors those at which git stops. An answer stays what it is.
func stop(err error) error {
	e := &exitError{}
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		return &exitError{exitBisectUsage, err}
	case e.err == nil || e.status >= exitBisectUsage:
		return e
	case e.status == exitUsage:
		return &exitError{exitBisectUsage, e.err}
	}
	return &exitError{exitBisectStop, e.err}
}

// bisector asks one question of the kernel of one commit.
type bisector struct {
	path, build, signature, behaviour string
	bad, good, new, old               string
	scenario, accel, guest            string
	whole                             bool
	cache, out                        string
	stderr                            io.Writer
}

func (b *bisector) run(ctx context.Context) error {
	base, err := knowledge.LoadToJudge()
	if err != nil {
		return failed(err)
	}
	q, err := b.question(base)
	if err != nil {
		return usage(err)
	}
	wish := lab.Wish{Kernels: []string{asPath(b.path)}, Accel: b.accel, Guest: b.guest, Scenarios: b.scenarios(base, q), Behaviours: b.alone(base, q)}
	l, err := lab.Open(b.cache, sourceTree())
	if err != nil {
		return failed(err)
	}
	plan, err := l.Resolve(wish) // what is wrong with the wish shows before anything is built
	if err != nil {
		return usage(err)
	}
	at := commitOf(ctx, b.path)
	if b.build != "" {
		if why, err := b.make(ctx); err != nil {
			return failed(err)
		} else if why != "" {
			return b.tell(at, bisect.Untold, why)
		}
	}
	if _, err := os.Stat(b.path); errors.Is(err, fs.ErrNotExist) {
		if b.build == "" {
			return usage(fmt.Errorf("there is no %s: give a build tree or the file of a kernel, or --build for what makes it", b.path))
		}
		return b.tell(at, bisect.Untold, fmt.Sprintf("the build made no %s", b.path))
	}
	c, why, err := b.boot(ctx, l, plan, wish, at)
	switch {
	case ctx.Err() != nil:
		return failed(errors.New("interrupted: nothing is said of this commit"))
	case err != nil:
		return err
	case c == nil:
		return b.tell(at, bisect.Untold, why)
	}
	if err := at.builtFrom(c.Kernel.Version); err != nil {
		return failed(err)
	}
	j, err := verdict.Judge(base, []*cell.Cell{c}, "")
	if err != nil {
		return failed(err)
	}
	answer, why := q.Answer(j.Cells[0])
	if v := c.Kernel.Version; v != "" {
		why = v + ": " + why
	}
	return b.tell(at, answer, why)
}

// question makes what is sought of what the user says.
func (b *bisector) question(base *knowledge.Base) (bisect.Question, error) {
	for _, pair := range []struct {
		one, other   *string
		first, again string
	}{{&b.bad, &b.new, "bad", "new"}, {&b.good, &b.old, "good", "old"}} {
		if *pair.one != "" && *pair.other != "" {
			return nil, fmt.Errorf("--%s and --%s are the same: give one of them", pair.first, pair.again)
		}
		*pair.one += *pair.other
	}
	switch {
	case b.signature == "" && b.behaviour == "":
		return nil, errors.New("nothing is sought: give the --signature of a failure, or a --behaviour and what it comes out as on a --bad kernel")
	case b.signature != "" && b.behaviour+b.bad+b.good != "":
		return nil, errors.New("a --signature says all: leave --behaviour, --bad and --good out")
	case b.signature != "":
		return bisect.Failure(base, b.signature)
	case b.bad == "":
		return nil, fmt.Errorf("--behaviour %s: give what it comes out as on a bad kernel, with --bad or --new, such as EINVAL", b.behaviour)
	}
	return bisect.ComesOut(base, b.behaviour, b.bad, b.good)
}

// scenarios returns the way to boot in which the question can be answered.
func (b *bisector) scenarios(base *knowledge.Base, q bisect.Question) []string {
	if b.scenario != "" {
		return []string{b.scenario}
	}
	if at, ok := base.Behaviour(q.Behaviour()); ok && !at.In("") {
		return []string{lab.In(at)}
	}
	return nil
}

// alone returns the one behaviour that has to be run to answer the question, none for all. That one is reported where it does
// not belong is a failure, too, which a guest that is asked for it there cannot show.
func (b *bisector) alone(base *knowledge.Base, q bisect.Question) []string {
	at, ok := base.Behaviour(q.Alone())
	if b.whole || !ok || b.scenario != "" && b.signature != "" && !at.In(b.scenario) {
		return nil
	}
	return []string{at.ID}
}

// asPath makes path one that cannot be taken for a name of the catalogue.
func asPath(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return "./" + filepath.Clean(path)
}

// make builds the kernel. It returns why that failed if it is the commit's fault, and an error if it is not.
func (b *bisector) make(ctx context.Context) (why string, err error) {
	dir := b.path
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		dir = filepath.Dir(dir)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", b.build)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, b.stderr, b.stderr
	// The compilers too are to end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", errors.New("interrupted during the build: nothing is said of this commit")
	case err == nil:
		return "", nil
	case errors.As(err, &exit) && (exit.ExitCode() == 126 || exit.ExitCode() == 127):
		return "", fmt.Errorf("the build cannot be run (exit status %d of %q): every commit would be passed over", exit.ExitCode(), b.build)
	case errors.As(err, &exit):
		return fmt.Sprintf("the build failed (%v)", exit), nil
	}
	return "", fmt.Errorf("the build cannot be run: %w", err)
}

// boot boots the kernel and keeps its records. Those that are there of the same kernel are taken instead. It
// returns no cell but the reason if there is nothing to boot at this commit.
func (b *bisector) boot(ctx context.Context, l *lab.Lab, plan *lab.Plan, wish lab.Wish, at commit) (*cell.Cell, string, error) {
	jobs := plan.Identify(ctx)
	// What cannot be read is this machine's fault, and would be at every commit.
	if no := (*kernels.NotKernelError)(nil); len(jobs) == 1 && errors.As(jobs[0].Err, &no) && !errors.Is(no.Err, fs.ErrPermission) {
		return nil, no.Error(), nil
	}
	dir := b.out
	if dir == "" {
		dir = filepath.Join(l.Dir, "bisect")
	}
	recs, err := openRecords(filepath.Join(dir, at.folder()), "", true)
	if err != nil {
		return nil, "", failed(err)
	}
	defer recs.close()
	r := runner{wish: wish, jobs: 1, stderr: b.stderr}
	former, err := cell.ReadPlan(recs.dir)
	if err != nil || continues(former, r.intent(plan, jobs)) != nil {
		former = nil // none, or of another kernel: a new one takes its place
	}
	var unready error
	cells, err := r.boot(ctx, plan, recs, former, func(j *matrix.Job) { unready = errors.Join(unready, j.Err) })
	switch {
	case err != nil:
		return nil, "", err
	case unready != nil:
		return nil, "", failed(unready)
	case len(recs.lost) > 0:
		return nil, "", failed(errors.Join(recs.lost...))
	case len(cells) != 1:
		return nil, "", usage(fmt.Errorf("%s is %d kernels: give one", b.path, len(cells)))
	case cells[0].Status == cell.Complete && cells[0].Strayed() != "":
		return nil, "", failed(errors.New(cells[0].Strayed())) // so it would be at every commit
	case cells[0].Status == cell.Unavailable:
		return nil, "", failed(fmt.Errorf("nothing could be started: %s", cells[0].Reason))
	}
	return cells[0], "", nil
}

// tell prints the answer in the user's terms and ends with its status.
func (b *bisector) tell(at commit, a bisect.Answer, why string) error {
	term := string(a)
	switch {
	case a == bisect.Good && b.old != "":
		term = "old"
	case a == bisect.Bad && b.new != "":
		term = "new"
	}
	fmt.Fprintf(b.stderr, "pivotspec: %s: %s: %s\n", at, strings.ToUpper(term), strings.Join(strings.Fields(why), " "))
	switch a {
	case bisect.Good:
		return ended(exitGood)
	case bisect.Bad:
		return ended(exitBad)
	}
	return ended(exitUntold)
}

// commit is the name of the commit that is checked out, "" if none is.
type commit string

// commitOf asks git for the commit of the tree in which path is.
func commitOf(ctx context.Context, path string) commit {
	if st, err := os.Stat(path); err != nil || !st.IsDir() {
		path = filepath.Dir(path)
	}
	// With --no-checkout it is BISECT_HEAD that is asked about.
	for _, name := range []string{"BISECT_HEAD", "HEAD"} {
		out, err := exec.CommandContext(ctx, "git", "-C", path, "rev-parse", "--verify", "--quiet", name+"^{commit}").Output()
		if err == nil {
			return commit(strings.TrimSpace(string(out)))
		}
	}
	return ""
}

// String returns the commit for a reader.
func (c commit) String() string {
	if c == "" {
		return "this kernel"
	}
	return string(c[:min(len(c), 12)])
}

// folder returns the name of the folder for its records.
func (c commit) folder() string {
	if c == "" {
		return "no-commit"
	}
	return string(c)
}

// describes is what kbuild adds to a release if it is to name the commit (scripts/setlocalversion).
var describes = regexp.MustCompile(`-g([0-9a-f]{7,40})(-dirty|\+)?$`)

// builtFrom says that a kernel whose release names a commit was built from another: an image that was left lying there
// would have every commit's answer be its own.
func (c commit) builtFrom(release string) error {
	m := describes.FindStringSubmatch(release)
	if m == nil || c == "" || strings.HasPrefix(string(c), m[1]) {
		return nil
	}
	return fmt.Errorf("the kernel there, %s, was built from commit %s, and %s is checked out: build it first, with --build", release, m[1], c)
}
