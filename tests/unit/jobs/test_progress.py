"""How far a job is, as a reader sees it: never beyond its file, in whole bytes of it, and never less than before."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from assay.jobs.byte_ranges import Tally, cut_ranges
from assay.jobs.job_records import Job
from assay.jobs.progress import Progress, ShardNote, ShardNotes, shard_size, sum_progress
from tests.unit.jobs.dynamodb import DynamoDb

JOB = Job("1", "rank", "RUNNING", "rank/a", "c", "u", bucket="uploads", bytes=250, shards=3, shard_bytes=100)


def changed(**values: object) -> Job:
    return Job(**{**{name: getattr(JOB, name) for name in Job.__dataclass_fields__}, **values})


@pytest.mark.parametrize(
    ("job", "done", "told"),
    [
        (changed(state="QUEUED", bucket="", bytes=0, shards=0), (), Progress(0, 0, 0, "uploading")),
        (changed(state="QUEUED", bytes=0, shards=0), (), Progress(0, 0, 0, "waiting")),
        (JOB, (), Progress(0, 250, 0, "ranking")),
        (changed(kind="classify"), (), Progress(0, 250, 0, "classifying")),
        (JOB, (1, 2), Progress(150, 250, 0, "ranking")),
        (JOB, (0, 1, 2), Progress(250, 250, 0, "merging")),
        (changed(ending=True), (0,), Progress(100, 250, 0, "merging")),
        (changed(state="SUCCEEDED", counts={"received": 7}), (), Progress(250, 250, 7, "done")),
        (changed(state="FAILED"), (2,), Progress(50, 250, 0, "failed")),
        (changed(state="FAILED", shards=0), (), Progress(0, 250, 0, "failed")),
    ],
)
def test_a_phase_says_what_a_job_waits_for(job: Job, done: tuple[int, ...], told: Progress) -> None:
    assert sum_progress(job, done, {}) == told


@given(size=st.integers(0, 10_000), step=st.integers(1, 4_000), cuts=st.booleans())
def test_the_sizes_of_shards_are_those_of_the_plan(size: int, step: int, cuts: bool) -> None:
    shards = cut_ranges(size, step, cuts)
    job = changed(bytes=size, shards=len(shards), shard_bytes=step)
    assert [shard_size(job, shard.index) for shard in shards] == [shard.stop - shard.start for shard in shards]
    assert sum_progress(job, range(job.shards), {}).bytes_done == size


def test_a_shard_at_work_counts_with_what_it_noted_and_at_most_with_its_own_bytes() -> None:
    notes = {0: ShardNote(130, 9), 1: ShardNote(40, 3), 2: ShardNote(10, 1)}
    assert sum_progress(JOB, (2,), notes) == Progress(100 + 40 + 50, 250, 13, "ranking")


@given(
    st.lists(st.tuples(st.integers(0, 69), st.integers(0, 130), st.booleans()), max_size=60),
    st.integers(1, 70),
)
def test_what_a_reader_sees_never_falls_and_never_passes_the_total(
    steps: list[tuple[int, int, bool]], shards: int
) -> None:
    """Shards note in any order, some again from their start after they died, and some end."""
    notes, done = ShardNotes(DynamoDb, "state"), set[int]()  # type: ignore[arg-type]
    job = changed(shards=shards, bytes=100 * shards - 50 * (shards > 1), shard_bytes=100)
    seen, best = [sum_progress(job, done, notes.read(job))], dict[int, int]()
    for shard, size, ended in steps:
        if shard < shards:
            notes.write(job.id, shard, size, size // 10)
            best[shard] = max(best.get(shard, 0), size)
            done |= {shard} if ended else set()
            seen.append(sum_progress(job, done, notes.read(job)))
    assert [each.bytes_done for each in seen] == sorted(each.bytes_done for each in seen)
    assert [each.records for each in seen] == sorted(each.records for each in seen)
    assert seen[-1].bytes_done <= job.bytes
    assert seen[-1].records == sum(size // 10 for size in best.values())


class Away:
    """A DynamoDB that is away."""

    def __getattr__(self, name: str) -> Any:
        def fail(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, name)

        return fail


def test_notes_that_cannot_be_written_or_read_are_left_out() -> None:
    notes: Any = ShardNotes(Away, "state")  # type: ignore[arg-type]
    notes.write("1", 0, 10, 1)
    assert notes.read(JOB) == {}


def test_nothing_is_told_before_its_time_and_then_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("assay.jobs.byte_ranges.time.monotonic", lambda: now[0])
    told: list[tuple[int, int]] = []
    tally = Tally(lambda size, records: told.append((size, records)), piece=4)
    for piece in tally.weigh([b"abcdefghij", b"", b"kl"]):
        assert 1 <= len(piece) <= 4
        tally.pass_records(1)
        now[0] += 1.5
    assert told == [(10, 3)]
    assert (tally.size, tally.records) == (12, 4)


def test_pieces_are_the_same_bytes() -> None:
    chunks = [b"x" * 10, b"y", b"z" * 7]
    assert b"".join(Tally(piece=3).weigh(chunks)) == b"".join(chunks)
