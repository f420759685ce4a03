// @ts-check
// The options of a form: its fields, what the service calls them, and back.

import {at} from "./dom.js";

const MEANS = {pad: "linker", windows: "window"};  // what a ticked box says, if not `true`
const NOT_OF_JOBS = ["classifier"];

/** Return the fields of a form that are options. */
export const optionFields = form =>
  [...at(form).elements].filter(field => field.id && field.matches("input:not([type=file]), select"));

/** Say whether a field has the value that it had at first. */
export function isUsual(field) {
  if (field.type === "checkbox") return field.checked === field.defaultChecked;
  return field.value === usual(field);
}

/** Return the value that a field had at first. */
export function usual(field) {
  if (field.tagName !== "SELECT") return field.defaultValue;
  const options = [...field.options];
  return (options.find(option => option.defaultSelected) ?? options[0])?.value ?? "";
}

/**
 * Return the options of a form as an address has them: those that are not the usual. `changed` are newer values by
 * fields, over a query from before.
 * @param {string} form
 * @param {Record<string, any>} [changed]
 * @param {URLSearchParams} [before]
 */
export function formQuery(form, changed = {}, before = undefined) {
  const query = new URLSearchParams(before);
  for (const field of optionFields(form)) {
    if (!before && !isUsual(field)) query.set(field.id, field.type === "checkbox" ? "1" : field.value);
    if (!(field.id in changed)) continue;
    query.set(field.id, changed[field.id]);
    if (`${changed[field.id]}` === usual(field)) query.delete(field.id);
  }
  return query;
}

/** Return a field as the service calls it, [name, value]; a value of null is the service's own. */
export function optionOf(field) {
  const {id, type, checked, value} = field;
  if (id === "windows") return ["window", checked ? Number(at("windows-length").textContent) : null];
  if (type === "checkbox") return [id, checked ? MEANS[id] ?? true : null];
  if (type === "number") return [id, value === "" ? null : Number(value)];
  return [id, isUsual(field) ? null : value];
}

/** Return all options of a form as a job takes them; a step without windows would be refused. */
export function jobOptions(form) {
  const fields = optionFields(form).filter(({id, value}) => !NOT_OF_JOBS.includes(id) && (value || id === "column"));
  const {step, ...given} = Object.fromEntries(fields.map(optionOf));
  return {...given, step: given.window ? step : null};
}

/** Put the options that a job ran with into the fields of their names. */
export function fillOptions(options) {
  for (const [name, value] of Object.entries(options)) put(at(name), value);
  if ("window" in options) put(at("windows"), options.window === null ? null : "window");
}

function put(field, value) {
  if (!field?.matches("input, select") || value === undefined) return;
  if (field.type === "checkbox") field.checked = value === true || value === MEANS[field.id];
  else field.value = value ?? usual(field);
  field.dispatchEvent(new Event("change", {bubbles: true}));
}
