package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/spec"
)

// TestMain lets the test's own program be the suite that [supervise] starts, which does what
// the environment says.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == suiteArg {
		pretend(os.Getenv("PRETEND"), os.Args[2])
	}
	os.Exit(m.Run())
}

// pretend is a suite that does not do what it should.
func pretend(what, first string) {
	c, err := openConsole(os.NewFile(4, "console"), 3)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if i, err := strconv.Atoi(first); err != nil || i != 1 {
		fmt.Fprintln(os.Stderr, "begins with", first)
		os.Exit(1)
	}
	begin := func(i int64) { c.state.current.Store(i) }
	report := func(id string) {
		c.send(&record.Record{Type: record.TypeObservation, ID: id, Status: record.Observed, Outcome: record.OK})
		begin(noSpec)
	}
	switch what {
	case "done":
		begin(1)
		report("a/b")
		_, _ = os.NewFile(5, "done").Write([]byte{1})
		// It stays, with its parked worlds, until the test that started it ends.
		time.Sleep(time.Hour)
	case "die early":
		fmt.Fprintln(os.Stderr, "no luck")
		os.Exit(3)
	case "die":
		begin(1)
		report("a/b")
		begin(2)
		fmt.Fprintln(os.Stderr, "no luck")
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	case "die late":
		begin(3)
		report("a/d")
		os.Exit(4)
	case "exit":
		begin(2)
		os.Exit(0)
	case "hang":
		begin(1)
		report("a/b")
		begin(2)
		time.Sleep(time.Hour)
	}
	os.Exit(0)
}

// shared is a console on a file and the memory behind it.
func shared(t *testing.T) (c *console, fd int, out string) {
	t.Helper()
	fd, err := newShared()
	if err != nil {
		t.Fatal(err)
	}
	out = filepath.Join(t.TempDir(), "console")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	c, err = openConsole(f, fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return c, fd, out
}

func collect(t *testing.T, out string) *record.Collector {
	t.Helper()
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var c record.Collector
	if err := c.Read(f); err != nil {
		t.Fatal(err)
	}
	return &c
}

func TestConsole(t *testing.T) {
	for _, again := range []bool{false, true} {
		c, fd, out := shared(t)
		// The suite's console, on the same memory.
		other, err := openConsole(c.out, fd)
		if err != nil {
			t.Fatal(err)
		}
		c.send(&record.Record{Type: record.TypePlan, Plan: []string{"a/b"}})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { other.send(&record.Record{Type: record.TypeNote, Why: strconv.Itoa(i)}) })
		}
		wg.Wait()
		c.end(again)
		c.send(&record.Record{Type: record.TypeNote, Why: "behind the end"})
		other.send(&record.Record{Type: record.TypeNote, Why: "behind the end"})

		got := collect(t, out)
		if err := got.Err(); err != nil || len(got.Records()) != 22 {
			t.Errorf("again %v: %d records, %v", again, len(got.Records()), err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		want := 22
		if again {
			want += 21 // all but the end
		}
		if n := strings.Count(string(text), "@pivotspec "); n != want {
			t.Errorf("again %v: %d frames were printed, want %d", again, n, want)
		}
	}
}

// TestConsoleFull: what no longer fits into the memory is sent, and only not sent again.
func TestConsoleFull(t *testing.T) {
	c, _, out := shared(t)
	c.send(&record.Record{Type: record.TypePlan})
	const size = 512 << 10
	for range sharedSize/size + 2 {
		c.send(&record.Record{Type: record.TypeNote, Why: strings.Repeat("x", size)})
	}
	c.end(true)
	got := collect(t, out)
	if err := got.Err(); err != nil || len(got.Records()) != sharedSize/size+4 {
		t.Errorf("%d records, %v", len(got.Records()), err)
	}
}

func TestSupervise(t *testing.T) {
	if testing.Short() {
		t.Skip("hangs on purpose")
	}
	specs := []spec.Spec{{ID: "a/a"}, {ID: "a/b"}, {ID: "a/c"}, {ID: "a/d"}}
	for _, tt := range []struct {
		pretend string
		next    int
		typ     record.Type // of the last record; with its ID and reason
		id      string
		why     []string
	}{
		{"done", 4, record.TypeObservation, "a/b", nil},
		{"die early", 4, record.TypeNote, "", []string{"the suite died: exit status 3", "it said: no luck"}},
		{"die", 3, record.TypeObservation, "a/c", []string{"the suite died: signal: killed", "it said: no luck"}},
		{"die late", 4, record.TypeNote, "", []string{"exit status 4"}},
		{"exit", 3, record.TypeObservation, "a/c", []string{"the suite ended early"}},
		{"hang", 3, record.TypeObservation, "a/c", []string{"hung for 1s"}},
	} {
		t.Run(tt.pretend, func(t *testing.T) {
			t.Setenv("PRETEND", tt.pretend)
			c, fd, out := shared(t)
			if next := supervise(c, fd, specs, 1, time.Second); next != tt.next {
				t.Errorf("goes on with %d, want %d", next, tt.next)
			}
			records := collect(t, out).Records()
			if len(records) == 0 {
				t.Fatal("no record")
			}
			last := records[len(records)-1]
			if last.Type != tt.typ || last.ID != tt.id || (last.Status == record.Broken) != (tt.id != "" && tt.why != nil) {
				t.Errorf("the last record is %+v", last)
			}
			for _, why := range tt.why {
				if !strings.Contains(last.Why, why) {
					t.Errorf("%q is not in %q", why, last.Why)
				}
			}
			reap(t)
		})
	}
}

// reap ends the children of this process: the suite that "done" leaves behind, which
// supervise lets go of.
func reap(t *testing.T) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended since
		}
		for _, f := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(f); err == nil {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
	}
}

func TestStage(t *testing.T) {
	specs := []spec.Spec{{ID: "a/a"}, {ID: "a/b", Stage: spec.Initial}, {ID: "a/c"}, {ID: "a/d", Stage: spec.Initial}}
	for s, want := range map[spec.Stage][]string{spec.Private: {"a/a", "a/c"}, spec.Initial: {"a/b", "a/d"}} {
		var got []string
		for _, sp := range stage(specs, s) {
			got = append(got, sp.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", s, got, want)
		}
	}
}

func TestTail(t *testing.T) {
	var b tail
	if b.String() != "" {
		t.Errorf("nothing is %q", b.String())
	}
	for i := range 1000 {
		if n, err := fmt.Fprintf(&b, "line %d\n", i); n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	s := b.String()
	if !strings.HasPrefix(s, "; it said: ") || !strings.HasSuffix(s, "line 999") || len(s) > 2100 {
		t.Errorf("%d bytes: %q", len(s), s)
	}
}

func TestOptions(t *testing.T) {
	o := options{patience: patience}
	Patience(time.Minute)(&o)
	if o.patience != time.Minute {
		t.Errorf("got %v", o.patience)
	}
}

func TestDescribe(t *testing.T) {
	k := describe()
	if k.Release == "" || k.Version == "" || k.Machine == "" || k.ABI == "" || k.PageSize < 4096 || k.Endian == "" {
		t.Errorf("%+v", k)
	}
}

// TestNoLog: without the kernel's log the cell says that nobody watched it.
func TestNoLog(t *testing.T) {
	got := (&kernelLog{fd: -1}).warnings()
	if len(got) != 1 || got[0].Type != record.TypeNote || !strings.Contains(got[0].Why, "not watched") {
		t.Errorf("got %+v", got)
	}
}
