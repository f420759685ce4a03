// @ts-check
// A ranking: counts, distributions, the table. Where every scored sequence came along, the threshold can be moved.

import {copy, save, writeCsv, writeTabs} from "./csv.js";
import {announce, at, button, count, make, plural} from "./dom.js";
import {noticeList} from "./notices.js";
import {MARGINS, histogram, number} from "./plot.js";
import {rejects} from "./rejects.js";
import {legend, residues} from "./residues.js";
import {sortedTable} from "./table.js";

const COLUMNS = [
  {key: "rank", title: "rank", kind: "number"},
  {key: "sequence", title: "sequence", kind: "sequence", show: residues},
  {key: "score", title: "score", kind: "number", show: value => value.toFixed(3)},
  {key: "gate", title: "gate", kind: "number", show: value => value.toFixed(3)},
  {key: "line", title: "line", kind: "number", show: count},
  {key: "id", title: "id", kind: "name"},
];

/** Show {rows, carried, counts, rejected, notices, models, options, live}. Returns {node, adjust(options)}. */
export function ranking(found) {
  const view = {...found, options: {...found.options}, columns: columnsOf(found)};
  view.head = make("div", {class: "head"});
  view.plots = plots(view);
  view.table = sortedTable({caption: "Ranking", columns: view.columns});
  view.tools = tools(view);
  refresh(view);
  return {node: assembled(view), adjust: options => { Object.assign(view.options, options); refresh(view); }};
}

function columnsOf({carried = [], rows}) {
  const known = COLUMNS.filter(({key}) => key !== "id" || rows.some(({id}) => id));
  return [...known, ...carried.map((title, i) => ({key: `carried-${i}`, title, kind: "name"}))];
}

function assembled(view) {
  const pictures = make("div", {class: "plots"}, view.plots.map(({node}) => node));
  return make("div", {}, view.head, noticeList(view.notices), pictures, view.live && view.plots.length && key(),
    view.tools, view.table.node, legend(), rejects(view), served(view.models));
}

function key() {
  return make("p", {class: "key"}, make("span", {class: "swatch passed"}), "passes the gate",
    make("span", {class: "swatch filtered"}), "does not");
}

/** Return the rows with gate > threshold, compared as the service does, in 32 bits. */
export function passing(rows, threshold) {
  const least = Math.fround(threshold);
  return rows.filter(({gate}) => Math.fround(gate) > least);
}

function refresh(view) {
  const {threshold, top_k: most} = view.options;
  const passed = view.live ? passing(view.rows, threshold) : view.rows;
  const known = new Set(passed);
  const passes = view.rows.map(row => known.has(row));
  view.shown = passed.slice(0, most).map((row, i) => ({...row, rank: i + 1}));
  if (view.live) Object.assign(view.counts, {passed: passed.length, returned: view.shown.length});
  view.head.replaceChildren(...head(view));
  view.table.put(view.shown);
  view.tools.hidden = view.table.node.hidden = !view.shown.length;
  for (const plot of view.plots) plot.put({passes, threshold: plot.gated ? threshold : undefined});
}

function head({counts, shown, options}) {
  const title = `${counts.passed ? count(counts.passed) : "None"} of ${plural(counts.scored, "sequence")} `
    + `${counts.passed === 1 || !counts.passed ? "passes" : "pass"} the gate`;
  const less = counts.passed > shown.length ? ` The best ${count(shown.length)} are shown.` : "";
  const none = counts.passed || !counts.scored ? "" : ` The threshold is ${number(options.threshold)}: lower it.`;
  return [make("h2", {}, title), make("p", {class: "counts"}, `${tally(counts)}.${less}${none}`)];
}

function tally({received, scored, rejected, duplicates}) {
  const parts = [`${count(received)} received`, `${count(scored)} scored`, `${count(rejected)} rejected`];
  return [...parts, duplicates && plural(duplicates, "duplicate")].filter(Boolean).join(" · ");
}

function plots(view) {
  const {rows, live, options, models} = view;
  if (!rows.length) return [];
  const title = (word, model) => `${word}${model ? ` · ${model.name}` : ""}${live ? "" : ", of the rows shown"}`;
  const score = histogram(title("Score", models.score), rows.map(each => each.score));
  if (!rows.every(({gate}) => Number.isFinite(gate))) return [score];
  const gated = histogram(title("Gate", models.gate), rows.map(({gate}) => gate), options.threshold);
  const gate = Object.assign(gated, {gated: true});
  if (live) gate.node.append(slider(view, gate.span));
  return [gate, score];
}

function slider(view, {low, high}) {
  const field = at("threshold");
  const range = make("input", {type: "range", min: low, max: high, step: (high - low) / 240,
    "aria-label": "Gate threshold"});
  range.value = view.options.threshold;
  range.addEventListener("input", () => {
    field.value = Number(Number(range.value).toFixed(3));
    field.dispatchEvent(new Event("input", {bubbles: true}));
  });
  range.addEventListener("change", () => announce(`${view.counts.passed} of ${view.counts.scored} pass.`));
  field.addEventListener("input", () => { if (range.isConnected) range.value = field.value; });
  range.style.marginLeft = `${MARGINS.left - 8}px`;
  range.style.width = `calc(100% - ${MARGINS.left + MARGINS.right - 16}px)`;
  return range;
}

function tools(view) {
  const rows = () => view.table.rows();
  const copied = event => copy(writeTabs(view.columns, rows()), event.currentTarget);
  const colours = make("input", {type: "checkbox", id: "colours", checked: true});
  colours.addEventListener("change", () => view.table.node.classList.toggle("uncoloured", !colours.checked));
  return make("div", {class: "tools"}, make("label", {class: "check", for: "colours"}, colours, "Colour residues"),
    make("span", {class: "grow"}), button("Copy", copied),
    button("CSV", () => save("ranking.csv", "text/csv", writeCsv(view.columns, rows()))),
    button("JSON", () => save("ranking.json", "application/json", JSON.stringify(record(view), null, 1))),
    button("FASTA", () => save("ranking.fasta", "text/x-fasta", fasta(rows()))));
}

function record({shown, counts, rejected, notices = [], models, options, columns}) {
  const known = new Set(COLUMNS.map(({key}) => key));
  const extra = columns.filter(({key}) => !known.has(key));
  const row = each => ({...Object.fromEntries(COLUMNS.map(({key}) => [key, each[key]])),
    ...(extra.length ? {columns: Object.fromEntries(extra.map(({key, title}) => [title, each[key]]))} : {})});
  return {ranked: shown.map(row), counts, rejected, notices, models, options};
}

const fasta = rows => rows.map(({id, line, score, sequence}) =>
  `>${id || `line-${line}`} score=${score.toFixed(3)}\n${sequence}\n`).join("");

function served({score, gate}) {
  const name = model => model ? `${model.name} ${model.version}` : "none";
  return make("p", {class: "hint"}, `Score: ${name(score)}. Gate: ${name(gate)}.`);
}
