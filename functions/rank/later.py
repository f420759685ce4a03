"""POST /rank with `Prefer: respond-async`: what would be ranked at once becomes a dropped file and its job."""

import re
from collections.abc import Mapping, Sequence

from assay.errors import MalformedBody
from assay.files.later import accepted
from assay.forms import Part
from assay.http import Request, Response, is_json, parse_json, upload
from assay.options import RANKING, as_metadata, hold_known
from assay.results import csv_text
from assay.sequences import parse_items
from rank.reading import OPTIONS, unpacked
from rank.wiring import Service

_SUFFIX = re.compile(r"(\.\w{1,8}){1,2}$", re.ASCII)


def post(request: Request, stack: Service) -> Response:
    """Keep a request's sequences and options as a file under rank/. Raises InputError."""
    hold_known(request.query, OPTIONS)
    part, given = _part(request)
    if is_json(part.content_type, data := unpacked(part.body)):
        body = parse_json(data)
        given = {**given, **(body if isinstance(body, dict) else {})}
        items = given.pop("sequences", None) if isinstance(body, dict) else body
        hold_known(given, OPTIONS, "field")
        part = _listed(items)
    metadata = as_metadata(given, RANKING)
    suffix = _SUFFIX.search(part.filename)
    name = f"request{suffix[0] if suffix else ''}"
    return accepted(stack.uploads, stack.jobs, "rank", name, part.body, part.content_type, metadata, request.caller)


def _part(request: Request) -> tuple[Part, Mapping[str, object]]:
    """Return what holds the sequences, and the options that came beside it."""
    if request.media_type != "multipart/form-data":
        return Part("body", "", request.content_type, request.body), request.query
    parts = request.parts()
    fields = {name: part.body.decode("utf-8", "replace") for name, part in parts.items() if not part.filename}
    return upload(parts), {**request.query, **{name: text for name, text in fields.items() if name in RANKING}}


def _listed(items: object) -> Part:
    """Return a JSON list of sequences as a CSV with the columns id and sequence. Raises MalformedBody."""
    if not isinstance(items, list):
        raise MalformedBody('the JSON needs a list "sequences"', field="sequences")
    parse_items(items)
    text = csv_text([("id", "sequence"), *map(_row, items)])
    return Part("body", "", "text/csv", text.encode("utf-8", "replace"))


def _row(item: object) -> Sequence[object]:
    return (item.get("id") or "", item["sequence"]) if isinstance(item, Mapping) else ("", item)
