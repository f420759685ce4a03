// @ts-check
// What a job over abstracts left: how many have each label, a heat map of the first, and why, for one at a time.

import {several} from "./batch.js";
import {textAt} from "./file_texts.js";
import {count, make, plural} from "./dom.js";
import {explanationOf, kindOfModel} from "./label_kinds.js";
import {Refusal, post, read} from "./service.js";

const SHOWN = 100;  // abstracts of the heat map
const BYTES = 400_000;  // of classification.jsonl that are read for them
/** @type {{job: string, file: any}} */
const hand = {job: "", file: null};

/** Keep the file of a job at hand while the page is open: results have no texts, and `why` needs one. */
export function keepFile(job, file) {
  Object.assign(hand, {job, file});
}

/** Show the labels of a job that has ended; `summary` is what it says of itself. */
export async function labelledJob(job, {label_counts: counts = {}, options = job.options}) {
  const link = job.results?.classification, total = job.counts?.classified ?? 0;
  if (!link || !total) return [];
  const results = rowsOf(await read(link, BYTES)).slice(0, SHOWN);
  const kind = kindOfJob(job, results, options?.threshold);
  const names = results.map(({id, line}) => id || `line ${count(line)}`);
  const words = results.length < total ? `The first ${count(results.length)} of ${plural(total, "abstract")}`
    : plural(total, "abstract");
  return [tally(counts, total, kind), ...several(results, names, kind, words)];
}

/** Return the results in the beginning of a file of lines; the last may be cut. */
export function rowsOf(text) {
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter(Boolean).map(line => JSON.parse(line));
}

function kindOfJob(job, results, threshold) {
  const kind = kindOfModel(job.models?.classifier ?? {name: "", version: ""});
  const labels = Object.keys(results[0]?.scores ?? {});
  if (threshold !== null && threshold !== undefined)
    kind.thresholds = Object.fromEntries(labels.map(label => [label, Number(threshold)]));
  return {...kind, textOf: result => result.source?.text ?? (() => textOf(job, result)), explain: why(kind.model)};
}

const why = ({name, version}) => async (text, result) => {
  const route = `models/${encodeURIComponent(`${name}@${version}`)}/classify?explain=true`;
  const {results: [found]} = await post(route, {abstract: text});
  return explanationOf(found, result);
};

/** Return the text of a result, out of the file at hand or of one that is chosen now. Throws Refusal. */
async function textOf(job, result) {
  if (hand.job !== job.job_id || !hand.file) keepFile(job.job_id, await chosen());
  try {
    return await textAt(hand.file, (_, line) => line === result.line);
  } catch (error) {
    hand.file = null;
    throw error;
  }
}

function chosen() {
  return new Promise((resolve, reject) => {
    const input = make("input", {type: "file", on: {
      change: () => resolve(input.files[0]),
      cancel: () => reject(new Refusal("Choose the job’s file to see why: the page keeps no texts.")),
    }});
    input.click();
  });
}

function tally(counts, total, {titles}) {
  const rows = Object.entries(counts);
  if (!rows.length) return "";
  const head = make("tr", {}, make("th", {scope: "col", class: "label"}, "label"), make("td", {class: "bar"}),
    ["abstracts", "share"].map(words => make("th", {scope: "col", class: "number"}, words)));
  const body = rows.map(([label, number]) => tallied(label, titles[label], number, total));
  return make("section", {class: "tally"}, make("h2", {}, "Labels of the whole file"),
    make("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": "Labels of the whole file"},
      make("table", {class: "labels"}, make("thead", {}, head), make("tbody", {}, body))),
    make("p", {class: "hint"}, "An abstract may have several labels, or none."));
}

function tallied(label, title, number, total) {
  const fill = make("i");
  fill.style.width = `${100 * number / total}%`;
  return make("tr", {}, make("td", {class: "label"}, label, title && make("span", {class: "soft title"}, title)),
    make("td", {class: "bar"}, make("div", {class: "meter", "aria-hidden": "true"}, fill)),
    make("td", {class: "number"}, count(number)),
    make("td", {class: "number soft"}, `${(100 * number / total).toFixed(1)} %`));
}
