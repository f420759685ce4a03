"""The forms of a reply agree with each other, and what cannot be met is refused before anything is computed."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Aws
from tests.events import Context, post

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
TABLE = f"id,sequence,batch\na,{GOOD},=7\nb,{GOOD[::-1]},8\nc,SHRT,9\nd,{GOOD},9\n".encode()
ABSTRACT = "The quantum field theory of galaxies is studied with neural networks and a great deal of patience."
TEXTS = json.dumps({"abstracts": [ABSTRACT, "short"], "threshold": 0}).encode()
OPEN = {"threshold": "-1e6"}
Call = Callable[[dict[str, Any]], dict[str, Any]]
Settle = Callable[[str, str], None]


@pytest.fixture
def classify(aws: Aws) -> Iterator[Call]:
    from classify import api, services

    aws.publish("tiny-text")
    services.services.cache_clear()
    yield lambda event: api.handler(event, Context())
    services.services.cache_clear()


def rank(call: Call, accept: str) -> dict[str, Any]:
    return call(post("/rank", TABLE, "text/csv", query=OPEN, headers={"Accept": accept}))


def headers(reply: dict[str, Any]) -> dict[str, str]:
    return {name: values[0] for name, values in reply["multiValueHeaders"].items()}


def test_every_form_of_a_ranking_has_the_same_rows(call: Call) -> None:
    whole = json.loads(rank(call, "application/json")["body"])
    assert len(whole["ranked"]) == 2
    rows = list(csv.DictReader(io.StringIO(rank(call, "text/csv")["body"])))
    assert [*rows[0]] == ["rank", "sequence", "score", "gate", "line", "id", "batch"]
    assert [float(row["score"]) for row in rows] == [row["score"] for row in whole["ranked"]]
    objects = [json.loads(line) for line in rank(call, "application/x-ndjson")["body"].splitlines()]
    assert objects == whole["ranked"]
    assert rank(call, "text/plain")["body"].splitlines() == [row["sequence"] for row in whole["ranked"]]


@pytest.mark.parametrize("accept", ["text/csv", "text/plain", "application/x-ndjson"])
def test_what_has_no_room_in_a_ranking_is_said_in_headers(call: Call, accept: str) -> None:
    found = headers(rank(call, accept))
    assert found["Content-Type"].partition(";")[0] == accept
    counts = json.loads(rank(call, "*/*")["body"])["counts"]
    assert {name: int(found[f"X-Assay-{name.title()}"]) for name in counts} == counts
    assert found["X-Assay-Score-Model"] == found["X-Assay-Gate-Model"] == "tiny-index/1"
    assert found["X-Assay-Rejects"] == "4:length"


def test_every_form_of_a_classification_says_the_same(classify: Call) -> None:
    def answered(accept: str) -> dict[str, Any]:
        return classify(post("/classify", TEXTS, headers={"Accept": accept, "Cache-Control": "no-store"}))

    whole = json.loads(answered("application/json")["body"])
    assert [json.loads(line) for line in answered("application/x-ndjson")["body"].splitlines()] == whole["results"]
    table = answered("text/csv")
    good, bad = csv.DictReader(io.StringIO(table["body"]))
    assert {label: float(good[label]) for label in whole["labels"]} == whole["results"][0]["scores"]
    assert good["labels"].split(";") == [each["label"] for each in whole["results"][0]["labels"]]
    assert (good["abstract"], good["truncated"], good["error"]) == (
        "1",
        str(whole["results"][0]["truncated"]).lower(),
        "",
    )
    assert (bad["abstract"], bad["labels"], bad["error"]) == ("2", "", whole["results"][1]["error"]["message"])
    assert headers(table)["X-Assay-Model"] == "tiny-text/1"
    assert (headers(table)["X-Assay-Received"], headers(table)["X-Assay-Rejected"]) == ("2", "1")


def test_a_large_table_is_elsewhere_and_whole(call: Call, aws: Aws, environment: Settle) -> None:
    from rank.services import services

    whole = rank(call, "text/csv")["body"]
    environment("ASSAY_REPLY_BYTES", "100")
    services.cache_clear()
    reply = rank(call, "text/csv")
    assert reply["statusCode"] == 303
    link = headers(reply)["Location"]
    assert json.loads(reply["body"])["result_url"] == link
    key = urlsplit(link).path.partition("/results/")[2]
    stored = aws.results.get(f"results/{key}" if not key.startswith("results/") else key, limit=10_000)
    assert stored is not None
    assert stored[0].decode() == whole
    assert headers(reply)["X-Assay-Returned"] == "2"


def test_a_large_classification_is_a_link(classify: Call, aws: Aws, environment: Settle) -> None:
    environment("ASSAY_REPLY_BYTES", "10")
    reply = json.loads(classify(post("/classify", TEXTS))["body"])
    assert set(reply) == {"result_url", "model", "notices"}
    assert [key.rpartition("/")[2] for key in aws.results.keys("results/")] == ["classification.json"]


@pytest.mark.parametrize(
    ("path", "changes", "status", "code", "named"),
    [
        ("/rank", {"headers": {"Accept": "text/html"}}, 406, "not_acceptable", "text/csv"),
        ("/classify", {"headers": {"Accept": "text/plain"}}, 406, "not_acceptable", "text/csv"),
        ("/rank", {"query": {"topk": "3"}}, 400, "invalid_option", "top_k"),
        ("/classify", {"query": {"treshold": "0.3"}}, 400, "invalid_option", "threshold"),
    ],
)
def test_what_cannot_be_met_is_told_with_what_can(
    call: Call, classify: Call, path: str, changes: dict[str, Any], status: int, code: str, named: str
) -> None:
    reply = (call if path == "/rank" else classify)(post(path, b"{}", **changes))
    error = json.loads(reply["body"])["error"]
    assert (reply["statusCode"], error["code"]) == (status, code)
    assert named in error["message"]


def test_a_field_that_is_not_known_is_told(classify: Call) -> None:
    error = json.loads(classify(post("/classify", json.dumps({"abstract": ABSTRACT, "topk": 1}).encode()))["body"])
    assert "'topk'; known: abstract, abstracts, threshold, top_k" in error["error"]["message"]


def test_the_old_contract_ignores_what_it_does_not_know(call: Call) -> None:
    reply = call(post("/file_data", GOOD.encode(), "text/plain", query={"utm": "x"}, headers={"Accept": "text/html"}))
    assert (reply["statusCode"], reply["body"].strip()) in ((200, GOOD), (200, ""))
