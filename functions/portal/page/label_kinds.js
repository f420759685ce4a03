// @ts-check
// What the models say of their labels: from which probability each is listed, and what people call it.

import {Refusal} from "./service.js";

const NEAR = 0.02;  // probabilities of one text, on two processors, differ by less
/** @type {{thresholds: Record<string, any>, titles: Record<string, any>}} */
const known = {thresholds: {}, titles: {}};

/** Hear the thresholds and titles of each model's labels, by model. */
export function knowLabels(thresholds, titles) {
  Object.assign(known, {thresholds, titles});
}

/** Return the explanation in an answer to a text. Throws Refusal if its scores show that the text is another one. */
export function explanationOf({scores, explanation, error}, result) {
  if (error) throw new Refusal(error.message);
  const other = Object.entries(result.scores).some(([label, score]) => Math.abs(scores[label] - score) > NEAR);
  if (other) throw new Refusal("The text in the file is not the one that was classified: choose the same file.");
  return explanation;
}

/** Return a model's labels as results are shown by: `thresholds`, `titles`, the model itself. */
export function kindOfModel(model, titles = known.titles[model.name] ?? {}) {
  return {model, titles, thresholds: known.thresholds[model.name] ?? {}};
}
