// @ts-check
// Names of records by their lines, for those that were rejected: the service says lines alone.

import {parseCsv} from "./csv.js";

const PACKED = /\.(?:gz|gzip|bgz|bz2|xz|zst|zstd|zip|xls[xb]?|ods)$/i;
const NAMES = ["id", "name", "identifier", "accession"];
const LONGEST = 200; // characters of a name

/**
 * Return the names that FASTA headers or a CSV's id column have at the lines of rejected records.
 * @param {File} file
 * @param {{line: number}[]} rejected
 */
export async function idsByLine(file, rejected) {
  if (!rejected?.length || PACKED.test(file.name)) return new Map();
  return namesAt(await file.text(), rejected.map(({line}) => line));
}

/**
 * Return the names at lines of a text, as far as it has some.
 * @param {string} text
 * @param {number[]} wanted
 * @returns {Map<number, string>}
 */
export function namesAt(text, wanted) {
  const lines = text.split(/\r\n|\r|\n/), names = new Map();
  const column = text.startsWith(">") ? -1 : columnOf(lines[0] ?? "");
  for (const line of wanted) {
    const found = lines[line - 1] ?? "";
    const name = found.startsWith(">") ? found.slice(1).trim().split(/\s/)[0]
      : column >= 0 ? parseCsv(found).lines[0]?.[column] ?? parseCsv(found).head[column] : "";
    if (name) names.set(line, name.slice(0, LONGEST));
  }
  return names;
}

function columnOf(first) {
  if (!first.includes(",")) return -1;
  return parseCsv(first).head.findIndex(name => NAMES.includes(name.trim().toLowerCase()));
}
