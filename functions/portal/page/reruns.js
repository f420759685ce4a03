// @ts-check
// A job's file again, with the options that the form has now: nothing is uploaded once more.

import {announce, at, button, make} from "./dom.js";
import {jobOptions} from "./options.js";
import {fileOf} from "./outcomes.js";
import {rememberRun} from "./runs.js";
import {post} from "./service.js";

/** Offer to rank a job's file again; `open(id)` shows the new job. */
export function rerunBar({job_id: id, kind, upload, state = "", rerun_of: before = ""}, open) {
  if (kind !== "rank") return "";
  const said = make("p", {class: "field-error", hidden: true});
  const again = button("Rank the file again", async () => {
    again.disabled = true;
    try {
      const job = await post(`jobs/${encodeURIComponent(id)}/rerun`, jobOptions("rank"));
      announce("The file is ranked again.");
      rememberRun({job: job.job_id, kind, name: fileOf({upload})});
      if (again.isConnected) open(job.job_id);  // people may have gone on to something else
    } catch (error) {
      said.textContent = error.message;
      said.hidden = false;
      announce(error.message);
    }
    again.disabled = false;
  });
  const first = before && make("a", {href: `?job=${encodeURIComponent(before)}`}, "The run before");
  return make("div", {class: "again"}, make("p", {class: "hint"}, `${state === "FAILED" ? "If other options can help"
    : "To try another threshold, or more rows"}, change the options in the form and rank the file again. `
    + "Nothing is uploaded once more. ", first), again, said);
}

/** Go to a job's page, as its address does. */
export function goToJob(id) {
  const address = new URL(location.href);
  address.search = `?job=${encodeURIComponent(id)}`;
  history.pushState({}, "", address);
  dispatchEvent(new PopStateEvent("popstate", {state: {}}));
  at("rank-result").scrollIntoView({block: "nearest"});
}
