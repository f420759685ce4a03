
"use strict";

const BASE = document.body.dataset.base;
const MOST_BYTES = 4.5e6;
const SHOWN_LABELS = 8;
// Designed helical bundles, and copies of them that are shuffled or have prolines, glycines or aspartates put in.
const EXAMPLE_SEQUENCES = [
  ">design-59", "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS",
  ">scramble-59", "EKPLRRRLIKKDILPIKKDKEDRIKELEDGELGLELRILELERLESSGGS",
  ">proline-59", "DEELEKLPKKLLRKGIDPEEIREPLKRRGIDPKDIERPLRELKLESSGGS",
  ">glycine-59", "DEELEKLLKKGLRKGIDPEEGREGLKRRGIDPKDIERLGRELKLESSGGS",
  ">buried_asp-59", "DEEDEKDLKKLLRKGIDPEEIREILKRRGIDPKDIERDLRELKLESSGGS",
  ">design-24", "SEEIERLVRKLIRKGVDPEEVREVLKRKGVDPKELEKVIKEIRLESSGGS",
  ">scramble-24", "IDLEERGIEEVIPKVKVEKDPRVSERVEIELGRRLKKKKVLRELESSGGS",
  ">proline-24", "SEEIERLPRKLIRKGVDPEEVREPLKRKGVDPKELEKPIKEIRLESSGGS",
  ">glycine-24", "SEEIERLVRKLGRKGVDPEEGREVLKRKGVDPKELEKGGKEIRLESSGGS",
  ">buried_asp-24", "SEEIERLVRKLIRKGVDPEEDREVLKRKGVDPKEDEKDIKEIRLESSGGS",
  ">design-50", "DEELERVLRRLLRRGVSPEEIRELIRRKGISPREVEKLLKELKLESSGGS",
  ">design-31", "DDEIEKILKKLLRRGVDPEELKEVLRRKGVDPKELERLLKELRLESSGGS",
  ">design-72", "DEEIDKILRKLLKNGVSPEEIREILRRKGIDPRDIDKLIREIRLESSGGS",
  ">too-short", "MKKLLPTAAAGLLLLAAQPAMA",
].join("\n");
// arXiv:0704.0001, CC0
const EXAMPLE_ABSTRACT = [
  "A fully differential calculation in perturbative quantum chromodynamics is presented for the",
  "production of massive photon pairs at hadron colliders. All next-to-leading order perturbative",
  "contributions from quark-antiquark, gluon-(anti)quark, and gluon-gluon subprocesses are included, as",
  "well as all-orders resummation of initial-state gluon radiation valid at next-to-next-to-leading",
  "logarithmic accuracy. The region of phase space is specified in which the calculation is most",
  "reliable. Good agreement is demonstrated with data from the Fermilab Tevatron, and predictions are",
  "made for more detailed tests with CDF and DO data. Predictions are shown for distributions of",
  "diphoton pairs produced at the energy of the Large Hadron Collider (LHC). Distributions of the",
  "diphoton pairs from the decay of a Higgs boson are contrasted with those produced from QCD processes",
  "at the LHC, showing that enhanced sensitivity to the signal can be obtained with judicious selection",
  "of events.",
].join(" ");
const at = id => document.getElementById(id);
let thresholds = {};

/** Make an element with text or children. */
function element(tag, content = "", name = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.append(...(Array.isArray(content) ? content : [content]));
  return made;
}

/** Make a table in a box of its own that scrolls sideways; a column is [title, class], a cell is text or a node. */
function table(caption, columns, rows) {
  const head = columns.map(([title, name]) => Object.assign(element("th", title, name), {scope: "col"}));
  const content = cell => cell instanceof Node ? [cell] : `${cell ?? ""}`;
  const cells = row => row.map((cell, i) => element("td", content(cell), columns[i][1]));
  const lines = rows.map(({row, name}) => element("tr", cells(row), name));
  const made = element("table", [element("thead", [element("tr", head)]), element("tbody", lines)]);
  made.setAttribute("aria-label", caption);
  const box = element("div", [made], "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", caption);
  return box;
}

/** Ask the service and return its JSON; an Error carries its message. */
async function ask(route, options = {}) {
  const key = at("key").value ? {"x-api-key": at("key").value} : {};
  const headers = {accept: "application/json", ...options.headers, ...key};
  const reply = await fetch(BASE + route, {...options, headers});
  const found = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(found.error?.message ?? found.message ?? `The service answered ${reply.status}.`);
  return found;
}

/** Let a form's button run a task that returns a status and what to show. */
function connect(form, status, output, task) {
  at(form).addEventListener("submit", async event => {
    event.preventDefault();
    const button = at(form).querySelector("button");
    button.disabled = true;
    at(output).replaceChildren();
    at(status).replaceChildren("Working …");
    try {
      const [text, ...shown] = await task();
      at(status).replaceChildren(text);
      at(output).replaceChildren(...shown);
    } catch (error) {
      at(status).replaceChildren(element("span", error.message, "error"));
    }
    button.disabled = false;
  });
}

/** Offer rows as a CSV file. */
function download(name, columns, rows) {
  const quoted = value => `"${`${value ?? ""}`.replace(/^[=+@\t\r]|^-(?![\d.]+$)/, "'$&").replaceAll('"', '""')}"`;
  const text = [columns, ...rows].map(row => row.map(quoted).join(",")).join("\r\n");
  const link = element("a", `Download ${name}`);
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = name;
  return element("p", [link]);
}

async function rank() {
  const options = new URLSearchParams({top_k: at("top_k").value, threshold: at("threshold").value});
  const found = await ask(`/rank?${options}`, sequences());
  const {counts} = found;
  const status = `${counts.received} received: ${counts.scored} scored, ${counts.passed} passed the gate, `
    + `${counts.rejected} rejected, ${counts.duplicates} duplicates.`;
  if (!found.result_url) return [status, ...ranking(found), ...rejects(found)];
  const link = element("a", "The ranking is large: download it.");
  link.href = found.result_url;
  return [status, element("p", [link])];
}

/** Return the request's body: the file, or else the text. */
function sequences() {
  const file = at("input_file").files[0], text = at("sequences").value;
  if (!file && !text.trim()) throw new Error("Paste sequences or choose a file first.");
  if ((file?.size ?? text.length) > MOST_BYTES)
    throw new Error("That is over 4.5 MB: POST /uploads takes files of any size, see API.");
  const body = new FormData();
  body.append("input_file", file ?? new File([text], "sequences", {type: ""}));
  return {method: "POST", body};
}

function ranking({ranked, models}) {
  if (!ranked.length) return [element("p", "None passed the gate.")];
  const columns = ["rank", "sequence", "score", "gate", "line", "id"];
  const kinds = ["number", "sequence", "number", "number", "number", ""];
  const rows = ranked.map(r => ({row: [r.rank, r.sequence, r.score.toFixed(3), r.gate.toFixed(3), r.line, r.id]}));
  const {score, gate} = models;
  const note = `Score: ${score.name} ${score.version}. Gate: ${gate.name} ${gate.version}.`;
  return [table("Ranking", columns.map((title, i) => [title, kinds[i]]), rows), element("p", note, "note"),
    download("ranking.csv", columns, ranked.map(row => columns.map(name => row[name])))];
}

function rejects({rejected, counts}) {
  if (!rejected.length) return [];
  const title = counts.rejected > rejected.length ? `Rejected: the first ${rejected.length}` : "Rejected";
  const rows = rejected.map(r => ({row: [r.line, r.reason, r.detail]}));
  return [element("h3", title), table(title, [["line", "number"], ["reason", ""], ["detail", ""]], rows)];
}

async function classify() {
  const body = JSON.stringify({abstract: at("abstract").value}), headers = {"content-type": "application/json"};
  const {model, results: [result]} = await ask("/classify", {method: "POST", body, headers});
  const chosen = new Set(result.labels.map(({label}) => label));
  const best = Object.entries(result.scores).sort((a, b) => b[1] - a[1]).slice(0, SHOWN_LABELS);
  const rows = best.map(([label, score]) => {
    const threshold = thresholds[label] ?? 0.5, listed = chosen.has(label);
    return {row: [label, bar(score, threshold), score.toFixed(3), threshold.toFixed(3), listed ? "yes" : "no"],
      name: listed ? "chosen" : ""};
  });
  const columns = [["label", ""], ["0 to 1", "bar"], ["probability", "number"], ["threshold", "number"], ["listed", ""]];
  const cut = result.truncated ? "; the rest was cut off" : "";
  return [chosen.size ? `Labels: ${[...chosen].join(", ")}.` : "No label reaches its threshold.",
    table("Probabilities", columns, rows),
    element("p", `${model.name} ${model.version} read ${result.tokens} tokens${cut}.`, "note")];
}

/** Draw a probability as a bar with a mark at the threshold; the numbers beside it say the same. */
function bar(score, threshold) {
  const fill = element("i"), mark = element("b"), made = element("div", [fill, mark]);
  fill.style.width = `${100 * score}%`;
  mark.style.left = `${100 * threshold}%`;
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** Say what the models that serve ask for; the page works without. */
async function describe() {
  const [{models: serving}, {models}] = await Promise.all([ask("/health"), ask("/models")]);
  const of = role => models.find(({name}) => name === serving[role].name) ?? {};
  const {alphabet, length} = of("score"), {labels = [], thresholds: given = {}} = of("classifier");
  if (length) at("sequences-hint").prepend(`${length} residues of ${alphabet} each. `);
  if (labels.length) at("classify-models").append(` The labels: ${labels.join(", ")}.`);
  thresholds = given;
}

connect("rank", "rank-status", "ranking", rank);
connect("classify", "classify-status", "classes", classify);
at("example-sequences").addEventListener("click", () => {
  at("sequences").value = EXAMPLE_SEQUENCES;
  at("input_file").value = "";
});
at("example-abstract").addEventListener("click", () => { at("abstract").value = EXAMPLE_ABSTRACT; });
describe().catch(() => {});
