// Package exam examines the diagnosis: a kernel under test that has every pivot_root of the suite
// diagnosed before it is made, by nothing but its paths and the running kernel, and then makes it. What
// was said and what came of it goes to the host.
package exam

import (
	"encoding/json"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/diagnose"
	"pivotspec/suites/faults"
	"pivotspec/suites/sandbox"
)

// prefix is what a note begins with that carries an [Answer].
const prefix = "diagnosis "

// Answer is what the diagnosis said of one call, and what the call did.
type Answer struct {
	// Spec is the behaviour that the call belongs to, By who makes it: "" is the spec's own thread.
	Spec string `json:"spec"`
	By   string `json:"by,omitempty"`
	// New and Old are the arguments.
	New string `json:"new"`
	Old string `json:"old"`
	// Observed says that the call is what the behaviour is about.
	Observed bool `json:"observed,omitempty"`
	// Real is what the call did, Said what the diagnosis said that it would do.
	Real string `json:"real"`
	Said string `json:"said"`
	Sure bool   `json:"sure"`
	// Causes are the IDs of the causes that were named, in order; Or those that the first may be
	// as well, and Doubts those that could not be ruled out.
	Causes []string `json:"causes,omitempty"`
	Or     []string `json:"or,omitempty"`
	Doubts []string `json:"doubts,omitempty"`
	// Trial is what came of doing as it says; nil where that was not tried.
	Trial *Trial `json:"trial,omitempty"`
	// Failed is why there is no diagnosis.
	Failed string `json:"failed,omitempty"`
	// Micros is how long the diagnosis took, in microseconds.
	Micros int64 `json:"us,omitempty"`
	// Unread is what could not be read.
	Unread []string `json:"unread,omitempty"`
}

// Parse reads the answer of a note. ok is false for a note that carries none.
func Parse(note string) (a Answer, ok bool, err error) {
	text, ok := strings.CutPrefix(note, prefix)
	if !ok {
		return a, false, nil
	}
	err = json.Unmarshal([]byte(text), &a)
	return a, true, err
}

// Kernel is the running kernel under examination. It is [runner.Remarker].
type Kernel struct {
	sandbox.Honest
	shared *shared
	spec   string
}

type shared struct {
	reader  *diagnose.Reader
	err     error
	answers []Answer
}

// New returns the kernel.
func New() *Kernel { return &Kernel{shared: &shared{}} }

// Begin implements [sandbox.Kernel].
func (k *Kernel) Begin(spec string) sandbox.Kernel {
	// Not before: init has no /proc when it starts.
	if k.shared.reader == nil {
		k.shared.reader, k.shared.err = diagnose.Open()
	}
	return &Kernel{shared: k.shared, spec: spec}
}

// Call implements [sandbox.Kernel].
func (k *Kernel) Call(c sandbox.Syscall, real func() unix.Errno) unix.Errno {
	if c.Name != "pivot_root" || len(c.Args) != 2 {
		return real()
	}
	a := Answer{Spec: k.spec, By: c.By, New: c.Args[0].String(), Old: c.Args[1].String()}
	d := k.diagnose(c, &a)
	e := real()
	a.Real = sandbox.ErrnoName(e)
	// The calls of pairs lead to places by descriptors, which nothing that is mounted changes.
	if e != 0 && d != nil && k.spec != faults.Behaviour && len(c.Args[0].String()) < 64 {
		a.Trial = k.try(c, d)
	}
	k.shared.answers = append(k.shared.answers, a)
	return e
}

// Observed implements [sandbox.Witness].
func (k *Kernel) Observed(c sandbox.Call) {
	for i := len(k.shared.answers) - 1; i >= 0; i-- {
		if a := &k.shared.answers[i]; a.Spec == k.spec && a.Real == c.Outcome {
			a.Observed = true
			return
		}
	}
}

// diagnose says what the call would do; nil if that cannot be said.
func (k *Kernel) diagnose(c sandbox.Syscall, a *Answer) *diagnose.Diagnosis {
	if k.shared.err != nil {
		a.Failed = k.shared.err.Error()
		return nil
	}
	start := time.Now()
	defer func() { a.Micros = time.Since(start).Microseconds() }()
	f, err := k.shared.reader.Read(diagnose.Call{Task: c.Task, New: argument(c.Args[0]), Old: argument(c.Args[1])})
	if err != nil {
		a.Failed = err.Error()
		return nil
	}
	d := diagnose.Diagnose(f)
	a.Said, a.Sure, a.Unread = d.Outcome(), d.Sure, f.Unread
	for i := range d.Causes {
		a.Causes = append(a.Causes, d.Causes[i].ID)
	}
	if len(d.Causes) > 0 {
		a.Or = d.Causes[0].Or
	}
	for i := range d.Doubts {
		a.Doubts = append(a.Doubts, d.Doubts[i].ID)
	}
	return d
}

func argument(a sandbox.Arg) diagnose.Path {
	text, ok := a.Text()
	return diagnose.Path{Text: text, Bad: !ok}
}

// Remarks implements [runner.Remarker].
func (k *Kernel) Remarks() []string {
	var out []string
	for _, a := range k.shared.answers {
		b, err := json.Marshal(a)
		if err != nil {
			b, _ = json.Marshal(Answer{Spec: a.Spec, Failed: err.Error()})
		}
		out = append(out, prefix+string(b))
	}
	k.shared.answers = nil
	return out
}
