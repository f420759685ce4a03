// @ts-check
// The measured sequences nearest to a row's, of models that carry some: asked of the service once a row stays open.

import {count, make, plural} from "./dom.js";
import {percent, two} from "./numbers.js";
import {sentence} from "./problems.js";
import {post} from "./service.js";

const PATIENCE = 250;  // milliseconds that a row stays open before its nearest are asked for
const FEW = 12;  // differences that are listed; more say nothing
const carrying = new Set();

/** Hear which models there are: those whose bundle has measured sequences are asked for the nearest. */
export function measuredModels(models) {
  for (const {name, reference} of models) if (reference?.measured) carrying.add(name);
}

/** Return a section for a row's nearest measured sequences, "" where the model that scored it has none. */
export function nearestOf(sequence, models = /** @type {any} */({})) {
  if (!carrying.has(models.score?.name)) return "";
  const place = make("div", {class: "nearest", "aria-live": "polite"}, make("p", {class: "hint"}, "Asking …"));
  setTimeout(() => { if (place.isConnected) fill(place, sequence, models); }, PATIENCE);
  return make("section", {}, make("h3", {}, "Nearest measured sequences"), place);
}

async function fill(place, sequence, {score, gate}) {
  const named = model => model && `${model.name}@${model.version}`;
  try {
    const asked = {sequences: [sequence], score_model: named(score), gate_model: named(gate)};
    const {explained: [{nearest = []} = {}], measured} = await post("rank/explain", asked);
    const none = make("p", {class: "hint"}, "There is none.");
    place.replaceChildren(...nearest.length ? shown(nearest, measured) : [none]);
  } catch (error) {
    place.replaceChildren(make("p", {class: "field-error"}, sentence(error)));
  }
}

function shown(nearest, {about, columns}) {
  const heads = ["name", "identity, %", "differences", ...columns].map((title, i) =>
    make("th", {scope: "col", class: i > 2 || i === 1 ? "number" : ""}, title));
  return [
    make("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": "Nearest measured sequences"},
      make("table", {}, make("thead", {}, make("tr", {}, heads)),
        make("tbody", {}, nearest.map(each => line(each, columns))))),
    make("p", {class: "hint"}, `Of ${about}. A difference names the measured residue, its position and this one. `
      + "Values are measurements of the other sequence, not of this one."),
  ];
}

function line({name, sequence, identity, distance, differences, values}, columns) {
  const listed = distance > FEW ? plural(distance, "position") : differences.join(" ") || "none";
  return make("tr", {}, make("th", {scope: "row", class: "name", title: sequence}, name ?? "–"),
    make("td", {class: "number"}, percent(100 * identity)), make("td", {}, listed),
    columns.map(column => make("td", {class: "number"}, cell(values[column]))));
}

const cell = value => value === null || value === undefined ? "–" : Math.abs(value) < 1000 ? two(value) : count(value);
