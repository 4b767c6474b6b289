// The program of the page. The document has the matrix, the findings and the timeline already, so that they can be
// read without it; it adds filters, the evidence of each cell, other editions and comparisons, all from the
// data in the page. Text comes into the document as text nodes only, for most of it is that of kernels.
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const make = (tag, attrs, ...children) => {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (k === "on") for (const [name, f] of Object.entries(v)) e.addEventListener(name, f);
    else if (v !== null && v !== undefined && v !== false) e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.filter(c => c !== null && c !== undefined && c !== false));
  return e;
};
const verdicts = Object.fromEntries(data.verdicts.map(v => [v.l, v]));
const truths = {t: ["·", "true"], f: ["≠", "false"], "-": ["?", "undecided"], n: [" ", "untestable"]};
const own = data.cells.map((c, i) => i).filter(i => !data.cells[i].run);
const at = (column, cell) => typeof column === "number" ? column : column ? column[cell] : -1;
const result = (b, c) => { const k = at(data.behaviours[b].of, c); return k >= 0 ? data.behaviours[b].r[k] : null; };
const unlike = new Map((data.baseline || []).map(d => [d.b + " " + d.c, d])); // what is not as in the baseline
const letter = r => r.v[state.edition];
const byID = new Map(data.behaviours.map((b, i) => [b.id, i]));
const cellNamed = new Map(data.cells.map((c, i) => [(c.run ? "old:" : "") + c.name, i]));
const nameOf = c => (data.cells[c].run ? "old:" : "") + data.cells[c].name;
const where = c => { const k = data.cells[c]; return (k.name === k.label ? k.label : k.label + " " + k.line) + (k.scenario ? " " + k.scenario : "") + (k.run ? " (old run)" : ""); };

// --- what is shown, and in the address so that it can be sent to others ---

const initial = () => ({view: data.pairs ? "compare" : "matrix", edition: data.edition, line: "", scenario: "", verdicts: [], kernels: [], q: "", differs: false, unlike: false, old: -1, new: -1, b: -1, c: -1});
let state = initial();
const views = [...document.querySelectorAll("nav a")].map(a => a.dataset.view);

function write() {
  const p = new URLSearchParams();
  p.set("view", state.view);
  if (state.edition !== data.edition) p.set("edition", data.editions[state.edition].id);
  if (state.line) p.set("arch", state.line);
  if (state.scenario) p.set("scenario", state.scenario);
  if (state.verdicts.length) p.set("verdict", state.verdicts.map(l => verdicts[l].id).join(","));
  if (state.kernels.length) p.set("kernel", state.kernels.join(","));
  if (state.q) p.set("find", state.q);
  if (state.differs) p.set("differs", "1");
  if (state.unlike) p.set("unlike", "1");
  if (state.view === "compare") { if (state.old >= 0) p.set("old", nameOf(state.old)); if (state.new >= 0) p.set("new", nameOf(state.new)); }
  if (state.b >= 0 && state.c >= 0) { p.set("open", data.behaviours[state.b].id); p.set("on", nameOf(state.c)); }
  try { history.replaceState(null, "", "#" + p); } catch (e) { location.hash = "#" + p; }
}

function read() {
  state = initial();
  const text = location.hash.slice(1);
  if (!text.includes("=")) {
    const e = text && document.getElementById(decodeURIComponent(text));
    const section = e && e.closest("main > section");
    if (section && views.includes(section.id)) state.view = section.id;
    return;
  }
  const p = new URLSearchParams(text);
  if (views.includes(p.get("view"))) state.view = p.get("view");
  const ed = data.editions.findIndex(e => e.id === p.get("edition"));
  if (ed >= 0) state.edition = ed;
  if (lines.includes(p.get("arch"))) state.line = p.get("arch");
  if (scenarios.includes(p.get("scenario"))) state.scenario = p.get("scenario");
  const words = k => (p.get(k) || "").split(",").filter(Boolean);
  state.verdicts = data.verdicts.filter(v => words("verdict").includes(v.id)).map(v => v.l);
  state.kernels = words("kernel").filter(k => labels.includes(k));
  state.q = p.get("find") || "";
  state.differs = p.get("differs") === "1";
  state.unlike = unlike.size > 0 && p.get("unlike") === "1";
  const cell = k => cellNamed.has(p.get(k)) ? cellNamed.get(p.get(k)) : -1;
  state.old = cell("old"); state.new = cell("new");
  if (byID.has(p.get("open")) && cell("on") >= 0) { state.b = byID.get(p.get("open")); state.c = cell("on"); }
}

// --- the matrix ---

const unique = list => [...new Set(list)];
const tables = [...document.querySelectorAll(".matrix")].map(t => {
  const heads = [...t.tHead.rows[0].cells].slice(1);
  return {
    box: t.closest(".scroll"), table: t, scenario: t.closest(".scroll").dataset.scenario, heads,
    columns: heads.map(h => ({label: h.firstChild.data.trim(), cells: h.dataset.k.split(" ").map(Number), apart: h.classList.contains("apart")})),
    bodies: [...t.tBodies].map(body => ({area: body.rows[0], rows: [...body.rows].slice(1).map(tr => ({
      tr, b: Number(tr.dataset.b), rule: tr.dataset.c.split(" ").map(s => s === "-" ? -1 : Number(s)), below: tr.classList.contains("below"), cells: [...tr.cells].slice(1), shown: [], heading: tr.cells[0],
    }))})),
  };
});
const labels = unique(tables.flatMap(t => t.columns.map(c => c.label)));
const lines = unique(own.map(i => data.cells[i].line));
const scenarios = unique(tables.map(t => t.scenario));
const words = new Map();

// haystack is what the search looks through: all that is written about a behaviour.
function haystack(b) {
  if (!words.has(b)) {
    const k = data.behaviours[b];
    words.set(b, [k.id, k.title, k.needs, k.silent, ...k.r.map(r => r.o), ...k.r.map(r => r.n),
      ...data.claims.filter(c => c.about && c.about.includes(b)).map(c => c.id + " " + c.says)].filter(Boolean).join("\n").toLowerCase());
  }
  return words.get(b);
}

// otherFacts says whether one of the facts that vary is not as in another result.
const otherFacts = (b, r, left) => (data.behaviours[b].vary || []).some(f => (r.f || {})[f] !== undefined && (r.f || {})[f] !== (left.f || {})[f]);

// paint fills one cell of the matrix and returns its result, or null if it has none.
function paint(td, b, c, left) {
  const r = c >= 0 ? result(b, c) : null;
  td.replaceChildren();
  if (!r) {
    const lost = c >= 0 && data.cells[c].status !== "complete" && !data.cells[c].part;
    td.className = lost ? "m" : "";
    if (lost) td.append(verdicts.m.s);
    td.removeAttribute("tabindex"); td.removeAttribute("aria-label");
    return null;
  }
  const v = verdicts[letter(r)];
  td.className = v.l;
  td.append(v.s);
  const other = unlike.get(b + " " + c);
  if (other) td.append(make("b", {class: "unlike", title: other.says}, "Δ"));
  const news = r.o && (!left || left.o !== r.o) ? r.o : r.o && otherFacts(b, r, left) ? r.o + "*" : "";
  if (news) td.append(make("i", null, news));
  td.tabIndex = -1;
  td.setAttribute("aria-label", data.cells[c].label + ": " + v.m + (r.o ? ", " + r.o : "") + (other ? ", not as in the baseline" : ""));
  return r;
}

function matrix() {
  const q = state.q.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const shown = new Set(), total = new Set();
  for (const t of tables) {
    t.box.hidden = state.scenario !== "" && t.scenario !== (state.scenario === "plain" ? "" : state.scenario);
    const visible = t.columns.map(col => (!state.kernels.length || state.kernels.includes(col.label)) &&
      (!state.line || col.cells.some(c => data.cells[c].line === state.line)));
    t.heads.forEach((h, k) => { h.hidden = !visible[k]; });
    const picked = t.columns.map(col => state.line ? col.cells.find(c => data.cells[c].line === state.line) ?? -1 : -1);
    let rows = 0;
    for (const body of t.bodies) {
      let any = false;
      for (const row of body.rows) {
        let ok = !(row.below && state.line) && q.every(w => haystack(row.b).includes(w));
        if (ok) {
          let left = null;
          const found = new Set(), kinds = new Set();
          row.shown = [];
          row.cells.forEach((td, k) => {
            td.hidden = !visible[k];
            let c = state.line ? picked[k] : row.rule[k];
            // Of a column without a result here, one whose cell is lost; a result of it is in a row below.
            if (c < 0 && !row.below) c = t.columns[k].cells.find(c => !result(row.b, c)) ?? -1;
            if (!visible[k] || (row.below && row.rule[k] < 0)) { paint(td, row.b, -1, null); return; }
            if (t.columns[k].apart) left = null;
            const r = paint(td, row.b, c, left);
            if (!r) return;
            if (r.o) { left = r; kinds.add(letter(r) + r.o); }
            found.add(letter(r));
            if (td.textContent.endsWith("*")) kinds.add("*" + k);
            row.shown.push({td, c});
          });
          ok = (!state.verdicts.length || state.verdicts.some(l => found.has(l))) && (!state.differs || row.below || kinds.size > 1 || split.has(row.tr)) &&
            (!state.unlike || row.shown.some(s => unlike.has(row.b + " " + s.c))) && (row.shown.length > 0 || !(state.line || state.kernels.length));
        }
        row.tr.hidden = !ok;
        total.add(row.b);
        if (ok) { shown.add(row.b); rows++; }
        any = any || ok;
      }
      body.area.hidden = !any;
    }
    t.table.hidden = !rows;
  }
  $("count").textContent = shown.size === total.size ? total.size + " behaviours" : shown.size ? "showing " + shown.size + " of " + total.size + " behaviours" : "no behaviour is like that: show all, or change a filter";
  rove();
}
// split has the rows that others stand below.
const split = new Set(tables.flatMap(t => t.bodies.flatMap(b => b.rows.filter((r, i) => !r.below && b.rows[i + 1] && b.rows[i + 1].below).map(r => r.tr))));

const rowOf = tr => { for (const t of tables) for (const b of t.bodies) for (const r of b.rows) if (r.tr === tr) return {t, r}; return null; };
const visibleRows = t => t.bodies.flatMap(b => b.rows.filter(r => !r.tr.hidden && r.shown.length));

// rove leaves one cell of each matrix that Tab comes to.
function rove(to) {
  for (const t of tables) {
    const all = [...t.table.querySelectorAll('td[tabindex="0"]')];
    const keep = to && t.table.contains(to) ? to : all.find(td => !td.hidden && !td.parentNode.hidden) || (visibleRows(t)[0] || {shown: []}).shown.map(s => s.td)[0];
    for (const td of all) if (td !== keep) td.tabIndex = -1;
    if (keep) keep.tabIndex = 0;
  }
}

function focus(td) { rove(td); td.focus({preventScroll: true}); reveal(td); }

// reveal scrolls a cell out from under the headings.
function reveal(td) {
  td.scrollIntoView({block: "nearest", inline: "nearest"});
  const box = td.closest(".scroll"), place = td.getBoundingClientRect(), edge = box.getBoundingClientRect();
  const left = edge.left + td.parentNode.cells[0].getBoundingClientRect().width, top = edge.top + 64;
  if (place.left < left) box.scrollLeft -= left - place.left;
  if (place.top < top) box.scrollTop -= top - place.top;
}

function move(event) {
  const td = event.target.closest("td");
  if (!td) return;
  const {t, r} = rowOf(td.parentNode);
  const rows = visibleRows(t), y = rows.indexOf(r), x = r.shown.findIndex(s => s.td === td), col = r.cells.indexOf(td);
  const go = (row, to) => { // the cell of the row that is nearest to a column
    if (!row) return;
    const best = row.shown.reduce((a, s) => Math.abs(row.cells.indexOf(s.td) - to) < Math.abs(row.cells.indexOf(a.td) - to) ? s : a);
    focus(best.td);
  };
  const page = 15, last = rows.length - 1;
  const keys = {
    ArrowRight: () => r.shown[x + 1] && focus(r.shown[x + 1].td), ArrowLeft: () => r.shown[x - 1] && focus(r.shown[x - 1].td),
    ArrowDown: () => go(rows[y + 1], col), ArrowUp: () => go(rows[y - 1], col),
    PageDown: () => go(rows[Math.min(y + page, last)], col), PageUp: () => go(rows[Math.max(y - page, 0)], col),
    Home: () => event.ctrlKey ? go(rows[0], 0) : focus(r.shown[0].td), End: () => event.ctrlKey ? go(rows[last], 1e9) : focus(r.shown.at(-1).td),
    Enter: () => openAt(td), " ": () => openAt(td),
  };
  if (event.altKey || event.metaKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
}

function openAt(td) {
  const found = rowOf(td.parentNode), s = found && found.r.shown.find(s => s.td === td);
  if (s) open(found.r.b, s.c, found.r.shown.map(s => s.c), td);
}

// --- the evidence of a cell ---

const dialog = $("evidence");
let row = [], back = null;

function open(b, c, cells, from) {
  state.b = b; state.c = c;
  row = (cells || own.filter(i => data.cells[i].line === data.cells[c].line && data.cells[i].scenario === data.cells[c].scenario)).filter(i => result(b, i));
  if (from) back = from;
  show();
  if (!dialog.open) dialog.showModal();
  $("e-title").focus();
}

// shut closes the evidence, and the focus comes back to where it was opened from.
function shut() {
  dialog.close();
  state.b = state.c = -1;
  write();
  if (back && back.isConnected) back.matches("td") ? focus(back) : back.focus();
}

function step(by) {
  const k = row.indexOf(state.c) + by;
  if (k < 0 || k >= row.length) return;
  state.c = row[k];
  show();
  // Focus comes back to the cell that is shown.
  if (back && back.closest(".matrix")) { const s = rowOf(back.parentNode).r.shown.find(s => s.c === state.c); if (s) back = s.td; }
}

// other goes to the behaviour before or behind the one that is open, as the matrix has them.
function other(by) {
  const rows = tables.flatMap(visibleRows), has = r => r.shown.some(s => s.c === state.c);
  let k = back ? rows.findIndex(r => r.tr === back.parentNode) : -1;
  if (k < 0) k = rows.findIndex(r => r.b === state.b && has(r));
  if (k < 0) return;
  for (k += by; rows[k]; k += by) {
    if (!has(rows[k])) continue;
    const s = rows[k].shown.find(s => s.c === state.c);
    open(rows[k].b, state.c, rows[k].shown.map(s => s.c), s.td);
    return;
  }
}

function link(b) { return make("button", {type: "button", class: "link", on: {click: e => { const r = cellFor(b); if (r >= 0) open(b, r, null, dialog.open ? back : e.currentTarget); }}}, data.behaviours[b].id); }

// cellFor is the cell to open of a behaviour: the newest that observed it, of the architecture that is looked at.
function cellFor(b) {
  const have = own.filter(c => result(b, c)), some = list => list.filter(c => result(b, c).o).at(-1) ?? list.at(-1);
  const line = have.filter(c => data.cells[c].line === (state.line || "amd64"));
  return some(line) ?? some(have) ?? -1;
}

function badge(l) { const v = verdicts[l]; return make("b", {class: "v " + l}, v.s); }

function show() {
  const k = data.behaviours[state.b], c = data.cells[state.c], r = result(state.b, state.c), v = verdicts[letter(r)], n = row.indexOf(state.c);
  const button = (text, what, f, off) => make("button", {type: "button", "aria-label": what, "aria-disabled": off ? "true" : null, on: {click: f}}, text);
  $("e-head").replaceChildren(
    make("h2", {id: "e-title", tabindex: -1}, k.id), k.title ? make("p", null, k.title) : "",
    make("p", {class: "dim"}, "on " + where(state.c) + (c.kernel ? ", " + c.kernel : "")),
    make("div", {class: "row"},
      n > 0 ? button("← " + data.cells[row[n - 1]].label, "the kernel before (left arrow)", () => { step(-1); refocus(0); }) : "",
      n + 1 < row.length ? button(data.cells[row[n + 1]].label + " →", "the next kernel (right arrow)", () => { step(1); refocus(-2); }) : "",
      button("↑ above (p)", "the behaviour above (p)", () => other(-1)), button("↓ below (n)", "the behaviour below (n)", () => other(1)),
      make("button", {type: "button", class: "close", on: {click: shut}}, "Close (Esc)")));
  const body = $("e-body");
  body.scrollTop = 0;
  body.replaceChildren(...evidence(k, c, r, v));
  write();
}

function refocus(i) { const list = [...$("e-head").querySelectorAll(".row button")]; (list.find(b => !b.classList.contains("close")) || list.at(-1)).focus(); }

function evidence(k, c, r, v) {
  const out = [make("p", {class: "verdict"}, badge(v.l), " ", v.m + (r.o ? ": " : ""), r.o ? make("code", null, r.o) : "", make("small", {class: "dim"}, " by page " + data.editions[state.edition].id))];
  if (r.w) out.push(make("ul", null, ...r.w.map(s => make("li", null, s))));
  if (r.i) out.push(make("p", null, r.i));
  if (r.e && r.w) out.push(make("p", null, "expected: " + r.e));
  const other = unlike.get(state.b + " " + state.c);
  if (other) out.push(make("p", null, make("b", {class: "unlike"}, "Δ"), " " + other.says), other.i ? make("p", null, other.i) : "");
  const facts = Object.entries(r.f || {}).sort();
  if (facts.length) {
    out.push(make("h3", null, "Outcome"), make("dl", {class: "facts"}, ...[["outcome", r.o], ...facts].flatMap(([name, value]) => [
      make("dt", null, name), make("dd", null, make("code", null, value), meaning(k, name) ? make("small", null, " " + meaning(k, name)) : "")])));
  }
  const judged = r.o && "cds".includes(v.l); // of what is not as expected it is not said that the page is right
  const claims = data.claims.map((x, i) => i).filter(i => data.claims[i].about && data.claims[i].about.includes(state.b) && state.edition in data.claims[i].in);
  out.push(make("h3", null, "What page " + data.editions[state.edition].id + " says"));
  if (!claims.length) out.push(make("p", {class: "dim"}, "Nothing" + (k.silent ? ", and no edition decides it: " + k.silent : "") + "."));
  else out.push(make("ul", {class: "list"}, ...claims.map(i => {
    const x = data.claims[i], bad = (r.x || []).includes(i);
    return make("li", null, judged || bad ? make("b", {class: "v " + (bad ? "d" : "c")}, bad ? "≠" : "·") : "", make("div", null, x.says + " ", make("small", {class: "dim"}, "(" + x.in[state.edition] + ", " + x.id + (bad ? ": not so here" : judged ? ": so it is" : "") + ")")));
  })));
  if (r.n) out.push(make("h3", null, "What is known of kernels"), make("p", null, r.n));
  out.push(...steps(k, c, r));
  out.push(make("h3", null, "Kernel"));
  out.push(make("p", null, c.name + (c.kernel ? ": " + c.kernel : "") + (c.status !== "complete" ? "; " + c.status + ": " + c.reason : "")));
  if (c.warnings) out.push(make("p", null, "It warned while the suite ran:"), make("pre", {tabindex: 0}, c.warnings.join("\n")));
  if (c.console) out.push(make("details", null, make("summary", null, "Console"), make("pre", {tabindex: 0}, c.console)));
  else out.push(make("p", {class: "hint"}, "Its console was not kept: baselines leave it out."));
  return out;
}

const universal = {effect: "what the call did to the caller's root and cwd", control: "the same call with the one fault mended", "after-control": "what that did"};
const meaning = (k, name) => (k.facts || {})[name] || universal[name];

function steps(k, c, r) {
  const out = [make("h3", null, "Steps")];
  let of = state.c, n = at(k.sof, of);
  if (n < 0) { // baselines keep those of one architecture
    const like = own.filter(i => at(k.sof, i) >= 0 && data.cells[i].scenario === c.scenario);
    const same = like.filter(i => (result(state.b, i) || {}).o === r.o);
    of = same.find(i => data.cells[i].label === c.label) ?? same.at(-1) ?? like.find(i => data.cells[i].label === c.label) ?? like.at(-1) ?? -1;
    n = of >= 0 ? at(k.sof, of) : -1;
    if (n < 0) return [...out, make("p", {class: "dim"}, "None were recorded.")];
    const there = result(state.b, of) || {};
    out.push(make("p", {class: "dim"}, "Not recorded here; these are of " + where(of) + (there.o && there.o !== r.o ? ", where it came out otherwise: " + there.o : "") + "."));
  }
  const calls = at(k.eof, state.c) >= 0 ? k.e[at(k.eof, state.c)] : null;
  out.push(make("ol", {class: "steps"}, ...k.s[n].map((s, i) => {
    const call = calls && of === state.c ? calls.find(x => x.s === i) : null, more = data.expand[s];
    return make("li", {class: / = /.test(s) ? "call" : null}, make("code", null, s),
      more ? make("span", {class: "sub"}, make("code", null, more.join("; "))) : "", call ? mounts(call) : "");
  })));
  if (!calls) out.push(make("p", {class: "hint"}, r.v[0] === "u" || r.v[0] === "m" || r.v[0] === "b" ? "Nothing was called, so there are no mount tables." : "The mount tables before and after the call were not recorded in this cell. ", r.o ? make("code", null, "pivotspec run " + c.again + " --evidence") : "", r.o ? " records them." : ""));
  return out;
}

// parse takes a line of mountinfo apart; see package record.
function parse(line) {
  const f = line.split(" "), dash = f.indexOf("-");
  return {id: f[0], parent: f[1], root: f[2], point: f[3], options: f[4], propagation: f.slice(5, dash).join(" ") || "private", type: f[dash + 1], source: f[dash + 2], line};
}

function mounts(call) {
  const before = call.b.map(i => parse(data.mounts[i])), after = call.a.map(i => parse(data.mounts[i]));
  if (before.map(m => m.line).join("\n") === after.map(m => m.line).join("\n"))
    return make("div", {class: "tables"}, table("Mounts before and after: the same", before, before, ["", ""]));
  return make("div", {class: "tables"}, table("Mounts before", before, after, ["−", "minus"]), table("Mounts after", after, before, ["+", "plus"]));
}

function table(caption, list, others, [sign, mark]) {
  const known = new Map(others.map(m => [m.id, m]));
  return make("div", {tabindex: 0, role: "region", "aria-label": caption}, make("table", null, make("caption", null, caption),
    make("thead", null, make("tr", null, ...["±", "ID", "on", "mounted at", "its root", "type", "propagation"].map(h => make("th", {scope: "col"}, h)))),
    make("tbody", null, ...list.map(m => {
      const o = known.get(m.id), moved = !o || o.line !== m.line;
      const cell = key => make("td", {class: moved && (!o || o[key] !== m[key]) ? mark : null}, m[key]);
      return make("tr", null, make("td", {"aria-label": moved ? "otherwise" : null}, moved ? sign : ""), cell("id"), cell("parent"), cell("point"), cell("root"), cell("type"), cell("propagation"));
    })), list.length ? "" : make("tbody", null, make("tr", null, make("td", {colspan: 7}, "none that the caller's root reaches")))));
}

// --- by edition ---

function editions() {
  const e = data.editions[state.edition], box = $("editions");
  const claims = data.claims.filter(c => state.edition in c.in).sort((a, b) => (a.order[state.edition] || 1e6) - (b.order[state.edition] || 1e6));
  const line = state.line || (lines.includes("amd64") ? "amd64" : lines[0]);
  const cells = own.filter(i => data.cells[i].line === line && !data.cells[i].scenario);
  const truth = (c, i) => c.truth[i], tally = {t: 0, f: 0, "-": 0, n: 0}, newest = cells.at(-1);
  for (const c of claims) if (newest !== undefined) tally[truth(c, newest)]++;
  box.replaceChildren(
    make("p", null, make("b", null, e.title), [e.date, e.source].filter(Boolean).map(s => ", " + s).join("") + ": " + claims.length + " claims."),
    newest === undefined ? "" : make("p", null, "Of " + where(newest) + ": " + tally.t + " true, " + tally.f + " false, " + tally["-"] + " undecided, " + tally.n + " untestable."),
    make("ul", {class: "tally", "aria-label": "Editions: claims that are false of the newest kernel"}, ...data.editions.map((x, i) => {
      const of = data.claims.filter(c => i in c.in), bad = newest === undefined ? 0 : of.filter(c => truth(c, newest) === "f").length;
      return make("li", null, make("button", {type: "button", "aria-pressed": String(i === state.edition), on: {click: () => { state.edition = i; render(); const b = box.querySelectorAll(".tally button")[i]; if (b) b.focus(); }}}, x.id + ": " + bad + " of " + of.length + " false"));
    })),
    make("table", {class: "grid claims"}, make("thead", null, make("tr", null, ...["where", "says", "kernels of " + line].map(h => make("th", {scope: "col"}, h)))),
      make("tbody", null, ...claims.map(c => make("tr", null,
        make("th", {scope: "row"}, c.in[state.edition]),
        make("td", {"data-l": "says"}, c.says + " ", make("small", {class: "dim"}, "(" + c.strength + ", " + c.id + ")"), make("br"), make("small", null, c.summary),
          c.about ? make("details", null, make("summary", null, c.about.length + (c.about.length === 1 ? " behaviour" : " behaviours")), ...c.about.map(b => make("div", null, make("code", null, link(b))))) : ""),
        make("td", {class: "mini", "data-l": "kernels"}, c.truth[newest] === "n" ? make("span", {class: "dim"}, "untestable") : "", ...(c.truth[newest] === "n" ? [] : cells).flatMap(i => [make("b", {class: {t: "t", f: "f", "-": "z", n: "z"}[truth(c, i)], title: truths[truth(c, i)][1]},
          truths[truth(c, i)][0] + " " + data.cells[i].label), " "])))))));
}

// --- compare ---

// fell says how a result differs from another: in which words, and how much that matters.
function fell(a, b) {
  if (!a.o && !b.o) return null;
  if (!a.o) return ["u", a.v[0] === "u" ? "supported now" : "observed now"];
  if (!b.o) return ["u", b.v[0] === "u" ? "not supported now" : "not observed now"];
  if (a.o !== b.o) return a.o === "OK" ? ["x", "fails now"] : b.o === "OK" ? ["c", "works now"] : ["d", "other error"];
  return null;
}

function factsDiffer(k, a, b) {
  return unique([...Object.keys(a.f || {}), ...Object.keys(b.f || {})]).filter(f => !(k.info || []).includes(f) && ((a.f || {})[f] ?? "") !== ((b.f || {})[f] ?? "")).sort();
}

function differences(x, y) {
  const out = [];
  data.behaviours.forEach((k, b) => {
    const a = result(b, x), z = result(b, y);
    if (!a || !z || a === z) return;
    const how = fell(a, z), facts = a.o && z.o ? factsDiffer(k, a, z) : [];
    if (how) out.push({b, a, z, how, facts});
    else if (facts.length) out.push({b, a, z, how: ["s", "other facts"], facts});
  });
  const rank = ["fails now", "not supported now", "not observed now", "other error", "other facts", "works now", "supported now", "observed now"];
  return out.sort((a, b) => rank.indexOf(a.how[1]) - rank.indexOf(b.how[1]) || a.b - b.b);
}

function counterparts() {
  return (data.pairs || []).map(p => [p.old, p.new, p.changes.length]);
}

// alone names the cells of two runs that nothing of the other could be compared with.
function alone(pairs) {
  const both = new Set(pairs.flatMap(([o, n]) => [o, n])), list = data.pairs ? data.cells.map((c, i) => i).filter(i => !both.has(i)) : [];
  const names = list.map(where).join(", ");
  const text = list.length + (list.length === 1 ? " cell has" : " cells have") + " nothing in the other run to be compared with";
  return !list.length ? "" : list.length > 8 ? make("details", null, make("summary", null, text), names) : make("p", null, text + ": " + names + ".");
}

function compare() {
  const whole = i => data.cells[i].status !== "unavailable";
  if (state.old < 0 || state.new < 0) {
    const pairs = counterparts(), line = own.filter(i => data.cells[i].line === (lines.includes("amd64") ? "amd64" : lines[0]) && !data.cells[i].scenario && whole(i));
    const [o, n] = pairs.length ? pairs.find(([, , n]) => n) || pairs[0] : [line.at(-2) ?? line.at(-1) ?? 0, line.at(-1) ?? 0];
    if (state.old < 0) state.old = o;
    if (state.new < 0) state.new = n;
  }
  for (const [id, value] of [["old", state.old], ["new", state.new]]) $(id).value = String(value);
  const pairs = counterparts();
  $("pairs").replaceChildren(pairs.length > 1 ? make("details", {open: pairs.length < 15}, make("summary", null, pairs.length + " cells of both runs"), make("ul", {class: "tally"}, ...pairs.map(([o, c, n]) => make("li", null,
    make("button", {type: "button", "aria-pressed": String(o === state.old && c === state.new), on: {click: () => { state.old = o; state.new = c; render(); }}}, data.cells[c].name + ": " + n))))) : "", alone(pairs));
  const box = $("differences"), x = data.cells[state.old], y = data.cells[state.new];
  if (!x || !y) { box.replaceChildren(make("p", null, "There is no kernel to compare.")); return; }
  const pair = (data.pairs || []).find(p => p.old === state.old && p.new === state.new);
  if (pair) { told(box, pair); return; }
  const list = differences(state.old, state.new), n = {};
  for (const d of list) n[d.how[1]] = (n[d.how[1]] || 0) + 1;
  const seen = (b, c) => (result(b, c) || {}).o, either = data.behaviours.filter((k, b) => result(b, state.old) || result(b, state.new)).length;
  const both = data.behaviours.filter((k, b) => seen(b, state.old) && seen(b, state.new)).length;
  const lacks = [state.old, state.new].filter((c, i, l) => l.indexOf(c) === i && data.cells[c].status !== "complete").map(c => " " + where(c) + " is " + data.cells[c].status + ": " + data.cells[c].reason + ".").join("");
  const unseen = (either > both ? " " + (either - both) + " were not observed on one side or both." : "") + lacks;
  const side = (c, d, r) => make("td", {"data-l": where(c)}, make("button", {type: "button", class: "link", "aria-label": "evidence: " + data.behaviours[d.b].id + " on " + where(c), on: {click: e => open(d.b, c, [state.old, state.new], e.currentTarget)}}, badge(letter(r)), " " + (r.o || verdicts[letter(r)].m)), r.o || !r.w ? "" : make("div", {class: "dim"}, r.w.join("; ")),
    ...d.facts.filter(f => (r.f || {})[f] !== undefined && !(d.a.o !== d.z.o && f in universal)).map(f => make("div", null, make("code", null, f + ": " + r.f[f]))));
  box.replaceChildren(
    make("p", {role: "status"}, x === y ? "They are the same cell: choose another." : list.length ? list.length + " of " + either + " behaviours differ: " + Object.entries(n).map(([k, v]) => v + " " + k).join(", ") + "." + unseen : both ? both + " behaviours were observed on both, and nothing differs." + unseen : "No behaviour was observed on both." + unseen),
    list.length ? make("table", {class: "grid"}, make("thead", null, make("tr", null, ...["what", "behaviour", where(state.old), where(state.new)].map(h => make("th", {scope: "col"}, h)))),
      make("tbody", null, ...list.map(d => make("tr", null, make("td", null, make("b", {class: "v " + d.how[0]}, d.how[1])),
        make("td", null, make("code", null, data.behaviours[d.b].id), make("div", {class: "dim"}, data.behaviours[d.b].title || ""), d.z.n && d.z.n !== d.a.n ? make("small", null, d.z.n) : ""),
        side(state.old, d, d.a), side(state.new, d, d.z))))) : "");
}

// told shows what the program that made the page knows of two cells: also who will notice.
function told(box, pair) {
  const stops = pair.changes.filter(c => c.stops).length, kinds = {"fails now": "x", "warns now": "x", "no longer supported": "x", "works otherwise": "d", "fails otherwise": "d"};
  const what = c => c.b < 0 ? make("div", null, "the cell") : make("div", null, make("code", null, data.behaviours[c.b].id), make("div", {class: "dim"}, data.behaviours[c.b].title || ""));
  const see = c => c.b < 0 ? "" : make("div", null, ...[state.old, state.new].filter(i => result(c.b, i)).flatMap((i, k) => [k ? " " : "", make("button", {type: "button", class: "link", "aria-label": "evidence: " + data.behaviours[c.b].id + " on " + where(i), on: {click: e => open(c.b, i, [state.old, state.new], e.currentTarget)}}, (i === state.old ? "old " : "new "), badge(letter(result(c.b, i))))]));
  const rows = (list, last) => make("table", {class: "grid"}, make("thead", null, make("tr", null, ...["what", "behaviour", "how", last].map(h => make("th", {scope: "col"}, h)))),
    make("tbody", null, ...list.map(c => make("tr", null, make("td", null, make("b", {class: "v " + (c.stops ? "x" : kinds[c.kind] || "s")}, (c.stops ? "✗ " : "") + c.kind)), make("td", null, what(c)),
      make("td", null, c.says, c.why ? make("div", {class: "dim"}, c.why) : "", see(c)), make("td", {"data-l": c.who ? last : null}, c.who || "")))));
  box.replaceChildren(
    make("p", {role: "status"}, (stops ? stops + " of " + pair.changes.length + " changes stop something that worked (✗)" : pair.changes.length ? pair.changes.length + " changes, none of which stops something that worked" : "Nothing differs") + "; " + pair.alike + " behaviours are alike" + (pair.gaps ? ", " + pair.gaps.length + " could not be compared" : "") + (pair.unasked ? ", " + pair.unasked + " left out, for not both sides were asked for them." : ".")),
    pair.changes.length ? rows(pair.changes, "who may notice") : "",
    pair.gaps ? make("h3", null, "Not compared") : "", pair.gaps ? rows(pair.gaps, "note") : "");
}

// --- all of it ---

// legend counts the verdicts by the edition that is looked at, of the run that is judged.
function legend() {
  if (counted === state.edition) return;
  counted = state.edition;
  const n = {};
  for (let b = 0; b < data.behaviours.length; b++) for (const c of own) { const r = result(b, c); if (r) n[letter(r)] = (n[letter(r)] || 0) + 1; }
  $("legend").replaceChildren(...data.verdicts.filter(v => n[v.l]).map(v => make("li", null, badge(v.l), " " + v.m + " ", make("small", null, n[v.l]))), ...$("legend").querySelectorAll(".kept"));
}
let counted = -1;

function render() {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== state.view;
  for (const a of document.querySelectorAll("nav a")) a.dataset.view === state.view ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
  $("edition").value = String(state.edition);
  legend();
  $("line").value = state.line; $("scenario").value = state.scenario;
  if ($("q").value !== state.q) $("q").value = state.q;
  $("differs").checked = state.differs;
  if ($("unlike")) $("unlike").checked = state.unlike;
  for (const b of $("verdicts").children) b.setAttribute("aria-pressed", String(state.verdicts.includes(b.dataset.l)));
  for (const b of $("kernels").children) b.setAttribute("aria-pressed", String(state.kernels.includes(b.dataset.k)));
  if (state.view === "matrix" || !rendered) matrix();
  if (state.view === "page") editions();
  if (state.view === "compare") compare();
  rendered = true;
  write();
}
let rendered = false;

function theme(set) {
  const root = document.documentElement, names = ["", "light", "dark"];
  let now = root.dataset.theme || "";
  try { if (set === undefined) now = localStorage.getItem("pivotspec-theme") || ""; } catch (e) { /* a page from a file may have no storage */ }
  if (set) now = names[(names.indexOf(now) + 1) % 3];
  if (now && names.includes(now)) root.dataset.theme = now; else delete root.dataset.theme;
  try { if (set) localStorage.setItem("pivotspec-theme", now); } catch (e) { /* as above */ }
  $("theme").textContent = "Theme: " + (root.dataset.theme || "system");
}

function start() {
  for (const e of document.querySelectorAll(".js")) if (e.id !== "compare") e.hidden = false;
  const options = (id, list) => $(id).append(...list.map(([value, text]) => make("option", {value}, text)));
  options("edition", data.editions.map((e, i) => [i, e.id]));
  options("line", [["", lines.length > 1 ? "all together" : lines[0] || "none"], ...(lines.length > 1 ? lines.map(l => [l, l]) : [])]);
  options("scenario", [["", "all"], ...scenarios.map(s => [s || "plain", s || "plain"])]);
  $("scenario").parentNode.hidden = scenarios.length < 2;
  for (const id of ["old", "new"]) {
    const groups = new Map();
    data.cells.forEach((c, i) => { const g = (c.run ? "old run: " : "") + c.line; if (!groups.has(g)) groups.set(g, []); groups.get(g).push(i); });
    $(id).append(...[...groups].map(([g, list]) => make("optgroup", {label: g}, ...list.map(i => make("option", {value: i}, where(i))))));
    $(id).addEventListener("change", () => { state[id] = Number($(id).value); render(); });
  }
  const chip = (attr, value, text, key) => make("button", {type: "button", ["data-" + attr]: value, "aria-pressed": "false", on: {click: () => {
    state[key] = state[key].includes(value) ? state[key].filter(v => v !== value) : [...state[key], value]; render(); }}}, text);
  const there = new Set(data.behaviours.flatMap(b => b.r.flatMap(r => [...r.v])));
  $("verdicts").append(...data.verdicts.filter(v => there.has(v.l)).map(v => chip("l", v.l, v.s + " " + v.m, "verdicts")));
  $("kernels").append(...labels.map(l => chip("k", l, l, "kernels")));
  $("q").addEventListener("input", () => { state.q = $("q").value; render(); });
  $("line").addEventListener("change", () => { state.line = $("line").value; render(); });
  $("scenario").addEventListener("change", () => { state.scenario = $("scenario").value; render(); });
  $("edition").addEventListener("change", () => { state.edition = Number($("edition").value); render(); });
  $("differs").addEventListener("change", () => { state.differs = $("differs").checked; render(); });
  if ($("unlike")) $("unlike").addEventListener("change", () => { state.unlike = $("unlike").checked; render(); });
  $("reset").addEventListener("click", () => { Object.assign(state, {line: "", scenario: "", verdicts: [], kernels: [], q: "", differs: false, unlike: false}); render(); });
  $("swap").addEventListener("click", () => { [state.old, state.new] = [state.new, state.old]; render(); });
  $("theme").addEventListener("click", () => theme(true));
  for (const f of document.forms) f.addEventListener("submit", e => e.preventDefault());
  for (const a of document.querySelectorAll("a[data-view]")) a.addEventListener("click", e => { e.preventDefault(); state.view = a.dataset.view; render(); scrollTo(0, 0); });
  for (const a of document.querySelectorAll(".axis a")) a.addEventListener("click", e => {
    const to = document.getElementById(decodeURIComponent(a.hash.slice(1)));
    e.preventDefault();
    if (to) { to.scrollIntoView(); to.focus({preventScroll: true}); }
  });
  for (const code of document.querySelectorAll("code.id")) if (byID.has(code.dataset.id)) code.replaceChildren(link(byID.get(code.dataset.id)));
  for (const t of tables) {
    t.table.setAttribute("role", "grid");
    t.table.addEventListener("keydown", move);
    t.table.addEventListener("click", e => { const td = e.target.closest("td"); if (td && td.tabIndex !== undefined && td.hasAttribute("tabindex")) { rove(td); openAt(td); } });
  }
  // However it is closed; where the page does it itself the focus has come back already.
  dialog.addEventListener("close", () => { if (state.b >= 0 && !dialog.open) shut(); });
  dialog.addEventListener("click", e => { if (e.target === dialog) shut(); });
  dialog.addEventListener("keydown", e => {
    if (e.altKey || e.ctrlKey || e.metaKey || e.target.closest("pre,.tables>div") && e.key.startsWith("Arrow")) return;
    const f = {ArrowLeft: () => step(-1), ArrowRight: () => step(1), p: () => other(-1), n: () => other(1), Escape: shut}[e.key];
    if (!f) return;
    e.preventDefault();
    f();
    if (dialog.open && !dialog.contains(document.activeElement) || document.activeElement === dialog) $("e-title").focus();
  });
  document.addEventListener("keydown", e => {
    if (e.key !== "/" || dialog.open || e.ctrlKey || e.altKey || e.metaKey || e.target.matches("input,select,textarea")) return;
    e.preventDefault();
    state.view = "matrix"; render(); $("q").focus();
  });
  addEventListener("hashchange", () => { const was = dialog.open; read(); render(); if (state.b >= 0 && result(state.b, state.c)) open(state.b, state.c); else if (was) shut(); });
  theme();
  read();
  const b = state.b, c = state.c;
  render();
  if (b >= 0 && result(b, c)) open(b, c);
}
start();
})();
