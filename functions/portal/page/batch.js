// @ts-check
// Several abstracts at once: a table of labels with a heat map, an entry each to open, and files of all.

import {save, writeCsv} from "./csv.js";
import {announce, button, make} from "./dom.js";
import {ODD, classification, probable} from "./labels.js";
import {sentence} from "./problems.js";

const SHOWN = 80;  // characters of an abstract
const FAINT = 0.05;  // a label that no abstract reaches with this is left out of the map
const COLUMNS_OF_BATCH = ["abstract", "id", "labels", "titles", "notice", "error"]
  .map(name => ({key: name, title: name}));

/** Show the results of several texts, each called by its name; `kind` is as `classification` wants it. */
export function several(results, names, kind, heading = `${results.length} abstracts`) {
  const columns = [...COLUMNS_OF_BATCH, ...labelsOf(results).map(label => ({key: `score-${label}`, title: label}))];
  const rows = () => results.map((result, i) => batchRow(result, i, names[i], kind.titles));
  const csv = () => save("classification.csv", "text/csv", writeCsv(columns, rows()));
  const json = () => save("classification.json", "application/json",
    JSON.stringify({model: kind.model, results}, null, 1));
  const tools = make("div", {class: "tools"}, make("h2", {class: "grow"}, heading),
    button("CSV", csv), button("JSON", json));
  const entries = results.map((result, i) => entry(result, names[i], i, kind));
  return [tools, make("p", {class: "counts"}, tallied(results)), heatMap(results, names, kind, entries), ...entries];
}

const labelsOf = results => Object.keys(results.find(({scores}) => scores)?.scores ?? {});

function tallied(results) {
  const failed = results.filter(({error}) => error).length;
  const none = results.filter(({labels}) => labels?.length === 0).length;
  const parts = [`${results.length - failed} classified`, failed && `${failed} not classified`,
    none && `${none} without a label`];
  return parts.filter(Boolean).join(" · ");
}

function batchRow({labels = [], scores = {}, error, id, notice}, i, name, titles) {
  const each = Object.entries(scores).map(([label, score]) => [`score-${label}`, score]);
  const listed = labels.map(({label}) => label);
  return {abstract: i + 1, id: id ?? name, labels: listed.join(";"), error: error?.message,
    notice, titles: labels.map(({label, title}) => title ?? titles[label] ?? "").filter(Boolean).join(";"),
    ...Object.fromEntries(each)};
}

/** Draw the probabilities of all: a row for each abstract, a column for each label that some of them may have. */
function heatMap(results, names, {titles}, entries) {
  const shown = labelsOf(results).filter(label => results.some(({scores}) => scores?.[label] >= FAINT));
  if (!shown.length) return "";
  const heads = shown.map(label => make("th", {scope: "col", class: "turned", title: titles[label]},
    make("span", {}, label)));
  const body = results.map((result, i) => make("tr", {},
    make("th", {scope: "row", class: "name"}, opener(entries[i], `${i + 1}. ${short(names[i], 40)}`)),
    shown.map(label => cell(result, label))));
  return make("div", {class: "scroll map", tabindex: 0, role: "region", "aria-label": "Labels of all abstracts"},
    make("table", {}, make("caption", {class: "hidden"}, "Probability of each label for each abstract"),
      make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "abstract"), heads)), make("tbody", {}, body)));
}

function opener(entry, words) {
  return button(words, () => {
    entry.open = true;
    entry.querySelector("summary")?.focus();
    entry.scrollIntoView({block: "nearest"});
    announce(`${words} is open.`);
  }, "link");
}

function cell({scores, labels = []}, label) {
  const value = scores?.[label];
  if (value === undefined) return make("td", {class: "heat"}, "–");
  const listed = labels.some(each => each.label === label);
  const box = make("td", {class: listed ? "heat listed" : "heat", title: `${label} ${probable(value, 3)}`},
    make("span", {}, probable(value)), listed && make("span", {class: "hidden"}, " listed"));
  box.style.setProperty("--heat", `${Math.round(100 * value)}%`);
  return box;
}

const short = (text, most) => text.length > most ? `${text.slice(0, most)} …` : text;

/** Return an entry to open, which is filled when it is opened first. */
function lazily(summary, fill) {
  const place = make("div"), found = make("details", {class: "entry"}, summary, place);
  found.addEventListener("toggle", () => place.replaceChildren(fill()), {once: true});
  return found;
}

function entry(result, name, i, kind) {
  const title = [make("strong", {}, `${i + 1}. `), `${short(name, SHOWN)} `];
  if (result.error)
    return make("div", {class: "entry"}, title, make("p", {class: "field-error"}, sentence(result.error)));
  const names = result.labels.map(({label}) => label).join(", ") || "no label";
  const labels = result.truncated ? `${names} (text cut)` : names;
  const odd = result.notice && make("span", {class: "odd"}, ODD[result.notice] ?? result.notice);
  return lazily(make("summary", {}, title, make("span", {class: "pill"}, labels), odd),
    () => classification(result, kind, kind.textOf?.(result, i) ?? (result.id ? "" : name)));
}
