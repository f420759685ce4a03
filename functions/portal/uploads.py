"""Presigned uploads straight to S3, and the jobs that they become."""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from assay.aws.s3 import Bucket
from assay.errors import InvalidOption, MalformedBody
from assay.jobs.job_records import Jobs
from assay.options import OPTIONS, read_options, require_known, write_metadata

MAX_UPLOAD_BYTES = 5 << 30
"""What S3 takes in one POST."""
MOST_NAME = 255
KINDS = tuple(OPTIONS)
_FIELDS = ("filename", "kind")
_UNSAFE = re.compile(r"[^\w.+ -]+")
_NAME_BYTES = 255  # a key has at most 1,024, and the pointer by-upload/{key}.json is a key too


def offer_upload(body: Mapping[str, Any], caller: str, uploads: Bucket, jobs: Jobs) -> dict[str, Any]:
    """Return a presigned POST and the job, the caller's, that the upload will be. Raises MalformedBody, InvalidOption.

    The options travel as metadata, which the POST is bound to.
    """
    filename, kind = body.get("filename"), body.get("kind", KINDS[0])
    if not isinstance(filename, str) or not 1 <= len(filename) <= MOST_NAME:
        raise MalformedBody(f'the JSON needs a "filename" of 1 to {MOST_NAME} characters', field="filename")
    if kind not in KINDS:
        raise InvalidOption(f"kind must be one of {', '.join(KINDS)}", option="kind")
    require_known(body, (*_FIELDS, *OPTIONS[kind]), "field")
    chosen = write_metadata(body, OPTIONS[kind])
    key = f"{kind}/{secrets.token_hex(8)}/{safe(filename)}"
    form = uploads.post(key, limit=MAX_UPLOAD_BYTES, metadata=chosen)
    job = jobs.enqueue(key, kind, caller, read_options(OPTIONS[kind], body))
    return {
        "job_id": job.id,
        "key": key,
        "max_bytes": MAX_UPLOAD_BYTES,
        "upload": form,
        "status_url": f"jobs/{job.id}",
    }


def safe(filename: str) -> str:
    """Return the last part of a file name without what a key had better not hold; of a long one the end, with its type.

    Lone surrogates, which JSON can carry and UTF-8 cannot, are dropped.
    """
    name = filename.replace("\\", "/").rpartition("/")[2].encode("utf-8", "ignore").decode("utf-8")
    kept = _UNSAFE.sub("_", name).encode()[-_NAME_BYTES:]
    return kept.decode("utf-8", "ignore").strip(". ") or "upload"


def hosts(uploads: Bucket, results: Bucket) -> set[str]:
    """Return the origins that a browser meets beside the service: of presigned uploads, and of links to results."""
    links = (uploads.post("page", limit=1)["url"], results.link("page", filename="page"))
    return {"{0.scheme}://{0.netloc}".format(urlsplit(link)) for link in links}
