package knowledge_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"pivotspec/suites/knowledge"
)

// TestData is the gate for the data files: they load without a mistake.
func TestData(t *testing.T) {
	b, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	if b.Current() == nil || b.Current().ID != "6.20" {
		t.Errorf("current edition is %+v, want 6.20", b.Current())
	}
	if len(b.Editions) != 9 {
		t.Errorf("%d editions, want the eight of the design, and the question and answer", len(b.Editions))
	}
	// That the claims cover the statements is checked on loading; here, that all are listed.
	for edition, want := range map[string]int{
		"2.3.41": 33, "4.10": 35, "qa-initramfs": 18, "dlang": 41, "2019-08": 45,
		"5.10": 54, "6.03": 54, "6.9.1": 54, "6.20": 54,
	} {
		if got := len(b.Places(edition)); got != want {
			t.Errorf("edition %s: %d statements are listed, want %d", edition, got, want)
		}
	}
}

const fingerprint = "0123456789abcdef"

// good is knowledge without a mistake.
func good() map[string]string {
	return map[string]string{
		"editions.yaml": `
- {id: "4.10", title: old, date: "2012-07-13", source: test}
- {id: "6.20", title: new, date: "2025", source: test, current: true}
`,
		"areas.yaml": `
- {id: rootfs, title: initramfs}
- {id: einval, title: EINVAL}
`,
		"behaviours.yaml": `
- id: einval/shared
  title: shared
  groups: [12]
  facts:
    cwd: where the cwd is
    mount-id: of the root
  info: [mount-id]
- id: rootfs/pivot
  title: pivot
- {id: rootfs/quiet, title: nothing is known, silent: nobody says, needs: luck, no-effect: true}
`,
		"claims.yaml": `
- id: errors/einval-shared
  says: fails
  strength: must
  editions:
    "4.10": {section: ERRORS, item: EINVAL, nth: 1, fingerprint: ` + fingerprint + `}
    "6.20": {section: ERRORS, item: EINVAL, nth: 2, fingerprint: ` + fingerprint + `}
  demands:
    - {behaviour: einval/shared, outcome: [EINVAL, "errno 999"], facts: {cwd: stayed}}
    - behaviour: rootfs/pivot
      outcome: EINVAL
- id: errors/einval-vague
  says: fails with EINVAL
  strength: must
  editions: {"6.20": {section: ERRORS, item: EINVAL, nth: 1, fingerprint: fedcba9876543210}}
  untestable: it says not when
- id: bugs/insanity
  says: insanity
  strength: advice
  editions: {"4.10": {section: BUGS, nth: 1, fingerprint: ` + fingerprint + `}}
  untestable: who knows
`,
		"ledger.yaml": `
- behaviour: rootfs/pivot
  from: "7.0"
  to: "7.10"
  outcome:
    - OK
    - EBUSY
  facts: {effect: [pivoted, none]}
  reason: nullfs
  commit: 0123456789ab
  contradicts: [errors/einval-shared]
- {behaviour: rootfs/pivot, from: "7.11", arch: [amd64], outcome: EINVAL, reason: gone}
- {behaviour: rootfs/pivot, from: "7.12", arch: [arm64], outcome: OK, reason: not gone}
`,
		"warnings.yaml": "# nothing but a comment\n",
		"proposals.yaml": `
- {id: shared, title: shared mounts, claims: [errors/einval-shared], show: einval/shared, propose: more}
- {id: quiet, title: a silence, areas: [rootfs], show: rootfs/quiet, none: nobody asks}
`,
		"statements/4.10.yaml": `
- {edition: "4.10", section: ERRORS, item: EINVAL, fingerprints: [` + fingerprint + `]}
- {edition: "4.10", section: BUGS, fingerprints: [[` + fingerprint + `]]}
`,
		"statements/6.20.yaml": `
- {edition: "6.20", section: ERRORS, item: EINVAL, fingerprints: [fedcba9876543210, ` + fingerprint + `]}
`,
	}
}

func files(m map[string]string) fs.FS {
	out := fstest.MapFS{}
	for name, text := range m {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func load(t *testing.T) *knowledge.Base {
	t.Helper()
	b, err := knowledge.LoadFS(files(good()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLoad(t *testing.T) {
	b := load(t)
	var ids []string
	for _, x := range b.Behaviours {
		ids = append(ids, x.ID)
	}
	if got := strings.Join(ids, " "); got != "rootfs/pivot rootfs/quiet einval/shared" {
		t.Errorf("behaviours are %s, want them in the order of the areas", got)
	}
	x, ok := b.Behaviour("einval/shared")
	if !ok || x.Area() != "einval" || x.Condition() != "shared" || !x.IsInfo("mount-id") || x.IsInfo("cwd") {
		t.Errorf("behaviour is %+v", x)
	}
	if q, _ := b.Behaviour("rootfs/quiet"); q.Needs != "luck" || !q.NoEffect || q.Silent == "" {
		t.Errorf("behaviour is %+v", q)
	}
	d := b.Demands("einval/shared", "6.20")
	if len(d) != 1 || !d[0].Demand.Outcome.Has("EINVAL") || !d[0].Demand.Outcome.Has("errno 999") || d[0].Demand.Facts["cwd"].String() != "stayed" {
		t.Errorf("demands are %+v", d)
	}
	if p, ok := d[0].Claim.In("6.20"); !ok || p.String() != "ERRORS, EINVAL 2" {
		t.Errorf("place is %q", p)
	}
	if d := b.Demands("einval/shared", "5.10"); d != nil {
		t.Errorf("an edition without claims demands %+v", d)
	}
}

func TestEntry(t *testing.T) {
	b := load(t)
	for _, tt := range []struct{ series, arch, want string }{
		{"6.19", "amd64", ""},
		{"7.0", "amd64", "7.0 to 7.10"},
		{"7.2", "riscv64", "7.0 to 7.10"},
		{"7.10", "amd64", "7.0 to 7.10"},
		{"7.11", "amd64", "since 7.11 on amd64"},
		{"7.11", "arm64", ""},
		{"8.0", "arm64", "since 7.12 on arm64"},
	} {
		s, err := knowledge.ParseSeries(tt.series)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if e := b.Entry("rootfs/pivot", s, tt.arch); e != nil {
			got = e.Range()
		}
		if got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.series, tt.arch, got, tt.want)
		}
	}
}

// TestSilence: a behaviour without a claim of the current edition belongs to one proposal.
func TestSilence(t *testing.T) {
	b := load(t)
	for i, want := range []string{"", "rootfs/quiet"} {
		var ids []string
		for _, x := range b.Silence(&b.Proposals[i]) {
			ids = append(ids, x.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s covers %q, want %q", b.Proposals[i].ID, got, want)
		}
	}
	if u := b.Uncovered(); len(u) != 0 {
		t.Errorf("%d behaviours are covered by nothing", len(u))
	}
	m := good()
	delete(m, "proposals.yaml")
	b, err := knowledge.LoadFS(files(m))
	if err != nil {
		t.Fatal(err)
	}
	if u := b.Uncovered(); len(u) != 1 || u[0].ID != "rootfs/quiet" {
		t.Errorf("without proposals %v is covered by nothing, want rootfs/quiet", u)
	}
}

// TestMistakes makes one mistake at a time.
func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ name, file, old, new, want string }{
		{"unknown field", "behaviours.yaml", "groups:", "group:", "behaviours.yaml: "},
		{"duplicate key", "behaviours.yaml", "  title: shared", "  title: shared\n  title: twice", "behaviours.yaml: "},
		{"no YAML", "claims.yaml", "- id: bugs", "- [", "claims.yaml: "},
		{"bare version", "ledger.yaml", `"7.10"`, `7.10`, "has to be in quotes"},
		{"bad version", "ledger.yaml", `"7.10"`, `"7.x"`, "want two numbers"},
		{"duplicate behaviour", "behaviours.yaml", "rootfs/quiet", "rootfs/pivot", "rootfs/pivot appears twice"},
		{"bad ID", "behaviours.yaml", "rootfs/quiet", "rootfs", "not an ID"},
		{"unknown area", "behaviours.yaml", "rootfs/quiet", "ebusy/quiet", `no area "ebusy"`},
		{"empty area", "areas.yaml", "- {id: einval", "- {id: eperm, title: EPERM}\n- {id: einval", "eperm has no behaviour"},
		{"no title", "behaviours.yaml", "title: pivot", `title: ""`, "needs a title"},
		{"info not declared", "behaviours.yaml", "info: [mount-id]", "info: [mount-id, pid]", "fact pid, which is not declared"},
		{"info twice", "behaviours.yaml", "info: [mount-id]", "info: [mount-id, mount-id]", "names mount-id twice"},
		{"info of a universal fact", "behaviours.yaml", "info: [mount-id]", "info: [mount-id, effect]", "always compared"},
		{"fact without a meaning", "behaviours.yaml", "mount-id: of the root", `mount-id: ""`, "needs a meaning"},
		{"fact constrained by nothing", "behaviours.yaml", "cwd: where the cwd is", "cwd: where the cwd is\n    pid: of the caller", "fact pid is constrained by no claim"},
		{"not silent", "behaviours.yaml", "title: pivot", "title: pivot\n  silent: so it says", "but errors/einval-shared does"},
		{"silent without saying so", "behaviours.yaml", "silent: nobody says, ", "", "does not say why in silent"},
		{"bad scenario", "behaviours.yaml", "groups: [12]", "groups: [12]\n  scenario: [Disk]", `"Disk" is not the name of a scenario`},
		{"scenario twice", "behaviours.yaml", "groups: [12]", "groups: [12]\n  scenario: [disk, disk]", "scenario names disk twice"},
		{"unknown cause", "behaviours.yaml", "groups: [12]", "groups: [12]\n  cause: old-shred", `there is no cause "old-shred"`},
		{"cause of no errno", "behaviours.yaml", "groups: [12]", "groups: [12]\n  cause: [{errno: OK, is: old-shared}]", `"OK" is no errno`},
		{"cause of no kernel", "behaviours.yaml", "groups: [12]", "groups: [12]\n  cause: [{from: \"7.1\", to: \"7.0\", is: old-shared}]", "from 7.1 is newer than to 7.0"},
		{"no cause in a list", "behaviours.yaml", "groups: [12]", "groups: [12]\n  cause: [{errno: EINVAL}]", "an entry has none"},
		{"misspelt cause entry", "behaviours.yaml", "groups: [12]", "groups: [12]\n  cause: [{errn: EINVAL, is: old-shared}]", "behaviours.yaml: "},
		{"cause that cannot be told", "behaviours.yaml", "groups: [12]", "groups: [12]\n  cause: old-shared\n  untold: so it says", "says in untold that none can be told"},
		{"group 0", "behaviours.yaml", "groups: [12]", "groups: [0]", "groups count from 1"},
		{"duplicate claim", "claims.yaml", "bugs/insanity", "errors/einval-shared", "appears twice"},
		{"unknown behaviour", "claims.yaml", "behaviour: rootfs/pivot", "behaviour: rootfs/pivto", `no behaviour "rootfs/pivto"`},
		{"demanded twice", "claims.yaml", "behaviour: rootfs/pivot", "behaviour: einval/shared", "demands something of einval/shared twice"},
		{"unknown edition", "claims.yaml", `"6.20": {`, `"6.21": {`, "no edition 6.21"},
		{"unknown section", "claims.yaml", "section: BUGS", "section: BUG", `unknown section "BUG"`},
		{"unknown strength", "claims.yaml", "strength: advice", "strength: hint", `strength "hint"`},
		{"no nth", "claims.yaml", "section: BUGS, nth: 1", "section: BUGS", "nth counts from 1"},
		{"bad fingerprint", "claims.yaml", "section: BUGS, nth: 1, fingerprint: 0", "section: BUGS, nth: 1, fingerprint: x", "not 16 hexadecimal digits"},
		{"neither demands nor untestable", "claims.yaml", "untestable: who knows", "", "either demands or the reason"},
		{"no paraphrase", "claims.yaml", "says: insanity", `says: ""`, "needs a paraphrase"},
		{"unknown outcome", "claims.yaml", "outcome: EINVAL", "outcome: EINVL", `outcome "EINVL"`},
		{"no outcome", "claims.yaml", "outcome: EINVAL", "outcome: []", "names no outcome"},
		{"undeclared fact", "claims.yaml", "{cwd: stayed}", "{cwd: stayed, pid: same}", "fact pid is not declared"},
		{"info demanded", "claims.yaml", "{cwd: stayed}", "{cwd: stayed, mount-id: x}", "mount-id is informational"},
		{"no reason", "ledger.yaml", "reason: nullfs", `reason: ""`, "needs a reason"},
		{"empty range", "ledger.yaml", `to: "7.10"`, `to: "6.10"`, "the range is empty"},
		{"overlap", "ledger.yaml", `from: "7.11"`, `from: "7.10"`, "overlaps with the entry 7.0 to 7.10"},
		{"overlap of open ends", "ledger.yaml", `from: "7.12", arch: [arm64]`, `from: "7.12"`, "overlaps with the entry since 7.11 on amd64"},
		{"overlap with what always holds", "ledger.yaml", `from: "7.12", arch: [arm64], `, "", "overlaps with"},
		{"ledger of nothing", "ledger.yaml", "- {behaviour: rootfs/pivot", "- {behaviour: rootfs/pivto", `no behaviour "rootfs/pivto"`},
		{"bad commit", "ledger.yaml", "commit: 0123456789ab", "commit: 012", "commit"},
		{"contradicts nothing", "ledger.yaml", "[errors/einval-shared]", "[errors/einval]", "which there is not"},
		{"contradicts another", "ledger.yaml", "[errors/einval-shared]", "[errors/einval-shared, bugs/insanity]", "demands nothing of the behaviour"},
		{"contradicts what it satisfies", "ledger.yaml", "outcome: EINVAL, reason: gone", "outcome: EINVAL, reason: gone, contradicts: [errors/einval-shared]", "satisfies that claim"},
		{"no current edition", "editions.yaml", ", current: true", "", "not 0"},
		{"two current editions", "editions.yaml", `"2012-07-13", source: test`, `"2012-07-13", source: test, current: true`, "not 2 (4.10, 6.20)"},
		{"editions out of order", "editions.yaml", `"2025"`, `"2011-01"`, "comes after an edition"},
		{"bad date", "editions.yaml", `"2025"`, `"25"`, "is not YYYY"},
		{"proposal twice", "proposals.yaml", "id: quiet", "id: shared", "shared appears twice"},
		{"proposal of an old edition's claim", "proposals.yaml", "[errors/einval-shared]", "[bugs/insanity]", "does not make the claim bugs/insanity"},
		{"proposal about an unknown claim", "proposals.yaml", "[errors/einval-shared]", "[errors/none]", `no claim "errors/none"`},
		{"proposal of a contradiction of one", "proposals.yaml", "show: einval", "between: [errors/einval-shared], show: einval", "needs two claims"},
		{"proposal without words", "proposals.yaml", "propose: more", `propose: ""`, "needs either"},
		{"proposal and none", "proposals.yaml", "none: nobody asks", "none: nobody asks, propose: x", "needs either"},
		{"proposal that shows nothing", "proposals.yaml", "show: einval/shared, ", "", "needs a behaviour to show"},
		{"proposal that shows what there is not", "proposals.yaml", "show: rootfs/quiet", "show: rootfs/loud", `no behaviour "rootfs/loud"`},
		{"proposal about nothing", "proposals.yaml", "areas: [rootfs]", "areas: [einval]", "is about nothing"},
		{"proposal for an unknown area", "proposals.yaml", "areas: [rootfs]", "areas: [ebusy]", `no area "ebusy"`},
		{"proposal for an unknown group", "proposals.yaml", "areas: [rootfs]", "areas: [rootfs], groups: [99]", "no behaviour is of group 99"},
		{"statement without a claim", "statements/4.10.yaml", "[[", "[fedcba9876543210, [", "BUGS: no claim covers number 1 (fedcba9876543210)"},
		{"claim without a statement", "statements/4.10.yaml", "section: BUGS", "section: NOTES", "bugs/insanity: edition 4.10 has no statement BUGS"},
		{"statement listed twice", "statements/4.10.yaml", "[[", "[[" + fingerprint + ", ", "is listed twice at number 1"},
		{"statements listed twice", "statements/4.10.yaml", "section: BUGS", "section: ERRORS, item: EINVAL", "ERRORS, EINVAL appears twice"},
		{"statements of nothing", "statements/4.10.yaml", `edition: "4.10", section: BUGS`, `edition: "4.11", section: BUGS`, "edition 4.11: BUGS: there is no such edition"},
		{"no statements", "statements/4.10.yaml", "[[" + fingerprint + "]]", "[]", "has no statement"},
		{"statement without a fingerprint", "statements/4.10.yaml", "[[" + fingerprint + "]]", "[[]]", "number 1 has no fingerprint"},
		{"sentence of two editions claimed by one", "claims.yaml", `    "4.10": {section: ERRORS, item: EINVAL, nth: 1, fingerprint: ` + fingerprint + "}\n", "",
			"errors/einval-shared: edition 4.10 says the same at ERRORS, EINVAL; add it"},
		{"warning too short", "warnings.yaml", "# nothing", "- {match: BUG, reason: all}\n#", "too short"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := good()
			if !strings.Contains(m[tt.file], tt.old) {
				t.Fatalf("%s does not contain %q", tt.file, tt.old)
			}
			m[tt.file] = strings.Replace(m[tt.file], tt.old, tt.new, 1)
			_, err := knowledge.LoadFS(files(m))
			var mistakes knowledge.Mistakes
			if !errors.As(err, &mistakes) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a mistake with %q", err, tt.want)
			}
		})
	}
}

// TestAllMistakes: every mistake is reported, not the first one only.
func TestAllMistakes(t *testing.T) {
	m := good()
	m["claims.yaml"] = strings.NewReplacer("outcome: EINVAL", "outcome: EINVL", "strength: advice", "strength: hint").Replace(m["claims.yaml"])
	m["ledger.yaml"] = strings.Replace(m["ledger.yaml"], "reason: nullfs", `reason: ""`, 1)
	_, err := knowledge.LoadFS(files(m))
	var mistakes knowledge.Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) != 3 {
		t.Errorf("got %v, want three mistakes", err)
	}

	delete(m, "areas.yaml")
	m["claims.yaml"], m["ledger.yaml"] = "- [", "- {no-such-field: 1}"
	_, err = knowledge.LoadFS(files(m))
	for _, want := range []string{"areas.yaml", "claims.yaml", "ledger.yaml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a mistake in %s", err, want)
		}
	}
}

func TestSeries(t *testing.T) {
	for _, tt := range []struct {
		release string
		want    string // "" for an error
	}{
		{"6.12.107+deb13-cloud-amd64", "6.12"},
		{"7.3-rc4-cloud-amd64", "7.3"},
		{"7.3", "7.3"},
		{"4.19.0-gvisor", "4.19"},
		{"6.1.0-32-cloud-amd64", "6.1"},
		{"10.0.1", "10.0"},
		{"", ""},
		{"next-20261122", ""},
		{"6", ""},
		{"6.x", ""},
		{"0.1", ""},
	} {
		got, err := knowledge.SeriesOf(tt.release)
		if got.String() != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q: got %q, %v, want %q", tt.release, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "6", "6.", ".1", "6.1.2", "-6.1", "6.-1", "a.b", "6.99999999999", " 6.1"} {
		if got, err := knowledge.ParseSeries(bad); err == nil {
			t.Errorf("%q: got %v, want an error", bad, got)
		}
	}
	order := []string{"4.19", "5.10", "6.1", "6.2", "6.12", "6.19", "7.0", "10.0"}
	for i, a := range order {
		for j, b := range order {
			x, _ := knowledge.ParseSeries(a)
			y, _ := knowledge.ParseSeries(b)
			if got := x.Compare(y); got != sign(i-j) {
				t.Errorf("%s to %s: got %d", a, b, got)
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestFingerprint(t *testing.T) {
	a := knowledge.Fingerprint("put_old  is not at or\n  underneath “new_root”.")
	if b := knowledge.Fingerprint(`Put_old is not at or underneath "new_root"`); a != b {
		t.Errorf("layout and quotes make a difference: %s, %s", a, b)
	}
	if b := knowledge.Fingerprint("put_old is at or underneath new_root."); a == b {
		t.Error("a word makes no difference")
	}
	if len(a) != 16 {
		t.Errorf("%q is not 16 digits long", a)
	}
}

func TestWarningCovers(t *testing.T) {
	m := good()
	m["warnings.yaml"] = `[{match: "clock drift", from: "6.1", to: "6.19", arch: [amd64], reason: emulated}]`
	b, err := knowledge.LoadFS(files(m))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		text, series, arch string
		want               bool
	}{
		{"[1.0] clock drift: 3", "6.12", "amd64", true},
		{"[1.0] clock drift: 3", "7.0", "amd64", false},
		{"[1.0] clock drift: 3", "6.12", "arm64", false},
		{"oops", "6.12", "amd64", false},
	} {
		s, _ := knowledge.ParseSeries(tt.series)
		if got := b.Warnings[0].Covers(tt.text, s, tt.arch); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}
