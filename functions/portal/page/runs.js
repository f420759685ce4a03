// @ts-check
// Runs of late, remembered in this browser alone: where each is found again, and how to forget them.

import {at, button, make} from "./dom.js";

const NAME = "assay-runs", MOST = 12;

/** Return the runs of late, the last first: {job, kind, name, state, when}. */
export function recentRuns() {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter(({job, name}) => job && name) : [];
  } catch {
    return [];
  }
}

/** Remember a run, or what has become of it. */
export function rememberRun({job, kind, name, state = ""}) {
  const others = recentRuns();
  const before = others.find(each => each.job === job);
  const run = {when: Date.now(), ...before, job, kind, name, state};
  keepRuns([run, ...others.filter(each => each !== before)].slice(0, MOST));
  showRuns();
}

function keepRuns(runs) {
  try {
    if (runs.length) localStorage.setItem(NAME, JSON.stringify(runs));
    else localStorage.removeItem(NAME);
  } catch { /* a browser that keeps nothing shows nothing */ }
}

/** Show the runs under the page's footer; nothing while there are none. */
export function showRuns() {
  const runs = recentRuns();
  at("runs").hidden = !runs.length;
  const forget = button("Forget them", () => { keepRuns([]); showRuns(); }, "link");
  const note = make("p", {class: "hint"}, "This browser keeps the list; the service does not. Anyone who has a job’s "
    + "address can open it. ", forget);
  at("runs").replaceChildren(make("summary", {}, "Recent jobs"), make("ul", {}, runs.map(line)), note);
}

function line({job, kind, name, state, when}) {
  const words = [kind === "classify" ? "abstracts" : "sequences", state, new Date(when).toLocaleString()];
  return make("li", {}, make("a", {href: `?job=${encodeURIComponent(job)}`}, name),
    make("span", {class: "soft"}, ` ${words.filter(Boolean).join(" · ")}`));
}
