import assert from "node:assert/strict";
import {test} from "node:test";

import {snippet} from "../../functions/portal/page/snippets.js";

const CALL = {route: "rank", options: {top_k: "5", threshold: "-0.5"}, file: "it's \"mine\".fasta", keyed: true};

test("code has the address, the options, the file and where a key goes", () => {
  for (const language of ["curl", "python", "r"]) {
    const text = snippet(language, CALL, "https://api.example.org/prod/");
    assert.ok(text.includes("https://api.example.org/prod/rank?top_k=5&threshold=-0.5"), text);
    assert.ok(text.includes("ASSAY_KEY") && text.includes("mine"), text);
    assert.ok(!snippet(language, {...CALL, keyed: false}, "https://x/").includes("KEY"));
  }
});

test("a file's name cannot end its quotes", () => {
  assert.ok(snippet("curl", CALL, "https://x/").includes("it'\\''s"));
  assert.ok(snippet("python", CALL, "https://x/").includes('"it\'s \\"mine\\".fasta"'));
});
