"""POST /classify and the old contract over real HTTP."""

import json
from typing import Any

import pytest

from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"abstract": ABSTRACT}},
        {"data": ABSTRACT.encode(), "headers": {"Content-Type": "text/plain"}},
        {"data": ABSTRACT.encode(), "headers": {"Content-Type": "text/plain; charset=utf-8"}},
    ],
    ids=["json", "text", "charset"],
)
def test_one_abstract(service: Service, body: dict[str, Any]) -> None:
    answer = service.post("/classify", **body).json()
    assert answer["model"]["name"] == "arxiv-archives"
    (result,) = answer["results"]
    assert set(result["scores"]) == set(answer["labels"])
    assert all(0 <= score <= 1 for score in result["scores"].values())
    assert max(result["scores"], key=result["scores"].__getitem__) == "hep-ph"
    assert result["truncated"] is False
    assert result["tokens"] > 10


def test_labels_are_those_above_their_threshold_best_first(service: Service) -> None:
    result = service.post("/classify?threshold=0.01", json={"abstract": ABSTRACT}).json()["results"][0]
    shown = [label["score"] for label in result["labels"]]
    assert shown == sorted(shown, reverse=True)
    assert min(shown) >= 0.01
    assert len(shown) == sum(score >= 0.01 for score in result["scores"].values())


def test_many_abstracts_and_a_bad_one_in_its_place(service: Service) -> None:
    other = "Graphs whose vertices are coloured by a pebble game are characterised, with an algorithm. " * 2
    answer = service.post("/classify", json={"abstracts": [ABSTRACT, "too short", other]}).json()
    first, second, third = answer["results"]
    assert first["labels"]
    assert second["error"]["code"] == "invalid_abstract"
    assert third["scores"]


def test_by_name(service: Service) -> None:
    assert service.post("/models/arxiv-archives/classify", json={"abstract": ABSTRACT}).status_code == 200
    missing = service.post("/models/no-such-model/classify", json={"abstract": ABSTRACT})
    assert missing.status_code in (404, 503)
    assert missing.json()["error"]["code"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"{}", "application/json"),
        (b'{"abstract": 7}', "application/json"),
        (b'{"abstracts": []}', "application/json"),
        (json.dumps({"abstracts": [ABSTRACT] * 65}).encode(), "application/json"),
        (json.dumps({"abstract": "x" * 49}).encode(), "application/json"),
        (json.dumps({"abstract": "word " * 1001}).encode(), "application/json"),
        (b"short", "text/plain"),
        (b"\x89PNG", "image/png"),
        (b"%PDF-1.7 broken", "application/pdf"),
    ],
)
def test_what_cannot_be_classified_is_the_callers_error(service: Service, body: bytes, kind: str) -> None:
    reply = service.post("/classify", data=body, headers={"Content-Type": kind})
    assert 400 <= reply.status_code < 500, reply.text
    assert reply.json()["error"]["code"]


@pytest.mark.parametrize("path", ["/predict", "/predict/", "/api/predict", "/api/predict/", "/prod/api/predict/"])
def test_the_old_contract(service: Service, path: str) -> None:
    reply = service.post(path, json={"abstract": ABSTRACT})
    assert reply.status_code == 200
    (scores,) = reply.json()["predictions"]
    labels = service.post("/classify", json={"abstract": ABSTRACT}).json()
    assert scores == pytest.approx([labels["results"][0]["scores"][label] for label in labels["labels"]], abs=1e-5)


def test_the_old_contract_with_what_curl_calls_it(service: Service) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = service.post("/api/predict/", data=json.dumps({"abstract": ABSTRACT}), headers=kind)
    assert reply.status_code == 200
    assert len(reply.json()["predictions"][0]) == 18


@pytest.mark.parametrize("body", ['{"abstract": "short"}', "{}", "{", '{"abstract": "' + "x" * 5001 + '"}'])
def test_errors_of_the_old_contract(service: Service, body: str) -> None:
    reply = service.post("/api/predict/", data=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    (message,) = reply.json()["abstract"]
    assert message
