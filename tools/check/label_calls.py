"""Checks of POST /classify, the old contract, the cache of scores, and the serving protocols."""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from tools.check.ground import Ground
from tools.check.promises import Check, Untried, hold
from tools.check.specimens import paper
from tools.check.wire import expect, expect_refusal, hold_times, read_json, time_calls

NEAR: Final = 1e-3
"""How far scores of one text may lie apart: what is computed and what was remembered round alike to this."""
FRESH: Final = {"Cache-Control": "no-cache"}


def ask_scores(ground: Ground, text: str, **request: Any) -> Mapping[str, float]:
    """Return the scores of a text by label, by the plainest way."""
    [result] = read_json(ground.wire.post("/classify", json={"abstract": text}, **request))["results"]
    scores: Mapping[str, float] = result["scores"]
    return scores


def hold_near(found: Mapping[str, float], expected: Mapping[str, float], what: str) -> None:
    """Raise Broken unless two sets of scores agree."""
    hold(set(found) == set(expected), f"{what} has other labels")
    worst = max(abs(found[label] - expected[label]) for label in expected)
    hold(worst <= NEAR, f"{what} has other scores, by {worst:.3g}")


def check_classify(ground: Ground) -> str:
    """Hold that text, form, PDF and several at once are scored alike, by the default and by the named model."""
    text, wire = ground.specimens.abstract, ground.wire
    expected = ask_scores(ground, text)
    hold(all(0 <= score <= 1 for score in expected.values()), "a score is not a probability")
    plain = wire.post("/classify", data=text.encode(), headers={"Content-Type": "text/plain"})
    form = wire.post("/classify", files={"input_file": ("abstract.txt", text.encode())})
    many = wire.post("/classify", json={"abstracts": [text, text]})
    name = read_json(many)["model"]["name"]
    named = wire.post(f"/models/{name}/classify", json={"abstract": text})
    for what, reply in {"plain text": plain, "a form": form, "a list": many, "a named model": named}.items():
        hold_near(read_json(reply)["results"][0]["scores"], expected, what)
    return f"{len(expected)} labels by {name}"


def check_paper(ground: Ground) -> str:
    """Hold that a PDF's abstract is found and scored."""
    text = ground.specimens.abstract
    reply = ground.wire.post("/classify", data=paper(text), headers={"Content-Type": "application/pdf"})
    [result] = read_json(reply)["results"]
    hold(result["source"]["text"] == text, f"of the PDF another text was taken: {result['source']['text']!r}")
    hold_near(result["scores"], ask_scores(ground, text), "the PDF")
    return f"found by {result['source']['found_by']}"


def check_classify_replies(ground: Ground) -> str:
    """Hold that CSV and NDJSON come where they are accepted."""
    for accept, mark in (("text/csv", "abstract,labels,"), ("application/x-ndjson", "{")):
        sent = {"json": {"abstract": ground.specimens.abstract}, "headers": {"Accept": accept}}
        reply = expect(ground.wire.post("/classify", **sent), 200)
        given = reply.headers.get("Content-Type", "")
        hold(given.startswith(accept), f"Accept: {accept} was answered as {given}")
        hold(reply.text.startswith(mark), f"{accept} begins with {reply.text[:30]!r}")
        hold(reply.headers.get("X-Assay-Received") == "1", f"{accept}: the header X-Assay-Received is not 1")
    return "CSV, NDJSON"


def check_classify_errors(ground: Ground) -> str:
    """Hold that bad requests are told what is wrong."""
    text = ground.specimens.abstract
    expect_refusal(ground.wire.post("/classify", json={"abstract": "short"}), 400, "invalid_abstract")
    expect_refusal(ground.wire.post("/classify", json={}), 400, "malformed_body")
    expect_refusal(
        ground.wire.post("/classify", json={"abstract": text}, params={"treshold": "1"}), 400, "invalid_option"
    )
    expect_refusal(ground.wire.post("/models/no-such-model/classify", json={"abstract": text}), 404, "not_found")
    pdf = {"data": b"%PDF-1.4\nnothing", "headers": {"Content-Type": "application/pdf"}}
    expect_refusal(ground.wire.post("/classify", **pdf), 422, "unreadable_input")
    return "400, 404, 422"


def check_old_classify(ground: Ground) -> str:
    """Hold the contract of the service that was replaced: bare probabilities, and errors under the field's name."""
    text = ground.specimens.abstract
    expected = list(ask_scores(ground, text).values())
    for path in ("/predict/", "/api/predict/"):
        [scores] = read_json(ground.wire.post(path, json={"abstract": text}))["predictions"]
        hold(len(scores) == len(expected), f"{path} gives {len(scores)} numbers for {len(expected)} labels")
        hold(max(map(abs, map(float.__sub__, scores, expected))) <= NEAR, f"{path} has other scores")
        wrong = read_json(ground.wire.post(path, json={"abstract": ""}), 400)
        hold(list(wrong) == ["abstract"], f"{path} names another field than abstract: {wrong}")
    return "/predict/, /api/predict/"


def check_cache(ground: Ground) -> str:
    """Hold that a text seen before is answered from memory, alike, and computed anew where that is asked for."""
    if ground.parameter("CacheDays") == "0":
        raise Untried("the stack's CacheDays is 0: nothing is remembered")
    sent = {"json": {"abstract": f"{ground.specimens.abstract} Once more."}}
    results = [read_json(ground.wire.post("/classify", **sent))["results"][0] for _ in range(2)]
    [anew] = read_json(ground.wire.post("/classify", headers=FRESH, **sent))["results"]
    hold(not results[0].get("cached"), "a text that was never sent before is said to be cached")
    hold(results[1].get("cached"), "the second answer was not remembered (is CacheDays 0?)")
    hold(not anew.get("cached"), "Cache-Control: no-cache was answered from memory")
    hold_near(results[1]["scores"], anew["scores"], "what was remembered")
    return "remembered, and alike"


def check_tensorflow_serving(ground: Ground) -> str:
    """Hold TensorFlow Serving's REST API for a rank model."""
    name, wire = _score_model(ground), ground.wire
    sent = ground.specimens.sequences
    state = read_json(wire.get(f"/v1/models/{name}"))["model_version_status"][0]["state"]
    hold(state == "AVAILABLE", f"{name} is {state}")
    predictions = read_json(wire.post(f"/v1/models/{name}:predict", json={"instances": sent}))["predictions"]
    hold(len(predictions) == len(sent), f"{len(sent)} instances gave {len(predictions)} predictions")
    wrong = read_json(wire.post(f"/v1/models/{name}:predict", json={"instances": []}), 400)
    hold(isinstance(wrong.get("error"), str), "an error is not text under `error`")
    return name


def check_open_inference(ground: Ground) -> str:
    """Hold the Open Inference Protocol: readiness, metadata, infer with JSON and with binary tensors."""
    name, wire, sent = _score_model(ground), ground.wire, ground.specimens.sequences
    hold(read_json(wire.get("/v2/health/ready"))["ready"], "the service is not ready")
    metadata = read_json(wire.get(f"/v2/models/{name}"))
    shape = {"name": metadata["inputs"][0]["name"], "datatype": "BYTES", "shape": [len(sent)]}
    plain = read_json(wire.post(f"/v2/models/{name}/infer", json={"inputs": [{**shape, "data": sent}]}))
    packed = read_json(wire.post(f"/v2/models/{name}/infer", **_binary(shape, sent)))
    values = plain["outputs"][0]["data"]
    hold(len(values) == len(sent), f"{len(sent)} rows gave {len(values)} values")
    hold(packed["outputs"][0]["data"] == values, "binary tensors give other values than JSON")
    return name


def check_classify_times(ground: Ground) -> str:
    """Hold that a first call is answered within the gateway's 29 s, and warm ones at once."""
    return hold_times(*time_calls(lambda: ask_scores(ground, ground.specimens.abstract, headers=FRESH)))


def _score_model(ground: Ground) -> str:
    return str(read_json(ground.wire.get("/health"))["models"]["score"]["name"])


def _binary(shape: Mapping[str, Any], rows: list[str]) -> dict[str, Any]:
    """Return a request with its tensor behind the JSON, each text after its length (Triton's extension)."""
    tensor = b"".join(struct.pack("<I", len(row)) + row.encode() for row in rows)
    head = json.dumps({"inputs": [{**shape, "parameters": {"binary_data_size": len(tensor)}}]}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return {"data": head + tensor, "headers": headers}


CHECKS: Final = (
    Check("classify", "abstracts are classified alike in every form", check_classify),
    Check("paper", "a PDF's abstract is found and classified", check_paper),
    Check("classify-replies", "every form of reply comes", check_classify_replies),
    Check("classify-errors", "bad requests are told what is wrong", check_classify_errors),
    Check("old-classify", "clients of the service that was replaced are answered", check_old_classify),
    Check("cache", "a text seen before is answered from memory", check_cache),
    Check("tensorflow-serving", "TensorFlow Serving's clients are answered", check_tensorflow_serving),
    Check("open-inference", "Triton's and KServe's clients are answered", check_open_inference),
)
TIMES: Final = Check("classify-times", "a first call is answered in time, warm ones at once", check_classify_times)
