// @ts-check
// What a job left: a ranking, rejects, files to download, or the reason for which there is none.

import {parseCsv, plain} from "./csv.js";
import {announce, make, plural} from "./dom.js";
import {labelledJob} from "./label_job.js";
import {noticeList, spokenNotices} from "./notices.js";
import {problem} from "./problems.js";
import {ranking} from "./ranking.js";
import {rejects} from "./rejects.js";
import {Refusal, read} from "./service.js";
import {jobLink} from "./share.js";

const REJECTS_READ = 200_000;  // characters
const REJECTS_HEAD = "line,reason,detail";
const FIXED = 6;  // columns of ranking.csv before those carried through
const MEANT = ["probability", "percentile", "notice"];  // columns after those carried through
const USUAL = {strict: false, output: "top", gate: "on", step: 1, terminator: "strip", gaps: "reject", pad: "off"};

/** Return the name of a job's file. */
export const fileOf = ({upload: key = ""}) => key.slice(key.lastIndexOf("/") + 1) || "File";

/** Return what a job that has ended is to be shown as. */
export async function outcome(job) {
  const {results = {}, counts, models = {}} = job;
  const source = make("p", {class: "source"}, make("strong", {}, fileOf(job)), took(job), ranWith(job.options),
    files(results));
  const title = make("div", {}, source, jobLink(job.job_id));
  const rejected = await rejectsOf(results.rejected);
  if (job.state === "FAILED") return failure(job, title, rejects({rejected, counts}));
  const [found, summary] = await Promise.all([rankingOf(results.ranking), summaryOf(results.summary)]);
  const {options = {}, notices, histograms} = {histograms: job.histograms, ...summary};
  announce(`The job is done.${spokenNotices(notices)}`);
  const listed = rejects({rejected, counts});
  if (!found)
    return [title, countsOf(counts), noticeList(notices), ...await labelledJob(job, summary), listed].filter(Boolean);
  const chosen = {threshold: options.threshold ?? 0, top_k: found.rows.length};
  return [title, ranking({...found, counts, rejected, notices, models, histograms, live: false, options: chosen}).node];
}

/** Say which options a job ran with: the two that matter most, and what differs from the usual. */
function ranWith(options) {
  const said = Object.entries(options ?? {}).filter(([name, value]) => value !== null && value !== USUAL[name]);
  if (!said.length) return null;
  return make("span", {class: "hint"}, said.map(([name, value]) => `${name} ${value}`).join(" · "));
}

function failure({reason, kind}, title, listed) {
  if (reason === "cancelled") return [make("h2", {}, "The job was stopped"), title];
  const words = kind === "classify" ? "The file could not be classified" : "The file could not be ranked";
  return [problem(new Refusal(reason || "The job failed."), words), title, listed].filter(Boolean);
}

function countsOf(counts = {}) {
  return make("p", {class: "counts"}, Object.entries(counts).map(([name, number]) => `${number} ${name}`).join(" · "));
}

function took({created, updated}) {
  const seconds = Math.round((Date.parse(updated) - Date.parse(created)) / 1000);
  if (!(seconds >= 0)) return null;
  return make("span", {class: "hint"}, `${new Date(updated).toLocaleString()}, ${lasting(seconds)}`);
}

function lasting(seconds) {
  if (seconds < 1) return "within a second";
  return `after ${seconds < 120 ? plural(seconds, "second") : plural(Math.round(seconds / 60), "minute")}`;
}

function files(results) {
  const links = Object.entries(results).map(([name, href]) => make("a", {href, download: true}, name));
  return links.length ? make("span", {class: "links"}, "Files: ", ...links) : null;
}

async function summaryOf(link) {
  return link ? JSON.parse(await read(link)) : {};
}

async function rejectsOf(link) {
  const text = link ? await read(link, REJECTS_READ) : "";
  if (!text.startsWith(REJECTS_HEAD)) return [];
  const {lines} = parseCsv(text, {cut: text.length >= REJECTS_READ});
  return lines.map(([line, reason, detail]) => ({line: Number(line), reason, detail}));
}

async function rankingOf(link) {
  return link ? rankingOfCsv(await read(link)) : null;
}

/** Return the rows of a ranking.csv, and the names of the columns that its input had. */
export function rankingOfCsv(text) {
  const {head, lines} = parseCsv(text);
  const meant = head.slice(FIXED).findIndex((_, i, all) => all.slice(i).every(name => MEANT.includes(name)));
  const last = meant < 0 ? head.length : FIXED + meant;
  const known = head.slice(last);
  const rows = lines.map(([rank, sequence, score, gate, line, id, ...more]) => ({
    rank: Number(rank), sequence, score: Number(score), gate: gate === "" ? NaN : Number(gate), line: Number(line),
    id: plain(id), ...Object.fromEntries(more.slice(0, last - FIXED).map((cell, i) => [`carried-${i}`, plain(cell)])),
    ...Object.fromEntries(known.map((name, i) => [name, meaning(name, more[last - FIXED + i])])),
  }));
  return {rows, carried: head.slice(FIXED, last).map(plain)};
}

const meaning = (name, cell) => cell === "" ? undefined : name === "notice" ? cell : Number(cell);
