"""Which of the forms that a reply can have the caller wants: the header Accept, as RFC 9110 reads it."""

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from assay.aws.s3 import Bucket
from assay.errors import NotAcceptable
from assay.http.messages import Response, json_response, media_type

_QUALITY: Final = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)", re.IGNORECASE)


def choose_form(accept: str, offered: Sequence[str]) -> str:
    """Return the media type of `offered` that is wanted most, the earliest of equals. Raises NotAcceptable."""
    ranges = dict(_ranges(accept))
    if not ranges:
        return offered[0]
    wanted = {each: _quality(each, ranges) for each in offered}
    best = max(offered, key=lambda each: wanted[each])
    if wanted[best] <= 0:
        shown = accept[:100]
        raise NotAcceptable(f"cannot answer as {shown!r}; accept one of {', '.join(offered)}", offered=offered)
    return best


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.lower().split(","):
        name = part.partition(";")[0].strip()
        quality = _QUALITY.search(part)
        if name:
            yield name, float(quality[1]) if quality else 1.0


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """Return the quality that the most specific range gives a media type, 0 where none has it."""
    family = media_type.partition("/")[0]
    return next((ranges[each] for each in (media_type, f"{family}/*", "*/*") if each in ranges), 0.0)


_CARRIED: Final = 6_200_000
"""Bytes of body, escaped as Lambda's runtime escapes it within a reply, that one call carries beside the headers."""


def deliver(
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
