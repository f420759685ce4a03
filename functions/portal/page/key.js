// @ts-check
// The API key: asked for once, kept for this tab, or on this computer where that is wanted.

import {at} from "./dom.js";

const NAME = "assay-api-key";
let asking = /** @type {Promise<boolean> | null} */(null);

/** Return the key, empty if there is none. */
export function apiKey() {
  return stored(sessionStorage) || stored(localStorage);
}

/** Ask for the key, saying why; true once there is one to try. */
export function askForKey(why) {
  asking ??= keyAsked(why).finally(() => { asking = null; });
  return asking;
}

function keyAsked(why) {
  const dialog = at("key-dialog");
  at("key-why").textContent = why;
  at("key").value = apiKey();
  at("key-keep").checked = Boolean(stored(localStorage));
  at("key-forget").hidden = !apiKey();
  dialog.returnValue = "cancel";
  dialog.showModal();
  at("key").select();
  return new Promise(resolve => {
    dialog.addEventListener("close", () => resolve(decided(dialog.returnValue)), {once: true});
  });
}

function decided(choice) {
  const key = at("key").value.trim();
  at("key").value = "";
  if (choice === "forget" || (choice === "use" && !key)) keep("", false);
  if (choice === "use" && key) keep(key, at("key-keep").checked);
  shownKey();
  return choice === "use" && Boolean(key);
}

function keep(key, lasting) {
  for (const store of [sessionStorage, localStorage]) store.removeItem(NAME);
  if (key) (lasting ? localStorage : sessionStorage).setItem(NAME, key);
}

function stored(store) {
  try {
    return store.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

/** Let the button at the top say whether there is a key. */
export function shownKey() {
  at("key-open").textContent = apiKey() ? "API key ✓" : "API key";
}

/** Connect the button at the top. */
export function startKey() {
  at("key-open").addEventListener("click", () =>
    askForKey("If this service requires an API key, it is sent with every request."));
  shownKey();
}
