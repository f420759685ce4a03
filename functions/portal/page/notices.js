// @ts-check
// What was done to an input, or seen in it, though nothing was refused for it.

import {count, make, plural} from "./dom.js";
import {sentence} from "./problems.js";

/** Show notices {code, message, lines, count}; nothing if there are none. */
export function noticeList(notices) {
  if (!notices?.length) return null;
  return make("ul", {class: "notice notices", "aria-label": "Notes about the input"},
    notices.map(each => make("li", {"data-code": each.code}, sentence(each), place(each))));
}

/** Say on which lines, as the command line does: the first of them, and how many there are. */
function place({lines = [], count: number = 0}) {
  const words = lines.length ? named(lines, number) : number && `${count(number)} times`;
  return words ? make("span", {class: "soft"}, ` (${words})`) : null;
}

function named(lines, number) {
  const listed = lines.map(count).join(", ");
  if (number > lines.length) return `${count(number)} lines: ${listed}, …`;
  return `${lines.length === 1 ? "line" : "lines"} ${listed}`;
}

/** Return what is read out of notices, a blank before it; empty if there are none. */
export const spokenNotices = notices =>
  notices?.length ? ` ${plural(notices.length, "note")} about the input.` : "";
