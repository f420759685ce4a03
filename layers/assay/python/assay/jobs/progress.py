"""How far a job is, in bytes of its file, as those who wait for it are told."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from assay.jobs.job_records import Job

Phase = Literal["uploading", "waiting", "ranking", "classifying", "merging", "done", "failed"]
_AT_WORK: Final[dict[str, Phase]] = {"rank": "ranking", "classify": "classifying"}


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes of the object that are done, of all; records so far, rejected ones too; what is done now.

    `uploading` waits for the file, `waiting` for the work on it to begin.
    """

    bytes_done: int
    bytes_total: int
    records: int
    phase: Phase


def sum_progress(job: Job, done: Collection[int]) -> Progress:
    """Return how far a job is; `done` are the shards whose result exists."""
    if job.state == "SUCCEEDED":
        return Progress(job.bytes, job.bytes, job.counts.get("received", 0), "done")
    read = sum(shard_size(job, shard) for shard in range(job.shards) if shard in done)
    return Progress(read, job.bytes, 0, _name_phase(job, len(done)))


def shard_size(job: Job, shard: int) -> int:
    """Return how many bytes of the object are a shard's."""
    step = job.shard_bytes if job.shards > 1 else job.bytes
    return max(min(job.bytes - shard * step, step), 0)


def _name_phase(job: Job, done: int) -> Phase:
    if job.state == "FAILED":
        return "failed"
    if job.state == "QUEUED":
        return "waiting" if job.bucket else "uploading"
    return "merging" if job.ending or done >= job.shards > 0 else _AT_WORK.get(job.kind, "ranking")
