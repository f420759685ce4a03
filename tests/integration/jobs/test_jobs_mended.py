"""Claims that died halfway, records written late, clocks that jump: one job all the same, and it can be found."""

from collections.abc import Callable
from typing import Any

import pytest

from assay.jobs.job_records import Claim, Jobs, UploadIdentity
from tests.conftest import Aws
from tests.unit.jobs.writes import PARTS, act_before, die

UPLOAD = UploadIdentity("uploads", "rank/a.txt", '"etag"', "0055AED6DCD90281E5")


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(aws: Aws, clock: Clock) -> Jobs:
    return Jobs(aws.dynamodb, aws.table, clock=clock)


def died(monkeypatch: pytest.MonkeyPatch, deadly: str, act: Callable[[], Any]) -> None:
    with monkeypatch.context() as patch:
        act_before(patch, deadly, die)
        with pytest.raises(InterruptedError):
            act()


@pytest.mark.parametrize("deadly", PARTS)
@pytest.mark.parametrize(("owner", "seconds"), [("one", 0), ("two", 61)])
def test_a_claimer_that_died_before_it_had_begun_is_followed_by_itself_at_once_and_by_another_soon(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch, deadly: str, owner: str, seconds: int
) -> None:
    died(monkeypatch, deadly, lambda: jobs.claim(UPLOAD, "one", 900))
    clock.now += seconds
    claim = jobs.claim(UPLOAD, owner, 900)
    assert (claim.state, claim.attempt) == ("taken_over", 2)
    job = jobs.by_upload(UPLOAD.key)
    assert job is not None
    assert (job.id, job.state, job.bucket) == (claim.job_id, "QUEUED", "uploads")


@pytest.mark.parametrize("slow", PARTS)
def test_a_claimer_that_is_about_to_begin_is_left_to_it(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    claims = []
    with monkeypatch.context() as patch:
        act_before(patch, slow, lambda: claims.append(jobs.claim(UPLOAD, "two", 900)))
        first = jobs.claim(UPLOAD, "one", 900)
    assert (first.state, claims) == ("new", [Claim(first.job_id, "running")])
    assert jobs.release(UPLOAD, "one")


@pytest.mark.parametrize("deadly", PARTS)
def test_a_promise_that_died_leaves_no_job_beside_the_files(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch, deadly: str
) -> None:
    died(monkeypatch, deadly, lambda: jobs.enqueue(UPLOAD.key, "rank"))
    claim = jobs.claim(UPLOAD, "one", 900)
    clock.now += 7200
    assert [job.id for job in jobs.list_unfinished(3600)] == [claim.job_id]


def test_a_record_written_late_leaves_a_job_that_runs_as_it_is(jobs: Jobs) -> None:
    claim = jobs.claim(UPLOAD, "one", 900)
    jobs.start(claim.job_id, {})
    jobs._begin(claim.job_id, UPLOAD)
    job = jobs.get(claim.job_id)
    assert job is not None
    assert job.state == "RUNNING"


def test_a_claim_past_its_time_to_live_that_dynamodb_still_holds_is_made_anew(jobs: Jobs, clock: Clock) -> None:
    first = jobs.claim(UPLOAD, "one", 60)
    clock.now += 31 * 86_400
    again = jobs.claim(UPLOAD, "two", 60)
    assert (again.state, again.attempt) == ("new", 1)
    assert again.job_id not in (first.job_id, "None")
    assert jobs.get(again.job_id) is not None


@pytest.mark.parametrize("jump", [-86_400.0, -60.0, 86_400.0])
def test_a_clock_that_jumps_leaves_one_job_that_ends_once(jobs: Jobs, clock: Clock, jump: float) -> None:
    first = jobs.claim(UPLOAD, "one", 900)
    clock.now += jump
    again = jobs.claim(UPLOAD, "one", 900)
    assert (again.job_id, again.granted) == (first.job_id, True)
    assert jobs.start(first.job_id, {})
    clock.now -= 2 * jump
    assert jobs.claim(UPLOAD, "two", 900).job_id == first.job_id
    assert jobs.succeed(first.job_id, {"received": 1}, {"summary": "s"})
    assert not jobs.fail(first.job_id, "late")
    clock.now += jump
    assert jobs.claim(UPLOAD, "three", 900) == Claim(first.job_id, "done")
    assert list(jobs.list_unfinished(0)) == []
