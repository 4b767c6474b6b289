// Package runner runs the specs inside a kernel under test. The same program is PID 1 of the
// guest and, as its child, the suite of the private specs: init supervises, so that a crash
// or a hang of the suite is a finding and not the end of the cell.
package runner

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"golang.org/x/sys/unix"

	"pivotspec/suites/all"
	"pivotspec/suites/contain"
	"pivotspec/suites/disk"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Base is the directory of the image on which worlds mount their filesystems.
const Base = "/world"

// suiteArg makes the program the suite; the index of the first spec to run follows it.
const suiteArg = "suite"

// patience is how long one spec may take before it counts as hung, unless [Patience] says
// otherwise. Specs take milliseconds, under emulation too, and the host gives up on a console that
// is silent for longer than this.
const patience = 8 * time.Second

// Option changes how a guest runs the suite.
type Option func(*options)

type options struct {
	patience time.Duration
	body     func(*sandbox.World)
	reader   func(frames io.Reader, console io.Writer)
}

// Patience sets how long one spec may take before it counts as hung. A guest that is meant to
// hang in a test need not wait as long as one that is not.
func Patience(d time.Duration) Option { return func(o *options) { o.patience = d } }

// Reader has the frames of PID 1 and its suite go to read, instead of the console, which read may
// write to as it likes. frames ends when there will be no more, and the machine is switched off
// when read returns.
func Reader(read func(frames io.Reader, console io.Writer)) Option {
	return func(o *options) { o.reader = read }
}

// Body has each behaviour observed by body instead of its own: what a suite costs in which nothing
// happens.
func Body(body func(*sandbox.World)) Option { return func(o *options) { o.body = body } }

// Main is the guest program's main function; k is the kernel that the specs observe.
func Main(k sandbox.Kernel, opts ...Option) {
	o := options{patience: patience}
	for _, opt := range opts {
		opt(&o)
	}
	// The first thread must never leave the fs that PID 1 shares with the kernel, and a
	// spec's goroutine could land on it: the main goroutine keeps it occupied.
	runtime.LockOSThread()
	// The heap of a whole run is a few megabytes; collecting it costs more than it frees.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(64 << 20)
	specs, err := all.Specs()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	apart := len(os.Args) > 1 && os.Args[len(os.Args)-1] == contain.Arg
	if apart {
		// A way to boot is nothing for a machine that runs already, whatever its environment says.
		os.Unsetenv(spec.ScenarioVariable)
	}
	// The suite that init starts inherits the variables.
	specs, err = spec.Asked(spec.Of(specs, os.Getenv(spec.ScenarioVariable)), os.Getenv(spec.AskedVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, "pivotspec guest:", err)
		if os.Getpid() == 1 && !apart || len(os.Args) == 2 && os.Args[1] == disk.InShell {
			powerOff()
		}
		os.Exit(2)
	}
	if o.body != nil {
		for i := range specs {
			specs[i].Body = o.body
		}
	}
	switch {
	case apart && len(os.Args) == 2:
		done := make(chan error)
		go func() { done <- contained(specs, o) }()
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(contain.ExitRefused)
		}
	case os.Getpid() == 1:
		done := make(chan struct{})
		go func() {
			defer close(done)
			boot(k, specs, o)
		}()
		<-done
	case (len(os.Args) == 3 || len(os.Args) == 4 && apart) && os.Args[1] == suiteArg:
		first, err := strconv.Atoi(os.Args[2])
		private := stage(specs, spec.Private)
		if err != nil || first < 0 || first > len(private) {
			fmt.Fprintf(os.Stderr, "pivotspec guest: %s %q: not the index of a spec\n", suiteArg, os.Args[2])
			os.Exit(2)
		}
		// init passes the shared memory and the console.
		c, err := openConsole(os.NewFile(4, "console"), 3)
		if err != nil {
			fmt.Fprintln(os.Stderr, "pivotspec guest:", err)
			os.Exit(1)
		}
		done := make(chan error)
		go func() { done <- suite(k, private, first, c, apart) }()
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, "pivotspec guest:", err)
			os.Exit(1)
		}
		// Done; the parked worlds go with the machine.
		if _, err := os.NewFile(5, "done").Write([]byte{1}); err != nil {
			os.Exit(1)
		}
		for { // in a system call, or the runtime takes the parked goroutines for a deadlock
			_ = unix.Pause()
		}
	case len(os.Args) == 2 && os.Args[1] == disk.InShell:
		done := make(chan struct{})
		go func() {
			defer close(done)
			inShell(k, specs, o)
		}()
		<-done
	case len(os.Args) == 3 && os.Args[1] == worldsArg:
		compare(k, os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "pivotspec guest: this program is the init of a pivotspec guest; boot it as PID 1 of an initramfs")
		os.Exit(2)
	}
}

// IsPart reports whether the arguments are those with which the program starts itself as a part of
// a run, or with which package contain has it started.
func IsPart(args []string) bool {
	return len(args) > 1 && (args[1] == suiteArg || args[1] == worldsArg || args[1] == contain.Arg)
}

func stage(specs []spec.Spec, s spec.Stage) []spec.Spec {
	var out []spec.Spec
	for _, sp := range specs {
		if sp.Stage == s {
			out = append(out, sp)
		}
	}
	return out
}

// suite runs the private specs from index first on and sends their records. apart says that it
// runs in namespaces of its own on somebody's machine.
func suite(k sandbox.Kernel, specs []spec.Spec, first int, c *console, apart bool) error {
	env, err := sandbox.Open(k, Base)
	if err != nil {
		return err
	}
	env.Park = true
	env.Borrowed, env.Limited = apart, apart && contain.Limited()
	env.Evidence = evidence()
	ginkgo("pivot_root(2) in private mount namespaces", specs[first:], func(i int, s spec.Spec) *record.Record {
		c.state.current.Store(int64(first + i))
		r := env.Run(s.ID, s.Body)
		c.send(r)
		remark(k, c, s.ID)
		c.state.current.Store(noSpec)
		return r
	})
	c.sendAll(env.Evidence.Records())
	return nil
}

// Remarker is a kernel that has something to tell the host beside what the specs observe: its remarks
// on each are sent as notes behind the observation.
type Remarker interface {
	// Remarks returns what there is to tell since it was asked last.
	Remarks() []string
}

// remark sends the remarks of a kernel that makes some.
func remark(k sandbox.Kernel, c *console, spec string) {
	if r, ok := k.(Remarker); ok {
		for _, text := range r.Remarks() {
			c.send(&record.Record{Type: record.TypeNote, ID: spec, Why: text})
		}
	}
}

// evidence returns what collects evidence, or nil if none is asked for: to read the mount tables
// around each call and to tell them takes a tenth of an emulated cell's time.
func evidence() *sandbox.Evidence {
	if os.Getenv(spec.EvidenceVariable) == "" {
		return nil
	}
	return new(sandbox.Evidence)
}

// failer is what Ginkgo tells that a spec failed. A spec fails when nothing was observed;
// what was observed is judged on the host.
type failer struct{ failed bool }

func (f *failer) Fail() { f.failed = true }

// ginkgo runs specs as a Ginkgo suite, one It a spec, in the order given. run is told which of
// them it runs, counted from 0.
func ginkgo(name string, specs []spec.Spec, run func(int, spec.Spec) *record.Record) {
	its := func() {
		for i, s := range specs {
			It(s.ID, func() {
				sandbox.Room()
				// That a kernel lacks something is told by the record alone: Skip would take a
				// stack trace, which costs more than the specs that do without.
				if r := run(i, s); r.Status == record.Broken {
					Fail(r.Why)
				}
			})
		}
	}
	// Ordered, or Ginkgo sorts the specs, which all stem from one line, by their text.
	Describe(name, Ordered, ContinueOnFailure, func() {
		// On a goroutine of its own: each It takes down where it is called from, and for that
		// looks at all of the stack.
		done := make(chan struct{})
		go func() {
			defer close(done)
			its()
		}()
		<-done
	})
	conf, reporter := GinkgoConfiguration()
	conf.OutputInterceptorMode = "none"
	conf.Timeout = 0 // init watches over the suite; Ginkgo would start a timer for each spec
	reporter.Succinct, reporter.NoColor = true, true
	RunSpecs(&failer{}, name, conf, reporter)
}
