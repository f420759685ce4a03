// @ts-check
// What a sequence is made of, and where the proteases of the assay cut it. No elements here.

/** Kyte and Doolittle, J. Mol. Biol. 157:105 (1982). */
const HYDROPATHY = {A: 1.8, R: -4.5, N: -3.5, D: -3.5, C: 2.5, Q: -3.5, E: -3.5, G: -0.4, H: -3.2, I: 4.5, L: 3.8,
  K: -3.9, M: 1.9, F: 2.8, P: -1.6, S: -0.8, T: -0.7, W: -0.9, Y: -1.3, V: 4.2};
/** Average masses of residues in Da; a chain weighs one water more. */
const MASS = {A: 71.0788, R: 156.1875, N: 114.1038, D: 115.0886, C: 103.1388, Q: 128.1307, E: 129.1155, G: 57.0519,
  H: 137.1411, I: 113.1594, L: 113.1594, K: 128.1741, M: 131.1926, F: 147.1766, P: 97.1167, S: 87.0782, T: 101.1051,
  W: 186.2132, Y: 163.176, V: 99.1326};
const WATER = 18.0153;
const CUTS = {trypsin: "KR", chymotrypsin: "FYWLM"};

/** The order of residues in heat maps and logos: hydrophobic, polar, acidic, basic, special. */
export const ORDER = "AVILMFYWSTNQDEKRHGPC";

/**
 * Return the positions, from 1, behind which a protease cuts: its residues, but not before a proline or at the end.
 * @param {string} sequence
 * @param {string} protease
 */
export function cutSites(sequence, protease) {
  return [...sequence].flatMap((letter, i) =>
    CUTS[protease].includes(letter) && i + 1 < sequence.length && sequence[i + 1] !== "P" ? [i + 1] : []);
}

/** Return the charge at pH 7: K and R one more, D and E one less; histidine and the ends count for nothing. */
export function charge(sequence) {
  return [...sequence].reduce((sum, letter) => sum + ("KR".includes(letter) ? 1 : "DE".includes(letter) ? -1 : 0), 0);
}

/** Return the mean hydropathy (GRAVY). */
export function hydropathy(sequence) {
  return [...sequence].reduce((sum, letter) => sum + (HYDROPATHY[letter] ?? 0), 0) / (sequence.length || 1);
}

/** Return the average mass in Da. */
export function mass(sequence) {
  return [...sequence].reduce((sum, letter) => sum + (MASS[letter] ?? 0), WATER);
}

/** Return [letter, how often], the most frequent first. */
export function composition(sequence) {
  const tally = new Map();
  for (const letter of sequence) tally.set(letter, (tally.get(letter) ?? 0) + 1);
  return [...tally].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
}

/**
 * Return for each position the share of each residue, {A: 0.5, ...}, of sequences of equal length.
 * @param {string[]} sequences
 * @returns {Record<string, number>[]}
 */
export function profile(sequences) {
  return Array.from({length: sequences[0]?.length ?? 0}, (_, place) => {
    const shares = {};
    for (const sequence of sequences) shares[sequence[place]] = (shares[sequence[place]] ?? 0) + 1 / sequences.length;
    return shares;
  });
}

/** Return the information of a position in bits, log2(20) less its entropy, as sequence logos show it. */
export function information(shares) {
  const entropy = Object.values(shares).reduce((sum, share) => sum - share * Math.log2(share), 0);
  return Math.max(0, Math.log2(20) - entropy);
}

/**
 * Return the best windows of a protein that do not overlap, the best first.
 * @param {{start: number, end: number, score: number}[]} windows
 */
export function apart(windows) {
  const kept = [];
  for (const each of [...windows].sort((a, b) => b.score - a.score))
    if (kept.every(({start, end}) => each.end < start || each.start > end)) kept.push(each);
  return kept;
}
