"""A file of one shard is done in memory: few calls of AWS, the same results, and a crash at any call is made good."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from assay.aws import clients
from assay.aws.s3 import PART_BYTES, Bucket, MemoryBucket, Writer
from assay.errors import AnswerInvalid, ObjectChanged, ObjectMissing
from assay.jobs.steps import redrive
from tests.conftest import Aws
from tests.integration.drops import GOOD, OTHER, Drop
from tests.integration.faults import desk

Cut = Callable[..., None]
BODY = f"{GOOD}\nMKV\n\n{OTHER}\n{GOOD}\n".encode()
PAPERS = b"We measure the mass of the top quark in collisions.\nshort\n\nWe observe gravitational waves of two stars.\n"
OPEN = {"threshold": "-1000000"}
MOST_CALLS = 15


class Killed(BaseException):
    """The function is no more."""


@contextmanager
def watched(fate: Callable[[int], None] = lambda _: None, when: str = "before-call") -> Iterator[list[str]]:
    """Note the calls of AWS that functions make; `fate` is told the number of each, before or after it is made."""
    calls: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        calls.append(event_name.partition(".")[2])
        fate(len(calls))

    events = [clients.client("s3").meta.events, clients.client("dynamodb").meta.events]
    for each in events:
        each.register(when, note)
    try:
        yield calls
    finally:
        for each in events:
            each.unregister(when, note)


@pytest.mark.parametrize(("kind", "body"), [("rank", BODY), ("classify", PAPERS)])
def test_a_small_file_takes_few_calls(kind: str, body: bytes, request: pytest.FixtureRequest) -> None:
    drop: Drop = request.getfixturevalue("drop" if kind == "rank" else "paper_drop")
    options = OPEN if kind == "rank" else {}
    drop.done(f"{kind}/first.txt", body, **options)  # loads the models
    event = drop.put(f"{kind}/a.txt", body, **options)
    with watched() as calls:
        (job_id,) = drop(event)
    assert drop.summary(job_id)["state"] == "SUCCEEDED"
    assert len(calls) <= MOST_CALLS, calls
    assert set(drop.aws.results.keys(f"partials/{job_id}/")) == {f"partials/{job_id}/manifest.json"}


@pytest.mark.parametrize("when", ["before-call", "after-call"])
def test_a_function_killed_at_any_call_is_made_good_by_the_next_try(drop: Drop, when: str) -> None:
    first = drop.done("rank/first.txt", BODY, **OPEN)
    names = drop.names(first)
    at, calls = 0, ["one"]
    while at < len(calls):
        at += 1
        event = drop.put(f"rank/{when}-{at}.txt", BODY, **OPEN)

        def kill(number: int, at: int = at) -> None:
            if number == at:
                raise Killed

        with suppress(Killed), watched(kill, when):
            drop(event, "same")
        with watched(when=when) as calls:
            drop(event, "same")
        job = drop.job(json.loads(_pointer(drop, f"rank/{when}-{at}.txt"))["job_id"])
        assert job.state == drop.summary(job.id)["state"] == "SUCCEEDED"
        assert drop.names(job.id) == names
        assert job.histograms == drop.job(first).histograms == drop.summary(job.id)["histograms"] != {}
        for name in ("ranking.csv", "rejected.csv"):
            assert drop.result(job.id, name) == drop.result(first, name)
        if at > MOST_CALLS:
            break
    assert at > MOST_CALLS - 3


def _pointer(drop: Drop, key: str) -> bytes:
    found = drop.aws.results.get(f"by-upload/{key}.json", limit=1000)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("kind", ["rank", "classify"])
def test_in_memory_and_by_the_state_machine_the_results_are_the_same(
    kind: str, cut: Cut, request: pytest.FixtureRequest
) -> None:
    place: Drop = request.getfixturevalue("drop" if kind == "rank" else "paper_drop")
    body = BODY if kind == "rank" else PAPERS
    options = OPEN if kind == "rank" else {}
    small = place.done(f"{kind}/a.txt", body, **options)
    cut(64 if kind == "rank" else 16 * 40)
    cut_up = place.done(f"{kind}/b.txt", body, **options)
    assert cut_up in place.machine.executions()
    assert small not in place.machine.executions()
    for name in {*place.names(small), *place.names(cut_up)} - {place.told}:
        assert place.result(small, name) == place.result(cut_up, name)
    assert place.summary(small)["counts"] == place.summary(cut_up)["counts"]


def test_a_job_that_failed_in_memory_is_redriven_by_the_state_machine(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = drop.put("rank/a.txt", BODY, **OPEN)
    with monkeypatch.context() as patch:
        patch.setattr("assay.jobs.rank_files.rank_shard", lambda *_: 1 / 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                drop(event, "same")
    job = desk().jobs.by_upload("rank/a.txt")
    assert job is not None
    assert job.state == "FAILED"
    assert redrive(desk(), job.id)
    assert drop.machine.wait(f"{job.id}-2") == "SUCCEEDED"
    assert drop.job(job.id).state == drop.summary(job.id)["state"] == "SUCCEEDED"
    assert drop.result(job.id, "ranking.csv") == drop.result(drop.done("rank/b.txt", BODY, **OPEN), "ranking.csv")


def test_a_job_that_was_cancelled_before_it_ran_shows_nothing(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.jobs import ending, planning, steps

    start = planning.plan_job

    def cancelled(*given: Any, **options: Any) -> Any:
        plan = start(*given, **options)
        ending.cancel(desk(), plan.job_id)
        return plan

    monkeypatch.setattr(steps, "plan_job", cancelled)
    monkeypatch.setattr("assay.jobs.rank_files.rank_shard", lambda *_: pytest.fail("it was done"))
    (job_id,) = drop(drop.put("rank/a.txt", BODY, **OPEN))
    assert (drop.job(job_id).state, drop.summary(job_id)["state"]) == ("FAILED", "FAILED")
    assert drop.names(job_id) == ["ranking.json"]


def test_memory_keeps_what_is_small_and_the_bucket_what_is_large(aws: Aws) -> None:
    memory = MemoryBucket(aws.results)
    for key, size in (("small", 10), ("none", 0), ("large", PART_BYTES + 10)):
        with Writer(memory, key, "text/csv") as writer:
            writer.write(b"x" * size)
        assert b"".join(memory.chunks(key, stop=size)) == b"x" * size
    assert list(aws.results.keys("")) == ["large"]
    assert b"".join(memory.chunks("small", start=2, stop=5)) == b"xxx"
    assert list(memory.chunks("none", stop=0)) == []


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 5000])
def test_the_start_of_an_object_comes_with_what_a_head_says(aws: Aws, size: int) -> None:
    body = bytes(at % 251 for at in range(size))
    aws.s3.put_object(Bucket="uploads", Key="a", Body=body, ContentType="text/csv", Metadata={"Top-K": "5"})
    info, head = aws.uploads.read_start("a", 10)
    assert (info, head) == (aws.uploads.head("a"), body[:10])
    assert aws.uploads.read_start("a", 10, etag=info.etag) == (info, head)
    memory = MemoryBucket(aws.uploads)
    assert memory.read_start("a", 10) == (info, head)
    aws.s3.put_object(Bucket="uploads", Key="a", Body=b"other")
    known = size <= 10
    assert b"".join(memory.chunks("a", stop=size if known else 5)) == (body if known else b"other")
    with pytest.raises(ObjectChanged):
        aws.uploads.read_start("a", 10, etag=info.etag)
    with pytest.raises(ObjectMissing):
        aws.uploads.read_start("b", 10)


def test_an_answer_without_bytes_is_not_taken_for_an_object_without(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket: Bucket = aws.uploads
    bucket.put("a", b"abc", "text/plain")
    bucket.put("none", b"", "text/plain")
    nothing = bucket.client.get_object(Bucket="uploads", Key="none")
    monkeypatch.setattr(bucket.client, "get_object", lambda **_: nothing)
    with pytest.raises(AnswerInvalid, match="none were answered"):
        bucket.read_start("a", 10)
