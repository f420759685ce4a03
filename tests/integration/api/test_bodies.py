"""Every route reads packed bodies, and whatever clients call their files."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import events
from tests.conftest import Aws
from tests.events import Context, multipart, post
from tests.workbooks import workbook

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
ABSTRACT = "The quantum field theory of galaxies is studied with neural networks and a great deal of patience."
Call = Callable[[dict[str, Any]], dict[str, Any]]
VAGUE = ["application/x-www-form-urlencoded", "application/octet-stream", "binary/octet-stream", None]


@pytest.fixture
def classify(aws: Aws) -> Iterator[Call]:
    from classify import api, services

    aws.publish("tiny-text")
    services.services.cache_clear()
    yield lambda event: api.handler(event, Context())
    services.services.cache_clear()


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/classify", {"abstract": ABSTRACT}),
        ("/predict", {"abstract": ABSTRACT}),
        ("/v1/models/tiny-text:predict", {"instances": [ABSTRACT]}),
        (
            "/v2/models/tiny-text/infer",
            {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [ABSTRACT]}]},
        ),
    ],
)
def test_packed_bodies_are_read_wherever_there_is_a_body(
    classify: Call, path: str, body: dict[str, Any], encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    plain = json.dumps(body).encode()
    headers = {"Cache-Control": "no-store"}
    expected = classify(post(path, plain, headers=headers))
    assert expected["statusCode"] == 200
    found = classify(post(path, pack(plain), headers={**headers, "Content-Encoding": encoding}))
    assert json.loads(found["body"]) == json.loads(expected["body"])
    refused = classify(post(path, plain, headers={"Content-Encoding": "br"}))
    assert refused["statusCode"] == (400 if path == "/predict" else 415)


@pytest.mark.parametrize("kind", VAGUE)
@pytest.mark.parametrize("packed", [False, True])
def test_what_nothing_is_said_of_is_read_by_its_content(classify: Call, kind: str | None, packed: bool) -> None:
    paper = base64.b64decode(events.load("classify_pdf")["body"])
    for body in (ABSTRACT.encode(), json.dumps([ABSTRACT]).encode(), ABSTRACT.encode("utf-16"), paper):
        reply = classify(post("/classify", gzip.compress(body) if packed else body, kind))
        assert reply["statusCode"] == 200, body[:20]
        assert len(json.loads(reply["body"])["results"]) == 1


def test_a_form_of_a_browser_that_is_no_file_is_read(classify: Call) -> None:
    body = f"abstract={ABSTRACT.replace(' ', '+')}".encode()
    reply = classify(post("/classify", body, "application/x-www-form-urlencoded"))
    assert json.loads(reply["body"])["results"][0]["tokens"]


@pytest.mark.parametrize("kind", [*VAGUE, "text/tsv", "text/tab-separated-values", "application/vnd.ms-excel"])
def test_tables_are_read_whatever_they_are_called(call: Call, kind: str | None) -> None:
    body = f"id\tsequence\na\t{GOOD}\n".encode()
    for sent in (body, gzip.compress(body)):
        reply = json.loads(call(post("/rank", sent, kind, query={"threshold": "-1e6"}))["body"])
        assert [row["id"] for row in reply["ranked"]] == ["a"]


@pytest.mark.parametrize("path", ["/classify", "/rank"])
def test_what_is_no_text_is_named(call: Call, classify: Call, path: str) -> None:
    asked = call if path == "/rank" else classify
    for body in (b"SQLite format 3\0" + bytes(90), b"\x89PNG\r\n\x1a\n", bytes(range(256))):
        for kind in (*VAGUE, "text/plain"):
            reply = asked(post(path, body, kind))
            error = json.loads(reply["body"])["error"]
            assert (reply["statusCode"], error["code"]) == (422, "unreadable_input")
            assert "which is not supported here: " in error["message"]


def test_objects_of_a_list_keep_their_ids(classify: Call) -> None:
    body = [{"id": "x1", "abstract": ABSTRACT, "year": 2020}, {"id": "x2"}, ABSTRACT]
    lines = "\n".join(map(json.dumps, body)).encode()
    for sent in (json.dumps(body).encode(), json.dumps({"abstracts": body}, indent=1).encode(), lines):
        first, second, third = json.loads(classify(post("/classify", sent))["body"])["results"]
        assert (first["id"], first["columns"]) == ("x1", {"year": 2020})
        assert second["error"]["code"] == "invalid_abstract"
        assert third["labels"] == first["labels"]


def test_tables_of_abstracts_are_rows_and_no_text(classify: Call) -> None:
    form = "multipart/form-data; boundary=frontier"
    table = f"id,abstract\nx1,{ABSTRACT}\nx2,short\n".encode()
    sheet = workbook([["id", "abstract"], ["x1", ABSTRACT], ["x2", "short"]])
    for body, kind in (
        (table, "text/csv"),
        (gzip.compress(table.replace(b",", b"\t")), "text/tab-separated-values"),
        (multipart(table, filename="a.csv").replace(b"text/plain", b"application/octet-stream"), form),
        (sheet, "application/octet-stream"),
        (multipart(sheet, filename="a.xlsx"), form),
    ):
        first, second = json.loads(classify(post("/classify", body, kind))["body"])["results"]
        assert (first["id"], second["error"]["code"]) == ("x1", "invalid_abstract")
    refused = classify(post("/classify", b"id,note\n1,2\n", "text/csv"))
    assert (refused["statusCode"], json.loads(refused["body"])["error"]["code"]) == (422, "unreadable_input")


def test_an_option_in_the_query_and_in_the_form_is_refused(call: Call, classify: Call) -> None:
    kind = "multipart/form-data; boundary=frontier"
    for asked, path in ((call, "/rank"), (classify, "/classify")):
        reply = asked(post(path, multipart(GOOD.encode(), top_k="3"), kind, query={"top_k": "4"}))
        assert (reply["statusCode"], json.loads(reply["body"])["error"]["code"]) == (400, "malformed_body")
