package report_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// TestFindingsAreCurrent: the committed document is what `make findings` writes, and every
// deviation and every silence of the current edition has been thought about.
func TestFindingsAreCurrent(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	cells, err := baseline.Load("../baseline")
	if err != nil {
		t.Fatal(err)
	}
	j, err := verdict.Judge(base, cells, "")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Inbox(&out, j, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, rest, ok := strings.Cut(out.String(), "## Without a proposal yet"); ok {
		t.Errorf("suites/knowledge/proposals.yaml says nothing about:%s", rest)
	}
	for _, heading := range []string{"## Unexpected", "## Nothing observed"} {
		if strings.Contains(out.String(), heading) {
			t.Errorf("the baselines are not clean: there is a section %q", heading)
		}
	}
	old, err := os.ReadFile("../FINDINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), old) {
		t.Error("results/FINDINGS.md is not current: run `make findings`")
	}
}

// TestFindingsOfManyCells: more architectures that agree leave all matters as they are, with their steps, and what
// another implementation does has a section of its own.
func TestFindingsOfManyCells(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := baseline.Load("../baseline")
	if err != nil {
		t.Fatal(err)
	}
	plain := slices.DeleteFunc(slices.Clone(recorded), func(c *cell.Cell) bool { return c.Line() != cell.Line{Arch: "amd64"} })
	// Of gVisor the real one: a copy of a Linux does not pass for it.
	ofGVisor := func(c *cell.Cell) bool { return c.Backend == "gvisor" }
	pretended := slices.DeleteFunc(fixture.Many(base, plain), ofGVisor)
	real := slices.DeleteFunc(slices.Clone(recorded), func(c *cell.Cell) bool { return !ofGVisor(c) })
	dir := t.TempDir()
	if err := baseline.Write(dir, base, append(pretended, real...)); err != nil {
		t.Fatal(err)
	}
	many, err := baseline.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	write := func(cells []*cell.Cell) string {
		j, err := verdict.Judge(base, cells, "")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := report.Inbox(&out, j, report.Options{}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	few, all := write(plain), write(many)
	for _, part := range []string{"\n## ", "```", "**false** on", "**Proposal.**"} {
		want := strings.Count(few, part)
		if part == "\n## " {
			want += 2 // the other implementations
		}
		if got := strings.Count(all, part); got != want {
			t.Errorf("%q is there %d times, want %d", part, got, want)
		}
	}
	for _, want := range []string{"\n| s390x | 5.10.", "\n## What gvisor amd64 does otherwise", "on 9 architectures", "EINVAL; OK since 7.0, on all architectures"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestFindingsOfAnOldEdition: proposals are for the current one.
func TestFindingsOfAnOldEdition(t *testing.T) {
	base := fixture.Base(t)
	j, err := verdict.Judge(base, nil, "4.10")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Inbox(&out, j, report.Options{}); err == nil || !strings.Contains(err.Error(), "current edition only") {
		t.Errorf("Inbox of an old edition: %v, want an error that names the current one", err)
	}
}
