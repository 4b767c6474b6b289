package report_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/record"
)

// told are the good cells with steps, evidence and a console on one kernel.
func told() []*cell.Cell {
	cells := fixture.Good()
	for _, c := range cells {
		if c.Series != "7.2" && c.Series != "7.0" {
			continue
		}
		for _, r := range c.Records {
			if r.ID == "einval/put-old-not-below-new-root" {
				r.Steps = []string{"jail with /new/old", `pivot_root("/new", "/") = EINVAL`, `pivot_root("/new", "/new/old") = OK`}
			}
		}
		e := &record.Evidence{
			Mounts: []string{
				"2 1 / / rw,relatime - tmpfs tmpfs", "3 2 / /new rw,relatime shared:1 - tmpfs tmpfs",
				"2 3 / /old rw,relatime - tmpfs tmpfs", "3 1 / / rw,relatime shared:1 - tmpfs tmpfs",
			},
			Calls: []record.EvidenceOfCall{
				{ID: "einval/put-old-not-below-new-root", Step: 1, Before: []int{0, 1}, After: []int{0, 1}},
				{ID: "einval/put-old-not-below-new-root", Step: 2, Before: []int{0, 1}, After: []int{2, 3}},
			},
		}
		c.Records = slices.Insert(c.Records, len(c.Records)-1, &record.Record{Type: record.TypeEvidence, Evidence: e})
		c.Console = "[    0.000000] Linux version " + c.Kernel.Version
	}
	return cells
}

// html renders a page.
func html(t *testing.T, j *verdict.Judgement, o report.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.Render("html", &b, j, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// browser is a headless Chromium.
type browser struct {
	ctx context.Context
	dir string
}

func chromium(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the page is tested in Chromium, which is not here: `harness/ci/setup test` installs Debian's package chromium")
	}
	b := &browser{dir: t.TempDir()}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(b.dir, "profile")), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.WSURLReadTimeout(2*time.Minute),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	b.ctx = ctx
	return b
}

// step is one thing that is done with a page.
type step = chromedp.Action[chromedp.Void]

// call is a command of the protocol as a step.
func call[P, R any](c cdp.Command[P, R], params P) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, c, params)
		return chromedp.Void{}, err
	}
}

func size(width, height int64) step {
	return call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600})
}

func click(selector string) step { return chromedp.Click(chromedp.CSS(selector)) }

func focus(selector string) step { return chromedp.Focus(chromedp.CSS(selector)) }

// tab shows a page at a place in it.
type tab struct {
	*testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	requests []string
	errors   []string
}

func (b *browser) tab(t *testing.T, page []byte, hash string, before ...step) *tab {
	t.Helper()
	file := filepath.Join(b.dir, strings.ReplaceAll(t.Name(), "/", "-")+".html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	p := &tab{T: t, ctx: ctx, url: "file://" + file}
	err := chromedp.Listen(ctx, func(ev any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			p.requests = append(p.requests, ev.Request.URL)
		case *runtime.EventExceptionThrown:
			p.errors = append(p.errors, ev.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			p.errors = append(p.errors, fmt.Sprintf("console.%s", ev.Type))
		case *log.EventEntryAdded:
			p.errors = append(p.errors, ev.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.do(append([]step{call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), size(1280, 900)}, before...)...)
	p.do(chromedp.Navigate(p.url + hash))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, e := range p.errors {
			t.Errorf("the browser complains: %s", e)
		}
		for _, r := range p.requests {
			if url, _, _ := strings.Cut(r, "#"); url != p.url {
				t.Errorf("the page asks for %s", r)
			}
		}
		if len(p.requests) == 0 {
			t.Error("no request was seen, not even that for the page")
		}
	})
	return p
}

func (p *tab) do(steps ...step) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// press types keys on whatever has the focus.
func (p *tab) press(keys ...string) {
	p.Helper()
	for _, k := range keys {
		p.do(chromedp.KeyEvent(k))
	}
}

// js evaluates an expression.
func js[T any](p *tab, expression string) T {
	p.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return out
}

// want compares what an expression gives as text.
func (p *tab) want(expression, want string) {
	p.Helper()
	if got := js[string](p, "String("+expression+")"); got != want {
		p.Errorf("%s: got %q, want %q", expression, got, want)
	}
}

// has wants a part.
func (p *tab) has(expression, want string) {
	p.Helper()
	if got := js[string](p, "String("+expression+")"); !strings.Contains(got, want) {
		p.Errorf("%s: got %q, want it to have %q", expression, got, want)
	}
}

// Expressions about the page.
const (
	focused = `document.activeElement.getAttribute("aria-label") || document.activeElement.textContent`
	shown   = `[...document.querySelectorAll(".matrix tr[data-b]")].filter(r => r.checkVisibility()).map(r => r.cells[0].textContent).join(" ")`
	opened  = `document.getElementById("evidence").open`
	body    = `document.getElementById("e-body").innerText`
	hash    = `decodeURIComponent(location.hash)`
	wide    = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
)

// row is the text of a row of the matrix.
func row(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".matrix tr[data-b]")].find(r => r.cells[0].textContent === %q).innerText.replace(/\s+/g, " ").trim()`, name)
}

// intoMatrix presses Tab until a cell of the matrix has the focus.
func (p *tab) intoMatrix() {
	p.Helper()
	for range 80 {
		p.press(kb.Tab)
		if js[bool](p, `document.activeElement.matches(".matrix td")`) {
			return
		}
	}
	p.Fatal("Tab does not come to the matrix")
}

func TestPage(t *testing.T) {
	b := chromium(t)
	good := html(t, judge(t, told(), ""), report.Options{})

	t.Run("keyboard alone", func(t *testing.T) {
		p := b.tab(t, good, "")
		p.want(`document.querySelectorAll(".matrix tr[data-b]").length`, "13")
		p.intoMatrix()
		p.want(focused, "5.10: conforms, ENAMETOOLONG")
		p.press(kb.ArrowDown, kb.ArrowDown, kb.ArrowRight)
		p.want(focused, "6.1: page silent, EPERM")
		p.press(kb.End)
		p.want(focused, "7.3: page silent, ENOENT")
		p.press(kb.Tab)
		p.want(`document.activeElement.matches(".matrix td")`, "false") // one stop for Tab
		js[chromedp.Void](p, `[...document.querySelectorAll(".matrix tr[data-b]")].find(r => r.cells[0].textContent === "put-old-not-below-new-root").cells[10].focus()`)
		p.press(kb.Enter)
		p.want(opened, "true")
		p.want(`document.getElementById("e-title").textContent`, "einval/put-old-not-below-new-root")
		for _, s := range []string{"conforms: EINVAL", `pivot_root("/new", "/") = EINVAL`, "mkdir /new/old", "Mounts before and after: the same", "Mounts before\n", "Mounts after\n", "shared:1", "Console"} {
			p.has(body, s)
		}
		p.has(hash, "open=einval/put-old-not-below-new-root&on=7.2-amd64")
		p.press(kb.ArrowRight)
		p.has(`document.getElementById("e-head").innerText`, "on 7.3 amd64")
		p.has(body, "pivotspec run 7.3/amd64 --evidence")
		p.press("n")
		p.want(`document.getElementById("e-title").textContent`, "einval/put-old-mount-shared")
		p.press(kb.Escape)
		p.want(opened, "false")
		p.want(focused, "7.3: conforms, EINVAL")
		p.want(`document.activeElement.parentNode.cells[0].textContent`, "put-old-mount-shared")
	})

	t.Run("filters", func(t *testing.T) {
		p := b.tab(t, good, "")
		p.press("/")
		p.want(`document.activeElement.id`, "q")
		js[string](p, `document.activeElement.value = ""`) // the driver types the slash although the page took the key
		p.press("e", "n", "o", "e", "n", "t")
		p.want(shown, "put-old-lazily-unmounted capability-before-lookup")
		p.want(`document.getElementById("count").textContent`, "showing 2 of 13 behaviours")
		p.do(click("#reset"), click(`#verdicts [data-l=d]`))
		p.want(shown, "pid1-pivot kernel-thread")
		p.do(click(`#kernels [data-k="7.0"]`), click(`#kernels [data-k="6.19"]`))
		p.want(shown, "pid1-pivot")
		p.want(row("pid1-pivot"), "pid1-pivot ·EINVAL ≠OK")
		p.want(`document.querySelector("#verdicts [data-l=d]").getAttribute("aria-pressed")`, "true")
		p.has(hash, "verdict=deviation&kernel=7.0,6.19")
		p.do(chromedp.Reload())
		p.want(row("pid1-pivot"), "pid1-pivot ·EINVAL ≠OK")
		p.do(click("#reset"), click("#differs"))
		p.want(shown, "put-old-lazily-unmounted capability-before-lookup pid1-pivot umount-root kernel-thread")
		p.do(focus("#q"))
		p.press("x", "y", "z")
		p.has(`document.getElementById("count").textContent`, "no behaviour is like that")
	})

	t.Run("the edition judges again", func(t *testing.T) {
		p := b.tab(t, good, "")
		p.want(row("kernel-thread"), "kernel-thread ·OK · · · · · · · · · ≠OK*")
		p.do(focus("#edition"))
		p.press("5")
		p.want(row("kernel-thread"), "kernel-thread ~OK ~ ~ ~ ~ ~ ~ ~ ~ ~ ~OK*")
		p.has(hash, "edition=5.10")
		p.want(`/conforms|deviation/.test(document.getElementById("legend").innerText)`, "false") // it has no claims
		p.do(click(`nav [data-view=page]`))
		p.has(`document.getElementById("editions").innerText`, "0 claims")
		p.do(click(`#editions .tally li:last-child button`))
		p.has(`document.getElementById("editions").innerText`, "went stale in 7.3 (true up to 7.2)")
		p.do(click(`nav [data-view=matrix]`))
		p.want(row("kernel-thread"), "kernel-thread ·OK · · · · · · · · · ≠OK*")
	})

	t.Run("two kernels compared", func(t *testing.T) {
		p := b.tab(t, good, "#view=compare&old=6.19-amd64&new=7.0-amd64")
		text := `document.getElementById("differences").innerText`
		p.has(text, "3 of 13 behaviours differ: 1 other error, 2 works now.")
		p.do(click("#swap"))
		p.has(text, "3 of 13 behaviours differ: 2 fails now, 1 other error.")
		p.do(click(`#differences tbody button`))
		p.want(opened, "true")
		p.press(kb.Escape)
		p.want(`document.activeElement.closest("#differences") !== null`, "true")
	})

	t.Run("two runs compared", func(t *testing.T) {
		old := judge(t, fixture.Bad()[:9], "")
		p := b.tab(t, html(t, judge(t, fixture.Good(), ""), report.Options{Against: old}), "")
		p.has(`document.getElementById("pairs").innerText`, "6.1-amd64: 1")
		p.has(`document.getElementById("pairs").innerText`, "2 cells have nothing in the other run to be compared with: 7.2 amd64, 7.3 amd64.")
		p.has(`document.getElementById("differences").innerText`, "1 of 1 changes stop something that worked")
		p.do(click(`#differences tbody button`))
		p.has(`document.getElementById("e-head").innerText`, "on 6.1 amd64 (old run)")
		p.want(`document.getElementById("old").selectedOptions[0].text`, "6.1 amd64 (old run)")
	})

	t.Run("timeline", func(t *testing.T) {
		p := b.tab(t, good, "#view=timeline")
		p.want(`document.querySelector(".axis").innerText.replace(/\s+/g, " ").trim()`, "5.10 0 6.1 1 6.12 1 6.16 0 6.17 0 6.18 0 6.19 0 7.0 3 7.1 0 7.2 0 7.3 1")
		p.do(click(`.axis a[href="#since-7.0"]`))
		p.want(`document.activeElement.id`, "since-7.0")
		p.has(`document.activeElement.innerText`, "EINVAL → OK")
		p.press(kb.Tab, kb.Enter)
		p.want(opened, "true")
	})

	t.Run("architectures", func(t *testing.T) {
		many := fixture.Many(fixture.BaseOfDisks(t), fixture.Good())
		p := b.tab(t, html(t, judge(t, many, ""), report.Options{}), "")
		p.want(`[...document.querySelectorAll(".matrix")].filter(m => m.checkVisibility()).length`, "2")
		before := js[string](p, shown)
		p.do(focus("#line"))
		p.press("s")
		p.has(hash, "arch=s390x")
		p.want(`[...document.querySelectorAll(".matrix tr.below")].filter(r => r.checkVisibility()).length`, "0")
		p.do(click("#reset"))
		p.want(shown, before)
	})

	t.Run("what is wrong", func(t *testing.T) {
		p := b.tab(t, html(t, judge(t, fixture.Bad(), ""), report.Options{}), "")
		p.do(click(".summary a"))
		p.has(`document.querySelector("main").innerText`, "the kernel warned")
		p.do(click(`nav [data-view=matrix]`))
		p.want(row("put-old-mount-shared"), "put-old-mount-shared ·EINVAL ✗OK ✗ ·EINVAL · · · · · ? ?")
		js[chromedp.Void](p, `[...document.querySelectorAll(".matrix tr[data-b]")].find(r => r.cells[0].textContent === "put-old-mount-shared").cells[2].click()`)
		p.has(body, "not so here") // what is unexpected goes against the page as well
		p.want(`document.getElementById("e-body").innerText.includes("so it is")`, "false")
		p.press(kb.Escape)
		p.do(click(`nav [data-view=compare]`))
		p.has(`document.getElementById("differences").innerText`, "were not observed on one side or both. 7.2 amd64 is broken: kernel panic")
	})

	t.Run("not as in the baseline", func(t *testing.T) {
		recorded, cells := fixture.DifferingAtOnce()
		p := b.tab(t, html(t, held(t, recorded, cells, ""), report.Options{}), "")
		p.want(row("amd64 b"), "amd64 b ·ΔEINVAL")
		p.want(row("put-old-mount-shared"), "put-old-mount-shared ·EINVAL ·")
		p.do(click("#unlike"))
		p.has(hash, "unlike=1")
		p.want(shown, "amd64 e amd64 f amd64 b amd64 g amd64 c amd64 d amd64 h amd64 j")
		p.do(click(".summary a"))
		p.has(`document.getElementById("findings").innerText`, "7.1-amd64: gone: complete")
		p.do(click(`nav [data-view=matrix]`))
		js[chromedp.Void](p, `[...document.querySelectorAll(".matrix tr[data-b]")].find(r => r.cells[0].textContent === "amd64 g").cells[1].click()`)
		p.has(body, "Δ not as in the baseline: was OK effect=pivoted, is EINVAL effect=none")
		p.press(kb.Escape)
		p.do(click("#reset"))
		p.want(`document.getElementById("unlike").checked`, "false")
		p.want(contrasts, "")
	})

	for _, dark := range []string{"light", "dark"} {
		t.Run("contrast "+dark, func(t *testing.T) {
			scheme := call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: dark}}})
			p := b.tab(t, html(t, judge(t, append(fixture.Bad()[:9], told()[9:]...), ""), report.Options{}), "", scheme)
			back := js[string](p, `getComputedStyle(document.documentElement).backgroundColor`)
			if (dark == "dark") != (back == "rgb(20, 23, 28)") {
				t.Errorf("the background is %s", back)
			}
			for _, view := range []string{"matrix", "page", "compare", "timeline", "findings", "cells"} {
				p.do(click(`nav [data-view=` + view + `]`))
				for _, s := range js[[]string](p, contrasts) {
					t.Errorf("%s: %s", view, s)
				}
			}
			p.do(click(`nav [data-view=matrix]`), click(`.matrix td.d`))
			for _, s := range js[[]string](p, contrasts) {
				t.Errorf("evidence: %s", s)
			}
		})
	}

	t.Run("theme", func(t *testing.T) {
		p := b.tab(t, good, "")
		p.do(click("#theme"), click("#theme"))
		p.want(`document.getElementById("theme").textContent`, "Theme: dark")
		p.want(`getComputedStyle(document.documentElement).backgroundColor`, "rgb(20, 23, 28)")
	})

	t.Run("narrow window", func(t *testing.T) {
		p := b.tab(t, good, "", size(360, 740))
		for _, view := range []string{"matrix", "page", "compare", "timeline", "findings", "cells"} {
			p.do(click(`nav [data-view=` + view + `]`))
			p.want(wide+` <= 0 ? "fits" : "`+view+` is too wide by " + (`+wide+`)`, "fits")
		}
		p.do(click(`nav [data-view=matrix]`), click(`.matrix td.d`))
		p.want(`document.getElementById("e-body").scrollWidth <= 360`, "true")
	})

	t.Run("foreign text", func(t *testing.T) {
		p := b.tab(t, html(t, hostile(t), report.Options{}), "")
		p.want(`typeof window.pwned`, "undefined")
		p.want(`document.querySelectorAll("img, iframe, script:not([id]):not(:last-of-type)").length`, "0")
		for _, view := range []string{"compare", "timeline", "findings", "cells", "matrix"} {
			p.do(click(`nav [data-view=` + view + `]`))
			p.want(wide+" <= 0", "true")
		}
		p.do(click(`.matrix td`))
		p.want(opened, "true")
		p.want(`typeof window.pwned`, "undefined")
		p.has(`document.getElementById("e-body").textContent`, "</script><script>pwned=1</script>")
		p.has(`document.getElementById("e-body").textContent`, "[U+001B]")
		p.has(`document.getElementById("e-body").textContent`, "[U+202E]")
		p.want(`document.getElementById("e-body").scrollWidth <= document.getElementById("e-body").clientWidth`, "true")
	})

	t.Run("without a program", func(t *testing.T) {
		p := b.tab(t, good, "", call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
		p.has(`document.querySelector(".matrix").innerText`, "put-old-not-below-new-root")
		p.has(`document.getElementById("findings").innerText`, "Where page 6.20 and the kernels part ways")
		p.has(`document.getElementById("timeline").innerText`, "EINVAL → OK")
		p.want(`document.querySelector(".filters").checkVisibility()`, "false")
		p.want(row("kernel-thread"), "kernel-thread ·OK · · · · · · · · · ≠OK*")
	})
}

// contrasts lists text that is too hard to read by WCAG 2.2, 1.4.3.
const contrasts = `(() => {
const rgb = s => (s.match(/[\d.]+/g) || []).map(Number);
const lum = c => { const f = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
const bad = new Set();
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; (n = walk.nextNode());) {
  const e = n.parentElement;
  if (!n.data.trim() || !e.checkVisibility() || e.closest("script, option") || document.querySelector("dialog[open]") && !e.closest("dialog")) continue;
  const style = getComputedStyle(e);
  let back = [0, 0, 0, 0];
  for (let x = e; x && back[3] === 0; x = x.parentElement) { const c = rgb(getComputedStyle(x).backgroundColor); back = c.length === 4 ? c : [...c, 1]; }
  const a = lum(rgb(style.color)), b = lum(back), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) bad.add(n.data.trim().slice(0, 30) + " in " + e.tagName + "." + e.className + ": " + style.color + " on " + back.join() + " is " + ratio.toFixed(2));
}
return [...bad].slice(0, 8);
})()`

// hostile is a judgement on a guest that tries to get out of the page.
func hostile(t *testing.T) *verdict.Judgement {
	cells := told()[9:]
	const attack = "</script><script>pwned=1</script><!-- <img src=x onerror=pwned=1> ]]> \x1b[31m \u202egnirts {{.}} ${pwned=1} `"
	for _, c := range cells {
		c.Console = attack + strings.Repeat("x", 20000) + "\n" + attack + "\xff\xfe\x00"
		c.Kernel.Version, c.Kernel.Package, c.Kernel.PackageVersion = attack, attack, attack
		for _, r := range c.Records {
			switch r.Type {
			case record.TypeObservation:
				r.Steps = []string{attack, "= " + attack + " = OK", strings.Repeat("y", 5000)}
				if r.ID == "lookup/name-too-long" {
					r.Outcome = attack
				}
				r.Facts["effect"] = attack
			case record.TypeEvidence:
				for i := range r.Evidence.Mounts {
					r.Evidence.Mounts[i] = attack
				}
				r.Evidence.Calls = append(r.Evidence.Calls, record.EvidenceOfCall{ID: "lookup/name-too-long", Step: 1, Before: []int{0, 99, -1}, After: []int{}})
			}
		}
		c.Records = slices.Insert(c.Records, 3, &record.Record{Type: record.TypeWarning, Level: 4, Why: attack}, fixture.Observed("einval/"+attack, attack))
	}
	was := fixture.Cell("7.3", "amd64")
	fixture.Replace(was, fixture.Observed("moves/kernel-thread", attack, attack, attack))
	fixture.Replace(was, fixture.Observed("gone/"+attack, attack))
	gone := fixture.Cell("7.2", "amd64")
	gone.Name = attack + " "
	return held(t, []*cell.Cell{was, gone}, append(cells, &cell.Cell{Name: attack, Series: "7.1", Arch: attack, Flavour: attack, Status: cell.Broken, Reason: attack, Console: attack}), "")
}
