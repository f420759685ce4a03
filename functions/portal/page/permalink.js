// @ts-check
// A run in its address: the input packed into the fragment, which browsers send to nobody, and back.

import {Refusal} from "./service.js";

/** A fragment with an input: its form and what is packed. */
export const LINK = /^#(rank|classify)=(.*)$/s;
/** Characters of a fragment; mailers and chats pass on addresses of that length. */
export const LONGEST = 8000;
const MOST = 1e6;  // bytes of an input in a link: what unpacks beyond that was not packed here
const NAME = 200;  // characters of a file's name, and of the models' names
const FORM = "deflate-raw";
const DAMAGED = "It is damaged or was cut off. Ask for it again, as a whole.";

/** Take a packed input out of an address; its form stays. @param {URL} address */
export function unlink(address) {
  address.hash = address.hash.replace(LINK, "$1").replace(/^#?rank$/, "");
  return address;
}

/**
 * Return an input as text for a fragment; empty where it does not fit.
 * @param {File | string} input
 * @param {string} made the models that answered
 */
export async function packed(input, made) {
  const name = typeof input === "string" ? "" : input.name.slice(0, NAME);
  const whole = new Blob([`${JSON.stringify({name, made})}\n`, input]);
  if (whole.size > MOST) return "";
  const bytes = await unread(whole.stream().pipeThrough(new CompressionStream(FORM)), LONGEST);
  const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return text.length <= LONGEST ? text : "";
}

/**
 * Return what a fragment holds: {input, made}. Throws Refusal.
 * @param {string} text
 * @returns {Promise<{input: File | string, made: string}>}
 */
export async function unpacked(text) {
  if (text.length > LONGEST || !/^[\w-]+$/.test(text)) throw new Refusal(DAMAGED);
  const bytes = await inflated(text).catch(() => { throw new Refusal(DAMAGED); });
  if (bytes.length > MOST) throw new Refusal(`It holds more than ${MOST / 1e6} MB.`);
  const end = bytes.indexOf(10);
  const {name, made} = headOf(new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0))));
  const body = bytes.slice(end + 1);
  return {input: name ? new File([body], name, {type: ""}) : new TextDecoder().decode(body), made};
}

function inflated(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), each => each.charCodeAt(0));
  return unread(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(FORM)), MOST);
}

/** Return the bytes of a stream; of one that has more than `most`, somewhat more than that, and leave the rest. */
async function unread(stream, most) {
  const reader = stream.getReader(), parts = [];
  for (let length = 0, step; length <= most && !(step = await reader.read()).done; length += step.value.length)
    parts.push(step.value);
  reader.cancel().catch(() => {});
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function headOf(line) {
  const short = value => typeof value === "string" ? value.slice(0, NAME) : "";
  try {
    const {name, made} = JSON.parse(line);
    return {name: short(name), made: short(made)};
  } catch {
    throw new Refusal(DAMAGED);
  }
}
