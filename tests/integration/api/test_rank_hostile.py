"""Requests made to break a reply: text that UTF-8 cannot hold, names of megabytes, ids that grow when escaped."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from assay.sequences.blocks import decode
from tests.conftest import Aws
from tests.events import multipart, post

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
FORM = "multipart/form-data; boundary=frontier"
LAMBDA_LIMIT = 6_291_556
Call = Callable[[dict[str, Any]], dict[str, Any]]


def sent(reply: dict[str, Any]) -> dict[str, Any]:
    """Return the body as the caller gets it: within Lambda's limit once escaped, and UTF-8."""
    assert len(json.dumps(reply)) < LAMBDA_LIMIT
    body: dict[str, Any] = json.loads(reply["body"].encode())
    return body


def test_half_a_surrogate_pair_in_an_id_is_answered(call: Call) -> None:
    body = b'{"sequences": [{"id": "a\\ud800", "sequence": "%s"}], "threshold": -1e9}' % GOOD.encode()
    reply = call(post("/rank", body))
    assert reply["statusCode"] == 200
    assert sent(reply)["ranked"][0]["id"] == "a?"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"sequences": [], "\\ud800": 1}', "application/json"),
        (json.dumps({"sequences": [], "\x01" * 900_000: 1}).encode(), "application/json"),
        (multipart(b"a,b\n1,2\n", filename="a.csv", column="\x01" * 3_000_000), FORM),
        (b"\x01" * 1_000_000 + b",b\n1,2\n", "text/csv"),
    ],
)
def test_an_error_quotes_no_more_than_a_reply_can_carry(call: Call, body: bytes, content_type: str) -> None:
    reply = call(post("/rank", body, content_type))
    assert reply["statusCode"] in (400, 422)
    assert sent(reply)["error"]["message"]
    assert len(reply["body"]) < 1_000_000


def test_ids_that_grow_when_escaped_make_the_reply_a_link(call: Call, aws: Aws) -> None:
    names = decode(np.random.default_rng(1).integers(0, 20, (4000, 50), np.uint8))
    items = [{"id": "ж" * 300, "sequence": name} for name in names]
    body = json.dumps({"sequences": items, "top_k": 10_000, "threshold": -1e9}, ensure_ascii=False).encode()
    found = sent(call(post("/rank", body)))
    assert set(found) == {"result_url", "counts", "models", "notices"}
    stored = aws.results.get(next(aws.results.keys("results/")), limit=5_000_000)
    assert stored is not None
    assert len(json.loads(stored[0])["ranked"]) == found["counts"]["returned"] == len(set(names))


@pytest.mark.parametrize(
    ("packed", "content_type"),
    [
        (True, "application/json"),
        (True, "application/gzip"),
        (True, None),
        (False, "application/octet-stream"),
    ],
)
def test_json_is_json_packed_or_under_a_type_that_says_nothing(
    call: Call, packed: bool, content_type: str | None
) -> None:
    plain = json.dumps({"sequences": [GOOD]}).encode()
    reply = call(post("/rank", gzip.compress(plain, mtime=0) if packed else plain, content_type))
    assert sent(reply)["counts"]["scored"] == 1


@pytest.mark.parametrize("kind", [b"application/octet-stream", b"Application/JSON; charset=utf-8"])
def test_a_json_file_in_a_form_is_json(call: Call, kind: bytes) -> None:
    form = multipart(json.dumps({"sequences": [GOOD]}).encode(), filename="a.json").replace(b"text/plain", kind)
    assert sent(call(post("/rank", form, FORM)))["counts"]["scored"] == 1


def test_the_form_is_found_from_its_target_with_a_slash_too(call: Call) -> None:
    reply = call(post("/upload_file/", b"") | {"httpMethod": "GET"})
    assert (reply["statusCode"], reply["multiValueHeaders"]["Location"]) == (303, ["../upload"])


def test_a_header_without_a_value_is_no_header(call: Call) -> None:
    event = post("/rank", json.dumps({"sequences": [GOOD]}).encode())
    assert sent(call(event | {"headers": {"Content-Type": None}}))["counts"]["scored"] == 1


def test_more_lines_than_are_ranked_while_the_gateway_waits_are_sent_to_uploads(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rank.request.MAX_LINES", 1000)
    reply = call(post("/rank", gzip.compress(b"\n" * 1001), "application/gzip"))
    assert reply["statusCode"] == 413
    assert "POST /uploads" in sent(reply)["error"]["message"]
    assert call(post("/rank", b"\n" * 1000, "text/plain"))["statusCode"] == 200


@pytest.mark.parametrize(
    ("content_type", "said"),
    [
        ("Application/JSON; charset=utf-8", "'application/json'"),
        ("application/x-www-form-urlencoded", "'application/x-www-form-urlencoded'"),
        ("x" * 9000, repr("x" * 100)),
        (None, "no Content-Type"),
    ],
    ids=["json", "curl", "long", "none"],
)
def test_gzip_that_was_read_as_text_on_its_way_says_under_which_type_and_which_to_take(
    call: Call, content_type: str | None, said: str
) -> None:
    text = gzip.compress(b'{"sequences": []}', mtime=0).decode("utf-8", "replace")
    reply = call(post("/rank", b"", content_type) | {"body": text, "isBase64Encoded": False})
    assert (reply["statusCode"], sent(reply)["error"]["code"]) == (400, "malformed_body")
    message = sent(reply)["error"]["message"]
    assert message.startswith(f"the body is gzip, but was sent as {said}, ")
    assert message.endswith("Content-Type: application/gzip")


def test_an_empty_body_is_called_empty(call: Call) -> None:
    assert "empty" in sent(call(post("/rank", b" ")))["error"]["message"]
