package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pivotspec/suites/record"
)

func frame(t testing.TB, seq int, r *record.Record) string {
	t.Helper()
	b, err := record.AppendFrame(nil, seq, r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	plan   = &record.Record{Schema: record.Schema, Type: record.TypePlan, Plan: []string{"a/b", "c/d"}}
	kernel = &record.Record{Type: record.TypeKernel, Kernel: &record.Kernel{Release: "7.0.13", PageSize: 4096, Endian: "little"}}
	seen   = &record.Record{
		Type: record.TypeObservation, ID: "a/b", Status: record.Observed, Outcome: record.OK,
		Facts: map[string]string{"effect": "pivoted"}, Steps: []string{`pivot_root("/new", ".") = OK`}, Micros: 12,
	}
	broken = &record.Record{Type: record.TypeObservation, ID: "c/d", Status: record.Broken, Why: "mount: EPERM\nand @pivotspec 0 00000000 {} in it"}
	end    = &record.Record{Type: record.TypeEnd}
)

func TestRoundTrip(t *testing.T) {
	for seq, want := range []*record.Record{plan, kernel, seen, broken, end, {Type: "poem", Why: "späť"}} {
		line := frame(t, seq, want)
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("frame %q is not one line", line)
		}
		gotSeq, got, err := record.ParseLine([]byte(line))
		if err != nil || gotSeq != seq || !reflect.DeepEqual(got, want) {
			t.Errorf("%d: got %d %+v, %v; want %+v", seq, gotSeq, got, err, want)
		}
	}
}

func TestParseLine(t *testing.T) {
	good := strings.TrimSuffix(frame(t, 7, seen), "\n")
	for _, tt := range []struct {
		name, line string
		err        string // "" for a good frame, "no frame" for none
	}{
		{"bare", good, ""},
		{"carriage return", good + "\r\n", ""},
		{"behind a kernel message", "[    1.5] random: crng init done" + good, ""},
		{"behind half of itself", good[:20] + good, ""},
		{"behind half of another", "@pivotspec 6 0000" + good, ""},
		{"in front of another", good + "@pivotspec 8 0000", "checksum"},
		{"empty", "", "no frame"},
		{"kernel message", "[    0.0] Linux version 7.0", "no frame"},
		{"half a mark", "@pivotspe", "no frame"},
		{"mark alone", "@pivotspec ", "cut short"},
		{"number alone", "@pivotspec 7", "cut short"},
		{"no body", "@pivotspec 7 00000000", "cut short"},
		{"cut short", good[:len(good)-1], "checksum"},
		{"message in its middle", good[:40] + "[    1.5] oops" + good[40:], "checksum"},
		{"message behind it", good + "[    1.5] oops", "checksum"},
		{"other number", strings.Replace(good, " 7 ", " 8 ", 1), "checksum"},
		{"one bit", strings.Replace(good, "pivoted", "pivoteD", 1), "checksum"},
		{"negative number", strings.Replace(good, " 7 ", " -7 ", 1), "bad frame number"},
		{"no number", strings.Replace(good, " 7 ", " x ", 1), "bad frame number"},
		{"huge number", strings.Replace(good, " 7 ", " 99999999999999999999 ", 1), "bad frame number"},
		{"no checksum", "@pivotspec 7 zzzzzzzz {}", "bad checksum field"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seq, r, err := record.ParseLine([]byte(tt.line))
			switch {
			case tt.err == "":
				if err != nil || seq != 7 || !reflect.DeepEqual(r, seen) {
					t.Errorf("got %d %+v, %v", seq, r, err)
				}
			case err == nil || !strings.Contains(err.Error(), tt.err):
				t.Errorf("got %v, want %q", err, tt.err)
			case errors.Is(err, record.ErrNoFrame) != (tt.err == "no frame"):
				t.Errorf("got %v", err)
			}
		})
	}
	// A right checksum over what is no record.
	line := record.AppendEncoded(nil, 3, []byte(`{"type":`))
	if _, _, err := record.ParseLine(line); err == nil || errors.Is(err, record.ErrNoFrame) {
		t.Errorf("broken JSON: got %v", err)
	}
}

func TestCollector(t *testing.T) {
	f := func(seq int, r *record.Record) string { return frame(t, seq, r) }
	whole := []string{f(0, plan), f(1, kernel), f(2, seen), f(3, broken), f(4, end)}
	all := strings.Join(whole, "")
	for _, tt := range []struct {
		name, console string
		n             int
		err           string // "" for a complete report
	}{
		{"complete", all, 5, ""},
		{"kernel text between and before", "[ 0.1] boot\n" + whole[0] + "[ 0.2] x\n[ 0.3] y" + strings.Join(whole[1:], "[ 0.4] z\n") + "[ 1.0] down\n", 5, ""},
		{"no newline at the end", strings.TrimSuffix(all, "\n"), 5, ""},
		{"nothing", "", 0, "sent no record"},
		{"kernel text only", "[ 0.1] panic\n", 0, "sent no record"},
		{"no plan", strings.Join(whole[1:], ""), 4, "does not begin with its plan"},
		{"a plan that is none", f(0, kernel) + f(1, end), 2, "does not begin with its plan"},
		{"no end", strings.Join(whole[:4], ""), 4, "stops after record 3"},
		{"gap", whole[0] + whole[1] + whole[3] + whole[4], 4, "record 2 of the guest's report never arrived"},
		{"damage", strings.Replace(all, "pivoted", "pivoteX", 1), 4, "record 2 of the guest's report is damaged"},
		{"damage, then repeated", strings.Replace(all, "pivoted", "pivoteX", 1) + "\n" + all, 5, ""},
		{"repeated in front of the end", strings.Join(whole[:4], "") + all, 5, ""},
		{"out of order", whole[4] + whole[2] + whole[0] + whole[3] + whole[1], 5, ""},
		{"damaged later than whole", all + strings.Replace(whole[2], "pivoted", "pivoteX", 1), 5, ""},
		{"end damaged", strings.Join(whole[:4], "") + strings.Replace(whole[4], "end", "dne", 1), 4, "stops after record 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c record.Collector
			if err := c.Read(strings.NewReader(tt.console)); err != nil {
				t.Fatal(err)
			}
			err := c.Err()
			if len(c.Records()) != tt.n || (err == nil) != (tt.err == "") {
				t.Fatalf("%d records, %v; want %d, %q", len(c.Records()), err, tt.n, tt.err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if tt.n == 5 && !reflect.DeepEqual(c.Records(), []*record.Record{plan, kernel, seen, broken, end}) {
				t.Errorf("records are not in the order of sending: %+v", c.Records())
			}
		})
	}
}

// TestCollectorTellsOnce: Line gives a record out once, however often it arrives.
func TestCollectorTellsOnce(t *testing.T) {
	var c record.Collector
	for i, want := range []bool{true, false, false} {
		if got := c.Line([]byte(frame(t, 0, plan))) != nil; got != want {
			t.Errorf("time %d: told %v, want %v", i, got, want)
		}
	}
	if c.Line([]byte("text")) != nil || c.Line([]byte("@pivotspec 1 00000000 {}")) != nil {
		t.Error("told what is no record")
	}
}

// TestCollectorTooLong: a line that no guest sends ends the reading with an error, and does
// not take the memory of the host.
func TestCollectorTooLong(t *testing.T) {
	var c record.Collector
	if err := c.Read(bytes.NewReader(bytes.Repeat([]byte("x"), record.MaxFrame+1))); err == nil {
		t.Error("no error")
	}
}

// FuzzParseLine: whatever the console prints, a frame is only taken for one that was sent.
func FuzzParseLine(f *testing.F) {
	for i, r := range []*record.Record{plan, kernel, seen, broken, end} {
		f.Add([]byte(frame(f, i, r)))
	}
	f.Add([]byte("[ 1.0] @pivotspec @pivotspec 1 00000000 {}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		seq, r, err := record.ParseLine(line)
		if err != nil {
			if r != nil {
				t.Errorf("a record with the error %v", err)
			}
			return
		}
		if r == nil || seq < 0 {
			t.Fatalf("%d, %+v without an error", seq, r)
		}
		again, err := record.AppendFrame(nil, seq, r)
		if err != nil {
			t.Fatal(err)
		}
		if seq2, r2, err := record.ParseLine(again); err != nil || seq2 != seq || !reflect.DeepEqual(r, r2) {
			t.Errorf("%+v comes back as %d %+v, %v", r, seq2, r2, err)
		}
	})
}

// FuzzCollector puts text into a complete report at any place: it may lose records, and then
// says so, but never changes one.
func FuzzCollector(f *testing.F) {
	f.Add(0, []byte("[ 0.1] text\n"))
	f.Add(100, []byte("[ 0.1] text"))
	f.Add(200, []byte("\n@pivotspec 2 00000000 {}\n"))
	f.Fuzz(func(t *testing.T, at int, text []byte) {
		if bytes.Contains(text, []byte("@pivotspec ")) && bytes.Contains(text, []byte("{")) {
			t.Skip("the text may be a frame of its own")
		}
		sent := []*record.Record{plan, kernel, seen, broken, end}
		var console []byte
		for i, r := range sent {
			console = append(console, frame(t, i, r)...)
		}
		if at < 0 {
			at = -(at + 1)
		}
		at %= len(console) + 1
		console = []byte(fmt.Sprintf("%s%s%s", console[:at], text, console[at:]))
		var c record.Collector
		if err := c.Read(bytes.NewReader(console)); err != nil {
			return
		}
		got := c.Records()
		if (c.Err() == nil) != (len(got) == len(sent)) {
			t.Errorf("%d of %d records and the error %v", len(got), len(sent), c.Err())
		}
		for _, r := range got {
			ok := false
			for _, s := range sent {
				ok = ok || reflect.DeepEqual(r, s)
			}
			if !ok {
				t.Errorf("%+v was never sent", r)
			}
		}
	})
}
