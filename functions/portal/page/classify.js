// @ts-check
// The form that classifies: text, PDFs whose abstracts are found, shown, and may be corrected, or files of many.

import {MOST_TEXTS, listed, misfits, ofFile, ofFiles, ofJob, ofTexts, parts} from "./abstracts.js";
import {several} from "./batch.js";
import {contentsOf, textOf} from "./contents.js";
import {announce, at, button, count, make, plural, show, size} from "./dom.js";
import {EXAMPLE_ABSTRACT} from "./examples.js";
import {textAt} from "./file_texts.js";
import {complain, intake} from "./intake.js";
import {addressed} from "./jobs.js";
import {explanationOf, kindOfModel, knowLabels} from "./label_kinds.js";
import {classification} from "./labels.js";
import {noticeList} from "./notices.js";
import {formQuery} from "./options.js";
import {origin, passages} from "./pdf_source.js";
import {problem} from "./problems.js";
import {Refusal} from "./service.js";
import {shareBar} from "./share.js";
import {waiting} from "./waiting.js";

const MOST_TEXT = 1.5e6;  // bytes of as many abstracts as a request takes
const EACH = ["no_label", "truncated"];  // notices that each abstract says of itself
const desk = {well: /** @type {any} */(null), brought: /** @type {File | null} */(null),
  sorting: /** @type {Promise<boolean> | null} */(null), serving: "", thresholds: {},
  titles: {}, running: new AbortController(), blank: /** @type {Node[]} */([]),
  run: {text: "", query: new URLSearchParams()}};

/** Connect the form. */
export function startClassify() {
  desk.blank = [...at("classify-result").childNodes];
  desk.well = intake({well: "classify-well", text: "abstract", input: "abstract-file", chip: "classify-file",
    taken, many: true, changed: measured});
  at("classify").addEventListener("submit", event => { event.preventDefault(); submit(); });
  at("classify-clear").addEventListener("click", reset);
  at("example-abstract").addEventListener("click", () => {
    desk.well.replace(EXAMPLE_ABSTRACT);
    at("classify").requestSubmit();
  });
}

/** Say which model serves, and the thresholds and titles of each model's labels. */
export function classifyModels(serving, thresholds, titles) {
  desk.serving = serving;
  knowLabels(thresholds, titles);
}

/** Look at a file that is brought: a plain text is put into the box, all else is kept to be sent as it is. */
function taken(file) {
  desk.brought = file;
  desk.sorting = sortOut(file).catch(error => {
    desk.sorting = null;
    complain("abstract", "classify-error", error.message);
    return false;
  });
  return false;
}

/** Take a file, and say whether it is: not where something else was brought meanwhile. Throws Refusal. */
async function sortOut(file) {
  const kind = await contentsOf(file);
  const text = kind === "text" && file.size <= MOST_TEXT ? await textOf(file) : "";
  if (desk.brought !== file) return false;
  if (kind !== "text") {
    desk.well.set(file);
    announce(`File ${file.name}, ${size(file.size)}.`);
    return true;
  }
  if (file.size > MOST_TEXT) throw new Refusal(`${file.name} has ${size(file.size)}. At most ${MOST_TEXTS} abstracts `
    + "fit in a text. Send more as a table (CSV, TSV, Excel) or as JSON, one abstract a row.");
  if (text === null) throw new Refusal(`${file.name} is not UTF-8: save it as UTF-8, or paste its text.`);
  put(text);
  return true;
}

function put(text) {
  desk.brought = null;
  desk.well.set(null);
  at("abstract").value = text;
  measured();
}

function measured() {
  desk.brought = desk.well.file ?? null;
  desk.sorting = null;
  const {length} = at("abstract").value, texts = desk.well.file ? [] : parts(at("abstract").value);
  const words = texts.length > 1 ? `${texts.length} abstracts` : plural(length, "character");
  at("abstract-count").textContent = length && !desk.well.file ? words : "";
  complain("abstract", "classify-error");
}

function reset() {
  desk.running.abort();
  desk.running = new AbortController();
  desk.brought = null;
  addressed("");
  at("classify").reset();
  desk.well.set(null);
  occupied(false);
  at("classify-result").replaceChildren(...desk.blank);
  at("abstract").focus();
}

/** Replace the form's input by that of a link, with an offer to undo. @param {File | string} input */
export function bringAbstracts(input) {
  desk.brought = null;
  if (typeof input !== "string") desk.well.set(input);
  else if (input !== desk.well.text()) desk.well.replace(input, "The link");
}

/** Classify what is there; a file that was just brought is looked at first. */
async function submit() {
  if (!desk.sorting) return classify();
  occupied(true);
  const sorted = await desk.sorting;
  occupied(false);
  return sorted && classify();
}

async function classify() {
  const {files} = desk.well, texts = parts(desk.well.text());
  if (!files.length && !texts.length)
    return complain("abstract", "classify-error", "Paste an abstract or choose a file.");
  const wrong = files.length || texts.length > 1 ? "" : misfits(texts);
  if (wrong) return complain("abstract", "classify-error", wrong);
  addressed("");
  desk.run = {text: desk.well.text(), query: formQuery("classify")};
  await classifyRun(async signal => {
    const found = await answerTo(files, texts, signal);
    if (found && !signal.aborted) answered(found, files, texts);
  });
}

/** Do what classifies, `task(signal)`, in place of what is being done. */
export async function classifyRun(task) {
  desk.running.abort();
  const work = desk.running = new AbortController();
  occupied(true);
  try {
    await task(work.signal);
  } catch (error) {
    if (work === desk.running) failed(error);
  }
  if (work === desk.running) occupied(false);
}

function failed(error) {
  if (error.name === "AbortError") return show(at("classify-result"), make("p", {class: "hint"}, "Stopped."));
  return show(at("classify-result"), problem(error, "The abstract could not be classified"));
}

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

/** Return the answer; null where it is shown by itself, as a job is. */
function answerTo(files, texts, signal) {
  const pane = at("classify-result"), wait = waiting(pane, "Classifying …");
  show(pane, wait.node);
  const moved = done => wait.say(`${count(done)} of ${plural(files.length, "file")} …`);
  const call = {route: route(), signal, moved, job: file => ofJob(file, pane, servingOnly(call))};
  if (files.length > 1) return ofFiles(files, call);
  if (files.length) return ofFile(files[0], call);
  if (texts.length > MOST_TEXTS) return offerJob(texts, call);
  return ofTexts(texts, call);
}

function servingOnly(call) {
  if (call.route === "classify") return call;
  throw new Refusal(`Only ${desk.serving} classifies a file of so many abstracts. Choose it under Model.`);
}

/** Offer to classify as a job what a request does not take: a job keeps what is sent for a while. */
async function offerJob(texts, call) {
  const pane = at("classify-result");
  const begin = () => classifyRun(signal => ofJob(listed(texts), pane, {...servingOnly(call), signal}));
  const words = `A request takes ${MOST_TEXTS}. A job takes them all. It uploads the texts as a file. `;
  show(at("classify-result"), make("div", {class: "notice", role: "group", "aria-label": "Too many for a request"},
    make("h2", {}, `${count(texts.length)} abstracts`), make("p", {}, words, at("kept").textContent),
    make("div", {class: "actions"}, button("Classify as a job", begin, "primary"))));
  announce(`${count(texts.length)} abstracts are more than a request takes. A job takes them.`);
  return null;
}

function answered(found, files, texts) {
  const {results, notices = []} = found, kind = kindOf(found, files);
  const told = noticeList(notices.filter(({code}) => !EACH.includes(code)),
    files.length ? "line" : "abstract") ?? "";
  if (files.length < 2 && results.length === 1) {
    const source = sourceOf(results[0], files[0]);
    const text = desk.well.file ? kind.textOf?.(results[0], 0) ?? "" : desk.well.text().trim();
    show(at("classify-result"), ...source, told, classification(results[0], kind, text), shared(files, found));
    return announce(spoken(results[0]));
  }
  const names = results.map(({id}, i) => files.length ? `${id ?? ""}` : texts[i] ?? "");
  show(at("classify-result"), told, ...several(results, names, kind), shared(files, found));
  return announce(`${results.length} abstracts classified.`);
}

/** Return the line with the link to what was classified; several files are in none. */
function shared(files, {model, results}) {
  if (files.length > 1) return "";
  const input = results[0]?.source?.text ?? files[0] ?? desk.run.text;
  const call = {route: route(), moved: () => {}};
  const file = typeof input === "string" ? listed(parts(input)) : input;
  return shareBar({form: "classify", input, query: desk.run.query, models: [model],
    noun: results.length > 1 ? "abstracts" : "abstract",
    asJob: () => classifyRun(signal => ofJob(file, at("classify-result"), {...servingOnly(call), signal}))});
}

function kindOf({model, titles}, files) {
  const [file, more] = files, one = (_, i) => () => textAt(file, each => each === i);
  const textOf = file && ((result, i) => result.source?.text ?? (more ? undefined : one(result, i)));
  return {...kindOfModel(model, titles), explain, textOf};
}

/** Return why a text has its labels. Throws Refusal where its scores are not those of the result. */
async function explain(text, result) {
  const {signal} = desk.running;
  const {results: [found]} = await ofTexts([text], {route: `${route()}?explain=true`, signal});
  return explanationOf(found, result);
}

/** Say where in a PDF the text was found, and put it where it can be corrected. */
function sourceOf({source}, file) {
  if (!source) return [];
  if (source.text && desk.well.file === file) put(source.text);
  return [origin(source, file.name), passages(source, chosen)];
}

function chosen(text) {
  put(text);
  announce("The passage is in the box.");
  classify();
}

function spoken({labels}) {
  return labels.length ? `Labels: ${labels.map(({label}) => label).join(", ")}.` : "No label reaches its threshold.";
}
