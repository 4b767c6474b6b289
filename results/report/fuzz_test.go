package report_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
)

// FuzzReport takes a file of any content through judging and reporting: no guest may
// confuse them, or play tricks on the reader's terminal.
func FuzzReport(f *testing.F) {
	base := fixture.BaseOfDisks(f)
	many := manyBad(base)
	for _, c := range append(fixture.Bad(), fixture.Find(many, "6.12-s390x"), fixture.Find(many, "6.12-amd64-disk"),
		fixture.Find(many, "gvisor-amd64"), fixture.Find(many, "6.12-amd64-i386"), fixture.Find(many, "7.3-s390x-disk")) {
		var b bytes.Buffer
		if err := cell.Encode(&b, c); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"schema":1,"type":"cell","cell":{"name":"0","arch":"` + "\x7f" + `","status":"complete"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := cell.Decode(bytes.NewReader(b))
		if err != nil {
			return
		}
		good := fixture.Cell("7.0", "amd64")
		was := *c
		was.Name, was.Series = good.Name, good.Series
		j, err := verdict.Judge(base, []*cell.Cell{c, good}, "")
		if err != nil {
			t.Fatal(err)
		}
		baseline.Apply(j, []*cell.Cell{&was}, false)
		for _, format := range report.Names() {
			w := io.Discard
			var out strings.Builder
			if format == "term" {
				w = &out
			}
			if err := report.Render(format, w, j, report.Options{Width: 80}); err != nil {
				t.Fatal(err)
			}
			if i := strings.IndexFunc(out.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); i >= 0 {
				t.Errorf("control character %q in the report", out.String()[i])
			}
		}
	})
}
