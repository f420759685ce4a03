// Errors, for people: what went wrong and what to do about it.

import {announce, make} from "./dom.js";

const ADVICE = {
  unreachable: "Check the connection, then try again. Nothing of what you entered is lost.",
  forbidden: "Enter the API key of this deployment (at the top), or ask whoever runs it for one.",
  unsigned: "This deployment takes calls signed by AWS credentials alone: use the command line, or an AWS client.",
  throttled: "Many requests came at once. Wait a moment and try again.",
  quota_exceeded: "This key has used up its requests for now. Try again tomorrow, or ask for a higher quota.",
  unsupported_media_type: "Send lines, FASTA, CSV, or one of these gzipped; for an abstract a PDF or text.",
  rejected_records: "Mend the records below, or switch off “Strict” to rank the others.",
  timeout: "This took longer than a request may. As a file over 4 MB it becomes a job, which may take its time.",
  not_found: "Check the address. Records of jobs are kept for 30 days.",
  upload_refused: "Uploads are open for an hour. Try again for a new one.",
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
