// @ts-check
// The form that ranks: what is small is answered at once, what is large is uploaded and becomes a job.

import {EXAMPLE_SEQUENCES} from "./examples.js";
import {announce, at, make, show} from "./dom.js";
import {complain, glance, intake, pasted} from "./intake.js";
import {addressed, upload} from "./jobs.js";
import {spokenNotices} from "./notices.js";
import {problem} from "./problems.js";
import {ranking} from "./ranking.js";
import {rejects} from "./rejects.js";
import {ask, whole} from "./service.js";

const MOST_AT_ONCE = 4e6;  // bytes; the gateway takes 4.5 MB
const MOST_ROWS = 10_000;
const OPEN = "-3e38";  // below every gate
const state = {well: null, view: null, work: new AbortController(), models: {}, length: 0,
  blank: []};

/** Connect the form. */
export function startRank() {
  state.blank = [...at("rank-result").childNodes];
  state.well = intake({well: "rank-well", text: "sequences", input: "input_file", chip: "rank-file", changed});
  at("rank").addEventListener("submit", event => { event.preventDefault(); rankRun(submitted); });
  at("rank-clear").addEventListener("click", clear);
  at("example-sequences").addEventListener("click", example);
  for (const name of ["threshold", "top_k"]) at(name).addEventListener("input", adjust);
  at("windows").addEventListener("change", () => { at("step-row").hidden = !at("windows").checked; });
}

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
  const rejected = error.details?.rejected;
  return show(at("rank-result"), problem(error, "The sequences could not be ranked"),
    ...[Array.isArray(rejected) && rejects({rejected})].filter(Boolean));
}

function busy(on) {
  const pressed = at("rank").querySelector(".primary");
  pressed.disabled = on;
  pressed.textContent = on ? "Ranking …" : "Rank";
  at("rank-result").setAttribute("aria-busy", on);
}

async function submitted(signal) {
  const file = state.well.file ?? pasted(state.well.text());
  if (!valid(file)) return;
  state.view = null;
  addressed("");
  if (file.size > MOST_AT_ONCE) return upload(at("rank-result"), file, options(), signal);
  show(at("rank-result"), make("p", {class: "hint"}, "Ranking …"));
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
    ["top_k", !whole(given("top_k")) && "Rows to show must be a whole number from 1 to 10,000."],
    ["step", at("windows").checked && !whole(given("step")) && "The step must be a whole number from 1 to 10,000."],
    ["threshold", !Number.isFinite(given("threshold")) && "The threshold must be a number, such as 0 or -0.5."],
  ];
  for (const [field] of problems) complain(field, "rank-error");
  const [field, message] = problems.find(([, message]) => message) ?? [];
  if (message) complain(field, "rank-error", message);
  return !message;
}

function options() {
  const given = {top_k: Number(at("top_k").value), threshold: Number(at("threshold").value)};
  if (at("strict").checked) given.strict = true;
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
  let found = await asked(file, {...options(), threshold: OPEN, top_k: MOST_ROWS}, signal);
  const live = found.counts.passed === found.ranked.length;
  if (!live) found = await asked(file, options(), signal);
  const {counts, rejected, notices, models} = found;
  state.view = ranking({...rows(found), counts, rejected, notices, models, options: options(), live});
  show(at("rank-result"), state.view.node);
  announce(`${at("rank-result").querySelector("h2").textContent}.${spokenNotices(notices)}`);
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

function adjust() {
  const {threshold, top_k: most} = options();
  if (state.view && at("threshold").value !== "" && most >= 1) state.view.adjust({threshold, top_k: most});
}

function changed() {
  at("sequences-count").textContent = state.well.file ? "" : glance(state.well.text().slice(0, 5e6));
  complain("sequences", "rank-error");
}

function clear() {
  state.work.abort();
  state.work = new AbortController();
  busy(false);
  at("rank").reset();
  at("step-row").hidden = true;
  state.well.set(null);
  state.view = null;
  addressed("");
  at("rank-result").replaceChildren(...state.blank);
  at("sequences").focus();
}

function example() {
  state.well.replace(EXAMPLE_SEQUENCES);
  at("rank").requestSubmit();
}
