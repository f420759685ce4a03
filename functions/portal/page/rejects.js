// @ts-check
// What could not be scored, with line and reason.

import {save, writeCsv} from "./csv.js";
import {button, count, make} from "./dom.js";
import {sortedTable} from "./table.js";

const WORDS = {
  length: "wrong length",
  residue: "unknown residue",
  empty: "empty",
  encoding: "not ASCII",
  too_long_line: "line too long",
  malformed: "stray quote",
  not_finite: "no finite score",
};
const COLUMNS_OF_REJECTS = [
  {key: "line", title: "line", kind: "number", show: count},
  {key: "reason", title: "reason", kind: "name", show: reason => WORDS[reason] ?? reason},
  {key: "detail", title: "detail", kind: "text"},
];
const FEW = 10;

/**
 * Show the rejected records; nothing where there are none.
 * @param {{rejected?: any[], counts?: any}} found
 */
export function rejects({rejected = [], counts = {}}) {
  const all = Math.max(counts.rejected ?? 0, rejected.length);
  if (!all) return null;
  const table = sortedTable({caption: "Rejected records", columns: COLUMNS_OF_REJECTS});
  table.put(rejected);
  const part = rejected.length < all && `The first ${count(rejected.length)} are listed.`;
  const file = button("CSV", () => save("rejected.csv", "text/csv", writeCsv(COLUMNS_OF_REJECTS, rejected)));
  return make("details", {class: "rejects", open: rejected.length <= FEW},
    make("summary", {}, `${count(all)} rejected`, make("span", {class: "hint"}, ` ${reasons(rejected)}`)),
    make("div", {class: "tools"}, make("span", {class: "hint grow"}, part || "Line numbers refer to the input."), file),
    table.node);
}

function reasons(rejected) {
  const tally = new Map();
  for (const {reason} of rejected) tally.set(reason, (tally.get(reason) ?? 0) + 1);
  return [...tally].map(([reason, number]) => `${count(number)} ${WORDS[reason] ?? reason}`).join(", ");
}
