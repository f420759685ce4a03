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
  {key: "id", title: "id", kind: "name"},
  {key: "reason", title: "reason", kind: "name", show: reason => WORDS[reason] ?? reason},
  {key: "detail", title: "detail", kind: "text"},
];
const FEW = 10;

/**
 * Show the rejected records; nothing if there are none. `ids` knows names of records by their lines.
 * @param {{rejected?: any[], counts?: any, ids?: Map<number, string>}} found
 */
export function rejects({rejected: found = [], counts = {}, ids = new Map()}) {
  const rejected = found.map(each => ({...each, id: each.id ?? ids.get(each.line)}));
  const all = Math.max(counts.rejected ?? 0, rejected.length);
  if (!all) return null;
  const columns = COLUMNS_OF_REJECTS.filter(({key}) => key !== "id" || rejected.some(({id}) => id));
  const table = sortedTable({caption: "Rejected records", columns});
  table.put(rejected);
  const part = rejected.length < all ? `The first ${count(rejected.length)} of them are listed. ` : "";
  const file = button("Save as CSV", () => save("rejected.csv", "text/csv", writeCsv(columns, rejected)));
  return make("details", {class: "rejects", open: rejected.length <= FEW},
    make("summary", {}, `${count(all)} rejected`, make("span", {class: "hint"}, reasons(rejected, all))),
    make("div", {class: "tools"},
      make("span", {class: "hint grow"}, `${part}Line numbers refer to the input.`), file),
    table.node);
}

function reasons(rejected, all) {
  const tally = new Map();
  for (const {reason} of rejected) tally.set(reason, (tally.get(reason) ?? 0) + 1);
  const words = [...tally].map(([reason, number]) => `${count(number)} ${WORDS[reason] ?? reason}`).join(", ");
  if (!words) return "";
  return rejected.length < all ? ` of the first ${count(rejected.length)}: ${words}` : ` ${words}`;
}
