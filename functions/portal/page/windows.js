// @ts-check
// Windows of long proteins: gate and score along each, the best windows that do not overlap, and GFF3 of them.

import {extent} from "d3-array";
import {scaleLinear} from "d3-scale";
import {apart} from "./chemistry.js";
import {save} from "./csv.js";
import {button, count, draw, make, plural} from "./dom.js";
import {frame, placeByKey, pointOf} from "./figure.js";
import {two} from "./numbers.js";
import {MARGINS, footAxis, sideAxis} from "./plot.js";

const NAME = /^(.*)\/(\d+)-(\d+)$/s;
const HEIGHT = 220, TOP = 10, BOTTOM = 40;
const MOST = 50; // proteins to choose from

/**
 * Return the windows of each protein, {start, end, score, gate}, by the ids that the service gives windows.
 * @param {any[]} rows
 * @returns {Map<string, any[]>}
 */
export function proteinsOf(rows) {
  const proteins = new Map();
  for (const row of rows) {
    const [, name, start, end] = NAME.exec(row.id ?? "") ?? [];
    if (!end) continue;
    const known = proteins.get(name) ?? proteins.set(name, []).get(name);
    known.push({start: Number(start), end: Number(end), score: row.score, gate: row.gate, sequence: row.sequence});
  }
  for (const each of proteins.values()) each.sort((a, b) => a.start - b.start);
  return proteins;
}

/**
 * Return GFF3 of proteins' windows, as docs/formats.md has positions: from 1, both ends included.
 * @param {Map<string, any[]>} proteins
 */
export function gff(proteins) {
  const safe = text => encodeURIComponent(text).replaceAll("%20", " ").replace(/ /g, "%20");
  const lines = [...proteins].flatMap(([name, windows]) => windows.map(({start, end, score, gate}) =>
    [safe(name), "assay", "polypeptide_region", start, end, score.toFixed(4), ".", ".",
      `ID=${safe(`${name}/${start}-${end}`)};gate=${gate.toFixed(4)}`].join("\t")));
  return `##gff-version 3\n${lines.map(line => `${line}\n`).join("")}`;
}

/** Show the profile of proteins whose windows were ranked; nothing if there were no windows. */
export function windowProfiles({rows, options}) {
  const proteins = options.window ? proteinsOf(rows) : new Map();
  if (!proteins.size) return null;
  const state = {windows: [], at: -1}, best = make("p", {class: "hint"});
  const plot = frame({title: "Along the protein", name: "windows", height: HEIGHT,
    paint: (picture, width) => paint(picture, state, width)});
  const names = [...proteins.keys()].slice(0, MOST);
  const choice = make("select", {"aria-label": "Protein"},
    names.map(name => make("option", {value: name}, name)));
  const put = () => {
    state.windows = proteins.get(choice.value);
    const five = apart(state.windows).slice(0, 5).map(({start, end, score}) => `${start}–${end} (${two(score)})`);
    best.textContent = `Best windows that do not overlap, with their scores: ${five.join(", ")}.`;
    plot.repaint();
  };
  choice.addEventListener("change", put);
  explore(plot, state);
  put();
  return make("div", {class: "profile"}, make("div", {class: "tools"},
    make("span", {class: "hint grow"}, `${plural(proteins.size, "protein")} in windows`), choice,
    button("GFF3", () => save("windows.gff3", "text/plain", gff(proteins)))), plot.node, best);
}

function paint(picture, state, width) {
  const {windows} = state;
  const middle = ({start, end}) => (start + end) / 2;
  const values = windows.flatMap(({score, gate}) => [score, gate]).filter(Number.isFinite);
  const [low, high] = extent([...values, 0]);
  const across = scaleLinear().domain([windows[0].start, windows.at(-1).end])
    .range([MARGINS.left, width - MARGINS.right]);
  const up = scaleLinear().domain([low, high === low ? low + 1 : high]).nice(4).range([HEIGHT - BOTTOM, TOP]);
  const path = key => windows.map((each, i) =>
    `${i ? "L" : "M"}${across(middle(each)).toFixed(1)} ${up(each[key]).toFixed(1)}`).join("");
  Object.assign(state, {across, up, middle});
  picture.setAttribute("aria-label", `Gate and score of ${count(windows.length)} windows. Arrow keys read them.`);
  picture.replaceChildren(...sideAxis(up, width, "score, gate", two),
    ...footAxis(across, width, ["middle of the window, residue"], HEIGHT - BOTTOM),
    draw("path", {class: "trace gate", d: path("gate")}), draw("path", {class: "trace score", d: path("score")}),
    ...["score", "gate"].map((key, i) => draw("text", {class: `tick name ${key}`, x: width - MARGINS.right,
      y: TOP + 10 + 14 * i, "text-anchor": "end"}, `${key === "score" ? "—" : "- -"} ${key}`)));
}

function explore({picture, tip}, state) {
  const show = spoken => {
    const each = state.windows[state.at];
    tip([`${each.start}–${each.end}`, `score ${two(each.score)}, gate ${two(each.gate)}`],
      state.across(state.middle(each)), state.up(each.score), spoken);
  };
  picture.addEventListener("pointermove", event => {
    const place = state.across.invert(pointOf(picture, event).x);
    state.at = state.windows.reduce((best, each, i) => Math.abs(state.middle(each) - place)
      < Math.abs(state.middle(state.windows[best]) - place) ? i : best, 0);
    show(false);
  });
  picture.addEventListener("keydown", event => {
    const next = placeByKey(event, state.at, state.windows.length);
    if (next === undefined) return;
    event.preventDefault();
    state.at = next;
    show(true);
  });
}
