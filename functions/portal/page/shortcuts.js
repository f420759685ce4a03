// @ts-check
// Keys: to the text box, from row to row, and what there is.

import {at, button, make} from "./dom.js";

const KEYS = [["Ctrl + Enter", "rank or classify, from the text box"],
  ["/", "go to the search of the result, or to the box"],
  ["j, k", "next and previous row of the result"], ["?", "this list"]];
const ROWS = ".result tbody tr, .result details.entry > summary";

/** Connect the keys. */
export function startShortcuts() {
  document.addEventListener("keydown", pressed);
  at("keys-open").addEventListener("click", showKeys);
}

function pressed(event) {
  if (event.defaultPrevented || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return sent(event);
  if (event.ctrlKey || event.metaKey || event.target.matches("input, textarea, select, [contenteditable]")) return;
  const task = {"/": toText, j: () => step(1), k: () => step(-1), "?": showKeys}[event.key];
  if (!task || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  task();
}

function sent(event) {
  if (event.target.tagName !== "TEXTAREA" || !event.target.form) return;
  event.preventDefault();
  const press = event.target.form.querySelector(".primary");
  if (!press.disabled) event.target.form.requestSubmit();
}

/** @returns {any} */
const panel = () => document.querySelector(".panel:not([hidden])");

function toText() {
  const field = panel().querySelector(".result input[type=search]") ?? panel().querySelector("textarea:not([hidden])");
  field?.focus();
}

function step(by) {
  const rows = [...panel().querySelectorAll(ROWS)];
  const here = rows.findIndex(row => row.contains(document.activeElement));
  const next = rows[Math.min(Math.max(here + by, 0), rows.length - 1)];
  const target = next?.matches("summary") ? next : next?.querySelector("button, a, input") ?? next;
  if (target && target.tabIndex < 0 && !target.hasAttribute("tabindex")) target.tabIndex = -1;
  target?.focus();
}

function showKeys() {
  const dialog = make("dialog", {"aria-labelledby": "keys-title"}, make("h2", {id: "keys-title"}, "Keys"),
    make("dl", {class: "keys"}, KEYS.flatMap(([key, words]) => [make("dt", {}, key), make("dd", {}, words)])),
    make("div", {class: "actions"}, button("Close", () => dialog.close(), "primary")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
