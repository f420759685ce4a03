// @ts-check
// CSV, read and written; copies and downloads.

import {announce, make} from "./dom.js";

const CELL = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|\n|\r|$)/y;
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;  // the last four are the full-width signs
const BEHIND = /([;\t\r\n])(?='*"*[=+\-@\uff1d\uff0b\uff0d\uff20])/g;  // where cells end at semicolons or tabs
const MARKED = new RegExp(BEHIND.source.replace("(?=", "'(?="), "g");
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Return a CSV text as {head, lines}, cells as text; `cut` drops a last line that may be incomplete. */
export function parseCsv(text, {cut = false} = {}) {
  const [head = [], ...lines] = cells(text);
  return {head, lines: cut ? lines.slice(0, -1) : lines};
}

function cells(text) {
  const lines = [];
  let line = [];
  CELL.lastIndex = 0;
  while (CELL.lastIndex < text.length) {
    const [, quoted, bare, end] = CELL.exec(text) ?? [];  // it matches anywhere
    line.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end !== ",") { lines.push(line); line = []; }
  }
  return line.length ? [...lines, [...line, ""]] : lines;
}

/** Return a cell that no spreadsheet takes for a formula, as the service writes it (assay/results.py). */
export function harmless(cell) {
  const guarded = cell.replace(BEHIND, "$1'");
  return isFormula(cell) ? `'${guarded}` : guarded;
}

/** Return the cell that `harmless` was given. */
export function plain(cell) {
  const bare = cell.replace(MARKED, "$1");
  return bare.startsWith("'") && isFormula(bare) ? bare.slice(1) : bare;
}

function isFormula(cell) {
  const text = cell.replace(/^'+/, "");
  return FORMULA.test(text) && !NUMBER.test(text);
}

/** Write CSV of columns {key, title}, formulas made text. */
export function writeCsv(columns, rows) {
  const quoted = text => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const line = values => values.map(value => quoted(harmless(`${value ?? ""}`))).join(",");
  const lines = rows.map(row => columns.map(({key}) => row[key]));
  return `${[columns.map(({title}) => title), ...lines].map(line).join("\r\n")}\r\n`;
}

/** Write a table for the clipboard: spreadsheets paste tabs into cells, and take formulas there too. */
export function writeTabs(columns, rows) {
  const clean = value => `${value ?? ""}`.replace(/[\t\r\n]+/g, " ");
  const lines = [columns.map(({title}) => title), ...rows.map(row => columns.map(({key}) => row[key]))];
  return lines.map(line => line.map(value => harmless(clean(value))).join("\t")).join("\n");
}

/** Give a text or bytes to the browser to save. */
export function save(name, type, text) {
  saveBlob(name, new Blob([text], {type}));
}

/** Give a blob to the browser to save. */
export function saveBlob(name, blob) {
  const link = make("a", {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  announce(`${name} saved.`);
}

/** What buttons are called that say for a while that a text was copied, and what will end that. */
const resting = new WeakMap();

/** Copy a text, and say on the button that it is done. */
export async function copy(text, pressed) {
  const {name = pressed.textContent, clock} = resting.get(pressed) ?? {};
  clearTimeout(clock);
  try {
    await navigator.clipboard.writeText(text);
    pressed.textContent = "Copied";
  } catch {
    pressed.textContent = "Not allowed here";
  }
  announce(pressed.textContent);
  const back = () => { pressed.textContent = name; resting.delete(pressed); };
  resting.set(pressed, {name, clock: setTimeout(back, 2000)});
}
