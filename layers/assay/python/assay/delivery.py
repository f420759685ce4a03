"""Replies that Lambda can carry, and links to those that it cannot."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from assay.aws.s3 import Bucket
from assay.http import Response, json_response, media_type

_CARRIED: Final = 6_200_000
"""Bytes of body, escaped as Lambda's runtime escapes it within a reply, that one call carries beside the headers."""


def delivered(
    reply: Response, results: Bucket, limit: int, *, filename: str, about: Mapping[str, object] | None = None
) -> Response:
    """Return the reply itself; over `limit` bytes or Lambda's own limit, a link to its body in the results bucket.

    Who asked for JSON gets 200 with `result_url` and what else is said `about` it; who asked for another form is sent
    to the link itself, which is of that form (303).
    """
    encoded = reply.body.encode()
    if len(encoded) <= limit and len(json.dumps(reply.body)) <= _CARRIED:
        return reply
    key = f"results/{secrets.token_hex(16)}/{filename}"
    results.put(key, encoded, reply.content_type)
    link = results.link(key, filename=filename)
    body = json_response({"result_url": link, **(about or {})})
    if media_type(reply.content_type) == "application/json":
        return body
    return replace(body, status=303, headers={**reply.headers, "Location": link})
