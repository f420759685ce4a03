"""How far a job is, as a reader sees it: never beyond its file, and in whole bytes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.jobs.byte_ranges import cut_ranges
from assay.jobs.job_records import Job
from assay.jobs.progress import Progress, shard_size, sum_progress

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
    assert sum_progress(job, done) == told


@given(size=st.integers(0, 10_000), step=st.integers(1, 4_000), cuts=st.booleans())
def test_the_sizes_of_shards_are_those_of_the_plan(size: int, step: int, cuts: bool) -> None:
    shards = cut_ranges(size, step, cuts)
    job = changed(bytes=size, shards=len(shards), shard_bytes=step)
    assert [shard_size(job, shard.index) for shard in shards] == [shard.stop - shard.start for shard in shards]
    assert sum_progress(job, range(job.shards)).bytes_done == size
