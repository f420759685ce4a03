// @ts-check
// The job that the address names: opened under its own tab, with the options that it runs with in the form.

import {classifyRun} from "./classify.js";
import {at, make, show, titled} from "./dom.js";
import {answerOf, follow, jobInAddress, unknown} from "./jobs.js";
import {problem} from "./problems.js";
import {rankRun} from "./rank.js";
import {openTab} from "./tabs.js";

const TASKS = {rank: rankRun, classify: classifyRun};
let opened = {id: "", work: new AbortController()};

/** Open the job of the address, now and whenever the address changes. */
export function startJobView() {
  for (const event of ["popstate", "hashchange"]) addEventListener(event, () => { openJob(); });
  openJob();
}

async function openJob() {
  const id = jobInAddress();
  if (id === opened.id) return;
  opened.work.abort();
  const work = new AbortController();
  opened = {id, work};
  if (!id) return titled("");
  say("Looking for the job …");
  const lost = () => say("The service cannot be reached. Asking again …");
  try {
    const job = await answerOf(id, work.signal, lost);
    if (job && !work.signal.aborted) arrive(job, id);
  } catch (error) {
    if (error.status === 404) unknown(at("rank-result"), id);
    else show(at("rank-result"), problem(error, "The job could not be opened"));
  }
}

const say = words => show(at("rank-result"), make("p", {class: "hint"}, words));

function arrive(job, id) {
  const kind = job.kind in TASKS ? job.kind : "rank";
  openTab(kind);
  if (kind !== "rank") at("rank-result").replaceChildren();
  fillOptions(job.options ?? {});
  TASKS[kind](signal => follow(at(`${kind}-result`), id, signal));
}

/** Put the options that a job ran with into the fields of their names. */
export function fillOptions(options) {
  for (const [name, value] of Object.entries(options)) put(at(name), value);
  if ("window" in options) put(at("windows"), options.window !== null);
}

function put(field, value) {
  if (!field || value === null || value === undefined) return;
  if (field.type === "checkbox") field.checked = value === true || value === "on";
  else field.value = value;
  field.dispatchEvent(new Event("change", {bubbles: true}));
}
