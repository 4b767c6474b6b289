// Package record is the language in which a guest tells what it saw: one JSON
// object a record, made in the guest, framed for a console that kernel messages
// share, read back on the host, and stored as it came.
//
// The JSON form is a public interface. Fields are only ever added; [Schema] rises
// when the meaning of a field that exists has to change. The package depends on
// the standard library alone because the guest pays for every import at each boot.
package record

// Schema is the version of the record format that this program writes.
const Schema = 1

// Type says what a record is about.
type Type string

// The types of record, in the order in which a cell sends them. A reader skips
// types that it does not know.
const (
	// TypePlan comes first and names every behaviour that the guest will report.
	// A behaviour that is planned and not reported is missing.
	TypePlan Type = "plan"
	// TypeKernel describes the kernel that the guest found itself on.
	TypeKernel Type = "kernel"
	// TypeObservation is what was seen of one behaviour.
	TypeObservation Type = "observation"
	// TypeWarning is a kernel message of level warning or worse that appeared
	// while the suite ran.
	TypeWarning Type = "warning"
	// TypeNote is something the guest's init has to say, for example that the
	// suite's process died and was started again.
	TypeNote Type = "note"
	// TypeWorlds is a row of worlds that were compared with the model of the call. The plan of
	// such a guest is empty: which worlds there have to be is for the host to know.
	TypeWorlds Type = "worlds"
	// TypeWorld is one world in which kernel and model disagree (status observed), or that
	// could not be compared (broken). ID is its text, Steps how to repeat it, and the facts
	// "model", "kernel" and "found" are what either makes of it and the world that was met
	// before it was made smaller.
	TypeWorld Type = "world"
	// TypeEvidence is what the mount tables were around the calls of behaviours, beside what was
	// observed. No verdict rests on it, and a guest that dies may not have sent it.
	TypeEvidence Type = "evidence"
	// TypeEnd is the last record; without it the cell is broken.
	TypeEnd Type = "end"
)

// Status says what became of a planned behaviour in the guest.
type Status string

const (
	// Observed: set-up succeeded and Outcome and Facts are what the kernel did.
	Observed Status = "observed"
	// Unsupported: a probe found that the kernel lacks a stated feature; Why names it.
	Unsupported Status = "unsupported"
	// Broken: the set-up failed, so nothing was observed; Why says which step.
	Broken Status = "broken"
)

// Beyond says what of the surroundings kept a behaviour from being tried that the kernel itself may
// well have.
type Beyond string

const (
	// BeyondMachine: it would change the machine as a whole, or needs one that is, or was made,
	// the suite's own.
	BeyondMachine Beyond = "machine"
	// BeyondPrivilege: it needs a privilege that the suite was not given.
	BeyondPrivilege Beyond = "privilege"
)

// OK is the Outcome of a call that succeeded. Every other outcome is the symbol
// of an errno, such as "EINVAL", or "errno N" for a number without a symbol.
const OK = "OK"

// Record is one line of a guest's report. Which fields are set depends on Type.
type Record struct {
	// Schema is set on the plan record only.
	Schema int  `json:"schema,omitempty"`
	Type   Type `json:"type"`

	// Plan lists the IDs of all planned behaviours, sorted (TypePlan).
	Plan []string `json:"plan,omitempty"`

	// Kernel is set on TypeKernel.
	Kernel *Kernel `json:"kernel,omitempty"`

	// The fields of an observation (TypeObservation).
	ID      string            `json:"id,omitempty"`
	Status  Status            `json:"status,omitempty"`
	Outcome string            `json:"outcome,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
	// Steps are the set-up steps and calls in order, in the words of a shell
	// session, so that a person can repeat them.
	Steps []string `json:"steps,omitempty"`
	// Beyond is set on an unsupported behaviour that the surroundings forbid, on a machine that
	// is not the suite's own.
	Beyond Beyond `json:"beyond,omitempty"`
	// Micros is how long the behaviour took in the guest, in microseconds. It
	// is a measurement and never part of a comparison.
	Micros int64 `json:"us,omitempty"`

	// Worlds is set on TypeWorlds.
	Worlds *Worlds `json:"worlds,omitempty"`

	// Evidence is set on TypeEvidence.
	Evidence *Evidence `json:"evidence,omitempty"`

	// Why explains a status other than Observed, and carries the text of
	// TypeWarning, TypeNote and TypeEnd.
	Why string `json:"why,omitempty"`
	// Level is the kernel's log level of a TypeWarning (0 emergency to 4 warning).
	Level int `json:"level,omitempty"`
}

// Kernel is what a running kernel says about itself.
type Kernel struct {
	Release  string `json:"release"`           // uname -r
	Version  string `json:"version"`           // uname -v
	Machine  string `json:"machine"`           // uname -m
	PageSize int    `json:"page_size"`         // bytes
	Endian   string `json:"endian"`            // "little" or "big"
	ABI      string `json:"abi"`               // GOARCH of the guest binary
	Cmdline  string `json:"cmdline,omitempty"` // /proc/cmdline
	RootFS   string `json:"rootfs,omitempty"`  // type of the filesystem the guest booted on
}

// Worlds is a row of worlds, in the order of their enumeration.
type Worlds struct {
	// First is the index of the first world, counted from 0.
	First int `json:"first"`
	// Outcomes has a letter a world: what the kernel answered where it agrees with the model,
	// "!" where it does not, "#" where nothing was seen.
	Outcomes string `json:"outcomes"`
	// Digest stands for the worlds of the row, in hexadecimal, so that the host knows that
	// they are the ones it thinks they are.
	Digest string `json:"digest"`
}
