// @ts-check
// Gate against score, a point for each sequence: dragging over points selects them in the table.

import {extent} from "d3-array";
import {quadtree} from "d3-quadtree";
import {scaleLinear} from "d3-scale";
import {count, draw, plural} from "./dom.js";
import {frame, placeByKey, pointOf} from "./figure.js";
import {number, two} from "./numbers.js";
import {MARGINS, drag, footAxis, sideAxis, thresholdLine} from "./plot.js";

const HEIGHT = 300, TOP = 22, BOTTOM = 40;
const NEAR = 24; // pixels within which a point is meant
const LEAST = 5; // pixels that a drag must go to be one

/**
 * Make the plot. Returns {node, put({passes, threshold, chosen})}; `chosen` is a set of keys.
 * @param {{title: string, rows: any[], axes: {gate: string[], score: string},
 *   key: (row: any) => string, named: (row: any) => string,
 *   brushed: (rows: any[]) => void, opened: (row: any) => void, moved?: (threshold: number) => void}} parts
 */
export function scatter({title, rows, axes, key, named, brushed, opened, moved}) {
  const state = {rows, axes, key, named, passes: [], chosen: new Set(), threshold: 0, moved, at: -1, area: null};
  state.x = scaleLinear().domain(widened(extent(rows, ({gate}) => gate))).nice(6);
  state.y = scaleLinear().domain(widened(extent(rows, ({score}) => score))).nice(5);
  const plot = frame({title, name: "gate-score", height: HEIGHT,
    hint: "Drag over points to select their rows. Arrow keys go from point to point; Enter opens one.",
    paint: (picture, width) => paint(picture, state, width)});
  explore(plot, state, opened);
  brush(plot, state, brushed, opened);
  if (moved) drag(plot, state, moved);
  return {node: plot.node, put: news => { Object.assign(state, news); plot.repaint(); }};
}

const widened = ([low = 0, high = 1]) => low === high ? [low - 0.5, high + 0.5] : [low, high];

function paint(picture, state, width) {
  const {rows, passes, chosen, key} = state;
  const across = state.x.copy().range([MARGINS.left, width - MARGINS.right]);
  const up = state.y.copy().range([HEIGHT - BOTTOM, TOP]);
  const tree = state.width === width ? state.tree
    : /** @type {any} */(quadtree()).x(i => across(rows[i].gate)).y(i => up(rows[i].score))
      .addAll(rows.map((_, i) => i));
  Object.assign(state, {across, up, width, tree});
  const points = test => rows.filter((row, i) => test(row, i))
    .map(({gate, score}) => `M${across(gate).toFixed(1)} ${up(score).toFixed(1)}h0`).join("");
  const size = rows.length > 3000 ? 3 : rows.length > 500 ? 4 : 6;
  const cloud = (name, test, wide) => draw("path", {class: name, d: points(test), "stroke-width": wide});
  picture.setAttribute("aria-label", described(state));
  picture.replaceChildren(...sideAxis(up, width, state.axes.score, number),
    ...footAxis(across, width, state.axes.gate, HEIGHT - BOTTOM),
    cloud("points filtered", (_, i) => !passes[i], size), cloud("points passed", (_, i) => passes[i], size),
    cloud("points chosen", row => chosen.has(key(row)), size + 3),
    ...thresholdLine(state, [TOP - 6, HEIGHT - BOTTOM]), ...mark(state), ...area(state));
}

function mark({at, rows, across, up}) {
  if (at < 0) return [];
  return [draw("circle", {class: "mark", "data-screen": "", cx: across(rows[at].gate), cy: up(rows[at].score), r: 7})];
}

function area({area: found}) {
  if (!found) return [];
  const {x0, x1, y0, y1} = found;
  return [draw("rect", {class: "brush", "data-screen": "", x: Math.min(x0, x1), y: Math.min(y0, y1),
    width: Math.abs(x1 - x0), height: Math.abs(y1 - y0)})];
}

function explore(plot, state, opened) {
  const {picture, tip} = plot;
  const show = spoken => {
    const row = state.rows[state.at];
    tip([state.named(row), `score ${two(row.score)}, gate ${two(row.gate)}`,
      state.passes[state.at] ? "passes" : "does not pass"], state.across(row.gate), state.up(row.score), spoken);
  };
  const at = place => {
    if (place === state.at) return;
    state.at = place;
    plot.repaint();
  };
  picture.addEventListener("pointermove", event => {
    if (!event.movementX && !event.movementY) return; // the page moved, not the pointer
    const {x, y} = pointOf(picture, event);
    at(state.area ? -1 : state.tree.find(x, y, NEAR) ?? -1);
    if (state.at < 0) tip(null);
    else show(false);
  });
  picture.addEventListener("pointerleave", () => { if (document.activeElement !== picture) at(-1); });
  picture.addEventListener("keydown", event => {
    const next = placeByKey(event, state.at, state.rows.length);
    if (next === undefined && event.key !== "Enter") return;
    event.preventDefault(); // Enter would press a button of what it opens
    if (event.key === "Enter") return state.at >= 0 && opened(state.rows[state.at]);
    at(next);
    show(true);
  });
}

/** A rectangle that is dragged selects what lies in it; a press on a point opens it. */
function brush(plot, state, brushed, opened) {
  const {picture} = plot;
  let held = /** @type {{x0: number, x1: number, y0: number, y1: number} | null} */(null);
  picture.addEventListener("pointerdown", event => {
    if (event.button || event.target.classList.contains("grip") || event.pointerType === "touch") return;
    const {x, y} = pointOf(picture, event);
    held = {x0: x, y0: y, x1: x, y1: y};
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", event => {
    if (!held) return;
    const {x, y} = pointOf(picture, event);
    Object.assign(held, {x1: x, y1: y});
    state.area = far(held) ? held : null;
    plot.repaint();
  });
  picture.addEventListener("pointerup", event => {
    const found = held ?? (event.pointerType === "touch" ? {x0: 0, x1: 0, y0: 0, y1: 0} : null);
    held = state.area = null;
    if (!found) return;
    if (far(found)) brushed(within(state, found));
    else if (state.at >= 0) opened(state.rows[state.at]);
    plot.repaint();
  });
}

const far = ({x0, x1, y0, y1}) => Math.hypot(x1 - x0, y1 - y0) >= LEAST;

function within({rows, passes, across, up}, {x0, x1, y0, y1}) {
  const between = (value, a, b) => Math.min(a, b) <= value && value <= Math.max(a, b);
  return rows.filter((row, i) => passes[i] && between(across(row.gate), x0, x1) && between(up(row.score), y0, y1));
}

function described({rows, passes, chosen}) {
  const picked = chosen.size ? `, ${count(chosen.size)} selected` : "";
  return `Gate against score: ${plural(rows.length, "sequence")}, ${count(passes.filter(Boolean).length)} pass the gate`
    + `${picked}. Arrow keys go from point to point.`;
}
