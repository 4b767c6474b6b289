package knowledge_test

import (
	"reflect"
	"testing"

	"pivotspec/suites/knowledge"
)

// TestLoadToJudge: all that observations are judged by is there.
func TestLoadToJudge(t *testing.T) {
	all, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	some, err := knowledge.LoadToJudge()
	if err != nil {
		t.Fatal(err)
	}
	if len(some.Proposals) > 0 || len(some.Statements) > 0 {
		t.Error("what is about the page was loaded too")
	}
	for what, pair := range map[string][2]any{
		"editions":   {all.Editions, some.Editions},
		"areas":      {all.Areas, some.Areas},
		"behaviours": {all.Behaviours, some.Behaviours},
		"claims":     {all.Claims, some.Claims},
		"ledger":     {all.Ledger, some.Ledger},
		"orders":     {all.Orders, some.Orders},
		"warnings":   {all.Warnings, some.Warnings},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("the %s differ", what)
		}
	}
	for _, b := range all.Behaviours {
		for _, e := range all.Editions {
			if !reflect.DeepEqual(all.Demands(b.ID, e.ID), some.Demands(b.ID, e.ID)) {
				t.Errorf("the demands of %s on %s differ", e.ID, b.ID)
			}
		}
	}
}
