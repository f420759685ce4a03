"""One last word about a job: its record has it, and summary and pointer say the same, whatever failed on the way."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from assay.aws.s3 import Bucket
from assay.errors import JobLost, NotFound, ServiceError
from assay.jobs.ending import cancel, end, fail_job, settle
from assay.jobs.job_records import Jobs
from portal.sweep import sweep
from tests.conftest import TABLE
from tests.integration.drops import GOOD, Drop
from tests.integration.faults import OPEN, Cut, desk

BODY = f"{GOOD}\nMKV\n".encode()


def said(drop: Drop, job_id: str) -> tuple[str, str, str]:
    """Return what record, summary and pointer say."""
    found = drop.aws.results.get(f"by-upload/{drop.job(job_id).upload}.json", limit=1 << 20) or (b"{}", "")
    return drop.job(job_id).state, drop.summary(job_id)["state"], json.loads(found[0]).get("state")


def away(patch: pytest.MonkeyPatch, prefixes: tuple[str, ...]) -> Callable[[], None]:
    """Let objects of these keys not be written; return what ends that."""
    put, off = Bucket.put, [False]

    def refuse(self: Bucket, key: str, body: bytes, kind: str) -> None:
        if not off[0] and key.startswith(prefixes):
            raise EndpointConnectionError(endpoint_url="https://s3")
        put(self, key, body, kind)

    patch.setattr(Bucket, "put", refuse)
    return lambda: off.__setitem__(0, True)


def test_no_record_says_succeeded_before_its_summary_does(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed, seen = Jobs.succeed, list[str]()

    def look(self: Jobs, job_id: str, *rest: Any) -> bool:
        seen.append(drop.summary(job_id)["state"])
        assert drop.job(job_id).state == "RUNNING"
        return succeed(self, job_id, *rest)

    monkeypatch.setattr(Jobs, "succeed", look)
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert seen == ["SUCCEEDED"]
    assert said(drop, job_id) == ("SUCCEEDED",) * 3


@pytest.mark.parametrize("prefix", ["results/", "by-upload/"])
def test_a_job_whose_summary_cannot_be_written_has_not_succeeded(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    event = drop.put("rank/a.txt", BODY, **OPEN)
    back = away(monkeypatch, (prefix,))
    with pytest.raises(EndpointConnectionError):
        drop(event)
    job = Jobs(drop.aws.dynamodb, TABLE).by_upload("rank/a.txt")
    assert job is not None
    assert (job.state, dict(job.results)) == ("RUNNING", {})
    back()
    assert drop(event) == [job.id]
    assert said(drop, job.id) == ("SUCCEEDED",) * 3


def test_a_job_given_up_while_results_are_away_is_failed_in_its_record_and_told_later(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = drop.put("rank/a.txt", BODY, **OPEN)
    back = away(monkeypatch, ("results/", "by-upload/", "partials/"))
    for _ in range(3):
        with pytest.raises(EndpointConnectionError):
            drop(event)
    job = Jobs(drop.aws.dynamodb, TABLE).by_upload("rank/a.txt")
    assert job is not None
    assert job.state == "FAILED"
    assert job.reason.startswith("given up after 3 attempts")
    assert dict(job.results) == {}
    back()
    _sweep_later(monkeypatch, 400)
    assert said(drop, job.id) == ("FAILED",) * 3
    assert dict(drop.job(job.id).results) == {"summary": f"results/{job.id}/ranking.json"}
    assert list(desk().jobs.live(-60)) == []


def _sweep_later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[str]:
    place, now = desk(), time.time() + seconds
    monkeypatch.setattr(place.jobs._table, "clock", lambda: now)
    return sweep(place)


def test_the_first_word_of_an_end_stays(drop: Drop) -> None:
    place = desk()
    job = place.jobs.enqueue("rank/a.txt", "rank")
    cancel(place, job.id)
    assert not end(place, job.id, "rank", "rank/a.txt", JobLost("late"))
    assert fail_job(place, job.id, "rank", "rank/a.txt", ServiceError("later"))["state"] == "FAILED"
    assert drop.job(job.id).reason == drop.summary(job.id)["error"]["message"] == "cancelled"
    assert cancel(place, job.id).reason == "cancelled"
    with pytest.raises(NotFound):
        cancel(place, "none")


def test_a_summary_that_says_otherwise_is_put_right(drop: Drop) -> None:
    place = desk()
    job = place.jobs.enqueue("rank/a.txt", "rank")
    place.jobs.conclude(job.id)
    cancel(place, job.id)
    key = f"results/{job.id}/ranking.json"
    place.results.put(key, b'{"state": "SUCCEEDED"}', "application/json")  # a writer that comes late
    assert job.id in list(place.jobs.list_promises(-60))
    settle(place, job.id)
    assert said(drop, job.id) == ("FAILED",) * 3
    settle(place, job.id, sure=True)
    assert list(place.jobs.live(-60)) == list(place.jobs.list_promises(-60)) == []
    assert said(drop, job.id) == ("FAILED",) * 3


def test_a_record_of_an_earlier_version_is_told_by_its_reason(drop: Drop) -> None:
    place = desk()
    job = place.jobs.enqueue("rank/a.txt", "rank")
    place.jobs.fail(job.id, "as it was")
    settle(place, job.id)
    assert drop.summary(job.id)["error"]["message"] == "as it was"


def test_one_job_that_cannot_be_swept_does_not_keep_the_next_from_it(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = desk()
    jobs = [place.jobs.enqueue(f"rank/{at}.txt", "rank") for at in range(5)]
    get = Jobs.get

    def broken(self: Jobs, job_id: str) -> Any:
        if job_id == jobs[1].id:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        return get(self, job_id)

    monkeypatch.setattr(Jobs, "get", broken)
    assert set(_sweep_later(monkeypatch, 90_000)) == {job.id for job in jobs} - {jobs[1].id}


def test_promises_are_not_looked_at_before_their_time_and_jobs_come_first(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.aws.dynamodb import Table

    place = desk()
    for at in range(20):
        place.jobs.enqueue(f"rank/promise-{at}.txt", "rank")
    job = place.jobs.enqueue("rank/job.txt", "rank")
    place.jobs._table.set(f"job#{job.id}", {"live": "job", "bucket": "uploads"}, "attribute_exists(#pk)")
    read, item = list[str](), Table.item

    def reading(self: Table, pk: str) -> Any:
        read.extend([pk] if pk.startswith("job#") else [])
        return item(self, pk)

    monkeypatch.setattr(Table, "item", reading)
    assert _sweep_later(monkeypatch, 3590) == []
    assert set(read) == {f"job#{job.id}"}
    read.clear()
    assert len(_sweep_later(monkeypatch, 90_000)) == 21
    assert read[0] == f"job#{job.id}"


def test_a_sweep_ends_in_time_and_the_next_goes_on(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    place = desk()
    for at in range(6):
        place.jobs.enqueue(f"rank/{at}.txt", "rank")
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("portal.sweep.time.monotonic", lambda: next(clock))
    later = time.time() + 90_000
    monkeypatch.setattr(place.jobs._table, "clock", lambda: later)
    first, second = sweep(place, 35), sweep(place, 1000)
    assert (len(first), len(second)) == (3, 3)
    assert not set(first) & set(second)


def _noting(looked: list[str]) -> Callable[[Any, str], bool]:
    """Return what looks at a job, ends nothing and notes its id."""

    def look(_: Any, job_id: str) -> bool:
        looked.append(job_id)
        return False

    return look


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("same", [True, False])
def test_sweeps_that_see_two_jobs_each_see_all_in_turn(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, size: int, same: bool
) -> None:
    place, now = desk(), [time.time()]
    monkeypatch.setattr(place.jobs._table, "clock", lambda: now[0])
    jobs = list[str]()
    for at in range(7):
        jobs.append(place.jobs.enqueue(f"rank/{at}.txt", "rank").id)
        now[0] += 0 if same else 1
    now[0] += 7200
    seen = list[str]()
    monkeypatch.setattr("portal.sweep._end_stopped", _noting(seen))
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("portal.sweep.time.monotonic", lambda: next(clock))
    for _ in range(7):
        sweep(place, 25, size)
    assert sorted(seen[:7]) == sorted(seen[7:]) == sorted(jobs)
    seen.clear()
    sweep(place, 9000, size)
    assert sorted(seen) == sorted(jobs)
    assert place.jobs.cursor("promise") is None


def test_a_job_that_ends_the_sweep_itself_does_not_keep_the_next_from_those_behind_it(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = desk()
    jobs = [place.jobs.enqueue(f"rank/{at}.txt", "rank").id for at in range(4)]
    looked = list[str]()

    def killed(_: Any, job_id: str) -> bool:
        looked.append(job_id)
        if len(looked) == 2:
            raise SystemExit
        return False

    monkeypatch.setattr("portal.sweep._end_stopped", killed)
    with pytest.raises(SystemExit):
        _sweep_later(monkeypatch, 90_000)
    assert _sweep_later(monkeypatch, 90_000) == []
    assert (sorted(looked[:4]), len(looked)) == (sorted(jobs), 6)


def test_jobs_that_take_a_whole_sweep_leave_promises_their_turn(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    place = desk()
    ids = [place.jobs.enqueue(f"rank/{at}.txt", "rank").id for at in range(20)]
    for job_id in ids[:-1]:
        place.jobs._table.set(f"job#{job_id}", {"live": "job"})
    later, looked = time.time() + 90_000, list[str]()
    monkeypatch.setattr(place.jobs._table, "clock", lambda: later)
    monkeypatch.setattr("portal.sweep._end_stopped", _noting(looked))
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("portal.sweep.time.monotonic", lambda: next(clock))
    sweep(place, 90)
    assert ids[-1] in looked
    assert len(looked) < 10


@pytest.mark.parametrize("how", ["SUCCEEDED", "FAILED"])
def test_a_job_that_ends_while_it_is_looked_at_is_not_swept(
    drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from assay.aws.step_functions import ExecutionOutcome, StateMachine

    place = desk()
    job = place.jobs.enqueue("rank/a.txt", "rank")
    place.jobs.start(job.id, {}, execution="arn:aws:states:us-east-1:123456789012:execution:files:x")

    def ending(self: StateMachine, execution: str) -> ExecutionOutcome:
        if how == "SUCCEEDED":
            place.jobs.succeed(job.id, {"received": 1}, {})
        else:
            place.jobs.fail(job.id, "its own reason")
        return ExecutionOutcome(False, "it ended well")

    monkeypatch.setattr(StateMachine, "outcome", ending)
    monkeypatch.setattr("portal.sweep.end", lambda *_: pytest.fail("it has just ended"))
    assert _sweep_later(monkeypatch, 90_000) == []
    found = drop.job(job.id)
    assert (found.state, found.reason) == (how, "" if how == "SUCCEEDED" else "its own reason")


def test_a_job_overtaken_while_it_ended_leaves_the_pointer_to_the_later_one(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    first, second = drop.put("rank/a.txt", BODY, **OPEN), drop.put("rank/a.txt", BODY * 2, **OPEN)
    for number, event in enumerate((first, second)):
        event["Records"][0]["s3"]["object"]["sequencer"] = f"00{number}"
    put, later = Bucket.put, list[str]()

    def overtaken(self: Bucket, key: str, body: bytes, kind: str) -> None:
        if key.startswith("by-upload/") and not later:
            later.append("begun")
            later.extend(drop(second, "two"))
        put(self, key, body, kind)

    monkeypatch.setattr(Bucket, "put", overtaken)
    (older,) = drop(first)
    assert later[1:] != [older]
    pointer = json.loads((drop.aws.results.get("by-upload/rank/a.txt.json", limit=1 << 20) or (b"", ""))[0])
    assert (pointer["job_id"], pointer["state"]) == (later[1], "SUCCEEDED")


def test_a_read_that_is_old_does_not_take_the_pointer_from_the_latest_job(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = drop.job(drop.done("rank/a.txt", BODY, **OPEN))
    event = drop.put("rank/a.txt", BODY + BODY, **OPEN)
    event["Records"][0]["s3"]["object"]["sequencer"] = "FF"
    monkeypatch.setattr(Jobs, "by_upload", lambda *_: first)
    (second,) = drop(event)
    assert said(drop, second) == ("SUCCEEDED",) * 3
    pointer = drop.aws.results.get("by-upload/rank/a.txt.json", limit=1 << 20) or (b"", "")
    assert second in pointer[0].decode()
    assert not desk().jobs.leads("rank/a.txt", first.id)
