// @ts-check
// Elements. Text goes in as text nodes, never as markup: what people send may look like markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return the element of an id, of whatever kind the page has there.
 * @param {string} id
 * @returns {any}
 */
export const at = id => document.getElementById(id);

/**
 * Make an element; attributes that are undefined, null or false are left out, `on` holds listeners.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...any} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/**
 * Make an SVG element.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...any} children
 * @returns {any}
 */
export function draw(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, {on = {}, ...attributes}, children) {
  for (const [name, value] of Object.entries(attributes))
    if (given(value)) element.setAttribute(name, value === true ? "" : value);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter(given));
  return element;
}

const given = value => value !== undefined && value !== null && value !== false;

/** Make a button. */
export const button = (text, click, name = "") => make("button", {type: "button", class: name, on: {click}}, text);

/** Tell people who listen to the page rather than see it. */
export function announce(text) {
  const status = at("status");
  status.textContent = status.textContent === text ? `${text}\u00a0` : text;
}

/** Write a number with separators of thousands. */
export const count = number => Number(number).toLocaleString("en");

/** Write `1 record` or `3 records`. */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** Write a size in bytes for people. */
export function size(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 3);
  const value = bytes / 1000 ** power;
  return `${power && value < 10 ? value.toFixed(1) : Math.round(value)} ${["B", "kB", "MB", "GB"][power]}`;
}

/** Put nodes into a pane; where it lies out of sight, as below the form on a phone, bring it into view. */
export function show(pane, ...nodes) {
  pane.replaceChildren(...nodes);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (pane.getBoundingClientRect().top > innerHeight * 0.7)
    pane.scrollIntoView({behavior: calm ? "auto" : "smooth", block: "start"});
}

/** Say in the window's title what goes on; nothing takes that back. */
export function titled(text) {
  document.title = text ? `${text} · Assay` : "Assay";
}
