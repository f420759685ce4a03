// @ts-check
// Rows of a table: what kind a column is, sorting, filters, search. No elements here.

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const BOUND = /^(<=|>=|<|>|=|≤|≥)?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const COLLATOR = new Intl.Collator("en", {numeric: true});
const RANGE = /^(\S+?)\s*(?:\.\.|–|to)\s*(\S+)$/;

/** @typedef {{key: string, title: string, kind?: string}} Column */

/** Return whether a cell holds nothing. */
export const blank = value => value === undefined || value === null || value === "" || Number.isNaN(value);

/**
 * Return "number" where every cell that is not blank holds one, else "name".
 * @param {any[]} values
 */
export function kindOf(values) {
  const given = values.filter(value => !blank(value));
  return given.length && given.every(value => NUMBER.test(`${value}`.trim())) ? "number" : "name";
}

/**
 * Return rows in the order of a column; blanks come last, equals stay as they were.
 * @param {any[]} rows
 * @param {Column} column
 * @param {boolean} down
 */
export function sortRows(rows, {key, kind}, down) {
  const turn = down ? -1 : 1;
  const compare = kind === "number" ? (a, b) => Number(a) - Number(b)
    : (a, b) => COLLATOR.compare(`${a}`, `${b}`);
  return [...rows].sort(({[key]: a}, {[key]: b}) =>
    blank(a) || blank(b) ? Number(blank(a)) - Number(blank(b)) : turn * compare(a, b));
}

/**
 * Return the test that a filter's text stands for; null where it is none. Numbers: `0.5` (at least), `<1`, `0..1`.
 * @param {Column} column
 * @param {string} text
 * @returns {((row: any) => boolean) | null}
 */
export function filterOf({key, kind}, text) {
  if (kind !== "number") {
    const wanted = text.trim().toLowerCase();
    return ({[key]: value}) => `${value ?? ""}`.toLowerCase().includes(wanted);
  }
  const range = RANGE.exec(text.trim());
  const bounds = range ? [bound(`>=${range[1]}`), bound(`<=${range[2]}`)] : [bound(text.trim())];
  if (bounds.some(each => !each)) return null;
  return ({[key]: value}) => !blank(value) && bounds.every(holds => holds(Number(value)));
}

function bound(text) {
  const [, sign = ">=", digits] = BOUND.exec(text) ?? [];
  if (digits === undefined) return null;
  const number = Number(digits);
  const tests = {"<": value => value < number, "<=": value => value <= number, ">": value => value > number,
    "≤": value => value <= number, "=": value => value === number};
  return tests[sign] ?? (value => value >= number);
}

/**
 * Return the rows that hold every filter and, somewhere, what is searched.
 * @param {any[]} rows
 * @param {Column[]} columns
 * @param {Record<string, string>} filters
 * @param {string} search
 */
export function selectRows(rows, columns, filters, search) {
  const tests = columns.filter(({key}) => filters[key]?.trim()).map(column => filterOf(column, filters[column.key]));
  const wanted = search.trim().toLowerCase();
  const named = columns.filter(({kind}) => kind !== "number").map(({key}) => key);
  if (wanted) tests.push(row => named.some(key => `${row[key] ?? ""}`.toLowerCase().includes(wanted)));
  const valid = tests.filter(test => test !== null);
  return valid.length ? rows.filter(row => valid.every(test => test(row))) : rows;
}

/** Return [lowest, highest] of the numbers of a column; [0, 0] where it has none. */
export function extentOf(rows, key) {
  let low = Infinity, high = -Infinity;
  for (const {[key]: value} of rows) {
    if (blank(value) || !Number.isFinite(Number(value))) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 0];
}
