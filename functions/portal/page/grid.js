// @ts-check
// A table of up to 10,000 rows: sorted, searched, filtered, selected. Only rows in sight are elements.

import {announce, button, count, make, plural} from "./dom.js";
import {filterOf, selectRows, sortRows} from "./rows.js";

const AROUND = 12; // rows kept beyond either edge
const FEW = 60; // rows that are all drawn
const MOST_PRINTED = 1000;

/**
 * Make a table. A column is {key, title, kind, hint, show(value, row)}. `named(row)` is what a row is called, and
 * `opened(row)` is called for one that is chosen to be looked at.
 * @param {{caption: string, columns: any[], key: (row: any) => string, named: (row: any) => string,
 *   opened: (row: any) => void, changed: () => void}} parts
 */
export function grid({caption, columns, key, named, opened, changed}) {
  const state = {caption, columns, key, named, opened, changed, rows: /** @type {any[]} */([]),
    seen: /** @type {any[]} */([]), sort: columns[0].key, down: false, filters: {}, search: "",
    chosen: new Set(), drawn: new Map(), height: 0, last: -1, all: false};
  const view = elements(state);
  const refresh = () => { arrange(state); repaint(state, view); };
  view.refresh = refresh;
  listen(state, view);
  return {
    node: view.node,
    bar: view.bar,
    put: rows => { Object.assign(state, {rows, last: -1}); keepChosen(state); refresh(); },
    rows: () => state.seen,
    chosen: () => state.seen.filter(row => state.chosen.has(key(row))),
    choose: keys => { state.chosen = new Set(keys); refresh(); changed(); },
    order: () => ({key: state.sort, down: state.down}),
    step: (row, by) => state.seen[state.seen.indexOf(row) + by],
  };
}

function keepChosen(state) {
  const known = new Set(state.rows.map(state.key));
  state.chosen = new Set([...state.chosen].filter(each => known.has(each)));
}

function arrange(state) {
  const column = state.columns.find(each => each.key === state.sort);
  state.seen = sortRows(selectRows(state.rows, state.columns, state.filters, state.search), column, state.down);
}

function elements(state) {
  const all = make("input", {type: "checkbox", "aria-label": "Select all rows"});
  const heads = state.columns.map(column => heading(column));
  const fields = state.columns.map(column => make("input", {type: "text", class: "filter", spellcheck: "false",
    autocomplete: "off", "aria-label": `Filter ${column.title}`, placeholder: column.kind === "number" ? "≥" : "",
    title: column.kind === "number" ? "0.5 (at least), <1, 0..1" : "A part of the text"}));
  const filters = make("tr", {class: "filters", hidden: true}, make("td", {}),
    fields.map(field => make("td", {}, field)));
  const body = make("tbody");
  const table = make("table", {}, make("caption", {class: "hidden"}, state.caption),
    make("thead", {}, make("tr", {}, make("td", {class: "tick"}, make("label", {}, all)), heads), filters), body);
  const box = make("div", {class: "scroll sheet", tabindex: 0, role: "region", "aria-label": state.caption}, table);
  const search = make("input", {type: "search", class: "search", placeholder: "Search", autocomplete: "off",
    "aria-label": "Search the rows", "aria-keyshortcuts": "/"});
  const toggle = make("button", {type: "button", "aria-expanded": "false"}, "Filters");
  const note = make("span", {class: "hint found"});
  const bar = make("div", {class: "seek"}, search, toggle, note);
  return {all, heads, fields, filters, body, table, box, search, toggle, note, bar, refresh: () => {},
    node: make("div", {class: "table"}, box)};
}

function heading({title, kind = "", hint}) {
  const arrow = make("span", {class: "arrow", "aria-hidden": "true"});
  return make("th", {scope: "col", class: kind}, make("button", {type: "button", title: hint}, title, arrow));
}

function listen(state, view) {
  view.heads.forEach((head, i) => head.firstChild.addEventListener("click", () => turn(state, view, state.columns[i])));
  view.fields.forEach((field, i) => field.addEventListener("input", () => filtered(state, view, field, i)));
  view.search.addEventListener("input", () => { state.search = view.search.value; fresh(state, view); });
  view.toggle.addEventListener("click", () => {
    view.filters.hidden = !view.filters.hidden;
    view.toggle.setAttribute("aria-expanded", !view.filters.hidden);
    if (!view.filters.hidden) view.fields[0].focus();
  });
  view.all.addEventListener("change", () => {
    for (const row of state.seen) mark(state, row, view.all.checked);
    settle(state, view);
  });
  view.box.addEventListener("scroll", () => requestAnimationFrame(() => drawRows(state, view)), {passive: true});
  view.box.addEventListener("keydown", event => walk(state, view, event));
  new ResizeObserver(() => drawRows(state, view)).observe(view.box);
  unfold.set(view.node, all => {
    state.all = all;
    drawRows(state, view);
  });
}

/** A print has every row of the tables on the page, up to what a report can hold: what draws them, by their nodes. */
const unfold = new WeakMap();
const printing = on => { for (const node of document.querySelectorAll(".table")) unfold.get(node)?.(on); };
globalThis.addEventListener?.("beforeprint", () => printing(true));
globalThis.addEventListener?.("afterprint", () => printing(false));

function filtered(state, view, field, i) {
  const column = state.columns[i];
  state.filters[column.key] = field.value;
  field.setAttribute("aria-invalid", Boolean(field.value.trim()) && !filterOf(column, field.value));
  fresh(state, view);
}

function fresh(state, view) {
  view.box.scrollTop = 0;
  view.refresh();
  state.changed();
  announce(`${plural(state.seen.length, "row")}.`);
}

function turn(state, view, {key, kind, title}) {
  state.down = state.sort === key ? !state.down : kind === "number" && key !== "rank" && key !== "line";
  state.sort = key;
  view.box.scrollTop = 0;
  view.refresh();
  announce(`Sorted by ${title}, ${state.down ? "descending" : "ascending"}.`);
}

function mark(state, row, on) {
  if (on) state.chosen.add(state.key(row));
  else state.chosen.delete(state.key(row));
}

/** Select a row, or with Shift all from the last one on. */
function tick(state, view, index, on, shift) {
  const from = shift && state.last >= 0 ? Math.min(state.last, index) : index;
  for (let i = from; i <= (shift ? Math.max(state.last, index) : index); i += 1) mark(state, state.seen[i], on);
  state.last = index;
  settle(state, view);
}

function settle(state, view) {
  repaint(state, view);
  state.changed();
}

function repaint(state, view) {
  state.columns.forEach(({key}, i) => {
    if (key === state.sort) view.heads[i].setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else view.heads[i].removeAttribute("aria-sort");
  });
  const chosen = state.seen.filter(row => state.chosen.has(state.key(row))).length;
  view.all.checked = chosen > 0 && chosen === state.seen.length;
  view.all.indeterminate = chosen > 0 && chosen < state.seen.length;
  view.table.setAttribute("aria-rowcount", state.seen.length + 1);
  const part = state.seen.length < state.rows.length ? `${count(state.seen.length)} of ` : "";
  view.note.replaceChildren(`${part}${plural(state.rows.length, "row")}`,
    ...(chosen ? [`, ${count(chosen)} selected `, button("Clear selection", () => {
      state.chosen.clear();
      settle(state, view);
      view.search.focus();
    }, "link")] : []));
  drawRows(state, view, true);
}

/** Put into the table the rows in sight, and empty ones as high as those above and below. */
function drawRows(state, view, anew = false) {
  const {length} = state.seen;
  const [from, to] = range(state, view, length);
  if (!anew && stands(state, from, to)) return;
  const place = focused(view);
  const old = anew ? new Map() : state.drawn;
  state.drawn = new Map();
  for (let i = from; i < to; i += 1) state.drawn.set(i, old.get(i) ?? line(state, view, i));
  view.body.replaceChildren(...gap(state, from), ...state.drawn.values(), ...gap(state, length - to));
  Object.assign(state, {from, to});
  if (!state.height && from < to) measure(state, view);
  if (place) refocus(state, view, place);
}

/** Say whether rows are drawn already. A long table is made before it is on the page, and measured there. */
const stands = ({from, to, height, seen}, first, behind) =>
  from === first && to === behind && (height > 0 || seen.length <= FEW);

/** Return which control of which row has the focus, null where none has. */
function focused({body}) {
  const control = /** @type {any} */(document.activeElement);
  return body.contains(control) ? {row: control.closest("tr")?.dataset.key, control: control.dataset.control} : null;
}

function range(state, view, length) {
  if (state.all) return [0, Math.min(length, MOST_PRINTED)];
  if (length <= FEW) return [0, length];
  if (!state.height) return [0, FEW];
  const first = Math.floor(view.box.scrollTop / state.height);
  const many = Math.ceil(view.box.clientHeight / state.height);
  const from = Math.max(0, Math.min(first - AROUND, length - many));
  return [from, Math.min(length, first + many + AROUND)];
}

function measure(state, view) {
  state.height = state.drawn.get(state.from).getBoundingClientRect().height;
  if (state.height && state.seen.length > FEW) drawRows(state, view, true);
}

function gap(state, rows) {
  if (rows <= 0 || !state.height || state.all) return [];
  const cell = make("td", {colspan: state.columns.length + 1});
  cell.style.height = `${rows * state.height}px`;
  return [make("tr", {class: "gap", "aria-hidden": "true"}, cell)];
}

/** A row that was drawn again keeps the focus; one that is out of sight hands it to the table. */
function refocus(state, view, {row, control}) {
  const again = [...state.drawn.values()].find(each => each.dataset.key === row);
  const target = again?.querySelector(`[data-control="${control}"]`) ?? view.box;
  target.focus({preventScroll: true});
}

function line(state, view, index) {
  const row = state.seen[index], key = state.key(row), chosen = state.chosen.has(key);
  const box = make("input", {type: "checkbox", checked: chosen, "data-control": "tick",
    "aria-label": `Select ${state.named(row)}`, on: {click: event =>
      tick(state, view, index, event.currentTarget.checked, event.shiftKey)}});
  const cells = state.columns.map(({key: name, kind = "", show = text}) =>
    make("td", {class: kind, title: kind === "name" && row[name] ? row[name] : undefined}, show(row[name])));
  return make("tr", {class: chosen ? "chosen" : "", "data-key": key, "aria-rowindex": index + 2, on: {
    click: event => {
      if (!event.target.closest("input, label, button, a") && !`${getSelection()}`) state.opened(row);
    },
  }}, make("td", {class: "tick"}, make("label", {}, box)), cells);
}

const text = value => `${value ?? ""}`;

/** Arrows, j and k go from row to row, Enter opens one from its checkbox. */
function walk(state, view, event) {
  const step = {ArrowDown: 1, j: 1, ArrowUp: -1, k: -1}[event.key];
  const here = event.target.closest("tbody tr");
  const box = event.target === view.box;
  if (!step || modified(event) || !(here || (box && "jk".includes(event.key)))) return;
  event.preventDefault();
  const index = here ? Number(here.getAttribute("aria-rowindex")) - 2 + step : state.from ?? 0;
  if (!state.seen[index]) return;
  reveal(state, view, index);
  focusOn(state.drawn.get(index), event.target.dataset.control ?? "tick");
}

const modified = ({ctrlKey, metaKey, altKey}) => ctrlKey || metaKey || altKey;

const focusOn = (row, control) => row?.querySelector(`[data-control="${control}"]`)?.focus({preventScroll: true});

function reveal(state, view, index) {
  if (state.seen.length <= FEW) return state.drawn.get(index)?.scrollIntoView({block: "nearest"});
  const top = index * state.height, head = view.table.tHead.offsetHeight;
  if (top < view.box.scrollTop) view.box.scrollTop = top;
  const end = top + state.height + head - view.box.clientHeight;
  if (end > view.box.scrollTop) view.box.scrollTop = end;
  drawRows(state, view);
}
