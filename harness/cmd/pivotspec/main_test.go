package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pivotspec/harness/lab/labtest"
	"pivotspec/kernels"
	"pivotspec/results/explain"
	"pivotspec/suites/record"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"pivotspec": main,
		"fakeqemu":  fakeQEMU,
	})
}

// TestScripts runs the scripts in testdata. Beside testscript's own commands they have
//
//	status N COMMAND ...      run a command that has to end with exit status N; `pivotspec explain` has to know
//	                          every error line of it
//	lines stdout|stderr N     the last command printed so many lines there
//	fakekernel RELEASE FILE   make a file that looks like a kernel of that release
//	recorded DIR              make a folder with the records of real boots of 6.19 and 7.0
//	edit FILE OLD NEW         replace the first OLD in FILE
//
// and an environment of their own: an empty cache, $KERNELS as the one with real kernels,
// $GUEST as a file that passes for a guest binary, $TOOLS as a PATH with pivotspec alone, and
// $FAKE as one whose QEMU is fake: what it does is told by the kernel's file name.
func TestScripts(t *testing.T) {
	recorded := sync.OnceValues(func() (string, error) { return recordRun(t) })
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup:               func(e *testscript.Env) error { return setup(e) },
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "mount": // root alone is not enough in a container
				return exec.Command("unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt").Run() == nil, nil
			case "namespaces": // in which `run host` keeps the suite apart
				return exec.Command("unshare", "--mount", "--pid", "--ipc", "--fork", "true").Run() == nil, nil
			case "user-namespaces":
				return exec.Command("setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all",
					"unshare", "--user", "--mount", "--pid", "--ipc", "--fork", "true").Run() == nil, nil
			case "keyring": // of Debian's archive
				keys, err := filepath.Glob("/usr/share/keyrings/debian-archive-keyring.*")
				return len(keys) > 0, err
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				err = ts.Exec(args[1], args[2:]...)
				got := 0
				if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
					got = exit.ExitCode()
				} else {
					ts.Check(err)
				}
				if got != want {
					ts.Fatalf("exit status %d, want %d", got, want)
				}
				for line := range strings.Lines(ts.ReadFile("stderr")) {
					if complains(line) && len(explain.Kinds(line)) == 0 {
						ts.Fatalf("`pivotspec explain` knows nothing of the line %q: results/explain/lines.yaml needs a kind that matches it", strings.TrimSpace(line))
					}
				}
			},
			"lines": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[1])
				ts.Check(err)
				if got := strings.Count(ts.ReadFile(args[0]), "\n"); got != want {
					ts.Fatalf("%s has %d lines, want %d", args[0], got, want)
				}
			},
			"fakekernel": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), labtest.Kernel(args[0]), 0o644))
			},
			"recorded": func(ts *testscript.TestScript, _ bool, args []string) {
				dir, err := recorded()
				ts.Check(err)
				ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(dir)))
			},
			"edit": func(ts *testscript.TestScript, _ bool, args []string) {
				text := ts.ReadFile(args[0])
				if !strings.Contains(text, args[1]) {
					ts.Fatalf("%s has no %q", args[0], args[1])
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
			},
		},
	})
}

// complains says whether a line is one that the program prints about what went wrong.
func complains(line string) bool {
	return strings.HasPrefix(line, "pivotspec: ") || strings.HasPrefix(line, "cell ") && !strings.Contains(line, "for the same reason")
}

func setup(e *testscript.Env) error {
	env, err := environment(e.WorkDir)
	if err != nil {
		return err
	}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		e.Setenv(name, value)
	}
	return nil
}

// environment makes in dir what the scripts and the tests of signals share, and returns the
// variables that lead there.
func environment(dir string) ([]string, error) {
	cache, err := kernels.DefaultDir()
	if err != nil {
		return nil, err
	}
	self, err := exec.LookPath("pivotspec")
	if err != nil {
		return nil, err
	}
	fake := filepath.Join(dir, "fake")
	guest := filepath.Join(dir, "guest")
	err = errors.Join(
		os.MkdirAll(fake, 0o755),
		os.WriteFile(filepath.Join(fake, "qemu-system-x86_64"), []byte("#!/bin/sh\nexec fakeqemu \"$@\"\n"), 0o755),
		os.WriteFile(guest, labtest.Guest(), 0o755),
	)
	return []string{
		"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "KERNELS=" + cache, "GUEST=" + guest,
		"ARCH=" + runtime.GOARCH, "GOCACHE=" + goCache(), "TOOLS=" + filepath.Dir(self), "FAKE=" + fake + ":" + os.Getenv("PATH"),
	}, err
}

// goCache returns the folder of the go command's cache: with an empty one, building a guest means
// building the standard library. It is "" without Go, which is also what that variable means then.
var goCache = sync.OnceValue(func() string {
	out, _ := exec.Command("go", "env", "GOCACHE").Output()
	return strings.TrimSpace(string(out))
})

// recordRun boots 6.19 and 7.0 and returns the folder of their records, with evidence.
func recordRun(t *testing.T) (string, error) {
	dir := filepath.Join(t.TempDir(), "records")
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, "pivotspec", "run", "6.19", "7.0", "--evidence", "--out", dir).CombinedOutput()
	// What the kernels do is for the tests of the suite to say; here all must have been said.
	if e := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &e) || e.ExitCode() != 1) {
		return "", fmt.Errorf("real boots of 6.19 and 7.0 (-short goes without): %w\n%s", err, out)
	}
	return dir, nil
}

// fakeQEMU stands in for QEMU. What its guest does is told by the name of the kernel's file:
// hang... says a little and nothing more, panic... panics, big... says a lot, any other
// reports in full, if little.
func fakeQEMU() {
	at := slices.Index(os.Args, "-kernel")
	mode := filepath.Base(os.Args[at+1])
	seq := 0
	send := func(r *record.Record) {
		b, err := record.AppendFrame(nil, seq, r)
		if err != nil {
			panic(err)
		}
		seq++
		fmt.Printf("%s\r\n", bytes.TrimRight(b, "\n"))
	}
	fmt.Print("[    0.000000] Linux version of a fake\r\n")
	send(&record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: []string{}})
	switch {
	case strings.HasPrefix(mode, "hang"):
		time.Sleep(24 * time.Hour) // not select, which Go takes for a deadlock without cgo
	case strings.HasPrefix(mode, "panic"):
		fmt.Print("[    1.000000] Kernel panic - not syncing: fake\r\n")
		return
	case strings.HasPrefix(mode, "big"):
		send(&record.Record{Type: record.TypeNote, Why: strings.Repeat("big ", 4096)})
	}
	send(&record.Record{Type: record.TypeEnd})
	fmt.Print("[    2.000000] reboot: Power down\r\n")
}
