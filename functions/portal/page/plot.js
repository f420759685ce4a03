// @ts-check
// Histograms, drawn by hand as SVG: what passes is filled, what does not is hollow, the threshold is a line.

import {count, draw, make, plural} from "./dom.js";

const HEIGHT = 140, TOP = 24, BOTTOM = 24, SIDE = 34, RIGHT = 12;
/** Where the axis begins and ends, from the sides of the picture: a slider below it wants to know. */
export const MARGINS = {left: SIDE, right: RIGHT};

/** Make a histogram. Returns {node, span, put}: `put({passes, threshold})` says which values pass, and redraws. */
export function histogram(title, values, threshold) {
  const picture = draw("svg", {class: "plot", role: "img"});
  const state = {title, values, span: domain(values, threshold), width: 0, passes: [], threshold};
  const put = news => { Object.assign(state, news); if (state.width) repaintPlot(picture, state); };
  new ResizeObserver(([{contentRect}]) => put({width: Math.max(contentRect.width, 200)})).observe(picture);
  return {node: make("figure", {}, make("figcaption", {}, title), picture), span: state.span, put};
}

/** Return the ends and the step of an axis that holds values and threshold, in round numbers. */
export function domain(values, threshold) {
  const all = threshold === undefined ? values : [...values, threshold];
  let [low = 0] = all, high = low;
  for (const value of all) { low = Math.min(low, value); high = Math.max(high, value); }
  const step = round((high - low || 1) / 6);
  return {low: Math.floor(low / step) * step, high: Math.ceil(high / step + 1e-9) * step, step};
}

function round(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 5, 10].find(factor => factor * power >= step * 0.999);
}

/** Return the numbers of values in each bin, those that pass and those that do not. */
export function binned(values, passes, {low, high, step}) {
  const each = values.length > 400 ? 10 : values.length > 60 ? 5 : 4;
  const number = Math.max(1, Math.round((high - low) / step)) * each;
  const from = i => low + (high - low) * i / number;
  const bins = Array.from({length: number}, (_, i) => ({from: from(i), passed: 0, filtered: 0}));
  values.forEach((value, i) => {
    const place = Math.min(number - 1, Math.floor(share(value, {low, high}) * number));
    bins[place][passes[i] ? "passed" : "filtered"] += 1;
  });
  return bins;
}

function repaintPlot(picture, {title, values, passes, threshold, span, width}) {
  const bins = binned(values, passes, span);
  const most = Math.max(1, ...bins.map(({passed, filtered}) => passed + filtered));
  const across = value => SIDE + share(value, span) * (width - SIDE - RIGHT);
  const up = number => HEIGHT - BOTTOM - number / most * (HEIGHT - TOP - BOTTOM);
  picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  picture.setAttribute("aria-label", described(title, values, passes, threshold));
  picture.replaceChildren(...heights(most, up, width), ...bars(bins, span, across, up), ...axis(span, across, width),
    ...(threshold === undefined ? [] : mark(threshold, across)));
}

const share = (value, {low, high}) => Math.min(Math.max((value - low) / (high - low), 0), 1);

function heights(most, up, width) {
  const middle = Math.round(most / 2);
  return [...new Set([most, middle])].filter(Boolean).flatMap(number => [
    draw("line", {class: "grid", x1: SIDE, x2: width - RIGHT, y1: up(number), y2: up(number)}),
    draw("text", {class: "tick", x: SIDE - 6, y: up(number) + 4, "text-anchor": "end"}, count(number)),
  ]);
}

function bars(bins, {low, high}, across, up) {
  const wide = Math.max(1, across(low + (high - low) / bins.length) - across(low) - 1);
  return bins.filter(({passed, filtered}) => passed + filtered).map(({from, passed, filtered}) => draw("g", {},
    draw("title", {}, `from ${number(from)}: ${plural(passed, "sequence")} that pass, ${count(filtered)} that do not`),
    passed && bar("passed", across(from), wide, up(passed), up(0)),
    filtered && bar("filtered", across(from), wide, up(passed + filtered), up(passed))));
}

const bar = (name, x, width, top, bottom) =>
  draw("rect", {class: name, x: x + 0.5, width, y: top, height: Math.max(bottom - top, 0.5)});

function axis({low, high, step}, across, width) {
  const base = HEIGHT - BOTTOM, ticks = [];
  for (let i = 0; low + i * step <= high + step / 1e6; i += 1) ticks.push(low + i * step);
  return [draw("line", {class: "axis", x1: SIDE, x2: width - RIGHT, y1: base, y2: base}), ...ticks.map(tick =>
    draw("text", {class: "tick", x: across(tick), y: base + 16, "text-anchor": "middle"}, number(tick)))];
}

function mark(threshold, across) {
  const x = across(threshold);
  return [draw("line", {class: "threshold", x1: x, x2: x, y1: TOP - 6, y2: HEIGHT - BOTTOM}),
    draw("text", {class: "threshold", x, y: TOP - 9, "text-anchor": x < 2 * SIDE ? "start" : "middle"},
      `threshold ${number(threshold)}`)];
}

function described(title, values, passes, threshold) {
  if (!values.length) return `${title}: no values`;
  const order = [...values].sort((a, b) => a - b), passing = passes.filter(Boolean).length;
  const ends = `${number(order[0])} to ${number(order.at(-1))}, median ${number(order[order.length >> 1])}`;
  const line = threshold === undefined ? "" : `; threshold ${number(threshold)}`;
  return `${title}: ${plural(values.length, "value")} from ${ends}${line}; ${count(passing)} pass the gate`;
}

/** Write a value of an axis: at most three decimals. */
export const number = value => `${Number(value.toFixed(3))}`.replace("-", "−");
