package signature_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/signature"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

func judge(t testing.TB, cells ...*cell.Cell) *verdict.Judgement {
	t.Helper()
	return judgeBy(t, fixture.Base(t), cells...)
}

func judgeBy(t testing.TB, base *knowledge.Base, cells ...*cell.Cell) *verdict.Judgement {
	t.Helper()
	j, err := verdict.Judge(base, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func lines(list []signature.Signature) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return out
}

// TestOf: one of everything that can go wrong, each with its signature, and nothing of what is as expected.
func TestOf(t *testing.T) {
	if found := signature.Of(judge(t, fixture.Good()...)); len(found) > 0 {
		t.Errorf("nothing is wrong, and there is %s", lines(signature.Set(found)))
	}
	want := []string{
		"6.1-amd64: unexpected einval/put-old-mount-shared OK",
		"6.12-amd64: unexpected einval/put-old-mount-shared OK",
		"6.16-amd64: unexpected einval/put-old-not-below-new-root EINVAL control=EPERM",
		"6.17-amd64: unexpected moves/other-process OK cwd=stayed",
		"6.18-amd64: broken eperm/no-cap-sys-admin mount tmpfs EPERM",
		"6.19-amd64: missing moves/kernel-thread",
		"7.0-amd64: unexpected rootfs/pid1-pivot EINVAL",
		"7.1-amd64: unexpected einval/from-the-future EINVAL (unknown behaviour)",
		"7.1-amd64: warning WARNING fs/namespace.c pivot",
		"7.2-amd64: cell broken kernel panic attempted to kill init",
		"7.3-amd64: cell unavailable no network cannot fetch linux-binary N",
	}
	var got []string
	for _, f := range signature.Of(judge(t, fixture.Bad()...)) {
		got = append(got, f.Cell.Cell.Name+": "+f.Signature.String())
		if (f.Result != nil) != (f.Signature.Kind == signature.Unexpected || f.Signature.Kind == signature.Broken || f.Signature.Kind == signature.Missing) ||
			(len(f.Warnings) > 0) != (f.Signature.Kind == signature.Warning) {
			t.Errorf("%+v lacks what it is about", f)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(signature.Set(signature.Of(judge(t, fixture.Bad()...)))); n != len(want)-1 {
		t.Errorf("%d different signatures, want %d", n, len(want)-1)
	}
}

// with returns the only signature of a cell of a series with records of its own.
func with(t testing.TB, series string, records ...*record.Record) signature.Signature {
	t.Helper()
	c := fixture.Cell(series, "amd64")
	for _, r := range records {
		if r.Type == record.TypeObservation {
			fixture.Replace(c, r)
		} else {
			c.Records = slices.Insert(c.Records, len(c.Records)-1, r)
		}
	}
	set := signature.Set(signature.Of(judge(t, c)))
	if len(set) != 1 {
		t.Fatalf("want one signature, got %q", lines(set))
	}
	return set[0]
}

// TestSame: the same failure on kernels of which something else is expected has the same signature, and another one
// has another.
func TestSame(t *testing.T) {
	eio := func(series string) signature.Signature {
		return with(t, series, fixture.Observed("rootfs/pid1-pivot", "EIO"))
	}
	if eio("6.19") != eio("7.0") {
		t.Errorf("%s is not %s", eio("6.19"), eio("7.0"))
	}
	// Facts of a wrong outcome are compared where the ledger names them: 7.3, and not before.
	thread := func(series string) signature.Signature {
		return with(t, series, fixture.Observed("moves/kernel-thread", "EIO", "root", "elsewhere"))
	}
	if thread("7.2") != thread("7.3") {
		t.Errorf("%s is not %s", thread("7.2"), thread("7.3"))
	}
	all := []signature.Signature{
		eio("7.0"), thread("7.0"),
		with(t, "7.0", fixture.Observed("rootfs/pid1-pivot", "EINVAL")),
		with(t, "7.0", fixture.Observed("rootfs/pid1-pivot", "OK", "effect", "none")),
		with(t, "7.0", fixture.Observed("rootfs/pid1-pivot", "EIO", "effect", "pivoted")),
		with(t, "7.0", fixture.Observed("rootfs/pid1-pivot", "OK", "effect", "")),
		with(t, "7.0", fixture.Observed("rootfs/pid1-pivot", "OK", "colour", "red")),
		with(t, "7.0", &record.Record{Type: record.TypeObservation, ID: "rootfs/pid1-pivot", Status: record.Unsupported, Why: "no luck"}),
		with(t, "7.0", &record.Record{Type: record.TypeObservation, ID: "rootfs/pid1-pivot", Status: record.Broken, Why: "no luck"}),
		with(t, "7.0", &record.Record{Type: record.TypeObservation, ID: "rootfs/pid1-pivot", Status: record.Broken, Why: "mount: EPERM"}),
		with(t, "7.0", &record.Record{Type: record.TypeWarning, Level: 4, Why: "no luck"}),
		with(t, "7.0", fixture.Observed("einval/put-old-mount-shared", "EIO")),
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a == b {
				t.Errorf("two failures have the signature %s", a)
			}
		}
	}
	if got, want := all[5].String(), "unexpected rootfs/pid1-pivot OK effect=(none)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := all[7].String(), "unexpected rootfs/pid1-pivot (reported as unsupported no luck, and it is not known to need anything)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// What a warning or a set-up says is the same whatever its numbers are.
	for _, pair := range [][2]signature.Signature{
		{with(t, "6.1", &record.Record{Type: record.TypeWarning, Why: "hrtimer: interrupt took 63361712 ns"}), with(t, "7.0", &record.Record{Type: record.TypeWarning, Why: "hrtimer: interrupt took 5 ns"})},
		{
			with(t, "6.1", &record.Record{Type: record.TypeObservation, ID: "rootfs/pid1-pivot", Status: record.Broken, Why: "open /proc/77/root: ENOENT"}),
			with(t, "7.0", &record.Record{Type: record.TypeObservation, ID: "rootfs/pid1-pivot", Status: record.Broken, Why: "open /proc/1234/root: ENOENT"}),
		},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is not %s", pair[0], pair[1])
		}
	}
}

// TestCell: a cell that is not complete is one failure, whatever it did not get to, and so is its panic.
func TestCell(t *testing.T) {
	for _, n := range []int{3, 6} {
		c := fixture.Cell("7.0", "amd64")
		c.Status, c.Reason = cell.Broken, "the kernel panicked: Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"
		c.Records = append(c.Records[:n:n],
			&record.Record{Type: record.TypeWarning, Level: 4, Why: "bug on the console: BUG: kernel NULL pointer dereference, address: 0000000000000008"},
			&record.Record{Type: record.TypeWarning, Level: 4, Why: "oops on the console: Oops: Oops: 0002 [#1] SMP NOPTI"},
			&record.Record{Type: record.TypeWarning, Level: 4, Why: "panic on the console: Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"},
			&record.Record{Type: record.TypeWarning, Level: 4, Why: "panic on the console: ---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b ]---"})
		got := lines(signature.Set(signature.Of(judge(t, c))))
		want := []string{
			"warning BUG kernel NULL pointer dereference, address N",
			"cell broken the kernel panicked Kernel panic - not syncing Attempted to kill init! exitcode=N",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ line, want, err string }{
		{line: "unexpected a/b EINVAL"},
		{line: "unexpected a/b OK cwd=stayed root=(none)"},
		{line: " unexpected  a/b OK root=(none) cwd=stayed ", want: "unexpected a/b OK cwd=stayed root=(none)"},
		{line: "unexpected a/b (unknown behaviour)"},
		{line: "unexpected a/b EINVAL (unknown behaviour)"},
		{line: "broken a/b mount tmpfs EPERM"},
		{line: "broken a/b mount: EPERM after 12 ms", want: "broken a/b mount EPERM after N ms"},
		{line: "missing a/b"},
		{line: "warning WARNING fs/namespace.c do_move_mount"},
		{line: "warning [  1.234567] WARNING: CPU: 0 PID: 12 at fs/namespace.c:123 do_move_mount+0x12/0x34", want: "warning WARNING fs/namespace.c do_move_mount"},
		{line: "cell broken no reason given"},
		{line: "cell unavailable no network"},
		{line: "baseline a/b OK effect=pivoted -> EINVAL effect=none"},
		{line: " baseline  a/b OK  -> (none) ", want: "baseline a/b OK -> (none)"},
		{line: "baseline a/b EPERM -> (broken mount: EPERM after 12 ms)", want: "baseline a/b EPERM -> (broken mount EPERM after N ms)"},
		{line: "baseline cell complete -> (none)"},
		{line: "baseline cell complete -> broken (hang after N)"},
		{line: "", err: "empty"},
		{line: "warning", err: "want the kernel's message"},
		{line: "warning '#'", err: "want the kernel's message"},
		{line: "missing a/b\nmissing a/c", err: "more than one line"},
		{line: "einval/x OK", err: `begins with "einval/x"`},
		{line: "unexpected", err: "want a behaviour's ID"},
		{line: "unexpected EINVAL", err: "want a behaviour's ID"},
		{line: "unexpected a/b", err: "want the outcome"},
		{line: "unexpected a/b cwd=stayed", err: "want the outcome"},
		{line: "unexpected a/b OK cwd", err: `"cwd" is no fact`},
		{line: "unexpected a/b OK cwd=a cwd=b", err: "twice"},
		{line: "unexpected a/b (x", err: "one pair of brackets"},
		{line: "unexpected a/b () x", err: "one pair of brackets"},
		{line: "unexpected a/b ()", err: "one pair of brackets"},
		{line: "broken a/b", err: "want the reason"},
		{line: "missing a/b why", err: "nothing goes behind"},
		{line: "cell broken", err: "and then the reason"},
		{line: "baseline", err: "want a behaviour's ID"},
		{line: "baseline cells complete -> (none)", err: "want a behaviour's ID"},
		{line: "baseline a/b", err: "with -> between them"},
		{line: "baseline a/b OK EINVAL", err: "with -> between them"},
		{line: "baseline a/b OK ->", err: "want the outcome"},
		{line: "baseline a/b -> OK", err: "want the outcome"},
		{line: "baseline a/b OK -> EIO -> OK", err: "it has -> twice"},
		{line: "baseline a/b OK x -> EIO", err: `"x" is no fact`},
		{line: "cell complete x", err: `want "broken" or "unavailable"`},
	} {
		s, err := signature.Parse(tt.line)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || !errors.Is(err, signature.ErrMalformed) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: got %q, %v, want %q", tt.line, s, err, tt.err)
			}
			continue
		}
		want := tt.want
		if want == "" {
			want = tt.line
		}
		if err != nil || s.String() != want {
			t.Errorf("%q: got %q, %v", tt.line, s, err)
		}
	}
}

func TestNormalise(t *testing.T) {
	for _, tt := range [][2]string{
		{"", ""},
		{"mount tmpfs: EPERM", "mount tmpfs EPERM"},
		{"errno 22, error -5, exit status 1, exitcode=0x0000000b", "errno 22, error -5, exit status 1, exitcode=N"},
		{"[   12.345678][  T123] hrtimer: interrupt took 123 ns", "hrtimer interrupt took N ns"},
		{"nothing on the console for 1m0s, the limit", "nothing on the console for N, the limit"},
		{"QEMU 10.0.3 and 6.19.1+deb13-cloud-amd64 at 00000000deadbeef", "QEMU N and N at N"},
		{"a feedface dead x86_64 ext4 vda1", "a feedface dead x86_64 ext4 vda1"},
		{"WARNING: CPU: 1 PID: 99 at fs/namespace.c:1234 do_umount+0x12/0x345", "WARNING fs/namespace.c do_umount"},
		{"WARNING: CPU: 1 PID: 99 at /build/linux-7.0/fs/namespace.c:1234 do_umount+0x12/0x345 [ext4]", "WARNING fs/namespace.c do_umount [ext4]"},
		{"WARNING: fs/namespace.c:4321 at do_umount+0x1/0x2, CPU#0: init/1", "WARNING fs/namespace.c do_umount"},
		{"BUG: unable to handle page fault for address: ffff888003a1c000", "BUG unable to handle page fault for address N"},
		{"Oops: 0000 [#1] PREEMPT SMP", "Oops N [N] PREEMPT SMP"},
		{"it's # \"x\": \x1b[31m\nred", "its x red"},
	} {
		if got := signature.Normalise(tt[0]); got != tt[1] {
			t.Errorf("%q: got %q, want %q", tt[0], got, tt[1])
		}
	}
}

func warnings(text string) []verdict.Warning {
	var out []verdict.Warning
	for line := range strings.Lines(text) {
		out = append(out, verdict.Warning{Level: 4, Text: strings.TrimSuffix(line, "\n")})
	}
	return out
}

const trace = `------------[ cut here ]------------
WARNING: CPU: 0 PID: 71 at fs/namespace.c:1717 umount_tree+0x2b0/0x2c0
Modules linked in:
CPU: 0 PID: 71 Comm: guest Tainted: G        W          6.12.1 #1
Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2 04/01/2014
RIP: 0010:umount_tree+0x2b0/0x2c0
Code: 00 48 8b 45 c8 90 0f 0b
RSP: 0018:ffffb2b5c0217e08 EFLAGS: 00010202
RAX: 0000000000000001 RBX: ffff9d3ac1a3b600 RCX: 0000000000000000
FS:  0000000000000000(0000) GS:ffff9d3acf000000(0000) knlGS:0000000000000000
CR2: 00007f1c8c0007f8 CR3: 0000000001a2e000 CR4: 00000000000006f0
Call Trace:
 <TASK>
 ? __warn+0x7d/0x130
 do_umount+0x1/0x2
 </TASK>
---[ end trace 0000000000000000 ]---
`

// TestTraces: a back trace is one message, and nothing else is part of it.
func TestTraces(t *testing.T) {
	const head = "WARNING fs/namespace.c umount_tree"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"one", trace, []string{head}},
		{"twice", trace + trace, []string{head, head}},
		{"a message of its own", strings.Replace(trace, "WARNING", "mounts are left: 3\nWARNING", 1), []string{head}},
		{"others around it", "tsc: bad\n" + trace + "RAX: it is not registers\n", []string{"tsc bad", head, "RAX it is not registers"}},
		{"another within it", strings.Replace(trace, "Call Trace", "random: crng is not ready\nCall Trace", 1), []string{head, "random crng is not ready"}},
		{"another where it has no end", "BUG: kernel NULL pointer dereference, address: 8\nCPU: 0 PID: 1\nrandom: crng is not ready\nCPU: 1 is odd",
			[]string{"BUG kernel NULL pointer dereference, address N", "random crng is not ready", "CPU N is odd"}},
		{"cut short", "------------[ cut here ]------------\n", []string{"------------[ cut here ]------------"}},
		{"a message without its head", "------------[ cut here ]------------\nhello\nworld", []string{"hello", "world"}},
		{"arm64", "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\nMem abort info:\nInternal error: Oops: 0000000096000004 [#1] SMP\npc : a+0x1/0x2\nlr : b+0x1/0x2\nsp : ffff800080003d00\nx29: ffff800080003d00 x28: ffffd1f1c0b0d8c0\n---[ end trace 0 ]---\n",
			[]string{"Unable to handle kernel NULL pointer dereference at virtual address N", "Mem abort info"}},
		{"a second one behind one without an end", "BUG: sleeping function\nCPU: 0 PID: 1\nBUG: bad page state\nCPU: 0 PID: 1", []string{"BUG sleeping function", "BUG bad page state"}},
		{"what looks like registers", "BUG: sleeping function\nCPU: 0 PID: 1\nUBSAN: array-index-out-of-bounds in fs/namespace.c:9", []string{"BUG sleeping function", "UBSAN array-index-out-of-bounds in fs/namespace.c"}},
		{"an oops behind a warning without an end", "WARNING: umount_tree\nCPU: 0 PID: 1\nOops: general protection fault", []string{"WARNING umount_tree", "Oops general protection fault"}},
		{"registers", "BUG: sleeping function\nCPU: 0 PID: 1\nRIP: 0010:a+0x1/0x2\nRAX: ffffffffffffffff RBX: 0\nCR2: 0000000000000008\npstate: 60400005 (nZCv)\npc : a+0x1\nEFLAGS: 00010246", []string{"BUG sleeping function"}},
		{"plain", "a: 1\nb: 2", []string{"a N", "b N"}},
	} {
		var got []string
		n := 0
		for _, x := range signature.Traces(warnings(tt.text)) {
			got = append(got, x.Head)
			n += len(x.Warnings)
		}
		if !slices.Equal(got, tt.want) || n != len(warnings(tt.text)) {
			t.Errorf("%s: got %q of %d lines, want %q of %d", tt.name, got, n, tt.want, len(warnings(tt.text)))
		}
	}
}

// FuzzSignature: whatever a guest or its kernel says, its signature is one line that is read back as it
// was and that a line of YAML can hold as it is.
func FuzzSignature(f *testing.F) {
	f.Add("rootfs/pid1-pivot", "EIO", "cwd", "stayed", "mount: EPERM")
	f.Add("x", "", "a", "b", "0A000'a000A000")
	f.Add("x", "", "a=b", "(none)", "# no: 1 'x'")
	f.Add("einval/from-the-future", "errno 999", "and-3-more", strings.Repeat("x", 100), "panic on the console: BUG: a+0x1/0x2:")
	f.Add("einval/put-old-not-below-new-root", "EINVAL:", "control", "EPERM:", "error 'error +0x1 5: : :")
	base := fixture.Base(f)
	f.Fuzz(func(t *testing.T, id, outcome, fact, value, why string) {
		c := fixture.Cell("7.0", "amd64")
		fixture.Replace(c, fixture.Observed(id, outcome, fact, value))
		fixture.Replace(c, fixture.Observed("moves/other-process", "OK", "root", value, "cwd", "moved", fact, why))
		fixture.Replace(c, fixture.Observed("moves/kernel-thread", outcome, fact, value))
		fixture.Replace(c, &record.Record{Type: record.TypeObservation, ID: "eperm/no-cap-sys-admin", Status: record.Broken, Why: why})
		fixture.Replace(c, &record.Record{Type: record.TypeObservation, ID: "ebusy/put-old-stacked", Status: record.Status(fact), Why: why})
		c.Records = append(c.Records, &record.Record{Type: record.TypeWarning, Why: why}, &record.Record{Type: record.TypeWarning, Why: value})
		d := fixture.Cell("7.1", "amd64")
		d.Status, d.Reason = cell.Broken, why
		was := fixture.Cell("7.0", "amd64")
		fixture.Replace(was, fixture.Observed("moves/kernel-thread", value, fact, why))
		fixture.Replace(was, fixture.Observed("moves/other-process", "OK", fact, id))
		fixture.Replace(was, fixture.Observed("einval/put-old-mount-shared", "", fact, id))
		fixture.Replace(was, fixture.Observed(why, outcome, fact, value))
		gone := fixture.Cell("7.2", "amd64")
		gone.Status = cell.Status(outcome)
		j := judgeBy(t, base, c, d)
		baseline.Apply(j, []*cell.Cell{was, fixture.Cell("7.1", "amd64"), gone}, false)
		for _, found := range signature.Of(j) {
			line := found.Signature.String()
			if again, err := signature.Parse(line); err != nil || again != found.Signature {
				t.Fatalf("%q comes back as %q, %v", line, again, err)
			}
			var text struct{ S string }
			if err := yaml.Unmarshal([]byte("s: "+line+"\n"), &text); err != nil || text.S != line {
				t.Fatalf("%q is %q in YAML, %v", line, text.S, err)
			}
		}
	})
}
