import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import pytest

from assay.errors import SettingsError
from assay.jobs.job_records import Claim, Jobs, UploadIdentity
from tests.conftest import Aws

UPLOAD = UploadIdentity("uploads", "rank/a b+ü.txt", '"etag"', "0055AED6DCD90281E5")


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Atomic:
    """A client whose calls are atomic, as DynamoDB's are; moto checks a condition and writes in two steps."""

    def __init__(self, client: Any) -> None:
        self._client, self._lock = client, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            with self._lock:
                return getattr(self._client, name)(**arguments)

        return call


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(aws: Aws, clock: Clock) -> Jobs:
    return Jobs(cast(Any, Atomic(aws.dynamodb)), aws.table, clock=clock)


def test_the_first_claim_makes_the_job(jobs: Jobs) -> None:
    claim = jobs.claim(UPLOAD, "one", 60)
    assert claim.state == "new"
    assert claim.granted
    job = jobs.get(claim.job_id)
    assert job is not None
    assert (job.kind, job.state, job.upload, job.bucket) == ("rank", "QUEUED", UPLOAD.key, "uploads")
    assert job.created == job.updated == "2027-01-15T08:00:00.000+00:00"
    assert not job.finished


def test_a_duplicate_while_it_runs_is_turned_away(jobs: Jobs) -> None:
    first = jobs.claim(UPLOAD, "one", 60)
    assert jobs.claim(UPLOAD, "two", 60) == Claim(first.job_id, "running")
    assert not jobs.claim(UPLOAD, "two", 60).granted


@pytest.mark.parametrize("end", ["succeed", "fail"])
def test_a_duplicate_of_what_is_finished_is_done(jobs: Jobs, clock: Clock, end: str) -> None:
    first = jobs.claim(UPLOAD, "one", 60)
    assert jobs.succeed(first.job_id, {}, {}) if end == "succeed" else jobs.fail(first.job_id, "unreadable")
    clock.now += 1000
    for owner in ("one", "two"):
        assert jobs.claim(UPLOAD, owner, 60) == Claim(first.job_id, "done")


def test_a_retry_by_the_same_owner_gets_its_job_at_once(jobs: Jobs) -> None:
    first = jobs.claim(UPLOAD, "one", 60)
    assert jobs.claim(UPLOAD, "one", 60) == Claim(first.job_id, "taken_over", 2)


def test_a_lease_that_ran_out_is_taken_over_and_its_owner_notices(jobs: Jobs, clock: Clock) -> None:
    first = jobs.claim(UPLOAD, "one", 60)
    clock.now += 59
    assert jobs.claim(UPLOAD, "two", 60).state == "running"
    clock.now += 2
    assert jobs.claim(UPLOAD, "two", 60) == Claim(first.job_id, "taken_over", 2)
    assert jobs.claim(UPLOAD, "three", 60).state == "running"
    assert not jobs.release(UPLOAD, "one")
    assert jobs.release(UPLOAD, "two")


def test_a_renewed_lease_is_not_taken_over(jobs: Jobs, clock: Clock) -> None:
    first = jobs.claim(UPLOAD, "one", 60)
    clock.now += 50
    assert jobs.claim(UPLOAD, "one", 60) == Claim(first.job_id, "taken_over", 2)
    clock.now += 50
    assert jobs.claim(UPLOAD, "two", 60).state == "running"


def test_of_claims_at_once_one_is_granted(jobs: Jobs) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda worker: jobs.claim(UPLOAD, f"worker {worker}", 900), range(8)))
    assert sorted(claim.state for claim in claims) == ["new", *["running"] * 7]
    assert len({claim.job_id for claim in claims}) == 1


def test_of_takeovers_at_once_one_is_granted(jobs: Jobs, clock: Clock) -> None:
    jobs.claim(UPLOAD, "one", 60)
    clock.now += 61
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda worker: jobs.claim(UPLOAD, f"worker {worker}", 60), range(8)))
    assert sorted(claim.state for claim in claims) == [*["running"] * 7, "taken_over"]


@pytest.mark.parametrize("change", [{"sequencer": "0056"}, {"version": "other"}, {"bucket": "b"}, {"key": "rank/b"}])
def test_another_identity_is_another_job(jobs: Jobs, change: dict[str, str]) -> None:
    first, second = jobs.claim(UPLOAD, "one", 60), jobs.claim(replace(UPLOAD, **change), "one", 60)
    assert second.state == "new"
    assert first.job_id != second.job_id


def test_job_ids_can_not_be_guessed(jobs: Jobs) -> None:
    ids = [jobs.claim(replace(UPLOAD, sequencer=str(each)), "one", 60).job_id for each in range(20)]
    assert len(set(ids)) == 20
    assert all(len(job_id) == 32 and job_id.isalnum() for job_id in ids)


def test_a_record_follows_the_job(jobs: Jobs, clock: Clock) -> None:
    job_id = jobs.claim(UPLOAD, "one", 60).job_id
    models = {"score": {"name": "stability-trypsin", "version": "1"}, "threshold": 0.1}
    assert jobs.start(job_id, models)
    clock.now += 1
    assert jobs.start(job_id, models, shards=3)
    running = jobs.get(job_id)
    assert running is not None
    assert (running.state, running.models, running.shards) == ("RUNNING", models, 3)
    assert running.updated > running.created
    assert jobs.succeed(job_id, {"received": 30}, {"ranking": f"results/{job_id}/ranking.csv"})
    done = jobs.get(job_id)
    assert done is not None
    assert (done.state, done.counts) == ("SUCCEEDED", {"received": 30})
    assert all(type(count) is int for count in done.counts.values())
    assert done.results == {"ranking": f"results/{job_id}/ranking.csv"}
    assert done.models == models
    assert done.finished


def test_what_is_finished_stays_as_it_is(jobs: Jobs) -> None:
    job_id = jobs.claim(UPLOAD, "one", 60).job_id
    assert jobs.fail(job_id, "the gzip stream is truncated", {"summary": "results/x/ranking.json"})
    before = jobs.get(job_id)
    assert before is not None
    assert (before.state, before.reason) == ("FAILED", "the gzip stream is truncated")
    assert not jobs.start(job_id, {})
    assert not jobs.succeed(job_id, {}, {})
    assert not jobs.fail(job_id, "something else")
    assert jobs.get(job_id) == before


def test_a_job_that_never_was_changes_nothing(jobs: Jobs) -> None:
    assert not jobs.start("unknown", {})
    assert jobs.get("unknown") is None
    assert jobs.by_upload("rank/unknown") is None


def test_an_upload_finds_its_latest_job(jobs: Jobs) -> None:
    jobs.claim(UPLOAD, "one", 60)
    second = jobs.claim(replace(UPLOAD, sequencer="0056"), "one", 60)
    found = jobs.by_upload(UPLOAD.key)
    assert found is not None
    assert found.id == second.job_id


def test_an_announced_upload_gets_the_job_that_was_promised_and_only_once(jobs: Jobs) -> None:
    promised = jobs.enqueue(UPLOAD.key, "rank")
    assert jobs.get(promised.id) == promised
    assert jobs.by_upload(UPLOAD.key) == promised
    assert jobs.claim(UPLOAD, "one", 60) == Claim(promised.id, "new")
    assert jobs.claim(UPLOAD, "two", 60) == Claim(promised.id, "running")
    again = jobs.claim(replace(UPLOAD, sequencer="0056"), "three", 60)
    assert again.state == "new"
    assert again.job_id != promised.id


def test_an_announced_upload_claimed_by_two_events_at_once_makes_two_jobs(jobs: Jobs) -> None:
    promised = jobs.enqueue(UPLOAD.key, "rank")
    events = [replace(UPLOAD, sequencer=str(each)) for each in range(4)]
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda upload: jobs.claim(upload, upload.sequencer, 60), events))
    assert [claim.state for claim in claims] == ["new"] * 4
    ids = [claim.job_id for claim in claims]
    assert len(set(ids)) == 4
    assert ids.count(promised.id) <= 1


def test_a_claim_that_was_cut_off_is_mended_by_the_next(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "_begin", stop)
        with pytest.raises(TimeoutError):
            jobs.claim(UPLOAD, "one", 60)
    clock.now += 61
    claim = jobs.claim(UPLOAD, "two", 60)
    assert claim.state == "taken_over"
    found = jobs.by_upload(UPLOAD.key)
    assert found is not None
    assert (found.id, found.state) == (claim.job_id, "QUEUED")
    assert jobs.release(UPLOAD, "two")


def test_records_carry_their_time_to_live_and_end_with_it(aws: Aws, jobs: Jobs, clock: Clock) -> None:
    job_id = jobs.claim(UPLOAD, "one", 60).job_id
    items = aws.dynamodb.scan(TableName=aws.table)["Items"]
    assert len(items) == 3
    assert {item["expires"]["N"] for item in items} == {str(int(clock.now) + 30 * 86_400)}
    clock.now += 31 * 86_400
    assert jobs.get(job_id) is None
    assert jobs.by_upload(UPLOAD.key) is None


def test_numbers_that_dynamodb_can_not_hold_are_left_out(jobs: Jobs) -> None:
    job_id = jobs.claim(UPLOAD, "one", 60).job_id
    jobs.start(job_id, {"score": float("nan"), "best": [float("inf"), 1e-30, 2.5], "none": None})
    job = jobs.get(job_id)
    assert job is not None
    assert job.models == {"score": None, "best": [None, 1e-30, 2.5], "none": None}


def test_jobs_need_a_table(aws: Aws) -> None:
    with pytest.raises(SettingsError, match="ASSAY_STATE_TABLE"):
        Jobs(aws.dynamodb, "")
