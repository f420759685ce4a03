"""How far a job is, in bytes of its file, for its status.

Shards at work note in DynamoDB what they have read, every other second, in items of up to 32 shards: such an item has
less than a kilobyte, so that a note is one write unit. A note only ever rises, so that a shard that is done again
counts once. A note that cannot be written is left out: nothing waits for one, and no job fails by one.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from assay.aws.dynamodb import Table
from assay.jobs.job_records import Job
from assay.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Phase = Literal["uploading", "waiting", "ranking", "classifying", "merging", "done", "failed"]
_AT_WORK: Final[dict[str, Phase]] = {"rank": "ranking", "classify": "classifying"}
_TOGETHER: Final = 32
_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes of the object that are done, of all; records so far, rejected ones too; what is done now.

    `uploading` waits for the file, `waiting` for the work on it to begin.
    """

    bytes_done: int
    bytes_total: int
    records: int
    phase: Phase

    @property
    def share(self) -> float:
        """Return how much of the job is done, 0 to 1."""
        if self.phase in {"merging", "done"}:
            return 1.0
        return min(self.bytes_done / self.bytes_total, 1.0) if self.bytes_total else 0.0


@dataclass(frozen=True, slots=True)
class ShardNote:
    """What a shard has read so far: bytes of the object, and records."""

    size: int
    records: int


class ShardNotes:
    """What the shards of jobs have noted; `open_client` is called for the first note that is written or read."""

    def __init__(self, open_client: "Callable[[], DynamoDBClient]", table: str) -> None:
        self._open, self._name = open_client, table

    @cached_property
    def _table(self) -> Table:
        return Table(self._open(), self._name, _DAYS)

    def write(self, job_id: str, shard: int, size: int, records: int) -> None:
        """Note what a shard has read, unless more was noted before; or leave it out."""
        values = {f"size{shard}": size, f"records{shard}": records}
        rises = f"attribute_not_exists(#size{shard}) OR #size{shard} < :seen"
        try:
            self._table.set(_key(job_id, shard), values, rises, seen=size)
        except (BotoCoreError, ClientError) as error:
            logger.info("progress not noted", kind=type(error).__name__)

    def read(self, job: Job) -> Mapping[int, ShardNote]:
        """Return what the shards of a job noted last, by their index; nothing if that cannot be read."""
        keys = [_key(job.id, shard) for shard in range(0, job.shards, _TOGETHER)]
        try:
            found = {name: value for item in self._table.items(keys) for name, value in item.items()}
        except (BotoCoreError, ClientError) as error:
            logger.info("progress not read", kind=type(error).__name__)
            return {}
        noted = [shard for shard in range(job.shards) if f"size{shard}" in found]
        return {shard: ShardNote(found[f"size{shard}"], found[f"records{shard}"]) for shard in noted}


def _key(job_id: str, shard: int) -> str:
    return f"progress#{job_id}#{shard // _TOGETHER}"


def sum_progress(job: Job, done: Collection[int], notes: Mapping[int, ShardNote]) -> Progress:
    """Return how far a job is; `done` are the shards whose result exists."""
    if job.state == "SUCCEEDED":
        return Progress(job.bytes, job.bytes, job.counts.get("received", 0), "done")
    finished = set(done)
    read = sum(shard_size(job, shard) for shard in finished)
    read += sum(min(note.size, shard_size(job, shard)) for shard, note in notes.items() if shard not in finished)
    return Progress(read, job.bytes, sum(note.records for note in notes.values()), _name_phase(job, len(finished)))


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
