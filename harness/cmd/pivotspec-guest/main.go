// Command pivotspec-guest is the suite as one static program that needs nothing else: copied to any
// machine it runs every spec that can be run there, in namespaces of its own, and prints KTAP. As
// the init of an initramfs it has the machine to itself, and switches it off at the end.
//
// It is a program of its own, beside the guest that pivotspec boots: the verdicts need all that is
// known of the kernels, which takes longer to read than many a boot, and pivotspec judges better,
// with later knowledge, on the host.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/harness/host"
	"pivotspec/results/ktap"
	"pivotspec/results/verdict"
	"pivotspec/suites/contain"
	"pivotspec/suites/diagnose"
	"pivotspec/suites/enumerate"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
	"pivotspec/suites/runner"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

const usage = `pivotspec-guest runs every spec about pivot_root(2) that this machine allows, in namespaces of its
own, and prints KTAP. As root it sees more than as a user; as the init of an initramfs it sees all,
and switches the machine off.

    pivotspec-guest diagnose [--verbose] NEW_ROOT PUT_OLD

says instead what pivot_root(NEW_ROOT, PUT_OLD) would answer here, and how to mend it; exit status 0 if
it would succeed, 1 if it would fail, 3 if that could not be found out.

Exit status: 0 nothing unexpected; 1 something unexpected; 2 wrong usage; 3 not everything could
be observed. 1 wins over 3.
`

// Exit statuses, beside those of package verdict.
const (
	exitUsage   = 2
	exitHarness = verdict.ExitBroken
)

// limit ends a run that hangs. It takes less than a second, and some under emulation.
const limit = 10 * time.Minute

func main() {
	if !runner.IsPart(os.Args) {
		// Whoever runs it alone takes what it reports for the whole suite.
		os.Unsetenv(spec.AskedVariable)
	}
	switch {
	case contain.OwnMachine():
		// The kernel gives init what it does not know of its command line.
		os.Args = os.Args[:1]
		os.Unsetenv(enumerate.Variable)
		os.Unsetenv(spec.ScenarioVariable)
		runner.Main(sandbox.Honest{}, runner.Reader(read))
	case runner.IsPart(os.Args):
		runner.Main(sandbox.Honest{})
	case len(os.Args) > 1 && (os.Args[1] == "--help" || os.Args[1] == "-h" || os.Args[1] == "help"):
		fmt.Print(usage)
	case len(os.Args) > 1 && os.Args[1] == "diagnose":
		os.Exit(diagnosis(os.Args[2:]))
	case len(os.Args) > 1:
		fmt.Fprintf(os.Stderr, "pivotspec-guest: unknown argument %q: it takes diagnose alone; see pivotspec-guest --help\n", os.Args[1])
		os.Exit(exitUsage)
	default:
		os.Exit(here(os.Stdout))
	}
}

// diagnosis says what a call would answer, and returns the exit status.
func diagnosis(args []string) int {
	var o diagnose.Options
	if len(args) > 0 && (args[0] == "--verbose" || args[0] == "-v") {
		o.Verbose, args = true, args[1:]
	}
	if len(args) != 2 {
		fmt.Fprintf(os.Stderr, "pivotspec-guest: diagnose takes two paths, NEW_ROOT and PUT_OLD, and got %d; see pivotspec-guest --help\n", len(args))
		return exitUsage
	}
	o.New, o.Old = args[0], args[1]
	status, err := diagnose.Run(os.Stdout, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pivotspec-guest: diagnose:", err)
		return exitHarness
	}
	return status
}

// writer returns what prints KTAP to out, judged by what is known of this architecture.
func writer(out io.Writer) (*ktap.Writer, error) {
	base, err := knowledge.LoadToJudge()
	if err != nil {
		return nil, err
	}
	table, err := arch.Load()
	if err != nil {
		return nil, err
	}
	a, err := table.Native()
	if err != nil {
		return nil, err
	}
	return ktap.New(out, base, a.Name), nil
}

// here runs the suite on this machine and returns the exit status.
func here(out io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	w, err := writer(out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pivotspec-guest:", err)
		return exitHarness
	}
	g := &host.Guest{
		Program:  backend.Program{Binary: "/proc/self/exe", Limits: arch.Limits{Total: limit}},
		OnRecord: w.Record,
	}
	_, err = g.Run(ctx)
	if short := (interface{ Short() string })(nil); errors.As(err, &short) {
		err = errors.New(short.Short())
	}
	exit, err := w.Close(err)
	if err != nil {
		fmt.Fprintf(os.Stderr, "pivotspec-guest: the standard output takes no more: %v; what it shows is not whole\n", err)
		return max(exit, exitHarness)
	}
	return exit
}

// read prints what PID 1 and its suite report as KTAP on the console.
func read(frames io.Reader, console io.Writer) {
	w, err := writer(console)
	if err != nil {
		fmt.Fprintln(console, "pivotspec-guest:", err)
		return
	}
	coll := new(record.Collector)
	s := bufio.NewScanner(frames)
	s.Buffer(nil, record.MaxFrame)
	var last string
	for s.Scan() {
		if r := coll.Line(s.Bytes()); r != nil {
			w.Record(r)
		} else if _, _, err := record.ParseLine(s.Bytes()); errors.Is(err, record.ErrNoFrame) && len(s.Bytes()) > 0 {
			// What init says when it cannot go on.
			last = s.Text()
			w.Comment(last)
		}
	}
	err = coll.Err()
	if err != nil && last != "" {
		err = errors.New(last)
	}
	// Nobody is left to be told that the console takes no more.
	_, _ = w.Close(err)
}
