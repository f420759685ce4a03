import assert from "node:assert/strict";
import {test} from "node:test";

import {misfits, parts} from "../../functions/portal/page/abstracts.js";
import {probable} from "../../functions/portal/page/labels.js";

test("a probability is never rounded to certainty", () => {
  for (let i = 1; i < 20_000; i += 1)
    for (const digits of [2, 3]) {
      const text = probable(i / 20_000, digits);
      assert.ok(/^[<>]/.test(text) || (Number(text) > 0 && Number(text) < 1), text);
    }
  assert.deepEqual([0.996, 0.9951, 0.004, 0.5].map(value => probable(value)), [">0.99", ">0.99", "<0.01", "0.50"]);
  assert.deepEqual([probable(0), probable(1)], ["0.00", "1.00"]);
});

test("lengths are said before anything is sent, as cleaning leaves them", () => {
  assert.match(misfits(["x".repeat(49)]), /49 characters.*at least 50/);
  assert.match(misfits(["x".repeat(5001)]), /5,001 characters/);
  assert.equal(misfits(["x".repeat(50)]), "");
  assert.equal(misfits([`${"<b>x</b> ".repeat(700)}`.slice(0, 5600)]), "");
  assert.match(misfits(["x".repeat(60), "y", "z"]), /^Abstract 2 has .*1 more/);
});

test("a line of hyphens separates abstracts", () => {
  assert.deepEqual(parts("a\n---\nb\n ----- \nc -- d\n"), ["a", "b", "c -- d"]);
});
