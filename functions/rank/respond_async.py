"""POST /rank with `Prefer: respond-async`: what would be ranked at once becomes a dropped file and its job."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from assay.aws.s3 import Bucket
from assay.http.messages import (
    Part,
    Request,
    Response,
    dumps,
    json_response,
    json_value,
    read_upload,
    require_one_value,
)
from assay.jobs.job_records import Jobs
from assay.options import RANKING, require_known, write_metadata
from assay.sequences.formats import LISTS, Format
from assay.sequences.json_items import parse_items
from rank.request import OPTIONS, list_items, sniff_body
from rank.services import RankServices

PREFERENCE = "respond-async"
_LONGEST_TYPE = 256
_SENDABLE = re.compile(r"[ -~]*")
"""A content type that can be a header of a request of ours; another says nothing that a reader would know."""


def prefers_async(request: Request) -> bool:
    """Say whether the caller would rather not wait."""
    wishes = (wish.partition(";")[0].strip().lower() for wish in request.headers.get("prefer", "").split(","))
    return PREFERENCE in wishes


def accept(
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


_SUFFIX = re.compile(r"(\.\w{1,8}){1,2}$", re.ASCII)


def post(request: Request, stack: RankServices) -> Response:
    """Keep a request's sequences and options as a file under rank/. Raises InputError."""
    require_known(request.query, OPTIONS)
    part, given = _part(request)
    data, fmt = sniff_body(part, given.get("column"))
    if fmt is Format.JSON:
        items, options = list_items(json_value(data, LISTS), given.get("column"))
        require_known(options, OPTIONS, "field")
        given = {**given, **options}
        parse_items(items, column=str(given["column"]) if given.get("column") else None)
        part = Part("body", "request.json", "application/json", dumps(items).encode())
    metadata = write_metadata(given, RANKING)
    suffix = _SUFFIX.search(part.filename)
    name = f"request{suffix[0] if suffix else ''}"
    return accept(stack.uploads, stack.jobs, "rank", name, part.body, part.content_type, metadata, request.caller)


def _part(request: Request) -> tuple[Part, Mapping[str, Any]]:
    """Return what holds the sequences, and the options that came beside it."""
    if request.media_type != "multipart/form-data":
        return Part("body", "", request.content_type, request.body), request.query
    parts = request.parts()
    fields = {name: part.body.decode("utf-8", "replace") for name, part in parts.items() if not part.filename}
    require_one_value(request.query, [name for name in fields if name in RANKING])
    return read_upload(parts), {**request.query, **{name: text for name, text in fields.items() if name in RANKING}}
