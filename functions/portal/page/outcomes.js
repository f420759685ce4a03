// @ts-check
// What a job left: a ranking, rejects, files to download, or the reason for which there is none.

import {parseCsv, plain} from "./csv.js";
import {announce, make, plural} from "./dom.js";
import {noticeList, spokenNotices} from "./notices.js";
import {problem} from "./problems.js";
import {ranking} from "./ranking.js";
import {rejects} from "./rejects.js";
import {Refusal, read} from "./service.js";

const REJECTS_READ = 200_000;  // characters
const REJECTS_HEAD = "line,reason,detail";
const FIXED = 6;  // columns of ranking.csv before those carried through

/** Return the name of a job's file. */
export const fileOf = ({upload: key = ""}) => key.slice(key.lastIndexOf("/") + 1) || "File";

/** Return what a job that has ended is to be shown as. */
export async function outcome(job) {
  const {results = {}, counts, models = {}} = job;
  const title = make("p", {class: "source"}, make("strong", {}, fileOf(job)), took(job), files(results));
  const rejected = await rejectsOf(results.rejected);
  if (job.state === "FAILED") return failure(job, title, rejects({rejected, counts}));
  const [found, {options = {}, notices}] = await Promise.all([rankingOf(results.ranking), summaryOf(results.summary)]);
  announce(`The job is done.${spokenNotices(notices)}`);
  if (!found) return [title, countsOf(counts), noticeList(notices), rejects({rejected, counts})].filter(Boolean);
  const chosen = {threshold: options.threshold ?? 0, top_k: found.rows.length};
  return [title, ranking({...found, counts, rejected, notices, models, live: false, options: chosen}).node];
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
  const long = seconds < 120 ? plural(seconds, "second") : plural(Math.round(seconds / 60), "minute");
  return make("span", {class: "hint"}, `${new Date(updated).toLocaleString()}, after ${long}`);
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
  if (!link) return null;
  const {head, lines} = parseCsv(await read(link));
  const rows = lines.map(([rank, sequence, score, gate, line, id, ...extra]) => ({
    rank: Number(rank), sequence, score: Number(score), gate: gate === "" ? NaN : Number(gate), line: Number(line),
    id: plain(id), ...Object.fromEntries(extra.map((cell, i) => [`carried-${i}`, plain(cell)])),
  }));
  return {rows, carried: head.slice(FIXED).map(plain)};
}
