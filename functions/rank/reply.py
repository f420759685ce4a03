"""From a ranking to replies: JSON, CSV, plain lines or NDJSON for /rank, plain lines for /file_data."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from assay.errors import TooLarge
from assay.http.messages import Response, json_response, ndjson_response, text_response
from assay.models.reference import describe_measured
from assay.ranking.ranking import PartialRanking, RankedRow, ranking_csv
from assay.sequences.carried_columns import REFERENCE_COLUMNS
from assay.text.records import Reject, gather

if TYPE_CHECKING:
    from assay.models.model_choice import Pair
    from assay.sequences.blocks import Block

REJECTS_SHOWN = 1000
MAX_REPLY = 64 << 20
"""Characters of a reply; over 5 MB it is written to the results bucket."""
ROW = 200
"""What a row has besides what it carries, about."""
_MARKS = 6
"""Quotes, colon and comma around a name and its cell in JSON."""
REJECTS_NAMED = 20
"""How many rejects stand in the headers of replies that are not JSON."""


class FirstRejects:
    """The rejects of the lowest lines, `REJECTS_SHOWN` at most, however many there are."""

    def __init__(self) -> None:
        self._held: list[Reject] = []
        self.reasons: Counter[str] = Counter()

    def add(self, rejects: list[Reject]) -> None:
        """Take some more, in any order."""
        self.reasons.update(reject.reason for reject in rejects)
        self._held = heapq.nsmallest(REJECTS_SHOWN, [*self._held, *rejects])

    def to_dicts(self) -> list[dict[str, object]]:
        """Return them as replies list them, by line."""
        return [reject._asdict() for reject in self._held]

    def to_header(self) -> str:
        """Return the first of them as a header has them: `3:length, 7:residue`."""
        return ", ".join(f"{reject.line}:{reject.reason}" for reject in self._held[:REJECTS_NAMED])


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a request comes to: the ranking, its first rejects, and the models that made it."""

    partial: PartialRanking
    rejects: FirstRejects
    models: Mapping[str, Mapping[str, str]]


def write_body(
    partial: PartialRanking, rejects: FirstRejects, models: Mapping[str, Mapping[str, str]]
) -> dict[str, object]:
    """Return the body of a /rank reply; at most `REJECTS_SHOWN` rejects are listed, `counts` has them all."""
    return {
        "ranked": _rows(partial),
        "counts": asdict(partial.counts),
        "rejected": rejects.to_dicts(),
        "models": models,
        "notices": notices(partial),
        "histograms": partial.histograms,
    }


def notices(partial: PartialRanking) -> list[dict[str, object]]:
    """Return what a caller should know of the input, though nothing was refused for it."""
    return [each.to_body() for each in partial.notices]


def explanation(blocks: Iterable["Block"], pair: "Pair") -> dict[str, object]:
    """Return the body of a /rank/explain reply: what is seen of the sequences of blocks, and the nearest measured."""
    from assay.sequences.chemistry import describe_sequences  # what few requests need, no cold start waits for

    blocks, known = list(blocks), pair.score.model.reference_file
    found = gather(each for block in blocks for each in block.notices)
    body: dict[str, object] = {
        "explained": list(describe_sequences(blocks, pair.score.model.measured)),
        "rejected": [reject._asdict() for block in blocks for reject in block.rejects],
        "notices": [each.to_body() for each in found],
    }
    if known and known.measured:
        body["measured"] = describe_measured(known.measured) | {"model": pair.models["score"]}
    return body


def write_lines(partial: PartialRanking) -> Response:
    """Return the old contract of /file_data: the ranked sequences, a line each."""
    rejected = partial.counts.rejected
    headers = {"X-Assay-Rejected": str(rejected)} if rejected else {}
    return text_response((row.sequence for row in partial.rows), headers)


def about(ranked: Ranked) -> dict[str, object]:
    """Return what is said beside a link to a ranking."""
    return {"counts": asdict(ranked.partial.counts), "models": ranked.models, "notices": notices(ranked.partial)}


def headers(ranked: Ranked) -> dict[str, str]:
    """Return counts, models, the first rejects and notices as headers, for bodies that have no room for them."""
    counts = {f"X-Assay-{name.title()}": str(count) for name, count in asdict(ranked.partial.counts).items()}
    for role, model in ranked.models.items():
        counts[f"X-Assay-{role.title()}-Model"] = f"{model['name']}/{model['version']}"
    said = {
        "X-Assay-Rejects": ranked.rejects.to_header(),
        "X-Assay-Notices": ", ".join(dict.fromkeys(each.code for each in ranked.partial.notices)),
    }
    return counts | {name: text for name, text in said.items() if text}


def hold_size(partial: PartialRanking, each: int) -> None:
    """Raise TooLarge where a reply, with so many characters for the names of each row, would be too large."""
    cells = sum(len(cell) for row in partial.rows for cell in row.extra)
    size = cells + len(partial.rows) * (each + ROW)
    if size > MAX_REPLY:
        message = (
            f"the reply would have about {size >> 20} MiB, over the limit of {MAX_REPLY >> 20}: ask for fewer "
            "rows (top_k), leave columns out, or send a file through POST /uploads"
        )
        raise TooLarge(message, limit=MAX_REPLY)


def _json(ranked: Ranked) -> Response:
    hold_size(ranked.partial, sum(len(name) + _MARKS for name in ranked.partial.columns))
    return json_response(write_body(ranked.partial, ranked.rejects, ranked.models))


def _csv(ranked: Ranked) -> Response:
    hold_size(ranked.partial, len(ranked.partial.columns))
    return Response(200, "".join(ranking_csv(ranked.partial)), "text/csv; charset=utf-8", headers(ranked))


def _text(ranked: Ranked) -> Response:
    return text_response((row.sequence for row in ranked.partial.rows), headers(ranked))


def _ndjson(ranked: Ranked) -> Response:
    hold_size(ranked.partial, sum(len(name) + _MARKS for name in ranked.partial.columns))
    return ndjson_response(_rows(ranked.partial), headers(ranked))


FORMS: Final[Mapping[str, tuple[Callable[[Ranked], Response], str]]] = {
    "application/json": (_json, "ranking.json"),
    "text/csv": (_csv, "ranking.csv"),
    "text/plain": (_text, "ranking.txt"),
    "application/x-ndjson": (_ndjson, "ranking.ndjson"),
}
"""What each form of a reply is made by, and the name of the file that it is where it is too large for a reply."""


def _rows(partial: PartialRanking) -> list[dict[str, object]]:
    return [_row(rank, row, partial.columns) for rank, row in enumerate(partial.rows, 1)]


def _row(rank: int, row: RankedRow, columns: Iterable[str]) -> dict[str, object]:
    found: dict[str, object] = {
        "rank": rank,
        "sequence": row.sequence,
        "score": row.score,
        "gate": row.gate,
        "line": row.line,
        "id": row.id,
    }
    if row.extra:
        found["columns"] = dict(zip(columns, row.extra, strict=False))
    said = zip(REFERENCE_COLUMNS, (row.probability, row.percentile, row.notice), strict=True)
    return found | {name: value for name, value in said if value is not None}
