// @ts-check
// What can be saved or copied of a ranking: all its rows, or those that are selected.

import {copy, save, writeCsv, writeTabs} from "./csv.js";
import {button, count, make} from "./dom.js";
import {mark, marked} from "./residues.js";
import {workbook} from "./xlsx.js";

/** The service's own order of columns (docs/formats.md); carried ones stand between. */
const BEFORE = ["rank", "sequence", "score", "gate", "line", "id"];
const BEHIND = ["probability", "percentile", "notice"];
const SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/** Return the bar of buttons over the table, {node, put}. */
export function exportTools(view) {
  const columns = savedColumns(view.columns), words = make("span", {class: "hint scope"});
  const rows = () => view.table.chosen().length ? view.table.chosen() : view.table.rows();
  const colours = make("input", {type: "checkbox", id: "colours", checked: marked()});
  colours.addEventListener("change", () => mark(colours.checked));
  const files = make("span", {class: "saves"}, words,
    button("Copy", event => copy(writeTabs(columns, rows()), event.currentTarget)),
    button("CSV", () => save("ranking.csv", "text/csv", writeCsv(columns, rows()))),
    button("JSON", () => save("ranking.json", "application/json", JSON.stringify(record(view, rows()), null, 1))),
    button("FASTA", () => save("ranking.fasta", "text/x-fasta", fasta(rows()))),
    button("Excel", () => save("ranking.xlsx", SHEET, workbook(columns, rows()))));
  const tools = make("div", {class: "tools"}, view.table.bar, files);
  const colour = make("label", {class: "check colours", for: "colours"}, colours, "Colour residues");
  const put = () => {
    const picked = view.table.chosen().length;
    words.textContent = picked ? `Save ${count(picked)} selected:` : `Save all ${count(view.table.rows().length)}:`;
  };
  return {node: make("div", {}, tools, colour), put};
}

function savedColumns(columns) {
  const of = keys => keys.map(key => columns.find(each => each.key === key)).filter(Boolean);
  const named = new Set([...BEFORE, ...BEHIND]);
  const behind = of(BEHIND).length ? BEHIND.map(key => ({key, title: key})) : [];
  return [...of(BEFORE), ...columns.filter(({key}) => !named.has(key)), ...behind];
}

/** Return a ranking as the service would reply, with the options that hold for it. */
function record({counts, rejected, notices = [], models, options, columns}, rows) {
  const extra = columns.filter(({key}) => key.startsWith("carried-"));
  const row = each => ({...Object.fromEntries([...BEFORE, ...BEHIND].map(key => [key, each[key]])),
    ...(extra.length ? {columns: Object.fromEntries(extra.map(({key, title}) => [title, each[key]]))} : {})});
  return {ranked: rows.map(row), counts: {...counts, returned: rows.length}, rejected, notices, models, options};
}

const fasta = rows => rows.map(({id, line, score, sequence}) =>
  `>${id || `line-${line}`} score=${score.toFixed(3)}\n${sequence}\n`).join("");
