// @ts-check
// Where in a PDF an abstract was found, and the other candidates.

import {button, count, make} from "./dom.js";

const SURE = 0.7;  // the confidence from which a PDF's text need not be doubted
const PASSAGE = 160;  // characters of a passage
const FOUND = {
  heading: "the text under its heading",
  inline: "the text that its heading begins",
  layout: "no heading; the paragraph that stands apart",
  first_page: "no abstract found; the first paragraphs",
};

/** Say where in a PDF the text was found. */
export function origin({found_by, pages, page, confidence = 1}, name) {
  const where = pages > 1 ? `on page ${count(page)} of ${count(pages)} ` : "";
  const unsure = confidence < SURE ? "Is it the abstract? " : "";
  return make("p", {class: "notice"}, "From ", make("strong", {}, name), `: ${where}${FOUND[found_by] ?? "its text"}. `
    + `${unsure}Correct it in the box and classify again.`);
}

/** Offer what else in a PDF might be its abstract; `choose(text)` hears of a passage that is chosen. */
export function passages({candidates = [], confidence = 1}, choose) {
  const rest = candidates.slice(1);
  if (!rest.length) return "";
  const title = rest.length === 1 ? "Another passage that may be the abstract"
    : `${rest.length} other passages that may be the abstract`;
  return make("details", {class: "entry", open: confidence < SURE}, make("summary", {}, title),
    make("ul", {class: "candidates"}, rest.map(each =>
      make("li", {}, passage(each), button("Classify this", () => choose(each.text))))));
}

function passage({text, source, page}) {
  const head = text.length > PASSAGE ? `${text.slice(0, PASSAGE)} …` : text;
  const place = `page ${count(page)}: ${FOUND[source] ?? "its text"}`;
  return make("p", {}, `${head} `, make("span", {class: "soft"}, place));
}
