"""One caller's job is neither listed, nor found by its upload, nor stopped by another's key; ids cannot be guessed."""

import json
import os
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from assay.http.messages import name_caller
from assay.jobs.job_records import Jobs, UploadIdentity
from tests.conftest import TABLE, Aws
from tests.events import Context, post
from tests.integration.drops import Drop

ALICE, MALLORY = {"apiKeyId": "key-one"}, {"apiKeyId": "key-two"}
ROLE = "arn:aws:sts::123456789012:assumed-role/"
Ask = Callable[..., tuple[int, Any]]


def sent(method: str, path: str, identity: dict[str, Any], body: bytes = b"", **query: str) -> dict[str, Any]:
    event = post(path, body, query=query or None) | {"httpMethod": method}
    event["requestContext"] |= {"identity": identity}
    return event


@pytest.fixture
def ask(aws: Aws) -> Iterator[Ask]:
    from portal.app import handler
    from portal.services import services

    def ask(*given: Any, **query: Any) -> tuple[int, Any]:
        reply = handler(sent(*given, **query), Context())
        return reply["statusCode"], json.loads(reply["body"])

    services.cache_clear()
    yield ask
    services.cache_clear()


@pytest.fixture
def offer(ask: Ask) -> dict[str, Any]:
    """An upload that Alice asked for."""
    status, offer = ask("POST", "/uploads", ALICE, b'{"filename": "secret.txt"}')
    assert status == 201
    return dict(offer)


def test_an_upload_is_found_by_its_key_by_its_caller_alone(ask: Ask, offer: dict[str, Any]) -> None:
    assert ask("GET", "/jobs", ALICE, upload=offer["key"])[0] == 200
    for other in (MALLORY, {}, {"apiKeyId": None}, {"userArn": ROLE + "R/s"}):
        status, said = ask("GET", "/jobs", other, upload=offer["key"])
        assert (status, said) == ask("GET", "/jobs", other, upload="rank/none.txt")
        assert status == 404


def test_a_job_is_stopped_by_its_caller_alone(ask: Ask, offer: dict[str, Any]) -> None:
    path = f"/jobs/{offer['job_id']}/cancel"
    for other in (MALLORY, {}):
        status, said = ask("POST", path, other)
        assert (status, said["error"]["code"]) == (403, "forbidden")
    assert ask("GET", f"/jobs/{offer['job_id']}", {})[1]["state"] == "QUEUED"
    assert ask("POST", path, ALICE)[0] == 202


def test_a_file_is_run_again_by_its_caller_alone(ask: Ask, offer: dict[str, Any]) -> None:
    path = f"/jobs/{offer['job_id']}/rerun"
    for other in (MALLORY, {}):
        status, said = ask("POST", path, other)
        assert (status, said["error"]["code"]) == (403, "forbidden")


def test_the_caller_is_kept_when_the_file_arrives_and_shown_to_nobody(
    ask: Ask, offer: dict[str, Any], aws: Aws
) -> None:
    jobs = Jobs(aws.dynamodb, TABLE)
    assert jobs.claim(UploadIdentity("uploads", offer["key"], "v", "1"), "me", 60).job_id == offer["job_id"]
    jobs.fail(offer["job_id"], "as a test")
    jobs.reopen(offer["job_id"])
    assert ask("GET", "/jobs", MALLORY, upload=offer["key"])[0] == 404
    status, shown = ask("GET", f"/jobs/{offer['job_id']}", MALLORY)
    assert status == 200, "who was given the id may read it"
    kept = name_caller(sent("GET", "/", ALICE))
    assert kept not in json.dumps(shown)
    assert "owner" not in shown


def test_a_request_that_became_a_job_is_its_callers(ask: Ask, call: Any, drop: Drop, aws: Aws) -> None:
    event = sent("POST", "/rank", ALICE, b'{"sequences": ["ACD"]}')
    event["headers"] |= {"Prefer": "respond-async"}
    reply = json.loads(call(event)["body"])
    key = ask("GET", f"/jobs/{reply['job_id']}", {})[1]["upload"]
    assert ask("GET", "/jobs", MALLORY, upload=key)[0] == 404
    assert ask("GET", "/jobs", ALICE, upload=key)[0] == 200
    assert ask("POST", f"/jobs/{reply['job_id']}/cancel", MALLORY)[0] == 403


def test_a_dropped_file_belongs_to_all_callers(ask: Ask, aws: Aws) -> None:
    claim = Jobs(aws.dynamodb, TABLE).claim(UploadIdentity("uploads", "rank/dropped.txt", "v", "1"), "me", 60)
    assert ask("GET", "/jobs", MALLORY, upload="rank/dropped.txt")[1]["job_id"] == claim.job_id
    assert ask("POST", f"/jobs/{claim.job_id}/cancel", MALLORY)[0] == 202


def test_no_route_lists_jobs(ask: Ask, offer: dict[str, Any]) -> None:
    for path, query in (("/jobs", {}), ("/jobs", {"upload": ""}), ("/jobs/", {}), ("/jobs", {"upload": "rank/"})):
        assert ask("GET", path, MALLORY, **query)[0] in (400, 404)
    assert ask("GET", "/jobs", MALLORY, owner="x", upload="rank/a")[0] == 400


@pytest.mark.parametrize(
    "forged",
    [
        {"x-api-key": "key-one"},
        {"X-Amzn-Apigateway-Api-Id": "key-one"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=..."},
    ],
)
def test_what_a_request_says_of_its_sender_counts_for_nothing(forged: dict[str, str]) -> None:
    event = sent("GET", "/jobs", MALLORY)
    event["headers"] |= forged
    assert name_caller(event) == name_caller(sent("GET", "/jobs", MALLORY)) != name_caller(sent("GET", "/jobs", ALICE))


def test_sessions_of_a_role_are_one_caller_and_a_signature_counts_before_a_key() -> None:
    one, two, other = ({"userArn": ROLE + name} for name in ("R/task-1", "R/task-2", "S/task-1"))
    assert (
        name_caller(sent("GET", "/", one)) == name_caller(sent("GET", "/", two)) != name_caller(sent("GET", "/", other))
    )
    assert name_caller(sent("GET", "/", {**one, **ALICE})) == name_caller(sent("GET", "/", one))
    assert name_caller(sent("GET", "/", {"userArn": None, "apiKeyId": None})) == name_caller({}) == ""


def test_a_caller_is_a_hash_that_names_nobody() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", name_caller(sent("GET", "/", ALICE)))
    assert "key-one" not in name_caller(sent("GET", "/", ALICE))


def test_ids_and_keys_are_drawn_from_the_system_and_not_from_a_seed(
    ask: Ask, offer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = os.urandom

    def noted(count: int) -> bytes:
        drawn.append(count)
        return draw(count)

    monkeypatch.setattr("os.urandom", noted)
    seen = set()
    for _ in range(40):
        random.seed(0)
        said = ask("POST", "/uploads", ALICE, b'{"filename": "a"}')[1]
        assert re.fullmatch(r"[0-9a-f]{32}", said["job_id"])
        assert re.fullmatch(r"rank/[0-9a-f]{16}/a", said["key"])
        seen |= {said["job_id"], said["key"]}
    assert len(seen) == 80
    assert drawn.count(16) >= 40, "122 bits of a job's id are random"
    assert abs(bits(seen) - 0.5) < 0.05


def bits(names: set[str]) -> float:
    """Return the share of ones among the bits of the names' hexadecimal parts."""
    digits = "".join(name.split("/")[1] if "/" in name else name for name in names)
    return f"{int(digits, 16):b}".count("1") / (4 * len(digits))


@pytest.mark.parametrize(
    "job_id",
    ["..", "../cache", "%2e%2e", "a/b", "*", "job#x", "\0", "\u202e", "x" * 2100, "' OR '1'='1", "${x}", "{{x}}"],
)
def test_an_id_that_is_none_is_404_and_no_path(ask: Ask, job_id: str) -> None:
    assert ask("GET", f"/jobs/{job_id}", {})[0] == 404
    assert ask("POST", f"/jobs/{job_id}/cancel", ALICE)[0] == 404


@pytest.mark.parametrize("key", ["cache#x", "../rank/a", "job#x", "\0", "x" * 5000, "rank/\r\nSet-Cookie: a=b"])
def test_a_key_of_an_upload_reaches_no_other_items(ask: Ask, aws: Aws, key: str) -> None:
    status, said = ask("GET", "/jobs", ALICE, upload=key)
    assert (status, said["error"]["code"]) == (404, "not_found")
