// @ts-check
// Residues by property. Colour is not alone: acids are underlined, bases overlined, hydrophobic residues bold.

import {make} from "./dom.js";

const CLASSES = {
  hydrophobic: {letters: "AFILMVWY", mark: "bold"},
  polar: {letters: "NQST", mark: "plain"},
  acidic: {letters: "DE", mark: "line below"},
  basic: {letters: "HKR", mark: "line above"},
  special: {letters: "CGP", mark: "italic"},
};
const CLASS_OF = Object.fromEntries(
  Object.entries(CLASSES).flatMap(([name, {letters}]) => [...letters].map(letter => [letter, name])));
const RUN = new RegExp(`${Object.values(CLASSES).map(({letters}) => `[${letters}]+`).join("|")}|.`, "gs");

const NAME = "assay-residues", OFF = "off";

/** Say whether the residues' marks are shown; this browser remembers it. */
export function marked() {
  try {
    return localStorage.getItem(NAME) !== OFF;
  } catch {
    return true;
  }
}

/** Show the residues' marks everywhere, or hide them. @param {boolean} on */
export function mark(on) {
  document.documentElement.classList.toggle("uncoloured", !on);
  try {
    if (on) localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, OFF);
  } catch { /* a browser that keeps nothing forgets it at the end */ }
}

/** Return the property of a residue, as a class of the style. */
export const classOf = letter => CLASS_OF[letter] ?? "";

/** Return a sequence as spans of neighbours with one property. */
export function residues(sequence) {
  const runs = sequence.match(RUN) ?? [];
  return make("span", {class: "residues"}, runs.map(run => make("span", {class: CLASS_OF[run[0]] ?? ""}, run)));
}

/** Return the legend of the colours. */
export function legend() {
  const entries = Object.entries(CLASSES).map(([name, {letters, mark}]) =>
    make("li", {}, make("span", {class: "residues"}, make("span", {class: name}, letters)), ` ${name}, ${mark}`));
  return make("ul", {class: "legend", "aria-label": "Colours of the residues"}, entries);
}
