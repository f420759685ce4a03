"""What the handlers write to their logs: JSON with ids, metrics, and nothing of what a user sent."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Aws
from tests.events import Context, post
from tests.integration.drops import Drop
from tests.logs import lines, metrics
from tests.papers.layouts import article
from tests.papers.texts import ABSTRACT

SEQUENCE = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
TEXTS = (SEQUENCE, SEQUENCE.lower(), SEQUENCE[10:30], "MYNAME", *[word for word in ABSTRACT.split() if len(word) > 7])
Written = Callable[[], list[dict[str, Any]]]
LINES = f"{SEQUENCE}\n{SEQUENCE[:20]}\nMYNAME\n{SEQUENCE[:-1]}X\n".encode()
CLASSIFIED = {
    "one": post("/classify", json.dumps({"abstract": ABSTRACT}).encode(), "application/json"),
    "several": post("/classify", json.dumps({"abstracts": [ABSTRACT, "MYNAME"]}).encode(), "application/json"),
    "pdf": post("/classify", article().pdf(), "application/pdf"),
    "damaged pdf": post("/classify", article().pdf()[:900], "application/pdf"),
    "malformed": post("/classify", f'{{"abstract": "{ABSTRACT}'.encode(), "application/json"),
    "old": post("/predict", json.dumps({"abstract": ABSTRACT}).encode(), "application/json"),
}
RANKED = {
    "lines": post("/rank", LINES, "text/plain"),
    "strict": post("/rank", json.dumps({"sequences": [SEQUENCE, "MYNAME"], "strict": True}).encode()),
    "malformed": post("/rank", f'{{"sequences": ["{SEQUENCE}'.encode(), "application/json"),
    "file": post("/file_data", LINES, "text/plain"),
}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Written:
    """What was written since it was last asked."""
    return lambda: lines(capsys)


@pytest.fixture
def classify(aws: Aws, environment: Callable[[str, str], None]) -> Iterator[Any]:
    """The handler of the classifying API, with a cache."""
    from classify import api, services

    environment("ASSAY_CACHE_DAYS", "1")
    services.services.cache_clear()
    aws.publish("tiny-text")
    yield lambda event: api.handler(event, Context())
    services.services.cache_clear()


def held(found: list[dict[str, Any]], *ids: str) -> None:
    """Hold the lines of calls to their ids, and every line to silence about the input."""
    logged = [line for line in found if "function_request_id" in line]
    assert logged
    assert "seconds" in {key for line in logged for key in line}
    assert all(name in line for name in ids for line in logged[-1:])
    assert not [text for text in TEXTS if text in json.dumps(found)]


@pytest.mark.parametrize("name", RANKED)
def test_ranking_says_nothing_of_sequences(call: Any, written: Written, name: str) -> None:
    assert call(RANKED[name])["statusCode"] in {200, 400, 422}
    held(written(), "request_id")


@pytest.mark.parametrize("name", CLASSIFIED)
def test_classification_says_nothing_of_abstracts(classify: Any, written: Written, name: str) -> None:
    assert classify(CLASSIFIED[name])["statusCode"] in {200, 400, 422}
    held(written(), "request_id")


@pytest.mark.parametrize("body", [LINES, b"\x1f\x8b damaged " + LINES, b"a,b\n" + LINES])
def test_files_say_nothing_of_their_lines(drop: Drop, written: Written, body: bytes) -> None:
    drop(drop.put("rank/file.csv", body))
    held(written(), "job_id")


def test_an_error_that_nobody_foresaw_is_not_quoted(
    call: Any, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError(SEQUENCE)

    monkeypatch.setattr("rank.api.rank_blocks", broken)
    assert call(RANKED["lines"])["statusCode"] == 500
    found = written()
    held(found, "request_id")
    [logged] = [line for line in found if line.get("message") == "unexpected error"]
    assert logged["kind"] == "ValueError"
    assert any("rank/api.py" in place for place in logged["places"])


def test_ranking_is_measured(call: Any, written: Written) -> None:
    call(RANKED["lines"])
    found = written()
    assert {"RankSeconds", "SequencesScored", "RecordsRejected", "ModelServes"} <= metrics(found).keys()
    rejected = {line["reason"]: line["RecordsRejected"] for line in found if "RecordsRejected" in line}
    assert rejected == {"length": 2, "residue": 1}


def test_files_are_measured(drop: Drop, written: Written) -> None:
    drop(drop.put("rank/file.txt", LINES))
    found = written()
    assert metrics(found)["SequencesScored"] == 1
    assert {line["reason"]: line["RecordsRejected"] for line in found if "RecordsRejected" in line} == {
        "length": 2,
        "residue": 1,
    }


def test_classification_is_measured(classify: Any, written: Written) -> None:
    classify(CLASSIFIED["pdf"])
    classify(CLASSIFIED["pdf"])
    measured = {"ClassifySeconds", "PdfSeconds", "CacheSeconds", "CacheHits", "CacheMisses"}
    assert measured <= metrics(written()).keys()


def test_what_is_refused_is_counted_by_its_code(classify: Any, written: Written) -> None:
    classify(CLASSIFIED["malformed"])
    assert [line["code"] for line in written() if "Refused" in line] == ["malformed_body"]


def _bytes(found: list[dict[str, Any]]) -> int:
    return sum(len(json.dumps(line, separators=(",", ":"))) + 1 for line in found)


def test_a_warm_request_writes_one_line(call: Any, written: Written) -> None:
    event = post("/rank", f"{SEQUENCE}\n".encode(), "text/plain")
    call(event)
    written()
    call(event)
    found = written()
    assert len(found) == 1
    assert _bytes(found) < 700


def test_a_warm_abstract_writes_one_line(classify: Any, written: Written) -> None:
    classify(CLASSIFIED["one"])
    written()
    classify(CLASSIFIED["one"])
    found = written()
    assert len(found) == 1
    assert _bytes(found) < 900
