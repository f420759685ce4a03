// @ts-check
// Abstracts on their way to the service: texts, a file, or several files, whose answers become one.

import {HOLDS_MANY, contentsOf, textOf} from "./contents.js";
import {count, size} from "./dom.js";
import {upload} from "./jobs.js";
import {Refusal, ask, post, whole} from "./service.js";

/** The most texts that one request takes. */
export const MOST_TEXTS = 64;
const MOST_PDF = 4.4e6;  // bytes; the gateway takes 4.5 MB
const BEGINNING = 65_536;  // bytes by which the service judges a file
const TOGETHER = 2;  // files on their way at once
const SHORTEST = 50, LONGEST = 5000;  // characters of an abstract after cleaning
const BETWEEN = /^[ \t]*-{3,}[ \t]*$/m;

/** Return the texts of a box. */
export const parts = text => text.split(BETWEEN).map(part => part.trim()).filter(Boolean);

/** Return about how many characters cleaning leaves of a text. */
function cleaned(text) {
  const bare = text.replace(/<\/?[a-z][^>]*>/gi, " ").replace(/https?:\S+/g, " ").replace(/&#?\w+;/g, "?");
  return bare.normalize("NFKC").replace(/\s+/g, " ").trim().length;
}

/** Say what is wrong with the length of texts, before they are sent; empty where nothing is. */
export function misfits(texts) {
  const many = texts.length > 1;
  const wrong = texts.map((text, i) => misfit(cleaned(text), many ? `Abstract ${i + 1} has` : "The abstract has"))
    .filter(Boolean);
  return wrong.length > 1 ? `${wrong[0]} ${count(wrong.length - 1)} more do not fit either.` : wrong[0] ?? "";
}

function misfit(length, who) {
  if (length < SHORTEST) return `${who} ${count(length)} characters. It needs at least ${SHORTEST}.`;
  if (length > LONGEST) return `${who} ${count(length)} characters. The most is ${count(LONGEST)}: shorten it.`;
  return "";
}

/**
 * Return the answer to texts.
 * @param {string[]} texts
 * @param {{route: string, signal: AbortSignal}} call
 */
export async function ofTexts(texts, {route, signal}) {
  return whole(await post(route, texts.length > 1 ? {abstracts: texts} : {abstract: texts[0]}, {signal}));
}

/** Return texts as a file, which a job takes. */
export const listed = texts =>
  new File([texts.map(text => `${JSON.stringify({abstract: text})}\n`).join("")], "pasted.jsonl", {type: ""});

/** Return the answer to a file; null where it became a job, which `call.job(file)` shows by itself. */
export async function ofFile(file, call) {
  const pdf = await contentsOf(file) === "pdf";
  if (pdf && file.size > MOST_PDF)
    throw new Refusal(`${file.name} has ${size(file.size)}. A request takes ${size(MOST_PDF)}. Paste the abstract.`);
  if (pdf) return sentFile(new File([file], file.name, {type: "application/pdf"}), call);
  if (file.size > MOST_PDF) return call.job(file);
  return sentFile(untyped(file), call).catch(error => {
    if (error.code !== "too_large") throw error;
    return call.job(file);
  });
}

async function sentFile(file, {route, signal}) {
  const body = new FormData();
  body.append("input_file", file);
  return whole(await ask(route, {method: "POST", body, signal}));
}

/** Send a file that a request cannot take as a job, unless its beginning shows that this is hopeless. */
export async function ofJob(file, pane, call) {
  if (!HOLDS_MANY.test(file.name)) await sentFile(untyped(file, BEGINNING), call).catch(hopeless);
  await upload(pane, file, {}, call.signal, "classify");
  return null;
}

/** Return a file, or its beginning, without the type that a browser guesses: the service looks itself. */
const untyped = (file, most = file.size) => new File([file.slice(0, most)], file.name, {type: ""});

/** Throw what the service says of a file's beginning where that is no form that it reads. */
function hopeless(error) {
  if (error.name === "AbortError" || error.details?.found) throw error;
}

/** Return the answers to several files as one: each result has an `id`, and of a file that fails its error. */
export async function ofFiles(files, call) {
  const answers = new Array(files.length);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < files.length; i = next++) {
      answers[i] = await oneOf(files[i], call);
      call.moved(answers.filter(Boolean).length);
    }
  };
  await Promise.all(Array.from({length: TOGETHER}, work));
  const first = answers.find(({model}) => model);
  if (!first) throw new Refusal(answers[0].results[0].error.message);
  return {...first, results: answers.flatMap(({results}) => results), notices: answers.flatMap(({notices}) => notices)};
}

async function oneOf(file, call) {
  const job = () => {
    throw new Refusal(`${file.name} holds more than a request takes. Classify it by itself: it becomes a job.`);
  };
  try {
    const text = await contentsOf(file) === "text" ? await textOf(file) : null;
    const found = await (text === null ? ofFile(file, {...call, job}) : ofTexts(parts(text), call));
    const named = (each, i) => ({...each, id: [file.name, each.id ?? (found.results.length > 1 ? i + 1 : "")]
      .filter(Boolean).join(" ")});
    return {...found, results: found.results.map(named), notices: found.notices ?? []};
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return {results: [{id: file.name, error: {message: error.message}}], notices: []};
  }
}
