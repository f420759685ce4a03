// @ts-check
// "Copy link" under a result: what the link holds, and a job where the input is too long for one.

import {copy} from "./csv.js";
import {button, count, make} from "./dom.js";
import {formQuery} from "./options.js";
import {LONGEST, packed} from "./permalink.js";

/** The models that a link names which was opened; empty where none was. */
export const linked = {made: ""};

/**
 * Return a line with the link to a run of a form. `moved()` returns options that have changed since, by their fields;
 * `asJob()` runs the input as a job.
 * @param {{form: string, input: File | string, query: URLSearchParams, noun: string, models: any[], asJob: () => void,
 *   moved?: () => Record<string, any>}} run
 */
export function shareBar({form, input, query, noun, models, asJob, moved = () => ({})}) {
  const made = models.filter(Boolean).map(({name, version}) => `${name} ${version}`).join(", ");
  const node = make("div", {class: "share"}), expected = linked.made;
  const other = expected && expected !== made && make("p", {class: "notice"}, "The link was made with other models "
    + `(${expected}). The numbers here are of those that serve now (${made}), and may differ.`);
  packed(input, made).then(text => {
    const link = () => address(form, formQuery(form, moved(), query), text);
    node.append(...[other, text ? offer(link, text, noun) : tooLong(noun, asJob)].filter(Boolean));
  });
  return node;
}

/** Return a line with the link to a job that has ended. */
export function jobLink(id) {
  const link = new URL(location.pathname, location.origin);
  link.search = `?job=${encodeURIComponent(id)}`;
  return make("div", {class: "share"}, make("p", {class: "hint"},
    button("Copy link", event => copy(link.href, event.currentTarget)),
    " It opens this job while it is kept, for anyone who has the link."));
}

function address(form, query, text) {
  const found = new URL(location.pathname, location.origin);
  found.search = query.toString();
  found.hash = `${form}=${text}`;
  return found.href;
}

function offer(link, text, noun) {
  return make("p", {class: "hint"}, button("Copy link", event => copy(link(), event.currentTarget)),
    ` It holds the ${noun} and the options, in ${count(text.length)} characters. The service stores nothing.`);
}

function tooLong(noun, asJob) {
  return make("p", {class: "hint"}, `Too long for a link (${count(LONGEST)} characters). As a job, the ${noun} get an `
    + "address, which opens the result while it is kept. ", button("Run as a job", asJob));
}
