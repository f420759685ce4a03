// @ts-check
// Options in the address: a link to the page carries them, Back and reload bring them and the result back. A link to a
// run has its input too.

import {bringAbstracts} from "./classify.js";
import {announce, at, show} from "./dom.js";
import {wells} from "./intake.js";
import {jobInAddress} from "./jobs.js";
import {formQuery, isUsual, optionFields, usual} from "./options.js";
import {LINK, unlink, unpacked} from "./permalink.js";
import {problem} from "./problems.js";
import {bringSequences} from "./rank.js";
import {linked} from "./share.js";
import {openTab} from "./tabs.js";

const FORMS = {rank: "sequences", classify: "abstract"};
const BRING = {rank: bringSequences, classify: bringAbstracts};
let replaying = false, begun = false;

/** Take the options from the address, and keep it up to date; what ran is run again by `resumeFirst`. */
export function startAddress() {
  readAddress();
  for (const form of Object.keys(FORMS))
    connect(form);
  addEventListener("popstate", () => {
    readAddress();
    if (!openLink()) resume();
  });
}

function connect(form) {
  at(form).addEventListener("submit", () => writeAddress(form), {capture: true});
  at(form).addEventListener("reset", () => {
    begun = true;
    const address = new URL(location.href);
    for (const {id} of optionFields(form)) address.searchParams.delete(id);
    history.replaceState({}, "", unlink(address));
  });
}

/** Resume what the page was loaded with, unless something was run, cleared or gone to since then. */
export const resumeFirst = () => begun || resume();

/** Run again what had run at this address, as after a reload, where its input is still there; else open its link. */
function resume() {
  const form = history.state?.ran;
  if (!FORMS[form] || jobInAddress()) return openLink();
  const {files, text} = wells[FORMS[form]];
  if (!files.length && !text().trim()) return openLink();
  return press(form);
}

function press(form) {
  begun = true;
  replaying = true;
  at(form).requestSubmit();
  replaying = false;
}

/** Open the link to a run that the address is; false where it is none. */
function openLink() {
  const [, form, text] = LINK.exec(location.hash) ?? [];
  if (!form || jobInAddress()) return false;
  begun = true;
  openTab(form);
  unpacked(text).then(({input, made}) => {
    if (LINK.exec(location.hash)?.[2] !== text) return;
    linked.made = made;
    BRING[form](input);
    history.replaceState({ran: form}, "");
    announce("The link's input is in the form.");
    press(form);
  }).catch(error => show(at(`${form}-result`), problem(error, "The link could not be opened")));
  return true;
}

function writeAddress(form) {
  if (replaying) return;
  begun = true;
  linked.made = "";
  const address = new URL(location.href);
  for (const each of Object.keys(FORMS).flatMap(optionFields)) address.searchParams.delete(each.id);
  for (const [name, value] of formQuery(form)) address.searchParams.set(name, value);
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
  const more = at("rank-more");
  more.open ||= optionFields("rank").some(field => more.contains(field) && !isUsual(field));
}
