"""The ranking of some input, the merge of several into one, and a ranking as ranking.csv."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from operator import attrgetter
from typing import Any, Final, Self

from assay.errors import StrictReject
from assay.options import RankOptions
from assay.ranking.distributions import Histograms
from assay.sequences.carried_columns import REFERENCE_COLUMNS, name_columns
from assay.sequences.composition import DNA, tell_rows, tell_simple
from assay.text.csv_writer import PIECE, escape_formula, foreign_csv
from assay.text.records import Notice, gather


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records: received = scored + rejected + duplicates; passed were above the threshold."""

    received: int = 0
    scored: int = 0
    passed: int = 0
    returned: int = 0
    rejected: int = 0
    duplicates: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Return the sums."""
        return Counts(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class RankedRow:
    """One ranked sequence. `score` and `gate` are the shortest decimals that name the models' float32.

    `probability`, `percentile` and `notice` are what the score model's reference says of it, None without one.
    """

    sequence: str
    score: float
    gate: float
    line: int
    id: str | None = None
    extra: tuple[str, ...] = ()
    probability: float | None = None
    percentile: float | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedRow(RankedRow):
    """A row whose id and extra lie apart: `place` is the shard, and the bytes of its cells from and to."""

    place: tuple[int, int, int] = (0, 0, 0)


def place_row(row: RankedRow, place: tuple[int, int, int]) -> PlacedRow:
    """Return a row whose id and extra lie at `place`."""
    said = (row.probability, row.percentile, row.notice)
    return PlacedRow(row.sequence, row.score, row.gate, row.line, row.id, row.extra, *said, place)


def label_row(row: RankedRow, name: str | None, extra: Sequence[str]) -> RankedRow:
    """Return a row with the id and extra that lay apart."""
    said = (row.probability, row.percentile, row.notice)
    return RankedRow(row.sequence, row.score, row.gate, row.line, name, tuple(extra), *said)


@dataclass(frozen=True, slots=True)
class PartialRanking:
    """The ranking of some input: the best rows in order, all counts, the names of the carried columns, notices.

    `shed` says that ids and carried cells were too large to be held, and are to be read again by their lines.
    `reference_columns` names what the score model's reference adds to each row. `histograms` are of all rows that were
    scored, as `Histograms` writes them; empty where none was, or a partial result of an earlier version has none.
    """

    rows: list[RankedRow] = field(default_factory=list)
    counts: Counts = Counts()
    columns: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    shed: bool = False
    reference_columns: tuple[str, ...] = ()
    histograms: Mapping[str, Any] = field(default_factory=dict)

    def to_body(self) -> dict[str, Any]:
        """Return plain values, JSON's, from which `from_body` makes an equal value."""
        said: dict[str, Any] = {"notices": [each.to_body() for each in self.notices]} if self.notices else {}
        if self.reference_columns:
            said["reference"] = {"columns": self.reference_columns, "rows": [*map(_REFERENCE, self.rows)]}
        if self.histograms:
            said["histograms"] = self.histograms
        return {"columns": self.columns, "counts": asdict(self.counts), "rows": [*map(_bare, self.rows)], **said}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read what `to_body` made."""
        known = body.get("reference") or {"columns": (), "rows": [_SAID_NOTHING] * len(body["rows"])}
        rows = [_read_row(*each) for each in zip(body["rows"], known["rows"], strict=True)]
        notices = tuple(map(Notice.from_body, body.get("notices", ())))
        columns, names = tuple(body["columns"]), tuple(known["columns"])
        more = {"reference_columns": names, "histograms": body.get("histograms", {})}
        return cls(rows, Counts(**body["counts"]), columns, notices, **more)

    def shift(self, lines: int) -> "PartialRanking":
        """Return the same with `lines` added to each line, for input that has so many lines before it."""
        if not lines:
            return self
        rows = [replace(row, line=row.line + lines) for row in self.rows]
        return replace(self, rows=rows, notices=tuple(each.shift(lines) for each in self.notices))


_REFERENCE: Final = attrgetter(*REFERENCE_COLUMNS)
_SAID_NOTHING: Final = (None,) * len(REFERENCE_COLUMNS)


def _read_row(cells: Sequence[Any], said: Sequence[Any]) -> RankedRow:
    text, score, gate, line, name, extra, *place = cells
    row = RankedRow(text, score, gate, line, name, tuple(extra), *said)
    return place_row(row, tuple(place[0])) if place else row


def _bare(row: RankedRow) -> tuple[object, ...]:
    """Return a row as partial rankings have always held it, and its place if it has one."""
    place = (row.place,) if isinstance(row, PlacedRow) else ()
    return (row.sequence, row.score, row.gate, row.line, row.id, row.extra, *place)


def merge(partials: Iterable[PartialRanking], top_k: int) -> PartialRanking:
    """Return the ranking of all input together, as if it had been ranked at once; lines must be of one numbering."""
    whole, told = PartialRanking(), []
    spread: Histograms | None = None
    complete = True
    for part in partials:
        told.append((part.counts.scored > 0, any(each.code == DNA for each in part.notices)))
        rows = _distinct(heapq.merge(whole.rows, part.rows, key=lambda row: (-row.score, row.line)), top_k)
        notices = gather([*whole.notices, *part.notices]) if part.notices else whole.notices
        counts, columns = whole.counts.plus(part.counts), whole.columns or part.columns
        whole = PartialRanking(
            rows, counts, columns, notices, reference_columns=whole.reference_columns or part.reference_columns
        )
        complete = complete and bool(part.histograms or not part.counts.scored)
        if complete:
            spread = spread or Histograms()
            spread.add_body(part.histograms)
    notices = tuple(each for each in whole.notices if each.code != DNA or _all_of_bases(told))
    counts, histograms = (
        replace(whole.counts, returned=len(whole.rows)),
        spread.to_body() if complete and spread else {},
    )
    return replace(whole, counts=counts, notices=notices, histograms=histograms)


def _all_of_bases(told: list[tuple[bool, bool]]) -> bool:
    """Say whether the whole is of bases, by what each part has: scored sequences, and a notice that it is.

    Parts without a scored sequence know their beginning only: they are asked where no part has one, and then the first.
    """
    return all([bases for scored, bases in told if scored] or [bases for _, bases in told[:1]])


def with_row_notices(whole: PartialRanking) -> PartialRanking:
    """Return a ranking that is whole, with a notice for each code that its rows have, and how many have it.

    Where the score model has no reference, rows have no codes, and those of low complexity are told of.
    """
    if "notice" in whole.reference_columns:
        told = tell_rows((row.line, row.notice) for row in whole.rows)
    else:
        told = tell_simple((row.line, row.sequence) for row in whole.rows)
    return replace(whole, notices=gather([*whole.notices, *told])) if told else whole


def _distinct(rows: Iterable[RankedRow], top_k: int) -> list[RankedRow]:
    """Return the first `top_k` rows of different sequences."""
    best: dict[str, RankedRow] = {}
    for row in rows:
        best.setdefault(row.sequence, row)
        if len(best) == top_k:
            break
    return list(best.values())


def require_no_rejects(options: RankOptions, counts: Counts, **details: object) -> None:
    """Raise StrictReject where `strict` was asked for and records were rejected."""
    if options.strict and counts.rejected:
        message = f"{counts.rejected} of {counts.received} records were rejected, and strict allows none"
        raise StrictReject(message, count=counts.rejected, **details)


RANKING_COLUMNS: Final = ("rank", "sequence", "score", "gate", "line", "id")


def ranking_csv(partial: PartialRanking, lots: Iterable[list[RankedRow]] | None = None) -> Iterator[str]:
    """Yield ranking.csv in pieces: the header and the rows in order of rank, or those that come in `lots`.

    What the score model's reference adds stands behind the carried columns, so that no column moves for it. A carried
    column named like one of ours is renamed `input_...`, so that each name stands once.
    """
    foreign = slice(RANKING_COLUMNS.index("id"), len(RANKING_COLUMNS) + len(partial.columns))
    rows: list[list[Any]] = [[*RANKING_COLUMNS, *name_columns(partial.columns), *partial.reference_columns]]
    starts = range(0, len(partial.rows), PIECE)
    rank = 1
    for lot in lots if lots is not None else (partial.rows[at : at + PIECE] for at in starts):
        rows += [_result_cells(rank + at, row, partial) for at, row in enumerate(lot)]
        yield foreign_csv(rows, foreign)
        rank += len(lot)
        rows = []
    if rows:
        yield foreign_csv(rows, foreign)


def carried_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of carried columns for a result file, each unique and different from our columns."""
    return tuple(map(escape_formula, name_columns(columns)))


def carried_cells(extra: Sequence[str], width: int) -> tuple[str, ...]:
    """Return a row's carried cells, empty ones for columns that the row was too short for."""
    return (*extra, *("",) * (width - len(extra)))


def _result_cells(rank: int, row: RankedRow, partial: PartialRanking) -> list[Any]:
    carried = carried_cells(row.extra, len(partial.columns))
    said = ("" if (value := getattr(row, name)) is None else value for name in partial.reference_columns)
    return [rank, row.sequence, row.score, row.gate, row.line, row.id or "", *carried, *said]
