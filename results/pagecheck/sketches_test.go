package pagecheck

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/results/page"
	"pivotspec/suites/knowledge"
)

var (
	update = flag.Bool("update", false, "write golden files and suites/knowledge/sketches.yaml anew")
	pages  = flag.String("pages", "", "folder of the editions' sources, for the sketches")
)

const sketchesFile = "../../suites/knowledge/sketches.yaml"

// sentencesIn returns the sentences of a page's source or of a text.
func sentencesIn(t *testing.T, path string) []string {
	t.Helper()
	if filepath.Ext(path) == ".txt" {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := page.Parse(t.Context(), path, f)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range p.Statements {
		out = append(out, s.Text)
	}
	return out
}

// TestSketches checks that there is a sketch of every sentence that a claim is found by, and
// with -pages that they are those of the sentences; with -update it writes them.
func TestSketches(t *testing.T) {
	have, err := knowledge.Sketches()
	if err != nil && !*update {
		t.Fatal(err)
	}
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]knowledge.Sketch{}
	if *pages != "" {
		files, err := filepath.Glob(filepath.Join(*pages, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no pages in %s: %v", *pages, err)
		}
		for _, path := range files {
			for _, s := range sentencesIn(t, path) {
				want[knowledge.Fingerprint(s)] = knowledge.SketchOf(s)
			}
		}
	}
	cited := map[string]bool{}
	for i := range base.Claims {
		for _, p := range base.Claims[i].Editions {
			cited[p.Fingerprint] = true
		}
	}
	all := maps.Clone(have)
	if all == nil {
		all = map[string]knowledge.Sketch{}
	}
	maps.Copy(all, want)
	maps.DeleteFunc(all, func(id string, _ knowledge.Sketch) bool { return !cited[id] })
	if *update {
		if err := os.WriteFile(sketchesFile, knowledge.AppendSketches(nil, all), 0o644); err != nil {
			t.Fatal(err)
		}
		have = all
	}
	for _, id := range slices.Sorted(maps.Keys(cited)) {
		switch w, ok := want[id]; {
		case have[id] == nil:
			t.Errorf("no sketch of the sentence %s: see the beginning of %s", id, sketchesFile)
		case ok && !slices.Equal(have[id], w):
			t.Errorf("the sketch of %s is not that of its sentence", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if !cited[id] {
			t.Errorf("a sketch of %s, by which no claim is found", id)
		}
	}
}
