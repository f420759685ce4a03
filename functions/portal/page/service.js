// @ts-check
// Talking to the service, wherever it lies: addresses are relative to this script.

import {apiKey, askForKey} from "./key.js";

const ROOT = new URL("../", import.meta.url);

/** Return the address of a route. */
export const addressOf = route => new URL(route, ROOT).href;

/** What the service, or the way to it, refused: `code` and `details` as in its replies. */
export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, code?: string, details?: any, wait?: number}} [found]
   */
  constructor(message, {status = 0, code = "", details = {}, wait = 0} = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.wait = wait;
  }
}

/** Ask a route and return its JSON. Throws Refusal; where a key is missing, asks for it and tries again. */
export async function ask(route, options = {}) {
  const reply = await sent(new URL(route, ROOT), {...options, headers: headers(options)});
  if (reply.ok) return reply.json();
  const refusal = await refused(reply);
  if (refusal.code !== "forbidden") throw refusal;
  const why = apiKey() ? "The service refused this key. Enter another." : "This service requires an API key.";
  if (!await askForKey(why)) throw refusal;
  return ask(route, options);
}

function headers({headers: given = {}}) {
  const key = apiKey();
  return {accept: "application/json", ...given, ...(key ? {"x-api-key": key} : {})};
}

async function sent(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The service cannot be reached.", {code: "unreachable"});
  }
}

async function refused(reply) {
  const {error = {}, message} = await reply.json().catch(() => ({}));
  const wait = Number(reply.headers.get("retry-after")) || 0;
  const words = error.message ?? message ?? `The service answered ${reply.status}.`;
  const code = error.code ?? (reply.status === 403 ? "forbidden" : "");
  const signed = code === "forbidden" && /\bsigned\b/.test(words);
  const {status} = reply, {details = {}} = error;
  return new Refusal(words, {status, code: signed ? "unsigned" : code, wait, details});
}

/** Ask for JSON to be posted. */
export function post(route, value, options = {}) {
  return ask(route, {method: "POST", body: JSON.stringify(value),
    ...options, headers: {"content-type": "application/json"}});
}

/** Return a reply itself, or what it links to where it was too large to be one. */
export async function whole(found) {
  return found.result_url ? JSON.parse(await read(found.result_url)) : found;
}

/** Return the text behind a link to a result, its first `most` bytes at most. Throws Refusal. */
export async function read(link, most = 64e6) {
  const reply = await sent(link, {});
  if (!reply.ok || !reply.body)
    throw new Refusal("The result could not be read. Links expire after an hour: reload the page.");
  const reader = reply.body.getReader(), parts = [];
  for (let length = 0, step; length < most && !(step = await reader.read()).done; length += step.value.length)
    parts.push(step.value);
  reader.cancel().catch(() => {});
  return new Blob(parts).text();
}

/** Send a file as a presigned form says; `moved(share, bytes)` hears of the progress. Throws Refusal, AbortError. */
export function send({url, fields}, file, moved, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return /** @type {Promise<void>} */(new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const progressed = ({loaded, total}) => moved(loaded / total, Math.min(loaded, file.size));
    request.upload.addEventListener("progress", progressed);
    request.addEventListener("load", () => request.status < 300 ? resolve() : reject(unsent(request)));
    request.addEventListener("error", () => reject(new Refusal("The upload was interrupted.", {code: "unreachable"})));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.send(form);
  }));
}

function unsent(request) {
  const message = /<Message>([^<]*)/.exec(request.responseText)?.[1];
  const large = request.responseText.includes("EntityTooLarge");
  const words = large ? "The file exceeds the upload limit."
    : `The store refused the upload: ${message ?? request.status}.`;
  return new Refusal(words, {status: request.status, code: large ? "too_large" : "upload_refused"});
}
