package report_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"pivotspec/results/baseline"
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
