// @ts-check
// "Call this from code": what the form would ask, as lines for a shell, Python and R.

import {at, button, make} from "./dom.js";
import {copy} from "./csv.js";
import {wells} from "./intake.js";
import {apiKey} from "./key.js";
import {isUsual, optionFields, optionOf} from "./options.js";
import {addressOf} from "./service.js";

const LANGUAGES = {curl: "curl", python: "Python", r: "R"};
const MODELS = ["classifier"];

/** Fill the places for code as soon as one is opened, and whenever the form changes. */
export function startSnippets() {
  for (const [form, well] of [["rank", "sequences"], ["classify", "abstract"]]) {
    const place = at(`code-${form}`), told = make("pre", {tabindex: 0, "aria-label": "Code"});
    const language = make("select", {"aria-label": "Language"},
      Object.entries(LANGUAGES).map(([value, name]) => make("option", {value}, name)));
    const paint = () => { if (place.open) told.textContent = snippet(language.value, callOf(form, well)); };
    place.append(make("div", {class: "tools"}, language, make("span", {class: "grow"}),
      button("Copy", event => copy(told.textContent, event.currentTarget))), told);
    place.addEventListener("toggle", paint);
    for (const event of ["input", "change"]) at(form).addEventListener(event, paint);
  }
}

/** Return what a form would ask: {route, options, file, keyed}. */
function callOf(form, well) {
  const fields = optionFields(form).filter(field => !isUsual(field));
  const options = Object.fromEntries(fields.filter(({id}) => !MODELS.includes(id)).map(optionOf));
  const model = fields.find(({id}) => MODELS.includes(id))?.value;
  const route = model ? `models/${encodeURIComponent(model)}/${form}` : form;
  const usualName = form === "rank" ? "designs.fasta" : "abstract.txt";
  return {route, options, file: wells[well].file?.name ?? usualName, keyed: Boolean(apiKey())};
}

/**
 * Write a call in a language.
 * @param {string} language
 * @param {{route: string, options: Record<string, any>, file: string, keyed: boolean}} call
 */
export function snippet(language, {route, options, file, keyed}, root = addressOf("")) {
  const asked = new URLSearchParams(options).toString();
  const url = `${root}${route}${asked ? `?${asked}` : ""}`;
  return {curl: inShell, python: inPython, r: inR}[language]({url, file, keyed, rows: route === "rank"});
}

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

const inShell = ({url, file, keyed}) => ["curl -sSf", keyed && '-H "x-api-key: $ASSAY_KEY"',
  `-F ${quoted(`input_file=@"${file}"`)}`, quoted(url)].filter(Boolean).join(" \\\n  ");

const inPython = ({url, file, keyed, rows}) => [
  ...(keyed ? ["import os"] : []), "import requests", "",
  `with open(${JSON.stringify(file)}, "rb") as file:`,
  `    reply = requests.post(${JSON.stringify(url)},`,
  ...(keyed ? ['                          headers={"x-api-key": os.environ["ASSAY_KEY"]},'] : []),
  '                          files={"input_file": file})',
  "reply.raise_for_status()",
  ...(rows ? ['for row in reply.json()["ranked"]:', '    print(row["rank"], row["sequence"], row["score"])']
    : ['for result in reply.json()["results"]:', '    print(result.get("labels", result.get("error")))']),
].join("\n");

const inR = ({url, file, keyed, rows}) => [
  "library(httr2)", "",
  `reply <- request(${JSON.stringify(url)}) |>`,
  ...(keyed ? ['  req_headers("x-api-key" = Sys.getenv("ASSAY_KEY")) |>'] : []),
  `  req_body_multipart(input_file = curl::form_file(${JSON.stringify(file)})) |>`,
  "  req_perform() |>", "  resp_body_json(simplifyVector = TRUE)", "",
  rows ? "head(reply$ranked)" : "reply$results",
].join("\n");
