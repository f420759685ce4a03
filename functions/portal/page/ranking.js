// @ts-check
// A ranking: counts, plots, the table. Where every scored sequence came along, the threshold can be moved.

import {announce, at, count, make, plural} from "./dom.js";
import {drawer} from "./drawer.js";
import {exportTools} from "./exports.js";
import {grid} from "./grid.js";
import {positions} from "./logo.js";
import {noticeList} from "./notices.js";
import {chance, number, percent, two} from "./numbers.js";
import {MARGINS, histogram} from "./plot.js";
import {rejects} from "./rejects.js";
import {methods} from "./report.js";
import {legend, residues} from "./residues.js";
import {blank, extentOf, kindOf} from "./rows.js";
import {scatter} from "./scatter.js";
import {windowProfiles} from "./windows.js";

/** What a row's notice code says in a cell. */
const CODES = {looks_like_dna: "DNA?", low_complexity: "low complexity", unlike_training: "unlike training"};
const SHIPPED = /^stability-/;

/**
 * Show {rows, carried, counts, rejected, notices, models, options, live, ids}. Returns {node, adjust(options)}, where
 * `adjust` moves threshold and top_k, and is false where this ranking must be made again for that.
 * @param {any} found
 */
export function ranking(found) {
  const view = {...found, options: {...found.options}, carried: found.carried ?? []};
  view.columns = columnsOf(view);
  view.head = make("div", {class: "head"});
  view.plots = plots(view);
  view.drawer = drawer(view);
  const columns = view.columns.filter(({unseen}) => !unseen), {open: opened} = view.drawer;
  view.table = grid({caption: "Ranking", columns, key: keyOf, named, opened, changed: () => chosen(view)});
  view.positions = positions(() => sequences(view));
  view.tools = exportTools(view);
  view.methods = methods(view);
  view.share = view.share?.(view.options);
  refresh(view);
  return {node: assembled(view), adjust: options => moved(view, options)};
}

/** A sequence is in a ranking once. */
const keyOf = ({sequence}) => sequence;

const named = ({id, line}) => id || `line ${count(line)}`;

function columnsOf({carried, rows}) {
  const some = key => rows.some(row => !blank(row[key]));
  const barred = key => {
    const ends = extentOf(rows, key);
    return value => [two(value), bar(value, ends)];
  };
  const known = [
    {key: "rank", title: "rank", kind: "number", show: count},
    {key: "id", title: "id", kind: "name"},
    {key: "score", title: "score", kind: "number", show: barred("score"), hint: "What the ranking is by"},
    {key: "gate", title: "gate", kind: "number", show: barred("gate"), hint: "Above the threshold a sequence passes"},
    {key: "probability", title: "probability", kind: "number", show: value => [chance(value), bar(value, [0, 1])],
      hint: "How likely it is stable, by the score alone"},
    {key: "percentile", title: "percentile", kind: "number", show: percent,
      hint: "How many percent of the reference set score less"},
    {key: "notice", title: "notice", kind: "name",
      show: code => code ? make("span", {class: "flag"}, CODES[code] ?? code) : ""},
    {key: "sequence", title: "sequence", kind: "sequence", show: residues},
    {key: "line", title: "line", kind: "number", show: count},
  ];
  const optional = ["id", "probability", "percentile", "notice"];
  const others = carried.map((title, i) => {
    const name = `carried-${i}`, unseen = rows.every(row => row[name] === row.id);
    return {key: name, title, unseen, kind: kindOf(rows.map(row => row[name]))};
  });
  return [...known.filter(({key}) => !optional.includes(key) || some(key)), ...others];
}

/**
 * Draw a number as a thin bar from zero, between the lowest and the highest of its column.
 * @param {number} value
 * @param {number[]} ends
 */
function bar(value, [low, high]) {
  if (!Number.isFinite(value) || low === high) return "";
  const fill = make("i"), from = Math.min(Math.max((0 - low) / (high - low), 0), 1), to = (value - low) / (high - low);
  fill.style.left = `${100 * Math.min(from, to)}%`;
  fill.style.width = `${100 * Math.abs(to - from)}%`;
  return make("span", {class: "spark", "aria-hidden": "true"}, fill);
}

function assembled(view) {
  const pictures = make("div", {class: "plots"}, view.plots.map(({node}) => node));
  const none = !view.rows.length;
  return make("div", {class: "ranking"}, view.head, view.share, noticeList(view.notices), pictures,
    view.live && !none && key(),
    view.tools.node, view.table.node, !none && view.legend, windowProfiles(view), !none && view.positions.node,
    rejects(view), served(view.models), view.methods.node);
}

function served({score, gate} = /** @type {any} */({})) {
  const name = model => model ? `${model.name} ${model.version}` : "none";
  return make("p", {class: "hint"}, `Score: ${name(score)}. Gate: ${name(gate)}.`);
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

/** Take a threshold and number of rows over, where all scores are here: what is shown and saved is what holds then. */
function moved(view, {threshold, top_k}) {
  if (!view.live) return threshold === view.options.threshold && top_k === view.options.top_k;
  Object.assign(view.options, {threshold, top_k});
  refresh(view);
  return true;
}

function refresh(view) {
  const {threshold, top_k: most} = view.options;
  const passed = view.live ? passing(view.rows, threshold) : view.rows;
  const known = new Set(passed);
  view.passes = view.rows.map(row => known.has(row));
  view.shown = passed.slice(0, most).map((row, i) => ({...row, rank: i + 1}));
  if (view.live) Object.assign(view.counts, {passed: passed.length, returned: view.shown.length});
  view.legend ??= legend();
  view.head.replaceChildren(...head(view));
  view.table.put(view.shown);
  const none = !view.shown.length;
  for (const node of [view.tools.node, view.table.node, view.legend, view.positions.node]) node.hidden = none;
  redraw(view);
  chosen(view);
}

function redraw(view) {
  const {threshold} = view.options, picked = new Set(view.table.chosen().map(keyOf));
  for (const plot of view.plots)
    plot.put({passes: view.passes, threshold: plot.gated ? threshold : undefined, chosen: picked});
}

/** The selection changed, or the rows that are seen: tools, logo and points follow. */
function chosen(view) {
  view.tools.put();
  view.methods.put();
  view.positions.put();
  const picked = new Set(view.table.chosen().map(keyOf));
  for (const plot of view.plots) if (plot.cloud) plot.put({chosen: picked});
}

/** Return the sequences that are selected, else all in the table, and words for them. */
function sequences({table}) {
  const picked = table.chosen(), rows = picked.length ? picked : table.rows();
  const words = picked.length ? `the ${plural(rows.length, "row")} selected` : `all ${plural(rows.length, "row")}`;
  return {sequences: rows.map(keyOf), words};
}

function head({counts, shown, options, rejected = [], fixes = {}}) {
  const title = `${counts.passed ? count(counts.passed) : "None"} of ${plural(counts.scored, "sequence")} `
    + `${counts.passed === 1 || !counts.passed ? "passes" : "pass"} the gate`;
  const less = counts.passed > shown.length ? ` The best ${count(shown.length)} are shown.` : "";
  const none = counts.passed || !counts.scored ? "" : ` The threshold is ${number(options.threshold)}: lower it.`;
  return [make("h2", {tabindex: -1}, title), make("p", {class: "counts"}, `${tally(counts)}.${less}${none}`),
    ...remedies(rejected, fixes)];
}

/** Offer what the service advises for records of another length: windows of longer proteins, or the linker. */
function remedies(rejected, fixes) {
  const advised = Object.keys(fixes).filter(name => rejected.some(({detail = ""}) => detail.includes(`${name}=`)));
  return advised.map(name => make("p", {class: "notice remedy"}, `${fixes[name].why} `,
    make("button", {type: "button", on: {click: fixes[name].act}}, fixes[name].title)));
}

function tally({received, scored, rejected, duplicates}) {
  const parts = [`${count(received)} received`, `${count(scored)} scored`, `${count(rejected)} rejected`];
  return [...parts, duplicates && plural(duplicates, "duplicate")].filter(Boolean).join(" · ");
}

/** Return what the axes are called; units are known of the shipped models alone. */
function axesOf({models}) {
  const {gate, score} = models ?? /** @type {any} */({});
  const unit = (word, model, ...texts) =>
    SHIPPED.test(model?.name ?? "") ? texts.map(text => `${word}: ${text}`) : [word];
  return {
    score: unit("score", score, "predicted stability, log10 fold over unfolded; +1 = 10×",
      "log10 fold over unfolded; +1 = 10×"),
    gate: unit("gate", gate, "predicted stability, log10 fold; above 0 more likely stable than not",
      "log10 fold; above 0 likely stable"),
    short: unit("score", score, "log10 fold over unfolded")[0],
  };
}

function plots(view) {
  const {rows, live, models = {}} = view;
  if (!rows.length) return [];
  const whole = live ? {} : view.histograms ?? {};
  const axes = axesOf(view), shown = live ? "" : ", of the rows shown";
  const title = (word, model, of = shown) => `${word}${model ? ` · ${model.name}` : ""}${of}`;
  const score = histogram({title: title("Score", models.score, whole.score && ", of all that passed"),
    name: "score", axis: axes.score,
    whole: whole.score, values: rows.map(each => each.score)});
  if (!rows.every(({gate}) => Number.isFinite(gate))) return [score];
  const act = live ? setThreshold : undefined;
  const gated = histogram({title: title("Gate", models.gate, whole.gate && ", of all that was scored"),
    name: "gate", axis: axes.gate,
    whole: whole.gate, gated: true, values: rows.map(({gate}) => gate), moved: act});
  const gate = Object.assign(gated, {gated: true});
  if (live) gate.node.append(slider(view, gate.span));
  return [gate, score, Object.assign(cloud(view, axes, act), {gated: true, cloud: true})];
}

function cloud(view, axes, act) {
  const title = `Gate against score${view.live ? "" : ", of the rows shown"}`;
  return scatter({title, rows: view.rows, axes: {gate: axes.gate, score: axes.short}, key: keyOf, named, moved: act,
    opened: row => view.drawer.open(view.shown.find(each => keyOf(each) === keyOf(row)) ?? row),
    brushed: rows => {
      view.table.choose(rows.map(keyOf));
      announce(`${plural(view.table.chosen().length, "row")} selected.`);
    }});
}

function setThreshold(value) {
  const field = at("threshold");
  field.value = value;
  field.dispatchEvent(new Event("input", {bubbles: true}));
}

function slider(view, {low, high}) {
  const field = at("threshold");
  const range = make("input", {type: "range", min: low, max: high, step: (high - low) / 240,
    "aria-label": "Minimum gate"});
  range.value = view.options.threshold;
  range.addEventListener("input", () => setThreshold(Number(Number(range.value).toFixed(3))));
  range.addEventListener("change", () => announce(`${view.counts.passed} of ${view.counts.scored} pass.`));
  field.addEventListener("input", () => { if (range.isConnected) range.value = field.value; });
  range.style.marginLeft = `${MARGINS.left - 8}px`;
  range.style.width = `calc(100% - ${MARGINS.left + MARGINS.right - 16}px)`;
  return range;
}
