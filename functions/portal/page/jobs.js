// @ts-check
// Jobs: a file on its way up, a job at work, what it left. A job's page is this page with ?job=ID.

import {copy} from "./csv.js";
import {announce, at, button, count, make, show, size, titled} from "./dom.js";
import {keepFile} from "./label_job.js";
import {fileOf, outcome} from "./outcomes.js";
import {unlink} from "./permalink.js";
import {problem} from "./problems.js";
import {rememberRun} from "./runs.js";
import {goToJob, rerunBar} from "./reruns.js";
import {Refusal, ask, post, send} from "./service.js";

const SOON = 700, LATER = 3000, SEVERAL = 20;  // milliseconds between questions, and how many come soon
const RARELY = 30_000;  // milliseconds between questions while nobody answers

/** Send a file and follow its job, of a kind, to the end. */
export async function upload(pane, file, options, signal, kind = "rank") {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  const bar = progress(`Uploading ${file.name}`, button("Stop", () => stop.abort()), kept());
  show(pane, bar.node);
  try {
    const offer = await post("uploads", {filename: file.name, kind, ...options}, {signal: stop.signal});
    if (file.size > offer.max_bytes)
      throw new Refusal(`${file.name} has ${size(file.size)}. An upload takes at most ${size(offer.max_bytes)}.`);
    await send(offer.upload, file, speedometer(bar, file.size), stop.signal);
    rememberRun({job: offer.job_id, kind, name: file.name});
    keepFile(offer.job_id, file);
    announce("Uploaded.");
    addressed(offer.job_id);
    await follow(pane, offer.job_id, signal);
  } catch (error) {
    titled("");
    throw error;
  }
}

const kept = () => make("p", {class: "hint"}, at("kept").textContent);

function speedometer(bar, total) {
  const began = performance.now();
  return (share, bytes) => {
    const speed = bytes / (performance.now() - began) * 1000;
    bar.put(share, `${size(bytes)} of ${size(total)} · ${size(speed)}/s`);
  };
}

/** The job that the page shows, by its id. */
export const current = {job: ""};

/** Put a job's id into the page's address, so that Back leads to what was there before, or take it out. */
export function addressed(id) {
  current.job = id;
  const address = new URL(location.href);
  if ((address.searchParams.get("job") ?? "") === id) return;
  if (id) address.searchParams.set("job", id);
  else address.searchParams.delete("job");
  if (id) unlink(address);
  if (!id) titled("");
  history.replaceState({}, "");  // Back leads to the form, and does not send the file again
  history.pushState({}, "", address);
}

/** Return the job that the page's address names, as ?job=ID or #job=ID; empty where it names none. */
export function jobInAddress() {
  const {searchParams, hash} = new URL(location.href);
  return searchParams.get("job") ?? new URLSearchParams(hash.slice(1)).get("job") ?? "";
}

/** Show a job until it has ended, then what it left. While nobody answers it asks again, less and less often. */
export async function follow(pane, id, signal) {
  let bar = /** @type {ReturnType<typeof progress> | null} */(null);
  for (let asked = 0; !signal.aborted; asked += 1) {
    const job = await answerOf(id, signal, () => bar?.say("Connection lost. The job goes on; asking again …"));
    if (!job || signal.aborted) return;
    if (ended(job)) return finished(pane, job, signal);
    if (!bar) show(pane, (bar = working(job, id)).node);
    bar.put(job.progress, stage(job));
    await pause(asked < SEVERAL ? SOON : LATER, signal);
  }
}

/** Return a job as the service knows it, however long that takes; null where that is stopped. Throws Refusal. */
export async function answerOf(id, signal, lost = () => {}) {
  for (let failed = 0; !signal.aborted; failed += 1) {
    try {
      return await ask(`jobs/${encodeURIComponent(id)}`, {signal});
    } catch (error) {
      if (error.name === "AbortError") return null;
      if (!passing(error)) throw error;
      lost();
      await pause(Math.max(error.wait * 1000, Math.min(SOON * 2 ** failed, RARELY)), signal);
    }
  }
  return null;
}

/** Say whether an error may pass by itself. */
const passing = ({code, status}) => code === "unreachable" || status === 429 || status >= 500;

/** Wait; no longer than until the connection is back, the page is looked at again, or all is stopped. */
function pause(milliseconds, signal) {
  return /** @type {Promise<void>} */(new Promise(resolve => {
    const over = new AbortController();
    const end = () => { clearTimeout(timer); over.abort(); resolve(); };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end, {signal: over.signal});
    document.addEventListener("visibilitychange", () => { if (!document.hidden) end(); }, {signal: over.signal});
    signal.addEventListener("abort", end, {signal: over.signal});
  }));
}

async function finished(pane, job, signal) {
  const word = job.state === "SUCCEEDED" ? "Done" : job.reason === "cancelled" ? "Stopped" : "Failed";
  const nodes = await outcome(job);
  if (signal.aborted) return;
  titled(`${word} · ${fileOf(job)}`);
  rememberRun({job: job.job_id, kind: job.kind, name: fileOf(job), state: word});
  show(pane, ...nodes, rerunBar(job, goToJob));
}

const ended = ({state}) => state === "SUCCEEDED" || state === "FAILED";

/** Show that there is no such job, and what may be the reason. */
export function unknown(pane, id) {
  titled("No such job");
  const words = `The service knows no job ${id}. It forgets a job 30 days after its last change.`;
  show(pane, problem(new Refusal(words, {code: "unknown_job"}), "There is no such job"));
}

function working(job, id) {
  const stop = button("Stop the job", async () => {
    stop.disabled = true;
    await post(`jobs/${encodeURIComponent(id)}/cancel`, {}).catch(error => announce(error.message));
  });
  const link = button("Copy this page’s address", event => copy(location.href, event.currentTarget), "link");
  const note = make("p", {class: "hint"}, "The job goes on if you close this page. Its address opens it again. ", link);
  return progress(fileOf(job), stop, note);
}

const PHASES = {
  uploading: "The file has not arrived yet", waiting: "Waiting to begin", ranking: "Ranking",
  classifying: "Classifying",
  merging: "Putting the results together", done: "Done", failed: "Failed",
};

/** Say in words what a job does. */
export function stage({work: {bytes_done, bytes_total, records, phase}, expires, kind}) {
  if (phase === "uploading") return `${PHASES[phase]}. If its upload was stopped, send it again${until(expires)}`;
  const read = bytes_total ? ` · ${size(bytes_done)} of ${size(bytes_total)}` : "";
  const noun = kind === "classify" ? "abstracts" : "sequences";
  return `${PHASES[phase] ?? phase}${read}${records ? ` · ${count(records)} ${noun}` : ""}`;
}

const until = expires => expires ? `; this job waits until ${new Date(expires).toLocaleString()}.` : ".";

function progress(title, stop, note) {
  const bar = make("progress", {max: 1, "aria-label": title}), words = make("span", {}, "Starting …");
  const percent = make("span", {class: "percent"});
  const node = make("div", {class: "job"}, make("h2", {}, title), bar, make("p", {class: "row"}, words, percent), note,
    make("div", {class: "actions"}, stop));
  const put = (part, text) => {
    bar.value = part;
    percent.textContent = `${Math.floor(part * 100)} %`;
    words.textContent = text;
    titled(`${Math.floor(part * 100)} % · ${title}`);
  };
  return {node, put, say: text => { words.textContent = text; }};
}
