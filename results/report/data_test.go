package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// TestDataFits: the default matrix of the real data stays within the usual widths, and so does that of everything.
func TestDataFits(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range [][]*cell.Cell{fixture.Ideal(base), fixture.Many(base, fixture.Ideal(base))} {
		j, err := verdict.Judge(base, cells, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, width := range []int{80, 120} {
			var out bytes.Buffer
			if err := report.Term(&out, j, report.Options{Width: width}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if w := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("%d columns wide, want at most %d: %s", w, width, line)
				}
			}
			t.Log(out.String())
		}
	}
}
