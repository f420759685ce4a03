"""What the steps of a file job stand on: buckets, job records, the state machine, caps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from assay.aws.clients import client, hasty_table_client
from assay.aws.s3 import Bucket, MemoryBucket
from assay.aws.step_functions import StateMachine
from assay.jobs.announcements import announce_jobs
from assay.jobs.job_records import Jobs
from assay.jobs.planning import Caps
from assay.jobs.progress import ShardNotes
from assay.jobs.workspace import Workspace
from assay.settings import Settings

_MEGABYTE = 1_000_000
_SLOWER: Final[Mapping[str, tuple[int, int]]] = {"classify": (16, 256)}
"""How many times fewer bytes a kind's shard, and its file that cannot be cut, may have than a ranking's."""


@dataclass(frozen=True, slots=True)
class JobEnvironment:
    """The stores and limits of one environment; `machine_arn` is empty where a function starts no execution."""

    uploads: Bucket
    results: Bucket
    jobs: Jobs
    caps: Caps
    machine_arn: str = ""
    concurrency: int = 1
    attempts: int = 3
    notes: ShardNotes | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the desk that the environment describes."""
        return cls(
            uploads=Bucket(client("s3"), settings.uploads_bucket),
            results=Bucket(client("s3"), settings.results_bucket),
            jobs=announce_jobs(settings),
            caps=caps(settings),
            machine_arn=settings.file_machine,
            concurrency=settings.shard_concurrency,
            attempts=settings.upload_attempts,
            notes=ShardNotes(hasty_table_client, settings.state_table),
        )

    @property
    def machine(self) -> StateMachine:
        """Return the state machine. Raises SettingsError where the environment names none."""
        return StateMachine(client("stepfunctions"), self.machine_arn)

    def of_kind(self, kind: str) -> Self:
        """Return the desk with the caps of a kind: an abstract takes as long as hundreds of sequences."""
        shard, unsplit = _SLOWER.get(kind, (1, 1))
        shard_bytes, unsplit_bytes = self.caps.shard_bytes // shard, self.caps.unsplit_bytes // unsplit
        return replace(self, caps=replace(self.caps, shard_bytes=max(shard_bytes, 1), unsplit_bytes=unsplit_bytes))

    def open_workspace(self, job_id: str, *, in_memory: bool = False) -> Workspace:
        """Return a job's working objects; `in_memory` are the parts of shards that this function does and joins."""
        return Workspace(self.results, job_id, MemoryBucket(self.results) if in_memory else None, self.notes)


def caps(settings: Settings) -> Caps:
    """Return what one job may be."""
    return Caps(
        shard_bytes=settings.shard_megabytes * _MEGABYTE,
        shards=settings.max_job_shards,
        unsplit_bytes=settings.max_unsplit_megabytes * _MEGABYTE,
    )
