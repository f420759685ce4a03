"""Jobs that are cancelled, that stopped without saying so, that are begun again, and whose events come out of order."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import Job, Jobs
from assay.jobs.progress import ShardNotes
from assay.settings import Settings
from portal.jobs import OURS
from rank import jobs as rank_jobs
from tests.conftest import TABLE, Aws, delete_objects
from tests.events import Context, load
from tests.integration.drops import GOOD, OTHER, Drop

Cut = Callable[..., None]
Ask = Callable[..., tuple[int, dict[str, Any]]]
OPEN = {"threshold": "-1000000"}
BODY = f"{GOOD}\n{OTHER}\nMKV\n".encode() * 4


@pytest.fixture
def ask(drop: Drop) -> Iterator[Ask]:
    """Ask the portal."""
    from portal.app import handler
    from portal.services import services

    services.cache_clear()

    def call(method: str, path: str, resource: str) -> tuple[int, dict[str, Any]]:
        event = load("portal_job") | {"httpMethod": method, "path": path, "resource": resource}
        event["pathParameters"] = {"id": path.split("/")[2]}
        reply = handler(event, Context())
        return reply["statusCode"], json.loads(reply["body"])

    yield call
    services.cache_clear()


@pytest.fixture
def desk(drop: Drop) -> JobEnvironment:
    """The desk of this environment, at any time."""
    import os

    return JobEnvironment.of(Settings.from_environ(os.environ))


def later(desk: JobEnvironment, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass for the state table."""
    import time

    now = time.time() + seconds
    monkeypatch.setattr(desk.jobs._table, "clock", lambda: now)


def status(ask: Ask, job_id: str) -> dict[str, Any]:
    """Return a job as the portal shows it."""
    code, job = ask("GET", f"/jobs/{job_id}", "/jobs/{id}")
    assert code == 200
    return job


@pytest.fixture
def patient(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let notes wait for a busy machine."""
    monkeypatch.setattr("assay.jobs.environment.hasty_table_client", lambda: aws.dynamodb)


@pytest.mark.usefixtures("patient")
def test_progress_is_that_of_the_shards_whose_result_exists(drop: Drop, ask: Ask, cut: Cut) -> None:
    cut(200)
    seen = []

    def look(name: str, event: dict[str, Any]) -> None:
        if name == "RankMerge":
            seen.append(status(ask, event["job_id"]))

    drop.machine.fault = look
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert seen[0]["state"] == "RUNNING"
    assert seen[0]["shards"] == {"done": 3, "total": 3}
    whole = {"bytes_done": len(BODY), "bytes_total": len(BODY), "records": 12}
    assert seen[0]["work"] == whole | {"phase": "merging"}
    job = status(ask, job_id)
    assert (job["state"], job["shards"]) == ("SUCCEEDED", {"done": 3, "total": 3})
    assert (job["progress"], job["work"]) == (1.0, whole | {"phase": "done"})
    assert (job["kind"], job["options"]["threshold"], job["options"]["top_k"]) == (
        "rank",
        float(OPEN["threshold"]),
        100,
    )
    assert OURS.isdisjoint(job)


def test_a_cancelled_job_stops_and_shows_no_result(drop: Drop, ask: Ask, cut: Cut) -> None:
    cut(200)
    replies: list[Any] = []

    def cancel(name: str, event: dict[str, Any]) -> None:
        if name == "RankShard" and event["shard"] == 1 and not replies:
            replies.append(ask("POST", f"/jobs/{event['job_id']}/cancel", "/jobs/{id}/cancel"))

    drop.machine.fault = cancel
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    code, job = replies[0]
    assert (code, job["state"], job["reason"]) == (202, "FAILED", "cancelled")
    assert drop.machine.wait(job_id) == "ABORTED"
    assert drop.job(job_id).reason == drop.summary(job_id)["error"]["message"] == "cancelled"
    assert "ranking.csv" not in drop.names(job_id)
    assert ask("POST", f"/jobs/{job_id}/cancel", "/jobs/{id}/cancel")[0] == 202


def test_what_has_ended_or_never_was_cannot_be_cancelled(drop: Drop, ask: Ask) -> None:
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    code, reply = ask("POST", f"/jobs/{job_id}/cancel", "/jobs/{id}/cancel")
    assert (code, reply["error"]["code"]) == (409, "conflict")
    assert drop.summary(job_id)["state"] == "SUCCEEDED"
    assert ask("POST", "/jobs/none/cancel", "/jobs/{id}/cancel")[0] == 404


def test_a_file_that_comes_after_its_job_was_cancelled_is_left_alone(
    drop: Drop, ask: Ask, desk: JobEnvironment
) -> None:
    job = desk.jobs.enqueue("rank/a.txt", "rank")
    assert ask("POST", f"/jobs/{job.id}/cancel", "/jobs/{id}/cancel")[0] == 202
    event = drop.put("rank/a.txt", BODY, **OPEN)
    assert drop(event) == drop(event, "again") == []
    assert drop.names(job.id) == ["ranking.json"]
    again = drop.put("rank/a.txt", BODY, **OPEN)
    again["Records"][0]["s3"]["object"]["sequencer"] = "0A1B2C3D4E5F678902"
    assert len(drop(again)) == 1


def test_a_job_cancelled_while_it_was_merged_is_not_shown_as_done(
    drop: Drop, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed = Jobs.succeed

    def late(self: Jobs, job_id: str, *rest: Any) -> bool:
        ask("POST", f"/jobs/{job_id}/cancel", "/jobs/{id}/cancel")
        return succeed(self, job_id, *rest)

    monkeypatch.setattr(Jobs, "succeed", late)
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert drop.job(job_id).state == drop.summary(job_id)["state"] == "FAILED"


def test_shards_of_a_cancelled_job_are_not_worked_on(drop: Drop, cut: Cut, desk: JobEnvironment) -> None:
    cut(200)
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    delete_objects(desk.results, f"partials/{job_id}/00001.json")
    desk.jobs._table.set(f"job#{job_id}", {"state": "FAILED"}, "attribute_exists(#pk)")
    assert rank_jobs.shard_handler({"job_id": job_id, "shard": 1}, Context()) == {}
    assert desk.open_workspace(job_id).list_done() == [0, 2]


def test_a_job_whose_execution_ended_silently_is_swept(
    drop: Drop, cut: Cut, desk: JobEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.sweep import sweep

    cut(200)
    drop.machine.fault = _die
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert drop.machine.wait(job_id) == "FAILED"
    assert drop.job(job_id).state == "RUNNING"
    assert sweep(desk) == []
    later(desk, monkeypatch, 600)
    assert sweep(desk) == [job_id]
    assert drop.job(job_id).state == drop.summary(job_id)["state"] == "FAILED"
    assert drop.job(job_id).reason.startswith("its execution ended without a result: FAILED")
    assert sweep(desk) == []


def _die(name: str, event: dict[str, Any]) -> None:
    if name == "RankMerge":
        raise RuntimeError("nothing works")


def test_a_job_whose_execution_runs_is_left_alone(
    drop: Drop, desk: JobEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.sweep import sweep

    job = desk.jobs.enqueue("rank/a.txt", "rank")
    desk.jobs.start(job.id, {}, execution="arn:running")
    monkeypatch.setattr("assay.aws.step_functions.StateMachine.outcome", lambda *_: _Running())
    later(desk, monkeypatch, 1e5)
    assert sweep(desk) == []


class _Running:
    running = True


@pytest.mark.parametrize(
    ("bucket", "seconds", "swept"), [("uploads", 3500, 0), ("uploads", 3700, 1), ("", 80_000, 0), ("", 90_000, 1)]
)
def test_a_job_that_nobody_works_on_is_swept_in_time(
    desk: JobEnvironment, monkeypatch: pytest.MonkeyPatch, bucket: str, seconds: float, swept: int
) -> None:
    from portal.sweep import handler, sweep

    job = desk.jobs.enqueue("rank/a.txt", "rank")
    if bucket:
        desk.jobs._table.set(f"job#{job.id}", {"bucket": bucket}, "attribute_exists(#pk)")
    assert handler({}, Context()) == {"jobs": []}
    later(desk, monkeypatch, seconds)
    assert len(sweep(desk)) == swept


def test_only_a_job_that_failed_is_opened_again(desk: JobEnvironment) -> None:
    job = desk.jobs.enqueue("rank/a.txt", "rank")
    assert desk.jobs.reopen(job.id) is None
    assert desk.jobs.reopen("none") is None
    desk.jobs.fail(job.id, "why", {"summary": "results/x"})
    assert list(desk.jobs.list_unfinished(-60)) == []
    again = desk.jobs.reopen(job.id)
    assert isinstance(again, Job)
    assert (again.state, again.reason, again.results, again.runs) == ("QUEUED", "", {}, 2)
    assert [each.id for each in desk.jobs.list_unfinished(-60)] == [job.id]
    desk.jobs.fail(job.id, "again")
    assert getattr(desk.jobs.reopen(job.id), "runs", 0) == 3


def test_of_events_out_of_order_the_later_upload_keeps_the_key(drop: Drop) -> None:
    drop.aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    first, second = drop.put("rank/a.txt", BODY, **OPEN), drop.put("rank/a.txt", BODY * 2, **OPEN)
    for event, sequencer in ((first, "0055AED6DCD90281E5"), (second, "0055AED6DCD90281E6")):
        event["Records"][0]["s3"]["object"]["sequencer"] = sequencer
    (newer,), (older,) = drop(second), drop(first)
    assert drop.summary(older)["counts"]["received"] * 2 == drop.summary(newer)["counts"]["received"]
    pointer = json.loads((drop.aws.results.get("by-upload/rank/a.txt.json", limit=1000) or (b"", ""))[0])
    assert pointer["job_id"] == newer
    found = Jobs(drop.aws.dynamodb, TABLE).by_upload("rank/a.txt")
    assert found is not None
    assert found.id == newer


@pytest.mark.usefixtures("patient")
def test_a_file_of_one_shard_is_followed_byte_by_byte(drop: Drop, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.jobs.byte_ranges.NOTE_SECONDS", 0.0)
    monkeypatch.setattr("assay.jobs.byte_ranges.PIECE", 64)
    seen, write = [], ShardNotes.write

    def look(notes: ShardNotes, job_id: str, shard: int, size: int, records: int) -> None:
        write(notes, job_id, shard, size, records)
        seen.append(status(ask, job_id)["work"])

    monkeypatch.setattr(ShardNotes, "write", look)
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert len(seen) >= 1
    assert [each["bytes_done"] for each in seen] == sorted(each["bytes_done"] for each in seen)
    assert {each["phase"] for each in seen} == {"ranking"}
    assert seen[-1]["bytes_total"] == len(BODY)
    assert seen[-1]["records"] == status(ask, job_id)["counts"]["received"] == status(ask, job_id)["work"]["records"]


@pytest.mark.parametrize("shard_bytes", [200, 1 << 20])
def test_progress_that_cannot_be_noted_fails_no_job(
    drop: Drop, ask: Ask, cut: Cut, monkeypatch: pytest.MonkeyPatch, shard_bytes: int
) -> None:
    def away() -> Any:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    cut(shard_bytes)
    monkeypatch.setattr("assay.jobs.byte_ranges.NOTE_SECONDS", 0.0)
    monkeypatch.setattr("assay.jobs.environment.hasty_table_client", away)
    assert status(ask, drop.done("rank/a.txt", BODY, **OPEN))["state"] == "SUCCEEDED"
