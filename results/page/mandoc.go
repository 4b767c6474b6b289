package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Limits on mandoc, far above what any page needs: pages of 50 kB take it 10 ms and 10 MB.
const (
	maxTime   = 6 * time.Second
	maxCPU    = 3       // seconds
	maxMemory = 512     // MiB of address space
	maxTree   = 8 << 20 // bytes of output
	maxNotes  = 1 << 16 // bytes of messages
)

// prelude teaches mandoc the one macro of groff's man(7) that releases of it lack and pages
// use: a reference to another page. Without it the name would be missing in the sentence.
const prelude = ".de MR\n.BR \\\\$1 (\\\\$2)\\\\$3\n..\n"

// noSource stands for the version of a page whose title does not tell it: mandoc would put in
// the name of this machine's system.
const noSource = "pivotspec-unknown"

// preludeLines is by how much the prelude moves the page's lines down.
const preludeLines = 3

// mandoc returns mandoc's syntax tree of a page's source, and what it left out. The source
// can do no harm: mandoc gets it on its standard input, in an empty folder, with limits.
func mandoc(ctx context.Context, file string, src []byte) (tree []byte, skipped []string, err error) {
	bad := func(happened string) error {
		return &InputError{File: file, Happened: happened, Do: "look for macros that call themselves and loops without end"}
	}
	path, err := exec.LookPath("mandoc")
	if err != nil {
		return nil, nil, &ToolError{exec.ErrNotFound}
	}
	dir, err := os.MkdirTemp("", "pivotspec-page-")
	if err != nil {
		return nil, nil, &ToolError{err}
	}
	defer os.RemoveAll(dir)
	limited, stop := context.WithTimeout(ctx, maxTime)
	defer stop()
	// The shell sets the limits before there is anything to limit.
	cmd := exec.CommandContext(limited, "/bin/sh", "-c",
		fmt.Sprintf(`ulimit -v %d && ulimit -t %d && exec "$0" -T tree -W error -I os=%s`, maxMemory<<10, maxCPU, noSource), path)
	cmd.Dir = dir
	cmd.Env = []string{"LC_ALL=C", "PATH=/nonexistent"}
	cmd.WaitDelay = time.Second
	cmd.Stdin = io.MultiReader(strings.NewReader(prelude), bytes.NewReader(src))
	out := &limitedBuffer{left: maxTree, full: stop}
	notes := &limitedBuffer{left: maxNotes, full: func() {}} // the rest of them is not read
	cmd.Stdout, cmd.Stderr = out, notes
	err = cmd.Run()
	said := notes.String()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case out.overflow:
		return nil, nil, bad(fmt.Sprintf("it expands to more than %d MiB", maxTree>>20))
	case errors.Is(limited.Err(), context.DeadlineExceeded), killed(err):
		return nil, nil, bad("mandoc comes to no end with it")
	case strings.Contains(said, "Cannot allocate memory"), strings.Contains(said, "Out of memory"):
		return nil, nil, bad(fmt.Sprintf("it needs more than %d MiB of memory", maxMemory))
	case strings.Contains(said, "infinite loop"):
		return nil, nil, bad("its macros never end (" + strings.TrimPrefix(firstNote(said, "infinite loop"), "ERROR: ") + ")")
	case err == nil:
	case errors.As(err, &exit) && exit.ExitCode() <= 4 && exit.ExitCode() >= 0: // 1 to 4 are levels of complaint about the source
	case errors.As(err, &exit) && exit.ExitCode() < 0: // by a signal
		return nil, nil, bad("mandoc died of it (" + exit.String() + ")")
	case errors.As(err, &exit) && exit.ExitCode() < 126:
		return nil, nil, bad("mandoc failed with it: " + strings.TrimSpace(said))
	default:
		return nil, nil, &ToolError{err}
	}
	return out.Bytes(), skippedNotes(said), nil
}

// killed reports whether the limit on processor time ended the process.
func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	s, ok := exit.Sys().(syscall.WaitStatus)
	return ok && s.Signaled() && (s.Signal() == syscall.SIGXCPU || s.Signal() == syscall.SIGKILL)
}

// limitedBuffer keeps the first bytes written to it and calls full when there are more.
type limitedBuffer struct {
	bytes.Buffer
	left     int
	overflow bool
	full     func()
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := len(p)
	if n > b.left {
		p, b.overflow = p[:b.left], true
		b.full()
	}
	b.left -= len(p)
	b.Buffer.Write(p)
	return n, nil
}

// note takes a message of mandoc apart: "mandoc: <stdin>:9:2: ERROR: skipping ...".
func note(message string) (line int, text string, ok bool) {
	_, rest, ok := strings.Cut(message, "<stdin>:")
	if !ok {
		return 0, "", false
	}
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) < 3 {
		return 0, "", false
	}
	line, err := strconv.Atoi(parts[0])
	return line - preludeLines, strings.TrimSpace(parts[2]), err == nil
}

func firstNote(said, containing string) string {
	for m := range strings.Lines(said) {
		if line, text, ok := note(m); ok && strings.Contains(text, containing) {
			return fmt.Sprintf("line %d: %s", line, text)
		}
	}
	return containing
}

// skippedNotes returns what mandoc says it left out of the page.
func skippedNotes(said string) []string {
	var out []string
	for m := range strings.Lines(said) {
		line, text, ok := note(m)
		text = strings.TrimPrefix(strings.TrimPrefix(text, "ERROR: "), "UNSUPP: ")
		if ok && (strings.HasPrefix(text, "skipping") || strings.HasPrefix(text, "unsupported")) {
			out = append(out, fmt.Sprintf("line %d: mandoc is %s", line, describe(text)))
		}
	}
	return out
}

// describe makes mandoc's words fit for the middle of a sentence.
func describe(text string) string {
	if rest, ok := strings.CutPrefix(text, "unsupported"); ok {
		return "passing over an unsupported" + rest
	}
	return text
}
