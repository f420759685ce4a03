"""POST /rank with `Prefer: respond-async`: what would be ranked at once becomes a dropped file and its job."""

import re
import secrets

from assay.http.encodings import Part
from assay.http.messages import RESPOND_ASYNC, Response, dumps, json_response
from assay.options import RANKING, write_metadata
from assay.sequences.json_items import parse_items
from rank.request import RankRequest
from rank.services import RankServices

_LONGEST_TYPE = 256
_SENDABLE = re.compile(r"[ -~]*")
"""A content type that can be a header of a request of ours; another says nothing that a reader would know."""
_SUFFIX = re.compile(r"(\.\w{1,8}){1,2}$", re.ASCII)


def keep_as_job(sent: RankRequest, caller: str, stack: RankServices) -> Response:
    """Keep a request as a dropped file, its options as metadata; return 202 and where its job can be followed.

    Raises InputError.
    """
    part = sent.part
    if sent.items is not None:
        parse_items(sent.items, column=sent.options.column)  # refuse a bad input now, not in its job
        part = Part("body", "request.json", "application/json", dumps(sent.items).encode())
    metadata = write_metadata(sent.given, RANKING)
    suffix = _SUFFIX.search(part.filename)
    key = f"rank/{secrets.token_hex(8)}/request{suffix[0] if suffix else ''}"
    job = stack.jobs.enqueue(key, "rank", caller, sent.given)
    sendable = len(part.content_type) < _LONGEST_TYPE and _SENDABLE.fullmatch(part.content_type)
    kept, bucket = part.content_type if sendable else "", stack.uploads
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=part.body, ContentType=kept, Metadata=metadata)
    status_url = f"jobs/{job.id}"
    headers = {"Preference-Applied": RESPOND_ASYNC, "Location": status_url}
    return json_response({"job_id": job.id, "status_url": status_url}, 202, headers)
