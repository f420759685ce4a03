"""From a ranking to replies: JSON for /rank, plain lines for /file_data, a link where a reply is too large."""

import heapq
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from assay.http import Response, dumps, json_response, text_response
from assay.ranking import Partial, Row
from assay.sequences import Reject
from assay.storage import Bucket

REJECTS_SHOWN = 1000
_CARRIED: Final = 6_200_000
"""Bytes of body, escaped as Lambda's runtime escapes it within a reply, that one call carries beside the headers."""


class FirstRejects:
    """The rejects of the lowest lines, `REJECTS_SHOWN` at most, however many there are."""

    def __init__(self) -> None:
        self._held: list[Reject] = []

    def add(self, rejects: list[Reject]) -> None:
        """Take some more, in any order."""
        self._held = heapq.nsmallest(REJECTS_SHOWN, [*self._held, *rejects])

    def listed(self) -> list[dict[str, object]]:
        """Return them as replies list them, by line."""
        return [reject._asdict() for reject in self._held]


def ranking(partial: Partial, rejects: FirstRejects, models: dict[str, dict[str, str]]) -> dict[str, object]:
    """Return the body of a /rank reply; at most `REJECTS_SHOWN` rejects are listed, `counts` has them all."""
    return {
        "ranked": [_row(rank, row, partial.columns) for rank, row in enumerate(partial.rows, 1)],
        "counts": asdict(partial.counts),
        "rejected": rejects.listed(),
        "models": models,
    }


def lines(partial: Partial) -> Response:
    """Return the old contract of /file_data: the ranked sequences, a line each."""
    rejected = partial.counts.rejected
    headers = {"X-Assay-Rejected": str(rejected)} if rejected else {}
    return text_response((row.sequence for row in partial.rows), headers)


def delivered(body: dict[str, object], results: Bucket, limit: int) -> Response:
    """Return the body itself; over `limit` bytes or Lambda's own limit, a link to it in the results bucket."""
    text = dumps(body)
    encoded = text.encode()
    if len(encoded) <= limit and len(json.dumps(text)) <= _CARRIED:
        return Response(200, text)
    key = f"results/{secrets.token_hex(16)}/ranking.json"
    results.put(key, encoded, "application/json")
    link = results.link(key, filename="ranking.json")
    return json_response({"result_url": link, "counts": body["counts"], "models": body["models"]})


def _row(rank: int, row: Row, columns: Iterable[str]) -> dict[str, object]:
    found = {"rank": rank, **{name: getattr(row, name) for name in ("sequence", "score", "gate", "line", "id")}}
    return {**found, "columns": dict(zip(columns, row.extra, strict=True))} if row.extra else found
