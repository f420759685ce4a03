// @ts-check
// What the models that serve ask for and say of themselves; the page works without.

import {at, count, make} from "./dom.js";
import {classifyModels} from "./classify.js";
import {measuredModels} from "./nearest.js";
import {rankModels} from "./rank.js";
import {addressOf, ask} from "./service.js";

/** Fill in hints, choices and descriptions. */
export async function describeModels() {
  const [{models: serving}, models] = await Promise.all([ask("health"), everyModel()]);
  /** @type {any} */
  const chosen = Object.fromEntries(Object.entries(serving).map(([role, {name}]) => [role, name]));
  const of = task => models.filter(model => model.task === task);
  describeClassify(of("text-classification"), chosen.classifier);
  await describeRank(of("sequence-score"), chosen);
}

async function everyModel() {
  const models = [];
  for (let page = {next: "models"}; page.next; models.push(...page.models)) page = await ask(page.next);
  return models;
}

async function describeRank(models, {gate, score}) {
  measuredModels(models);
  const accept = name => {
    const {length, alphabet} = models.find(model => model.name === name) ?? {};
    at("sequences-hint").textContent = length ? `${length} residues each, of ${alphabet}.` : "";
    rankModels({gate, score}, length);
  };
  accept(score);
  qualityOfRank(models.find(model => model.name === score));
  at("score_model").addEventListener("change", event => accept(event.target.value));
  const offer = () => rankChoices(models, {gate_model: gate, score_model: score}).catch(() => {});
  const {searchParams} = new URL(location.href);
  if (at("rank-more").open || searchParams.has("gate_model") || searchParams.has("score_model")) await offer();
  else at("rank-more").addEventListener("toggle", offer, {once: true});
  about("about-rank", models.filter(model => [gate, score].includes(model.name)));
}

function describeClassify(models, classifier) {
  classifyModels(classifier, Object.fromEntries(models.map(model => [model.name, model.thresholds ?? {}])),
    Object.fromEntries(models.map(model => [model.name, model.titles ?? {}])));
  qualityOfClassify(models.find(model => model.name === classifier));
  choices("classify-models", models, {classifier});
  about("about-classify", models.filter(model => model.name === classifier));
}

// Found while the page is as it came: a job that the address names takes the place of the first view.
const WORDS = Object.fromEntries(["rank", "classify"].map(form =>
  [form, {shipped: [...at(`panel-${form}`).querySelectorAll("[data-shipped]")],
    other: [...at(`panel-${form}`).querySelectorAll("[data-other]")], quality: at(`${form}-quality`)}]));
const SHIPPED = {rank: /^stability-/, classify: /^arxiv-archives$/};

/** Show the words that hold for the shipped models, or those for any; say whether they are the shipped ones. */
function ofShipped(form, model) {
  const ours = !model || SHIPPED[form].test(model.name);
  for (const each of WORDS[form].shipped) each.toggleAttribute("hidden", !ours);
  for (const each of WORDS[form].other) each.toggleAttribute("hidden", ours);
  return ours;
}

/** Say how good the shipped pair is; of other models the page says nothing of proteases. */
function qualityOfRank(model) {
  const {metrics = {}} = model ?? {};
  ofShipped("rank", model);
  if (!Number.isFinite(metrics.spearman_all)) return;
  const rho = key => metrics[key].toFixed(2), top = Math.round(100 * metrics.top100_stable_after_gate);
  WORDS.rank.quality.append(` On ${count(metrics.rows_all)} measured proteins of families that it had not seen, the `
    + `score's rank correlation with the measurement is ${rho("spearman_all")}: ${rho("spearman_design")} for designs, `
    + `${rho("spearman_natural")} for natural proteins. Of the best 100 behind the gate, ${top} were stable.`);
}

function qualityOfClassify(model) {
  const {metrics: {test = {}, test_rows: rows} = /** @type {any} */({})} = model ?? {};
  if (!ofShipped("classify", model) || !Number.isFinite(test.top1) || !rows) return;
  WORDS.classify.quality.append(` On ${count(rows)} abstracts that it had not seen, the most probable archive was `
    + `right for ${Math.round(100 * test.top1)} of 100. The F1 score, mean of the archives, is `
    + `${test.macro_f1.toFixed(2)}.`);
}

/** Offer a choice of models if there is one and the API, by its own description, takes it. */
async function rankChoices(models, chosen) {
  if (models.length < 2) return;
  const {paths, components} = await ask("openapi.json");
  const named = ({$ref, name}) => ($ref ? components.parameters[$ref.split("/").at(-1)].name : name);
  const known = new Set(paths["/rank"].post.parameters.map(named));
  if (Object.keys(chosen).every(name => known.has(name))) choices("rank-models", models, chosen);
}

function choices(place, models, chosen) {
  for (const [id, name] of Object.entries(chosen)) {
    const usual = model => ({value: model.name, selected: model.name === name});
    at(id).replaceChildren(...models.map(model => make("option", usual(model), model.name)));
    at(id).value = new URL(location.href).searchParams.get(id) ?? name;
    if (!at(id).value) at(id).value = name;
  }
  at(place).hidden = models.length < 2;
}

function about(place, models) {
  at(place).hidden = !models.length;
  at(place).querySelector("div").replaceChildren(...models.flatMap(model => [
    make("h3", {}, `${model.name} ${model.version}`),
    make("dl", {}, facts(model).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
    make("p", {}, make("a", {href: `${addressOf("models")}#${encodeURIComponent(model.name)}`},
      "Its quality, plots and card")),
  ]));
}

function facts({provenance, labels, licence}) {
  const told = Object.entries(provenance ?? {}).filter(([, value]) => typeof value === "string");
  return [...told.map(([name, value]) => [name.replaceAll("_", " "), value]),
    ...(labels ? [["labels", labels.join(", ")]] : []), ...(licence ? [["licence", licence]] : [])];
}
