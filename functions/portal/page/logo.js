// @ts-check
// A sequence logo and a heat map of positions: all sequences are equally long, so nothing must be aligned.

import {scaleLinear} from "d3-scale";
import {ORDER, information, profile} from "./chemistry.js";
import {draw, make} from "./dom.js";
import {frame, placeByKey, pointOf} from "./figure.js";
import {MARGINS, sideAxis} from "./plot.js";
import {classOf} from "./residues.js";

const HEIGHT = {logo: 190, map: 330}, TOP = 8, FOOT = 22;
const GLYPH = {width: 0.72, height: 0.72}; // of a bold capital, in units of its size
const LEAST = 0.02; // bits below which a letter is not drawn

/** Return {node, put} of both plots; `chosen()` gives {sequences, words} whenever they are drawn. */
export function positions(chosen) {
  const state = {shares: [], words: "", at: -1};
  const summary = make("summary", {}, "Sequence logo and heat map");
  const plots = [
    frame({title: "Sequence logo", name: "logo", height: HEIGHT.logo, paint: (...to) => logo(...to, state)}),
    frame({title: "Residues by position", name: "positions", height: HEIGHT.map,
      paint: (...to) => heatMap(...to, state)}),
  ];
  for (const plot of plots) explore(plot, state);
  const note = make("p", {class: "hint"});
  const node = make("details", {class: "positions"}, summary, note, plots.map(plot => plot.node));
  const put = () => {
    if (!node.open) return;
    const {sequences, words} = chosen();
    Object.assign(state, {shares: profile(sequences), words});
    note.textContent = `Of ${words}. Letters are as high as their position is conserved, in bits, without a `
      + "correction for few sequences.";
    for (const plot of plots) plot.repaint();
  };
  node.addEventListener("toggle", put);
  return {node, put};
}

function layout(state, width) {
  const wide = (width - MARGINS.left - MARGINS.right) / (state.shares.length || 1);
  state.wide = wide;
  return {wide, x: place => MARGINS.left + place * wide};
}

function foot({shares}, x, wide, base) {
  return shares.map((_, place) => place + 1).filter(number => number === 1 || number % 10 === 0).map(number =>
    draw("text", {class: "tick", x: x(number - 1) + wide / 2, y: base + 16, "text-anchor": "middle"}, number));
}

function logo(picture, width, state) {
  const {wide, x} = layout(state, width), base = HEIGHT.logo - FOOT;
  const up = scaleLinear().domain([0, Math.log2(20)]).range([base, TOP]);
  picture.setAttribute("aria-label", `Sequence logo of ${state.words}. Arrow keys read the positions.`);
  picture.replaceChildren(...sideAxis(up, width, "bits", String), ...foot(state, x, wide, base),
    ...state.shares.flatMap((shares, place) => stack(shares, x(place), wide, up)));
}

/** Draw the letters of a position, the most frequent on top. */
function stack(shares, left, wide, up) {
  const bits = information(shares);
  let low = 0;
  return Object.entries(shares).sort(([, a], [, b]) => a - b).flatMap(([letter, share]) => {
    const high = share * bits;
    if (high < LEAST) return [];
    const tall = up(low) - up(low + high), base = up(low);
    low += high;
    const scale = `scale(${(wide * 0.95 / GLYPH.width).toFixed(3)} ${(tall / GLYPH.height).toFixed(3)})`;
    return [draw("text", {class: `letter ${classOf(letter)}`, "text-anchor": "middle",
      transform: `translate(${(left + wide / 2).toFixed(1)} ${base.toFixed(1)}) ${scale}`}, letter)];
  });
}

function heatMap(picture, width, state) {
  const {wide, x} = layout(state, width), tall = (HEIGHT.map - TOP - FOOT) / ORDER.length;
  const cells = state.shares.flatMap((shares, place) => Object.entries(shares).map(([letter, share]) =>
    draw("rect", {class: "cell", x: x(place), y: TOP + ORDER.indexOf(letter) * tall, width: Math.max(wide - 0.5, 1),
      height: tall - 0.5, "fill-opacity": Math.max(share, 0.04).toFixed(3)})));
  const rows = [...ORDER].map((letter, i) => draw("text", {class: "tick", x: MARGINS.left - 8, "text-anchor": "end",
    y: TOP + i * tall + tall * 0.75}, letter));
  picture.setAttribute("aria-label", `Residues by position of ${state.words}. Arrow keys read the positions.`);
  picture.replaceChildren(...rows, ...cells, ...foot(state, x, wide, HEIGHT.map - FOOT));
}

function explore({picture, tip}, state) {
  const show = spoken => {
    const shares = Object.entries(state.shares[state.at]).sort(([, a], [, b]) => b - a).slice(0, 4);
    const words = shares.map(([letter, share]) => `${letter} ${Math.round(100 * share)}%`).join(" ");
    tip([`position ${state.at + 1}`, words], MARGINS.left + (state.at + 0.5) * state.wide, 40, spoken);
  };
  const over = event => {
    state.at = Math.floor((pointOf(picture, event).x - MARGINS.left) / state.wide);
    if (state.shares[state.at]) show(false);
    else tip(null);
  };
  picture.addEventListener("pointermove", over);
  picture.addEventListener("pointerdown", over);
  picture.addEventListener("keydown", event => {
    const next = placeByKey(event, state.at, state.shares.length);
    if (next === undefined) return;
    event.preventDefault();
    state.at = next;
    show(true);
  });
}
