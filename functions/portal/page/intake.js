// @ts-check
// What people bring: text in a box, or a file chosen or dropped. One well serves a text area, a file input and drops.

import {announce, at, button, make, plural, size} from "./dom.js";

const LONG = 10_000, LONGER = 1e6;  // characters

/**
 * Connect a well; `taken(file)` may turn a file into something else by returning false. Returns its state.
 * @param {{well: string, text: string, input: string, chip: string, taken?: (file: File) => boolean,
 *   changed?: () => void}} parts
 * @returns {any}
 */
export function intake({well, text, input, chip, taken = () => true, changed = () => {}}) {
  const state = {file: null, text: () => at(text).value};
  state.set = file => { hold(state, file, {text, input, chip}); changed(); };
  const take = file => {
    if (!file || !taken(file)) return;
    state.set(file);
    announce(`File ${file.name}, ${size(file.size)}.`);
  };
  at(input).addEventListener("change", () => take(at(input).files[0]));
  at(text).addEventListener("input", changed);
  at(text).addEventListener("paste", event => pasteQuickly(event, at(text), take));
  acceptDrops(at(well), take);
  return state;
}

function hold(state, file, {text, input, chip}) {
  state.file = file;
  if (!file) at(input).value = "";
  at(text).hidden = Boolean(file);
  at(chip).hidden = !file;
  const remove = button("Remove", () => { state.set(null); at(text).focus(); }, "link");
  at(chip).replaceChildren(...(file ? [make("strong", {}, file.name), ` ${size(file.size)} `, remove] : []));
}

/** Browsers paste thousands of lines in minutes; set as a value they are there at once, and very many are a file. */
function pasteQuickly(event, area, take) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (text.length < LONG) return;
  event.preventDefault();
  if (text.length > LONGER) return take(pasted(text));
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
    drop: event => { mark(0); take(event.dataTransfer.files[0]); }};
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
