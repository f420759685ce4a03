"""`Prefer: respond-async`: a request's body becomes an upload and its job, and the caller need not wait."""

import re
import secrets
from collections.abc import Mapping

from assay.aws.s3 import Bucket
from assay.http.messages import Request, Response, json_response
from assay.jobs import Jobs

PREFERENCE = "respond-async"
_LONGEST_TYPE = 256
_SENDABLE = re.compile(r"[ -~]*")
"""A content type that can be a header of a request of ours; another says nothing that a reader would know."""


def preferred(request: Request) -> bool:
    """Say whether the caller would rather not wait."""
    wishes = (wish.partition(";")[0].strip().lower() for wish in request.headers.get("prefer", "").split(","))
    return PREFERENCE in wishes


def accepted(
    uploads: Bucket,
    jobs: Jobs,
    kind: str,
    filename: str,
    body: bytes,
    content_type: str,
    options: Mapping[str, str],
    caller: str = "",
) -> Response:
    """Keep a caller's body as a dropped file, its options as metadata; return 202 and where its job can be followed."""
    key = f"{kind}/{secrets.token_hex(8)}/{filename}"
    job = jobs.enqueue(key, kind, caller)
    kept = content_type if len(content_type) < _LONGEST_TYPE and _SENDABLE.fullmatch(content_type) else ""
    uploads.client.put_object(Bucket=uploads.name, Key=key, Body=body, ContentType=kept, Metadata=dict(options))
    status_url = f"jobs/{job.id}"
    headers = {"Preference-Applied": PREFERENCE, "Location": status_url}
    return json_response({"job_id": job.id, "status_url": status_url}, 202, headers)
