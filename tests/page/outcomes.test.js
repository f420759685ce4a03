import assert from "node:assert/strict";
import {test} from "node:test";

import {rankingOfCsv} from "../../functions/portal/page/outcomes.js";

const HEAD = "rank,sequence,score,gate,line,id";

test("columns of the input come between what is fixed and what a reference says", () => {
  const {rows, carried} = rankingOfCsv(`${HEAD},note,probability,percentile,notice\n1,AC,1.5,0.5,3,a,x,0.9,97.5,\n`);
  assert.deepEqual(carried, ["note"]);
  assert.equal(rows[0]["carried-0"], "x");
  assert.deepEqual([rows[0].probability, rows[0].percentile, rows[0].notice], [0.9, 97.5, undefined]);
});

test("without a reference every further column is the input's", () => {
  const {rows, carried} = rankingOfCsv(`${HEAD},probability,note\n1,AC,1.5,,3,a,y,z\n`);
  assert.deepEqual(carried, ["probability", "note"]);
  assert.equal(rows[0].probability, undefined);
  assert.ok(Number.isNaN(rows[0].gate));
});

test("a ranking without further columns has none", () => {
  assert.deepEqual(rankingOfCsv(`${HEAD}\n`), {rows: [], carried: []});
});
