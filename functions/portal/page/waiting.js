// @ts-check
// What stands in a result's place while it is awaited: since when, over a calm placeholder. Nothing moves meanwhile.

import {make} from "./dom.js";

const BARS = [["title", 1], ["text", 1], ["picture", 1], ["row", 6]];

/** Say how long something took so far, in seconds; nothing in the first. */
export const elapsed = milliseconds => milliseconds < 1000 ? "" : `${Math.floor(milliseconds / 1000)} s`;

/** Return {node, say(words)} for a pane that waits. As high as what stands there now: the page keeps its place. */
export function waiting(pane, words) {
  const began = performance.now(), said = make("span", {}, words);
  const time = make("span", {class: "elapsed", "aria-hidden": "true"});
  const bars = BARS.flatMap(([kind, many]) => Array.from({length: Number(many)}, () => make("i", {class: kind})));
  const node = make("div", {class: "waiting"}, make("p", {class: "hint"}, said, " ", time),
    make("div", {class: "placeholder", "aria-hidden": "true"}, bars));
  node.style.minHeight = `${pane.offsetHeight}px`;
  const clock = setInterval(() => {
    if (!node.isConnected) return clearInterval(clock);
    time.textContent = elapsed(performance.now() - began);
  }, 1000);
  return {node, say: text => { said.textContent = text; }};
}
