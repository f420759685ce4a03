// @ts-check
// Jobs: a file on its way up, a job at work, what it left. A job's page is this page with ?job=ID.

import {copy} from "./csv.js";
import {announce, button, count, make, show, size, titled} from "./dom.js";
import {fileOf, outcome} from "./outcomes.js";
import {Refusal, ask, post, send} from "./service.js";

const SOON = 700, LATER = 3000, SEVERAL = 20;  // milliseconds between questions, and how many come soon
const PATIENCE = 20;  // questions in a row that may fail

/** Send a file and follow its job, of a kind, to the end. */
export async function upload(pane, file, options, signal, kind = "rank") {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  const bar = progress(`Uploading ${file.name}`, button("Stop", () => stop.abort()));
  show(pane, bar.node);
  const offer = await post("uploads", {filename: file.name, kind, ...options}, {signal: stop.signal});
  if (file.size > offer.max_bytes)
    throw new Refusal(`${file.name} has ${size(file.size)}. An upload takes at most ${size(offer.max_bytes)}.`);
  await send(offer.upload, file, speedometer(bar, file.size), stop.signal);
  announce("Uploaded.");
  addressed(offer.job_id);
  await follow(pane, offer.job_id, signal);
}

function speedometer(bar, total) {
  const began = performance.now();
  return (share, bytes) => {
    const speed = bytes / (performance.now() - began) * 1000;
    bar.put(share, `${size(bytes)} of ${size(total)} · ${size(speed)}/s`);
  };
}

/** Put a job's id into the page's address, or take it out. */
export function addressed(id) {
  const address = new URL(location.href);
  if (id) address.searchParams.set("job", id);
  else address.searchParams.delete("job");
  if (!id) titled("");
  history.replaceState(null, "", address);
}

/** Return the job that the page's address names, as ?job=ID or #job=ID. */
export function jobInAddress() {
  return new URL(location.href).searchParams.get("job") ?? new URLSearchParams(location.hash.slice(1)).get("job");
}

/** Show a job until it has ended, then what it left. */
export async function follow(pane, id, signal) {
  let bar = null;
  for (let asked = 0, failed = 0; !signal.aborted; asked += 1) {
    const job = await ask(`jobs/${encodeURIComponent(id)}`, {signal}).catch(error => forgiven(error, failed += 1));
    if (job && ended(job)) {
      titled(`${job.state === "SUCCEEDED" ? "Done" : "Failed"} · ${fileOf(job)}`);
      return show(pane, ...await outcome(job));
    }
    if (job) failed = 0;
    if (job && !bar) show(pane, (bar = working(job, id)).node);
    if (job) bar.put(share(job), stage(job));
    else bar?.say("Connection lost. Trying again …");
    await pause(asked < SEVERAL ? SOON : LATER);
  }
}

/** Swallow an error that may pass by itself, as long as there were not many in a row. */
function forgiven(error, failed) {
  const brief = error.code === "unreachable" || error.status === 429 || error.status >= 500;
  if (!brief || failed > PATIENCE) throw error;
}

const ended = ({state}) => state === "SUCCEEDED" || state === "FAILED";
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

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
  uploading: "Waiting for the file", waiting: "Waiting to begin", ranking: "Ranking", classifying: "Classifying",
  merging: "Putting the results together", done: "Done", failed: "Failed",
};

function share({progress: {bytes_done, bytes_total}}) {
  return bytes_total ? bytes_done / bytes_total : 0;
}

function stage({progress: {bytes_done, bytes_total, records, phase}}) {
  const read = bytes_total ? ` · ${size(bytes_done)} of ${size(bytes_total)}` : "";
  return `${PHASES[phase]}${read}${records ? ` · ${count(records)} records` : ""}`;
}

function progress(title, stop, note) {
  const bar = make("progress", {max: 1, "aria-label": title}), words = make("span", {}, "Starting …");
  const percent = make("span", {class: "percent"});
  const node = make("div", {class: "job"}, make("h2", {}, title), bar, make("p", {class: "row"}, words, percent), note,
    make("div", {class: "actions"}, stop));
  const put = (share, text) => {
    bar.value = share;
    percent.textContent = `${Math.floor(share * 100)} %`;
    words.textContent = text;
    titled(`${Math.floor(share * 100)} % · ${title}`);
  };
  return {node, put, say: text => { words.textContent = text; }};
}

