"""Jobs as replies show them, with links to their results, and the end of one that is cancelled."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from assay.aws.s3 import Bucket
from assay.errors import Forbidden, NotFound
from assay.jobs.job_records import PROMISED_SECONDS, Job
from assay.jobs.progress import ShardNote, sum_progress
from assay.jobs.stores import Stores
from assay.jobs.workspace import Workspace

OURS = frozenset(("id", "bucket", "version_id", "etag", "execution", "runs", "owner", "bytes", "shard_bytes", "ending"))
"""What of a record is nobody's business."""


def job_reply(job: Job | None, stores: Stores) -> dict[str, Any]:
    """Return a job with links to its results. Raises NotFound."""
    job, results = require_job(job), stores.results
    links = {name: results.link(key, filename=key.rpartition("/")[2]) for name, key in job.results.items()}
    settled = job.state == "SUCCEEDED" or not job.shards
    done, notes = (range(job.shards), {}) if settled else (list_done(job, results), stores.notes.read(job))
    return get_record(replace(job, results=links), done, notes)


def is_owned(job: Job | None, caller: str) -> Job | None:
    """Return a job that was found by what others might guess: None where it is another caller's."""
    return job if job is not None and job.belongs(caller) else None


def require_owned(job: Job | None, caller: str, what: str) -> None:
    """Raise Forbidden where a job, found by its id, is another caller's; `what` is what they would do with it."""
    if job is not None and not job.belongs(caller):
        raise Forbidden(f"another API key or role owns this job, and only its owner can {what}")


def require_job(job: Job | None) -> Job:
    """Return a job. Raises NotFound."""
    if job is None:
        raise NotFound("there is no such job; a job's record expires 30 days after its last change")
    return job


def list_done(job: Job, results: Bucket) -> Collection[int]:
    """Return which of a job's shards are done: those that left a result, so that a retry counts once.

    One that a function does by itself leaves none: it ends with its job.
    """
    if job.shards == 1 and not job.execution:
        return ()
    return [shard for shard in Workspace(results, job.id).list_done() if shard < job.shards]


def get_record(job: Job, done: Collection[int] = (), notes: Mapping[int, ShardNote] | None = None) -> dict[str, Any]:
    """Return a job as a reply shows it."""
    shown = {name: value for name, value in asdict(job).items() if name not in OURS}
    work = sum_progress(job, done, notes or {})
    more = {
        "progress": work.share,
        "work": asdict(work),
        "shards": {"done": len(done), "total": job.shards},
    }
    return {"job_id": job.id, **shown, **more, "expires": _tell_expiry(job)}


def _tell_expiry(job: Job) -> str:
    """Return when the record goes, or, of a job that waits for its upload, when it is given up."""
    waits = job.state == "QUEUED" and not job.bucket
    until = datetime.fromisoformat(job.updated).timestamp() + PROMISED_SECONDS if waits else job.expires
    return datetime.fromtimestamp(until, UTC).isoformat(timespec="seconds")
