package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pivotspec/results/baseline"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// parts are what of a page is source text, with its hashes: no golden file needs it again.
var parts = regexp.MustCompile(`(?s)(<style>).*?(</style>)|(sha256-)[^=]*(=)|(<script>).*?(</script>\n</body>)`)

func TestHTML(t *testing.T) {
	got := parts.ReplaceAll(html(t, judge(t, told()[6:9], ""), report.Options{Against: judge(t, fixture.Bad()[7:8], "")}), []byte("$1$3$5...$2$4$6"))
	// The data is one line, which no diff can show.
	got = bytes.ReplaceAll(got, []byte(`},{"`), []byte("},\n{\""))
	path := filepath.Join("testdata", "told.html")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is otherwise; see with go test -update and git diff", path)
	}
}

// TestHTMLIsTheSame: from the same records comes the same page, to the byte.
func TestHTMLIsTheSame(t *testing.T) {
	many := fixture.Many(fixture.BaseOfDisks(t), told())
	a := html(t, judge(t, many, ""), report.Options{})
	if b := html(t, judge(t, many, ""), report.Options{}); !bytes.Equal(a, b) {
		t.Error("two pages of the same records differ")
	}
}

// TestHTMLOfForeignText: what ends an element, or reorders text, is nowhere in the page as it came.
func TestHTMLOfForeignText(t *testing.T) {
	page := string(html(t, hostile(t), report.Options{}))
	for _, s := range []string{"<script>pwned", "<!-- <img", "<img", "\x1b", "\u202e", "\x00"} {
		if strings.Contains(page, s) {
			t.Errorf("the page has %q", s)
		}
	}
	for s, n := range map[string]int{"<script": 2, "</script": 2, "<style": 1, "</html>": 1, "<dialog": 1} {
		if got := strings.Count(page, s); got != n {
			t.Errorf("the page has %q %d times, want %d", s, got, n)
		}
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("the template refuses a value")
	}
}

// TestHTMLSize: the page of every cell there is opens quickly, and so is small.
func TestHTMLSize(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir  string
		most int // bytes
	}{
		{filepath.Join("..", "baseline", "amd64"), 3 << 19},
		{filepath.Join("..", "baseline"), 2 << 20},
	} {
		cells, err := baseline.Load(tt.dir)
		if err != nil {
			t.Fatal(err)
		}
		j, err := verdict.Judge(base, cells, "")
		if err != nil {
			t.Fatal(err)
		}
		page := html(t, j, report.Options{})
		if len(page) > tt.most {
			t.Errorf("the page of %s has %d bytes, want at most %d", tt.dir, len(page), tt.most)
		}
	}
}
