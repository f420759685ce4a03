import assert from "node:assert/strict";
import {test} from "node:test";
import {deflateRawSync} from "node:zlib";

import {LONGEST, packed, unlink, unpacked} from "../../functions/portal/page/permalink.js";

const HEAD = '{"name":"","made":""}\n';
const fragment = bytes => deflateRawSync(bytes).toString("base64url");

test("a link gives back what was packed: text, a file's bytes and name, and the models", async () => {
  for (const text of ["", "\n", "MKT\r\n>é 𝒜\n", "x".repeat(9000)]) {
    const {input, made} = await unpacked(await packed(text, "stability-trypsin 4"));
    assert.deepEqual([input, made], [text, "stability-trypsin 4"]);
  }
  const bytes = Uint8Array.from({length: 256}, (_, i) => i);
  const {input} = await unpacked(await packed(new File([bytes], "a b.xlsx"), ""));
  assert.ok(input instanceof File && input.name === "a b.xlsx");
  assert.deepEqual(new Uint8Array(await input.arrayBuffer()), bytes);
});

test("an address holds only characters that nothing rewrites, and no more than its limit", async () => {
  for (let many = 1; many < 3000; many = many * 3 + 1) {
    const letters = Uint8Array.from({length: many * 7}, (_, i) => 65 + (i * i * 31 + i * 7) % 101 % 26);
    const text = await packed(new TextDecoder().decode(letters), "");
    assert.match(text, /^[\w-]*$/);
    assert.ok(text.length <= LONGEST);
  }
  const noise = crypto.getRandomValues(new Uint8Array(8000));
  assert.equal(await packed(new File([noise], "noise"), ""), "");
  assert.equal(await packed("A".repeat(1e6), ""), "");
});

test("what was cut off, changed, or unpacks to too much is refused in words", async () => {
  const good = await packed("MKT".repeat(100), "");
  const bomb = fragment(Buffer.concat([Buffer.from(HEAD), Buffer.alloc(4e6, 65)]));
  assert.ok(bomb.length <= LONGEST);
  for (const bad of [good.slice(0, -4), "", "a b", "%41", `${good}!`, "A".repeat(LONGEST + 1), fragment("no head"),
    fragment("null\nMKT"), fragment('{"name":1}'), bomb, "<img src=x>"])
    await assert.rejects(unpacked(bad), ({message}) => /^It (is damaged|holds more)/.test(message), bad.slice(0, 40));
});

test("names that are no text, or long, are none or short", async () => {
  const {input, made} = await unpacked(fragment(`{"name":["x"],"made":"${"m".repeat(5000)}"}\nMKT`));
  assert.deepEqual([input, made.length], ["MKT", 200]);
});

test("an address without its input keeps its form and options", () => {
  const bare = path => unlink(new URL(path, "https://a.example")).href.replace("https://a.example", "");
  assert.deepEqual(["/?top_k=1#rank=abc", "/#classify=a=b", "/#job=1", "/#classify", "/"].map(bare),
    ["/?top_k=1", "/#classify", "/#job=1", "/#classify", "/"]);
});
