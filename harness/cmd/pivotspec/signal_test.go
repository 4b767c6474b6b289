package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pivotspec/harness/lab/labtest"
	"pivotspec/results/cell"
)

// session is a pivotspec that runs as a user's would, and all processes that it starts,
// told by a variable in their environment.
type session struct {
	t              *testing.T
	dir, mark      string
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

// begin starts pivotspec in a folder of its own. Its end is awaited when the test ends.
func begin(t *testing.T, dir string, env []string, args ...string) *session {
	t.Helper()
	return beginAs(t, dir, env, "pivotspec", args...)
}

// beginAs is begin by way of another program.
func beginAs(t *testing.T, dir string, env []string, name string, args ...string) *session {
	t.Helper()
	return beginTo(t, dir, env, nil, name, args...)
}

// beginTo is beginAs with another place for the standard error, if it is not nil.
func beginTo(t *testing.T, dir string, env []string, stderr io.Writer, name string, args ...string) *session {
	t.Helper()
	s := &session{t: t, dir: dir, mark: fmt.Sprintf("PIVOTSPEC_TEST_SESSION=%d-%s", os.Getpid(), t.Name())}
	s.cmd = exec.Command(name, args...)
	s.cmd.Dir = dir
	s.cmd.Env = append(append(os.Environ(), env...), s.mark)
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, &s.stderr
	if stderr != nil {
		s.cmd.Stderr = stderr
	}
	// A copy of the output held open by a process left behind must not hold up the test.
	s.cmd.WaitDelay = time.Second
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		for _, pid := range s.processes("") {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("stdout:\n%s\nstderr:\n%s", &s.stdout, &s.stderr)
		}
	})
	return s
}

// processes returns the living processes of the session that have word on their command line.
func (s *session) processes(word string) (pids []int) {
	s.t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range dirs {
		env, _ := os.ReadFile(d + "/environ") // empty for a zombie
		args, _ := os.ReadFile(d + "/cmdline")
		if slices.Contains(strings.Split(string(env), "\x00"), s.mark) && strings.Contains(string(args), word) {
			var pid int
			fmt.Sscanf(d, "/proc/%d", &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}

// await waits until ok, for as long as a slow machine may need.
func (s *session) await(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (s *session) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for pivotspec and returns its exit status, or minus the signal that killed it.
// Nothing of the session may be left then.
func (s *session) end() int {
	s.t.Helper()
	status := 0
	err := s.cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
		if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() {
			status = -int(ws.Signal())
		}
	} else if err != nil {
		s.t.Error(err)
	}
	if status < 0 {
		// The kernel kills the guests of a killed pivotspec; that is not instantaneous.
		s.await("the end of all processes", func() bool { return len(s.processes("")) == 0 })
	}
	if left := s.processes(""); len(left) > 0 {
		s.t.Errorf("processes are left behind: %v", left)
	}
	return status
}

func (s *session) exists(name string) bool {
	_, err := os.Stat(filepath.Join(s.dir, name))
	return err == nil
}

// cells returns what the folder out holds, as "NAME STATUS REASON".
func (s *session) cells() (out []string) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "out", "*"+cell.Extension))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		c, err := cell.Read(f)
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s %s", c.Name, c.Status, c.Reason))
	}
	return out
}

// check compares what the cells are with patterns of filepath.Match.
func (s *session) check(want ...string) {
	s.t.Helper()
	got := s.cells()
	if len(got) != len(want) {
		s.t.Fatalf("%d cells, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		// a slash is nothing special here
		if ok, err := filepath.Match(want[i], strings.ReplaceAll(got[i], "/", " ")); err != nil || !ok {
			s.t.Errorf("cell %q, want %q", got[i], want[i])
		}
	}
}

// TestInterrupt: with a guest done, one running and one that waits, each signal that asks
// for the end stops the guest, keeps what there is, and prints the report.
func TestInterrupt(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			if signal.Ignored(sig) {
				t.Skipf("%v is ignored here, as under nohup, and what is started here ignores it too", sig)
			}
			t.Parallel()
			dir := t.TempDir()
			env := fakeMachine(t, dir, map[string]string{"a": "7.0.1-test", "hang": "7.0.2-test", "z": "7.0.3-test"})
			s := begin(t, dir, env, "run", "--accel", "tcg", "--guest", "guest", "--jobs", "1", "--out", "out", "./a", "./hang", "./z")
			s.await("the second guest", func() bool { return len(s.processes(dir+"/hang\x00")) > 0 && s.exists("out/7.0.1-test-amd64.jsonl") })
			s.signal(sig)
			if got := s.end(); got != exitHarness {
				t.Errorf("exit status %d, want %d", got, exitHarness)
			}
			s.check("7.0.1-test-amd64 complete ", "7.0.2-test-amd64 broken interrupted", "7.0.3-test-amd64 unavailable interrupted before it began")
			if !strings.Contains(s.stdout.String(), "1 of 3 cells complete") {
				t.Error("the report was not printed")
			}
			if want := "pivotspec: interrupted; what was recorded until then is in out: see it with `pivotspec report out`\n"; !strings.HasSuffix(s.stderr.String(), want) {
				t.Errorf("stderr does not end with %q", want)
			}
		})
	}
}

// TestInterruptReal is TestInterrupt with real guests, the second by its path.
func TestInterruptReal(t *testing.T) {
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	image := realImage(t, "7.0")
	dir := t.TempDir()
	for _, name := range []string{"one", "two"} {
		b, err := os.ReadFile(image)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := begin(t, dir, nil, "run", "--jobs", "1", "--out", "out", "7.0", "./one", "./two")
	s.await("the first cell", func() bool { return s.exists("out/7.0-amd64.jsonl") })
	s.await("the second guest", func() bool { return len(s.processes("qemu-system-x86_64\x00")) > 0 })
	s.signal(syscall.SIGINT)
	// 1 if the suite and the ledger do not agree on 7.0: for others to tell.
	if got := s.end(); got != exitHarness && got != 1 {
		t.Errorf("exit status %d, want %d", got, exitHarness)
	}
	s.check("7.0-amd64 complete ", "7.0.*-amd64-2 unavailable interrupted before it began", "7.0.*-amd64 broken interrupted")
	if !strings.Contains(s.stdout.String(), "1 of 3 cells complete") {
		t.Error("the report was not printed")
	}
}

// TestKilled: a pivotspec that is killed takes its real guests with it, and its report says
// what is lacking.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	realImage(t, "7.0")
	dir := t.TempDir()
	// What an earlier run recorded of the same cell must not stand for it.
	if _, err := cell.Write(filepath.Join(dir, "out"), &cell.Cell{Name: "6.19-amd64", Series: "6.19", Arch: "amd64", Status: cell.Complete}); err != nil {
		t.Fatal(err)
	}
	s := begin(t, dir, nil, "run", "--jobs", "2", "--out", "out", "6.19", "7.0")
	s.await("two guests", func() bool { return len(s.processes("qemu-system-x86_64\x00")) > 1 })
	s.signal(syscall.SIGKILL)
	if got := s.end(); got != -int(syscall.SIGKILL) {
		t.Errorf("exit status %d", got)
	}
	r := begin(t, dir, nil, "report", "out")
	if got := r.end(); got != exitHarness {
		t.Errorf("exit status %d of the report, want %d", got, exitHarness)
	}
	if want := "6.19-amd64, 7.0-amd64: broken: planned, and nothing was recorded"; !strings.Contains(r.stdout.String(), want) {
		t.Errorf("the report does not say %q:\n%s", want, &r.stdout)
	}
}

// TestInterruptEarly: the end can come while kernels are fetched, or while the guest is
// built. Then no cell has begun, and all say so.
func TestInterruptEarly(t *testing.T) {
	for _, c := range []struct {
		name, tool, script string
		args               []string
		cells              []string
	}{
		{"fetching", "apt-get", aptHangs, []string{"6.19", "7.0"}, []string{"6.19-amd64", "7.0-amd64"}},
		{"building", "go", "exec sleep 1000", []string{"./hang"}, []string{"7.0.2-test-amd64"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			env := fakeMachine(t, dir, map[string]string{"hang": "7.0.2-test"})
			fakeTool(t, dir, c.tool, c.script)
			s := begin(t, dir, env, append([]string{"run", "--accel", "tcg", "--out", "out"}, c.args...)...)
			s.await(c.tool, func() bool { return len(s.processes("sleep\x00")) > 0 })
			s.signal(syscall.SIGINT)
			if got := s.end(); got != exitHarness {
				t.Errorf("exit status %d, want %d", got, exitHarness)
			}
			var want []string
			for _, name := range c.cells {
				want = append(want, name+" unavailable interrupted before it began")
			}
			s.check(want...)
			if !strings.Contains(s.stdout.String(), "nothing was observed") || !strings.Contains(s.stderr.String(), "pivotspec: interrupted;") {
				t.Error("the report, or the line about the interruption, is not there")
			}
		})
	}
}

// aptHangs names a mirror and then hangs.
const aptHangs = `case "$*" in
*-c*) exec sleep 1000;;
*) echo 'http://mirror.example/debian/|Debian|Debian';;
esac`

// TestInterruptTwice: who asks again is not kept waiting for what does not end.
func TestInterruptTwice(t *testing.T) {
	dir := t.TempDir()
	env := fakeMachine(t, dir, nil)
	// An apt that does not heed the signal, and says that it got it.
	fakeTool(t, dir, "apt-get", `case "$*" in
*-c*) trap ': >heard' INT; while :; do sleep 1000 & wait; kill $!; done;;
*) echo 'http://mirror.example/debian/|Debian|Debian';;
esac`)
	s := begin(t, dir, env, "run", "--out", "out", "7.0")
	s.await("apt", func() bool { return len(s.processes("sleep\x00")) > 0 })
	s.signal(syscall.SIGINT)
	s.await("the signal's arrival", func() bool { return s.exists("heard") })
	// The first signal is not yet let go of when it is passed on, so one may be lost.
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				s.cmd.Process.Signal(syscall.SIGINT)
			}
		}
	}()
	err := s.cmd.Wait()
	close(done)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("got %v, want the end by the second signal", err)
	}
	s.await("the end of apt", func() bool { return len(s.processes("apt-get")) == 0 })
}

// TestIgnoredSignal: a signal that whoever started the program has it ignore, as nohup(1)
// does with SIGHUP, ends nothing.
func TestIgnoredSignal(t *testing.T) {
	dir := t.TempDir()
	env := fakeMachine(t, dir, map[string]string{"hang": "7.0.2-test"})
	s := beginAs(t, dir, env, "sh", "-c", "trap '' HUP; exec pivotspec run --accel tcg --guest guest --out out ./hang")
	s.await("the guest", func() bool { return len(s.processes(dir+"/hang\x00")) > 0 })
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var ignored uint64
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "SigIgn: %x", &ignored)
	}
	if ignored&1 == 0 { // bit 0 is signal 1
		t.Errorf("SIGHUP is no longer ignored: SigIgn is %x", ignored)
	}
	s.signal(syscall.SIGTERM)
	s.end()
}

// TestTwoRuns: two runs into one folder would make a report of both.
func TestTwoRuns(t *testing.T) {
	dir := t.TempDir()
	env := fakeMachine(t, dir, map[string]string{"hang": "7.0.2-test", "ok": "7.0.1-test"})
	args := []string{"run", "--accel", "tcg", "--guest", "guest", "--out", "out"}
	s := begin(t, dir, env, append(args, "./hang")...)
	s.await("the guest", func() bool { return len(s.processes(dir+"/hang\x00")) > 0 })
	second := exec.Command("pivotspec", append(args, "./ok")...)
	second.Dir, second.Env = dir, s.cmd.Env
	out, err := second.CombinedOutput()
	want := "pivotspec: cannot write records into out: another pivotspec is doing so; wait for its end or name another folder with --out\n"
	if second.ProcessState.ExitCode() != exitHarness || string(out) != want {
		t.Errorf("%v\ngot  %q\nwant %q", err, out, want)
	}
	s.signal(syscall.SIGINT)
	s.end()
	s.check("7.0.2-test-amd64 broken interrupted")
}

// fakeMachine makes in dir a fake QEMU, a guest and kernels (file name and release) for it,
// and returns the environment to use them in.
func fakeMachine(t *testing.T, dir string, kernels map[string]string) []string {
	t.Helper()
	env, err := environment(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, release := range kernels {
		if err := os.WriteFile(filepath.Join(dir, name), labtest.Kernel(release), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return append(env, "PATH="+filepath.Join(dir, "fake")+":"+os.Getenv("PATH"))
}

// fakeTool puts a shell script in front of the fake machine's PATH.
func fakeTool(t *testing.T, dir, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "fake", name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// realImage returns the path of a kernel's image in the user's cache, and sees to it that
// 6.19 and 7.0 are there.
func realImage(t *testing.T, series string) string {
	t.Helper()
	if out, err := exec.Command("pivotspec", "kernels", "fetch", "6.19", "7.0").CombinedOutput(); err != nil {
		t.Fatalf("a real boot needs kernels: %v; `make test` fetches them, -short goes without\n%s", err, out)
	}
	cache, err := environment(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range cache {
		if dir, ok := strings.CutPrefix(v, "KERNELS="); ok {
			images, err := filepath.Glob(filepath.Join(dir, "kernels/amd64", series+"-cloud-amd64", "*/image"))
			if err != nil || len(images) == 0 {
				t.Fatalf("no image of %s in %s: %v", series, dir, err)
			}
			return images[0]
		}
	}
	panic("environment has no KERNELS")
}

// TestResume: a run that was killed goes on. Cells that are complete and the same are kept, byte for byte;
// what runs again is what did not end, and what has another kernel or guest.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	env := fakeMachine(t, dir, map[string]string{"a": "7.0.1-test", "b": "7.0.2-test", "hang": "7.0.3-test", "z": "7.0.4-test"})
	args := []string{"run", "--accel", "tcg", "--guest", "guest", "--jobs", "1", "--out", "out"}
	all := append(slices.Clone(args), "./a", "./b", "./hang", "./z")
	s := begin(t, dir, env, all...)
	s.await("the third guest", func() bool {
		return len(s.processes(dir+"/hang\x00")) > 0 && s.exists("out/7.0.2-test-amd64.jsonl")
	})
	s.signal(syscall.SIGKILL)
	s.end()
	s.check("7.0.1-test-amd64 complete ", "7.0.2-test-amd64 complete ")
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// mark makes a record known again that is kept as it is.
	mark := func(name string) {
		t.Helper()
		text := strings.Replace(read(name), `"wall_ms":`, `"wall_ms":7`, 1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mended := labtest.Kernel("7.0.3-test")
	for _, c := range []struct {
		name   string
		change func()
		args   []string
		status int
		says   string
		kept   []string
	}{
		{"the kernel that hung was mended, and nothing is named", func() {
			os.Remove(filepath.Join(dir, "hang"))
			os.WriteFile(filepath.Join(dir, "mended"), mended, 0o644)
			os.Symlink("mended", filepath.Join(dir, "hang"))
			// QEMU is told the name of the file, by which the fake one goes.
			text := strings.ReplaceAll(read("out/plan.json"), "/hang", "/mended")
			os.WriteFile(filepath.Join(dir, "out/plan.json"), []byte(text), 0o644)
		}, []string{"run", "--resume", "--out", "out", "--jobs", "1"}, exitHarness,
			"resumed: 2 of 4 cells kept, the others run (2: it did not end)\n", []string{"7.0.1-test-amd64", "7.0.2-test-amd64"}},
		{"all is done", nil, []string{"run", "--resume", "--out", "out"}, exitHarness,
			"resumed: 4 of 4 cells kept\n", []string{"7.0.1-test-amd64", "7.0.2-test-amd64", "7.0.3-test-amd64", "7.0.4-test-amd64"}},
		{"more is asked for", func() { os.WriteFile(filepath.Join(dir, "more"), labtest.Kernel("7.0.5-test"), 0o644) },
			append(slices.Clone(args), "--resume", "./a", "./b", "./mended", "./z", "./more"), exitHarness,
			"resumed: 4 of 5 cells kept, the others run (1: it did not end)\n", []string{"7.0.1-test-amd64", "7.0.4-test-amd64"}},
		{"less is asked for", nil, append(slices.Clone(args), "--resume", "./a", "./b"), exitUsage,
			"pivotspec: --resume: the run in out has 7.0.3-test-amd64, 7.0.4-test-amd64, 7.0.5-test-amd64, which would not be run now; give the same as then, or leave --resume out\n", nil},
		{"a part of it is asked for", nil, append(slices.Clone(args), "--resume", "./a", "--shard", "1/2"), exitUsage,
			"pivotspec: --resume: the run in out was no shard, and this is shard 1/2; give the same as then, or leave --resume out\n", nil},
		{"a kernel is another", func() { os.WriteFile(filepath.Join(dir, "b"), append(labtest.Kernel("7.0.2-test"), 0), 0o644) },
			[]string{"run", "--resume", "--out", "out"}, exitHarness,
			"resumed: 4 of 5 cells kept, the others run (1: the kernel is not known to be the same)\n", []string{"7.0.1-test-amd64"}},
		{"a record is damaged", func() {
			text := read("out/7.0.4-test-amd64.jsonl")
			os.WriteFile(filepath.Join(dir, "out/7.0.4-test-amd64.jsonl"), []byte(text[:len(text)-9]), 0o644)
		},
			[]string{"run", "--resume", "--out", "out"}, exitHarness,
			"resumed: 4 of 5 cells kept, the others run (1: its records cannot be read)\n", []string{"7.0.1-test-amd64"}},
		{"a record was cut off between two lines", func() {
			text := strings.TrimSuffix(read("out/7.0.4-test-amd64.jsonl"), "\n")
			os.WriteFile(filepath.Join(dir, "out/7.0.4-test-amd64.jsonl"), []byte(text[:strings.LastIndex(text, "\n")+1]), 0o644)
		},
			[]string{"run", "--resume", "--out", "out"}, exitHarness,
			"resumed: 4 of 5 cells kept, the others run (1: its records stop before the end)\n", []string{"7.0.1-test-amd64"}},
		{"evidence is wanted", nil,
			append(slices.Clone(args), "--resume", "--evidence", "./a", "./b", "./mended", "./z", "./more"), exitHarness,
			"resumed: 0 of 5 cells kept, the others run (5: it was booted in another way)\n", nil},
		{"evidence was wanted", nil, []string{"run", "--resume", "--out", "out"}, exitHarness,
			"resumed: 5 of 5 cells kept\n", []string{"7.0.1-test-amd64"}},
		{"the guest is another", func() { os.WriteFile(filepath.Join(dir, "guest"), append(labtest.Guest(), 0), 0o755) },
			[]string{"run", "--resume", "--out", "out"}, exitHarness,
			"resumed: 0 of 5 cells kept, the others run (5: the guest is another)\n", nil},
		{"from the start", nil, append(slices.Clone(args), "./a"), exitHarness, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change()
			}
			for _, name := range c.kept {
				mark("out/" + name + cell.Extension)
			}
			before := map[string]string{}
			for _, name := range c.kept {
				before[name] = read("out/" + name + cell.Extension)
			}
			plan := read("out/plan.json")
			r := begin(t, dir, env, c.args...)
			if got := r.end(); got != c.status {
				t.Errorf("exit status %d, want %d", got, c.status)
			}
			if got := r.stderr.String(); got != c.says {
				t.Errorf("stderr\n%s\nwant\n%s", got, c.says)
			}
			for name, was := range before {
				if read("out/"+name+cell.Extension) != was {
					t.Errorf("%s was not kept as it was", name)
				}
			}
			if c.status == exitUsage && read("out/plan.json") != plan {
				t.Error("a refused run changed the plan")
			}
			for _, line := range r.cells() {
				if !strings.Contains(line, " complete ") {
					t.Error(line)
				}
			}
		})
	}
}

// TestResumeReal: a run of real kernels that is killed after the first goes on with the second.
func TestResumeReal(t *testing.T) {
	if testing.Short() {
		t.Skip("real boots take too long for -short")
	}
	realImage(t, "7.0")
	dir := t.TempDir()
	s := begin(t, dir, nil, "run", "--jobs", "1", "--out", "out", "6.19", "7.0")
	s.await("the second guest", func() bool {
		return s.exists("out/6.19-amd64.jsonl") && len(s.processes("qemu-system-x86_64\x00")) > 0
	})
	s.signal(syscall.SIGKILL)
	s.end()
	s.check("6.19-amd64 complete ")
	first, err := os.ReadFile(filepath.Join(dir, "out/6.19-amd64.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, dir, nil, "run", "--resume", "--out", "out")
	// 1 if the suite and the ledger do not agree on a kernel: for others to tell.
	if got := r.end(); got != 0 && got != 1 {
		t.Errorf("exit status %d", got)
	}
	r.check("6.19-amd64 complete ", "7.0-amd64 complete ")
	if got, err := os.ReadFile(filepath.Join(dir, "out/6.19-amd64.jsonl")); err != nil || !bytes.Equal(got, first) {
		t.Errorf("6.19 was not kept: %v", err)
	}
	if !strings.Contains(r.stderr.String(), "resumed: 1 of 2 cells kept, the others run (1: it did not end)\n") || !strings.Contains(r.stdout.String(), "2 of 2 cells complete") {
		t.Errorf("stderr:\n%s", &r.stderr)
	}
}
