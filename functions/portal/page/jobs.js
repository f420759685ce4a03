// Jobs: a file on its way up, a job at work, what it left. A job's page is this page with ?job=ID.

import {copy, parseCsv} from "./csv.js";
import {announce, button, count, make, plural, show, size} from "./dom.js";
import {problem} from "./problems.js";
import {ranking} from "./ranking.js";
import {rejects} from "./rejects.js";
import {Refusal, ask, post, read, send} from "./service.js";

const SOON = 700, LATER = 3000, SEVERAL = 20;  // milliseconds between questions, and how many come soon
const PATIENCE = 20;  // questions in a row that may fail
const REJECTS_READ = 200_000;
const FIXED = 6;  // columns of ranking.csv before those carried through

/** Send a file and follow its job to the end. */
export async function upload(pane, file, options, signal) {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  const bar = progress(`Uploading ${file.name}`, button("Stop", () => stop.abort()));
  show(pane, bar.node);
  const offer = await post("uploads", {filename: file.name, kind: "rank", ...options}, {signal: stop.signal});
  if (file.size > offer.max_bytes)
    throw new Refusal(`${file.name} has ${size(file.size)}; an upload takes ${size(offer.max_bytes)}.`);
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
    if (job && ended(job)) return finish(pane, job);
    if (job) failed = 0;
    if (job && !bar) show(pane, (bar = working(job, id)).node);
    if (job) bar.put(job.progress, stage(job));
    else bar?.say("The connection was lost; trying again …");
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
const named = ({upload: key = ""}) => key.slice(key.lastIndexOf("/") + 1) || "File";

function working(job, id) {
  const stop = button("Stop the job", async () => {
    stop.disabled = true;
    await post(`jobs/${encodeURIComponent(id)}/cancel`, {}).catch(error => announce(error.message));
  });
  const link = button("Copy this page’s address", event => copy(location.href, event.currentTarget), "link");
  const note = make("p", {class: "hint"}, "The job goes on without this page: its address opens it again. ", link);
  return progress(named(job), stop, note);
}

function stage({state, shards, counts}) {
  if (state === "QUEUED") return "Waiting to begin";
  const scored = counts?.scored ? ` · ${count(counts.scored)} scored` : "";
  return shards?.total ? `${count(shards.done)} of ${count(shards.total)} shards${scored}` : `At work${scored}`;
}

function progress(title, stop, note) {
  const bar = make("progress", {max: 1, "aria-label": title}), words = make("span", {}, "Beginning …");
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

const titled = text => { document.title = text ? `${text} · Assay` : "Assay"; };

async function finish(pane, job) {
  titled(`${job.state === "SUCCEEDED" ? "Done" : "Failed"} · ${named(job)}`);
  announce(`The job has ${job.state === "SUCCEEDED" ? "ended well" : "failed"}.`);
  const {results = {}} = job;
  const [summary, rejected] = await Promise.all([optional(results.summary), rejectsOf(results.rejected)]);
  const title = make("p", {class: "source"}, make("strong", {}, named(job)), took(job), files(results));
  if (job.state === "FAILED")
    return show(pane, problem(new Refusal(job.reason || "The job failed."), "The file could not be ranked"), title,
      ...[rejects({rejected, counts: job.counts})].filter(Boolean));
  if (!results.ranking) return show(pane, title, make("pre", {}, JSON.stringify(job.counts, null, 1)));
  const {threshold = 0} = summary.options ?? {};
  const found = table(await read(results.ranking));
  const rest = {counts: job.counts, rejected, models: job.models ?? {}, live: false};
  return show(pane, title, ranking({...found, ...rest, options: {threshold, top_k: found.rows.length}}).node);
}

function took({created, updated}) {
  const seconds = Math.round((new Date(updated) - new Date(created)) / 1000);
  if (!(seconds >= 0)) return null;
  const long = seconds < 120 ? plural(seconds, "second") : plural(Math.round(seconds / 60), "minute");
  return make("span", {class: "hint"}, `${new Date(updated).toLocaleString()}, after ${long}`);
}

const optional = async link => link ? JSON.parse(await read(link)) : {};

function files(results) {
  const links = Object.entries(results).map(([name, href]) => make("a", {href, download: true}, name));
  return links.length ? make("span", {class: "links"}, "Files: ", ...links) : null;
}

async function rejectsOf(link) {
  if (!link) return [];
  const text = await read(link, REJECTS_READ);
  const {lines} = parseCsv(text, {cut: text.length >= REJECTS_READ});
  return lines.map(([line, reason, detail]) => ({line: Number(line), reason, detail}));
}

function table(text) {
  const {head, lines} = parseCsv(text);
  const rows = lines.map(([rank, sequence, score, gate, line, id, ...extra]) => ({
    rank: Number(rank), sequence, score: Number(score), gate: gate === "" ? NaN : Number(gate), line: Number(line), id,
    ...Object.fromEntries(extra.map((cell, i) => [`carried-${i}`, cell])),
  }));
  return {rows, carried: head.slice(FIXED)};
}
