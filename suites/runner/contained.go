package runner

import (
	"os"

	"pivotspec/suites/contain"
	"pivotspec/suites/record"
	"pivotspec/suites/spec"
)

// contained is the life of the first process in namespaces of its own on a machine that serves
// others too. It neither loads modules nor switches anything off, and what a guest does as PID 1
// in the initial namespace it leaves undone and says so. Its error means that the suite
// could not be kept apart, and that nothing ran.
func contained(specs []spec.Spec, o options) error {
	go func() {
		// The starter writes nothing. When it is gone, whatever became of it, so are we, and
		// with us all that runs in the namespaces.
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(1)
	}()
	out, err := ownConsole()
	if err != nil {
		return err
	}
	if err := contain.Enter(Base); err != nil {
		return err
	}
	shared, err := newShared()
	if err != nil {
		return err
	}
	c, err := openConsole(out, shared)
	if err != nil {
		return err
	}
	c.send(plan(specs))
	if err := silence(); err != nil {
		c.send(&record.Record{Type: record.TypeNote, Why: err.Error()})
	}
	relax()
	k := describe()
	k.Cmdline = "" // it may say more of the machine than its owner wants to be kept
	c.send(&record.Record{Type: record.TypeKernel, Kernel: k})
	c.send(&record.Record{Type: record.TypeNote, Why: "the machine is not the suite's own: kernel warnings were not watched"})
	if contain.Limited() {
		c.send(&record.Record{Type: record.TypeNote, Why: "without privilege over the machine: root in a user namespace"})
	}
	private := stage(specs, spec.Private)
	for first, restarts := 0, 0; first < len(private) && restarts <= maxRestarts; restarts++ {
		first = supervise(c, shared, private, first, o.patience, contain.Arg)
	}
	for _, s := range stage(specs, spec.Initial) {
		c.send(&record.Record{
			Type: record.TypeObservation, ID: s.ID, Status: record.Unsupported, Beyond: record.BeyondMachine,
			Why: "needs a machine of its own: PID 1 in the initial mount namespace",
		})
	}
	c.end(false)
	return nil
}
