package knowledge_test

import (
	"maps"
	"strings"
	"testing"

	"pivotspec/suites/knowledge"
)

// TestEverybodyIsNoticed: whatever changes of whatever behaviour, there is somebody who is graded for it.
func TestEverybodyIsNoticed(t *testing.T) {
	b, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, real := range b.Behaviours {
		for _, a := range []knowledge.Aspect{knowledge.AspectCall, knowledge.AspectErrno, knowledge.AspectFacts} {
			if len(b.Noticed(real.ID, a)) == 0 {
				t.Errorf("%s: nobody notices if the %s changes", real.ID, a)
			}
		}
	}
	if got := b.Noticed("nowhere/at-all", knowledge.AspectCall); got != nil {
		t.Errorf("a behaviour of no area is noticed by %v", got)
	}
}

// noticed is good knowledge with audiences.
func noticed() map[string]string {
	out := good()
	maps.Copy(out, map[string]string{
		"audiences.yaml": `
- {id: boot, title: boot tools}
- {id: testers, title: tests}
`,
		"notices.yaml": `
- {of: einval, call: {boot: possible, testers: likely}, errno: {testers: possible}, facts: {testers: unlikely}, free: {cwd: nobody looks}}
- {of: rootfs, call: {boot: likely}, errno: {boot: unlikely}, facts: {boot: unlikely}}
- {of: einval/shared, errno: {boot: likely}, better: {cwd: [moved, gone]}, free: {}}
`,
	})
	return out
}

func TestNoticed(t *testing.T) {
	data := noticed()
	data["notices.yaml"] = strings.Replace(data["notices.yaml"], ", free: {cwd: nobody looks}", "", 1)
	b, err := knowledge.LoadFS(files(data))
	if err != nil {
		t.Fatal(err)
	}
	say := func(id string, a knowledge.Aspect) string {
		var out []string
		for _, n := range b.Noticed(id, a) {
			out = append(out, n.Audience.ID+" "+string(n.Grade))
		}
		return strings.Join(out, ", ")
	}
	for _, tt := range []struct {
		id     string
		aspect knowledge.Aspect
		want   string
	}{
		{"einval/shared", knowledge.AspectCall, "testers likely, boot possible"}, // of the area, the most likely first
		{"einval/shared", knowledge.AspectErrno, "boot likely"},                  // its own takes the area's place
		{"einval/shared", knowledge.AspectFacts, "testers unlikely"},
		{"rootfs/pivot", knowledge.AspectCall, "boot likely"},
	} {
		if got := say(tt.id, tt.aspect); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.id, tt.aspect, got, tt.want)
		}
	}
	if !b.BetterFact("einval/shared", "cwd", "gone") || b.BetterFact("einval/shared", "cwd", "stayed") {
		t.Error("which values are better is not as the notice says")
	}
	if why := b.FreeFact("einval/shared", "cwd"); why != "" {
		t.Errorf("cwd is free: %s", why)
	}
	b, err = knowledge.LoadFS(files(noticed()))
	if err != nil {
		t.Fatal(err)
	}
	if why := b.FreeFact("einval/shared", "cwd"); why != "nobody looks" {
		t.Errorf("cwd is free because of %q", why)
	}
}

func TestNoticeMistakes(t *testing.T) {
	for _, tt := range []struct{ file, old, new, want string }{
		{"audiences.yaml", "title: tests", `title: ""`, "testers needs a title"},
		{"audiences.yaml", "id: testers", "id: boot", "boot appears twice"},
		{"audiences.yaml", "- {id: boot,", "- {id: nobody, title: x}\n- {id: boot,", "nobody notices nothing"},
		{"notices.yaml", "of: rootfs", "of: einval", "einval appears twice"},
		{"notices.yaml", "of: rootfs", "of: einval", "nobody notices what changes in the area rootfs"},
		{"notices.yaml", "of: rootfs", "of: roots", "roots is neither an area nor a behaviour"},
		{"notices.yaml", "call: {boot: likely}, ", "", "rootfs needs an audience in call"},
		{"notices.yaml", "boot: possible", "boots: possible", `there is no audience "boots"`},
		{"notices.yaml", "boot: possible", "boot: sure", `grade "sure" is none of likely, possible, unlikely`},
		{"notices.yaml", "free: {cwd:", "free: {cwds:", "there is no compared fact cwds of einval"},
		{"notices.yaml", "free: {cwd: nobody looks}", "free: {mount-id: x}", "there is no compared fact mount-id of einval"},
		{"notices.yaml", "nobody looks", `""`, "free: cwd needs a reason"},
		{"notices.yaml", "[moved, gone]", "[]", "better: cwd needs a value"},
		{"notices.yaml", "free: {}", "free: {cwd: x}", "fact cwd is free already"},
		{"notices.yaml", "errno: {boot: likely}", "error: {boot: likely}", "error"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			data := noticed()
			if !strings.Contains(data[tt.file], tt.old) {
				t.Fatalf("%s has no %q", tt.file, tt.old)
			}
			data[tt.file] = strings.Replace(data[tt.file], tt.old, tt.new, 1)
			_, err := knowledge.LoadFS(files(data))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
