// @ts-check
// Options in the address: a link to the page carries them, Back and reload bring them and the result back.

import {at} from "./dom.js";
import {wells} from "./intake.js";
import {jobInAddress} from "./jobs.js";
import {isUsual, optionFields, usual} from "./options.js";

const FORMS = {rank: "sequences", classify: "abstract"};
let replaying = false;

/** Take the options from the address, and keep it up to date; what ran is run again by `resume`. */
export function startAddress() {
  readAddress();
  for (const form of Object.keys(FORMS))
    connect(form);
  addEventListener("popstate", () => { readAddress(); resume(); });
}

function connect(form) {
  at(form).addEventListener("submit", () => writeAddress(form), {capture: true});
  at(form).addEventListener("reset", () => {
    const address = new URL(location.href);
    for (const {id} of optionFields(form)) address.searchParams.delete(id);
    history.replaceState({}, "", address);
  });
}

/** Run again what had run at this address, as after a reload, where its input is still there. */
export function resume() {
  const form = history.state?.ran;
  if (!FORMS[form] || jobInAddress()) return;
  const {files, text} = wells[FORMS[form]];
  if (!files.length && !text().trim()) return;
  replaying = true;
  at(form).requestSubmit();
  replaying = false;
}

function writeAddress(form) {
  if (replaying) return;
  const address = new URL(location.href);
  for (const each of Object.keys(FORMS).flatMap(optionFields)) address.searchParams.delete(each.id);
  for (const field of optionFields(form))
    if (!isUsual(field)) address.searchParams.set(field.id, field.type === "checkbox" ? "1" : field.value);
  address.searchParams.delete("job");
  address.hash = form === "rank" ? "" : form;
  if (address.href === location.href) history.replaceState({ran: form}, "");
  else history.pushState({ran: form}, "", address);
}

/** Put what the address says into the fields, and the usual where it says nothing. */
function readAddress() {
  const {searchParams} = new URL(location.href);
  for (const field of Object.keys(FORMS).flatMap(optionFields)) {
    const said = searchParams.get(field.id), before = field.type === "checkbox" ? field.checked : field.value;
    if (field.type === "checkbox") field.checked = said === null ? field.defaultChecked : said === "1";
    else field.value = said ?? usual(field);
    if ((field.type === "checkbox" ? field.checked : field.value) !== before)
      field.dispatchEvent(new Event("change", {bubbles: true}));
  }
}
