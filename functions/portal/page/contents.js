// @ts-check
// What a file brought to the classifier holds: a PDF, a plain text, or what the service is to judge.

const HEAD = 65_536;  // bytes
const PLAIN = /^[^.]*$|\.(?:txt|text|md)$/i;
/** Names of files that may hold any number of abstracts. */
export const HOLDS_MANY = /\.(?:csv|tsv|jsonl?|ndjson|xls[xb]?|ods|txt|zip|gz|gzip|bgz|bz2|xz|zst|zstd)$/i;
const MARKS = {"utf-16le": [0xff, 0xfe], "utf-16be": [0xfe, 0xff]};
const BRACKETS = /^\s*(?:\{\s*["}]|\[\s*["{\][])/;

/** Return "pdf", "text" for a plain text, "other" for tables, JSON, packed files and whatever else. */
export async function contentsOf(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  if (/\.pdf$/i.test(file.name) || file.type === "application/pdf" || begins(head, "%PDF-")) return "pdf";
  const text = new TextDecoder(codecOf(head)).decode(head);
  return PLAIN.test(file.name) && !text.includes("\0") && !BRACKETS.test(text) && readable(text) ? "text" : "other";
}

const begins = (bytes, word) => [...word].every((letter, i) => bytes[i] === letter.charCodeAt(0));

const codecOf = bytes =>
  Object.keys(MARKS).find(name => MARKS[name].every((byte, i) => bytes[i] === byte)) ?? "utf-8";

/** Say whether less than one letter in twenty is a control character, as of any text. */
function readable(text) {
  const odd = text.match(/[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]/g)?.length ?? 0;
  return odd * 20 <= text.length;
}

/** Return a file as text, null where its bytes are none in UTF-8 or, by its mark, UTF-16. */
export async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    return new TextDecoder(codecOf(bytes), {fatal: true}).decode(bytes);
  } catch {
    return null;
  }
}
