// @ts-check
// Numbers as people read them. No elements here.

const MINUS = "−";

/** Write a score or gate: two decimals, a real minus sign. */
export const two = value => Number.isFinite(value) ? signed(value.toFixed(2)) : "–";

/** Write a value of an axis or a threshold: at most three decimals. */
export const number = value => signed(`${Number(value.toFixed(3))}`);

const signed = text => text.replace(/^-(?=0\.?0*$)/, "").replace("-", MINUS);

/** Write a probability; certainty is nothing that rounding may add. */
export function chance(value) {
  if (!Number.isFinite(value)) return "–";
  if (value > 0.99 && value < 1) return ">0.99";
  return value > 0 && value < 0.01 ? "<0.01" : value.toFixed(2);
}

/** Write a percentile; neither end is a whole where rounding alone would make it one. */
export function percent(value) {
  if (!Number.isFinite(value)) return "–";
  if (value > 99.9 && value < 100) return ">99.9";
  if (value === 100 || value === 0) return `${value}`;
  return value > 0 && value < 0.1 ? "<0.1" : value.toFixed(1);
}
