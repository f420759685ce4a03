// @ts-check
// The form that ranks: a small input is answered at once, a large one is uploaded and becomes a job.

import {EXAMPLE_SEQUENCES} from "./examples.js";
import {announce, at, button, make, show} from "./dom.js";
import {complain, glance, intake, pasted} from "./intake.js";
import {addressed, jobInAddress, upload} from "./jobs.js";
import {spokenNotices} from "./notices.js";
import {formQuery} from "./options.js";
import {unlink} from "./permalink.js";
import {problem} from "./problems.js";
import {ranking} from "./ranking.js";
import {idsByLine} from "./records.js";
import {rejects} from "./rejects.js";
import {ask, whole} from "./service.js";
import {shareBar} from "./share.js";
import {waiting} from "./waiting.js";

const MOST_AT_ONCE = 4e6;  // bytes; the gateway takes 4.5 MB
const MOST_ROWS = 10_000;
const OPEN = "-3e38";  // below every gate
const FIELDS = ["top_k", "threshold", "column", "step", "gate_model", "score_model"];
const CHECKS = ["strict", "windows", "pad"];
const state = {well: /** @type {any} */(null), view: /** @type {ReturnType<typeof ranking> | null} */(null),
  work: new AbortController(), models: /** @type {any} */({}), length: 0, first: /** @type {Node[]} */([]), ran: "",
  run: {form: "rank", input: /** @type {File | string} */(""), query: new URLSearchParams()}};

/** Connect the form. */
export function startRank() {
  state.first = [...at("rank-result").children];
  busy(false);
  state.well = intake({well: "rank-well", text: "sequences", input: "input_file", chip: "rank-file", changed});
  at("rank").addEventListener("submit", event => { event.preventDefault(); submit(); });
  at("rank-clear").addEventListener("click", clear);
  at("example-sequences").addEventListener("click", example);
  for (const kind of ["input", "change"]) at("rank").addEventListener(kind, adjust);
  at("windows").addEventListener("change", () => { at("step-row").hidden = !at("windows").checked; });
}

/** Press Rank for people, so that whatever listens to the form hears of it. */
const again = () => at("rank").requestSubmit();

/** Say which models serve by themselves, {gate, score}, and how many residues they read. */
export function rankModels(serving, length) {
  state.models = serving;
  state.length = length;
  at("windows-row").hidden = !length;
  at("windows-length").textContent = length;
}

/** Do what ranks, `task(signal)`, in place of what is being done. */
export async function rankRun(task) {
  state.work.abort();
  const work = state.work = new AbortController();
  state.view = null;
  busy(true);
  try {
    await task(work.signal);
  } catch (error) {
    if (work === state.work) failed(error);
  }
  if (work === state.work) busy(false);
}

function failed(error) {
  if (error.name === "AbortError") return show(at("rank-result"), make("p", {class: "hint"}, "Stopped."));
  const {rejected, columns} = error.details ?? {};
  return show(at("rank-result"), problem(error, "The sequences could not be ranked"),
    ...[Array.isArray(columns) && choices(columns), Array.isArray(rejected) && rejects({rejected})].filter(Boolean));
}

/** Offer the columns of a table that lacks the column that was looked for. */
function choices(columns) {
  const choose = name => () => {
    at("rank-more").open = true;
    at("column").value = name;
    again();
  };
  return make("div", {class: "choices"}, make("p", {}, "Which column holds the sequences?"),
    make("div", {class: "actions"}, columns.map(name => button(name, choose(name)))));
}

/** The button keeps the focus: it is not disabled, it only does nothing meanwhile. */
function busy(on) {
  const pressed = at("rank").querySelector(".primary");
  pressed.setAttribute("aria-disabled", on);
  pressed.textContent = on ? "Ranking …" : "Rank";
  at("rank-result").setAttribute("aria-busy", on);
}

function submit() {
  const file = state.well.file ?? pasted(state.well.text());
  if (valid(file)) rankRun(signal => submitted(file, signal));
}

async function submitted(file, signal) {
  state.ran = signature();
  state.run = {form: "rank", input: state.well.file ?? state.well.text(), query: formQuery("rank")};
  addressed("");
  if (file.size > MOST_AT_ONCE) return upload(at("rank-result"), file, options(), signal);
  show(at("rank-result"), waiting(at("rank-result"), "Ranking …").node);
  try {
    await atOnce(file, signal);
  } catch (error) {
    if (error.code !== "too_large") throw error;
    await upload(at("rank-result"), file, options(), signal);
  }
}

function valid(file) {
  const whole = value => Number.isInteger(value) && value >= 1 && value <= MOST_ROWS;
  const given = name => at(name).value.trim() === "" ? NaN : Number(at(name).value);
  const problems = [
    ["sequences", !state.well.file && !state.well.text().trim() && "Paste sequences or choose a file first."],
    ["sequences", state.well.file && !file.size && `${file.name} is empty: choose another file.`],
    ["top_k", !whole(given("top_k")) && "Show top must be a whole number from 1 to 10,000."],
    ["step", at("windows").checked && !whole(given("step")) && "The step must be a whole number from 1 to 10,000."],
    ["threshold", !Number.isFinite(given("threshold")) && "Minimum gate must be a number, such as 0 or -0.5."],
  ];
  for (const [field] of problems) complain(field, "rank-error");
  const [field, message] = problems.find(([, message]) => message) ?? [];
  if (message) complain(field, "rank-error", message);
  return !message;
}

function options() {
  const given = /** @type {any} */({top_k: Number(at("top_k").value), threshold: Number(at("threshold").value)});
  if (at("strict").checked) given.strict = true;
  if (at("pad").checked) given.pad = "linker";
  if (at("column").value.trim()) given.column = at("column").value.trim();
  if (at("windows").checked) Object.assign(given, {window: state.length, step: Number(at("step").value)});
  for (const role of ["gate", "score"]) {
    const chosen = at(`${role}_model`).value;
    if (chosen && chosen !== state.models[role]) given[`${role}_model`] = chosen;
  }
  return given;
}

/** Ask for every score, so that the threshold can be moved; where those are too many, for what the options say. */
async function atOnce(file, signal) {
  const given = options();
  let found = await asked(file, {...given, threshold: OPEN, top_k: MOST_ROWS}, signal);
  const live = found.counts.passed === found.ranked.length;
  if (!live) found = await asked(file, given, signal);
  const {counts, rejected, notices, models, histograms} = found, ids = await idsByLine(file, rejected);
  signal.throwIfAborted();
  state.view = ranking({...rows(found), counts, rejected, notices, models, histograms, ids, live, options: given,
    fixes: fixes(), share: shared(file, given, models)});
  show(at("rank-result"), state.view.node);
  adjust();
  announce(`${at("rank-result").querySelector("h2").textContent}.${spokenNotices(notices)}`);
}

/** Return the line with the link to what ran; `moved` is asked when the link is copied. */
function shared(file, given, {gate, score}) {
  return options => shareBar({...state.run, noun: "sequences", models: [gate, score],
    moved: () => ({threshold: options.threshold, top_k: options.top_k}),
    asJob: () => rankRun(signal => upload(at("rank-result"), file, given, signal))});
}

async function asked(file, given, signal) {
  const body = new FormData();
  body.append("input_file", file);
  return whole(await ask(`rank?${new URLSearchParams(given)}`, {method: "POST", body, signal}));
}

function rows({ranked}) {
  const carried = Object.keys(ranked.find(({columns}) => columns)?.columns ?? {});
  const extra = ({columns = {}}) => Object.fromEntries(carried.map((name, i) => [`carried-${i}`, columns[name]]));
  return {carried, rows: ranked.map(({columns, ...row}) => ({...row, ...extra({columns})}))};
}

/** What the service advises for records of another length, as buttons. */
function fixes() {
  const ticked = name => () => {
    at("rank-more").open = true;
    at(name).checked = true;
    at(name).dispatchEvent(new Event("change", {bubbles: true}));
    again();
  };
  const natural = state.models.score?.startsWith("stability-")
    ? " Windows of natural proteins are ranked far less well than designs." : "";
  return {
    window: {why: `Some records are longer proteins.${natural}`, title: `Rank each window of ${state.length} residues`,
      act: ticked("windows")},
    pad: {why: "Some records are seven residues short, as designs of 43 are.", title: "Append LESSGGS to them",
      act: ticked("pad")},
  };
}

/** Follow the form: a ranking that has every score moves along, of any other is said what it was made with. */
function adjust() {
  if (!state.view) return;
  const {threshold, top_k: most} = options();
  const usable = at("threshold").value !== "" && Number.isFinite(threshold) && Number.isInteger(most) && most >= 1;
  const follows = usable && state.view.adjust({threshold, top_k: most});
  if (signature() !== state.ran) return stale("The input or the options have changed since this ranking.");
  stale(follows || !usable ? "" : "This ranking was made with another minimum gate or another number of rows. "
    + "Its rows and what is saved have not changed.");
}

/** Return what a ranking is made of, but for what can be moved afterwards. */
function signature() {
  const {threshold: _, top_k: __, ...others} = options(), {file} = state.well;
  return JSON.stringify([others, file ? [file.name, file.size, file.lastModified] : state.well.text()]);
}

/** Say over a result that it is not what the form asks for now; without words, take that back. */
function stale(words) {
  const pane = at("rank-result"), known = pane.querySelector(".stale");
  if (!words) return known?.remove();
  if (known) return known.firstChild.replaceWith(`${words} `);
  pane.prepend(make("p", {class: "notice stale"}, `${words} `, button("Rank again", again)));
  announce(words);
}

function changed() {
  at("sequences-count").textContent = state.well.file ? "" : glance(state.well.text().slice(0, 5e6));
  complain("sequences", "rank-error");
  if (state.view) adjust();
}

function clear() {
  keep("Cleared.");
  state.work = replaced(state.work);
  at("rank").reset();
  fill({text: "", file: null, fields: {}});
  busy(false);
  addressed("");
  at("rank-result").replaceChildren(...state.first);
  at("sequences").focus();
}

/** Stop what runs, so that nothing of it is shown any more. */
function replaced(work) {
  const next = new AbortController();
  queueMicrotask(() => work.abort());
  return next;
}

/** Replace the form's input by that of a link, with an offer to undo. @param {File | string} input */
export function bringSequences(input) {
  const file = typeof input === "string" ? null : input, text = typeof input === "string" ? input : "";
  if ((state.well.file || state.well.text().trim()) && (file || text !== state.well.text()))
    keep("The link replaced your input.");
  fill({text, file, fields: {}});
}

function example() {
  if (state.well.file || state.well.text().trim()) keep("The example replaced your input.");
  fill({text: EXAMPLE_SEQUENCES, file: null, fields: {}});
  again();
}

function fill({text, file, fields}) {
  state.view = null;
  at("sequences").value = text;
  for (const [name, value] of Object.entries(fields))
    at(name)[CHECKS.includes(name) ? "checked" : "value"] = value;
  at("step-row").hidden = !at("windows").checked;
  state.well.set(file);
}

/** Keep input, options, result and address, and offer to have them back. */
function keep(words) {
  const fields = Object.fromEntries([...FIELDS.map(name => [name, at(name).value]),
    ...CHECKS.map(name => [name, at(name).checked])]);
  const before = {text: state.well.text(), file: state.well.file, fields, view: state.view, ran: state.ran,
    nodes: [...at("rank-result").childNodes], address: unlink(new URL(location.href)).href, ran_as: history.state,
    running: at("rank-result").getAttribute("aria-busy") === "true"};
  const back = button("Undo", () => restore(before), "link");
  at("rank-undo").replaceChildren(`${words} `, back);
  at("rank-undo").hidden = false;
}

/** @param {any} kept */
function restore({nodes, view, ran, running, address, ran_as, ...before}) {
  state.work = replaced(state.work);
  busy(false);
  fill(before);
  history.replaceState(ran_as, "", address);
  at("rank-result").replaceChildren(...nodes);
  Object.assign(state, {view, ran});
  at("rank-undo").hidden = true;
  announce("Your input is back.");
  at("sequences").focus();
  if (jobInAddress()) dispatchEvent(new PopStateEvent("popstate"));
  else if (running) again();  // what was put back waits for an answer that was given up
}
