// What csv.js reads and writes.

import assert from "node:assert/strict";
import {test} from "node:test";
import {harmless, parseCsv, plain, writeCsv, writeTabs} from "../../functions/portal/page/csv.js";

test("a written table is read back, with its quotes, commas and breaks", () => {
  const columns = [{key: "a", title: "a"}, {key: "b", title: "the \"b\""}];
  const rows = [{a: "1", b: "x,y"}, {a: "line\nbreak", b: "\"quoted\""}, {a: "", b: "z"}];
  const {head, lines} = parseCsv(writeCsv(columns, rows));
  assert.deepEqual(head, ["a", "the \"b\""]);
  assert.deepEqual(lines, rows.map(({a, b}) => [a, b]));
});

test("no written cell is a formula, and each is had back", () => {
  for (const cell of ["=1+1", "+SUM(A1)", "@x", "-2+3", "'=1", "a;=2", "\uff1d1"]) {
    assert.doesNotMatch(harmless(cell), /^[=+\-@\uff1d]/);
    assert.equal(plain(harmless(cell)), cell);
  }
  assert.equal(harmless("-1.5"), "-1.5");
});

test("a table for the clipboard keeps one row a line", () => {
  assert.equal(writeTabs([{key: "a", title: "a"}], [{a: "x\ty\nz"}]), "a\nx y z");
});
