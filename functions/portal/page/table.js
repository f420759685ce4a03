// @ts-check
// A table that sorts by its headers and shows its rows page by page.

import {announce, count, make} from "./dom.js";

const ROWS = 25;

/** Make a table. A column is {key, title, kind, show}; returns {node, put(rows)}, where `put` replaces the rows. */
export function sortedTable({caption, columns, key = columns[0].key, down = false}) {
  const state = {columns, rows: [], key, down, page: 0};
  const heads = columns.map(column => header(column, () => { turn(state, column); repaint(); }));
  const body = make("tbody"), pager = make("div", {class: "pager"});
  const repaint = () => paint(state, heads, body, pager, repaint);
  const table = make("table", {}, make("caption", {class: "hidden"}, caption),
    make("thead", {}, make("tr", {}, heads)), body);
  const box = make("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": caption}, table);
  const put = rows => { Object.assign(state, {rows, page: 0}); repaint(); };
  return {node: make("div", {class: "table"}, box, pager), put, rows: () => sorted(state)};
}

function header({title, kind = ""}, press) {
  const arrow = make("span", {class: "arrow", "aria-hidden": "true"});
  return make("th", {scope: "col", class: kind}, make("button", {type: "button", on: {click: press}}, title, arrow));
}

function turn(state, {key, kind, title}) {
  state.down = state.key === key ? !state.down : kind === "number" && key !== "rank" && key !== "line";
  Object.assign(state, {key, page: 0});
  announce(`Sorted by ${title}, ${state.down ? "descending" : "ascending"}.`);
}

function sorted({columns, rows, key, down}) {
  const number = columns.find(column => column.key === key)?.kind === "number";
  const compare = number ? (a, b) => a[key] - b[key] : (a, b) => `${a[key] ?? ""}`.localeCompare(`${b[key] ?? ""}`);
  return [...rows].sort(down ? (a, b) => compare(b, a) : compare);
}

function paint(state, heads, body, pager, repaint) {
  state.columns.forEach(({key}, i) => {
    if (key === state.key) heads[i].setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else heads[i].removeAttribute("aria-sort");
  });
  const from = state.page * ROWS;
  body.replaceChildren(...sorted(state).slice(from, from + ROWS).map(row => line(state.columns, row)));
  const pressed = pager.contains(document.activeElement) ? document.activeElement?.textContent : "";
  pager.replaceChildren(...pages(state, repaint));
  const again = [...pager.querySelectorAll("button:enabled")];
  if (pressed) (again.find(({textContent}) => textContent === pressed) ?? again[0])?.focus();
}

function line(columns, row) {
  return make("tr", {}, columns.map(({key, kind = "", show = text}) => make("td", {class: kind}, show(row[key]))));
}

const text = value => `${value ?? ""}`;

function pages(state, repaint) {
  const last = Math.ceil(state.rows.length / ROWS) - 1;
  if (last < 1) return [];
  const to = step => { state.page += step; repaint(); announce(`Page ${state.page + 1} of ${last + 1}.`); };
  const from = state.page * ROWS, {length} = state.rows;
  const turned = (title, step, off) =>
    make("button", {type: "button", disabled: off, on: {click: () => to(step)}}, title);
  return [turned("Previous", -1, state.page === 0),
    make("span", {}, `${count(from + 1)}–${count(Math.min(from + ROWS, length))} of ${count(length)}`),
    turned("Next", 1, state.page === last)];
}
