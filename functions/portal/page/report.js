// @ts-check
// How a ranking was made, in a paragraph to print or to copy, and what to cite.

import {copy} from "./csv.js";
import {button, count, make} from "./dom.js";
import {number} from "./numbers.js";

const PAPER = "Rocklin et al., Global analysis of protein folding using massively parallel design, synthesis, and "
  + "testing, Science 357:168 (2017)";
const DOI = "10.1126/science.aan0693";
const SHIPPED = /^stability-/;

/** Return {node, put} of the paragraph, folded on the screen and always printed; `put` says what holds now. */
export function methods(view) {
  const made = new Date(), text = make("p", {class: "method"}), cite = citation(view.models);
  const node = make("details", {class: "methods", open: false}, make("summary", {}, "Methods and citation"), text, cite,
    make("div", {class: "actions"}, button("Copy", event =>
      copy(`${paragraph(view, made)} ${cite?.textContent ?? ""}`.trim(), event.currentTarget))));
  const put = () => { text.textContent = paragraph(view, made); };
  return {node, put};
}

/**
 * Return in words which models ranked what, by which options, and when.
 * @param {any} view
 * @param {Date} made
 */
export function paragraph({counts, models = {}, options}, made) {
  const {threshold = 0, top_k: most, ...others} = options;
  const name = model => model ? `${model.name} ${model.version}` : "none";
  const more = Object.entries(others).map(([key, value]) => `${key}=${value}`).join(", ");
  const date = made.toLocaleDateString("en", {day: "numeric", month: "long", year: "numeric"});
  const listed = count(Math.min(most ?? counts.passed, counts.passed));
  return [
    `On ${date}, ${count(counts.received)} records were ranked with Assay (${location.origin}${location.pathname}).`,
    `Gate: ${name(models.gate)}; ${count(counts.passed)} of ${count(counts.scored)} scored sequences had a gate above`,
    `${number(threshold)}. Score: ${name(models.score)}; the best ${listed} are listed.`,
    `${count(counts.rejected)} records were rejected`,
    `${counts.duplicates ? `and ${count(counts.duplicates)} duplicates dropped` : ""}`,
  ].filter(Boolean).join(" ") + `.${more ? ` Options: ${more}.` : ""}`;
}

/** @param {any} models */
function citation({score} = {}) {
  if (!SHIPPED.test(score?.name ?? "")) return null;
  return make("p", {}, `Cite the data that the models learned from: ${PAPER}, `, make("a",
    {href: `https://doi.org/${DOI}`, rel: "noopener noreferrer external", target: "_blank"}, `doi:${DOI}`), ".");
}
