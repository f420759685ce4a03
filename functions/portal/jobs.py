"""Jobs as replies show them, with links to their results, and the end of one that is cancelled."""

from dataclasses import asdict, replace
from typing import Any

from assay.aws.s3 import Bucket
from assay.errors import Forbidden, NotFound
from assay.jobs.job_records import Job
from assay.jobs.workspace import Workspace

OURS = frozenset({"id", "bucket", "version_id", "etag", "execution", "runs", "owner"})
"""What of a record is nobody's business."""


def job_reply(job: Job | None, results: Bucket) -> dict[str, Any]:
    """Return a job with links to its results. Raises NotFound."""
    if job is None:
        raise NotFound("there is no such job; a job's record expires 30 days after its last change")
    links = {name: results.link(key, filename=key.rpartition("/")[2]) for name, key in job.results.items()}
    return get_record(replace(job, results=links), count_done(job, results))


def is_owned(job: Job | None, caller: str) -> Job | None:
    """Return a job that was found by what others might guess: None where it is another caller's."""
    return job if job is not None and job.belongs(caller) else None


def require_owned(job: Job | None, caller: str) -> None:
    """Raise Forbidden where a job, found by its id, is another caller's."""
    if job is not None and not job.belongs(caller):
        raise Forbidden("another API key or role owns this job, and only its owner can stop it")


def count_done(job: Job, results: Bucket) -> int:
    """Return how many of a job's shards are done: those that left a result, so that a retry counts once."""
    if job.state == "SUCCEEDED" or not job.shards:
        return job.shards
    return min(len(Workspace(results, job.id).list_done()), job.shards)


def get_record(job: Job, done: int = 0) -> dict[str, Any]:
    """Return a job as a reply shows it; while it runs, its progress is that of its shards."""
    shown = {name: value for name, value in asdict(job).items() if name not in OURS}
    progress = done / job.shards if job.state == "RUNNING" and job.shards else job.progress
    return {"job_id": job.id, **shown, "progress": progress, "shards": {"done": done, "total": job.shards}}
