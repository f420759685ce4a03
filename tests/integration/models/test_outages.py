"""Stores that are away are no mistake of the caller's: 503 with Retry-After, at every route that needs them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from assay.aws.dynamodb import Table
from tests import events
from tests.conftest import Aws
from tests.events import Context
from tests.integration.drops import GOOD, Drop
from tests.integration.faults import OPEN, code, desk

ROUTES = {
    "job": ("portal_job", {"pathParameters": {"id": "x"}}),
    "cancel": ("portal_cancel", {"pathParameters": {"id": "x"}}),
    "rerun": ("portal_rerun", {"pathParameters": {"id": "x"}}),
    "uploads": ("portal_uploads", {}),
}
AWAY: dict[str, Exception] = {
    "gone": code("ResourceNotFoundException", 400),
    "throttled": code("ProvisionedThroughputExceededException", 400),
    "down": code("InternalServerError", 500),
    "out of reach": EndpointConnectionError(endpoint_url="https://dynamodb"),
    "not allowed": code("AccessDeniedException", 400),
}


@pytest.fixture
def portal(drop: Drop) -> Iterator[Any]:
    from portal.app import handler
    from portal.services import services

    services.cache_clear()
    yield handler
    services.cache_clear()


def asked(handler: Any, route: str) -> tuple[int, Any, dict[str, Any]]:
    """Return status, Retry-After and body of a route's reply."""
    name, more = ROUTES[route]
    reply = handler(events.load(name) | more, Context())
    return reply["statusCode"], reply["multiValueHeaders"].get("Retry-After"), json.loads(reply["body"])


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("what", AWAY)
def test_a_table_that_is_away_is_503_with_retry_after(
    portal: Any, monkeypatch: pytest.MonkeyPatch, route: str, what: str
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise AWAY[what]

    for name in ("item", "put", "set"):
        monkeypatch.setattr(Table, name, away)
    status, after, body = asked(portal, route)
    assert (status, after, body["error"]["code"]) == (503, ["10"], "store_away")
    assert "dynamodb" not in json.dumps(body).lower()


@pytest.mark.parametrize(
    ("key", "metadata", "named"),
    [
        ("rank/a.txt", {"topk": "5"}, "topk"),
        ("rank/a.txt", {"top-k": "5", "Colour": "red"}, "colour"),
        ("rank/a.txt", {"topk": "5", "mtime": "1"}, "topk"),
    ],
)
def test_metadata_that_is_no_option_is_refused_with_the_reason(
    drop: Drop, key: str, metadata: dict[str, str], named: str
) -> None:
    job_id = drop.done(key, f"{GOOD}\n".encode(), **metadata)
    job = drop.job(job_id)
    assert job.state == drop.summary(job_id)["state"] == "FAILED"
    assert f"unknown metadata {named!r}" in job.reason
    assert "top_k" in job.reason


def test_abstracts_metadata_is_held_too(paper_drop: Drop) -> None:
    job_id = paper_drop.done("classify/a.txt", b"An abstract.\n", output="all")
    assert "unknown metadata 'output'" in paper_drop.job(job_id).reason


def test_what_copying_programs_put_beside_a_file_is_left_alone(drop: Drop) -> None:
    metadata = {"mtime": "1700000000.5", "s3cmd-attrs": "md5:x", "uid": "0", "threshold": "-1000000"}
    job_id = drop.done("rank/a.txt", f"{GOOD}\n".encode(), **metadata)
    assert drop.summary(job_id)["counts"]["returned"] == 1


def test_a_presigned_form_used_twice_keeps_its_owner(drop: Drop, aws: Aws) -> None:
    aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    promised = desk().jobs.enqueue("rank/0123/a.txt", "rank", "somebody")
    for number in (1, 2, 3):
        event = drop.put("rank/0123/a.txt", f"{GOOD}\n".encode() * number, **OPEN)
        event["Records"][0]["s3"]["object"]["sequencer"] = f"00{number}"
        (job_id,) = drop(event)
        job = drop.job(job_id)
        assert (job.owner, job.state, job.counts["received"]) == ("somebody", "SUCCEEDED", number)
        assert not job.belongs("another")
        assert (job_id == promised.id) == (number == 1)
    (other,) = drop(drop.put("rank/b.txt", f"{GOOD}\n".encode(), **OPEN))
    assert drop.job(other).owner == ""
