// @ts-check
// The answer of a classifier: labels as bars with their thresholds.

import {copy, save, writeCsv, writeTabs} from "./csv.js";
import {button, count, make} from "./dom.js";
import {whyBar} from "./explanations.js";

const NEAR = 3;
const COLUMNS_OF_LABELS = ["label", "title", "probability", "threshold", "listed"]
  .map(name => ({key: name, title: name}));

/** Write a probability so that it is never rounded to certainty. */
export function probable(value, digits = 2) {
  const least = 10 ** -digits, text = value.toFixed(digits);
  if (value < 1 && Number(text) === 1) return `>${(1 - least).toFixed(digits)}`;
  if (value > 0 && Number(text) === 0) return `<${least.toFixed(digits)}`;
  return text;
}

/** Why the labels of a text may mean little, in a few words. */
export const ODD = {not_english: "not English", not_prose: "not prose", unfamiliar_words: "unfamiliar words",
  too_short: "short for an abstract", too_long: "long for an abstract"};

/**
 * Show one result; `kind` says of which model: its `thresholds`, its labels' `titles` and itself, and how to have the
 * labels of a text explained.
 * @param {any} result
 * @param {{thresholds: Record<string, number>, titles: Record<string, string>, model: any,
 *   explain?: (text: string, result: any) => Promise<any>}} kind
 * @param {string | (() => Promise<string>)} [text]
 */
export function classification(result, kind, text = "") {
  const rows = labelRows(result, kind);
  const chosen = rows.filter(({listed}) => listed);
  const table = make("tbody"), all = make("button", {type: "button", "aria-expanded": "false"});
  const fill = open => {
    table.replaceChildren(...rows.slice(0, open ? rows.length : Math.max(chosen.length + NEAR, 5)).map(labelRow));
    all.textContent = open ? "Fewer" : `All ${rows.length} probabilities`;
    all.setAttribute("aria-expanded", open);
  };
  all.addEventListener("click", () => fill(all.getAttribute("aria-expanded") === "false"));
  fill(false);
  const {model} = kind;
  return make("div", {class: "classification"}, chosenLabels(chosen), barTable(table), tickLegend(),
    labelTools(rows, result, model, all), why(kind, text, result), footnote(result, model));
}

/** @param {any} kind */
const why = ({explain, titles}, text, result) =>
  text && explain ? whyBar(found => explain(found, result), text, titles) : "";

/** Return the labels of a result, the most probable first, each with its title and threshold. */
export function labelRows({scores, labels}, {thresholds, titles}) {
  const listed = new Map(labels.map(each => [each.label, each]));
  return Object.entries(scores).sort((a, b) => b[1] - a[1]).map(([label, probability]) =>
    ({label, title: listed.get(label)?.title ?? titles[label] ?? "", probability,
      threshold: thresholds[label] ?? 0.5, listed: listed.has(label)}));
}

function chosenLabels(chosen) {
  if (!chosen.length) return make("p", {class: "none"}, "No label reaches its threshold.");
  return make("ul", {class: "pills", "aria-label": "Labels"}, chosen.map(({label, title, probability}) =>
    make("li", {}, make("strong", {}, label), ` ${probable(probability)}`,
      title && make("span", {class: "soft"}, ` ${title}`))));
}

function barTable(body) {
  const head = [["", "mark"], ["label", ""], ["0 to 1", "bar"], ["probability", "number"], ["threshold", "number"]];
  const heads = head.map(([title, name]) =>
    title ? make("th", {scope: "col", class: name}, title) : make("td", {class: name}));
  return make("div", {class: "scroll", tabindex: 0, role: "group", "aria-label": "Probabilities"},
    make("table", {class: "labels"}, make("caption", {class: "hidden"}, "Probabilities of the labels"),
      make("thead", {}, make("tr", {}, heads)), body));
}

function tickLegend() {
  const signs = {"swatch": "listed", "swatch below": "below its threshold", "tick-mark": "the label’s threshold"};
  return make("p", {class: "key ticks"}, Object.entries(signs).map(([name, words]) =>
    make("span", {class: "sign"}, make("span", {class: name}), words)));
}

function labelRow({label, title, probability, threshold, listed}) {
  const tick = listed ? [make("span", {"aria-hidden": "true"}, "✓"), make("span", {class: "hidden"}, "listed")] : [];
  return make("tr", {class: listed ? "listed" : ""}, make("td", {class: "mark"}, tick),
    make("td", {class: "label"}, label, title && make("span", {class: "soft title"}, title)),
    make("td", {class: "bar"}, meter(probability, threshold)),
    make("td", {class: "number"}, probable(probability, 3)), make("td", {class: "number soft"}, threshold.toFixed(2)));
}

/** Draw a probability as a bar with a mark at the threshold; the numbers beside it say the same. */
function meter(probability, threshold) {
  const fill = make("i"), line = make("b");
  fill.style.width = `${100 * probability}%`;
  line.style.left = `${100 * threshold}%`;
  return make("div", {class: "meter", "aria-hidden": "true"}, fill, line);
}

function labelTools(rows, result, model, all) {
  const copied = event => copy(writeTabs(COLUMNS_OF_LABELS, rows), event.currentTarget);
  return make("div", {class: "tools"}, all, make("span", {class: "grow"}), button("Copy", copied),
    button("CSV", () => save("labels.csv", "text/csv", writeCsv(COLUMNS_OF_LABELS, rows))),
    button("JSON", () => save("labels.json", "application/json", JSON.stringify({model, ...result}, null, 1))));
}

function footnote({tokens, truncated, cached}, {name, version}) {
  const cut = truncated ? " The text is longer than the model reads, so its end was left out." : "";
  const again = cached ? "; the answer comes from the cache" : "";
  return make("p", {class: "hint"}, `${name} ${version} read ${count(tokens)} tokens${again}.${cut} `
    + "Probabilities are for English abstracts of papers; other text gets labels too, and they mean nothing.");
}
