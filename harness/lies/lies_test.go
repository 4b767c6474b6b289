package lies_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/harness/accel"
	"pivotspec/harness/arch"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/images"
	"pivotspec/kernels"
	"pivotspec/results/cell"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/lies"
	"pivotspec/suites/record"
)

// everyPair is the environment variable that makes TestLies tell each lie in each behaviour,
// also those that it does not touch, where it otherwise tells only some of those: nearly three
// times as many boots.
const everyPair = "PIVOTSPEC_EVERY_LIE"

// parallel is how many guests run at once. Specs are not measured here.
const parallel = 2

// series are the kernels: one on each side of 7.0, and with -short one of them. 7.3 is the
// one whose kernel threads stay where they are, so that both ways of them are lied about.
func series() []string {
	if testing.Short() {
		return []string{"7.3"}
	}
	return []string{"6.12", "7.3"}
}

// bench is what boots of the lying guest need.
type bench struct {
	base   *knowledge.Base
	arch   *arch.Arch
	accel  *arch.Accel
	target images.Target
	kernel map[string]kernels.Kernel // by series
	build  *images.Builder
	// modules are the archives with the kernels' modules, by series.
	modules map[string]string
	// scenario, unless it is nil, is how jobs boot.
	scenario *images.Scenario
	dir      string
}

func newBench(t *testing.T, series ...string) *bench {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("lies are told in real boots, which need QEMU, Go and kernels: %v; `make test` installs and fetches them", err)
		}
	}
	b := &bench{kernel: map[string]kernels.Kernel{}, modules: map[string]string{}, dir: t.TempDir()}
	var err error
	b.base, err = knowledge.Load()
	must(err)
	l, err := lab.Open("", "")
	must(err)
	b.arch, err = l.Table.Arch("amd64")
	must(err)
	_, err = b.arch.FindQEMU()
	must(err)
	var entries []kernels.Entry
	for _, s := range series {
		e, err := l.Catalogue.Lookup(s, b.arch.Name)
		must(err)
		entries = append(entries, e)
	}
	for i, r := range l.Store.Get(t.Context(), entries, nil) {
		if r.Kernel.Boot == "" {
			must(r.Err)
		}
		b.kernel[series[i]] = r.Kernel
	}
	abi, err := b.arch.ABI("")
	must(err)
	b.target = images.Target{Name: abi.Name, Env: abi.Environ()}
	choice, err := l.Chooser.Choose(t.Context(), accel.Auto, b.arch, func(ctx context.Context) (accel.Boot, error) {
		img, err := l.Images.Powerdown(ctx, b.target)
		if err != nil {
			return accel.Boot{}, err
		}
		return accel.Boot{Kernel: b.kernel[series[0]].Boot, Initramfs: img.Path}, nil
	})
	must(err)
	b.accel = choice.Accel
	// Built once; the images, which differ in one file, are made of the binary.
	first := images.Builder{Dir: b.dir, Package: "pivotspec/suites/lies/guest"}
	img, err := first.Guest(t.Context(), b.target)
	must(err)
	b.build = &images.Builder{Dir: b.dir, Prebuilt: map[string]string{b.target.Name: img.Binary}}
	for s, k := range b.kernel {
		modules, err := b.build.Modules(t.Context(), k.Modules, k.NoModules)
		must(err)
		b.modules[s] = modules.Path
	}
	return b
}

// job is a boot in which each spec is told the lie that told has for it.
func (b *bench) job(t *testing.T, name, series string, told map[string]string) matrix.Job {
	t.Helper()
	path := filepath.Join(b.dir, strings.ReplaceAll(name, " ", "-"))
	if err := os.WriteFile(path, []byte(lies.Format(told)), 0o644); err != nil {
		t.Fatal(err)
	}
	img, err := b.build.Guest(t.Context(), b.target, images.FromFile(strings.TrimPrefix(lies.File, "/"), 0o644, path))
	if err != nil {
		t.Fatal(err)
	}
	j := matrix.Job{
		Name: name, Series: series, Arch: b.arch.Name, Kernel: b.kernel[series],
		VM: vm.Config{Arch: b.arch, Accel: b.accel, Kernel: b.kernel[series].Boot, Initramfs: img.Path, Dir: b.dir,
			Archives: []string{b.modules[series]}},
	}
	if b.scenario != nil {
		j.Scenario = b.scenario.Name
		if err := lab.Enter(t.Context(), b.build, &j, b.scenario); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// run boots the jobs and judges what they report.
func (b *bench) run(t *testing.T, jobs []matrix.Job) []*verdict.Judgement {
	t.Helper()
	runner := matrix.Runner{Jobs: parallel}
	var out []*verdict.Judgement
	for _, c := range runner.Run(t.Context(), jobs) {
		j, err := verdict.Judge(b.base, []*cell.Cell{c}, "")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, j)
	}
	return out
}

// honest is what a kernel shows when nobody lies.
type honest struct {
	series  string
	records map[string]*record.Record // by behaviour
	cell    *cell.Cell
	result  *verdict.CellResult
}

func newHonest(t *testing.T, series string, j *verdict.Judgement) *honest {
	t.Helper()
	h := &honest{series: series, records: map[string]*record.Record{}, cell: j.Cells[0].Cell, result: j.Cells[0]}
	if h.result.Status != cell.Complete || j.Exit() != verdict.ExitOK {
		t.Errorf("%s: without a lie the cell is %s (%s) and the exit status %d", series, h.result.Status, h.result.Reason, j.Exit())
		for _, r := range h.result.Results {
			if len(r.Wrong) > 0 {
				t.Errorf("%s: %s is %s: %s", series, r.Behaviour, r.Verdict, strings.Join(r.Wrong, "; "))
			}
		}
		t.FailNow()
	}
	for _, r := range h.cell.Records {
		// In a behaviour that the kernel has not there is nothing to lie about.
		if r.Type == record.TypeObservation && r.Status == record.Observed {
			h.records[r.ID] = r
		}
	}
	return h
}

func alike(a, b *record.Record) bool {
	return a.Status == b.Status && a.Outcome == b.Outcome && maps.Equal(a.Facts, b.Facts)
}

// rounds deals out the lies: in one round each behaviour is told one, so that a boot shows as
// many lies as there are behaviours. A behaviour is told the lies that touch it first, then,
// as long as others are still being told theirs or all is set, those that do not.
func rounds(h *honest, all bool) []map[string]string {
	queue := map[string][]string{}
	n := 0
	for i, id := range slices.Sorted(maps.Keys(h.records)) {
		var touching, others []string
		for _, l := range lies.Table() {
			if l.Touches(h.records[id]) {
				touching = append(touching, l.Name)
			} else {
				others = append(others, l.Name)
			}
		}
		// Begin elsewhere for each behaviour, that every lie is told where it does not touch.
		if k := len(others); k > 0 {
			others = append(others[i%k:], others[:i%k]...)
		}
		queue[id] = append(touching, others...)
		n = max(n, len(touching))
		if all {
			n = max(n, len(queue[id]))
		}
	}
	out := make([]map[string]string, n)
	for r := range out {
		out[r] = map[string]string{}
		for id, q := range queue {
			if r < len(q) {
				out[r][id] = q[r]
			}
		}
	}
	return out
}

// TestLies is what the suite is worth: every lie is caught in every behaviour that it touches,
// and seen in no other.
func TestLies(t *testing.T) {
	b := newBench(t, series()...)
	var jobs []matrix.Job
	for _, s := range series() {
		jobs = append(jobs, b.job(t, "honest "+s, s, nil))
	}
	var kernels []*honest
	for i, j := range b.run(t, jobs) {
		kernels = append(kernels, newHonest(t, series()[i], j))
	}
	for _, l := range lies.Table() {
		somewhere := slices.ContainsFunc(kernels, func(h *honest) bool {
			return slices.ContainsFunc(slices.Collect(maps.Values(h.records)), l.Touches)
		})
		if !somewhere && !testing.Short() {
			t.Errorf("the lie %s touches no behaviour on any of the kernels", l.Name)
		}
	}
	for _, h := range kernels {
		t.Run(h.series, func(t *testing.T) {
			t.Run("controls", func(t *testing.T) { controls(t, b, h) })
			t.Run("altered records", func(t *testing.T) { altered(t, b, h) })
			t.Run("lies", func(t *testing.T) { told(t, b, h) })
		})
	}
}

// controls checks that no errno stands without its positive control, or the reason why.
func controls(t *testing.T, b *bench, h *honest) {
	for id, r := range h.records {
		x, ok := b.base.Behaviour(id)
		if !ok {
			t.Errorf("%s is not in the data", id)
			continue
		}
		if r.Status == record.Observed && r.Outcome != record.OK && r.Facts[knowledge.FactControl] != record.OK && x.NoControl == "" {
			t.Errorf("%s: %s without a positive control", id, r.Outcome)
		}
	}
}

// errnos are the outcomes that could be taken for one another.
var errnos = [...]string{
	record.OK, "EACCES", "EBUSY", "EFAULT", "EINVAL", "ELOOP", "ENAMETOOLONG", "ENOENT", "ENOSYS", "ENOTDIR", "EPERM",
}

// altered checks that no record passes that differs from the honest one in one thing: the
// outcome, a fact, a fact that is left out or one that is added.
func altered(t *testing.T, b *bench, h *honest) {
	values := map[string]map[string]bool{} // of each fact, over all behaviours
	for _, r := range h.records {
		for f, v := range r.Facts {
			if values[f] == nil {
				values[f] = map[string]bool{"elsewhere": true, "ENOENT": true}
			}
			values[f][v] = true
		}
	}
	for id, r := range h.records {
		if r.Status != record.Observed {
			continue // the kernel lacks what it is about
		}
		x, _ := b.base.Behaviour(id)
		entry := h.result.Result(id).Entry
		check := func(what string, a record.Record) {
			t.Helper()
			alone := *h.cell
			alone.Records = slices.DeleteFunc(slices.Clone(h.cell.Records), func(o *record.Record) bool {
				return o.Type == record.TypeObservation
			})
			alone.Records = append(alone.Records, &a)
			j, err := verdict.Judge(b.base, []*cell.Cell{&alone}, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := j.Cells[0].Result(id); got.Verdict != verdict.Unexpected {
				t.Errorf("%s: with %s it is %s, want unexpected", id, what, got.Verdict)
			}
		}
		for _, o := range errnos {
			if o == r.Outcome || entry != nil && entry.Outcome.Has(o) {
				continue
			}
			a := *r
			a.Outcome = o
			check("outcome "+o, a)
			// With the effect that goes with it, which is the harder to tell.
			if r.Facts["effect"] != "" {
				a.Facts = maps.Clone(r.Facts)
				a.Facts["effect"] = map[bool]string{true: "pivoted", false: "none"}[o == record.OK]
				check("outcome and effect "+o, a)
			}
		}
		for f, v := range r.Facts {
			if x.IsInfo(f) {
				continue
			}
			a := *r
			a.Facts = maps.Clone(r.Facts)
			delete(a.Facts, f)
			check("no fact "+f, a)
			for other := range values[f] {
				if other == v {
					continue
				}
				a.Facts = maps.Clone(r.Facts)
				a.Facts[f] = other
				check(f+"="+other, a)
			}
		}
		a := *r
		a.Facts = map[string]string{"invented": "yes"}
		maps.Copy(a.Facts, r.Facts)
		check("an invented fact", a)
	}
}

// told tells the lies and checks what becomes of them.
func told(t *testing.T, b *bench, h *honest) {
	deal := rounds(h, os.Getenv(everyPair) != "")
	jobs := make([]matrix.Job, len(deal))
	for i, lie := range deal {
		jobs[i] = b.job(t, fmt.Sprintf("%s round %d", h.series, i), h.series, lie)
	}
	table := map[string]lies.Lie{}
	for _, l := range lies.Table() {
		table[l.Name] = l
	}
	caught := map[string]int{}            // by lie
	heard := map[string]map[string]bool{} // behaviours by fact and outcome: lied about and caught
	for i, j := range b.run(t, jobs) {
		c := j.Cells[0]
		if c.Status != cell.Complete {
			t.Errorf("round %d is %s: %s\n%s", i, c.Status, c.Reason, c.Cell.Console)
		}
		exit := verdict.ExitOK // of the last rounds, if every pair is told, where no lie touches
		for id, name := range deal[i] {
			if table[name].Touches(h.records[id]) {
				exit = verdict.ExitUnexpected
			}
		}
		if got := j.Exit(); got != exit {
			t.Errorf("round %d: exit status %d, want %d", i, got, exit)
		}
		records := map[string]*record.Record{}
		for _, r := range c.Cell.Records {
			if r.Type == record.TypeObservation {
				records[r.ID] = r
			}
			if r.Type == record.TypeNote {
				t.Errorf("round %d: %s", i, r.Why)
			}
		}
		for _, w := range c.Warnings {
			if w.Known == nil {
				t.Errorf("round %d: the kernel says: %s", i, w.Text)
			}
		}
		for id, before := range h.records {
			got, result, name := records[id], c.Result(id), deal[i][id]
			switch {
			case got == nil:
				t.Errorf("%s: %s was never reported", id, name)
			case name != "" && table[name].Touches(before):
				if result.Verdict != verdict.Unexpected {
					t.Errorf("%s: the lie %s is %s, want unexpected: %s %v; %s\n\t%s", id, name, result.Verdict,
						got.Outcome, got.Facts, strings.Join(result.Wrong, "; "), strings.Join(got.Steps, "\n\t"))
					continue
				}
				caught[name]++
				if heard[id] == nil {
					heard[id] = map[string]bool{}
				}
				heard[id]["outcome"] = heard[id]["outcome"] || got.Outcome != before.Outcome
				for f, v := range before.Facts {
					if w, ok := got.Facts[f]; ok && v != w {
						heard[id][f] = true
					}
				}
			case !alike(before, got) || result.Verdict != h.result.Result(id).Verdict:
				t.Errorf("%s: the lie %q, which does not touch it, makes it %s: %s %v; %s", id, name, result.Verdict,
					got.Outcome, got.Facts, strings.Join(append(result.Wrong, got.Why), "; "))
			}
		}
	}
	for _, l := range lies.Table() {
		t.Logf("%-26s caught in %3d of %d behaviours: %s", l.Name, caught[l.Name], len(h.records), l.Says)
	}
	t.Logf("%d boots", len(deal))
	for id, r := range h.records {
		if r.Status != record.Observed {
			continue
		}
		for _, f := range append(slices.Sorted(maps.Keys(r.Facts)), "outcome") {
			if x, _ := b.base.Behaviour(id); !heard[id][f] && !x.IsInfo(f) {
				t.Errorf("%s: no lie about its %s: add one to the table", id, f)
			}
		}
	}
}

// TestAccidents: a spec in which the suite dies, hangs or panics is broken, with the reason, and
// the others are what they are without that.
func TestAccidents(t *testing.T) {
	const series = "7.3"
	b := newBench(t, series)
	private := []string{
		"ebusy/new-root-is-slash", "einval/put-old-above-new-root", "success/pivot-back",
	}
	many := map[string]string{}
	var doomed []string
	for _, x := range b.base.Behaviours {
		if x.Area() == "einval" || x.Area() == "enoent" {
			many[x.ID] = "die"
			doomed = append(doomed, x.ID)
		}
	}
	results := b.run(t, []matrix.Job{
		b.job(t, "honest", series, nil),
		b.job(t, "hang", series, map[string]string{
			private[0]: "die", private[1]: "panic", private[2]: "hang", "rootfs/pid1-pivot": "hang",
		}),
		b.job(t, "die", series, map[string]string{"rootfs/pid1-pivot": "die"}),
		b.job(t, "die often", series, many),
	})
	h := newHonest(t, series, results[0])
	initial := []string{"rootfs/pid1-pivot", "migrate/threads-sharing-callers-fs", "migrate/kernel-threads", "rootfs/pid1-dot-dot"}

	for _, tt := range []struct {
		judged *verdict.Judgement
		status cell.Status
		reason string
		// broken gives by behaviour a part of the reason for which it is broken, missing
		// lists those of which nothing is reported.
		broken  map[string]string
		missing []string
	}{
		{results[1], cell.Complete, "", map[string]string{
			private[0]: "the suite died: signal: killed",
			private[1]: "panic in the spec: a spec that is wrong",
			private[2]: "hung for",
			initial[0]: "hung for",
		}, initial[1:]},
		{results[2], cell.Broken, "Attempted to kill init", nil, initial},
	} {
		c := tt.judged.Cells[0]
		if c.Status != tt.status || !strings.Contains(c.Reason, tt.reason) {
			t.Errorf("%s is %s (%s), want %s (%s)", c.Cell.Name, c.Status, c.Reason, tt.status, tt.reason)
		}
		if got := tt.judged.Exit(); got == verdict.ExitOK {
			t.Errorf("%s: exit status %d", c.Cell.Name, got)
		}
		for id := range h.records {
			r, why := c.Result(id), tt.broken[id]
			want := h.result.Result(id).Verdict
			switch {
			case why != "":
				want = verdict.Broken
			case slices.Contains(tt.missing, id):
				want = verdict.Missing
			}
			if r.Verdict != want || why != "" && !strings.Contains(strings.Join(r.Wrong, "; "), why) {
				t.Errorf("%s: %s is %s (%s), want %s (%s)", c.Cell.Name, id, r.Verdict, strings.Join(r.Wrong, "; "), want, why)
			}
		}
	}

	// A suite that dies time and again is given up, and what it did not get to is missing.
	c := results[3].Cells[0]
	n := map[verdict.Verdict]int{}
	for _, id := range doomed {
		n[c.Result(id).Verdict]++
	}
	if n[verdict.Broken] == 0 || n[verdict.Missing] == 0 || n[verdict.Broken]+n[verdict.Missing] != len(doomed) {
		t.Errorf("of %d behaviours in which the suite dies there are %v, want some broken and the others missing", len(doomed), n)
	}
	if results[3].Exit() != verdict.ExitBroken || c.Status != cell.Complete {
		t.Errorf("%s is %s (%s) with exit status %d", c.Cell.Name, c.Status, c.Reason, results[3].Exit())
	}
	if r := c.Result("rootfs/pid1-pivot"); r.Verdict != h.result.Result(r.Behaviour).Verdict {
		t.Errorf("%s: %s is %s: the specs of PID 1 do not need those before", c.Cell.Name, r.Behaviour, r.Verdict)
	}
}
