"""How a job ends: its summary, written after all else, and the pointer from the upload to its job."""

import json
from collections.abc import Mapping
from typing import Any

from assay.aws.s3 import Bucket
from assay.errors import AssayError
from assay.files.layout import pointer_key
from assay.http.messages import error_body


def finish(results: Bucket, summary_key: str, summary: Mapping[str, Any], *, latest: bool = True) -> None:
    """Write a summary (`job_id`, `state`, `upload`, ...), then the pointer from its upload to it.

    A job that is not the latest of its upload leaves the pointer as it is.
    """
    body = json.dumps(summary, ensure_ascii=False, allow_nan=False, indent=1).encode()
    results.put(summary_key, body, "application/json")
    if latest:
        point(results, str(summary["upload"]), str(summary["job_id"]), str(summary["state"]), summary_key)


def point(results: Bucket, upload: str, job_id: str, state: str, summary_key: str) -> None:
    """Write the pointer from an upload to a job."""
    pointer = {"job_id": job_id, "state": state, "summary": summary_key}
    results.put(pointer_key(upload), json.dumps(pointer).encode(), "application/json")


def failure(job_id: str, upload: str, error: AssayError) -> dict[str, object]:
    """Return the summary of a job that cannot be done: why, in the shape that errors have everywhere."""
    return {"job_id": job_id, "state": "FAILED", "upload": upload} | error_body(
        error.code, error.message, error.details
    )
