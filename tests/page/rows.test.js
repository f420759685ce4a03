// Sorting, filters, numbers, chemistry and the workbook, without a browser.

import assert from "node:assert/strict";
import {test} from "node:test";
import {apart, charge, composition, cutSites, hydropathy, information, mass, profile}
  from "../../functions/portal/page/chemistry.js";
import {chance, number, percent, two} from "../../functions/portal/page/numbers.js";
import {extentOf, filterOf, kindOf, selectRows, sortRows} from "../../functions/portal/page/rows.js";

const N = {key: "n", title: "n", kind: "number"}, T = {key: "t", title: "t", kind: "name"};
const of = values => values.map(n => ({n}));

test("a column of numbers is one however it is written, and one word makes it text", () => {
  assert.equal(kindOf(["800", "-1.5e3", "", null, 9196]), "number");
  assert.equal(kindOf(["800", "n/a"]), "name");
  assert.equal(kindOf(["", undefined]), "name");
});

test("numbers sort as numbers, blanks last both ways, and no order of text is lost", () => {
  const rows = of(["10022.2", "", "800", "9196", "-3"]);
  assert.deepEqual(sortRows(rows, N, false).map(({n}) => n), ["-3", "800", "9196", "10022.2", ""]);
  assert.deepEqual(sortRows(rows, N, true).map(({n}) => n), ["10022.2", "9196", "800", "-3", ""]);
  const names = ["d10", "d2", "", "d1"].map(t => ({t}));
  assert.deepEqual(sortRows(names, T, false).map(({t}) => t), ["d1", "d2", "d10", ""]);
});

test("a filter of numbers is a bound or a range, and what is neither filters nothing", () => {
  const kept = text => of([-1, 0, 0.5, 1, "2", ""]).filter(filterOf(N, text)).map(({n}) => n);
  assert.deepEqual(kept("0.5"), [0.5, 1, "2"]);
  assert.deepEqual(kept(">0.5"), [1, "2"]);
  assert.deepEqual(kept("<=0"), [-1, 0]);
  assert.deepEqual(kept("0..1"), [0, 0.5, 1]);
  assert.deepEqual(kept("-1 to 0"), [-1, 0]);
  for (const text of ["abc", "1..", "..", ">"]) assert.equal(filterOf(N, text), null);
  assert.equal(selectRows(of([1, 2]), [N], {n: "abc"}, "").length, 2);
});

test("a search finds text in any column of text, whatever its case", () => {
  const rows = [{t: "Design-1", n: 5}, {t: "other", n: 1}];
  assert.deepEqual(selectRows(rows, [N, T], {}, "DESIGN"), [rows[0]]);
  assert.deepEqual(selectRows(rows, [N, T], {t: "o"}, ""), [rows[1]]);
  assert.deepEqual(selectRows(rows, [N, T], {n: "<3", t: "O"}, "r"), [rows[1]]);
  assert.deepEqual(extentOf([...rows, {n: NaN}], "n"), [1, 5]);
});

test("rounding makes nothing certain and no zero negative", () => {
  assert.deepEqual([0.995, 1, 0.004, 0, 0.5].map(chance), [">0.99", "1.00", "<0.01", "0.00", "0.50"]);
  assert.deepEqual([99.95, 100, 0.05, 0, 12.34].map(percent), [">99.9", "100", "<0.1", "0", "12.3"]);
  assert.deepEqual([-0.001, -0.717, 2.444].map(two), ["0.00", "−0.72", "2.44"]);
  assert.equal(number(-0.5), "−0.5");
});

test("proteases cut behind their residues, but not before a proline or at the end", () => {
  assert.deepEqual(cutSites("AKPRGK", "trypsin"), [4]);
  assert.deepEqual(cutSites("FAWPLYM", "chymotrypsin"), [1, 5, 6]);
  assert.equal(charge("KKRDEH"), 1);
  assert.ok(Math.abs(hydropathy("AR") - -1.35) < 1e-9);
  assert.ok(Math.abs(mass("GG") - 132.12) < 0.01);
  assert.deepEqual(composition("ABBA"), [["A", 2], ["B", 2]]);
});

test("a position that is always the same has all its information", () => {
  const places = profile(["AK", "AR"]);
  assert.deepEqual(places, [{A: 1}, {K: 0.5, R: 0.5}]);
  assert.ok(Math.abs(information(places[0]) - Math.log2(20)) < 1e-9);
  assert.ok(Math.abs(information(places[1]) - (Math.log2(20) - 1)) < 1e-9);
});

test("the best windows that do not overlap", () => {
  const windows = [[1, 50, 1], [26, 75, 3], [76, 125, 2], [51, 100, 2.5]]
    .map(([start, end, score]) => ({start, end, score}));
  assert.deepEqual(apart(windows).map(({start}) => start), [26, 76]);
});
