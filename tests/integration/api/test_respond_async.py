"""POST /rank with `Prefer: respond-async`: 202 at once, and a job whose result is that of the request."""

import json
from typing import Any

import pytest

from assay.jobs.job_records import Jobs
from tests import events
from tests.conftest import TABLE, Aws
from tests.events import multipart, post
from tests.integration.drops import GOOD, OTHER, Drop

HEADERS = {"Prefer": "wait=5, respond-async"}
LINES = f"{GOOD}\nMKV\n{OTHER}\n".encode()
JSON = json.dumps({"sequences": [GOOD, "MKV", {"id": "b", "sequence": OTHER}], "threshold": -1000000, "top_k": 1})


def asked(call: Any, body: bytes, kind: str, query: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    reply = call(post("/rank", body, kind, query, HEADERS))
    if reply["statusCode"] == 202:
        assert reply["multiValueHeaders"]["Preference-Applied"] == ["respond-async"]
    return reply["statusCode"], json.loads(reply["body"])


@pytest.mark.parametrize(
    ("body", "kind", "query"),
    [
        (LINES, "text/plain", {"threshold": "-1000000", "top_k": "1"}),
        (JSON.encode(), "application/json", None),
        (multipart(LINES, threshold="-1000000", top_k="1"), "multipart/form-data; boundary=frontier", None),
    ],
)
def test_a_request_becomes_a_job(
    drop: Drop, call: Any, aws: Aws, body: bytes, kind: str, query: dict[str, str] | None
) -> None:
    status, said = asked(call, body, kind, query)
    assert (status, said["status_url"]) == (202, f"jobs/{said['job_id']}")
    promised = Jobs(aws.dynamodb, TABLE).get(said["job_id"])
    assert promised is not None
    assert promised.state == "QUEUED"
    etag = aws.uploads.head(promised.upload).etag.strip('"')
    event = events.load("s3_put")
    event["Records"][0]["s3"]["bucket"]["name"] = "uploads"
    event["Records"][0]["s3"]["object"] |= {"key": promised.upload, "eTag": etag}
    assert drop(event) == [said["job_id"]]
    counts = drop.summary(said["job_id"])["counts"]
    assert (counts["received"], counts["passed"], counts["returned"], counts["rejected"]) == (3, 2, 1, 1)
    at_once = json.loads(call(post("/rank", body, kind, query))["body"])
    assert [row["sequence"] for row in drop.rows(said["job_id"], "ranking.csv")] == [
        row["sequence"] for row in at_once["ranked"]
    ]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"], ids=ascii)
def test_a_line_end_in_an_id_begins_no_record(call: Any, aws: Aws, end: str) -> None:
    body = {"sequences": [{"id": f"x{end}=1", "sequence": GOOD}, {"id": "b", "sequence": OTHER}]}
    status, said = asked(call, json.dumps(body).encode(), "application/json")
    assert status == 202
    kept = Jobs(aws.dynamodb, TABLE).get(said["job_id"])
    assert kept is not None
    found = aws.uploads.get(kept.upload, limit=10_000)
    assert found is not None
    assert json.loads(found[0]) == body["sequences"]


@pytest.mark.parametrize(
    ("body", "kind", "query", "code"),
    [
        (LINES, "text/plain", {"top_k": "lots"}, "invalid_option"),
        (LINES, "text/plain", {"topk": "1"}, "invalid_option"),
        (b'{"sequences": [1]}', "application/json", None, "malformed_body"),
        (b'{"sequence": []}', "application/json", None, "malformed_body"),
        (b"{}", "application/json", None, "malformed_body"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_at_once(
    call: Any, aws: Aws, body: bytes, kind: str, query: dict[str, str] | None, code: str
) -> None:
    status, said = asked(call, body, kind, query)
    assert (status, said["error"]["code"]) == (400, code)
    assert list(aws.uploads.keys("")) == []


def test_all_scores_are_for_those_who_do_not_wait(call: Any) -> None:
    reply = call(post("/rank", LINES, "text/plain", {"output": "all"}))
    assert reply["statusCode"] == 400
    assert "respond-async" in json.loads(reply["body"])["error"]["message"]
    assert asked(call, LINES, "text/plain", {"output": "all"})[0] == 202


def test_the_open_gate_lets_all_pass_at_once_too(call: Any) -> None:
    query = {"threshold": "1000000"}
    closed = json.loads(call(post("/rank", LINES, "text/plain", query))["body"])["counts"]
    opened = json.loads(call(post("/rank", LINES, "text/plain", {**query, "gate": "off"}))["body"])["counts"]
    assert (closed["passed"], opened["passed"]) == (0, 2)


def test_a_body_that_takes_too_long_becomes_a_job_by_itself(
    drop: Drop, call: Any, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rank.request.SECONDS", -1)
    for body, kind in ((LINES, "text/plain"), (JSON.encode(), "application/json")):
        reply = call(post("/rank", body, kind))
        assert reply["statusCode"] == 202
        promised = Jobs(aws.dynamodb, TABLE).get(json.loads(reply["body"])["job_id"])
        assert promised is not None
        assert aws.uploads.head(promised.upload).size > 0
    old = call(post("/file_data", multipart(LINES), "multipart/form-data; boundary=frontier"))
    assert old["statusCode"] == 413
    assert "POST /uploads" in json.loads(old["body"])["error"]["message"]


def test_a_reply_that_would_be_too_large_says_what_to_do(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rank.reply.MAX_REPLY", 100)
    reply = call(post("/rank", LINES, "text/plain", {"threshold": "-1000000"}))
    assert reply["statusCode"] == 413
    assert "top_k" in json.loads(reply["body"])["error"]["message"]


@pytest.mark.parametrize("body", ['{"top_k": 1, "sequences": [], "top_k": 2}', '{"sequences": [{"id": 1, "id": 2}]}'])
def test_a_name_that_stands_twice_is_told(call: Any, body: str) -> None:
    reply = call(post("/rank", body.encode(), "application/json"))
    assert reply["statusCode"] == 400
    assert "twice" in json.loads(reply["body"])["error"]["message"]
