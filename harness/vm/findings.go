package vm

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml"
)

//go:embed findings.yaml
var findingsYAML []byte

// Kind is the kind of a [Finding], as findings.yaml names it.
type Kind string

// The kinds of finding that this package acts on or makes itself.
const (
	// KindPanic: the kernel gave up.
	KindPanic Kind = "panic"
	// KindAccel: the accelerator cannot run the guest.
	KindAccel Kind = "accelerator"
	// KindPower: the guest said its end and then did not power off.
	KindPower Kind = "power"
	// KindExit: QEMU itself failed after the guest had said its end.
	KindExit Kind = "qemu"
)

// Finding is something wrong that the console of a guest showed: a panic, an oops, a kernel
// warning. A cell with findings may still be complete.
type Finding struct {
	Kind Kind `json:"kind"`
	// Text is the console line that shows it, without its time stamp.
	Text string `json:"text"`
}

type pattern struct {
	Kind  Kind   `yaml:"kind"`
	Match string `yaml:"match"`
	Fatal bool   `yaml:"fatal"`
	re    *regexp.Regexp
}

type patterns []*pattern

func loadPatterns(text []byte) (patterns, error) {
	var ps patterns
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&ps); err != nil {
		return nil, fmt.Errorf("vm: table of findings: %w", err)
	}
	for i, p := range ps {
		if p == nil || p.Kind == "" || p.Match == "" {
			return nil, fmt.Errorf("vm: table of findings: row %d has no kind or no match", i)
		}
		re, err := regexp.Compile(p.Match)
		if err != nil {
			return nil, fmt.Errorf("vm: table of findings: row %d: %w", i, err)
		}
		p.re = re
	}
	return ps, nil
}

// stamp is what printk puts in front of a message: the time and, if so configured, the caller.
var stamp = regexp.MustCompile(`\[ *\d+\.\d{6}\](\[ *[TC]\d+\])? `)

// match returns the first pattern that fits one sanitised message, and the message without
// its time stamp; nil if none does.
func (ps patterns) match(line string) (*pattern, string) {
	if at := stamp.FindStringIndex(line); at != nil && at[0] == 0 {
		line = line[at[1]:]
	}
	for _, p := range ps {
		if p.re.MatchString(line) {
			return p, line
		}
	}
	return nil, line
}
