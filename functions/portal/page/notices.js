// @ts-check
// What was done to an input, or seen in it, though nothing was refused for it.

import {count, make, plural} from "./dom.js";
import {sentence} from "./problems.js";

/** Show notices {code, message, lines, count}; nothing if there are none. Lines may be of another `noun`. */
export function noticeList(notices, noun = "line") {
  if (!notices?.length) return null;
  return make("ul", {class: "notice notices", "aria-label": "Notes about the input"},
    notices.map(each => make("li", {"data-code": each.code}, sentence(each), place(each, noun))));
}

/** Say on which lines, as the command line does: the first of them, and how many there are. */
function place({lines = [], count: number = 0}, noun) {
  const words = lines.length ? named(lines, number, noun) : number && `${count(number)} times`;
  return words ? make("span", {class: "soft"}, ` (${words})`) : null;
}

/** Windows of one protein share its line, which is named once. */
function named(lines, number, noun) {
  const each = [...new Set(lines)], listed = each.map(count).join(", ");
  const nouns = each.length === 1 ? noun : `${noun}s`;
  const more = number > lines.length ? ", …" : "";
  if (each.length < lines.length) return `${count(number)} times: ${nouns} ${listed}${more}`;
  return more ? `${count(number)} ${noun}s: ${listed}${more}` : `${nouns} ${listed}`;
}

/** Return what is read out of notices, a blank before it; empty if there are none. */
export const spokenNotices = notices =>
  notices?.length ? ` ${plural(notices.length, "note")} about the input.` : "";
