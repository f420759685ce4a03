"""Presigned uploads straight to S3, and the jobs that they become."""

import re
import secrets
from dataclasses import asdict
from typing import Any

from assay.errors import InvalidOption, MalformedBody, NotFound
from assay.jobs import Job, Jobs
from assay.storage import Bucket

MAX_UPLOAD_BYTES = 5 << 30
"""What S3 takes in one POST."""
KINDS = ("rank",)
_UNSAFE = re.compile(r"[^\w.+ -]+")


def offer(body: dict[str, Any], uploads: Bucket, jobs: Jobs) -> dict[str, Any]:
    """Return a presigned POST and the job that the upload will be. Raises MalformedBody, InvalidOption."""
    filename, kind = body.get("filename"), body.get("kind", KINDS[0])
    if not isinstance(filename, str) or not 1 <= len(filename) <= 255:
        raise MalformedBody('the JSON needs a "filename" of 1 to 255 characters', field="filename")
    if kind not in KINDS:
        raise InvalidOption(f"kind must be one of {', '.join(KINDS)}", option="kind")
    key = f"{kind}/{secrets.token_hex(8)}/{safe(filename)}"
    job = jobs.enqueue(key, kind)
    form = uploads.post(key, limit=MAX_UPLOAD_BYTES)
    return {"job_id": job.id, "key": key, "max_bytes": MAX_UPLOAD_BYTES, "upload": form, "status_url": f"jobs/{job.id}"}


def safe(filename: str) -> str:
    """Return the last part of a file name, without what an object key had better not hold."""
    name = _UNSAFE.sub("_", filename.replace("\\", "/").rpartition("/")[2]).strip(". ")
    return name or "upload"


def found(job: Job | None, results: Bucket) -> dict[str, Any]:
    """Return a job with links to its results. Raises NotFound."""
    if job is None:
        raise NotFound("there is no such job; records go 30 days after their last change")
    links = {name: results.link(key, filename=key.rpartition("/")[2]) for name, key in job.results.items()}
    return {name: value for name, value in asdict(job).items() if name != "bucket"} | {"results": links}
