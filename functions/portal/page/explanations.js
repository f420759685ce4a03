// @ts-check
// Why a label: the words that count most, marked in the text, and what each sentence adds.

import {announce, button, make} from "./dom.js";
import {sentence} from "./problems.js";

/** Return a text's pieces, {text, token, part}: cut wherever a word or a sentence begins or ends, in code points. */
export function piecesOf(text, {tokens, sentences}) {
  const letters = Array.from(text);
  const cuts = new Set([0, letters.length, ...[...tokens, ...sentences].flatMap(({start, end}) => [start, end])]);
  const places = [...cuts].filter(place => place <= letters.length).sort((a, b) => a - b);
  const around = (spans, at) => spans.find(({start, end}) => start <= at && at < end);
  return places.slice(0, -1).map((from, i) => ({text: letters.slice(from, places[i + 1]).join(""),
    token: around(tokens, from), part: around(sentences, from)}));
}

/** Show the explanations of a text's labels, one at a time. */
export function explained(explanations, text, titles) {
  if (!explanations?.length) return null;
  const body = make("div"), choice = make("select", {"aria-label": "Explained label"}, explanations.map(({label}) =>
    make("option", {value: label}, titles[label] ? `${label} · ${titles[label]}` : label)));
  const paint = () => body.replaceChildren(...bodyOf(explanations.find(({label}) => label === choice.value), text));
  choice.addEventListener("change", paint);
  paint();
  return make("div", {class: "explained", role: "group", "aria-label": "Why"}, make("div", {class: "tools"},
    make("h3", {}, "Why"), choice), body);
}

function bodyOf(explanation, text) {
  const {tokens, sentences} = explanation;
  const heaviest = Math.max(...tokens.map(({weight}) => Math.abs(weight)), 1e-9);
  const most = Math.max(...sentences.map(({change}) => Math.abs(change)), 1e-9);
  const marked = piecesOf(text, explanation).map(piece => marking(piece, heaviest, most));
  const hint = make("p", {class: "hint"}, "A filled word adds to the label, a framed one speaks against it, by its "
    + "weight in the linear part of the model. A sentence’s number is the label’s probability with it less that "
    + "without it. The more it adds, the thicker its line.");
  return [make("h3", {class: "printed"}, `Why ${explanation.label}`), make("p", {class: "why"}, marked),
    words(tokens), tableOf(sentences), hint].filter(Boolean);
}

function marking({text, token, part}, heaviest, most) {
  const under = part ? Math.max(part.change, 0) / most : 0;
  const span = make(token ? "mark" : "span", {class: token?.weight < 0 ? "against" : "",
    title: token ? `${signed(token.weight)}` : undefined}, text);
  if (token) span.style.setProperty("--heat", `${Math.round(100 * Math.abs(token.weight) / heaviest)}%`);
  span.style.setProperty("--under", `${(3 * under).toFixed(1)}px`);
  return span;
}

/** Write a number with its sign; one that is rounded to zero has none. */
export function signed(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) ? `${value < 0 ? "−" : "+"}${text}` : text;
}

function words(tokens) {
  if (!tokens.length) return null;
  return make("p", {class: "hint"}, "Words that count most: ",
    summed(tokens).map(({text, weight, times}) =>
      `${text} ${signed(weight)}${times > 1 ? ` (${times} times)` : ""}`).join(", "), ".");
}

/** Return each word once, with the sum of its weights and how often it counts, the greatest sum first. */
export function summed(tokens) {
  const found = new Map();
  for (const {text, weight} of tokens) {
    const known = found.get(text) ?? {text, weight: 0, times: 0};
    found.set(text, {text, weight: known.weight + weight, times: known.times + 1});
  }
  return [...found.values()].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
}

function tableOf(sentences) {
  if (!sentences.length) return null;
  const rows = sentences.map(({text, change}) =>
    make("tr", {}, make("td", {class: "number"}, signed(change, 3)), make("td", {}, text)));
  return make("details", {}, make("summary", {}, "Sentence by sentence"), make("table", {},
    make("thead", {}, make("tr", {}, make("th", {scope: "col", class: "number"}, "change"),
      make("th", {scope: "col"}, "sentence"))), make("tbody", {}, rows)));
}

/** Offer to explain a result; `explain(text)` asks the service. The text may have to be looked for: `text()` does. */
export function whyBar(explain, text, titles) {
  const place = make("div", {class: "why-bar"});
  const ask = button("Why these labels?", async () => {
    ask.disabled = true;
    ask.textContent = "Asking …";
    try {
      const found = typeof text === "function" ? await text() : text;
      place.replaceChildren(explained(await explain(found), found, titles) ?? "The model has nothing to say about it.");
      announce("The explanation is shown.");
      place.querySelector("select")?.focus();
    } catch (error) {
      if (error.name === "AbortError") return;
      ask.disabled = false;
      ask.textContent = "Why these labels?";
      place.replaceChildren(ask, make("p", {class: "field-error"}, sentence(error)));
    }
  });
  place.append(ask);
  return place;
}
