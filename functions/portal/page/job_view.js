// @ts-check
// The job that the address names: opened under its own tab, with the options that it runs with in the form.

import {classifyRun} from "./classify.js";
import {at, make, show, titled} from "./dom.js";
import {answerOf, current, follow, jobInAddress, unknown} from "./jobs.js";
import {fillOptions} from "./options.js";
import {problem} from "./problems.js";
import {rankRun} from "./rank.js";
import {openTab} from "./tabs.js";

const TASKS = {rank: rankRun, classify: classifyRun};
let opening = new AbortController();
let blank = {};

/** Open the job of the address, now and whenever the address changes. */
export function startJobView() {
  blank = Object.fromEntries(Object.keys(TASKS).map(kind => [kind, [...at(`${kind}-result`).childNodes]]));
  addEventListener("popstate", () => { openJob(); });
  openJob();
}

/** Show the page as it was before a job. */
function leave() {
  titled("");
  for (const kind of Object.keys(TASKS)) TASKS[kind](async () => at(`${kind}-result`).replaceChildren(...blank[kind]));
}

async function openJob() {
  const id = jobInAddress(), before = current.job;
  opening.abort();
  const work = opening = new AbortController();
  current.job = id;
  if (!id) return before && leave();
  say("Looking for the job …");
  // A person who ranks or clears meanwhile does not want it any more.
  const wanted = () => !work.signal.aborted && current.job === id;
  const lost = () => wanted() ? say("The service cannot be reached. Asking again …") : work.abort();
  try {
    const job = await answerOf(id, work.signal, lost);
    if (job && wanted()) arrive(job, id);
  } catch (error) {
    if (!wanted()) return;
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
