// @ts-check
// Histograms: what passes is filled, what does not is hollow, the threshold is a line that can be dragged.

import {bin, extent, quantileSorted} from "d3-array";
import {scaleLinear} from "d3-scale";
import {count, draw, plural} from "./dom.js";
import {frame, placeByKey, pointOf} from "./figure.js";
import {number} from "./numbers.js";

const HEIGHT = 190, TOP = 22, BOTTOM = 40;
const LETTER = 6; // pixels of an axis title's letter, about
/** Where the axis begins and ends, from the sides of the picture: a slider below it wants to know. */
export const MARGINS = {left: 52, right: 12};

/**
 * Make a histogram of values. Returns {node, span, put}: `put({passes, threshold})` says which values pass, and
 * redraws. `axis` names the values and their unit, in many words and in few; with `moved(threshold)` the line can be
 * dragged. `whole` has the counts of all that was scored, {width, low, counts}, where the values are not all.
 * @param {{title: string, name: string, axis: string[], values: number[],
 *   moved?: (threshold: number) => void, whole?: any, gated?: boolean}} parts
 */
export function histogram({title, name, axis, values, moved, whole, gated = false}) {
  const [low = 0, high = 1] = whole ? endsOf(whole) : extent(values);
  const scale = scaleLinear().domain(low === high ? [low - 0.5, high + 0.5] : [low, high]).nice(6);
  const bins = whole ? counted(whole) : binned(values, scale);
  const state = {title, axis, scale, bins, values, whole, gated, passes: [], threshold: undefined, moved, at: -1};
  const plot = frame({title, name, height: HEIGHT, paint: (picture, width) => paint(picture, state, width)});
  explore(plot, state);
  if (moved) drag(plot, state, moved);
  return {
    node: plot.node, span: {low: scale.domain()[0], high: scale.domain()[1]},
    put: news => { Object.assign(state, news); tally(state); plot.repaint(); },
  };
}

/** Return bins {from, to, places} of values, by their places. */
export function binned(values, scale) {
  const [low, high] = scale.domain(), many = values.length > 400 ? 60 : values.length > 60 ? 30 : 20;
  const cut = bin().domain([low, high]).thresholds(scale.ticks(many)).value(place => values[place]);
  return cut(values.map((_, place) => place))
    .map(each => ({from: each.x0 ?? low, to: each.x1 ?? high, places: [...each], passed: 0, filtered: 0}))
    .filter(({from, to}) => from < to || from < high);
}

/** Return bins of the counts that the service gives of all that was scored. */
function counted({width, low, counts}) {
  return counts.map((total, i) =>
    ({from: (low + i) * width, to: (low + i + 1) * width, total, passed: 0, filtered: 0}));
}

const endsOf = ({width, low, counts}) => [low * width, (low + counts.length) * width];

/** Count what passes in each bin; of the service's own counts a gate's bin passes by its place, a score's always. */
function tally({bins, passes, whole, gated, threshold}) {
  if (whole) {
    for (const each of bins) {
      each.passed = !gated || each.from >= threshold - 1e-9 ? each.total : 0;
      each.filtered = each.total - each.passed;
    }
    return;
  }
  for (const each of bins) {
    each.passed = each.places.filter(place => passes[place]).length;
    each.filtered = each.places.length - each.passed;
  }
}

function paint(picture, state, width) {
  const {bins, scale, threshold} = state;
  const most = Math.max(1, ...bins.map(({passed, filtered}) => passed + filtered));
  const across = scale.copy().range([MARGINS.left, width - MARGINS.right]);
  const up = scaleLinear().domain([0, most]).nice(3).range([HEIGHT - BOTTOM, TOP]);
  Object.assign(state, {across, up, width});
  picture.setAttribute("aria-label", described(state));
  picture.replaceChildren(...sideAxis(up, width, "sequences"), ...bins.flatMap(each => bars(each, across, up)),
    ...footAxis(across, width, state.axis, HEIGHT - BOTTOM),
    ...(threshold === undefined ? [] : thresholdLine(state, [TOP - 6, HEIGHT - BOTTOM])));
}

/** Write a count of an axis, where 10,000 and more have no room for their digits. */
const brief = tick => tick < 10_000 ? count(tick) : tick.toLocaleString("en", {notation: "compact"});

/** Draw the axis at the left, with lines across. */
export function sideAxis(up, width, title, label = brief) {
  const ticks = up.ticks(4).filter(tick => label !== brief || Number.isInteger(tick));
  const [bottom, top] = up.range();
  return [...ticks.flatMap(tick => [
    draw("line", {class: "grid", x1: MARGINS.left, x2: width - MARGINS.right, y1: up(tick), y2: up(tick)}),
    draw("text", {class: "tick", x: MARGINS.left - 6, y: up(tick) + 4, "text-anchor": "end"}, label(tick)),
  ]), draw("text", {class: "tick title", "text-anchor": "middle",
    transform: `translate(9 ${(bottom + top) / 2}) rotate(-90)`}, title)];
}

/** Draw the axis at the foot, `base` pixels down. */
export function footAxis(across, width, titles, base) {
  const ticks = across.ticks(Math.max(3, Math.min(8, width / 55)));
  return [draw("line", {class: "axis", x1: MARGINS.left, x2: width - MARGINS.right, y1: base, y2: base}),
    ...ticks.map(tick => draw("text", {class: "tick", x: across(tick), y: base + 15, "text-anchor": "middle"},
      number(tick))),
    draw("text", {class: "tick title", x: (MARGINS.left + width - MARGINS.right) / 2, y: base + 33,
      "text-anchor": "middle"}, fitting(titles, width - MARGINS.left))];
}

/** Return the longest of titles, the longest first, that fits. */
const fitting = (titles, width) => titles.find(title => title.length * LETTER < width) ?? titles.at(-1);

function bars({from, to, passed, filtered}, across, up) {
  if (!passed && !filtered) return [];
  const x = across(from) + 0.5, width = Math.max(1, across(to) - across(from) - 1);
  const bar = (name, low, high) => draw("rect", {class: name, x, width, y: up(high),
    height: Math.max(up(low) - up(high), 0.5)});
  return [passed && bar("passed", 0, passed), filtered && bar("filtered", passed, passed + filtered)].filter(Boolean);
}

/** Draw the threshold; where it lies beyond the axis, an arrow at the edge that says so. */
export function thresholdLine({across, threshold, width, moved}, [top, bottom]) {
  const [low, high] = across.domain(), words = `threshold ${number(threshold)}`;
  const label = (x, anchor, text) => draw("text", {class: "threshold", x, y: top - 4, "text-anchor": anchor}, text);
  if (threshold < low) return [label(MARGINS.left, "start", `← ${words}`)];
  if (threshold > high) return [label(width - MARGINS.right, "end", `${words} →`)];
  const x = across(threshold), wide = 45;
  const anchor = x < MARGINS.left + wide ? "start" : x > width - MARGINS.right - wide ? "end" : "middle";
  const line = draw("line", {class: "threshold", x1: x, x2: x, y1: top, y2: bottom});
  const grip = moved && draw("line", {class: "grip", "data-screen": "", x1: x, x2: x, y1: top, y2: bottom});
  return [line, label(x, anchor, words), grip].filter(Boolean);
}

/** Let the line be dragged; what is beyond the axis is held at its end. */
export function drag({picture}, state, moved) {
  const place = event => {
    const [low, high] = state.across.domain();
    const value = Math.min(high, Math.max(low, state.across.invert(pointOf(picture, event).x)));
    moved(Number(value.toFixed(high - low > 0.1 ? 2 : 4)));
  };
  let held = false;
  picture.addEventListener("pointerdown", event => {
    if (!event.target.classList.contains("grip")) return;
    event.preventDefault();
    held = true;
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", event => { if (held) place(event); });
  for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, () => { held = false; });
}

function explore({picture, tip}, state) {
  const show = (spoken = false) => {
    const {from, to, passed, filtered} = state.bins[state.at];
    tip([`${number(from)} to ${number(to)}`, `${count(passed)} pass, ${count(filtered)} do not`],
      state.across((from + to) / 2), state.up(passed + filtered), spoken);
  };
  const over = event => {
    const value = state.across.invert(pointOf(picture, event).x);
    state.at = state.bins.findIndex(({from, to}) => from <= value && value < to);
    if (state.at >= 0) show();
    else tip(null);
  };
  picture.addEventListener("pointermove", over);
  picture.addEventListener("pointerdown", over);
  picture.addEventListener("keydown", event => {
    const next = placeByKey(event, state.at, state.bins.length);
    if (next === undefined) return;
    event.preventDefault();
    state.at = next;
    show(true);
  });
}

function described({title, values, passes, threshold, whole, bins}) {
  if (whole) {
    const total = bins.reduce((sum, each) => sum + each.total, 0);
    return `${title}: ${count(total)} values; threshold ${number(threshold ?? NaN)}. Arrow keys read the bars.`
      .replace("; threshold NaN", "");
  }
  if (!values.length) return `${title}: no values`;
  const order = [...Float64Array.from(values).sort()];
  const ends = `${number(order[0])} to ${number(order.at(-1))}, median ${number(quantileSorted(order, 0.5))}`;
  const line = threshold === undefined ? "" : `; threshold ${number(threshold)}`;
  const pass = count(passes.filter(Boolean).length);
  return `${title}: ${plural(values.length, "value")} from ${ends}${line}; ${pass} pass the gate. `
    + "Arrow keys read the bars.";
}
