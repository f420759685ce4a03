"""POST /rank with `Prefer: respond-async`: what would be ranked at once becomes a dropped file and its job."""

import re
from collections.abc import Mapping
from typing import Any

from assay.files.later import accepted
from assay.http.messages import Part, Request, Response, dumps, json_value, require_once, upload
from assay.options import RANKING, as_metadata, hold_known
from assay.sequences.formats import LISTS, Format
from assay.sequences.json_items import parse_items
from rank.reading import OPTIONS, judge, listed
from rank.wiring import Service

_SUFFIX = re.compile(r"(\.\w{1,8}){1,2}$", re.ASCII)


def post(request: Request, stack: Service) -> Response:
    """Keep a request's sequences and options as a file under rank/. Raises InputError."""
    hold_known(request.query, OPTIONS)
    part, given = _part(request)
    data, fmt = judge(part, given.get("column"))
    if fmt is Format.JSON:
        items, options = listed(json_value(data, LISTS), given.get("column"))
        hold_known(options, OPTIONS, "field")
        given = {**given, **options}
        parse_items(items, column=str(given["column"]) if given.get("column") else None)
        part = Part("body", "request.json", "application/json", dumps(items).encode())
    metadata = as_metadata(given, RANKING)
    suffix = _SUFFIX.search(part.filename)
    name = f"request{suffix[0] if suffix else ''}"
    return accepted(stack.uploads, stack.jobs, "rank", name, part.body, part.content_type, metadata, request.caller)


def _part(request: Request) -> tuple[Part, Mapping[str, Any]]:
    """Return what holds the sequences, and the options that came beside it."""
    if request.media_type != "multipart/form-data":
        return Part("body", "", request.content_type, request.body), request.query
    parts = request.parts()
    fields = {name: part.body.decode("utf-8", "replace") for name, part in parts.items() if not part.filename}
    require_once(request.query, [name for name in fields if name in RANKING])
    return upload(parts), {**request.query, **{name: text for name, text in fields.items() if name in RANKING}}
