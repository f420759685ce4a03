"""The serving protocols: their clients get the scores that /classify and /rank give, in the layout that they expect."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Aws
from tests.events import Context, post

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
OTHER = GOOD[::-1]
TEXT = "The quantum field theory of galaxies is studied with neural networks and a great deal of patience."
LONGER = TEXT + " A longer abstract has more words than a short one."
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(aws: Aws) -> Iterator[Ask]:
    from classify import api, services

    aws.publish("tiny-text", "tiny-index")
    services.services.cache_clear()

    def asked(path: str, body: object) -> tuple[int, Any]:
        reply = api.handler(post(path, json.dumps(body).encode()), Context())
        return reply["statusCode"], json.loads(reply["body"])

    yield asked
    services.services.cache_clear()


def infer(*rows: object, **changes: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "x", "datatype": "BYTES", "shape": [len(rows)], "data": [*rows], **changes}]}


def test_texts_have_the_scores_of_classify(ask: Ask) -> None:
    _, whole = ask("/classify", {"abstracts": [TEXT, LONGER]})
    expected = [list(result["scores"].values()) for result in whole["results"]]
    assert ask("/v1/models/tiny-text:predict", {"instances": [TEXT, LONGER]}) == (200, {"predictions": expected})
    status, body = ask("/v2/models/tiny-text/infer", infer(TEXT, LONGER) | {"id": "42"})
    labels = len(whole["labels"])
    tensor = {"name": "scores", "datatype": "FP32", "shape": [2, labels], "data": [*expected[0], *expected[1]]}
    assert (status, body) == (
        200,
        {"model_name": "tiny-text", "model_version": "1", "id": "42", "outputs": [tensor]},
    )


def test_sequences_have_the_scores_of_rank(ask: Ask, call: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    body = json.dumps({"sequences": [GOOD, OTHER], "threshold": -1e6}).encode()
    ranked = json.loads(call(post("/rank", body))["body"])["ranked"]
    scores = {row["sequence"]: row["score"] for row in ranked}
    expected = [scores[GOOD], scores[OTHER], scores[GOOD]]
    found = ask("/v1/models/tiny-index:predict", {"instances": [GOOD, OTHER.lower(), GOOD]})
    assert found == (200, {"predictions": expected})
    _, body = ask("/v2/models/tiny-index/infer", infer(GOOD, OTHER, GOOD) | {"outputs": [{"name": "score"}]})
    assert body["outputs"] == [{"name": "score", "datatype": "FP32", "shape": [3], "data": expected}]


@pytest.mark.parametrize(
    "row",
    [GOOD, [GOOD], {"sequence": GOOD}, {"anything": [GOOD]}, {"b64": base64.b64encode(GOOD.encode()).decode()}],
    ids=str,
)
def test_an_instance_comes_in_any_of_the_protocols_forms(ask: Ask, row: object) -> None:
    plain = ask("/v1/models/tiny-index:predict", {"instances": [GOOD]})
    assert ask("/v1/models/tiny-index:predict", {"instances": [row], "signature_name": "serving_default"}) == plain
    assert ask("/v2/models/tiny-index/infer", infer(row, shape=[1, 1]))[0] == 200


@pytest.mark.parametrize("inputs", [[GOOD, OTHER], {"sequence": [GOOD, OTHER]}])
def test_columns_are_answered_as_outputs(ask: Ask, inputs: object) -> None:
    _, rows = ask("/v1/models/tiny-index:predict", {"instances": [GOOD, OTHER]})
    assert ask("/v1/models/tiny-index:predict", {"inputs": inputs}) == (200, {"outputs": rows["predictions"]})


@pytest.mark.parametrize(
    ("model", "bad", "reason"), [("tiny-index", "MKX", "residue"), ("tiny-text", "short", "invalid_abstract")]
)
def test_bad_instances_are_named_and_none_is_answered(ask: Ask, model: str, bad: str, reason: str) -> None:
    good = GOOD if model == "tiny-index" else TEXT
    for path, body in (
        (f"/v1/models/{model}:predict", {"instances": [good, bad, good, bad]}),
        (f"/v2/models/{model}/infer", infer(good, bad, good, bad)),
    ):
        status, error = ask(path, body)
        assert (status, error["code"]) == (422, "rejected_records")
        assert [each["instance"] for each in error["details"]["rejected"]] == [1, 3]
        assert reason in error["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("/v1/models/other:predict", {"instances": [GOOD]}, 404, "GET /models"),
        ("/v1/models/tiny-index:classify", {"instances": [GOOD]}, 404, ":predict"),
        ("/v1/models/tiny-index", {"instances": [GOOD]}, 404, ":predict"),
        ("/v1/models/tiny-index:predict", {}, 400, "instances"),
        ("/v1/models/tiny-index:predict", {"instances": [], "inputs": []}, 400, "instead"),
        ("/v1/models/tiny-index:predict", {"instances": []}, 400, "at least one"),
        ("/v1/models/tiny-index:predict", {"instances": GOOD}, 400, "list"),
        ("/v1/models/tiny-index:predict", {"instances": [GOOD, 7]}, 400, "instances[1]"),
        ("/v1/models/tiny-index:predict", {"instances": [{"b64": "é"}]}, 400, "base64"),
        ("/v1/models/tiny-index:predict", {"instances": [GOOD], "signature_name": "x"}, 400, "serving_default"),
        ("/v1/models/tiny-index:predict", {"instances": [GOOD], "top_k": 1}, 400, "top_k"),
        ("/v1/models/tiny-index:predict", {"instances": [GOOD] * 100_001}, 413, "100,000"),
        ("/v1/models/tiny-text:predict", {"instances": [TEXT] * 65}, 413, "64"),
        ("/v2/models/tiny-index/infer", {}, 400, "inputs"),
        ("/v2/models/tiny-index/infer", {"inputs": [1]}, 400, "tensor"),
        ("/v2/models/tiny-index/infer", infer(GOOD, datatype="FP32"), 400, "BYTES"),
        ("/v2/models/tiny-index/infer", infer(GOOD, shape=[2]), 400, "shape"),
        ("/v2/models/tiny-index/infer", infer(GOOD, shape=[True]), 400, "shape"),
        ("/v2/models/tiny-index/infer", infer(GOOD, data="x"), 400, "data"),
        ("/v2/models/tiny-index/infer", infer(GOOD) | {"id": 7}, 400, "id"),
        ("/v2/models/tiny-index/infer", infer(GOOD) | {"outputs": [{"name": "other"}]}, 400, "'score'"),
        ("/v2/models/tiny-index/infer", infer(GOOD) | {"outputs": "score"}, 400, "outputs"),
    ],
)
def test_what_is_wrong_is_text_under_error_with_a_code_beside(
    ask: Ask, path: str, body: object, status: int, named: str
) -> None:
    found, error = ask(path, body)
    assert found == status
    assert set(error) == {"error", "code", "details"}
    assert named in error["error"]


def packed(*texts: str, short: int = 0) -> tuple[bytes, dict[str, str]]:
    """Return body and headers as Triton's client sends texts, `short` of bytes at the end."""
    tail = b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in texts)
    tail = tail[: len(tail) - short]
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "parameters": {"binary_data_size": len(tail)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return head + tail, {"Inference-Header-Content-Length": str(len(head))}


def test_tensors_in_binary_form_are_read_too(ask: Ask) -> None:
    from classify.api import handler

    def asked(body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        event = post("/v2/models/tiny-text/infer", body, "application/octet-stream", headers=headers)
        reply = handler(event, Context())
        return reply["statusCode"], json.loads(reply["body"])

    accented = TEXT + " Schrödinger"
    assert asked(*packed(TEXT, accented)) == ask("/v2/models/tiny-text/infer", infer(TEXT, accented))
    body, headers = packed(TEXT)
    for wrong in (
        packed(TEXT, short=1),
        (body + b"x", headers),
        (body, {**headers, "Inference-Header-Content-Length": "7"}),
    ):
        status, error = asked(*wrong)
        assert (status, error["code"]) == (400, "malformed_body")


def test_a_version_may_be_named_and_must_be_there(ask: Ask) -> None:
    plain = ask("/v1/models/tiny-index:predict", {"instances": [GOOD]})
    assert ask("/v1/models/tiny-index/versions/1:predict", {"instances": [GOOD]}) == plain
    assert ask("/v2/models/tiny-index/versions/1/infer", infer(GOOD))[1]["model_version"] == "1"
    for path, body in (
        ("/v1/models/tiny-index/versions/2:predict", {"instances": [GOOD]}),
        ("/v2/models/tiny-index/versions/2/infer", infer(GOOD)),
    ):
        status, error = ask(path, body)
        assert (status, error["code"]) == (404, "not_found")
        assert "has no version '2'" in error["error"]
    assert ask("/v1/models/tiny-index@1:predict", {"instances": [GOOD]}) == plain


def test_a_models_metadata_names_what_infer_takes_and_answers(ask: Ask, aws: Aws) -> None:
    from portal.app import handler
    from portal.services import services

    def read(path: str) -> tuple[int, Any]:
        reply = handler(post(path, b"") | {"httpMethod": "GET"}, Context())
        return reply["statusCode"], json.loads(reply["body"])

    services.cache_clear()
    for name, row in (("tiny-text", TEXT), ("tiny-index", GOOD)):
        _, told = read(f"/v2/models/{name}")
        [given], [answered] = told["inputs"], told["outputs"]
        status, reply = ask(f"/v2/models/{name}/infer", infer(row, name=given["name"], datatype=given["datatype"]))
        [output] = reply["outputs"]
        assert (status, reply["model_version"]) == (200, told["versions"][0])
        assert (output["name"], output["datatype"]) == (answered["name"], answered["datatype"])
        assert output["shape"][1:] == answered["shape"][1:]
        assert read(f"/v1/models/{name}")[1]["model_version_status"][0]["state"] == "AVAILABLE"
        assert read(f"/v2/models/{name}/ready") == (200, {"name": name, "ready": True})
        for path in (f"/v1/models/{name}", f"/v2/models/{name}"):
            assert read(f"{path}/versions/1") == read(path)
            assert read(f"{path}/versions/2")[0] == 404
        assert read(f"/v2/models/{name}/versions/1/ready")[0] == 200
    assert read("/v2/models/other")[1]["code"] == read("/v1/models/other")[1]["code"] == "not_found"
    assert read("/v2/health/live") == (200, {"live": True})
    assert read("/v2/health/ready") == (503, {"ready": False})
    services.cache_clear()
