// @ts-check
// The abstracts of a file that lies here, by line: results name lines, and have no text.

import {Refusal} from "./service.js";
import {COLUMNS, separatorOf, tableRows} from "./table_rows.js";

const MOST = 64e6;  // bytes that are looked through
const UNREAD = /\.(?:xls[xb]?|ods|zip|bz2|xz|zst|zstd|pdf)$/i;
const GZIP = /\.(?:gz|gzip|bgz)$/i;

/** Return the abstracts of a file, [{line, id, text}]; null where only the service can read them. */
export async function abstractsIn(file) {
  if (file.size > MOST || UNREAD.test(file.name)) return null;
  const stream = GZIP.test(file.name) ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream();
  try {
    return abstractsOf((await new Response(stream).text()).replace(/^\ufeff/, ""));
  } catch {
    return null;
  }
}

/** Return the text of the first abstract in a file of which `is(place, line)` holds. Throws Refusal. */
export async function textAt(file, is) {
  const found = await abstractsIn(file);
  if (found === null) throw new Refusal("Only the service can read this kind of file. Paste the abstract to see why.");
  const text = found.find(({line}, place) => is(place, line))?.text;
  if (!text?.trim()) throw new Refusal("The file has no abstract there: choose the file that was classified.");
  return text;
}

/** Return the abstracts of a text: JSON, JSON lines, a table whose header names them, or a line each. */
export function abstractsOf(text) {
  const lines = text.split(/\r\n|\r|\n/);
  if (/^\s*[[{"]/.test(text)) return ofJson(text) ?? lines.map((line, i) => ofValue(parsed(line), i + 1));
  const separator = separatorOf(lines[0] ?? "");
  return separator ? ofTable(text, separator) : lines.map((line, i) => ({line: i + 1, id: "", text: line}));
}

function ofJson(text) {
  const whole = parsed(text);
  const list = Array.isArray(whole) ? whole : whole?.abstracts;
  return Array.isArray(list) ? list.map((each, i) => ofValue(each, i + 1)) : null;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function ofValue(value, line) {
  if (typeof value === "string") return {line, id: "", text: value};
  const text = value?.abstract ?? value?.text;
  return {line, id: `${value?.id ?? ""}`, text: typeof text === "string" ? text : ""};
}

function ofTable(text, separator) {
  const [head, ...rows] = tableRows(text, separator), names = head.cells.map(cell => cell.trim().toLowerCase());
  const at = names.findIndex((name, i) => COLUMNS.some(each => each === name && names.indexOf(each) === i));
  return rows.map(({line, cells}) => ({line, id: cells[names.indexOf("id")] ?? "", text: cells[at] ?? ""}));
}
