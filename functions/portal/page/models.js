// What the models that serve ask for and say of themselves; the page works without.

import {at, make} from "./dom.js";
import {classifyModels} from "./classify.js";
import {rankModels} from "./rank.js";
import {ask} from "./service.js";

/** Fill in hints, choices and descriptions. */
export async function describeModels() {
  const [{models: serving}, {models}] = await Promise.all([ask("health"), ask("models")]);
  const name = role => serving[role]?.name;
  const of = task => models.filter(model => model.task === task);
  const known = models.find(model => model.name === name("score")) ?? {};
  const texts = of("text-classification"), scores = of("sequence-score");
  if (known.length) at("sequences-hint").textContent = `${known.length} residues each, of ${known.alphabet}.`;
  rankModels({gate: name("gate"), score: name("score")}, known.length);
  classifyModels(name("classifier"), Object.fromEntries(texts.map(model => [model.name, model.thresholds ?? {}])));
  const chosen = {gate_model: name("gate"), score_model: name("score")};
  at("rank-more").addEventListener("toggle", () => rankChoices(scores, chosen), {once: true});
  choices("classify-models", texts, {classifier: name("classifier")});
  about("about-rank", scores.filter(model => [name("gate"), name("score")].includes(model.name)));
  about("about-classify", texts.filter(model => model.name === name("classifier")));
}

/** Offer a choice of models where there is one and the API, by its own description, takes it. */
async function rankChoices(models, chosen) {
  if (models.length < 2) return;
  const {paths} = await ask("openapi.json");
  const known = new Set(paths["/rank"].post.parameters.map(({name}) => name));
  if (Object.keys(chosen).every(name => known.has(name))) choices("rank-models", models, chosen);
}

function choices(place, models, chosen) {
  for (const [id, name] of Object.entries(chosen)) {
    at(id).replaceChildren(...models.map(model => make("option", {value: model.name}, model.name)));
    at(id).value = name;
  }
  at(place).hidden = models.length < 2;
}

function about(place, models) {
  at(place).hidden = !models.length;
  at(place).querySelector("div").replaceChildren(...models.flatMap(model => [
    make("h3", {}, `${model.name} ${model.version}`),
    make("dl", {}, facts(model).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
  ]));
}

function facts({provenance, labels, licence}) {
  const told = Object.entries(provenance ?? {}).filter(([, value]) => typeof value === "string");
  return [...told.map(([name, value]) => [name.replaceAll("_", " "), value]),
    ...(labels ? [["labels", labels.join(", ")]] : []), ...(licence ? [["licence", licence]] : [])];
}
