// @ts-check
// One row, looked at: where the proteases cut, what the sequence is made of, and where to go on with it.

import {charge, composition, cutSites, hydropathy, mass} from "./chemistry.js";
import {copy} from "./csv.js";
import {button, count, make} from "./dom.js";
import {nearestOf} from "./nearest.js";
import {chance, percent, two} from "./numbers.js";
import {residues} from "./residues.js";

const BLOCK = 10;
const CUTS = [["trypsin", "K, R"], ["chymotrypsin", "F, Y, W, L, M"]];
const ACCESSION = /(?:^|\|)([OPQ]\d[A-Z\d]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2})(?:$|[|/])/;
const BLAST = "https://blast.ncbi.nlm.nih.gov/Blast.cgi?PROGRAM=blastp&PAGE_TYPE=BlastSearch&QUERY=";
const FOLD = "https://esmatlas.com/resources?action=fold";
const UNIPROT = "https://www.uniprot.org/uniprotkb/";

/** Return {open(row)} of a dialog that shows a row of a view; its table says what comes before and behind. */
export function drawer(view) {
  const dialog = make("dialog", {class: "drawer", "aria-labelledby": "drawer-title"});
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
  const open = row => {
    const go = by => {
      const next = view.table.step(row, by);
      if (next) open(next);
    };
    dialog.replaceChildren(...content(row, view, dialog, go));
    dialog.onkeydown = event => {
      const by = {j: 1, k: -1, ArrowDown: 1, ArrowUp: -1}[event.key];
      if (by && !event.ctrlKey && !event.metaKey) { event.preventDefault(); go(by); }
    };
    if (dialog.open) return;
    document.body.append(dialog);
    const before = document.activeElement;
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
    }, {once: true});
    dialog.showModal();
  };
  return {open};
}

function content(row, view, dialog, go) {
  const {id, line, sequence} = row, name = id || `line ${count(line)}`;
  const fasta = `>${name}\n${sequence}\n`;
  const turn = (words, by) => make("button", {type: "button", on: {click: () => go(by)},
    disabled: !view.table.step(row, by)}, words);
  return [
    make("div", {class: "label-row"}, make("h2", {id: "drawer-title"}, name), button("Close", () => dialog.close())),
    make("dl", {class: "facts"}, facts(row, view).flatMap(([term, text]) =>
      [make("dt", {}, term), make("dd", {}, text)])),
    make("h3", {}, "Where the proteases cut"), ruler(sequence),
    ...CUTS.map(([protease, letters]) => sites(sequence, protease, letters)),
    make("h3", {}, "Composition"),
    make("p", {class: "made"}, composition(sequence).map(([letter, number]) => `${letter} ${number}`).join(" · ")),
    nearestOf(sequence, view.models),
    make("div", {class: "actions"}, button("Copy FASTA", event => copy(fasta, event.currentTarget)),
      button("Copy sequence", event => copy(sequence, event.currentTarget)),
      make("span", {class: "turns"}, turn("Previous row", -1), turn("Next row", 1))),
    make("h3", {}, "Elsewhere"), elsewhere(id ?? "", sequence),
  ];
}

function facts(row, {columns}) {
  const {rank, score, gate, probability, percentile, notice, line, sequence} = row;
  const carried = columns.filter(({key}) => key.startsWith("carried-"))
    .filter(({unseen}) => !unseen);
  return [
    ["rank", rank ? count(rank) : "does not pass"], ["score", two(score)], ["gate", two(gate)],
    probability !== undefined && ["probability", chance(probability)],
    percentile !== undefined && ["percentile", percent(percentile)],
    notice && ["notice", notice.replaceAll("_", " ")],
    ["line", count(line)], ["net charge, pH 7", `${charge(sequence)}`.replace("-", "−")],
    ["mean hydropathy", two(hydropathy(sequence))], ["mass", `${count(Math.round(mass(sequence)))} Da`],
    ...carried.map(({key, title}) => row[key] && [title, row[key]]),
  ].filter(Boolean);
}

/** Show a sequence in tens, each with the place of its first residue; bonds that are cut are marked. */
function ruler(sequence) {
  const cut = new Map();
  for (const [protease] of CUTS)
    for (const place of cutSites(sequence, protease)) cut.set(place, `${cut.get(place) ?? ""} ${protease}`);
  const blocks = [];
  for (let from = 0; from < sequence.length; from += BLOCK) {
    const letters = [...sequence.slice(from, from + BLOCK)].map((letter, i) =>
      make("span", {class: `cell${cut.get(from + i + 1) ?? ""}`}, residues(letter)));
    blocks.push(make("span", {class: "block"}, make("span", {class: "place"}, from + 1), make("span", {}, letters)));
  }
  return make("div", {class: "ruler"}, blocks);
}

function sites(sequence, protease, letters) {
  const places = cutSites(sequence, protease);
  const named = places.map(place => `${sequence[place - 1]}${place}`).join(", ");
  const words = named ? `behind ${named}` : "nowhere";
  return make("p", {class: `cuts ${protease}`}, make("b", {}, `${protease} (${letters}): ${places.length}`),
    ` ${words}`);
}

/** Links go out on a click alone, and say nothing of where they come from. */
function elsewhere(id, sequence) {
  const out = (words, href) => make("li", {},
    make("a", {href, target: "_blank", rel: "noopener noreferrer external"}, words));
  const accession = ACCESSION.exec(id)?.[1];
  return make("div", {},
    make("p", {class: "hint"}, "These open other sites, in a new tab. BLAST gets the sequence."),
    make("ul", {class: "elsewhere"},
      out("Search similar proteins (NCBI BLAST)", BLAST + encodeURIComponent(sequence)),
      out("Predict its structure (ESM Atlas; paste the sequence there)", FOLD),
      accession && out(`UniProt ${accession}`, UNIPROT + accession)));
}
