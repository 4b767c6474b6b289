package runner

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// inShell is the life of a guest that is not init: a program in the shell of another one, which
// has mounted what is needed. It runs the specs of the initial stage and switches the machine off.
func inShell(k sandbox.Kernel, specs []spec.Spec, o options) {
	defer powerOff()
	fail := func(err error) { fmt.Fprintln(os.Stderr, "pivotspec: in the shell:", err) }
	fd, err := unix.Open("/dev/console", unix.O_WRONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		fail(err)
		return
	}
	shared, err := newShared()
	if err != nil {
		fail(err)
		return
	}
	c, err := openConsole(os.NewFile(uintptr(fd), "console"), shared)
	if err != nil {
		fail(err)
		return
	}
	c.send(plan(specs))
	if err := silence(); err != nil {
		c.send(&record.Record{Type: record.TypeNote, Why: err.Error()})
	}
	log := openLog()
	c.send(&record.Record{Type: record.TypeKernel, Kernel: describe()})
	initial(c, k, stage(specs, spec.Initial), o.patience, powerOff)
	warnings := log.warnings()
	for _, w := range warnings {
		c.send(w)
	}
	c.end(len(warnings) > 0)
}
