// @ts-check
// Two tabs; arrows move between them, and the address remembers which. A link leads past the head to them.

import {at} from "./dom.js";

const NAMES = ["rank", "classify"];

/** Connect the tabs and open the one that the address names. */
export function startTabs() {
  for (const name of NAMES) {
    at(`tab-${name}`).addEventListener("click", () => { openTab(name); remember(name); });
    at(`tab-${name}`).addEventListener("keydown", move);
  }
  const named = () => openTab(NAMES.find(name => location.hash.slice(1).split("=")[0] === name) ?? NAMES[0]);
  addEventListener("popstate", named);
  named();
}

/** Open a tab by its name. */
export function openTab(name) {
  for (const each of NAMES) {
    const chosen = each === name;
    at(`tab-${each}`).setAttribute("aria-selected", chosen);
    at(`tab-${each}`).tabIndex = chosen ? 0 : -1;
    at(`panel-${each}`).hidden = !chosen;
  }
}

/** Let the skip link move the focus and leave the address alone, which says what is open. */
export function startSkip() {
  at("skip").addEventListener("click", event => {
    event.preventDefault();
    at("content").focus();
  });
}

function remember(name) {
  const address = new URL(location.href);
  address.hash = name === NAMES[0] ? "" : name;
  history.replaceState(history.state, "", address);
}

function move(event) {
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
  if (!step) return;
  const here = NAMES.findIndex(name => event.currentTarget.id === `tab-${name}`);
  const next = NAMES[(here + step + NAMES.length) % NAMES.length];
  openTab(next);
  remember(next);
  at(`tab-${next}`).focus();
}
