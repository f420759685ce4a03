// @ts-check
// The frame of a plot: caption, tooltip by mouse, touch and keys, and the picture to save as SVG or PNG.

import {announce, button, draw, make} from "./dom.js";
import {save, saveBlob} from "./csv.js";

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-opacity",
  "font-family", "font-size", "font-weight", "text-anchor", "opacity", "paint-order"];
const DENSE = 2; // pixels of a PNG for each of the screen's

/**
 * Frame a plot. `paint(picture, width)` draws it at a width. Returns {node, picture, repaint, tip(text, x, y)}.
 * @param {{title: string, name: string, height: number, paint: (picture: any, width: number) => void, hint?: string,
 *   controls?: any[]}} parts
 */
export function frame({title, name, height, paint, hint = "", controls = []}) {
  const picture = draw("svg", {class: "plot", role: "group", tabindex: 0, "aria-label": title});
  picture.style.height = `${height}px`;
  const tip = make("div", {class: "tip", hidden: true, "aria-hidden": "true"});
  const tools = make("span", {class: "save"},
    button("SVG", () => saveSvg(picture, title, name)), button("PNG", () => savePng(picture, title, name)));
  for (const each of tools.children) each.setAttribute("aria-label", `${each.textContent} of ${title}`);
  const box = make("div", {class: "canvas"}, picture, tip);
  const node = make("figure", {}, make("figcaption", {}, make("span", {}, title), ...controls, tools), box,
    hint && make("p", {class: "hint"}, hint));
  const state = {width: 0};
  const early = event => { if (!state.width) event.stopImmediatePropagation(); };  // nothing is drawn to point at yet
  for (const kind of ["pointermove", "pointerdown", "keydown"]) picture.addEventListener(kind, early);
  const repaint = () => {
    if (!state.width) return;
    picture.setAttribute("viewBox", `0 0 ${state.width} ${height}`);
    paint(picture, state.width);
  };
  new ResizeObserver(([{contentRect}]) => {
    const width = Math.max(Math.round(contentRect.width), 200);
    if (width === state.width || !contentRect.width) return;
    state.width = width;
    repaint();
  }).observe(picture);
  return {node, picture, repaint, tip: placeTip(box, picture, tip)};
}

/** Return what shows a tooltip at a place of the picture, or hides it; `spoken` reads it out too. */
function placeTip(box, picture, tip) {
  const hide = () => { tip.hidden = true; };
  picture.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
  return (lines, x, y, spoken = false) => {
    tip.hidden = !lines;
    if (!lines) return;
    tip.replaceChildren(...lines.map(line => make("div", {}, line)));
    const room = box.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(x + 12, room))}px`;
    tip.style.top = `${Math.max(-8, y - tip.offsetHeight - 10)}px`;
    if (spoken) announce(`${lines.join(", ")}.`);
  };
}

/** Return where in a picture, in its units, an event of the pointer is. */
export function pointOf(picture, event) {
  const {left, top, width} = picture.getBoundingClientRect();
  const scale = picture.viewBox.baseVal.width / (width || 1);
  return {x: (event.clientX - left) * scale, y: (event.clientY - top) * scale};
}

/** Return the place among `size` that an arrow key, Home or End leads to from `at`; undefined for any other key. */
export function placeByKey({key}, at, size) {
  const next = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: size - 1}[key];
  return next === undefined || !size ? undefined : Math.min(Math.max(next, 0), size - 1);
}

/** Return a picture that stands alone: with its colours, a ground and a title. */
function standalone(picture, title) {
  const copy = picture.cloneNode(true), {width, height} = picture.viewBox.baseVal;
  const from = [picture, ...picture.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((each, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of KEPT) each.setAttribute(name, style.getPropertyValue(name));
    for (const name of ["class", "tabindex", "role", "style"]) each.removeAttribute(name);
  });
  for (const each of copy.querySelectorAll("[data-screen]")) each.remove();
  const ground = getComputedStyle(document.body).backgroundColor;
  copy.prepend(draw("title", {}, title), draw("rect", {width, height, fill: ground}));
  for (const [name, value] of Object.entries({width, height})) copy.setAttribute(name, value);
  return new XMLSerializer().serializeToString(copy);
}

function saveSvg(picture, title, name) {
  save(`${name}.svg`, "image/svg+xml", standalone(picture, title));
}

async function savePng(picture, title, name) {
  const {width, height} = picture.viewBox.baseVal;
  const address = URL.createObjectURL(new Blob([standalone(picture, title)], {type: "image/svg+xml"}));
  const image = new Image(width * DENSE, height * DENSE);
  image.src = address;
  await image.decode();
  const canvas = make("canvas", {width: width * DENSE, height: height * DENSE});
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  canvas.toBlob(blob => saveBlob(`${name}.png`, blob), "image/png");
}
