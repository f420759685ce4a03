// @ts-check
// The form that classifies: text, a PDF whose abstract is found, shown, and may be corrected, or a file of many.

import {EXAMPLE_ABSTRACT} from "./examples.js";
import {several} from "./batch.js";
import {HOLDS_MANY, contentsOf, textOf} from "./contents.js";
import {announce, at, button, count, make, show, size} from "./dom.js";
import {complain, intake} from "./intake.js";
import {addressed, upload} from "./jobs.js";
import {classification} from "./labels.js";
import {noticeList} from "./notices.js";
import {problem} from "./problems.js";
import {Refusal, ask, post, whole} from "./service.js";

const MOST_PDF = 4.4e6;  // bytes; the gateway takes 4.5 MB
const MOST_TEXT = 1.5e6;  // bytes of as many abstracts as a request takes
const BEGINNING = 65_536;  // bytes by which the service judges a file
const EACH = ["no_label", "truncated"];  // notices that each abstract says of itself
const MOST_TEXTS = 64;
const SURE = 0.7;  // the confidence from which a PDF's text need not be doubted
const PASSAGE = 160;  // characters of a passage
const BETWEEN = /^[ \t]*-{3,}[ \t]*$/m;
const FOUND = {
  heading: "the text under its heading",
  inline: "the text that its heading begins",
  layout: "no heading; the paragraph that stands apart",
  first_page: "no abstract found; the first paragraphs",
};
const desk = {well: null, brought: null, serving: "", thresholds: {}, running: null};

/** Connect the form. */
export function startClassify() {
  desk.well = intake({well: "classify-well", text: "abstract", input: "abstract-file", chip: "classify-file",
    taken, changed: measured});
  at("classify").addEventListener("submit", event => { event.preventDefault(); classify(); });
  at("classify-clear").addEventListener("click", reset);
  at("example-abstract").addEventListener("click", () => {
    put(EXAMPLE_ABSTRACT);
    classify();
  });
}

/** Say which model serves, and the thresholds of each model's labels. */
export function classifyModels(serving, thresholds) {
  Object.assign(desk, {serving, thresholds});
}

/** Look at a file that is brought: a plain text is put into the box, all else is kept to be sent as it is. */
function taken(file) {
  desk.brought = file;
  sortOut(file).catch(error => complain("abstract", "classify-error", error.message));
  return false;
}

async function sortOut(file) {
  const kind = await contentsOf(file);
  const text = kind === "text" && file.size <= MOST_TEXT ? await textOf(file) : "";
  if (desk.brought !== file) return;
  if (kind !== "text") {
    desk.well.set(file);
    return announce(`File ${file.name}, ${size(file.size)}.`);
  }
  if (file.size > MOST_TEXT) throw new Refusal(`${file.name} has ${size(file.size)}. At most ${MOST_TEXTS} abstracts `
    + "fit in a text. Send more as a table (CSV, TSV, Excel) or as JSON, one abstract a row.");
  if (text === null) throw new Refusal(`${file.name} is not UTF-8: save it as UTF-8, or paste its text.`);
  put(text);
}

function put(text) {
  desk.brought = null;
  desk.well.set(null);
  at("abstract").value = text;
  measured();
}

function measured() {
  const {length} = at("abstract").value;
  at("abstract-count").textContent = length && !desk.well.file ? `${count(length)} characters` : "";
  complain("abstract", "classify-error");
}

function reset() {
  desk.running?.abort();
  desk.brought = null;
  addressed("");
  at("abstract").value = "";
  desk.well.set(null);
  at("classify-result").replaceChildren();
  at("abstract").focus();
}

async function classify() {
  const {file} = desk.well, texts = parts(desk.well.text());
  if (!file && !texts.length) return complain("abstract", "classify-error", "Paste an abstract or choose a file.");
  desk.running?.abort();
  const work = desk.running = new AbortController();
  occupied(true);
  try {
    const found = await (file ? ofFile(file, work.signal) : ofTexts(texts, work.signal));
    if (found) answered(found, file, texts);
  } catch (error) {
    if (error.name !== "AbortError")
      show(at("classify-result"), problem(error, "The abstract could not be classified"));
  }
  if (work === desk.running) occupied(false);
}

const parts = text => text.split(BETWEEN).map(part => part.trim()).filter(Boolean);

function occupied(on) {
  const pressed = at("classify").querySelector(".primary");
  pressed.disabled = on;
  pressed.textContent = on ? "Classifying …" : "Classify";
  at("classify-result").setAttribute("aria-busy", on);
}

function route() {
  const chosen = at("classifier").value;
  return chosen && chosen !== desk.serving ? `models/${encodeURIComponent(chosen)}/classify` : "classify";
}

async function ofTexts(texts, signal) {
  if (texts.length > MOST_TEXTS)
    throw new Refusal(`These are ${texts.length} abstracts. A request takes ${MOST_TEXTS}.`, {code: "too_many"});
  return whole(await post(route(), texts.length > 1 ? {abstracts: texts} : {abstract: texts[0]}, {signal}));
}

/** Return the answer to a file; null where it became a job, which is shown by itself. */
async function ofFile(file, signal) {
  const pdf = await contentsOf(file) === "pdf";
  if (pdf && file.size > MOST_PDF)
    throw new Refusal(`${file.name} has ${size(file.size)}. A request takes ${size(MOST_PDF)}. Paste the abstract.`);
  if (pdf) return sentFile(new File([file], file.name, {type: "application/pdf"}), signal);
  if (file.size > MOST_PDF) return ofJob(file, signal);
  return sentFile(untyped(file), signal).catch(error => {
    if (error.code !== "too_large") throw error;
    return ofJob(file, signal);
  });
}

async function sentFile(file, signal) {
  const body = new FormData();
  body.append("input_file", file);
  return whole(await ask(route(), {method: "POST", body, signal}));
}

async function ofJob(file, signal) {
  if (route() !== "classify")
    throw new Refusal(`Only ${desk.serving} classifies a file of so many abstracts. Choose it under Model.`);
  if (!HOLDS_MANY.test(file.name)) await sentFile(untyped(file, BEGINNING), signal).catch(hopeless);
  await upload(at("classify-result"), file, {}, signal, "classify");
  return null;
}

/** Return a file, or its beginning, without the type that a browser guesses: the service looks itself. */
const untyped = (file, most = file.size) => new File([file.slice(0, most)], file.name, {type: ""});

/** Throw what the service says of a file's beginning where that is no form that it reads. */
function hopeless(error) {
  if (error.name === "AbortError" || error.details?.found) throw error;
}

function answered({model, results, notices = []}, file, texts) {
  const limits = desk.thresholds[model.name] ?? {};
  const [{source}] = results;
  if (source) extracted(source, file);
  const nodes = results.length > 1
    ? several(results, file ? results.map(({id}) => id ?? "") : texts, limits, model)
    : [classification(results[0], limits, model)];
  show(at("classify-result"), source ? origin(source, file) : "", source ? passages(source, file) : "",
    noticeList(notices.filter(({code}) => !EACH.includes(code))) ?? "", ...nodes);
  announce(results.length > 1 ? `${results.length} abstracts classified.` : spoken(results[0]));
}

function spoken({labels}) {
  return labels.length ? `Labels: ${labels.map(({label}) => label).join(", ")}.` : "No label reaches its threshold.";
}

/** Put the text that was taken from a PDF where it can be corrected. */
function extracted({text}, file) {
  if (text && desk.well.file === file) put(text);
}

function origin({found_by, pages, page, confidence = 1}, file) {
  const where = pages > 1 ? `on page ${count(page)} of ${count(pages)} ` : "";
  const name = make("strong", {}, file.name);
  const unsure = confidence < SURE ? "Is it the abstract? " : "";
  return make("p", {class: "notice"}, "From ", name, `: ${where}${FOUND[found_by] ?? "its text"}. ${unsure}`
    + "Correct it in the box and classify again.");
}

/** Offer what else in a PDF might be its abstract; a passage that is chosen is classified. */
function passages({candidates = [], confidence = 1}, file) {
  const rest = candidates.slice(1);
  if (!rest.length) return "";
  const title = rest.length === 1 ? "Another passage that may be the abstract"
    : `${rest.length} other passages that may be the abstract`;
  return make("details", {class: "entry", open: confidence < SURE}, make("summary", {}, title),
    make("ul", {class: "candidates"}, rest.map(each => make("li", {}, passage(each), button("Classify this", () => {
      put(each.text);
      announce(`A passage of ${file.name} is in the box.`);
      classify();
    })))));
}

function passage({text, source, page}) {
  const head = text.length > PASSAGE ? `${text.slice(0, PASSAGE)} …` : text;
  const place = `page ${count(page)}: ${FOUND[source] ?? "its text"}`;
  return make("p", {}, `${head} `, make("span", {class: "soft"}, place));
}

