package main

import (
	"os"
	"testing"

	"pivotspec/results/page"
	"pivotspec/suites/knowledge"
)

// TestStatements: the statements that are listed of an edition are those of its page, all of
// them, for each edition whose source can be had.
func TestStatements(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	store, err := openPages(&options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range store.Get(t.Context(), store.All(), nil) {
		t.Run(r.Page.Edition, func(t *testing.T) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			f, err := os.Open(r.Copy.File)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			p, err := page.Parse(t.Context(), r.Copy.File, f)
			if err != nil {
				t.Fatal(err)
			}
			if e, _ := base.Edition(r.Page.Edition); p.Date != e.Date {
				t.Errorf("the page is of %s, editions.yaml says %s", p.Date, e.Date)
			}
			listed := base.Places(r.Page.Edition)
			for i, s := range p.Statements {
				at := knowledge.Place{Section: s.Section, Item: s.Item, Nth: s.Nth, Fingerprint: s.Fingerprint}
				if i >= len(listed) || listed[i] != at {
					t.Fatalf("statement %d of %d (%d are listed): %s (%s, line %d) is not listed there", i+1, len(p.Statements), len(listed), at, s.Fingerprint, s.Line)
				}
			}
			if len(listed) > len(p.Statements) {
				t.Errorf("%d statements are listed, the page has %d", len(listed), len(p.Statements))
			}
		})
	}
}
