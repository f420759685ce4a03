// @ts-check
// Several abstracts at once: an entry each, to open, and files of all.

import {save, writeCsv} from "./csv.js";
import {button, make} from "./dom.js";
import {classification} from "./labels.js";
import {sentence} from "./problems.js";

const SHOWN = 80;  // characters of an abstract
const COLUMNS_OF_BATCH = ["abstract", "labels", "error"].map(name => ({key: name, title: name}));

/** Show the results of several texts. */
export function several(results, texts, limits, model) {
  const columns = [...COLUMNS_OF_BATCH, ...Object.keys(results.find(({scores}) => scores)?.scores ?? {})
    .map(label => ({key: `score-${label}`, title: label}))];
  const csv = () => save("classification.csv", "text/csv", writeCsv(columns, results.map(batchRow)));
  const json = () => save("classification.json", "application/json", JSON.stringify({model, results}, null, 1));
  const tools = make("div", {class: "tools"}, make("h2", {class: "grow"}, `${results.length} abstracts`),
    button("CSV", csv), button("JSON", json));
  return [tools, ...results.map((result, i) => entry(result, texts[i], i, limits, model))];
}

function batchRow({labels = [], scores = {}, error}, i) {
  const each = Object.entries(scores).map(([label, score]) => [`score-${label}`, score]);
  const names = labels.map(({label}) => label).join(";");
  return {abstract: i + 1, labels: names, error: error?.message, ...Object.fromEntries(each)};
}

function entry(result, text, i, limits, model) {
  const words = `${text.slice(0, SHOWN)}${text.length > SHOWN ? " …" : ""} `;
  const title = [make("strong", {}, `${i + 1}. `), words];
  if (result.error)
    return make("div", {class: "entry"}, title, make("p", {class: "field-error"}, sentence(result.error)));
  const names = result.labels.map(({label}) => label).join(", ") || "no label";
  const labels = result.truncated ? `${names} (text cut)` : names;
  return make("details", {class: "entry"}, make("summary", {}, title, make("span", {class: "pill"}, labels)),
    classification(result, limits, model));
}
