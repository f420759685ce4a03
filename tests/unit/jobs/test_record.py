"""What a job's record says, to whom, and until when: promises, leases, ends and last words, at their edges."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from assay.jobs.job_records import CANCELLED, Claim, Job, Jobs, UploadIdentity
from tests.unit.jobs.dynamodb import DynamoDb
from tests.unit.jobs.writes import PARTS, act_before, die


class Clock:
    """A clock that goes on only when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


UPLOAD = UploadIdentity("uploads", "rank/a.txt", '"etag"', "0055", "v1", "etag")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ended() -> list[Job]:
    return []


@pytest.fixture
def table() -> Any:
    """Return a client with the state table."""
    return DynamoDb()


@pytest.fixture
def jobs(table: Any, clock: Clock, ended: list[Job]) -> Jobs:
    return Jobs(table, "state", clock=clock, ended=ended.append)


def got(jobs: Jobs, job_id: str) -> Job:
    job = jobs.get(job_id)
    assert job is not None
    return job


def test_a_promise_says_whose_it_is_and_the_file_keeps_that(jobs: Jobs, clock: Clock) -> None:
    promised = jobs.enqueue(UPLOAD.key, "rank", "alice")
    assert (promised.owner, promised.state, promised.bucket, promised.runs) == ("alice", "QUEUED", "", 0)
    assert got(jobs, promised.id) == promised
    clock.now += 5
    jobs.claim(UPLOAD, "one", 900)
    job = got(jobs, promised.id)
    assert (job.owner, job.created) == ("alice", promised.created)
    assert job.updated > promised.updated
    assert (job.bucket, job.version_id, job.etag, job.kind) == ("uploads", "v1", "etag", "rank")
    assert jobs.of(UPLOAD) == job
    assert jobs.of(replace(UPLOAD, sequencer="0056")) is None


@pytest.mark.parametrize(
    ("owner", "caller", "belongs"),
    [("", "bob", True), ("", "", True), ("alice", "alice", True), ("alice", "bob", False)],
)
def test_a_job_belongs_to_who_asked_or_to_all(owner: str, caller: str, belongs: bool) -> None:
    assert Job("1", "rank", "QUEUED", "rank/a", "c", "u", owner=owner).belongs(caller) is belongs


@pytest.mark.parametrize(
    ("state", "finished"), [("QUEUED", False), ("RUNNING", False), ("SUCCEEDED", True), ("FAILED", True)]
)
def test_a_job_has_finished_once_it_has_ended(state: Any, finished: bool) -> None:
    assert Job("1", "rank", state, "rank/a", "c", "u").finished is finished


@pytest.mark.parametrize(
    ("state", "granted"), [("new", True), ("taken_over", True), ("running", False), ("done", False)]
)
def test_a_claim_is_granted_to_who_is_to_work(state: Any, granted: bool) -> None:
    assert Claim("1", state).granted is granted
    assert Claim("1", state).attempt == 1


def test_an_identity_is_all_that_an_event_says_but_where_to_find_it_again() -> None:
    assert UPLOAD.pk.startswith("upload#")
    assert len(UPLOAD.pk) == len("upload#") + 64
    assert replace(UPLOAD, version_id="v2", etag="other").pk == UPLOAD.pk
    others = {replace(UPLOAD, **{name: "x"}).pk for name in ("bucket", "key", "version", "sequencer")}
    assert len(others | {UPLOAD.pk}) == 5
    assert UploadIdentity("a", "bc").pk != UploadIdentity("ab", "c").pk


def test_a_promise_that_was_cancelled_before_its_file_came_is_done(jobs: Jobs) -> None:
    promised = jobs.enqueue(UPLOAD.key, "rank")
    jobs.fail(promised.id, CANCELLED)
    assert jobs.claim(UPLOAD, "one", 900) == Claim(promised.id, "done")
    assert jobs.of(UPLOAD) == got(jobs, promised.id)


def test_a_promise_that_failed_for_another_reason_is_followed_by_a_new_job(jobs: Jobs) -> None:
    promised = jobs.enqueue(UPLOAD.key, "rank")
    jobs.fail(promised.id, "never came")
    claim = jobs.claim(UPLOAD, "one", 900)
    assert claim.state == "new"
    assert claim.job_id != promised.id


@pytest.mark.parametrize(("seconds", "state"), [(899.0, "running"), (900.0, "running"), (900.5, "taken_over")])
def test_a_lease_is_its_owners_to_its_last_second(jobs: Jobs, clock: Clock, seconds: float, state: Any) -> None:
    first = jobs.claim(UPLOAD, "one", 900)
    assert jobs.wait(UPLOAD, 900) == 900
    clock.now += seconds
    assert jobs.wait(UPLOAD, 900) == max(0.0, 900 - seconds)
    assert jobs.claim(UPLOAD, "two", 900) == Claim(first.job_id, state, 2 if state == "taken_over" else 1)


@pytest.mark.parametrize("deadly", PARTS)
def test_a_claim_without_a_record_is_free_after_a_minute(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch, deadly: str
) -> None:
    with monkeypatch.context() as patch:
        act_before(patch, deadly, die)
        with pytest.raises(InterruptedError):
            jobs.claim(UPLOAD, "one", 900)
    assert jobs.wait(UPLOAD, 900) == 60
    assert jobs.wait(UPLOAD, 30) == 900
    clock.now += 60
    assert jobs.wait(UPLOAD, 900) == 0
    assert jobs.claim(UPLOAD, "two", 900).state == "running"
    clock.now += 0.5
    assert jobs.claim(UPLOAD, "two", 900).state == "taken_over"
    assert jobs.wait(UPLOAD, 900) == 900


def test_nobody_waits_for_what_nobody_claimed(jobs: Jobs) -> None:
    assert jobs.wait(UPLOAD, 900) == 0


def test_a_lease_is_released_by_its_owner_alone(jobs: Jobs) -> None:
    first = jobs.claim(UPLOAD, "one", 900)
    assert not jobs.release(UPLOAD, "two")
    assert jobs.wait(UPLOAD, 900) == 900
    assert jobs.release(UPLOAD, "one")
    assert jobs.wait(UPLOAD, 900) == 0
    assert jobs.claim(UPLOAD, "two", 900) == Claim(first.job_id, "taken_over", 2)
    assert jobs.claim(UPLOAD, "two", 900) == Claim(first.job_id, "taken_over", 3)


def test_only_an_owner_that_claims_again_renews_and_from_now_on(jobs: Jobs, clock: Clock) -> None:
    claim = jobs.claim(UPLOAD, "one", 900)
    clock.now += 100
    assert jobs.claim(UPLOAD, "two", 900) == Claim(claim.job_id, "running")
    assert jobs.wait(UPLOAD, 900) == 800
    assert jobs.claim(UPLOAD, "one", 500) == Claim(claim.job_id, "taken_over", 2)
    assert jobs.wait(UPLOAD, 900) == 500


def test_a_record_says_how_far_a_job_is_and_by_which_run(jobs: Jobs) -> None:
    job_id = jobs.claim(UPLOAD, "one", 900).job_id
    assert jobs.start(job_id, {"score": {"name": "a"}}, execution="arn")
    assert (got(jobs, job_id).shards, got(jobs, job_id).execution, got(jobs, job_id).state) == (1, "arn", "RUNNING")
    assert jobs.start(job_id, {}, shards=7)
    assert (got(jobs, job_id).shards, got(jobs, job_id).execution) == (7, "arn")


@pytest.mark.parametrize("end", ["succeed", "fail"])
def test_an_end_is_told_once_with_the_job_as_it_then_is(jobs: Jobs, ended: list[Job], end: str) -> None:
    job_id = jobs.claim(UPLOAD, "one", 900).job_id
    jobs.start(job_id, {})
    jobs.conclude(job_id)
    assert ended == []
    for _ in range(2):
        jobs.succeed(job_id, {"received": 1}, {"a": "b"}) if end == "succeed" else jobs.fail(job_id, "why")
    assert ended == [got(jobs, job_id)]
    assert ended[0].finished
    assert not jobs.conclude(job_id)


def test_who_is_told_of_nothing_is_not_needed(table: Any) -> None:
    jobs = Jobs(table, "state")
    job = jobs.enqueue(UPLOAD.key, "rank")
    assert jobs.fail(job.id, "why")
    assert jobs.quiet(got(jobs, job.id)) < 600


def test_a_job_that_succeeded_is_live_no_more_and_one_that_failed_until_its_summary_says_so(
    jobs: Jobs, clock: Clock
) -> None:
    first, second = (jobs.claim(replace(UPLOAD, key=f"rank/{at}"), "one", 900).job_id for at in range(2))
    clock.now += 1
    jobs.succeed(first, {}, {})
    jobs.fail(second, "why", said={"state": "FAILED", "é": 1})
    clock.now += 1
    assert list(jobs.live(0)) == [second]
    assert list(jobs.list_unfinished(0)) == []
    word = jobs.last_word(second)
    assert word is not None
    assert (word.said, word.agreed, word.ending) == ({"state": "FAILED", "é": 1}, False, False)
    assert jobs.agree(second, word, {"summary": "s"}, sure=False)
    assert list(jobs.live(0)) == []
    again = jobs.last_word(second)
    assert again is not None
    assert again.agreed
    assert got(jobs, second).results == {"summary": "s"}


@pytest.mark.parametrize(("sure", "left"), [(False, True), (True, False)])
def test_a_job_that_was_ending_stays_live_until_that_is_surely_over(
    jobs: Jobs, clock: Clock, sure: bool, left: bool
) -> None:
    job_id = jobs.claim(UPLOAD, "one", 900).job_id
    jobs.conclude(job_id)
    jobs.fail(job_id, CANCELLED)
    word = jobs.last_word(job_id)
    assert word is not None
    assert (word.ending, word.said) == (True, None)
    clock.now += 1
    assert jobs.agree(job_id, word, {}, sure=sure)
    assert (list(jobs.live(0)) == [job_id]) is left


def test_a_word_that_was_followed_by_another_is_not_agreed_on(jobs: Jobs, clock: Clock) -> None:
    job_id = jobs.claim(UPLOAD, "one", 900).job_id
    jobs.fail(job_id, "why", said={})
    word = jobs.last_word(job_id)
    assert word is not None
    clock.now += 1
    jobs.reopen(job_id)
    assert jobs.last_word(job_id) is None
    assert not jobs.agree(job_id, word, {}, sure=True)
    jobs.fail(job_id, "again")
    assert not jobs.agree(job_id, word, {}, sure=True)
    assert jobs.last_word("unknown") is None


def test_a_job_that_is_begun_again_forgets_how_it_ended(jobs: Jobs, clock: Clock, ended: list[Job]) -> None:
    job_id = jobs.claim(UPLOAD, "one", 900).job_id
    jobs.conclude(job_id)
    jobs.fail(job_id, "why", {"summary": "s"}, {"state": "FAILED"})
    clock.now += 1
    job = jobs.reopen(job_id)
    assert job is not None
    assert (job.state, job.reason, job.results, job.runs) == ("QUEUED", "", {}, 2)
    assert job.updated > job.created
    jobs.fail(job_id, "again")
    word = jobs.last_word(job_id)
    assert word is not None
    assert (word.said, word.ending, word.agreed) == (None, False, False)
    assert len(ended) == 2
    assert jobs.reopen(job_id) is not None
    assert jobs.reopen(job_id) is None


def test_jobs_are_found_by_how_long_they_have_not_changed_the_oldest_first(jobs: Jobs, clock: Clock) -> None:
    ids = []
    for at in range(3):
        ids.append(jobs.claim(replace(UPLOAD, key=f"rank/{at}"), "one", 900).job_id)
        clock.now += 10
    promised = [jobs.enqueue("rank/p", "rank").id, jobs.enqueue("rank/q", "rank").id]
    assert list(jobs.live(0)) == ids
    assert list(jobs.live(15)) == ids[:2]
    assert list(jobs.list_promises(0)) == []
    clock.now += 10
    assert sorted(jobs.list_promises(0)) == sorted(promised)
    assert [job.id for job in jobs.list_unfinished(0)][:3] == ids
    assert len(list(jobs.list_unfinished(0))) == 5
    assert jobs.quiet(got(jobs, ids[0])) == 40


@pytest.mark.parametrize(("sequencers", "latest"), [(["01", "02"], 1), (["02", "01"], 0), (["01", "01"], 1)])
def test_a_key_leads_to_the_upload_that_s3_numbered_last(jobs: Jobs, sequencers: list[str], latest: int) -> None:
    claims = [
        jobs.claim(replace(UPLOAD, sequencer=each, version=str(at)), "one", 900) for at, each in enumerate(sequencers)
    ]
    found = jobs.by_upload(UPLOAD.key)
    assert found is not None
    assert found.id == claims[latest].job_id


def test_a_promise_takes_the_key_from_whatever_came_before(jobs: Jobs) -> None:
    jobs.claim(UPLOAD, "one", 900)
    promised = jobs.enqueue(UPLOAD.key, "rank", "alice")
    found = jobs.by_upload(UPLOAD.key)
    assert found == promised


def test_records_go_thirty_days_after_their_last_change(table: Any, clock: Clock) -> None:
    day: Callable[[float], None] = lambda days: setattr(clock, "now", clock.now + days * 86_400)  # noqa: E731
    jobs = Jobs(table, "state", clock=clock)
    job = jobs.enqueue(UPLOAD.key, "rank")
    day(29)
    assert jobs.start(job.id, {})
    day(29)
    assert jobs.get(job.id) is not None
    day(1)
    assert jobs.get(job.id) is None


def test_of_claims_at_once_one_is_granted(jobs: Jobs) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda worker: jobs.claim(UPLOAD, f"worker {worker}", 900), range(8)))
    states = sorted(claim.state for claim in claims)
    assert states[0] == "new"
    assert len({claim.job_id for claim in claims}) == 1


@pytest.mark.parametrize("deadly", PARTS)
@pytest.mark.parametrize(("owner", "seconds"), [("one", 0), ("two", 61)])
def test_a_claimer_that_died_before_it_had_begun_is_followed(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch, deadly: str, owner: str, seconds: int
) -> None:
    with monkeypatch.context() as patch:
        act_before(patch, deadly, die)
        with pytest.raises(InterruptedError):
            jobs.claim(UPLOAD, "one", 900)
    clock.now += seconds
    claim = jobs.claim(UPLOAD, owner, 900)
    assert (claim.state, claim.attempt) == ("taken_over", 2)
    job = jobs.by_upload(UPLOAD.key)
    assert job is not None
    assert (job.id, job.state, job.bucket) == (claim.job_id, "QUEUED", "uploads")


def test_a_record_written_late_leaves_a_job_that_runs_as_it_is(jobs: Jobs, clock: Clock) -> None:
    claim = jobs.claim(UPLOAD, "one", 900)
    jobs.start(claim.job_id, {})
    clock.now += 1
    jobs._begin(claim.job_id, UPLOAD)
    assert got(jobs, claim.job_id).state == "RUNNING"


def test_a_claim_past_its_time_to_live_is_made_anew(jobs: Jobs, clock: Clock) -> None:
    first = jobs.claim(UPLOAD, "one", 60)
    clock.now += 31 * 86_400
    again = jobs.claim(UPLOAD, "two", 60)
    assert (again.state, again.attempt) == ("new", 1)
    assert again.job_id != first.job_id
    assert got(jobs, again.job_id).state == "QUEUED"


def test_a_promise_is_given_to_the_first_event_of_its_key_alone(jobs: Jobs) -> None:
    promised = jobs.enqueue(UPLOAD.key, "rank")
    assert jobs.claim(UPLOAD, "one", 900) == Claim(promised.id, "new")
    assert jobs.claim(UPLOAD, "two", 900) == Claim(promised.id, "running")
    again = jobs.claim(replace(UPLOAD, sequencer="0056"), "three", 900)
    assert again.state == "new"
    assert again.job_id != promised.id
    assert len(again.job_id) == 32


@pytest.mark.parametrize("end", ["succeed", "fail"])
def test_what_has_finished_is_done_for_everybody_and_stays_as_it_is(jobs: Jobs, clock: Clock, end: str) -> None:
    job_id = jobs.claim(UPLOAD, "one", 60).job_id
    assert jobs.succeed(job_id, {"received": 1}, {}) if end == "succeed" else jobs.fail(job_id, "why")
    before = got(jobs, job_id)
    clock.now += 1000
    for owner in ("one", "two"):
        assert jobs.claim(UPLOAD, owner, 60) == Claim(job_id, "done")
    changes = (
        jobs.start(job_id, {}),
        jobs.succeed(job_id, {}, {}),
        jobs.fail(job_id, "x"),
    )
    assert not any(changes)
    assert got(jobs, job_id) == before
    assert jobs.get("unknown") is None
    assert jobs.by_upload("rank/unknown") is None
    assert not jobs.start("unknown", {})


@pytest.mark.parametrize("size", [1, 2, 5])
def test_jobs_come_in_pages_each_behind_the_last_and_the_place_is_kept(jobs: Jobs, clock: Clock, size: int) -> None:
    ids = []
    for at in range(4):
        ids.append(jobs.claim(replace(UPLOAD, key=f"rank/{at}"), "one", 900).job_id)
        clock.now += 10
    found: list[str] = []
    after = jobs.cursor("job")
    assert after is None
    while page := jobs.page("job", 5, after, size):
        assert len(page) <= size
        found += [job_id for job_id, _ in page]
        jobs.keep_cursor("job", page[-1][1])
        after = jobs.cursor("job")
        assert after == page[-1][1]
    assert found == ids
    assert [job_id for job_id, _ in jobs.page("job", 15, None, 9)] == ids[:3]
    assert jobs.page("promise", 5, None, 9) == []
    assert jobs.cursor("promise") is None
    jobs.keep_cursor("job", None)
    assert jobs.cursor("job") is None
