// @ts-check
// What people bring: text in a box, or a file chosen or dropped. One well serves a text area, a file input and drops.

import {announce, at, button, make, plural, size} from "./dom.js";

const LONG = 10_000, LONGER = 1e6;  // characters
const LINES = 100;  // browsers lay out all lines anew for each that they paste

/** The wells of the page, by the ids of their text areas. @type {Record<string, any>} */
export const wells = {};

/**
 * Connect a well; `taken(file)` may turn a file into something else by returning false. One of `many` takes several
 * files at once; another takes the first and says which it left. Returns its state.
 * @param {{well: string, text: string, input: string, chip: string, taken?: (file: File) => boolean,
 *   many?: boolean, changed?: () => void}} parts
 * @returns {any}
 */
export function intake({well, text, input, chip, taken = () => true, many = false, changed = () => {}}) {
  const state = {file: null, files: [], left: [], before: null, text: () => at(text).value};
  const hold = held => {
    Object.assign(state, {before: null, left: []}, held);
    shown(state, {text, input, chip});
    document.dispatchEvent(new CustomEvent("held", {detail: text}));
  };
  state.set = file => state.setAll(file ? [file] : []);
  state.setAll = (files, left = []) => { hold({file: files[0] ?? null, files, left}); changed(); };
  state.replace = (words, what = "The example") => {
    const before = {text: at(text).value, files: state.files, what};
    at(text).value = words;
    hold({file: null, files: [], before: before.text || before.files.length ? before : null});
    changed();
  };
  const take = brought => {
    const [file, ...left] = brought;
    if (!file || (many && left.length ? false : !taken(file))) return;
    if (many) state.setAll([file, ...left]);
    else state.setAll([file], left.map(({name}) => name));
    const words = `File ${file.name}, ${size(file.size)}.${leftOut(state)}`;
    announce(many && left.length ? `${brought.length} files.` : words);
  };
  at(input).addEventListener("change", () => take([...at(input).files]));
  at(text).addEventListener("input", () => { if (state.before) hold({file: null, files: []}); changed(); });
  at(text).addEventListener("paste", event => pasteQuickly(event, at(text), take));
  acceptDrops(at(well), take);
  wells[text] = state;
  return state;
}

const leftOut = ({left}) => left.length
  ? ` Not taken: ${left.join(", ")}. One file at a time is ranked: join them, or rank them one after the other.` : "";

/** Show what a well holds in place of its text, or how to have back what an example has replaced. */
function shown(state, {text, input, chip}) {
  const {files, before} = state;
  if (!files.length) at(input).value = "";
  at(text).hidden = Boolean(files.length);
  at(chip).hidden = !files.length && !before;
  const empty = () => { state.set(null); at(text).focus(); };
  const remove = button(files.length > 1 ? "Remove all" : "Remove", empty, "link");
  const back = button("Undo", () => {
    at(text).value = before.text;
    state.setAll(before.files);
    announce("What was there before is back.");
  }, "link");
  const named = files.map(file => make("span", {class: "held"}, make("strong", {}, file.name), ` ${size(file.size)} `));
  at(chip).replaceChildren(...(files.length ? [...named, remove, make("span", {class: "hint"}, leftOut(state))]
    : before ? [`${before.what} took the place of what was here. `, back] : []));
}

/** Browsers paste thousands of lines in minutes; set as a value they are there at once, and very many are a file. */
function pasteQuickly(event, area, take) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (text.length < LONG && text.split("\n").length < LINES) return;
  event.preventDefault();
  if (text.length > LONGER) return take([pasted(text)]);
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", {bubbles: true}));
}

/** Return a text as a file, named after the form that a glance sees in it. */
export function pasted(text) {
  const form = /\w+$/.exec(glance(text.slice(0, 1e5)))?.[0];
  return new File([text], {FASTA: "pasted.fasta", CSV: "pasted.csv"}[form] ?? "pasted.txt", {type: ""});
}

/** Take what is dropped anywhere on the page while the well is to be seen; nothing dropped replaces the page. */
function acceptDrops(well, take) {
  let depth = 0;
  const mark = step => { depth = step ? depth + step : 0; well.classList.toggle("over", depth > 0); };
  const steps = {dragenter: () => mark(1), dragleave: () => mark(-1), dragover: () => {},
    drop: event => { mark(0); take([...event.dataTransfer.files]); }};
  for (const [name, step] of Object.entries(steps))
    document.addEventListener(name, (/** @type {any} */ event) => {
      if (!event.dataTransfer?.types.includes("Files") || well.closest("[hidden]")) return;
      event.preventDefault();
      step(event);
    });
}

/** Say under the form what it lacks, and bring people there; without a message take that back. */
export function complain(field, place, message = "") {
  const others = (at(field).getAttribute("aria-describedby") ?? "").split(" ").filter(id => id && id !== place);
  at(place).hidden = !message;
  at(place).textContent = message;
  at(field).setAttribute("aria-invalid", Boolean(message));
  at(field).setAttribute("aria-describedby", [...(message ? [place] : []), ...others].join(" "));
  if (!message) return;
  announce(message);
  at(field).focus();
}

/** Return in words what a text holds, by a glance at it: the service reads it properly. */
export function glance(text) {
  const lines = text.split(/\r\n|\r|\n/).filter(line => line.trim());
  if (!lines.length) return "";
  if (lines[0].startsWith(">")) return `${plural(lines.filter(line => line.startsWith(">")).length, "record")}, FASTA`;
  return /[,\t]/.test(lines[0]) ? `${plural(lines.length - 1, "record")}, CSV` : plural(lines.length, "line");
}
