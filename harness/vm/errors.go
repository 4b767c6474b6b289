package vm

import "fmt"

// Reason says why a boot is broken.
type Reason string

// The reasons for which a boot is broken.
const (
	// ReasonPanic: the kernel panicked.
	ReasonPanic Reason = "panic"
	// ReasonAccel: the accelerator said that it cannot run the guest.
	ReasonAccel Reason = "accelerator"
	// ReasonSilent: no kernel and no guest printed anything.
	ReasonSilent Reason = "silent"
	// ReasonHang: the console fell silent, or the guest was not done in time.
	ReasonHang Reason = "hang"
	// ReasonFlood: the console printed more than the limit.
	ReasonFlood Reason = "flood"
	// ReasonGarbled: records were damaged or lost on their way.
	ReasonGarbled Reason = "garbled"
	// ReasonIncomplete: the guest stopped before it had sent its last record.
	ReasonIncomplete Reason = "incomplete"
	// ReasonQEMU: QEMU did not start or failed.
	ReasonQEMU Reason = "qemu"
	// ReasonKilled: a signal from outside killed QEMU.
	ReasonKilled Reason = "killed"
	// ReasonInterrupted: the context was cancelled.
	ReasonInterrupted Reason = "interrupted"
	// ReasonStuck: QEMU could not even be killed.
	ReasonStuck Reason = "stuck"
)

// BootError says that a boot did not bring a complete report.
type BootError struct {
	Reason Reason
	// Kernel is the path of the kernel, Accel the name of the accelerator.
	Kernel, Accel string
	// Text says in one line what happened and, where there is something, what to do.
	Text string
	// Console is the end of the console: at most 100 lines without terminal sequences.
	Console []string
	// Err is the cause, if there is one beside Text.
	Err error
}

func (e *BootError) Error() string {
	return fmt.Sprintf("boot %s under %s: %s", e.Kernel, e.Accel, e.Text)
}

// Short is Text: what happened, without what was booted how.
func (e *BootError) Short() string { return e.Text }

func (e *BootError) Unwrap() error { return e.Err }
