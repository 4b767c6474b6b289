package knowledge

import (
	"os"
	"strings"
	"testing"
)

// TestSources: each behaviour is where it is said to be.
func TestSources(t *testing.T) {
	base, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	sources := Sources()
	if len(sources) != len(base.Behaviours) {
		t.Errorf("%d places of %d behaviours", len(sources), len(base.Behaviours))
	}
	for i := range base.Behaviours {
		id := base.Behaviours[i].ID
		at := sources[id]
		b, err := os.ReadFile("../../" + at.File)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if line := strings.Split(string(b), "\n")[max(at.Line, 1)-1]; !strings.Contains(line, "id: "+id) {
			t.Errorf("%s is not in line %d of %s: %s", id, at.Line, at.File, line)
		}
	}
}
