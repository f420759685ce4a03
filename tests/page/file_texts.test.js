import assert from "node:assert/strict";
import {test} from "node:test";

import {abstractsIn, abstractsOf} from "../../functions/portal/page/file_texts.js";
import {rowsOf} from "../../functions/portal/page/label_job.js";

const texts = text => abstractsOf(text).map(each => each.text);
const lines = text => abstractsOf(text).map(each => each.line);

test("a plain file has an abstract a line, whatever ends its lines", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    assert.deepEqual(texts(["a", "", "b, c"].join(end)), ["a", "", "b, c"]);
    assert.deepEqual(lines(["a", "", "b, c"].join(end)), [1, 2, 3]);
  }
});

test("rows of a table are named by the line at which they begin", () => {
  for (const separator of [",", ";", "\t"]) {
    const row = (...cells) => cells.join(separator);
    const table = [row("id", "Abstract"), row("x", '"two\r\nlines, ""quoted"""'), "", row("y", "plain")].join("\r\n");
    const rows = abstractsOf(table);
    assert.deepEqual(rows.map(({line, id}) => [line, id]), [[2, "x"], [5, "y"]]);
    assert.equal(rows[0].text, 'two\r\nlines, "quoted"');
    assert.equal(rows[1].text, "plain");
  }
});

test("JSON is a list, lines, or an object with a list, and what is no abstract keeps its place", () => {
  assert.deepEqual(texts('["a", {"text": "b"}, 7]'), ["a", "b", ""]);
  assert.deepEqual(texts('{"abstracts": [{"abstract": "a", "id": 3}]}'), ["a"]);
  assert.deepEqual(abstractsOf('{"abstract": "a"}\n{"broken\n"c"\n').slice(0, 3),
    [{line: 1, id: "", text: "a"}, {line: 2, id: "", text: ""}, {line: 3, id: "", text: "c"}]);
});

test("gzip is unpacked here, and a workbook is the service's to read", async () => {
  const packed = await new Response(new Blob(["a\nb"]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
  const found = await abstractsIn(new File([packed], "a.txt.gz"));
  assert.deepEqual(found.map(({text}) => text), ["a", "b"]);
  assert.equal(await abstractsIn(new File([packed], "a.xlsx")), null);
  assert.equal(await abstractsIn(new File(["no gzip"], "a.gz")), null);
});

test("the last of the lines that were read may be cut, and is left out", () => {
  assert.deepEqual(rowsOf('{"line": 1}\n{"line": 2}\n{"lin'), [{line: 1}, {line: 2}]);
  assert.deepEqual(rowsOf(""), []);
});
