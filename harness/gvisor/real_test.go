package gvisor_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pivotspec/harness/arch"
	"pivotspec/harness/backend"
	"pivotspec/harness/gvisor"
	"pivotspec/harness/lab"
	"pivotspec/images"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/contain"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// real returns gVisor with a runsc from the user's cache. A test that has none is skipped: to build it
// takes minutes and, the first time, the network.
func real(t *testing.T) (b *gvisor.Backend, program backend.Program) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("runsc takes root")
	}
	if !contain.Rooted() {
		t.Skipf("the root: %v", contain.ErrNotRooted)
	}
	l, err := lab.Open("", "")
	if err != nil {
		t.Fatal(err)
	}
	b = &gvisor.Backend{Dir: filepath.Join(l.Dir, gvisor.Name), Go: "/nothing/to/build/with"}
	if _, err := b.Prepare(t.Context(), func(string) {}); err != nil {
		t.Skipf("runsc of this pin is not in the cache; `pivotspec kernels fetch gvisor` builds it (%v)", err)
	}
	image, err := l.Images.Guest(t.Context(), images.Target{Name: "own"})
	if err != nil {
		t.Fatal(err)
	}
	return b, backend.Program{
		Binary: image.Binary, Dir: t.TempDir(), Limits: arch.Limits{Silence: 60 * time.Second, Total: 300 * time.Second},
	}
}

// TestReal: gVisor does what is recorded of it, the same each time, and leaves nothing behind.
func TestReal(t *testing.T) {
	b, program := real(t)
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	mounts := table(t)
	var first map[string]string
	for n := range 3 {
		rep, err := b.Guest(program).Run(t.Context())
		if err != nil {
			t.Fatalf("%v: %+v", err, rep)
		}
		c := &cell.Cell{Name: "gvisor-amd64", Arch: "amd64", Backend: gvisor.Name, Status: cell.Complete, Records: rep.Records}
		j, err := verdict.Judge(base, []*cell.Cell{c}, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range j.Cells[0].Results {
			switch r.Verdict {
			case verdict.Conforms, verdict.Deviation, verdict.Silent, verdict.Unsupported:
			default:
				t.Errorf("run %d: %s is %s: %v", n, r.Behaviour, r.Verdict, r.Wrong)
			}
		}
		if n == 0 {
			alive(t, j.Cells[0])
		}
		if got := j.Exit(); got != verdict.ExitOK {
			t.Errorf("run %d: exit status %d, %s %s", n, got, j.Cells[0].Status, j.Cells[0].Reason)
		}
		seen := observations(rep.Records)
		if first == nil {
			first = seen
		}
		if !maps.Equal(first, seen) {
			for id := range first {
				if first[id] != seen[id] {
					t.Errorf("%s was %s, and in run %d is %s", id, first[id], n, seen[id])
				}
			}
		}
	}
	if after := table(t); after != mounts {
		t.Errorf("mounts before:\n%s\nand after:\n%s", mounts, after)
	}
}

// alive checks that nothing that is known of gVisor is dead: what it is to do otherwise was observed,
// and what is said to need what it lacks was not.
func alive(t *testing.T, c *verdict.CellResult) {
	t.Helper()
	for _, e := range c.Implementation.Ledger {
		if r := c.Result(e.Behaviour); r == nil || r.Outcome == "" {
			t.Errorf("%s is in the ledger and was not observed: %+v", e.Behaviour, r)
		}
	}
	for _, l := range c.Implementation.Lacks {
		for _, id := range l.Behaviours {
			if r := c.Result(id); r == nil || r.Verdict != verdict.Unsupported {
				t.Errorf("%s is said to need %s and was observed without: %+v", id, l.Feature, r)
			}
		}
	}
}

func observations(records []*record.Record) map[string]string {
	out := map[string]string{}
	for _, r := range records {
		if r.Type == record.TypeObservation {
			out[r.ID] = fmt.Sprint(r.Status, " ", r.Outcome, " ", r.Facts, " ", r.Why)
		}
	}
	return out
}

func table(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// killedVar makes the test run a sandbox until it is killed.
const killedVar = "PIVOTSPEC_TEST_REAL_DIR"

// TestRealKilled: a harness that is killed takes the sandbox and everything beside it along, in
// whatever part of its life.
func TestRealKilled(t *testing.T) {
	b, program := real(t)
	if dir := os.Getenv(killedVar); dir != "" {
		program.Dir = dir
		for {
			_, _ = b.Guest(program).Run(context.Background())
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	mounts := table(t)
	// The names that runsc's processes go by, in the order in which they come.
	for _, until := range []string{"run", "runsc-gofer", "runsc-sandbox", "exe"} {
		t.Run(until, func(t *testing.T) {
			cmd := exec.Command(self, "-test.run=^TestRealKilled$")
			cmd.Env = append(os.Environ(), killedVar+"="+program.Dir)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var all map[int]string
			wait(t, until+" runs", func() bool {
				all = descendants(cmd.Process.Pid)
				for _, words := range all {
					if strings.Contains(words, until) {
						return true
					}
				}
				return false
			})
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			wait(t, "all are gone", func() bool {
				for pid := range all {
					if runs(pid) {
						return false
					}
				}
				return len(mentioning(program.Dir)) == 0
			})
		})
	}
	if after := table(t); after != mounts {
		t.Errorf("mounts before:\n%s\nand after:\n%s", mounts, after)
	}
}

// descendants returns the processes below one, with their command lines.
func descendants(pid int) map[int]string {
	parent, words := map[int]int{}, map[int]string{}
	for _, id := range processes() {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
		_, rest, ok := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); err == nil && ok && len(f) > 1 {
			parent[id], _ = strconv.Atoi(f[1])
		}
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id))
		words[id] = strings.ReplaceAll(string(b), "\x00", " ")
	}
	out := map[int]string{}
	for id := range parent {
		for p := parent[id]; p > 1; p = parent[p] {
			if p == pid {
				out[id] = words[id]
				break
			}
		}
	}
	return out
}

func processes() []int {
	var out []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		if id, err := strconv.Atoi(filepath.Base(d)); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// mentioning returns the processes with a text in their command lines.
func mentioning(text string) []int {
	var out []int
	for _, id := range processes() {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id)); err == nil && strings.Contains(string(b), text) {
			out = append(out, id)
		}
	}
	return out
}

// runs reports whether a process runs: whoever adopts it need not have waited for it.
func runs(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, ok := strings.Cut(string(b), ") ")
	return err == nil && ok && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	for start := time.Now(); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > 60*time.Second {
			t.Fatalf("not within 60 s: %s", what)
		}
	}
}
