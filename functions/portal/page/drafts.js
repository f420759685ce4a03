// @ts-check
// What is in the boxes, kept in this tab over a reload or a way through links; files too, as long as they are small.

import {at} from "./dom.js";
import {wells} from "./intake.js";

const NAME = "assay-drafts", TAB = "assay-tab", STORE = "files";
const MOST_TEXT = 1e6;  // characters of a box
const MOST_FILES = 20e6;  // bytes of a well's files
const LONGEST = 86_400_000;  // milliseconds after which files of a tab that is gone are let go

/** The wells that hold something newer than what was kept, by the ids of their text areas. */
const newer = new Set();

/** Put back what was in the boxes, and keep what is. Call it once the wells are there; ends when all is back. */
export async function startDrafts() {
  const texts = keptTexts();
  for (const [id, text] of Object.entries(texts)) if (wells[id] && !at(id).value) fill(id, text);
  for (const event of ["pagehide", "submit"]) addEventListener(event, keepTexts);
  document.addEventListener("held", (/** @type {any} */ {detail}) => {
    newer.add(detail);
    keepFiles(detail).catch(() => {});
  });
  document.addEventListener("input", (/** @type {any} */ {target}) => { newer.add(target.id); });
  await backFiles().catch(() => {});
}

function fill(id, text) {
  at(id).value = text;
  at(id).dispatchEvent(new Event("input", {bubbles: true}));
}

function keptTexts() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "{}");
  } catch {
    return {};
  }
}

function keepTexts() {
  const texts = Object.keys(wells).map(id => [id, at(id).value]).filter(([, text]) => text && text.length <= MOST_TEXT);
  try {
    sessionStorage.setItem(NAME, JSON.stringify(Object.fromEntries(texts)));
  } catch { /* a browser that keeps nothing loses nothing else */ }
}

/** Return the name of this tab, which no other has. */
function tab() {
  const name = sessionStorage.getItem(TAB) ?? crypto.getRandomValues(new Uint32Array(3)).join("-");
  sessionStorage.setItem(TAB, name);
  return name;
}

/** Do something with the store of files. @returns {Promise<any>} */
function stored(mode, task) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("assay", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result, work = database.transaction(STORE, mode);
      const asked = task(work.objectStore(STORE));
      work.oncomplete = () => { database.close(); resolve(asked?.result); };
      work.onerror = () => { database.close(); reject(work.error); };
    };
  });
}

async function keepFiles(id) {
  const {files} = wells[id], key = `${tab()} ${id}`;
  const small = files.reduce((sum, file) => sum + file.size, 0) <= MOST_FILES;
  if (files.length && small) await stored("readwrite", store => store.put({files, when: Date.now()}, key));
  else await stored("readwrite", store => store.delete(key));
}

async function backFiles() {
  const keys = await stored("readonly", store => store.getAllKeys());
  for (const key of keys) {
    const {files, when} = await stored("readonly", store => store.get(key));
    const id = Object.keys(wells).find(each => key === `${tab()} ${each}`);
    if (id && !newer.has(id)) wells[id].setAll(files);
    else if (!id && Date.now() - when > LONGEST) await stored("readwrite", store => store.delete(key));
  }
}
