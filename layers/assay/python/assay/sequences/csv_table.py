"""CSV: a header row, a column of sequences, an optional column of ids, and carried columns."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from assay.errors import UnreadableInput
from assay.sequences.blocks import Block, check_texts, number_lines, rejected_block
from assay.sequences.carried_columns import MAX_CELL, cut_cells, name_columns, rename_columns, require_columns
from assay.sequences.contract import Contract
from assay.text.csv_rows import RowBatch, Spanned, read_rows
from assay.text.delimiters import SEQUENCE, find_column, find_residues, find_sequence
from assay.text.lines import Frame
from assay.text.records import Limits, Notice, notice

IDENTIFIER: Final = "id"
_NO_HEADER: Final = notice(
    "no_header",
    "the table has no header: its first line is a row, its cell of residues the sequence, the first other cell the id",
)
UNEVEN: Final = "uneven_rows"
_UNEVEN: Final = "rows have more cells than the header has columns: cells after the last column were left out"
QUOTED_LINES: Final = "quoted_lines"
_QUOTED: Final = (
    "lines that look like rows are inside another row's quoted cell, and were read as part of it: "
    "if that is wrong, a quote above them is missing or superfluous"
)
_ESCAPE: Final = "surrogateescape"


class SequenceColumns(NamedTuple):
    """Which column is what; `others` are carried under the names `columns`."""

    sequence: int
    identifier: int | None
    others: tuple[int, ...]
    columns: tuple[str, ...]
    width: int
    absent: bool = False
    """Whether there is no header: its row is the first of the table."""
    notices: tuple[Notice, ...] = ()


def parse_table(
    framed: Iterable[Frame], contract: Contract, limits: Limits, line: int, column: str | None, *, ends: bool = True
) -> Iterator[Block]:
    """Yield a block for each stretch of rows; a row's line is its first.

    Raises `UnreadableInput`, listing the columns, where none is named `column` ("sequence" or alike when not given);
    `OpenRow` where the last row goes on behind input that does not end here.
    """
    header: SequenceColumns | None = None

    def is_header(cells: Sequence[str]) -> bool:
        return find_sequence(cells, column) is not None or (not column and find_residues(cells) is not None)

    for batch in read_rows(framed, limits, line, is_header, ends=ends):
        if header is None:
            at = first_row(batch)
            if at is None:
                continue
            header = _header(batch.cells[at], column)
            at += not header.absent or batch.lines[at] < 1  # a later shard's row of that line is the first shard's
            batch = batch._replace(lines=batch.lines[at:], cells=batch.cells[at:])
            if header.notices:
                yield replace(rejected_block([], contract), notices=[*header.notices])
        yield _block(batch, header, contract, limits)


def first_row(batch: RowBatch) -> int | None:
    """Return the place of the first row that is not blank, or None. Raises `UnreadableInput`."""
    at = next((index for index, cells in enumerate(batch.cells) if cells), None)
    if batch.rejects and (at is None or batch.rejects[0].line < batch.lines[at]):
        raise UnreadableInput(f"the CSV's header row cannot be read: {batch.rejects[0].detail}")
    return at


def _header(cells: Sequence[str], column: str | None) -> SequenceColumns:
    """Find the columns; without a header that row is one whose cells tell."""
    require_columns(cells)
    names = [_readable(name).strip() for name in cells]
    sequence, identifier = find_sequence(names, column), find_column(names, IDENTIFIER)
    absent = sequence is None and not column
    if absent:
        sequence = find_residues(names)
        identifier = next((at for at in range(len(names)) if at != sequence), None)
        names = [""] * len(names)
    if sequence is None:
        raise no_column(names if column else [_readable(name).strip() for name in cells], repr(column or SEQUENCE))
    others = tuple(index for index in range(len(names)) if index not in (sequence, identifier))
    carried = [names[index] for index in others]
    columns = name_columns(carried, [index + 1 for index in others])
    notices = [_NO_HEADER] if absent else rename_columns(carried, columns)
    return SequenceColumns(sequence, identifier, others, columns, len(names), absent, tuple(notices))


def no_column(names: Sequence[str], wanted: str) -> UnreadableInput:
    """Return the error for a table that has no column of a name, saying which it has and what to do."""
    listed = ", ".join(name[:100] for name in names[:50])
    message = f"the CSV has no column {wanted}; it has: {listed}. Name it with the option column=NAME"
    return UnreadableInput(message, columns=[*names[:50]])


def _block(batch: RowBatch, header: SequenceColumns, contract: Contract, limits: Limits) -> Block:
    """Encode the rows' sequences; carry the other cells of those that hold the contract."""
    lines = number_lines(batch.lines)
    found = check_texts(_column(batch.cells, header.sequence), lines, contract, limits, _ESCAPE)
    rejects = sorted([*found.rejects, *batch.rejects]) if batch.rejects else found.rejects
    kept = batch.cells if len(found.kept) == len(lines) else [batch.cells[index] for index in found.kept.tolist()]
    ids = None if header.identifier is None else _readable_column(kept, header.identifier)
    extra = _carry(kept, header.others) if header.others else None
    notices = [*found.notices, *_notice_quoted(batch.spanned, header, contract, limits), *_notice_uneven(batch, header)]
    if extra and batch.longest > MAX_CELL:
        notices += cut_cells(extra, lines[found.kept].tolist())
    return Block(found.codes, lines[found.kept], ids, extra, rejects, header.columns, contract, notices)


def _notice_quoted(
    spanned: Sequence[Spanned], header: SequenceColumns, contract: Contract, limits: Limits
) -> list[Notice]:
    """Notice lines that lie in another row's cell and look like rows: as many cells, a sequence that would do."""
    whole = [each for each in spanned if len(each.cells) == header.width]
    lines = np.array([each.line for each in whole], np.int64)
    found = check_texts([each.cells[header.sequence] for each in whole], lines, contract, limits, _ESCAPE)
    return quoted_lines(lines[found.kept].tolist())


def quoted_lines(lines: Iterable[int]) -> list[Notice]:
    """Return the notice of lines that look like rows and were read as part of a cell, none if there are none."""
    found = notice(QUOTED_LINES, _QUOTED, lines)
    return [found] if found.count else []


def _notice_uneven(batch: RowBatch, header: SequenceColumns) -> list[Notice]:
    """Notice rows that have more cells than the header has columns, unless those are empty."""
    if max(map(len, batch.cells), default=0) <= header.width:
        return []
    pairs = zip(batch.lines, batch.cells, strict=True)
    lines = [line for line, cells in pairs if any(cells[header.width :])]
    return [notice(UNEVEN, _UNEVEN, lines)] if lines else []


def _carry(read: Sequence[Sequence[str]], others: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the other cells of each row. A short row gives only those it has, so few bytes stay few."""
    try:
        return list(zip(*(_readable_all([cells[at] for cells in read]) for at in others), strict=True))
    except IndexError:
        near = [others[: bisect_left(others, len(cells))] for cells in read]
        return [tuple(_readable(cells[at]) for at in some) for cells, some in zip(read, near, strict=True)]


def _column(read: Sequence[Sequence[str]], at: int) -> list[str]:
    """Return one cell of each row; a row too short for it has an empty one."""
    try:
        return [cells[at] for cells in read]
    except IndexError:
        return [cells[at] if at < len(cells) else "" for cells in read]


def _readable_column(read: Sequence[Sequence[str]], at: int) -> list[str]:
    return _readable_all(_column(read, at))


def _readable_all(cells: list[str]) -> list[str]:
    return cells if "".join(cells).isascii() else [_readable(cell) for cell in cells]


def _readable(cell: str) -> str:
    """Replace what was not UTF-8, so that the text can be written again."""
    return cell if cell.isascii() else cell.encode("utf-8", _ESCAPE).decode("utf-8", "replace")
