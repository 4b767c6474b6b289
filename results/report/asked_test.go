package report_test

import (
	"bytes"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
)

// written returns a judgement in a format, with the line breaks of a terminal undone.
func written(t *testing.T, format string, cells ...*cell.Cell) string {
	t.Helper()
	j, err := verdict.Judge(fixture.Base(t), cells, "")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report.Render(format, &b, j, report.Options{}); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

// TestParts: every format says that a part is one.
func TestParts(t *testing.T) {
	part := fixture.Part(fixture.Cell("7.0", "amd64"), "rootfs/pid1-pivot", "eperm/no-cap-sys-admin")
	for _, f := range report.Names() {
		got := written(t, f, part)
		for _, want := range map[string][]string{
			"term":     {"1 of 1 cell complete, 2 behaviours asked for of 13, page"},
			"markdown": {"2 behaviours asked for of 13"},
			"html":     {"2 behaviours asked for of 13", "</td><td>asked for 2 of 13 behaviours, complete"},
			"json":     {`"asked": [`, `"unasked": 11`, "2 behaviours asked for of 13"},
			"jsonl":    {`"asked":["eperm/no-cap-sys-admin","rootfs/pid1-pivot"],"unasked":11`, "2 behaviours asked for of 13"},
			"ktap":     {"# 7.0-amd64: asked for 2 of 13 behaviours", "2 behaviours asked for of 13"},
			"junit":    {`<property name="part" value="asked for 2 of 13 behaviours">`, "2 behaviours asked for of 13"},
			"github":   {"::group::7.0-amd64: complete, 1 conforms, 1 deviation, asked for 2 of 13 behaviours", "2 behaviours asked for of 13"},
			"claims":   {"of 1 cell only some behaviours asked for", "not asked for on 7.0"},
		}[f] {
			if !strings.Contains(got, want) {
				t.Errorf("%s does not say %q:\n%s", f, want, got[max(0, len(got)-3000):])
			}
		}
		if strings.Contains(got, "einval/put-old-mount-shared") && f != "claims" && f != "claims-json" && f != "html" && f != "findings" {
			t.Errorf("%s tells of what was not asked for", f)
		}
		if whole := written(t, f, fixture.Cell("7.0", "amd64")); strings.Contains(whole, "asked for of") || f != "html" && strings.Contains(whole, "asked") {
			t.Errorf("%s says of a whole cell that something was asked", f)
		}
	}
}

// TestPartsAndWholes: beside whole cells a part is named, and neither a blank nor a range of kernels passes for an observation.
func TestPartsAndWholes(t *testing.T) {
	cells := []*cell.Cell{
		fixture.Cell("6.19", "amd64"), fixture.Cell("7.0", "amd64"),
		fixture.Part(fixture.Cell("7.1", "amd64"), "eperm/no-cap-sys-admin"),
	}
	term := written(t, "term", cells...)
	for _, want := range []string{
		"3 of 3 cells complete, 13 behaviours, of 1 cell only some asked for, page",
		"Asked for in part\n  asked for 1 of 13 behaviours: 7.1-amd64\n",
		"nothing: not asked for",
	} {
		if !strings.Contains(term, want) {
			t.Errorf("the report does not say %q:\n%s", want, term)
		}
	}
	if strings.Contains(term, "OK since 7.0") || !strings.Contains(term, "6.19 EINVAL; 7.0 OK") {
		t.Errorf("7.1 was not asked for the pivot of PID 1, and a range goes on to it:\n%s", term)
	}
	if lost := fixture.Part(fixture.Cell("7.1", "amd64"), "eperm/no-cap-sys-admin"); true {
		lost.Status, lost.Reason, lost.Records = cell.Broken, "it died", nil
		if got := written(t, "term", lost); !strings.Contains(got, "(1 behaviour missing)") {
			t.Errorf("a part that broke misses more than it was asked for:\n%s", got)
		}
	}
	if md := written(t, "markdown", cells...); !strings.Contains(md, "## Asked for in part\n\n- asked for 1 of 13 behaviours: 7.1-amd64\n") {
		t.Errorf("Markdown does not name the part:\n%s", md)
	}
}
