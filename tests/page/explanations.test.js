import assert from "node:assert/strict";
import {test} from "node:test";

import {piecesOf} from "../../functions/portal/page/explanations.js";

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
