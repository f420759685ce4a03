// @ts-check
// Errors, for people: what went wrong and what to do about it.

import {announce, make} from "./dom.js";

const ADVICE = {
  unreachable: "Check the connection, then try again. Your input is still here.",
  forbidden: "Enter the API key at the top. The operator of this deployment issues keys.",
  unsigned: "This deployment accepts only calls signed with AWS credentials. Use an AWS client.",
  throttled: "Too many requests at once. Wait a moment and try again.",
  quota_exceeded: "This key has used its quota. Try again tomorrow, or ask for a higher quota.",
  unsupported_media_type: "Send sequences as lines, FASTA or CSV, gzipped or not; send an abstract as text or PDF.",
  rejected_records: "Fix the records below, or turn off Strict to rank the others.",
  timeout: "A request may not take this long. Send the input as a file over 4 MB: it becomes a job without this limit.",
  not_found: "Check the address.",
  upload_refused: "An upload stays open for an hour. Try again to get a new one.",
};

/** Return what is wrong as a box that is read out at once. */
export function problem(error, title = "That did not work") {
  const advice = hint(error);
  announce(`${title}: ${sentence(error)} ${advice}`);
  return make("div", {class: "problem", role: "group", "aria-label": title},
    make("h2", {}, title),
    make("p", {}, sentence(error)),
    advice && make("p", {class: "hint"}, advice));
}

function hint({code, status = 0, wait = 0}) {
  if (ADVICE[code]) return ADVICE[code];
  if (status >= 500) return `Your input is not at fault. Try again in ${wait || 30} seconds.`;
  return "";
}

/** Return an error's message as a sentence. */
export function sentence({message}) {
  const text = `${message[0]?.toUpperCase() ?? ""}${message.slice(1)}`;
  return /[.!?…)]$/.test(text) ? text : `${text}.`;
}
