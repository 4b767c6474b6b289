package knowledge_test

import (
	"errors"
	"strings"
	"testing"

	"pivotspec/suites/knowledge"
)

// foreign is what is known of an implementation, beside the knowledge of good.
const foreign = `
- id: other
  title: Other
  release: "-other"
  like: "7.2"
  lacks: [{feature: charm, behaviours: [einval/shared]}]
  unjudged: {rootfs/quiet: it says nothing}
  ledger:
    - {behaviour: rootfs/pivot, outcome: EBUSY, reason: it is busy, no-control: it is enough}
`

func withForeign(text string) map[string]string {
	m := good()
	m["implementations/other.yaml"] = text
	return m
}

// TestImplementation: what is known of another implementation is asked of it alone, and Linux'
// knowledge stays as it is.
func TestImplementation(t *testing.T) {
	linux, err := knowledge.LoadFS(files(withForeign(foreign)))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := linux.Implementation("qemu"); ok {
		t.Error("Linux is no implementation among others")
	}
	i, ok := linux.Implementation("other")
	if !ok {
		t.Fatal("not loaded")
	}
	b := linux.Of(i)
	modern, _ := knowledge.ParseSeries("7.0")
	old, _ := knowledge.ParseSeries("4.19")
	for name, tt := range map[string]struct {
		base *knowledge.Base
		in   knowledge.Series
		want string // range of the entry for rootfs/pivot
	}{
		"Linux":                     {linux, modern, "7.0 to 7.10"},
		"Linux before its entry":    {linux, old, ""},
		"other":                     {b, modern, "on Other"},
		"other, whatever it claims": {b, old, "on Other"},
	} {
		got := ""
		if e := tt.base.Entry("rootfs/pivot", tt.in, "amd64"); e != nil {
			got = tt.base.Holder(e)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	i.Ledger = nil
	if e := b.Entry("rootfs/pivot", old, "amd64"); e == nil || b.Holder(e) != "on Linux 7.2, with which Other is compared" {
		t.Errorf("without an entry of its own: %+v", e)
	}
	for _, tt := range []struct {
		base                       *knowledge.Base
		behaviour, needs, unjudged string
	}{
		{linux, "einval/shared", "", ""},
		{b, "einval/shared", "charm", ""},
		{linux, "rootfs/quiet", "luck", ""},
		{b, "rootfs/quiet", "luck", "it says nothing"},
	} {
		at, _ := tt.base.Behaviour(tt.behaviour)
		if at.Needs != tt.needs || tt.base.Unjudged(tt.behaviour) != tt.unjudged {
			t.Errorf("%s needs %q, unjudged %q", tt.behaviour, at.Needs, tt.base.Unjudged(tt.behaviour))
		}
	}
}

// TestForeignMistakes makes one mistake at a time.
func TestForeignMistakes(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"bad ID", "id: other", "id: Other", "not an ID"},
		{"no release", `"-other"`, `""`, "what tells its kernel from others"},
		{"nothing to compare with", `  like: "7.2"`, "", "like has to name the series"},
		{"lacks what there is not", "einval/shared", "einval/none", `no behaviour "einval/none"`},
		{"lacks what is needed anyway", "einval/shared", "rootfs/quiet", "rootfs/quiet needs luck already"},
		{"lacks nothing", "feature: charm", `feature: ""`, "lacks needs a feature"},
		{"unjudged without a reason", "it says nothing", `""`, "to have a reason"},
		{"unjudged and in the ledger", "rootfs/quiet:", "rootfs/pivot:", "is unjudged"},
		{"no reason", "it is busy", `""`, "needs a reason"},
		{"a range", "reason: it", `from: "7.0", reason: it`, "from, to and commit are of Linux"},
		{"an entry for nothing", "behaviour: rootfs/pivot", "behaviour: rootfs/none", `no behaviour "rootfs/none"`},
		{"twice", "    - {behaviour: rootfs/pivot", "    - {behaviour: rootfs/pivot, outcome: EIO, reason: x}\n    - {behaviour: rootfs/pivot", "appears twice"},
		{"as on Linux", "outcome: EBUSY", "outcome: [OK, EBUSY], facts: {effect: [pivoted, none]}", "is as on Linux 7.2: leave it out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(foreign, tt.old) {
				t.Fatalf("there is no %q", tt.old)
			}
			_, err := knowledge.LoadFS(files(withForeign(strings.Replace(foreign, tt.old, tt.new, 1))))
			var mistakes knowledge.Mistakes
			if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a mistake with %q", err, tt.want)
			}
		})
	}
	m := good()
	m["ledger.yaml"] = strings.Replace(m["ledger.yaml"], "reason: gone", "reason: gone, no-control: so", 1)
	if _, err := knowledge.LoadFS(files(m)); err == nil || !strings.Contains(err.Error(), "no-control is for implementations") {
		t.Errorf("no-control on Linux: %v", err)
	}
}
