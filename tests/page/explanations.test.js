import assert from "node:assert/strict";
import {test} from "node:test";

import {piecesOf, signed, summed} from "../../functions/portal/page/explanations.js";

test("a text's pieces are the text, whatever is marked, and places count whole characters", () => {
  const text = "A \u{1d49c} photon. Another one.";
  const tokens = [{text: "photon", start: 4, end: 10, weight: 1}];
  const sentences = [{text: "A x photon.", start: 0, end: 11, change: 0.5},
    {text: "Another one.", start: 12, end: 24, change: -0.1}];
  const pieces = piecesOf(text, {tokens, sentences});
  assert.equal(pieces.map(piece => piece.text).join(""), text);
  assert.deepEqual(pieces.filter(({token}) => token).map(piece => piece.text), ["photon"]);
  assert.deepEqual(pieces.filter(({part}) => part === sentences[1]).map(piece => piece.text), ["Another one."]);
});

test("a word that counts several times is named once, with the sum of its weights", () => {
  const words = ["gluon", "the", "gluon", "quark"], weights = [0.25, -0.5, 0.5, 0.125];
  const sums = summed(words.map((text, i) => ({text, weight: weights[i]})));
  assert.deepEqual(sums.map(({text, weight, times}) => [text, weight, times]),
    [["gluon", 0.75, 2], ["the", -0.5, 1], ["quark", 0.125, 1]]);
});

test("a number has its sign, unless it is rounded to zero", () => {
  assert.deepEqual([0.004, -0.004, 0, -0.006].map(value => signed(value)), ["0.00", "0.00", "0.00", "−0.01"]);
  assert.equal(signed(0.004, 3), "+0.004");
});
