"""A ranking as ranking.csv: ours first, then the columns that its input carried."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from assay.ranking.ranking import PartialRanking, RankedRow
from assay.sequences.carried_columns import name_columns
from assay.text.csv_writer import _PIECE, csv_text, escape_formula

RANKING_COLUMNS: Final = ("rank", "sequence", "score", "gate", "line", "id")


def ranking_csv(partial: PartialRanking, lots: Iterable[list[RankedRow]] | None = None) -> Iterator[str]:
    """Yield ranking.csv in pieces: the header, then the rows in order of rank, or those that come in `lots`.

    A carried column named like one of ours is renamed `input_...`, so that each name stands once.
    """
    yield csv_text([[*RANKING_COLUMNS, *carried_names(partial.columns)]])
    starts = range(0, len(partial.rows), _PIECE)
    rank = 1
    for lot in lots if lots is not None else (partial.rows[at : at + _PIECE] for at in starts):
        yield csv_text(_cells(rank + at, row, len(partial.columns)) for at, row in enumerate(lot))
        rank += len(lot)


def carried_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of carried columns as a result file shows them, each once and none of them one of ours."""
    return tuple(map(escape_formula, name_columns(columns)))


def carried_cells(extra: Sequence[str], width: int) -> tuple[str, ...]:
    """Return a row's carried cells, empty ones for columns that the row was too short for."""
    return (*extra, *("",) * (width - len(extra)))


def _cells(rank: int, row: RankedRow, width: int) -> list[object]:
    carried = map(escape_formula, carried_cells(row.extra, width))
    return [rank, row.sequence, row.score, row.gate, row.line, escape_formula(row.id or ""), *carried]
